"""What the reading library does not tell of an xls sheet: errors, formulas without result, and number formats.

The records are those of [MS-XLS]: BIFF8, and BIFF5 where it is the same.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.tables.cells import ERROR, NO_RESULT
from piggy_batch.tables.readers.compound_file import read_stream
from piggy_batch.tables.readers.damaged_cells import SheetMarks
from piggy_batch.tables.readers.number_formats import NumberFormat, parse_format

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_BOF, _EOF, _BOUNDSHEET, _FORMAT, _XF, _RECALCID = 0x0809, 0x000A, 0x0085, 0x041E, 0x00E0, 0x01C1
_FORMULA, _BOOLERR, _MULRK = 0x0006, 0x0205, 0x00BD
_CELLS = frozenset({0x0203, 0x027E, 0x00FD, 0x0204, _FORMULA, _BOOLERR})  # that begin with row, column and style
_BIFF8 = 0x0600
_NO_NUMBER = 0xFFFF  # at the end of a formula's result: it is text, truth, an error, or nothing
_ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}  # fmt: skip


class XlsRecords:
    """The records of an old workbook, sheet by sheet."""

    def __init__(self, handle: BinaryIO, where: str) -> None:
        self._where = where
        self._data = read_stream(handle, ("Workbook", "Book"), where)
        self._sheets: dict[str, int] = {}  # name -> offset
        self._formats: dict[int, NumberFormat] = {}  # index of a cell's style -> what it adds
        self._trusted = False  # the program that saved it says which build of it has calculated
        try:
            self._read_globals()
        except (struct.error, IndexError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> SetupError:
        return SetupError(f"{self._where}: the workbook is damaged ({error}); save it as xlsx or CSV UTF-8")

    def _records(self, offset: int) -> Iterator[tuple[int, bytes]]:
        """The records of the part that begins there, without those of charts inside it."""
        depth = 0
        while offset + 4 <= len(self._data):
            kind, size = struct.unpack_from("<HH", self._data, offset)
            body = self._data[offset + 4 : offset + 4 + size]
            offset += 4 + size
            if kind == _BOF:
                depth += 1
            elif kind == _EOF:
                depth -= 1
                if depth <= 0:
                    return
            if depth == 1:
                yield kind, body

    def _read_globals(self) -> None:
        adding: dict[int, NumberFormat] = {}
        styles = 0
        wide = True
        for kind, body in self._records(0):
            if kind == _BOF:
                wide = struct.unpack_from("<H", body)[0] == _BIFF8
            elif kind == _BOUNDSHEET:
                name = _text(body[7:], body[6], wide=wide)
                self._sheets[name] = struct.unpack_from("<I", body)[0]
            elif kind == _FORMAT:
                number = struct.unpack_from("<H", body)[0]
                length = struct.unpack_from("<H", body, 2)[0] if wide else body[2]
                found = parse_format(_text(body[4 if wide else 3 :], length, wide=wide))
                if found is not None:
                    adding[number] = found
            elif kind == _XF:
                if (used := adding.get(struct.unpack_from("<H", body, 2)[0])) is not None:
                    self._formats[styles] = used
                styles += 1
            elif kind == _RECALCID:
                self._trusted = True

    def of(self, name: str) -> SheetMarks:
        """The marks of a sheet; merged cells are left to the library."""
        marks = SheetMarks(self._where)
        offset = self._sheets.get(name)
        if offset is None:
            raise SetupError(f'{self._where}: sheet "{name}" lies in an unusual place; save it as xlsx or CSV UTF-8')
        try:
            for kind, body in self._records(offset):
                if kind in _CELLS:
                    self._cell(kind, body, marks)
                elif kind == _MULRK:
                    row, column = struct.unpack_from("<HH", body)
                    for number, at in enumerate(range(4, len(body) - 2, 6)):
                        self._style(marks, row, column + number, struct.unpack_from("<H", body, at)[0])
        except struct.error as error:
            raise self._damaged(error) from None
        return marks.finish(trusted=self._trusted)

    def _cell(self, kind: int, body: bytes, marks: SheetMarks) -> None:
        row, column, style = struct.unpack_from("<HHH", body)
        self._style(marks, row, column, style)
        if kind == _BOOLERR and body[7]:
            marks.add(row + 1, column, _ERRORS.get(body[6], ERROR))
        elif kind == _FORMULA:
            self._formula(body, row + 1, column, marks)

    def _style(self, marks: SheetMarks, row: int, column: int, style: int) -> None:
        if style in self._formats:
            marks.note_format(row + 1, column, style, self._formats[style])

    def _formula(self, body: bytes, row: int, column: int, marks: SheetMarks) -> None:
        if struct.unpack_from("<H", body, 12)[0] != _NO_NUMBER:
            marks.note_result(row, column, is_zero=struct.unpack_from("<d", body, 6)[0] == 0)
        elif body[6] == 2:
            marks.add(row, column, _ERRORS.get(body[8], ERROR))
        elif body[6] == 3 and not self._trusted:  # no text; or a writer that cannot calculate
            marks.add(row, column, NO_RESULT)
        else:
            marks.note_result(row, column, is_zero=False)


def _text(body: bytes, length: int, *, wide: bool) -> str:
    """A string of that many characters: in BIFF8 a byte says whether each takes two bytes."""
    if not wide:
        return body[:length].decode("cp1252", "replace")
    if body[:1] and body[0] & 1:
        return body[1 : 1 + 2 * length].decode("utf-16-le", "replace")
    return body[1 : 1 + length].decode("latin-1")
