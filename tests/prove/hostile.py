"""The holes that attacks have found, each tried again: every test that carries the mark ``hostile``.

``prove(scale)`` runs them in a process of their own, whatever the scale, and returns figures: how many holes were
tried, and which of them are open. A hole counts as open where one of its tests fails, or where none of them passes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[2]
LINES = 21  # of the list of attacks; each must have a test, so that a mark that is lost is seen
BAD = ("failure", "error")


def prove(scale: float) -> dict[str, object]:
    """Run the marked tests; figures, and whether every line of the list is tried and no hole open."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "hostile.xml"
        words = ["-m", "pytest", "-m", "hostile", "-n", "2", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        run = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        if not report.exists():
            return {"ok": False, "said": (run.stdout + run.stderr)[-2000:]}
        return figures_of(report, fewest=LINES) | ({} if run.returncode == 0 else {"said": run.stdout[-2000:]})


def figures_of(report: Path, *, fewest: int) -> dict[str, object]:
    """What a JUnit report says of the holes. ``fewest``: so many numbered lines must have been tried."""
    ends: dict[str, list[str]] = defaultdict(list)
    tests = set()  # each counts once, however many cases it has
    for case in ET.parse(report).iter("testcase"):
        holes = [each.get("value", "") for each in case.iter("property") if each.get("name") == "hole"]
        if holes:
            tests.add((case.get("classname"), case.get("name", "").partition("[")[0]))
        tags = {each.tag for each in case}
        how = "bad" if tags & set(BAD) else "skipped" if "skipped" in tags else "passed"
        for hole in holes:
            ends[hole].append(how)
    open_ones = sorted(hole for hole, how in ends.items() if "bad" in how or "passed" not in how)
    numbers = {hole.split()[0] for hole in ends} & {f"18.{number}" for number in range(1, fewest + 1)}
    missing = sorted({f"18.{number}" for number in range(1, fewest + 1)} - numbers)
    return {
        "holes_tried": len(ends),
        "holes_open": len(open_ones),
        "open": open_ones,
        "untried": missing,
        "tests": len(tests),
        "ok": not open_ones and not missing,
    }
