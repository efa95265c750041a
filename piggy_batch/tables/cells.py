"""How a typed cell shows as text, alike in every format; a cell whose value is lost shows as a mark, never as blank."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Self
from uuid import UUID

from piggy_batch.errors import SetupError

NO_RESULT = "#NO-RESULT!"  # a formula whose result is not stored in the file
COVERED = "#MERGED!"  # a cell under a merged one, whose value stands in its first cell only
ERROR = "#ERROR!"  # an error that the file does not name

RISKY = "=+-@"  # a text that begins so is a formula to a spreadsheet,
_HARMLESS = re.compile(r"[+-][\d\s.,()/-]*")  # but for numbers, telephone numbers and a dash
_LONG = 10**15  # the first number of sixteen digits
_EXACT = 2**53  # from here on, neighbouring doubles are more than one apart


class FormattedText(str):
    """The text of a number that a workbook shows otherwise: with zeros or signs that only its cell format adds."""

    __slots__ = ("shown",)
    shown: str

    def __new__(cls, text: str, shown: str) -> Self:
        """``text`` is what is stored, ``shown`` what a person sees."""
        cell = super().__new__(cls, text)
        cell.shown = shown
        return cell


class LongNumber(str):
    """The text of a number of more digits than the fifteen that a spreadsheet keeps."""

    __slots__ = ()

    @property
    def lost(self) -> bool:
        """Whether no program can have stored it exactly: what stands after the fifteenth digit is not what it was."""
        return abs(int(self)) >= _EXACT

    @property
    def rounded(self) -> bool:
        """Whether only zeros stand after the fifteenth digit."""
        return self[15 + self.startswith("-") :].strip("0") == ""


def number_text(value: float) -> str:
    """A number as a spreadsheet shows it in a wide column: never in scientific notation, not a number as NaN.

    >>> number_text(12.0), number_text(0.1 + 0.2), number_text(6.0065e18)
    ('12', '0.3', '6006500000000000000')
    """
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return str(value)
    if value.is_integer() and abs(value) < _EXACT:
        return str(int(value)) if abs(value) < _LONG else LongNumber(int(value))
    text = format(Decimal(f"{value:.15g}"), "f")  # fifteen digits are what a spreadsheet keeps
    return text if abs(value) < _LONG else LongNumber(text)


def cell_text(value: object, where: str) -> str:
    """A typed cell as text: dates ISO, booleans true and false, an empty cell the empty text.

    SetupError, which begins with ``where``, for a type that has no such text: what Python shows of it is no value.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        return moment_text(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return _duration_text(value)
    if isinstance(value, int | UUID):
        return str(value)
    raise SetupError(f"{where}: holds {type(value).__name__}, which is no text; leave the column out")


def _duration_text(duration: dt.timedelta) -> str:
    """Hours, also more than a day has, minutes and seconds."""
    if duration < dt.timedelta(0):
        return str(duration)
    hours, rest = divmod(duration, dt.timedelta(hours=1))
    return f"{hours}{str(rest)[1:]}"


def moment_text(moment: dt.datetime) -> str:
    """ISO text with ``Z`` for UTC, the same in every format."""
    return moment.isoformat().replace("+00:00", "Z")


def looks_like_formula(cell: object) -> bool:
    """Whether a spreadsheet that opens a CSV with this cell would run its text."""
    return isinstance(cell, str) and bool(cell) and cell[0] in RISKY and not _HARMLESS.fullmatch(cell)
