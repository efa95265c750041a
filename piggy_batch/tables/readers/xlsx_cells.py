"""What the reading library does not tell of an xlsx sheet: errors, formulas without result, merged cells, formats.

The library gives an empty cell for each of them. They are read from the sheet's XML beside it, and only where a look
at the bytes says that there are any.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from piggy_batch.tables.cells import ERROR, NO_RESULT
from piggy_batch.tables.readers.damaged_cells import Merge, SheetMarks
from piggy_batch.tables.readers.xml_parts import XmlStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from piggy_batch.tables.readers.xlsx_parts import XlsxParts

_MAX_ARRAYS = 100  # array formulas that are remembered
_CELL = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})").fullmatch


def scan(pieces: Iterable[bytes], parts: XlsxParts, where: str) -> SheetMarks:
    """Everything in a sheet that is no plain value; SetupError where it is too much, or no sound XML."""
    scanner = _Scanner(parts, where)
    XmlStream(where, start=scanner.start, end=scanner.end, text=scanner.text).read(pieces)
    return scanner.marks.finish(trusted=parts.trusted, unfinished=parts.unfinished)


class _Scanner:
    """Follows the elements of a sheet."""

    def __init__(self, parts: XlsxParts, where: str) -> None:
        self._parts = parts
        self.marks = SheetMarks(where)
        self._arrays: list[Merge] = []  # ranges that one formula fills
        self._row = 0
        self._column = -1
        self._kind: str | None = None
        self._in_cell = self._in_value = self._formula = self._inline = False
        self._value = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name == "v":
            self._in_value = self._in_cell
        elif name == "f":
            self._formula = self._in_cell
            if attributes.get("t") == "array" and len(self._arrays) < _MAX_ARRAYS:
                self._arrays += filter(None, [_range(attributes.get("ref", ""))])
        elif name == "is":
            self._inline = self._in_cell
        elif name == "row":
            number = attributes.get("r", "")
            self._row = int(number) if number.isdigit() and len(number) < 8 else self._row + 1
            self._column = -1
        elif name == "mergeCell":
            merged = _range(attributes.get("ref", ""))
            if merged is not None:
                self.marks.merge(merged)

    def end(self, name: str) -> None:
        if name == "v":
            self._in_value = False
        elif name == "c" and self._in_cell:
            self._end_cell()
            self._in_cell = False

    def text(self, data: str) -> None:
        if self._in_value:
            self._value += data

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        place = _CELL(attributes.get("r", ""))
        if place:
            self._row, self._column = int(place[2]), column_number(place[1])
        else:
            self._column += 1
        self._kind = attributes.get("t")
        self._in_cell, self._formula, self._inline, self._value = True, False, False, ""
        style = attributes.get("s", "0")
        if self._parts.formats and style.isdigit() and (added := self._parts.formats.get(int(style))):
            self.marks.note_format(self._row, self._column, int(style), added)

    def _end_cell(self) -> None:
        value = self._value.strip()
        if self._kind == "e":
            self.marks.add(self._row, self._column, value or ERROR)
        elif self._inline or not (self._formula or self._is_in_array()):
            return
        elif not value:
            if self._kind != "str" or self._parts.unfinished:  # a text of no length is a result too
                self.marks.add(self._row, self._column, NO_RESULT)
        else:
            self.marks.note_result(self._row, self._column, is_zero=self._kind in {None, "n"} and _is_zero(value))

    def _is_in_array(self) -> bool:
        """Whether a formula of another cell gives this one its value."""
        row, column = self._row, self._column
        return any(top <= row <= bottom and left <= column <= right for top, left, bottom, right in self._arrays)


def _range(reference: str) -> Merge | None:
    """``A2:B4``; None for a single cell."""
    first, _, last = reference.partition(":")
    one, other = _CELL(first), _CELL(last)
    if one is None or other is None:
        return None
    top, bottom = sorted((int(one[2]), int(other[2])))
    left, right = sorted((column_number(one[1]), column_number(other[1])))
    return top, left, bottom, right


def _is_zero(value: str) -> bool:
    try:
        return float(value) == 0
    except ValueError:
        return False


def column_number(letters: str) -> int:
    """``A`` is 0, ``AA`` 26."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1
