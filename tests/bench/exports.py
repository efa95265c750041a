"""The export of a list, beside a loop and dlt's REST source."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.bench.outcome import Outcome, contender, ratio
from tests.bench.procs import TOKEN, Run, Server, installed, peer, program, run

if TYPE_CHECKING:
    from pathlib import Path

LATENCY_MS = 50.0
IN_FLIGHT = 10
PAGE = 100
NAMES = {
    "quick": ("piggy-batch giftcards export --quick", "proof (counts agree at best)"),
    "proven": ("piggy-batch giftcards export", "-"),
    "loop_export": ("a loop over requests.Session", "proof, resume, retries, concurrency"),
    "dlt_export": ("dlt REST source to Parquet", "proof, resume within a walk, pages in parallel"),
}


def bench_exports(scale: float, folder: Path, rounds: int) -> list[Outcome]:
    """Everybody reads the same pages into a Parquet or CSV file."""
    pages = max(3, int(1_000 * scale))
    names = [name for name in NAMES if name != "dlt_export" or installed("dlt")]
    runs: dict[str, list[Run]] = {name: [] for name in names}
    with Server(LATENCY_MS, cards=pages * PAGE) as server:
        for _ in range(rounds):
            for name in names:
                runs[name].append(_one(name, folder, server))
    wall = {name: [r.wall_s for r in found] for name, found in runs.items()}
    loop = ratio(wall["loop_export"], wall["quick"])
    lines = [contender(NAMES[name][0], found, pages, NAMES[name][1]) for name, found in runs.items()]
    what = f"export --quick, {pages:,} pages of {PAGE}, {LATENCY_MS:g} ms, {IN_FLIGHT} in flight"
    cpu = ratio([r.cpu_s for r in runs["quick"]], [r.cpu_s for r in runs["loop_export"]])
    found = [
        Outcome("export-loop", what, "≥ 6 x the loop", f"{loop:.1f} x", loop >= 6, {"ratio": loop}, lines),
        Outcome("export-cpu", what, "CPU per page ≤ 1.3 x the loop", f"{cpu:.2f} x", cpu <= 1.3, {"ratio": cpu}),
    ]
    if "dlt_export" not in runs:
        return [*found, Outcome("export-dlt", what, "≥ 6 x dlt", "dlt is not installed here", None)]
    dlt = ratio(wall["dlt_export"], wall["quick"])
    memory = ratio([r.peak_mib for r in runs["quick"]], [r.peak_mib for r in runs["dlt_export"]])
    proven = ratio(wall["proven"], wall["dlt_export"])
    return [
        *found,
        Outcome(
            "export-dlt",
            what,
            "≥ 6 x dlt, memory ≤ dlt's",
            f"{dlt:.1f} x, memory {memory:.2f} x",
            dlt >= 6 and memory <= 1,
            {"ratio": dlt, "memory": memory},
        ),
        Outcome(
            "export-proven",
            "the proven export, every page read twice",
            "≤ half of dlt's time",
            f"{proven:.2f} x",
            proven <= 0.5,
            {"ratio": proven},
        ),
    ]


def _one(name: str, folder: Path, server: Server) -> Run:
    target = folder / f"{name}.{'csv' if name == 'loop_export' else 'parquet'}"
    if name in ("quick", "proven"):
        shutil.rmtree(folder / f"{target.name}.export", ignore_errors=True)
        target.unlink(missing_ok=True)
        quick = ["--quick"] if name == "quick" else []
        options = ["--to", target, "--rate", "0", "--concurrency", str(IN_FLIGHT), "--no-progress", *quick]
        return run(program("giftcards", "export", *options, url=server.url))
    return run(peer(name, server.url, TOKEN, target, str(IN_FLIGHT)))
