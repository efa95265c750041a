"""What ``giftcards create`` and ``reconcile`` promise, with the stand-in's own books as the judge.

``prove(scale)``: 1,000 x scale rows of which a tenth of the answers is lost after the card was made, and some before;
the same with 50 foreign cards made meanwhile. Virtual time, so that only work takes any.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from piggy_batch.client.rate_limiter import Rate
from piggy_batch.importing.giftcards.reconcile import ReconcileOptions, reconcile
from piggy_batch.importing.options import RunResult
from piggy_batch.runs.context import ConnectionOptions
from piggy_batch.runs.generated_manifest import counted_manifest
from piggy_batch.sandbox import Fault
from tests.support.world import World, in_virtual_time, read_csv

FULL_ROWS = 1_000
FOREIGN = 50
SHARE = 0.1  # of answers lost after the card was made
BEFORE = 0.03  # of requests lost before anything was made
_POST = {"method": "POST", "path": "giftcards"}


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch from create to create again."""

    rows: int
    in_doubt: int  # after the first create
    made_first: int  # cards that the API had made by then
    left: int  # rows in doubt after reconcile
    assigned: int  # rows that reconcile gave a card
    foreign_given: int  # foreign cards that stand in any row
    made: int  # cards that the API has made at the end
    lost: int  # rows without a card of their own at the end
    doubled: int  # cards beyond one for each row


def batch(rows: int, seed: int, *, foreign: int = 0, before: float = 0.0) -> Batch:
    """Make ``rows`` cards while answers are lost, look for those in doubt, and run the same command again."""
    with tempfile.TemporaryDirectory() as folder:
        faults = [Fault("reset-after", share=SHARE, **_POST)]
        if before:
            faults.insert(0, Fault("reset-before", share=before, **_POST))
        world = World(Path(folder), giftcards=300, seed=seed, faults=tuple(faults))
        strangers: set[str] = set()

        async def meanwhile(request: httpx.Request) -> None:
            if request.method == "POST" and len(strangers) < foreign:
                event = {"action": "issue", "program": 1}
                strangers.add(world.sandbox.outside_event("giftcard", **event)["uuid"])

        world.hook = meanwhile
        first = _create(world, rows)
        in_doubt = world.statuses(first).get("unknown", 0)
        made_first = len(world.times("giftcards.create"))
        world.sandbox.clear_faults()
        terms = ReconcileOptions(exclusive=True, settle_after_s=0.0, connection=ConnectionOptions(Rate(0.0)))
        looked = in_virtual_time(reconcile(first.run_dir, terms, world.context()), world.time)
        left = world.statuses(looked).get("unknown", 0)
        assigned = sum(row["_proof"] == "look" for row in world.rows(looked))
        last = looked if foreign else _create(world, rows)
        given = Counter(row["giftcard_uuid"] for row in read_csv(last.run_dir / "results.csv") if row["giftcard_uuid"])
        made = set(world.times("giftcards.create"))
        return Batch(
            rows=rows,
            in_doubt=in_doubt,
            made_first=made_first,
            left=left,
            assigned=assigned,
            foreign_given=len(strangers & set(given)),
            made=len(made),
            lost=rows - len(made & set(given)),
            doubled=max(0, len(made) - rows) + sum(n - 1 for n in given.values()),
        )


def _create(world: World, rows: int) -> RunResult:
    run_dir = world.folder / "batch"
    program = world.sandbox.world.cards.programs[1].uuid
    return world.run(
        "giftcards create",
        counted_manifest(run_dir, rows),
        run_dir=run_dir,
        constants={"giftcard_program_uuid": program},
        baseline=True,
    )


def prove(scale: float) -> dict[str, Any]:
    """Figures, whether all promises held, and sentences for the README."""
    begun = time.perf_counter()
    rows = max(50, int(FULL_ROWS * scale))
    whole = batch(rows, seed=1)
    mixed = [batch(max(20, rows // 10), seed, before=BEFORE) for seed in range(2, 2 + max(2, int(10 * scale)))]
    shared = batch(rows, seed=1, foreign=FOREIGN)
    tried = [whole, *mixed]
    ok = (
        all(b.made_first <= b.rows and b.left == 0 and b.made == b.rows for b in tried)
        and all(b.lost == b.doubled == 0 for b in tried)
        and min(b.in_doubt for b in tried) > 0
        and shared.foreign_given == 0
        and shared.made <= rows
        and shared.doubled == 0
    )
    many = sum(b.rows for b in mixed)
    missing, extra = sum(b.lost for b in mixed), sum(b.doubled for b in mixed)
    lines = [
        (
            f"{rows:,} giftcards, the answers for {whole.in_doubt:,} lost after the card was made: "
            f"{whole.made_first:,} cards, none twice; `reconcile --exclusive` found the cards of {whole.assigned:,} "
            f"rows and left {whole.left:,} in doubt."
        ),
        (
            f"{len(mixed):,} more batches ({many:,} cards), answers lost before and after the card was made: after "
            f"reconcile and the same command again each row had one card, {missing:,} missing, {extra:,} too many."
        ),
        (
            f"With {FOREIGN} cards made by somebody else meanwhile, {shared.foreign_given:,} of them were given to a "
            f"row; {shared.left:,} rows stayed in doubt for a person."
        ),
    ]
    return {
        "ok": ok,
        "rows": rows,
        "in_doubt": whole.in_doubt,
        "cards_made": whole.made,
        "left_in_doubt": whole.left,
        "batches": len(tried),
        "foreign": FOREIGN,
        "foreign_assigned": shared.foreign_given,
        "left_with_foreign": shared.left,
        "wall_s": round(time.perf_counter() - begun, 1),
        "lines": lines,
        "reliability": [
            {
                "what": "giftcards create with answers lost, reconcile, create again (rows)",
                "tried": sum(b.rows for b in tried),
                "lost": sum(b.lost for b in tried),
                "doubled": sum(b.doubled for b in tried),
            }
        ],
    }


if __name__ == "__main__":
    print(json.dumps(prove(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0), indent=2))
