"""How true a paced import keeps to its rate, and what that costs."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.bench.outcome import Outcome
from tests.bench.procs import Server, run
from tests.bench.work import write_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RATE = 80.0
LATENCY_MS = 200.0
SECONDS = 300.0
IN_FLIGHT = 32  # 80 a second at 0.2 s each need 16; the others' intents are on disk before their turn comes
JITTER_S = 1e-3  # between the turn and the reading of the clock by the benchmark the machine may do something else


def bench_pacing(scale: float, folder: Path, _rounds: int) -> list[Outcome]:
    """Five minutes at 80 a second; the departures as the transport got them. Beside it an empty loop runs at that rate:
    what that loses, the machine has taken."""
    rows = max(40, int(RATE * SECONDS * scale))
    manifest = write_manifest(folder / "pace.csv", rows)
    with Server(LATENCY_MS) as server:
        phase = [sys.executable, "-m", "tests.bench.phases"]
        with ThreadPoolExecutor(1) as pool:
            empty = pool.submit(run, [*phase, "tick", str(RATE), str(rows / RATE)])
            command = [*phase, "pace", manifest, folder / "pace.run", str(RATE), str(IN_FLIGHT), server.url]
            found = run(command).json()
            machine = empty.result().json()["sustained"]
    at = found["departures"]
    sustained = (len(at) - 1) / (at[-1] - at[0]) / RATE
    over = worst_window(at, RATE)
    core = found["cpu_s"] / found["seconds"]
    late_ms = max(0.0, over / RATE * 1000)
    kept = late_ms <= JITTER_S * 1000
    return [
        Outcome(
            "rate",
            f"--rate {RATE:g}, {LATENCY_MS:g} ms latency, {found['seconds']:.0f} s",
            "≥ 99 % of the rate, or of what an empty loop beside it reaches; any T seconds ≤ rate x T + 1, to 1 ms; "
            "≤ 15 % of a core",
            f"{sustained:.2%} (an empty loop {machine:.2%}), {'kept' if kept else 'broken'} to {late_ms:.2f} ms, "
            f"{core:.1%} of a core",
            sustained >= 0.99 * min(1.0, machine) and kept and core <= 0.15,
            {
                "sustained": round(sustained, 5),
                "empty_loop": round(machine, 5),
                "over": round(over, 6),
                "core": round(core, 3),
                "departures": len(at),
            },
        )
    ]


def worst_window(at: Sequence[float], rate: float) -> float:
    """By how much the departures in any window exceed ``rate`` x its seconds + 1, at worst; below 0: never."""
    worst, lowest = float("-inf"), float("inf")
    for index, moment in enumerate(at):
        # Departures first..index number index - first + 1 in at[index] - at[first] seconds.
        excess = index - rate * moment
        if index:
            worst = max(worst, excess - lowest)
        lowest = min(lowest, excess)
    return worst
