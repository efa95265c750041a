"""A migration that has lost a part of its directory, and the same command once more."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, needed, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hostile.program import Ended
    from tests.hostile.service import HostileService

pytestmark = pytest.mark.process
CUSTOMERS = 3
ACCOUNT = "7c1e0000-0000-4000-a000-000000000001"  # none of those that are there to rehearse with
EFFECT = "credits.create"


def migrate(program: Program, service: HostileService, name: str, *more: str, **environ: str) -> Ended:
    """Cards and credits for three customers, from a list of that name."""
    rows = (f"CARD-X{number},guest{number}@example.test,10" for number in range(CUSTOMERS))
    path = program.manifest(name, "contact_identifier_value,email,credits", rows)
    words = ("migrate", path, "--shop", service.sandbox.world.ledger.shops[1].uuid, "--yes", *more)
    return program.run(*words, "--rate", "0", "--no-progress", url=service.url, **environ)


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
    needed(migrate(program, service, "customers.csv").code == 0)
    needed(service.effects[EFFECT] == CUSTOMERS)
    lose(program.folder / "customers.migrate" / "5-credits-create")
    again = migrate(program, service, "customers.csv")
    assert (service.effects[EFFECT], again.code) == (CUSTOMERS, 4)


@pytest.mark.hostile("18.4 credits are given again where their stage was lost")
@pytest.mark.parametrize("more", [("customers.csv", "--run-dir", "other"), ("copy.csv",)], ids=["run-dir", "copy"])
def test_credits_are_given_once_under_another_state_directory(
    program: Program, make_service: Callable[..., HostileService], more: tuple[str, ...]
) -> None:
    """Two people, or a person and a cron job, work in one folder, each with records of their own."""
    service = make_service(account_uuid=ACCOUNT)
    needed(migrate(program, service, "customers.csv", "--run-dir", "first").code == 0)
    again = migrate(program, service, *more, XDG_STATE_HOME=str(program.folder / "elsewhere"))
    assert (service.effects[EFFECT], again.code) == (CUSTOMERS, 2)


@pytest.mark.hostile("18.4 credits are given again where their stage was lost")
def test_what_became_of_another_list_is_not_told_of_this_one(program: Program, service: HostileService) -> None:
    """The migration's own journal is removed, to begin anew, and its stages stay; the list is another one by now, and
    none of its cards is called done that was never sent."""
    words = ("migrate", program.folder / "cards.csv", "--yes", "--rate", "0", "--no-progress")
    program.cards("cards.csv", CUSTOMERS, "OLD")
    needed(program.run(*words, url=service.url).code == 0)
    for path in (program.folder / "cards.migrate").glob("*.*"):
        path.unlink()
    program.cards("cards.csv", CUSTOMERS, "NEW")
    again = program.run(*words, url=service.url)
    rows = rows_of(program.folder / "cards.migrate")
    done = {row["contact_identifier_value"] for row in rows if row["_status"] == "done"}
    assert (done - set(service.times("identifiers.create")), again.code) == (set(), 4)
