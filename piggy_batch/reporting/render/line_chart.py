"""Values over time as a line: what is drawn where, in percent of the width and in pixels of the height."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from piggy_batch.reporting.phrases import Phrase, phrase
from piggy_batch.reporting.render.bar_charts import FLAT_SHARE
from piggy_batch.reporting.render.language import short_grain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from piggy_batch.reporting.money import Currency
    from piggy_batch.reporting.render.language import Language
    from piggy_batch.reporting.report import CurrencyPart

_MOST_POINTS = 24  # that are marked one by one
_MOST_LABELLED = 6  # whose amounts are all written
_NARROWEST = {"roomy": 560.0, "narrow": 240.0}  # pixels of a line chart on the smallest screen of each style
_CHARACTER = 8.2  # pixels that a character of a label takes at most
_GAP = 6.0  # pixels between two labels
_NEAR = 48.0  # pixels above its point up to which an amount is seen to be that point's
_PLOT = (26.0, 190.0)  # pixels from the top: the highest and the lowest value of a line
_LEAST_STEPS, _MOST_STEPS = 4, 7  # of an axis, where they are round
_MARGIN = 2.0  # percent left free on either side of a line


@dataclass(frozen=True, slots=True)
class Mark:
    """Something written: ``x`` in percent, ``y`` in pixels from the top."""

    x: float
    y: float
    text: str
    anchor: str  # start, middle or end
    style: str  # roomy or narrow: shown on wide screens and paper only, or on narrow ones; empty for both


@dataclass(frozen=True, slots=True)
class LineChart:
    """Values over time."""

    key: str
    title: Phrase
    words: str
    line: tuple[tuple[float, float, float, float], ...]  # segments: x, y, x, y
    points: tuple[tuple[float, float, str], ...]  # x, y and the day with its amount
    grid: tuple[Mark, ...]
    ticks: tuple[Mark, ...]
    amounts: tuple[Mark, ...]
    is_cut: bool  # the axis does not begin at zero
    notes: tuple[str, ...]


def trend_chart(part: CurrencyPart, language: Language) -> LineChart | None:
    """Outstanding over all snapshots; None for fewer than two."""
    points = part.trend
    if len(points) < 2:
        return None
    values = [point.total.outstanding_cents for point in points]
    days = [point.snapshot.day for point in points]
    places = _places([point.moment for point in points])
    lowest, highest, steps = _axis(min(values), max(values))
    top, bottom = _PLOT

    def height(cents: float) -> float:
        return round(bottom - (cents - lowest) / (highest - lowest) * (bottom - top), 1)

    heights = [height(value) for value in values]
    marked = range(len(points)) if len(points) <= _MOST_POINTS else (0, len(points) - 1)
    spots = list(zip(places, heights, strict=True))
    words = "; ".join(f"{d.isoformat()} {language.amount(v)}" for d, v in zip(days, values, strict=True))
    notes = []
    if lowest > 0:
        cut = phrase("The axis is cut: it begins at {amount}.", amount=language.amount(lowest))
        notes.append(language.say(cut))
    title = phrase("Outstanding at each snapshot")
    return LineChart(
        key="trend-chart",
        title=title,
        words=f"{language.say(title)}: {words}",
        line=tuple((*a, *b) for a, b in pairwise(spots)),
        points=tuple(
            (*spots[n], f"{language.day(days[n])}: {language.money(values[n], part.currency)}") for n in marked
        ),
        grid=tuple(Mark(0, height(step), _whole(step, language), "start", "") for step in steps),
        ticks=_ticks(days, places, language),
        amounts=_amounts(values, spots, part.currency, language),
        is_cut=lowest > 0,
        notes=tuple(notes),
    )


def _axis(low: int, high: int) -> tuple[int, int, list[int]]:
    """The ends of an axis and its round steps, in cents; it is cut where all values lie in its upper part. Steps are
    no finer than the two decimals with which they are written."""
    base = 0 if low < 0 or high - low > high * FLAT_SHARE or low == high else low
    wide = max(high, 0) - (min(low, 0) if base == 0 else base)
    grain = 100 * short_grain(max(abs(low), abs(high)) // 100)
    rough = max(wide / 4, grain)
    unit = 10 ** (math.floor(math.log10(rough)) - 1)
    begin = min(low, base) if base == 0 else low
    sizes = [int(unit * factor) for factor in (5, 10, 20, 25, 50, 100)]
    axes = [_steps(begin, high, size) for size in sizes if size % grain == 0]
    fitting = [steps for steps in axes if len(steps) <= _MOST_STEPS]
    steps = min(fitting, key=lambda steps: (len(steps) < _LEAST_STEPS, steps[-1] - steps[0], len(steps)))
    return steps[0], steps[-1], steps


def _steps(low: int, high: int, step: int) -> list[int]:
    """Multiples of ``step`` from the last one up to ``low`` to the first from ``high`` on, two at least."""
    first = low // step * step
    last = max(-(-high // step) * step, first + step)
    return list(range(first, last + 1, step))


def _places(moments: Sequence[datetime]) -> list[float]:
    """Where each moment stands, in percent, by time."""
    begin, end = moments[0], moments[-1]
    whole = (end - begin).total_seconds() or 1.0
    room = 100 - 2 * _MARGIN
    return [round(_MARGIN + (moment - begin).total_seconds() / whole * room, 3) for moment in moments]


def _ticks(days: Sequence[date], places: Sequence[float], language: Language) -> tuple[Mark, ...]:
    """The days of snapshots, as many as have room, the last and the first before others; the year where it changes."""
    marks = []
    for style in _NARROWEST:
        last = len(days) - 1
        chosen: dict[int, Mark] = {}
        for index in (last, 0, *range(last - 1, 0, -1)):
            anchor = "start" if index == 0 else "end" if index == last else "middle"
            mark = Mark(places[index], 212, language.day(days[index], year=False), anchor, style)
            begin, end = _extent(mark)
            taken = [_extent(other) for other in chosen.values()]
            is_inside = begin >= 0 and end <= _NARROWEST[style]
            if is_inside and all(end + _GAP <= left or right + _GAP <= begin for left, right in taken):
                chosen[index] = mark
        year = None
        for index, mark in sorted(chosen.items()):
            marks.append(mark)
            if days[index].year != year:
                year = days[index].year
                marks.append(replace(mark, y=227, text=str(year)))
    return tuple(marks)


def _amounts(
    values: Sequence[int], spots: Sequence[tuple[float, float]], currency: Currency, language: Language
) -> tuple[Mark, ...]:
    """The last amount and the first, each above the line below it, and where there are few points the others too."""
    last = len(values) - 1
    marks = [_end_amount(language.money(values[last], currency), spots, "end", style) for style in _NARROWEST]
    roomy = [mark for mark in marks if mark.style == "roomy"]
    first = _end_amount(language.money(values[0], currency), spots, "start", "roomy")
    others = [first] if spots[0][1] - first.y <= _NEAR else []
    if last < _MOST_LABELLED:
        inner = zip(values[1:last], spots[1:last], strict=True)
        others += [Mark(x, y - 9, language.amount(value), "middle", "roomy") for value, (x, y) in inner]
    for mark in others:
        begin, end = _extent(mark)
        if begin >= 0 and all(end + _GAP <= left or right + _GAP <= begin for left, right in map(_extent, roomy)):
            roomy.append(mark)
            marks.append(mark)
    return tuple(marks)


def _end_amount(text: str, spots: Sequence[tuple[float, float]], anchor: str, style: str) -> Mark:
    """The amount of the first or the last point, above the line as far as its text reaches."""
    from_end = list(spots) if anchor == "start" else list(reversed(spots))
    x = from_end[0][0]
    reach = len(text) * _CHARACTER / _NARROWEST[style] * 100
    heights = [height for at, height in from_end if abs(at - x) <= reach]
    if len(heights) < len(from_end):  # where the line leaves the text
        (near, begin), (far, end) = from_end[len(heights) - 1 : len(heights) + 1]
        heights.append(begin + (end - begin) * (reach - abs(near - x)) / abs(far - near))
    return Mark(x, round(min(heights) - 9, 1), text, anchor, style)


def _extent(mark: Mark) -> tuple[float, float]:
    """Where a text begins and ends, in pixels, on the narrowest screen on which it is shown."""
    width, at = len(mark.text) * _CHARACTER, mark.x / 100 * _NARROWEST[mark.style]
    begin = at - {"start": 0.0, "middle": width / 2, "end": width}[mark.anchor]
    return begin, begin + width


def _whole(cents: int, language: Language) -> str:
    """An axis's amount in short."""
    return language.short(round(cents / 100))
