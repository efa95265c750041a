"""Words of the program's own, kept apart from data, so that a page can show them in another language."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.reporting.money import Currency

_MINUS = "\N{MINUS SIGN}"


class Label(str):
    """A short text of the program's own, in English; data is plain ``str``."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence: ``template`` is English with ``{names}``; values are data, labels, further phrases, amounts, days,
    moments in the zone in which they are shown, or numbers, which are written with thousands."""

    template: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        """In English, days and moments as in ISO 8601: for logs and terminals."""
        return self.template.format(**{name: _plain(value) for name, value in self.values.items()})


@dataclass(frozen=True, slots=True)
class Amount:
    """Cents of a currency, or of several where ``currency`` is None."""

    cents: int
    currency: Currency | None

    def __str__(self) -> str:
        """In English: €1,234.56."""
        whole, rest = divmod(abs(self.cents), 100)
        symbol = self.currency.symbol if self.currency else ""
        return f"{_MINUS if self.cents < 0 else ''}{symbol}{whole:,}.{rest:02d}"


Value: TypeAlias = str | int | Phrase | Amount | date


def _plain(value: Value) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S %Z}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def number_of_cards(number: int) -> Phrase:
    """``1 card`` or ``2 cards``."""
    return phrase("1 card") if number == 1 else phrase("{cards} cards", cards=number)


def phrase(template: str, **values: Value) -> Phrase:
    """A sentence with its values."""
    return Phrase(template, values)
