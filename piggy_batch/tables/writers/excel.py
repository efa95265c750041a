"""Workbooks written row by row: numbers, truth values and moments as cells of their type, all else as text, so that no
card number becomes a number, a date or a formula."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import xlsxwriter

from piggy_batch.files import LibraryFile
from piggy_batch.tables.table import ABOUT_SHEET, SHEET_NAME
from piggy_batch.tables.writers.base import About, OutputColumn, Rows, bool_of, moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SHEET_ROWS = 1_048_576  # header included
_CELL_LIMIT = 32_767
_EXACT = 10**15  # a spreadsheet keeps fifteen digits; a longer number stays text
_FIRST, _LAST = datetime(1900, 3, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)  # days that a spreadsheet knows
_FORMATS = {"text": "@", "int": "0", "amount": "#,##0", "bool": "General", "timestamp": "yyyy-mm-dd hh:mm:ss"}
_WIDTHS = {"text": 20, "int": 12, "amount": 14, "bool": 9, "timestamp": 20}


class XlsxSink:
    """One sheet until it is full, then further ones with the same header; at the end a sheet of what is known."""

    def __init__(
        self, part: Path, columns: Sequence[OutputColumn], about: About | None = None, *, sheet_rows: int = SHEET_ROWS
    ) -> None:
        self._file = LibraryFile(part)
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "tmpdir": self._file.scratch,
        }
        self._book: Any = xlsxwriter.Workbook(self._file, options)
        self._book.use_zip64()
        self._bold = self._book.add_format({"bold": True})
        self._wrap = self._book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        self._formats = {name: self._book.add_format({"num_format": code}) for name, code in _FORMATS.items()}
        self._names = [column.name for column in columns]
        self._kinds = [_kind(column) for column in columns]
        writers: dict[str, Callable[[int, int, object], None]] = {
            "text": self._put_text,
            "int": self._put_int,
            "amount": self._put_int,
            "bool": self._put_bool,
            "timestamp": self._put_timestamp,
        }
        self._put = [writers[kind] for kind in self._kinds]
        self._about = about
        self._limit = sheet_rows
        self._sheets = 0
        self.cut = self.formulas = 0
        try:
            self._begin_sheet()
        except BaseException:
            self.abandon()
            raise

    def _begin_sheet(self) -> None:
        if self._sheets:
            self._end_sheet()
        self._sheets += 1
        name = SHEET_NAME if self._sheets == 1 else f"{SHEET_NAME} ({self._sheets})"
        self._sheet = self._book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        for column, (title, kind) in enumerate(zip(self._names, self._kinds, strict=True)):
            self._sheet.set_column(column, column, max(_WIDTHS[kind], min(len(title) + 4, 40)), self._formats[kind])
            self._sheet.write_string(0, column, title, self._bold)
        self._next = 1

    def _end_sheet(self) -> None:
        if self._names:
            self._sheet.autofilter(0, 0, max(1, self._next - 1), len(self._names) - 1)

    def write(self, rows: Rows) -> None:
        for row in rows:
            if self._next == self._limit:
                self._begin_sheet()
            for column, (value, put) in enumerate(zip(row, self._put, strict=False)):
                if value is not None and value != "":
                    put(self._next, column, value)
            self._next += 1

    def _put_text(self, row: int, column: int, value: object) -> None:
        self._sheet.write_string(row, column, self._fitting(value), self._formats["text"])

    def _put_int(self, row: int, column: int, value: object) -> None:
        try:
            number = int(str(value))
        except ValueError:
            number = _EXACT
        if abs(number) < _EXACT:
            self._sheet.write_number(row, column, number, self._formats[self._kinds[column]])
        else:
            self._put_text(row, column, value)

    def _put_bool(self, row: int, column: int, value: object) -> None:
        try:
            truth = bool_of(value)
        except KeyError:
            self._put_text(row, column, value)
        else:
            self._sheet.write_boolean(row, column, truth, self._formats["bool"])

    def _put_timestamp(self, row: int, column: int, value: object) -> None:
        try:
            moment = moment_of(value)
        except ValueError:
            moment = None
        if moment is not None and _FIRST <= moment <= _LAST:
            self._sheet.write_datetime(row, column, moment.replace(tzinfo=None), self._formats["timestamp"])
        else:
            self._put_text(row, column, moment.isoformat().replace("+00:00", "Z") if moment else value)

    def _fitting(self, value: object) -> str:
        text = value if isinstance(value, str) else str(value)
        if len(text) <= _CELL_LIMIT:
            return text
        self.cut += 1
        return text[: _CELL_LIMIT - 1] + "…"

    def finish(self) -> None:
        self._end_sheet()
        if self._about is not None:
            sheet = self._book.add_worksheet(ABOUT_SHEET)
            sheet.set_column(0, 0, 24)
            sheet.set_column(1, 1, 100)
            for row, (name, words) in enumerate(self._about()):
                sheet.write_string(row, 0, name, self._bold)
                sheet.write_string(row, 1, words[:_CELL_LIMIT], self._wrap)
        self._file.finish(self._book.close)

    def abandon(self) -> None:
        self._file.abandon(self._book.close)


def _kind(column: OutputColumn) -> str:
    kind = column.cell or column.kind
    return "amount" if kind == "int" and column.name.endswith("_in_cents") else kind
