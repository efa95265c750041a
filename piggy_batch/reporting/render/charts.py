"""Charts as inline SVG: text stays text, colours are the page's CSS custom properties.

Every label is made by the same formatting as the tables' cells, so a chart says what its table says.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from html import escape
from io import StringIO
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from piggy_batch.reporting.definitions import ADDS, BUCKET_LABELS, ExpiryBucket
from piggy_batch.reporting.money import plain
from piggy_batch.reporting.render.tables import MOVEMENT_LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from piggy_batch.reporting.liability import Balance
    from piggy_batch.reporting.report import Report

_COLOURS = {  # what matplotlib draws → what the page decides; unlikely values, replaced in the SVG
    "ink": "#010203",
    "muted": "#020304",
    "grid": "#030405",
    "bar": "#040506",
    "up": "#050607",
    "down": "#060708",
    "sum": "#070809",
    "surface": "#08090a",
}
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text as text: searchable, readable aloud, in the page's font
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.parse_math": False,  # a program called $5$ is no formula
    "text.color": _COLOURS["ink"],
    "axes.edgecolor": _COLOURS["grid"],
    "axes.labelcolor": _COLOURS["muted"],
    "xtick.color": _COLOURS["muted"],
    "ytick.color": _COLOURS["muted"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "patch.linewidth": 0,
}
_MOST_BARS = 12  # programs shown one by one
_NAME_CHARACTERS = 30
_MOST_LABELLED_POINTS = 8
_WIDTH_IN = 8.6
_FLAT_SHARE = 0.35  # movements within this share of the balance are looked at from close by


@dataclass(frozen=True, slots=True)
class Chart:
    """An SVG element and what it shows in words."""

    svg: str
    title: str
    description: str


def programs_chart(report: Report) -> Chart | None:
    """Outstanding balance per program, the largest first, the rest added up; None without programs."""
    lines = [line for line in report.closing.by_program if line.outstanding_cents or line.cards]
    if not lines:
        return None
    bars = _largest(lines)
    with mpl.rc_context(_SETTINGS):
        figure, axes = _figure(0.55 + 0.3 * len(bars))
        positions = range(len(bars))
        axes.barh(positions, [cents for _, cents in bars], color=_COLOURS["bar"], height=0.68)
        axes.set_yticks(positions, [_short(name) for name, _ in bars], color=_COLOURS["ink"])
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        widest = max(abs(cents) for _, cents in bars) or 1
        for place, (_, cents) in enumerate(bars):
            axes.text(max(cents, 0) + widest * 0.012, place, plain(cents), va="center", ha="left")
        axes.set_xlim(min(0, *(cents for _, cents in bars)) * 1.05, widest * 1.2)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        words = "; ".join(f"{name} {plain(cents)}" for name, cents in bars)
        return _chart(figure, "programs", "Outstanding balance by program", words)


def expiry_chart(report: Report) -> Chart:
    """Balance per bucket of the ladder; overdue stands apart in colour."""
    steps = report.closing.expiry
    values = [step.balance_cents for step in steps]
    with mpl.rc_context(_SETTINGS):
        figure, axes = _figure(2.9)
        colours = [_COLOURS["down" if step.bucket is ExpiryBucket.OVERDUE else "bar"] for step in steps]
        axes.bar(range(len(steps)), values, color=colours, width=0.7)
        axes.set_xticks(range(len(steps)), [BUCKET_LABELS[step.bucket] for step in steps], color=_COLOURS["ink"])
        _label_tops(axes, values, [plain(value) for value in values])
        words = "; ".join(f"{BUCKET_LABELS[step.bucket]} {plain(step.balance_cents)}" for step in steps)
        return _chart(figure, "expiry", "Balance by time to expiry", words)


def waterfall_chart(report: Report) -> Chart | None:
    """How opening became closing, one floating bar per movement; None without a roll-forward.

    Where the movements are small beside the balance, the two sums are cut off below, and the chart says so: from zero
    the movements could not be seen.
    """
    roll = report.roll
    if roll is None:
        return None
    changes = [(label, roll.movements[m] * (1 if m in ADDS else -1)) for m, label in MOVEMENT_LABELS.items()]
    if roll.unexplained:
        changes.append(("Without a transaction", roll.unexplained))
    changes.append(("Residual", roll.residual))
    names = ["Opening", *(name for name, _ in changes), "Closing"]
    amounts = [roll.opening, *(change for _, change in changes), roll.closing]
    levels = list(accumulate(amounts[:-1]))  # outstanding after each step
    floor = _floor(levels)
    spans = [(floor, roll.opening), *pairwise(levels), (floor, roll.closing)]
    colours = [_COLOURS["up" if change >= 0 else "down"] for _, change in changes]
    with mpl.rc_context(_SETTINGS):
        figure, axes = _figure(3.3)
        places = range(len(names))
        axes.bar(
            places,
            [abs(end - start) for start, end in spans],
            bottom=[min(span) for span in spans],
            color=[_COLOURS["sum"], *colours, _COLOURS["sum"]],
            width=0.7,
        )
        for place, level in enumerate(levels):
            axes.plot([place + 0.35, place + 0.65], [level, level], color=_COLOURS["muted"], linewidth=0.8)
        axes.set_xticks(places, names, color=_COLOURS["ink"], fontsize=8)
        _label_tops(axes, [max(span) for span in spans], [plain(amount) for amount in amounts], size=7.5, floor=floor)
        words = "; ".join(f"{name} {plain(amount)}" for name, amount in zip(names, amounts, strict=True))
        if floor:
            words += f". Opening and closing are drawn from {plain(floor)}, not from zero"
            axes.set_xlabel(f"Opening and closing are drawn from {plain(floor)}, not from zero.", fontsize=8)
        return _chart(figure, "waterfall", "Roll-forward of outstanding", words)


def _floor(levels: Sequence[int]) -> int:
    """Where the sums of a waterfall begin: zero, or a round amount below levels that lie close together."""
    low, high = min(levels), max(levels)
    if low <= 0 or high - low > high * _FLAT_SHARE:
        return 0
    step = int(10 ** max(2, len(str(high)) - 2))
    return max(0, low - max(high - low, high // 20)) // step * step


def trend_chart(report: Report) -> Chart | None:
    """Outstanding over all snapshots; None for fewer than two."""
    points = report.trend
    if len(points) < 2:
        return None
    moments = [point.moment.astimezone(report.zone).replace(tzinfo=None) for point in points]
    values = [point.total.outstanding_cents for point in points]
    with mpl.rc_context(_SETTINGS):
        figure, axes = _figure(2.9)
        axes.plot(moments, values, color=_COLOURS["bar"], linewidth=2, marker="o", markersize=4)  # type: ignore[arg-type]  # matplotlib takes datetimes
        locator = AutoDateLocator(maxticks=9)  # type: ignore[no-untyped-call]  # matplotlib's dates have no types
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # same
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 100:,.0f}"))
        axes.grid(axis="y", color=_COLOURS["grid"], linewidth=0.8)
        axes.spines["left"].set_visible(False)
        axes.tick_params(length=0)
        axes.set_ylim(min(0, *values) * 1.15, (max(0, *values) or 1) * 1.15)
        axes.margins(x=0.08)
        for index, (moment, value) in enumerate(zip(moments, values, strict=True)):
            if len(points) <= _MOST_LABELLED_POINTS or index in {0, len(points) - 1}:
                axes.annotate(plain(value), (moment, value), (0, 7), textcoords="offset points", ha="center")
        words = "; ".join(f"{point.snapshot.day} {plain(value)}" for point, value in zip(points, values, strict=True))
        return _chart(figure, "trend", "Outstanding at each snapshot", words)


def _figure(height_in: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")
    figure.patch.set_visible(False)
    axes = figure.subplots()
    axes.patch.set_visible(False)
    return figure, axes


def _label_tops(axes: Axes, tops: Sequence[int], labels: Sequence[str], *, size: float = 8.5, floor: int = 0) -> None:
    """Write each bar's amount above it and leave room; the value axis is not needed then."""
    highest, lowest = max(floor, *tops), min(floor, *tops)
    room = (highest - lowest) or 1
    for place, (top, label) in enumerate(zip(tops, labels, strict=True)):
        axes.text(place, max(top, floor) + room * 0.02, label, ha="center", va="bottom", fontsize=size)
    axes.set_ylim(lowest - room * 0.02, highest + room * 0.12)
    axes.axhline(floor, color=_COLOURS["muted"], linewidth=0.8)
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)


def _largest(lines: Sequence[Balance]) -> list[tuple[str, int]]:
    bars = [(line.name, line.outstanding_cents) for line in lines]
    if len(bars) <= _MOST_BARS:
        return bars
    rest = bars[_MOST_BARS - 1 :]
    return [*bars[: _MOST_BARS - 1], (f"{len(rest)} smaller programs", sum(cents for _, cents in rest))]


def _short(name: str) -> str:
    return name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1] + "…"


def _chart(figure: Figure, key: str, title: str, description: str) -> Chart:
    """The figure as one SVG element whose ids are its own and whose colours are CSS variables."""
    out = StringIO()
    with warnings.catch_warnings(), mpl.rc_context({"svg.hashsalt": key}):
        # A name in a script that the measuring font lacks is drawn by the reader's browser, in its own fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{key}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{key}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{key}-\1)", svg)
    svg = re.sub(r"font-family: [^;\"]+", "font-family: inherit", svg)
    svg = re.sub(r"(font: [^;\"]*?px) [^;\"]+", r"\1 var(--chart-font)", svg)
    for name, value in _COLOURS.items():
        svg = svg.replace(value, f"var(--{name})")
    head, rest = svg.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    head += f' role="img" aria-labelledby="{key}-title {key}-desc"'
    words = f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-desc">{escape(description)}</desc>'
    return Chart(f"{head}>{words}{rest}", title, description)
