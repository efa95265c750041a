"""The holes that attacks have found, each tried again: every test that carries the mark ``hostile``.

``prove(scale)`` runs them in a process of their own, whatever the scale, and returns figures: how many holes were
tried, and which of them are open. A hole counts as open where one of its tests fails, or where none of them passes.

The tests of ``tests/hostile`` know the program by its command line only, so they are run against the version in which
the holes were found too, where each must fail: a test that passes there shows nothing. ``python -m tests.prove.hostile
--before REVISION`` does that alone, for any revision of this repository.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[2]
LINES = 21  # of the list of attacks; each must have a test, so that a mark that is lost is seen
BAD = ("failure", "error")
FOUND_IN = "a15933b"  # the version that the list of attacks was written of
BY_ASSERTION = ("assert ", "AssertionError")  # any other failure says that the attack could not be made


def prove(scale: float) -> dict[str, object]:
    """Run the marked tests; figures, and whether every line of the list is tried and no hole open."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "hostile.xml"
        code, said = _tests(report, "-m", "hostile")
        if not report.exists():
            return {"ok": False, "said": said}
        found = figures_of(report, fewest=LINES) | ({} if code == 0 else {"said": said})
    if not _has(FOUND_IN):  # a copy without its history
        return found
    earlier = before(FOUND_IN)
    return found | {"before": earlier, "ok": bool(found["ok"] and earlier["ok"])}


def before(revision: str) -> dict[str, object]:
    """Run ``tests/hostile`` against an earlier revision; figures, and whether every test of every line fails there."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "before.xml"
        packed = subprocess.run(["git", "archive", revision, "piggy_batch"], cwd=ROOT, capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
        _, said = _tests(report, "tests/hostile", PIGGY_BATCH_TREE=folder)
        if not report.exists():
            return {"ok": False, "said": said}
        return {"revision": revision} | figures_before(report, fewest=LINES)


def figures_of(report: Path, *, fewest: int) -> dict[str, object]:
    """What a JUnit report says of the holes. ``fewest``: so many numbered lines must have been tried."""
    ends: dict[str, list[str]] = defaultdict(list)
    tests = set()  # each counts once, however many cases it has
    for case, holes in _cases(report):
        if holes:
            tests.add((case.get("classname"), case.get("name", "").partition("[")[0]))
        tags = {each.tag for each in case}
        how = "bad" if tags & set(BAD) else "skipped" if "skipped" in tags else "passed"
        for hole in holes:
            ends[hole].append(how)
    open_ones = sorted(hole for hole, how in ends.items() if "bad" in how or "passed" not in how)
    missing = _untried(set(ends), fewest)
    return {
        "holes_tried": len(ends),
        "holes_open": len(open_ones),
        "open": open_ones,
        "untried": missing,
        "tests": len(tests),
        "ok": not open_ones and not missing,
    }


def figures_before(report: Path, *, fewest: int) -> dict[str, object]:
    """What a JUnit report says of a version in which each test of each hole must fail by an assertion.

    ``passed`` names the cases that did not fail, ``not_made`` those whose attack could not be made; either shows
    nothing of the hole. A case that is skipped shows nothing either, but its line must have another.
    """
    open_ones: set[str] = set()
    failed = 0
    passed: list[str] = []
    not_made: list[str] = []
    for case, holes in _cases(report):
        if not holes:
            continue
        name, ends = case.get("name", ""), {each.tag: each.get("message", "") for each in case}
        if ends.get("failure", "").startswith(BY_ASSERTION):
            open_ones.update(holes)
            failed += 1
        elif set(ends) & set(BAD):
            not_made.append(name)
        elif "skipped" not in ends:  # what this machine cannot show, as it says there
            passed.append(name)
    missing = _untried(open_ones, fewest)
    return {
        "holes_open": len(open_ones),
        "failed": failed,
        "untried": missing,
        "passed": sorted(passed),
        "not_made": sorted(not_made),
        "ok": not passed and not not_made and not missing,
    }


def _cases(report: Path) -> list[tuple[ET.Element, list[str]]]:
    """The cases of a JUnit report, each with the holes that it tries."""
    return [
        (case, [each.get("value", "") for each in case.iter("property") if each.get("name") == "hole"])
        for case in ET.parse(report).iter("testcase")
    ]


def _untried(holes: set[str], fewest: int) -> list[str]:
    """The numbered lines of which no hole is among these."""
    numbers = {hole.split()[0] for hole in holes}
    return sorted({f"18.{number}" for number in range(1, fewest + 1)} - numbers)


def _tests(report: Path, *words: str, **environ: str) -> tuple[int, str]:
    """Run pytest with these words; its exit code and the end of what it said."""
    command = [sys.executable, "-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    env = {**os.environ, **environ}
    run = subprocess.run([*command, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    return run.returncode, (run.stdout + run.stderr)[-2000:]


def _has(revision: str) -> bool:
    """Whether the history holds a revision."""
    words = ["git", "cat-file", "-e", f"{revision}^{{commit}}"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, check=False).returncode == 0


def main() -> int:
    """The tests from outside against one earlier revision; exit code 1 where one of them shows nothing."""
    parser = argparse.ArgumentParser(prog="python -m tests.prove.hostile", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--before", metavar="REVISION", default=FOUND_IN)
    figures: dict[str, Any] = before(parser.parse_args().before)
    print(json.dumps(figures, indent=2))
    return 0 if figures["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
