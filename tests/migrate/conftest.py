"""Shops that migrate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from migrate_world import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop whose account holds three customers and no cards."""
    return Shop(tmp_path)


@pytest.fixture
def make_shop(tmp_path: Path) -> Callable[..., Shop]:
    """Makes a shop with sandbox switches of the test's own."""
    return lambda **switches: Shop(tmp_path, **switches)
