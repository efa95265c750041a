"""A migration whose credits stage has lost its directory, and the same command once more."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, needed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hostile.service import HostileService

pytestmark = pytest.mark.process
CUSTOMERS = 3
ACCOUNT = "7c1e0000-0000-4000-a000-000000000001"  # none of those that are there to rehearse with
EFFECT = "credits.create"


def remove(stage: Path) -> None:
    """The whole directory."""
    shutil.rmtree(stage)


def empty(stage: Path) -> None:
    """What is in it."""
    shutil.rmtree(stage)
    stage.mkdir()


def remove_a_part(stage: Path) -> None:
    """The run in it, with its journal; the list that it was given stays."""
    shutil.rmtree(stage / "part-1")


@pytest.mark.hostile("18.4 credits are given again where their stage was lost")
@pytest.mark.parametrize("lose", [remove, empty, remove_a_part])
def test_credits_of_a_lost_stage_are_given_once(
    program: Program, make_service: Callable[..., HostileService], lose: Callable[[Path], None]
) -> None:
    """Credits for three customers, then the stage is gone: the same command gives none, and says that it cannot."""
    service = make_service(account_uuid=ACCOUNT)
    rows = (f"CARD-X{number},guest{number}@example.test,10" for number in range(CUSTOMERS))
    path = program.manifest("customers.csv", "contact_identifier_value,email,credits", rows)
    shop = service.sandbox.world.ledger.shops[1].uuid
    words = ("migrate", path, "--shop", shop, "--yes", "--rate", "0", "--no-progress")
    needed(program.run(*words, url=service.url).code == 0)
    needed(service.effects[EFFECT] == CUSTOMERS)
    lose(program.folder / "customers.migrate" / "5-credits-create")
    again = program.run(*words, url=service.url)
    assert (service.effects[EFFECT], again.code) == (CUSTOMERS, 4)
