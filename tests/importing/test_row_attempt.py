"""One row on its way: what stands on disk before, while and after it is sent."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import httpx
import pytest

from piggy_batch.models import Status
from piggy_batch.runs.journal_queries import JournalQueries
from tests.support.world import World, audit, find_operation, working_rows

if TYPE_CHECKING:
    from pathlib import Path

GIFTCARDS = find_operation("giftcards create")


def counts_of(run_dir: Path) -> dict[str, int]:
    """Rows by status as a journal says."""
    journal = JournalQueries.open(run_dir)
    assert journal is not None
    try:
        return {status.value: number for status, number in journal.counts().items() if number}
    finally:
        journal.close()


def kill_at(world: World, moment: float) -> Path:
    """Keep what a kill at that moment would leave of the run of cards.csv; where it lies."""
    left = world.folder / f"killed-at-{moment:g}"
    run_dir = world.folder / f"cards.{GIFTCARDS.slug}"
    asyncio.get_running_loop().call_at(moment, shutil.copytree, run_dir, left)
    return left


@pytest.mark.hostile("18.18 a kill during a pause leaves rows in doubt that were never sent")
@pytest.mark.parametrize("concurrency", [1, 8, 14])
@pytest.mark.parametrize("rate", [0.0, 40.0])
def test_a_kill_during_a_pause_leaves_no_row_in_doubt_that_was_not_sent(
    world: World, concurrency: int, rate: float
) -> None:
    """While a 429 is waited out no intent stands on disk; rows that were under way have their outcome by then."""
    path = world.manifest(*working_rows(world, GIFTCARDS, 40))
    seen = 0
    left: Path | None = None

    async def hook(request: httpx.Request) -> httpx.Response | None:
        nonlocal seen, left
        seen += request.method == "POST"
        if request.method == "POST" and seen == 10:
            left = kill_at(world, world.time.now + 100)
            return httpx.Response(429, json={"message": "slow down"}, headers={"Retry-After": "600"})
        await asyncio.sleep(0.05)
        return None

    world.hook = hook
    result = world.run(GIFTCARDS, path, concurrency=concurrency, rate=rate, baseline=False)
    assert audit(result.run_dir, 40) == {"done": 40}
    assert left is not None
    counts = counts_of(left)
    assert counts.keys() == {"done", "pending"}
    assert 9 <= counts["done"] <= 9 + concurrency


@pytest.mark.hostile("18.18 a kill during a pause leaves rows in doubt that were never sent")
def test_a_kill_while_rows_wait_for_a_slow_rate_leaves_no_row_in_doubt(world: World) -> None:
    """At a request in ten seconds the intent is written a moment before the turn, not a turn ahead."""
    path = world.manifest(*working_rows(world, GIFTCARDS, 6))
    left: list[Path] = []

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            left.append(kill_at(world, world.time.now + 5))
        return None

    world.hook = hook
    result = world.run(GIFTCARDS, path, concurrency=8, rate=0.1, baseline=False)
    assert audit(result.run_dir, 6) == {"done": 6}
    assert [counts_of(path).get(Status.UNKNOWN.value, 0) for path in left[:5]] == [0] * 5
