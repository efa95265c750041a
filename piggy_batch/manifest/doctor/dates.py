"""Days, and times of day, as spreadsheets and people write them. Pure."""

from __future__ import annotations

import re
from datetime import date

_TIME = r"(?:[T ]\d{1,2}:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?"
_DATE = re.compile(
    rf"(?P<iso>\d{{4}}(?P<sign>[-/.])\d\d(?P=sign)\d\d){_TIME}"
    rf"|(?P<one>\d\d?)(?P<by>[-/.])(?P<other>\d\d?)(?P=by)(?P<year>\d{{4}}|\d\d){_TIME}"
    r"|(?P<day>\d\d?)(?:\. ?|[- /])(?P<month>[^\W\d_]{3,9}\.?)(?:[- /.]'?\d\d(?:\d\d)?)?"
    r"|(?P<first>[^\W\d_]{3,9}\.?)(?:[-/ ]'?\d\d(?:\d\d)?| \d\d?, \d{4})"
    r"|(?P<hours>\d{1,4}):(?P<minutes>\d\d)(?::(?P<seconds>\d\d)(?:\.\d{1,9})?)?"
)
LONGEST_DATE = 32  # with a time to the nanosecond
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan janv january januari januar janvier", "feb fév févr february februari februar février",
            "mar mrt mär mrz mars march maart märz", "apr avr april avril", "may mei mai",
            "jun juin june juni", "jul juil july juli juillet", "aug août august augustus",
            "sep sept september septembre", "oct okt october oktober octobre", "nov november novembre",
            "dec dez déc december dezember décembre",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_YEARS = range(1900, 2200)  # a spreadsheet's dates begin in 1900, and what was no date gets a year of today's

has_date_form = _DATE.fullmatch  # whether a value is written as a date is, be it one or not


def is_date(value: str) -> bool:
    """Whether a value is a day that there is, as a spreadsheet shows one, its parts in any order that is in use; or a
    time.

    >>> [is_date(text) for text in ("2024-02-29", "2024-02-30", "3/5/2024", "31-12-24", "5-Jan", "40-50-6000", "10:30")]
    [True, False, True, True, True, False, True]
    """
    found = _DATE.fullmatch(value)
    if found is None:
        return False
    if found["iso"]:
        year, month, day = map(int, found["iso"].split(found["sign"]))
        return _is_day(year, month, day)
    if found["year"]:
        one, other, year = int(found["one"]), int(found["other"]), int(found["year"])
        if len(found["year"]) == 4:
            return _is_day(year, other, one) or _is_day(year, one, other)
        orders = ((year, other, one), (year, one, other), (one, other, year))
        return any(_is_day(2000 + short, month, day) for short, month, day in orders)
    if found["hours"]:
        return int(found["minutes"]) < 60 and int(found["seconds"] or 0) < 60
    if found["first"]:
        return _month(found["first"]) > 0
    return _is_day(2000, _month(found["month"]), int(found["day"]))


def _month(name: str) -> int:
    return _MONTHS.get(name.rstrip(".").lower(), 0)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        return date(year, month, day).year in _YEARS
    except ValueError:
        return False
