"""Bars as values: what is drawn where, in percent of the width. Templates turn them into HTML and SVG, whose text keeps
its size on every screen and on paper.

Every amount is written by the same formatting as the tables' cells, so a chart says what its table says.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from piggy_batch.reporting.definitions import ADDS, ExpiryBucket
from piggy_batch.reporting.phrases import Label, Phrase, phrase
from piggy_batch.reporting.render.labels import (
    BUCKET_LABELS,
    CLOSING,
    MOVEMENT_LABELS,
    OPENING,
    RESIDUAL,
    UNEXPLAINED,
)
from piggy_batch.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.reporting.liability import BalanceLine
    from piggy_batch.reporting.render.language import Language
    from piggy_batch.reporting.report import CurrencyPart, Movements

_MOST_BARS = 12
_NAME_CHARACTERS = 34
FLAT_SHARE = 0.35  # movements within this share of the balance are looked at from close by


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with its name and amount; ``begin`` and ``width`` in percent of the chart."""

    label: str
    amount: str
    begin: float
    width: float
    style: str  # what the amount is: outstanding, expired, adds, takes, sum, others
    broken: str = ""  # "begin" or "end" where the scale is cut
    level: float | None = None  # where the next bar of a waterfall begins
    is_drawn: bool = True  # however short; False where the amount is nothing


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars from top to bottom."""

    key: str
    title: Phrase
    words: str  # the chart as a sentence
    bars: tuple[Bar, ...]
    notes: tuple[str, ...] = ()
    zero: float | None = None  # where zero is, if it is not the left edge


def programs_chart(part: CurrencyPart, language: Language) -> BarChart | None:
    """Outstanding balance per program, the largest first, the rest together and off the scale; None without any."""
    lines = [line for line in part.closing.by_program if line.outstanding_cents or line.cards]
    if not lines:
        return None
    single, rest = (lines, []) if len(lines) <= _MOST_BARS else (lines[: _MOST_BARS - 1], lines[_MOST_BARS - 1 :])
    values = [line.outstanding_cents for line in single]
    low, high = min(0, *values), max(0, *values) or 1
    bars = [
        _bar(_name(line, language), line.outstanding_cents, (low, high), "outstanding", language) for line in single
    ]
    notes = []
    if rest:
        cents = sum(line.outstanding_cents for line in rest)
        label = language.say(phrase("{count} others", count=len(rest)))
        bar = _bar(label, min(cents, high), (low, high), "others", language)
        bars.append(Bar(label, language.amount(cents), bar.begin, bar.width, "others", "end" if cents > high else ""))
        if cents > high:
            notes.append(language.say(phrase("The others together are longer than the scale of the single programs.")))
    zero = _percent(0, low, high) if low < 0 else None
    return _bar_chart("programs", "Outstanding by program", bars, notes, language, zero)


def expiry_chart(part: CurrencyPart, language: Language) -> BarChart | None:
    """Balance by time to expiry; what has expired stands apart in colour; None where nothing is left to expire."""
    steps = part.closing.expiry
    values = [step.balance_cents for step in steps]
    if not any(values):
        return None
    scale = (min(0, *values), max(0, *values) or 1)
    bars = [
        _bar(
            language.say(BUCKET_LABELS[step.bucket]),
            step.balance_cents,
            scale,
            "expired" if step.bucket is ExpiryBucket.OVERDUE else "outstanding",
            language,
        )
        for step in steps
    ]
    zero = _percent(0, *scale) if scale[0] < 0 else None
    return _bar_chart("expiry", "When balances expire", bars, [], language, zero)


def waterfall_chart(movements: Movements, language: Language) -> BarChart | None:
    """How opening became closing, one bar per movement; movements of nothing are left out, and named below.

    Where the movements are small beside the balance, the two sums are cut off at their beginning: from zero the
    movements could not be seen. None where there was nothing and nothing came.
    """
    roll = movements.roll
    changes = [(label, roll.movements[m] * (1 if m in ADDS else -1)) for m, label in MOVEMENT_LABELS.items()]
    changes += [(UNEXPLAINED, roll.unexplained), (RESIDUAL, roll.residual)]
    moved = [(label, cents) for label, cents in changes if cents]
    if not moved and not roll.opening:
        return None
    still = [language.say(label) for label, cents in changes if not cents and label in MOVEMENT_LABELS.values()]
    amounts = [roll.opening, *(cents for _, cents in moved), roll.closing]
    levels = list(accumulate(amounts[:-1]))
    floor = _floor(levels) if moved else 0
    low, high = min(floor, *levels), max(floor, *levels)
    high = high if high > low else low + 1
    spans = [(floor, roll.opening), *pairwise(levels), (floor, roll.closing)]
    styles = ["sum", *("adds" if cents > 0 else "takes" for _, cents in moved), "sum"]
    labels = [OPENING, *(label for label, _ in moved), CLOSING]
    after = [*levels, None]
    bars = []
    for label, cents, span, style, level in zip(labels, amounts, spans, styles, after, strict=True):
        begin, end = (_percent(edge, low, high) for edge in sorted(span))
        broken = "begin" if floor and style == "sum" else ""
        at = None if level is None else _percent(level, low, high)
        amount = language.amount(cents)
        bars.append(Bar(language.say(label), amount, begin, end - begin, style, broken, at, is_drawn=bool(cents)))
    notes = []
    if floor:
        words = "Opening and closing are cut: they are drawn from {floor}, not from zero."
        notes.append(language.say(phrase(words, floor=language.amount(floor))))
    if still:
        notes.append(language.say(phrase("Nothing: {movements}.", movements=", ".join(still).lower())))
    zero = _percent(0, low, high) if low < 0 else None
    return _bar_chart("waterfall", "From opening to closing", bars, notes, language, zero)


def _bar(label: str, cents: int, scale: tuple[int, int], style: str, language: Language) -> Bar:
    begin, end = (_percent(edge, *scale) for edge in sorted((0, cents)))
    return Bar(label, language.amount(cents), begin, end - begin, style, is_drawn=bool(cents))


def _bar_chart(
    key: str, title: str, bars: Sequence[Bar], notes: Sequence[str], language: Language, zero: float | None
) -> BarChart:
    words = "; ".join(f"{bar.label} {bar.amount}" for bar in bars)
    heading = phrase("{title}", title=Label(title))
    return BarChart(f"{key}-chart", heading, f"{language.say(heading)}: {words}", tuple(bars), tuple(notes), zero)


def _name(line: BalanceLine, language: Language) -> str:
    """A program's name, cut where it is long, and without characters that would tear a label apart."""
    name = printable(language.say(line.name))
    return name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1] + "…"


def _percent(value: float, low: float, high: float) -> float:
    return round((value - low) / (high - low) * 100, 3)


def _floor(levels: Sequence[int]) -> int:
    """Where the sums of a waterfall begin: zero, or a round amount below levels that lie close together."""
    low, high = min(levels), max(levels)
    if low <= 0 or high - low > high * FLAT_SHARE:
        return 0
    step = int(10 ** max(2, len(str(high)) - 2))
    return max(0, low - max(high - low, high // 20)) // step * step
