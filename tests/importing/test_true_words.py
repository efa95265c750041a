"""Whatever is lost, refused, late or looked up in vain: what this run has done is never called refused.

Hypothesis draws what becomes of each request of two invocations, writes and looks alike; the sandbox's own log of
effects is the judge after each of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from piggy_batch.endpoints import Operation
from piggy_batch.models import Repeat
from piggy_batch.sandbox import Fault
from tests.support.world import WRITES, World, audit, working_rows

FINE, NEVER_SENT = "fine", "never sent"
FATES = (
    FINE,
    NEVER_SENT,
    "late",
    "reset-before",
    "reset-after",
    "timeout-after",
    "504-after",
    "500",
    "503",
    "429-bare",
    "truncated",
    "no-data",
    "200-html",
    "200-other",
    "1000",
    "refusal-cut",
    "unknown-code",
    "409",
    "409-after",
    "499-after",
    "firewall",
    "firewall-after",
    "forbidden",
    "redirect",
    "redirect-after",
    "unauthorized",
)
LATE_S = (1, 40, 5_000)  # before the next look, among the repeats, long after the run has ended
fates = st.lists(st.tuples(st.sampled_from(FATES), st.sampled_from(LATE_S)), max_size=8)


def play(world: World, drawn: list[tuple[str, int]]) -> None:
    """What becomes of the next requests, one after the other; the account's own ping is always answered."""
    left: Iterator[tuple[str, int]] = iter(drawn)

    async def hook(request: httpx.Request) -> None:
        if request.url.path.endswith("/clients"):
            return
        kind, wait_s = next(left, (FINE, 0))
        if kind == NEVER_SENT:
            raise httpx.ConnectError("no route to host")
        if kind != FINE:
            world.sandbox.plan(Fault(kind, times=1, wait_s=wait_s))

    world.hook = hook


def judge(world: World, operation: Operation, run_dir: Path, rows: int) -> None:
    """Done was done; refused, failed and pending were not; and nothing was done twice."""
    counts = audit(run_dir, rows)
    effects, done = world.effects, counts.get("done", 0)
    assert max(world.state["max_per_key"].values(), default=0) <= 1
    assert effects <= done + counts.get("unknown", 0), f"{counts}, though {effects} were applied"
    if operation.repeat is Repeat.ONCE:
        assert done <= effects


@pytest.mark.parametrize("operation", WRITES, ids=lambda o: o.slug)
@given(rows=st.integers(1, 2), first=fates, second=fates)
@example(rows=1, first=[("late", 5_000), (FINE, 0), ("unknown-code", 0)], second=[])
@example(rows=1, first=[("redirect-after", 0)], second=[])
@example(rows=1, first=[("409-after", 0)], second=[("unknown-code", 0)])
@example(rows=2, first=[(FINE, 0), ("firewall-after", 0)], second=[])
@example(rows=1, first=[("reset-after", 0), ("500", 0), ("500", 0), ("500", 0)], second=[("forbidden", 0)])
@settings(max_examples=25, deadline=None, derandomize=True)
def test_what_this_run_has_done_is_never_called_refused(
    operation: Operation, rows: int, first: list[tuple[str, int]], second: list[tuple[str, int]]
) -> None:
    """After two invocations of any misfortune and one in good health, and when all that was late has landed."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        path = world.manifest(*working_rows(world, operation, rows))
        for drawn in (first, second, []):
            play(world, drawn)
            result = world.run(operation, path, concurrency=1, attempts=3, max_wait_s=300.0)
            judge(world, operation, result.run_dir, rows)
        world.time.now += 10_000
        world.run("identifiers find", world.manifest("contact_identifier_value", ["X"], "later.csv"))
        judge(world, operation, result.run_dir, rows)
