"""Local midnights, as-of days and the choice of snapshots."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from piggy_batch.reporting.snapshot_store import Store
from tests.reporting.support import CLOSING, OPENING, Account, Run, place

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reporting.conftest import Run

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
Figures = Callable[..., dict[str, Any]]


def local(year: int, month: int, day: int, hour: int = 0) -> datetime:
    """A moment in Amsterdam."""
    return datetime(year, month, day, hour, tzinfo=AMSTERDAM).astimezone(UTC)


def bucket(figures: dict[str, Any]) -> str:
    """The only rung that holds a card."""
    (held,) = [step["bucket"] for step in figures["expiry"] if step["cards"]]
    return str(held)


@pytest.mark.parametrize(
    ("expires", "rung"),
    [
        (local(2026, 11, 30), "overdue"),
        (CLOSING, "overdue"),
        (CLOSING + timedelta(seconds=1), "<=30"),
        (local(2026, 12, 1), "<=30"),
        (local(2026, 12, 31) - timedelta(seconds=1), "<=30"),
        (local(2026, 12, 30, 23), "<=30"),
        (local(2026, 12, 31), "31-60"),
        (local(2027, 1, 29, 23), "31-60"),
        (local(2027, 1, 30), "61-90"),
        (local(2027, 2, 28, 23), "61-90"),
        (local(2027, 3, 1), "91-180"),
        (local(2027, 5, 29, 23), "91-180"),
        (local(2027, 5, 30), "181-365"),
        (local(2027, 11, 30, 23), "181-365"),
        (local(2027, 12, 1), "later"),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "later"),
        (None, "never"),
        (datetime(1970, 1, 1, tzinfo=UTC), "overdue"),
    ],
)
def test_rungs_end_at_local_midnight(expires: datetime | None, rung: str, tmp_path: Path, figures: Figures) -> None:
    """A card's rung counts local calendar days, through daylight saving; expiry at the as-of moment is overdue."""
    account = Account()
    account.add("c-1", 500, expires=expires)
    assert bucket(figures(account.export(tmp_path / "x.parquet", CLOSING))) == rung


def test_time_zone_decides_the_day(tmp_path: Path, figures: Figures) -> None:
    """Half past eleven in UTC is the next day in Amsterdam and so one rung further."""
    account = Account()
    account.add("c-1", 500, expires=datetime(2026, 12, 30, 23, 30, tzinfo=UTC))
    path = account.export(tmp_path / "x.parquet", CLOSING)
    assert bucket(figures(path)) == "31-60"
    assert bucket(figures(path, "--timezone", "UTC")) == "<=30"


def test_as_of_the_day_before_midnight_counts_a_card_that_expires_at_midnight(tmp_path: Path, figures: Figures) -> None:
    """A snapshot of just after midnight, as of the day before: what expired at that midnight was still owed then."""
    account = Account()
    account.add("c-1", 500, expires=local(2026, 12, 1))
    path = account.export(tmp_path / "x.parquet", local(2026, 12, 1) + timedelta(minutes=5))
    assert figures(path)["liability"]["expired_cents"] == 500
    assert figures(path, "--as-of", "2026-11-30")["liability"]["outstanding_cents"] == 500
    assert figures(path, "--as-of", "2026-12-01")["liability"]["expired_cents"] == 500


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Snapshots of 31 October, 15 November twice, and 30 November; a card is redeemed by a euro before each."""
    account, store = Account(), Store(tmp_path / "store", AMSTERDAM)
    card = account.add("c-1", 1000, expires=local(2026, 12, 15))
    for moment in (OPENING, local(2026, 11, 15, 9), local(2026, 11, 15, 18), CLOSING):
        place(store, account.export(tmp_path / "x.parquet", moment), account.summary(moment))
        card.cents -= 100
    return store.root


def test_report_takes_the_last_two_snapshots(store: Path, figures: Figures) -> None:
    """Without days the report closes with the last snapshot and opens with the last of an earlier day, which is named
    where it is no end of a month."""
    found = figures("--store", store)
    assert (found["roll_forward"]["opening"], found["roll_forward"]["closing"]) == (800, 700)
    assert (
        "opening is the snapshot before, of 2026-11-15, which is no end of a month: the movements are those of 15 "
        "days. For a whole month use --period 2026-11"
    ) in found["notices"]
    assert any("2026-11-15 has 2 snapshots; the one of 2026-11-15 18:00:00 CET is used" in n for n in found["notices"])
    assert [point["outstanding_cents"] for point in found["trend"]] == [1000, 900, 800, 700]


def test_as_of_and_since_choose_the_last_snapshot_of_their_day(store: Path, figures: Figures) -> None:
    """Days between snapshots lead to the one before them, and the later of two on one day, which is said."""
    found = figures("--store", store, "--as-of", "2026-11-15", "--since", "2026-11-02")
    assert (found["roll_forward"]["opening"], found["roll_forward"]["closing"]) == (1000, 800)
    assert [point["outstanding_cents"] for point in found["trend"]] == [1000, 900, 800]
    assert any("2026-11-15 has 2 snapshots; the one of 2026-11-15 18:00:00 CET is used" in n for n in found["notices"])


def test_as_of_a_later_day_reckons_expiry_as_of_its_end(store: Path, figures: Figures) -> None:
    """The balances are the snapshot's, the expiry that of the day asked for, and the report says how old they are."""
    found = figures("--store", store, "--as-of", "2026-12-20")
    assert found["liability"]["expired_cents"] == 700
    assert found["as_of"] == "2026-12-20T22:59:59.999999+00:00"
    assert any(
        n.startswith("the closing balances were read on 2026-11-30 22:00:00 CET, 19 days from 2026-12-20")
        for n in found["notices"]
    )
    assert found["trend"][-1]["outstanding_cents"] == 700, "in the trend each snapshot stands at its own moment"


def test_stale_opening_is_named_as_a_stale_closing_is(store: Path, figures: Figures) -> None:
    """--since a day long after the snapshot before it says how old its balances are."""
    found = figures("--store", store, "--since", "2026-11-12")
    assert any(
        n.startswith("the opening balances were read on 2026-10-31 21:00:00 CET, 11 days from 2026-11-12")
        for n in found["notices"]
    )


def test_second_snapshot_of_a_day_never_opens_by_itself(store: Path, figures: Figures) -> None:
    """As of 15 November, of which there are two, the report opens with October."""
    found = figures("--store", store, "--as-of", "2026-11-15")
    assert (found["roll_forward"]["opening"], found["roll_forward"]["closing"]) == (1000, 800)


def test_months_join_without_a_gap(store: Path, figures: Figures) -> None:
    """What one report closes with, the next one that begins on that day opens with."""
    first = figures("--store", store, "--as-of", "2026-11-20")
    second = figures("--store", store, "--since", "2026-11-20")
    assert first["roll_forward"]["closing"] == second["roll_forward"]["opening"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--as-of", "2027-01-06"], "--as-of 2027-01-06: has not begun, today is 2027-01-05"),
        (["--period", "2026-13"], '"2026-13" is no period; write it like 2026-11, 2026-Q4 or 2026'),
        (["--period", "2026-11", "--since", "2026-10-31"], "leave out --as-of, --since and files"),
        (["--as-of", "2026-10-01"], "no snapshot on or before that day; the first is of 2026-10-31"),
        (["--since", "2026-12-01"], "choose a --since before 2026-11-30"),
        (["--as-of", "30-11-2026"], '"30-11-2026" is no day; write it like 2026-01-31'),
        (["--timezone", "Europe/Amstelveen"], '"Europe/Amstelveen" is no time zone'),
        (["--currency", "euro"], '"euro" is no currency code; write three letters like EUR'),
        (["--to", "report.pdf"], "or .parquet (cards); for a PDF print the .html page"),
        (["x.parquet"], "give either --store DIR, or one or two snapshot files"),
    ],
)
def test_what_cannot_be_reported_is_said_in_one_line(
    options: list[str], message: str, store: Path, report: Run
) -> None:
    """A wrong option ends with exit 2 and one line that says what to write."""
    result = report("--store", store, *options)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert message in line
