"""Imports without a limit, beside what people use instead."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.bench.outcome import Contender, Outcome, contender, ratio
from tests.bench.procs import TOKEN, Run, Server, installed, peer, program, run
from tests.bench.work import COMMAND, write_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LATENCY_MS = 10.0
LACKS = {
    "ours": "-",
    "bare_httpx": "journal, resume, retries, reports, judgement of answers",
    "httpx_aiometer": "journal, resume, retries, reports, judgement of answers; all rows in memory",
    "pandas_requests": "journal, resume, retries, reports, concurrency; all rows in memory",
    "parallel_curl": "judgement of answers, retries, reports; its job log resumes by position",
}
NAMES = {
    "ours": "piggy-batch identifiers create",
    "bare_httpx": "bare httpx, one client a worker",
    "httpx_aiometer": "httpx + aiometer",
    "pandas_requests": "pandas.iterrows + requests.Session",
    "parallel_curl": "GNU parallel + curl",
}


def bench_imports(scale: float, folder: Path, rounds: int) -> list[Outcome]:
    """16 in flight against a bare loop, 50 in flight against everybody."""
    rows = max(50, int(20_000 * scale))
    few = max(20, rows // 20)  # for those that need a process, or a round trip, for each row
    many = ["ours", *(["httpx_aiometer"] if installed("aiometer") else [])]
    slow = ["pandas_requests", *(["parallel_curl"] if shutil.which("parallel") else [])]
    with Server(LATENCY_MS) as server:
        manifest = write_manifest(folder / "import.csv", rows)
        at_16 = _rounds(["ours", "bare_httpx"], manifest, server, 16, rows, rounds)
        at_50 = _rounds(many, manifest, server, 50, rows, rounds)
        at_50 |= _rounds(slow, write_manifest(folder / "short.csv", few), server, 50, few, rounds)
    units = {name: few if name in slow else rows for name in at_50}
    cpu = ratio([r.cpu_s for r in at_16["ours"]], [r.cpu_s for r in at_16["bare_httpx"]])
    base = f"{rows:,} rows, {LATENCY_MS:g} ms latency, journal and reports on"
    return [
        Outcome(
            "import-cpu",
            f"import, no limit, 16 in flight ({base})",
            "CPU per row ≤ 0.75 x a bare httpx loop",
            f"{cpu:.2f} x",
            cpu <= 0.75,
            {"ratio": cpu},
            _contenders(at_16, {"ours": rows, "bare_httpx": rows}),
        ),
        replace(
            _faster("import-aiometer", f"import, no limit, 50 in flight ({base})", "httpx_aiometer", 4, at_50, units),
            contenders=_contenders(at_50, units),
        ),
        _faster("import-parallel", f"the same, {few:,} of the rows for the peer", "parallel_curl", 10, at_50, units),
    ]


def _faster(
    name: str, what: str, than: str, times: float, runs: dict[str, list[Run]], units: dict[str, int]
) -> Outcome:
    target = f"rows/s ≥ {times:g} x {NAMES[than]}"
    if than not in runs:
        return Outcome(name, what, target, f"{NAMES[than]}: not installed here", None)
    ours, theirs = ([units[n] / r.wall_s for r in runs[n]] for n in ("ours", than))
    found = ratio(ours, theirs)
    return Outcome(name, what, target, f"{found:.2f} x", found >= times, {"ratio": found})


def _contenders(runs: dict[str, list[Run]], units: dict[str, int]) -> list[Contender]:
    return [contender(NAMES[name], found, units[name], LACKS[name]) for name, found in runs.items()]


def _rounds(
    names: Sequence[str], manifest: Path, server: Server, in_flight: int, rows: int, rounds: int
) -> dict[str, list[Run]]:
    """Everyone in turn, so many times; RuntimeError where the server did not get every row."""
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            server.seen()
            runs[name].append(_one(name, manifest, server, in_flight))
            seen = server.seen()["requests"] - (name == "ours")  # the account is asked for once
            if seen != rows:
                raise RuntimeError(f"{NAMES[name]} sent {seen} requests for {rows} rows")
    return runs


def _one(name: str, manifest: Path, server: Server, in_flight: int) -> Run:
    if name != "ours":
        return run(peer(name, server.url, TOKEN, manifest, str(in_flight)))
    run_dir = manifest.with_suffix(".run")
    shutil.rmtree(run_dir, ignore_errors=True)
    options = ["--run-dir", run_dir, "--rate", "0", "--concurrency", str(in_flight), "--yes", "--no-progress"]
    return run(program(*COMMAND, manifest, *options, url=server.url))
