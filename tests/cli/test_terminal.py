"""What a terminal is told: colours where it has them, lines broken between words, commands in one piece."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest

from piggy_batch.cli.progress_display import ProgressDisplay
from piggy_batch.cli.terminal import STATUS_COLOURS, colour_of, exit_colour, fit, has_colour, painted
from piggy_batch.models import Status

ANSI = re.compile(r"\x1b\[[0-9;]*m")
SENTENCE = "throttled (429): everybody pauses 12.0 s, as asked, and the well-known rest of this sentence is of no use"


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_long_line_is_broken_between_words() -> None:
    """No line reaches the border, no word is broken, what goes on is indented."""
    first, *rest = fit(SENTENCE, Terminal()).splitlines()
    assert rest
    assert all(len(line) < 60 and line.startswith("    ") for line in rest)
    assert " ".join([first, *(line.strip() for line in rest)]) == SENTENCE


@pytest.mark.parametrize("line", [SENTENCE, "short"])
def test_nothing_is_broken_where_nobody_looks(line: str) -> None:
    """A file, a pipe, a log: one message, one line."""
    assert fit(line, io.StringIO()) == line


@pytest.mark.parametrize(
    ("before", "typed"),
    [
        ("go on with: ", "piggy-batch identifiers create legacy.csv --map contact_identifier_value=Kaart --limit 20"),
        ("line 2 looks like the header: ", "pass --header-row 2 --map contact_identifier_value=Kaart --map email=Mail"),
        ("did you mean: ", "--map contact_identifier_value=Kaartnummer --map email=Mail --map credits=Punten"),
    ],
)
def test_what_is_to_be_typed_stays_in_one_piece(before: str, typed: str) -> None:
    """It can be copied from the terminal, however long it is."""
    found = fit(f"rows in doubt were left alone; {before}{typed}", Terminal()).splitlines()
    assert found[-1].strip() == typed


@pytest.mark.parametrize(
    ("stream", "environment", "expected"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (None, {}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
    ],
)
def test_colours_only_where_they_are_wanted(
    stream: io.StringIO | None, environment: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal that can, and nobody has said NO_COLOR."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert has_colour(stream) is expected
    assert bool(ANSI.search(painted("rejected", "red", stream))) is expected


def test_every_status_has_a_colour() -> None:
    """A new one is given one; the lines of the summary are known by it, others are left alone."""
    assert {status.value for status in Status} <= set(STATUS_COLOURS)
    assert colour_of("  rejected      4") == "red"
    assert colour_of("  results.csv   4 rows") is None
    assert colour_of("done: 3") is None
    assert [exit_colour(code) for code in (0, 1, 2, 3, 4, 130)] == ["green", "yellow", "red", "red", "red", "red"]


# --- progress ------------------------------------------------------------------------------------------


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Monotonic seconds."""
        return self.now

    def wall(self) -> datetime:
        """Always ten in the morning."""
        return datetime(2026, 1, 31, 10, 0, 0, tzinfo=UTC)


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on stderr, each as often as it was drawn."""
    return [line.strip() for line in re.split(r"[\r\n]", ANSI.sub("", capsys.readouterr().err)) if line.strip()]


def test_a_line_every_half_minute_tells_pace_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal: how many, how fast over the last minute, how long still, what became of them."""
    clock = Hands()
    with ProgressDisplay("rows", bar=False, clock=clock, wall=clock.wall) as display:
        display.total(1000)
        for _ in range(300):
            clock.now += 0.2
            display.advance("done")
    first, second = shown(capsys)
    assert first == "150 of 1,000 rows · 5.0 a second · about 2m 50s left · done 150"
    assert second.startswith("300 of 1,000 rows · 5.0 a second")


def test_the_pace_is_that_of_the_last_minute(capsys: pytest.CaptureFixture[str]) -> None:
    """After a pause the time left is not reckoned from the pause for ever."""
    clock = Hands()
    with ProgressDisplay("rows", bar=False, clock=clock, wall=clock.wall) as display:
        display.total(10_000)
        clock.now += 3600
        for _ in range(1500):
            clock.now += 0.1
            display.advance("done")
    assert "10.0 a second" in shown(capsys)[-1]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_bar_says_what_is_waited_for(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until when, and why; once that is over it is gone from the bar. Words that do not fit are left out whole."""
    monkeypatch.setenv("COLUMNS", str(columns))
    clock = Hands()
    with ProgressDisplay("rows", bar=True, clock=clock, wall=clock.wall) as display:
        display.total(6816)
        clock.now += 10
        display.advance("done", 1129)
        display.waits(90.0, "throttled")
        paused = shown(capsys)[-1]
        clock.now += 91
        display.advance("done")
        after = shown(capsys)[-1]
    assert "throttled until 10:01:30" in paused
    assert "throttled" not in after
    assert "1,130 of 6,816 rows" in after
    assert ("done 1,130" in after) is (columns > 60)
    for line in (paused, after):
        assert len(line) < columns
        assert line.endswith(("rows", "left", "/s", "done 1,129", "done 1,130", ":30"))


def test_the_bar_rather_leaves_out_what_went_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many rows were refused stays in sight."""
    monkeypatch.setenv("COLUMNS", "80")
    clock = Hands()
    with ProgressDisplay("rows", bar=True, clock=clock, wall=clock.wall) as display:
        display.total(2_000)
        clock.now += 10
        display.advance("rejected", 3)
        display.advance("done", 1_200)
    assert shown(capsys)[-1].endswith("1,203 of 2,000 rows · 120.3/s · 6.6s left · rejected 3")


def test_rows_that_a_later_stage_makes_good_are_counted_by_that_name(capsys: pytest.CaptureFixture[str]) -> None:
    """The word that the run gives is the word that is shown."""
    clock = Hands()
    with ProgressDisplay("rows", bar=False, clock=clock, wall=clock.wall) as display:
        display.total(2)
        clock.now += 31
        display.advance("exists unlinked", 2)
    assert shown(capsys) == ["2 of 2 rows · 0.1 a second · nearly done · exists unlinked 2"]
