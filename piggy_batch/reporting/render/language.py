"""How a page's words, numbers and days are written in one language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from piggy_batch.reporting.phrases import Amount, Label, Phrase, phrase

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from piggy_batch.reporting.money import Currency
    from piggy_batch.reporting.periods import Period
    from piggy_batch.reporting.phrases import Value

_MINUS = "\N{MINUS SIGN}"
_SCALES = (1_000_000_000, 1_000_000, 1_000)  # in which large numbers are shortened


def short_grain(number: int) -> int:
    """The smallest difference that shows between numbers as large as ``number`` when they are shortened."""
    return next((scale // 100 for scale in _SCALES if abs(number) >= scale), 1)


@dataclass(frozen=True, slots=True)
class Language:
    """One language; what ``texts`` does not hold is said in English."""

    code: str  # ISO 639
    texts: Mapping[str, str]  # English → this language; the same {names}
    thousands: str
    decimal: str
    months: tuple[str, ...]  # short, January first
    whole_months: tuple[str, ...]
    scales: tuple[str, str, str]  # names of a billion, a million and a thousand
    after_symbol: str = ""  # between a currency's sign and the amount

    def say(self, words: str | Phrase) -> str:
        """A label or a sentence in this language; plain text is data, and stays what it is."""
        if isinstance(words, Phrase):
            template = self.texts.get(words.template, words.template)
            return template.format(**{name: self.cell(value) for name, value in words.values.items()})
        return self.texts.get(words, words) if isinstance(words, Label) else words

    def cell(self, value: Value) -> str:
        """A value inside a sentence."""
        if isinstance(value, Amount):
            return self.money(value.cents, value.currency) if value.currency else self.amount(value.cents)
        if isinstance(value, datetime):
            return f"{self.day(value.date())}, {value:%H:%M:%S %Z}"
        if isinstance(value, date):
            return self.day(value)
        return self.count(value) if isinstance(value, int) else self.say(value)

    def count(self, number: int) -> str:
        """``-1234`` as ``-1,234``."""
        return (_MINUS if number < 0 else "") + f"{abs(number):,}".replace(",", self.thousands)

    def amount(self, cents: int) -> str:
        """Cents with two decimals."""
        whole, rest = divmod(abs(cents), 100)
        return (_MINUS if cents < 0 else "") + f"{self.count(whole)}{self.decimal}{rest:02d}"

    def short(self, number: int) -> str:
        """``600000000`` as ``600 M``: for the steps of an axis."""
        for size, name in zip(_SCALES, self.scales, strict=True):
            if abs(number) >= size:
                whole = f"{number / size:.2f}".rstrip("0").rstrip(".").replace("-", _MINUS).replace(".", self.decimal)
                return f"{whole}\N{NO-BREAK SPACE}{name}"
        return self.count(number)

    def money(self, cents: int, currency: Currency, *, sign: bool = False) -> str:
        """Cents with the currency's sign; with ``sign`` also a plus."""
        before = _MINUS if cents < 0 else "+" if sign and cents > 0 else ""
        gap = self.after_symbol if not currency.symbol.endswith("\N{NO-BREAK SPACE}") else ""
        return before + currency.symbol + gap + self.amount(abs(cents))

    def share(self, hundredths: int, *, sign: bool = False) -> str:
        """Hundredths of a percent, with one decimal."""
        tenths = round(abs(hundredths) / 10)
        before = _MINUS if hundredths < 0 and tenths else "+" if sign and tenths else ""
        return f"{before}{self.count(tenths // 10)}{self.decimal}{tenths % 10}\N{NO-BREAK SPACE}%"

    def day(self, day: date, *, year: bool = True) -> str:
        """``30 Nov 2026``."""
        return f"{day.day} {self.months[day.month - 1]}" + (f" {day.year}" if year else "")

    def moment(self, moment: datetime, zone: ZoneInfo) -> str:
        """Day, time and zone."""
        return self.cell(moment.astimezone(zone))

    def period(self, period: Period) -> str:
        """``December 2026``, ``Q4 2026`` or ``2026``."""
        first, last = period.first, period.last
        if (first.year, first.month) == (last.year, last.month):
            return f"{self.whole_months[first.month - 1]} {first.year}"
        if last.month - first.month == 11:
            return str(first.year)
        return self.say(phrase("Q{number} {year}", number=last.month // 3, year=str(first.year)))


ENGLISH = Language(
    code="en",
    texts={},
    thousands=",",
    decimal=".",
    scales=("bn", "M", "k"),
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    whole_months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
)
