"""Closing a period: which days it has, which snapshots open and close it, and what cannot stand for a close."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from piggy_batch.errors import SetupError
from piggy_batch.reporting.periods import Period, parse_period, period_between
from piggy_batch.reporting.render.dutch import DUTCH
from piggy_batch.reporting.render.language import ENGLISH
from piggy_batch.reporting.snapshot_store import Store
from tests.reporting.support import Account, Run, place

if TYPE_CHECKING:
    from pathlib import Path

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
Figures = Callable[..., dict[str, Any]]


def local(*parts: int) -> datetime:
    """A moment in Amsterdam."""
    return datetime(*parts, tzinfo=AMSTERDAM).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "first", "last", "name"),
    [
        ("2026-11", date(2026, 11, 1), date(2026, 11, 30), "2026-11"),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28), "2026-02"),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29), "2028-02"),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31), "2026-Q4"),
        ("2026q1", date(2026, 1, 1), date(2026, 3, 31), "2026-Q1"),
        ("2026", date(2026, 1, 1), date(2026, 12, 31), "2026"),
        ("last-month", date(2026, 12, 1), date(2026, 12, 31), "2026-12"),
        ("last-quarter", date(2026, 10, 1), date(2026, 12, 31), "2026-Q4"),
        ("last-year", date(2026, 1, 1), date(2026, 12, 31), "2026"),
    ],
)
def test_periods_are_whole_calendar_days(text: str, first: date, last: date, name: str) -> None:
    """Months, quarters and years, by name or the last that is over on 5 January 2027."""
    assert parse_period(text, date(2027, 1, 5)) == Period(name, first, last)


@pytest.mark.parametrize("text", ["2026-00", "2026-13", "2026-Q5", "26-11", "2026-11-30", "november", "", "0001"])
def test_what_is_no_period_is_refused(text: str) -> None:
    """The message shows how to write one."""
    with pytest.raises(SetupError, match="is no period; write it like 2026-11"):
        parse_period(text, date(2027, 1, 5))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Ends of September to November read just after midnight, and two other snapshots in between."""
    account, store = Account(), Store(tmp_path / "store", AMSTERDAM)
    card = account.add("c-1", 1000)
    for moment, day in (
        (local(2026, 10, 1, 0, 5), date(2026, 9, 30)),
        (local(2026, 10, 31, 9), None),
        (local(2026, 11, 1, 0, 5), date(2026, 10, 31)),
        (local(2026, 11, 15, 9), None),
        (local(2026, 12, 1, 0, 5), date(2026, 11, 30)),
    ):
        place(store, account.export(tmp_path / "x.parquet", moment), account.summary(moment), day=day)
        card.cents -= 100
    return store.root


def test_period_takes_the_ends_of_months(store: Path, figures: Figures) -> None:
    """Of two snapshots of one day the one nearest to midnight; mid-month ones are passed over, in the trend they
    stand."""
    november = figures("--store", store, "--period", "2026-11")["roll_forward"]
    assert (november["opening"], november["redeemed"], november["closing"]) == (800, 200, 600)
    found = figures("--store", store, "--period", "2026-10")
    october = found["roll_forward"]
    assert (october["opening"], october["redeemed"], october["closing"]) == (1000, 200, 800)
    assert (found["as_of"], found["since"]) == ("2026-10-31T22:59:59.999999+00:00", "2026-09-30T21:59:59.999999+00:00")
    assert len(figures("--store", store, "--period", "2026-11")["trend"]) == 5


@pytest.mark.parametrize(
    ("opening", "closing", "english", "dutch"),
    [
        (date(2026, 10, 31), date(2026, 11, 30), "November 2026", "november 2026"),
        (date(2024, 1, 31), date(2024, 2, 29), "February 2024", "februari 2024"),
        (date(2026, 9, 30), date(2026, 12, 31), "Q4 2026", "4e kwartaal 2026"),
        (date(2025, 12, 31), date(2026, 12, 31), "2026", "2026"),
        (date(2026, 10, 31), date(2026, 12, 31), None, None),
        (date(2026, 8, 31), date(2026, 11, 30), None, None),
        (date(2026, 10, 15), date(2026, 11, 15), None, None),
    ],
)
def test_calendar_periods_have_a_name(opening: date, closing: date, english: str | None, dutch: str | None) -> None:
    """A month, a quarter or a year, however its two ends were chosen; three months across quarters are none."""
    period = period_between(opening, closing)
    assert (period and ENGLISH.period(period)) == english
    assert (period and DUTCH.period(period)) == dutch


def test_page_says_which_month_it_is(store: Path, report: Run, tmp_path: Path) -> None:
    """The month stands in the title and the heading of the page, in the workbook and on the terminal."""
    page, book = tmp_path / "r.html", tmp_path / "r.xlsx"
    report("--store", store, "--period", "2026-11", "--to", page, "--to", book)
    assert "<h1>Giftcards, November 2026: a-1</h1>" in page.read_text()
    assert "<title>Giftcards, November 2026: a-1, 30 Nov 2026" in page.read_text()
    sheets = openpyxl.load_workbook(book)
    assert sheets["Summary"]["A1"].value == "Giftcards, November 2026: a-1"
    head = [cell.value for cell in sheets["Trend"][1]]
    last = [cell.value for cell in sheets["Trend"][sheets["Trend"].max_row]]
    assert str(last[head.index("As of")]) == "2026-11-30 23:59:59", "not rounded up to the next day"
    shown = report("--store", store, "--period", "2026-11").stdout
    assert shown.startswith("Giftcards, November 2026: a-1, as of 2026-11-30 23:59:59 CET, amounts in EUR")
    other = report("--store", store, "--as-of", "2026-11-15").stdout
    assert other.startswith("Giftcards: a-1, as of 2026-11-15 09:00:00 CET")


def test_last_month_is_that_of_the_time_zone(store: Path, figures: Figures) -> None:
    """Five past midnight in Amsterdam is still November in UTC; the period is November all the same."""
    just_after = local(2026, 12, 1, 0, 5) + timedelta(minutes=1)
    found = figures("--store", store, "--period", "last-month", now=just_after)
    assert found["as_of"].startswith("2026-11-30")
    before = figures("--store", store, "--period", "last-month", now=local(2026, 11, 30, 23, 55))
    assert before["as_of"].startswith("2026-10-31"), "before midnight the last month that is over is October"
    with pytest.raises(AssertionError, match="it ends with 2026-12-31 and today is"):
        figures("--store", store, "--period", "2026-12", now=just_after)


def test_readings_stay_known_and_near_ones_are_no_alarm(store: Path, figures: Figures) -> None:
    """Five minutes after midnight is told as such; the moment of the source is that of the reading."""
    found = figures("--store", store, "--period", "2026-11")
    assert (
        "the closing balances of 2026-11-30 were read on 2026-12-01 00:05:00 CET; expiry is reckoned as of 2026-11-30"
    ) in found["notices"]
    closing = next(source for source in found["sources"] if source["role"] == "closing")
    assert closing["date"] == "2026-11-30"
    assert closing["moment"] == "2026-11-30T23:05:00+00:00"
    assert closing["newest_reading"] == "2026-11-30T23:05:05+00:00"


def test_card_swept_before_the_reading_has_expired(tmp_path: Path, figures: Figures) -> None:
    """A card of midnight, emptied by the service before the reading at five past, was not spent; one that still holds
    its balance then was owed at the day's end."""
    account, store = Account(), Store(tmp_path / "store", AMSTERDAM)
    swept, held = (account.add(f"c-{n}", 500, expires=local(2026, 12, 1)) for n in (1, 2))
    for moment, day in ((local(2026, 11, 1, 0, 5), date(2026, 10, 31)), (local(2026, 12, 1, 0, 5), date(2026, 11, 30))):
        place(store, account.export(tmp_path / "x.parquet", moment), account.summary(moment), day=day)
        swept.cents = 0
    roll = figures("--store", store.root, "--period", "2026-11")["roll_forward"]
    assert (roll["opening"], roll["expired"], roll["redeemed"], roll["closing"]) == (1_000, 500, 0, held.cents)


def test_missing_end_of_month_is_refused(store: Path, report: Run) -> None:
    """The nearest snapshot is named, and how to let it stand for that day."""
    result = report("--store", store, "--period", "2026-Q4")
    assert result.exit_code == 2
    assert "--period 2026-Q4: no snapshot counts for 2026-12-31, its closing; the nearest was read on " in result.stderr
    assert f"snapshot --store {store} --from {store}/date=" in result.stderr
    assert "--date 2026-12-31" in result.stderr
    assert "2026-08-31, its opening" in report("--store", store, "--period", "2026-09").stderr


def test_reading_of_another_time_is_told_on_every_form(tmp_path: Path, report: Run, figures: Figures) -> None:
    """A file read in November and stored for June is no June: page, JSON and log say when it was read, and the page is
    not green."""
    account, store = Account(), Store(tmp_path / "store", AMSTERDAM)
    account.add("c-1", 1000)
    moment = local(2026, 11, 27, 10)
    place(store, account.export(tmp_path / "x.parquet", moment), account.summary(moment), day=date(2026, 6, 30))
    words = "the closing balances were read on 2026-11-27 10:00:00 CET, 149 days from 2026-06-30"
    assert any(notice.startswith(words) for notice in figures("--store", store.root)["notices"])
    page = tmp_path / "r.html"
    result = report("--store", store.root, "--to", page)
    assert words in result.stderr
    assert "read on 27 Nov 2026, 10:00:00 CET, 149 days from 30 Jun 2026" in page.read_text()
    assert 'class="verdict good"' not in page.read_text()


def test_snapshot_of_the_future_does_not_close(tmp_path: Path, figures: Figures, report: Run) -> None:
    """A store of an earlier version may hold one: it is left out, and named; alone it is refused."""
    account, store = Account(), Store(tmp_path / "store", AMSTERDAM)
    account.add("c-1", 1000)
    for moment in (local(2026, 10, 31, 20), local(2026, 11, 30, 20)):
        place(store, account.export(tmp_path / "x.parquet", moment), account.summary(moment))
    (store.root / "date=2026-11-30").rename(store.root / "date=2027-02-01")
    found = figures("--store", store.root)
    assert found["as_of"].startswith("2026-10-31")
    assert any("counts for 2027-02-01, a day in the future, and is left out" in n for n in found["notices"])
    (store.root / "date=2026-10-31").rename(store.root / "date=2027-03-01")
    assert "counts for a day in the future, and so do all others" in report("--store", store.root).stderr
