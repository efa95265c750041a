"""Run benchmarks, print one table, write bench.json: ``python -m tests.bench --only import --scale 0.1``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.exports import bench_exports
from tests.bench.growth import bench_growth, bench_memory, bench_reports, bench_resume, bench_start
from tests.bench.imports import bench_imports
from tests.bench.outcome import as_json, markdown, text_table
from tests.bench.pacing import bench_pacing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.outcome import Outcome

BENCHES: dict[str, Callable[[float, Path, int], list[Outcome]]] = {
    "start": bench_start,
    "import": bench_imports,
    "rate": bench_pacing,
    "resume": bench_resume,
    "reports": bench_reports,
    "growth": bench_growth,
    "export": bench_exports,
    "memory": bench_memory,
}
BEGIN, END = "<!-- performance -->", "<!-- /performance -->"


def bench(only: Sequence[str], scale: float, rounds: int) -> dict[str, Any]:
    """Run the named benchmarks, all where none is named; what bench.json holds."""
    outcomes: list[Outcome] = []
    for name, run in BENCHES.items():
        if only and name not in only:
            continue
        print(f"{name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            outcomes += run(scale, Path(folder), rounds)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": round(os.getloadavg()[0], 1)}
    return as_json(outcomes, scale, machine)


def merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The old outcomes with those that were measured anew in their places."""
    fresh = {o["name"]: o for o in new["outcomes"]}
    kept = [fresh.pop(o["name"], o) for o in old["outcomes"]]
    outcomes = [*kept, *fresh.values()]
    return {**new, "ok": all(o["ok"] is not False for o in outcomes), "outcomes": outcomes}


def refresh(readme: Path, data: dict[str, Any]) -> None:
    """Put the tables between the README's markers; ValueError where it has none."""
    text = readme.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{readme} has no {BEGIN} … {END}")
    readme.write_text(f"{head}{begin}\n{markdown(data)}{end}{tail}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where every measured target was met, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", default=[], choices=list(BENCHES), help="repeatable")
    parser.add_argument("--scale", type=float, default=1.0, help="of every size and duration")
    parser.add_argument("--rounds", type=int, default=3, help="how often everybody runs")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    parser.add_argument("--merge", action="store_true", help="keep what OUT holds of benchmarks not run now")
    parser.add_argument("--readme", type=Path, help="only refresh this file's tables from OUT")
    options = parser.parse_args(arguments)
    if options.readme is not None:
        refresh(options.readme, json.loads(options.out.read_text(encoding="utf-8")))
        return 0
    data = bench(options.only, options.scale, options.rounds)
    if options.merge and options.out.exists():
        data = merge(json.loads(options.out.read_text(encoding="utf-8")), data)
    options.out.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(text_table(data))
    return 0 if data["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
