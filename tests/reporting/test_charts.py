"""Charts of a rich account: forty programs with odd names, sixty snapshots, amounts up to billions."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piggy_batch.reporting.liability import BalanceLine
from piggy_batch.reporting.money import Currency
from piggy_batch.reporting.render.language import ENGLISH
from piggy_batch.reporting.render.line_chart import _axis, trend_chart
from piggy_batch.reporting.report import CurrencyPart
from tests.reporting.rich import NAMES, make_store
from tests.reporting.support import CLOSING, OPENING, Account

if TYPE_CHECKING:
    from piggy_batch.reporting.render.line_chart import LineChart, Mark
    from tests.reporting.support import Run

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
PIXELS = {"roomy": 640 - 24 - 52, "narrow": 320 - 24 - 52}  # the narrowest plot on which a mark of the style is shown
CHARACTER = 8.2  # pixels at most that a character takes at the size of labels


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, report: Run) -> Path:
    """The report on December of a rich account, in a folder."""
    folder = tmp_path_factory.mktemp("rich")
    store = make_store(folder, months=60, cards_a_month=25)
    result = report("--store", store, "--period", "2026-12", "--to", folder / "r.html", "--to", folder / "r.json")
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def page(made: Path) -> str:
    """Its page."""
    return (made / "r.html").read_text()


@pytest.fixture(scope="module")
def figures_of_page(made: Path) -> dict[str, Any]:
    """Its figures."""
    found: dict[str, Any] = json.loads((made / "r.json").read_text())
    return found


def test_twelve_bars_at_most_and_the_others_off_the_scale(page: str, figures_of_page: dict[str, Any]) -> None:
    """Forty programs are eleven bars and one for the others, which never makes the single ones look small."""
    chart = page[page.index('id="programs-chart"') :].partition("</figure>")[0]
    widths = [float(width) for width in re.findall(r'<rect class="\w+" x="[\d.]+%" y="4" width="([\d.]+)%"', chart)]
    assert len(widths) == 12
    assert max(widths[:11]) == 100
    assert all(width <= 100 for width in widths)
    there = [line["program_uuid"] for line in figures_of_page["liability"]["by_program"] if line["cards"]]
    assert f"{len(there) - 11} others" in chart
    assert all(name in unescape(page) for name in NAMES.values() if name.isprintable()), "whole names are in the tables"
    labels = re.findall(r'<span class="bar-label"><bdi>(.*?)</bdi>', chart, flags=re.DOTALL)
    assert all(len(unescape(label)) <= 34 for label in labels)
    assert all(unescape(label).isprintable() for label in labels)


def test_waterfall_leaves_out_what_did_not_move(page: str) -> None:
    """A bar for each movement of something, the others named below; where the sums are cut a mark says so."""
    chart = page[page.index('id="waterfall-chart"') :].partition("</figure>")[0]
    amounts = re.findall(r'<span class="bar-amount">(.*?)</span>', chart)
    assert "0.00" not in amounts
    assert re.search(r"Nothing: redemptions undone, .*no longer listed\.", chart)
    assert ('class="break"' in chart) == ("are cut: they are drawn from" in chart)


def test_quiet_month_is_whole_and_an_empty_one_draws_nothing(tmp_path: Path, report: Run) -> None:
    """Nothing moved: two bars from zero, without a cut; steps of nothing have no bar; without a card there is none."""
    account = Account()
    for number, name in ((1, "quiet"), (0, "empty")):
        if number:
            account.add("c-1", 519_900, expires=CLOSING + timedelta(days=40))
        files = [account.export(tmp_path / f"{n}-{name}.parquet", at) for n, at in enumerate((OPENING, CLOSING))]
        target = tmp_path / f"{name}.html"
        assert report(*files, "--to", target).exit_code == 0
        account.cards.clear()
    quiet = (tmp_path / "quiet.html").read_text()
    chart = quiet[quiet.index('id="waterfall-chart"') :].partition("</figure>")[0]
    assert re.findall(r'x="([\d.]+)%" y="4" width="([\d.]+)%"', chart) == [("0.0", "100.0")] * 2
    assert 'class="break"' not in chart
    expiry = quiet[quiet.index('id="expiry-chart"') :].partition("</figure>")[0]
    assert (expiry.count("<rect"), expiry.count('class="edge'), expiry.count('class="bar-label"')) == (1, 1, 8)
    empty = (tmp_path / "empty.html").read_text()
    assert "waterfall-chart" not in empty
    assert "expiry-chart" not in empty
    assert '<tr class="group">' not in empty, "no heading without lines under it"


def chart_of(moments: list[datetime], values: list[int]) -> LineChart:
    """The trend of these balances."""
    part = CurrencyPart(
        Currency("EUR"), None, None, (), (), trend=tuple(_point(m, v) for m, v in zip(moments, values, strict=True))
    )
    found = trend_chart(part, ENGLISH)
    assert found
    return found


class _Point:
    """What the chart asks of a point of the trend."""

    def __init__(self, moment: datetime, cents: int) -> None:
        self.moment = moment
        self.snapshot = self
        self.day = moment.astimezone(AMSTERDAM).date()
        self.total = BalanceLine(None, "all", cents, 1, 0, 0, 0, 0, 0, 1)


def _point(moment: datetime, cents: int) -> _Point:
    return _Point(moment, cents)


def boxes(marks: list[Mark], style: str) -> list[tuple[float, float, float, str]]:
    """Where marks of a style begin and end, in pixels of the narrowest plot, by their line."""
    found = []
    for mark in marks:
        if mark.style in (style, ""):
            width, middle = len(mark.text) * CHARACTER, mark.x / 100 * PIXELS[style]
            begin = {"start": middle, "middle": middle - width / 2, "end": middle - width}[mark.anchor]
            found.append((mark.y, begin, begin + width, mark.text))
    return sorted(found)


@given(
    gaps=st.lists(st.integers(1, 62), min_size=1, max_size=59),
    seed=st.integers(0, 10**12),
    swing=st.integers(0, 10**11),
)
def test_labels_of_the_trend_never_collide(gaps: list[int], seed: int, swing: int) -> None:
    """Up to sixty snapshots at any distance, amounts up to billions, on a desk and on a phone."""
    moments = [datetime(2022, 1, 31, 22, tzinfo=UTC)]
    for gap in gaps:
        moments.append(moments[-1] + timedelta(days=gap))
    values = [seed + swing * (n % 7) for n in range(len(moments))]
    chart = chart_of(moments, values)
    for style in ("roomy", "narrow"):
        for marks in (chart.ticks, chart.amounts):
            placed = boxes(list(marks), style)
            for (y, left, right, text), (other, begin, end, beside) in combinations(placed, 2):
                assert abs(y - other) >= 14 or right <= begin or end <= left, (style, text, beside)
            assert all(begin >= -1 and end <= PIXELS[style] + 1 for _, begin, end, _ in placed)
    days = {moment.astimezone(AMSTERDAM).date() for moment in moments}
    ticks = [mark for mark in chart.ticks if mark.y == 212]
    assert {mark.text for mark in ticks} <= {ENGLISH.day(day, year=False) for day in days}
    for end in (min(days), max(days)):
        assert ENGLISH.day(end, year=False) in {mark.text for mark in ticks if mark.style == "roomy"} or len(days) == 2
    assert ENGLISH.day(max(days), year=False) in {mark.text for mark in ticks if mark.style == "narrow"}


@given(low=st.integers(-(10**12), 10**12), more=st.integers(0, 10**12))
def test_axis_holds_every_value_in_few_round_steps(low: int, more: int) -> None:
    """Two to seven steps, the first at or below the lowest value and the last at or above the highest."""
    begin, end, steps = _axis(low, low + more)
    assert begin <= low
    assert end >= low + more
    assert 2 <= len(steps) <= 7
    assert (begin, end) == (steps[0], steps[-1])
    if begin > 0:
        assert begin > more, "an axis is cut only where the change is small beside the amounts"
    labels = [ENGLISH.short(step // 100) for step in steps]
    assert len(set(labels)) == len(labels), "two steps never read the same"
    assert all(step % 100 == 0 for step in steps)


def test_first_amount_stands_beside_its_point_or_not_at_all() -> None:
    """Where the line rises at once, the amount would hang in the air above it."""
    moments = [datetime(2026, month, 1, tzinfo=AMSTERDAM) - timedelta(seconds=1) for month in range(2, 13)]
    steep, gentle = ([first, *([90_000_00] * 10)] for first in (1_000_00, 95_000_00))
    shown = {mark.text for mark in chart_of(moments, steep).amounts}
    assert shown == {"€90,000.00"}
    assert "€95,000.00" in {mark.text for mark in chart_of(moments, gentle).amounts}


def test_october_reads_october() -> None:
    """A close read five past midnight on the first of November stands under the last day of October."""
    moments = [datetime(2026, month, 1, tzinfo=AMSTERDAM) - timedelta(seconds=1) for month in (9, 10, 11)]
    chart = chart_of(moments, [100, 200, 300])
    assert "31 Oct" in {mark.text for mark in chart.ticks}
    assert date(2026, 11, 1).strftime("%d %b") not in {mark.text for mark in chart.ticks}
