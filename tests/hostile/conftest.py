"""Fixtures of the attacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.hostile.program import Program
from tests.hostile.service import HostileService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def program(folder: Path) -> Iterator[Program]:
    """The program, with a folder and a home of its own."""
    found = Program(folder)
    yield found
    found.close()


@pytest.fixture
def make_service() -> Iterator[Callable[..., HostileService]]:
    """Makes services with sandbox switches of the test's own."""
    made: list[HostileService] = []

    def make(**settings: Any) -> HostileService:
        made.append(HostileService(**settings))
        return made[-1]

    yield make
    for service in made:
        service.close()


@pytest.fixture
def service(make_service: Callable[..., HostileService]) -> HostileService:
    """A service in good health, until the test gives it a hook."""
    return make_service()
