"""Fixtures that several files share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A service in good health, an empty folder, virtual time."""
    return World(tmp_path)


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[..., World]:
    """Makes a world with sandbox switches of the test's own."""
    return lambda **switches: World(tmp_path, **switches)
