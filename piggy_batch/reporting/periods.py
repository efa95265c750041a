"""Closing periods: calendar months, quarters and years, written as text or named from today."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from piggy_batch.errors import SetupError

_LAST_MONTHS = {"last-month": 1, "last-quarter": 3, "last-year": 12}  # how many months the period has
_MONTH, _QUARTER, _YEAR = (re.compile(p) for p in (r"(\d{4})-(\d\d)", r"(\d{4})-?[Qq]([1-4])", r"(\d{4})"))
_YEARS = range(1971, 9000)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole local days from ``first`` to ``last``, both included."""

    name: str  # 2026-11, 2026-Q4 or 2026
    first: date
    last: date

    @property
    def opening_day(self) -> date:
        """The day whose close is the opening balance."""
        return self.first - timedelta(days=1)

    @property
    def day_after(self) -> date:
        """The first day of the next period: from its beginning on this one can be closed."""
        return self.last + timedelta(days=1)


def parse_period(text: str, today: date) -> Period:
    """``2026-11``, ``2026-Q4``, ``2026``, or the last month, quarter or year that was over when ``today`` began.

    SetupError for anything else.
    """
    if months := _LAST_MONTHS.get(text):
        return _of_months(_month_number(today) // months * months - months, months)
    for pattern, months in ((_MONTH, 1), (_QUARTER, 3), (_YEAR, 12)):
        match = pattern.fullmatch(text)
        if match and int(match[1]) in _YEARS:
            place = int(match[2]) if match.lastindex == 2 else 1
            if 1 <= place <= 12 // months:
                return _of_months(int(match[1]) * 12 + (place - 1) * months, months)
    raise SetupError(
        f'--period: "{text}" is no period; write it like 2026-11, 2026-Q4 or 2026, or last-month, last-quarter, '
        "last-year"
    )


def period_between(opening: date, closing: date) -> Period | None:
    """The month, quarter or year from the end of ``opening`` to that of ``closing``; None where it is none of them."""
    first, after = opening + timedelta(days=1), closing + timedelta(days=1)
    number = _month_number(first)
    months = _month_number(after) - number
    if (first.day, after.day) != (1, 1) or months not in _LAST_MONTHS.values() or number % months:
        return None
    return _of_months(number, months)


def require_over(period: Period, today: date) -> None:
    """SetupError where ``period`` goes on after ``today`` has begun."""
    if period.last >= today:
        raise SetupError(
            f"--period {period.name}: it ends with {period.last} and today is {today}; run this from "
            f"{period.day_after} on"
        )


def _month_number(day: date) -> int:
    """Months since the year 0, January counting 0."""
    return day.year * 12 + day.month - 1


def _of_months(number: int, months: int) -> Period:
    first, after = (date(n // 12, n % 12 + 1, 1) for n in (number, number + months))
    name = {1: f"{first:%Y-%m}", 3: f"{first:%Y}-Q{first.month // 3 + 1}", 12: f"{first:%Y}"}[months]
    return Period(name, first, after - timedelta(days=1))
