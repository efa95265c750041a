"""Fixtures that several files share."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.importing.migration.support import Shop
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMORY = Path("/dev/shm")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of the test's own, in memory where the machine has one: thousands of commits wait for no disk."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="piggy-batch-test-") as path:
        yield Path(path)


# A gate must say the same of the same commit; by hand every run looks elsewhere.
settings.register_profile("gate", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("gate")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say in reports which holes a test tries; ``make prove`` counts them."""
    for item in items:
        item.user_properties += [("hole", mark.args[0]) for mark in item.iter_markers("hostile")]


@pytest.fixture
def world(folder: Path) -> World:
    """A service in good health, an empty folder, virtual time."""
    return World(folder)


@pytest.fixture
def make_world(folder: Path) -> Callable[..., World]:
    """Makes a world with sandbox switches of the test's own."""
    return lambda **switches: World(folder, **switches)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop whose account holds three customers and no cards."""
    return Shop(tmp_path)


@pytest.fixture
def make_shop(tmp_path: Path) -> Callable[..., Shop]:
    """Makes a shop with sandbox switches of the test's own."""
    return lambda **switches: Shop(tmp_path, **switches)
