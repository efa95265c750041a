"""Workbooks written row by row, every cell as text, so that nothing becomes a number, a date or a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xlsxwriter

from piggy_batch.tables.writers.base import OutputColumn, Rows, as_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SHEET_ROWS = 1_048_576  # header included
SHEET_NAME = "rows"  # the next are "rows (2)", "rows (3)"; the reader takes them as one table
_CELL_LIMIT = 32_767


class XlsxSink:
    """One sheet until it is full, then further ones with the same header."""

    def __init__(self, part: Path, columns: Sequence[OutputColumn], *, sheet_rows: int = SHEET_ROWS) -> None:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "tmpdir": str(part.parent),
        }
        self._book: Any = xlsxwriter.Workbook(str(part), options)
        self._book.use_zip64()
        self._bold = self._book.add_format({"bold": True})
        self._text = self._book.add_format({"num_format": "@"})
        self._names = [column.name for column in columns]
        self._convert = as_text(columns)
        self._limit = sheet_rows
        self._sheets = 0
        self.cut = 0
        self._begin_sheet()

    def _begin_sheet(self) -> None:
        self._sheets += 1
        name = SHEET_NAME if self._sheets == 1 else f"{SHEET_NAME} ({self._sheets})"
        self._sheet = self._book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        if self._names:
            self._sheet.set_column(0, len(self._names) - 1, 20, self._text)
        for column, title in enumerate(self._names):
            self._sheet.write_string(0, column, title, self._bold)
        self._next = 1

    def write(self, rows: Rows) -> None:
        text = self._text
        for row in self._convert(rows):
            if self._next == self._limit:
                self._begin_sheet()
            put = self._sheet.write_string
            for column, value in enumerate(row):
                if value is not None and value != "":
                    put(self._next, column, self._fitting(value), text)
            self._next += 1

    def _fitting(self, value: object) -> str:
        text = value if isinstance(value, str) else str(value)
        if len(text) <= _CELL_LIMIT:
            return text
        self.cut += 1
        return text[: _CELL_LIMIT - 1] + "…"

    def finish(self) -> None:
        self._book.close()

    def abandon(self) -> None:
        self._book.close()
