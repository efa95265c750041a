"""What grows with the number of rows and what must not: memory, CPU time for each row, the time to go on."""

from __future__ import annotations

import shutil
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.bench.outcome import Outcome, ratio
from tests.bench.procs import Server, program, run
from tests.bench.work import COMMAND, write_manifest

if TYPE_CHECKING:
    from pathlib import Path

UNPACED = ("--rate", "0", "--yes", "--no-progress")
PILOT = 2_000  # rows sent where only a part is sent
MIB = 1024 * 1024


def _phase(*arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = run([sys.executable, "-m", "tests.bench.phases", *arguments]).json()
    return found


def _settled(folder: Path, name: str, rows: int, settled: int, url: str) -> tuple[Path, Path]:
    """A manifest, and the run directory of an import that came so far."""
    manifest, run_dir = write_manifest(folder / f"{name}.csv", rows), folder / f"{name}.run"
    shutil.rmtree(run_dir, ignore_errors=True)
    run([sys.executable, "-m", "tests.bench.work", manifest, run_dir, str(settled), url])
    return manifest, run_dir


def bench_memory(scale: float, folder: Path, _rounds: int) -> list[Outcome]:
    """Peak memory of whole imports: check, load, a part sent, every row reported; the smallest is sent in full."""
    peaks: dict[int, float] = {}
    with Server(0.0) as server:
        for rows in (max(100, int(n * scale)) for n in (100_000, 1_000_000, 5_000_000)):
            manifest, run_dir = write_manifest(folder / "memory.csv", rows), folder / "memory.run"
            limit = [] if rows <= max(100, int(100_000 * scale)) else ["--limit", str(PILOT)]
            options = ["--run-dir", run_dir, *UNPACED, *limit]
            done = run(program(*COMMAND, manifest, *options, url=server.url), check=False)
            if done.exit_code not in (0, 1):
                raise RuntimeError(f"the import of {rows:,} rows ended with {done.exit_code}")
            peaks[rows] = round(done.peak_mib, 1)
            shutil.rmtree(run_dir)
            manifest.unlink()
    smallest, largest = min(peaks), max(peaks)
    growth = peaks[largest] / peaks[smallest] - 1
    return [
        Outcome(
            "memory",
            " → ".join(f"{rows:,}" for rows in peaks) + " rows: peak memory",
            "under 250 MiB, growth under 20 %",
            " → ".join(f"{mib:.0f}" for mib in peaks.values()) + f" MiB, {growth:+.0%}",
            max(peaks.values()) < 250 and growth < 0.2,
            {"peak_mib": {str(rows): mib for rows, mib in peaks.items()}, "growth": round(growth, 3)},
        )
    ]


def bench_growth(scale: float, folder: Path, rounds: int) -> list[Outcome]:
    """CPU time for each row, phase by phase, at two sizes; sending is measured on the last rows of the run."""
    sizes = [max(500, int(n * scale)) for n in (100_000, 1_000_000)]
    sent = min(20_000, sizes[0] // 2)
    cpu: dict[str, dict[int, list[float]]] = {p: {n: [] for n in sizes} for p in ("check", "load", "send", "report")}
    for _ in range(rounds):
        for rows in sizes:
            manifest, run_dir = _settled(folder, "growth", rows, rows - sent - 1, "http://127.0.0.1:9")
            checked = run(program("check", manifest, "--for", " ".join(COMMAND)), check=False)
            cpu["check"][rows].append(checked.cpu_s / rows)
            fresh = folder / "fresh.run"
            cpu["load"][rows].append(_phase("load", manifest, fresh)["cpu_s"] / rows)
            shutil.rmtree(fresh)
            done = _phase("send", manifest, run_dir, str(sent))
            cpu["send"][rows].append(done["cpu_s"] / done["rows"])
            cpu["report"][rows].append(_phase("report", run_dir, "csv")["cpu_s"] / rows)
            shutil.rmtree(run_dir)
    ratios = {phase: ratio(found[sizes[1]], found[sizes[0]]) for phase, found in cpu.items()}
    each = {phase: {str(n): median(v) * 1e6 for n, v in found.items()} for phase, found in cpu.items()}
    return [
        Outcome(
            "growth",
            f"CPU time per row, {sizes[0]:,} → {sizes[1]:,} rows",
            "within 25 % in every phase",
            ", ".join(
                f"{phase} {times:.2f} x ({each[phase][str(sizes[1])]:.0f} µs)" for phase, times in ratios.items()
            ),
            all(times <= 1.25 for times in ratios.values()),
            {"ratios": ratios, "cpu_us_per_row": each},
        )
    ]


def bench_resume(scale: float, folder: Path, rounds: int) -> list[Outcome]:
    """From the start of the command to the arrival of its first row, with a million rows settled."""
    settled = max(200, int(1_000_000 * scale))
    waits = []
    with Server(0.0) as server:
        manifest, run_dir = _settled(folder, "resume", settled + 100, settled, server.url)
        size = sum(path.stat().st_size for path in run_dir.glob("journal.sqlite*")) / MIB
        for _ in range(rounds):
            server.seen()
            begun = run(
                program(*COMMAND, manifest, "--run-dir", run_dir, *UNPACED, "--limit", "1", url=server.url), check=False
            )
            arrivals = server.seen()["arrivals"]
            if len(arrivals) < 2:
                raise RuntimeError(f"the import did not go on: it ended with {begun.exit_code}")
            waits.append(arrivals[1] - begun.started)  # the first is the ping
    wait_s = median(waits)
    per_million = size / settled * 1_000_000
    return [
        Outcome(
            "resume",
            f"going on with {settled:,} rows settled",
            "first request within 5 s",
            f"{wait_s:.2f} s",
            wait_s <= 5,
            {"first_row_s": round(wait_s, 3)},
        ),
        Outcome(
            "journal-size",
            "size of the journal, two short columns",
            "-",
            f"{per_million:.0f} MiB per million rows",
            None,
            {"mib_per_million": round(per_million, 1)},
        ),
    ]


def bench_reports(scale: float, folder: Path, rounds: int) -> list[Outcome]:
    """Reports of a finished import, beside a plain copy of results.csv."""
    rows = max(500, int(1_000_000 * scale))
    _, run_dir = _settled(folder, "reports", rows, rows, "http://127.0.0.1:9")
    times: dict[str, list[float]] = {"csv": [], "parquet": [], "copy": []}
    for _ in range(rounds):
        times["csv"].append(_phase("report", run_dir, "csv")["cpu_s"])
        times["copy"].append(_phase("copy", run_dir / "results.csv", folder / "copy.csv")["cpu_s"])
        times["parquet"].append(_phase("report", run_dir, "parquet")["cpu_s"])
    plain, parquet = ratio(times["csv"], times["copy"]), ratio(times["parquet"], times["csv"])
    return [
        Outcome(
            "reports",
            f"reports for {rows:,} rows, CPU time",
            "≤ 4 x a csv copy of results.csv; Parquet ≤ 2 x CSV",
            f"{plain:.2f} x ({median(times['csv']):.1f} s), Parquet {parquet:.2f} x",
            plain <= 4 and parquet <= 2,
            {"csv_to_copy": plain, "parquet_to_csv": parquet, "cpu_s": {k: median(v) for k, v in times.items()}},
        )
    ]


def bench_start(_scale: float, _folder: Path, rounds: int) -> list[Outcome]:
    """``--version`` beside the import of click."""
    pairs = []
    for _ in range(max(3, rounds * 3)):
        ours = run(program("--version"))
        click = run([sys.executable, "-c", "import click"])
        pairs.append((ours.wall_s, click.wall_s, ours.cpu_s, click.cpu_s))
        time.sleep(0.05)
    wall = ratio([p[0] for p in pairs], [p[1] for p in pairs])
    cpu = ratio([p[2] for p in pairs], [p[3] for p in pairs])
    return [
        Outcome(
            "start",
            "start: piggy-batch --version",
            "≤ 1.5 x python -c 'import click'",
            f"{wall:.2f} x ({median(p[0] for p in pairs) * 1000:.0f} ms), CPU {cpu:.2f} x",
            wall <= 1.5,
            {"wall": wall, "cpu": cpu},
        )
    ]
