"""What other runs of the account have made, and an answer that names it once more."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from piggy_batch.endpoints import find_operation
from piggy_batch.runs.earlier_runs import EarlierRuns
from piggy_batch.runs.journal import BEFORE_THE_RUN
from piggy_batch.runs.run_identity import RunIdentity
from piggy_batch.sandbox import Fault
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CREATE = find_operation("giftcards create")


def create(world: World, run_dir: str, rows: int = 1) -> dict[str, int]:
    """A run for cards without a baseline; its rows by status."""
    program = world.sandbox.world.cards.programs[1].uuid
    path = world.manifest(
        "giftcard_program_uuid,for", [(program, f"{run_dir} {n}") for n in range(rows)], f"{run_dir}.csv"
    )
    context: dict[str, Any] = {"registry_dir": world.folder / "state"}
    result = world.run(CREATE, path, run_dir=world.folder / run_dir, baseline=False, context=context)
    return dict(world.statuses(result))


@pytest.mark.hostile("18.7 one thing is believed for two rows")
def test_a_card_of_another_run_is_not_made_again(world: World) -> None:
    """What keeps answers gives that of the first run to the second: its row is in doubt, and so is the next one's."""
    world.sandbox.plan(Fault("replayed"))
    assert create(world, "first") == {"done": 1}
    assert create(world, "second", rows=2) == {"unknown": 2}
    assert world.effects == 1


def test_a_run_that_cannot_be_read_is_not_asked(world: World) -> None:
    """It is no proof, and no obstacle."""
    world.sandbox.plan(Fault("replayed"))
    create(world, "first")
    (world.folder / "first" / "journal.sqlite").write_bytes(b"no journal")
    assert create(world, "second") == {"done": 1}


def test_runs_of_another_account_are_not_asked(make_world: Callable[..., World]) -> None:
    """Every stand-in makes cards with the same UUIDs, each in an account of its own."""
    for number in (1, 2):
        world = make_world(account_uuid=f"7c1e0000-0000-4000-a000-00000000000{number}")
        assert create(world, f"run-{number}") == {"done": 1}


def test_a_run_that_is_taken_up_again_is_not_its_own_elder(world: World, folder: Path) -> None:
    """It knows its cards by its own journal."""
    assert create(world, "first", rows=2) == {"done": 2}
    assert create(world, "first", rows=2) == {"done": 2}
    assert (folder / "state" / "runs").is_dir()


@pytest.mark.parametrize(("number", "made"), [(BEFORE_THE_RUN, False), (1, True)])
def test_what_another_run_has_only_seen_may_be_this_ones(world: World, number: int, made: bool) -> None:
    """Its list of what was there before holds cards that this run has made meanwhile: what it has made counts."""
    create(world, "first")
    (uuid,) = world.times("giftcards.create")
    with closing(sqlite3.connect(world.folder / "first" / "journal.sqlite")) as db, db:
        db.execute("UPDATE made SET number = ?", (number,))
    target = world.context().target
    identity = RunIdentity(CREATE.name, {"id": world.sandbox.world.uuid}, target)
    with closing(EarlierRuns.open(world.folder / "state", world.folder / "here", identity)) as runs:
        assert runs.have_made(uuid.lower()) is made
