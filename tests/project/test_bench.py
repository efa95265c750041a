"""The benchmarks, run with tiny sizes: that they run and tell what they should, not how fast anything is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.bench.__main__ import BEGIN, END, main, merge, refresh
from tests.bench.growth import bench_growth, bench_memory, bench_reports, bench_resume, bench_start
from tests.bench.imports import bench_imports
from tests.bench.outcome import Outcome, as_json, markdown, text_table
from tests.bench.pacing import bench_pacing, worst_window

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TINY = 0.001
MACHINE = {"cores": 2, "python": "3.11", "load": 0.0}


def measured(name: str, *, ok: bool | None = True) -> Outcome:
    """An outcome for tables."""
    return Outcome(name, "a | b", "< 1", "0.5", ok)


@pytest.mark.process
@pytest.mark.parametrize(
    ("bench", "names"),
    [
        (bench_start, ["start"]),
        (bench_imports, ["import-cpu", "import-aiometer", "import-parallel"]),
        (bench_pacing, ["rate"]),
        (bench_resume, ["resume", "journal-size"]),
        (bench_reports, ["reports"]),
        (bench_growth, ["growth"]),
        (bench_memory, ["memory"]),
    ],
)
def test_every_benchmark_runs(
    tmp_path: Path, bench: Callable[[float, Path, int], list[Outcome]], names: list[str]
) -> None:
    """Each tells its targets, with figures, at a thousandth of its size."""
    found = bench(TINY, tmp_path, 1)
    assert [outcome.name for outcome in found] == names
    assert all(outcome.measured for outcome in found)


@pytest.mark.process
def test_exports_are_compared(tmp_path: Path) -> None:
    """The export reads what the peers read."""
    from tests.bench.exports import bench_exports

    names = [outcome.name for outcome in bench_exports(TINY, tmp_path, 1)]
    assert names[:3] == ["export-loop", "export-cpu", "export-dlt"]


@pytest.mark.process
def test_the_command_writes_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """bench.json says for each target whether it is met, and --merge keeps the others."""
    out = tmp_path / "bench.json"
    out.write_text(json.dumps(as_json([measured("old")], 1.0, MACHINE)))
    main(["--only", "start", "--scale", str(TINY), "--rounds", "1", "--out", str(out), "--merge"])
    assert [o["name"] for o in json.loads(out.read_text())["outcomes"]] == ["old", "start"]
    assert "start: piggy-batch --version" in capsys.readouterr().out


def test_windows_are_counted_as_promised() -> None:
    """Even departures just fit; two that are too close do not."""
    assert worst_window([0.0, 0.1, 0.2, 0.3], 10.0) == pytest.approx(0.0)
    assert worst_window([0.0, 0.05, 0.2], 10.0) == pytest.approx(0.5)
    assert worst_window([0.0, 0.2, 0.4], 10.0) < 0


def test_one_failed_target_fails_the_whole() -> None:
    """A target that could not be measured does not."""
    assert as_json([measured("a"), measured("b", ok=None)], 1.0, MACHINE)["ok"]
    assert not as_json([measured("a"), measured("b", ok=False)], 1.0, MACHINE)["ok"]


def test_new_figures_take_the_place_of_old_ones() -> None:
    """In their old order, new targets last."""
    old = as_json([measured("a", ok=False), measured("b")], 1.0, MACHINE)
    both = merge(old, as_json([measured("c"), measured("a")], 1.0, MACHINE))
    assert [o["name"] for o in both["outcomes"]] == ["a", "b", "c"]
    assert both["ok"]


def test_the_readme_shows_the_tables(tmp_path: Path) -> None:
    """What stood between the markers gives way; the rest stays."""
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    data = as_json([measured("start"), measured("journal-size")], 1.0, MACHINE)
    refresh(readme, data)
    assert readme.read_text() == f"before\n{BEGIN}\n{markdown(data)}{END}\nafter\n"
    assert markdown(data).count("a \\| b") == 1  # the README has the most telling ones only
    assert "a | b" in text_table(data)


def test_a_readme_without_markers_is_left_alone(tmp_path: Path) -> None:
    """It is not known where the tables belong."""
    readme = tmp_path / "README.md"
    readme.write_text("before\n")
    with pytest.raises(ValueError, match="performance"):
        refresh(readme, as_json([], 1.0, MACHINE))
    assert readme.read_text() == "before\n"
