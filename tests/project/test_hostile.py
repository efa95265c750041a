"""The count of holes sees what fails, what is skipped and what is missing."""

from __future__ import annotations

from pathlib import Path

from tests.prove.hostile import figures_before, figures_of

CASE = '<testcase name="{name}"><properties><property name="hole" value="{hole}"/></properties>{end}</testcase>'


def report(folder: Path, *cases: tuple[str, str]) -> Path:
    """A JUnit report of tests that try these holes and end so."""
    path = folder / "report.xml"
    told = "".join(CASE.format(name=n, hole=hole, end=end) for n, (hole, end) in enumerate(cases))
    path.write_text(f'<testsuites><testsuite>{told}<testcase name="other"/></testsuite></testsuites>')
    return path


def test_every_hole_that_is_closed(tmp_path: Path) -> None:
    """One line with two holes, and one with two tests of which one could not be run here."""
    path = report(tmp_path, ("18.1 a", ""), ("18.1 b", ""), ("18.2 c", "<skipped/>"), ("18.2 c", ""))
    found = figures_of(path, fewest=2)
    assert found == {"holes_tried": 3, "holes_open": 0, "open": [], "untried": [], "tests": 4, "ok": True}


def test_a_failure_opens_a_hole(tmp_path: Path) -> None:
    """Whatever the hole's other tests say."""
    for end in ("<failure/>", "<error/>"):
        found = figures_of(report(tmp_path, ("18.1 a", ""), ("18.1 a", end)), fewest=1)
        assert (found["open"], found["ok"]) == (["18.1 a"], False)


def test_a_hole_that_was_not_tried_is_open(tmp_path: Path) -> None:
    """Its only test was skipped."""
    found = figures_of(report(tmp_path, ("18.1 a", "<skipped/>")), fewest=1)
    assert (found["open"], found["ok"]) == (["18.1 a"], False)


def test_a_lost_mark_is_seen(tmp_path: Path) -> None:
    """A line of the list without a test is no line that holds."""
    found = figures_of(report(tmp_path, ("18.1 a", ""), ("18.also b", "")), fewest=2)
    assert (found["untried"], found["ok"]) == (["18.2"], False)


FAILED = '<failure message="{}"/>'


def test_a_version_in_which_every_test_fails_by_an_assertion(tmp_path: Path) -> None:
    """Then each of them shows its hole."""
    path = report(tmp_path, ("18.1 a", FAILED.format("assert 6 == 3")), ("18.2 b", FAILED.format("AssertionError: x")))
    found = figures_before(path, fewest=2)
    assert found == {"holes_open": 2, "failed": 2, "untried": [], "passed": [], "not_made": [], "ok": True}


def test_what_shows_nothing_of_an_earlier_version_is_named(tmp_path: Path) -> None:
    """A test that passes there, and one whose attack could not be made there."""
    path = report(tmp_path, ("18.1 a", ""), ("18.1 a", FAILED.format("tests.hostile.program.SceneError")))
    found = figures_before(path, fewest=1)
    assert found == {"holes_open": 0, "failed": 0, "untried": ["18.1"], "passed": ["0"], "not_made": ["1"], "ok": False}
