"""CSV files."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from piggy_batch.tables.cells import RISKY, looks_like_formula
from piggy_batch.tables.writers.base import CsvDialect, OutputColumn, Rows, as_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WIDE = "utf-8-sig"  # holds every text, and its mark tells readers so
BLOCK = 1 << 20  # characters


class CsvSink:
    """Lines end in ``\\n``; quotes only where they are needed.

    A cell that the dialect's encoding does not hold turns the whole file into UTF-8 with a byte order mark: no text is
    changed for the sake of an encoding.
    """

    cut = 0

    def __init__(self, part: Path, columns: Sequence[OutputColumn], dialect: CsvDialect | None = None) -> None:
        dialect = dialect or CsvDialect()
        self._path = part
        self._delimiter = dialect.delimiter
        self._encoding = dialect.encoding
        self._file = part.open("w", encoding=self._encoding, newline="")
        self._convert = as_text(columns)
        self._is_suspect = False
        self.formulas = 0
        self._put([[column.name for column in columns]])

    def write(self, rows: Rows) -> None:
        rows = self._convert(rows)
        self._put(rows)
        if self._is_suspect:  # found in the text as a whole, which is a hundred times as fast as cell by cell
            self.formulas += sum(looks_like_formula(cell) for row in rows for cell in row)
            self._is_suspect = False

    def _put(self, rows: Rows) -> None:
        buffer = io.StringIO(newline="")
        # A carriage return inside a cell is quoted only where it is part of the line end.
        csv.writer(buffer, lineterminator="\r\n", delimiter=self._delimiter).writerows(rows)
        text = buffer.getvalue()
        if text.count("\r") == len(rows):
            self._append(text.replace("\r\n", "\n"))
        else:
            self._put_slowly(rows)

    def _put_slowly(self, rows: Rows) -> None:
        for row in rows:
            buffer = io.StringIO(newline="")
            csv.writer(buffer, lineterminator="\r\n", delimiter=self._delimiter).writerow(row)
            self._append(buffer.getvalue()[:-2] + "\n")

    def _append(self, text: str) -> None:
        self._is_suspect = self._is_suspect or self._may_hold_formulas(text)
        try:
            self._file.write(text)
        except UnicodeEncodeError:
            if self._encoding == WIDE:
                raise
            self._widen()
            self._file.write(text)

    def _may_hold_formulas(self, text: str) -> bool:
        """Whether a cell of the file's text begins with a risky sign, quoted or not."""
        befores = [self._delimiter, "\n"]
        if '"' in text:
            befores += [f'{before}"' for before in befores]
        first = text[:2].lstrip('"').startswith(tuple(RISKY))
        return first or any(f"{before}{sign}" in text for sign in RISKY if sign in text for before in befores)

    def _widen(self) -> None:
        """Write what is there so far anew in UTF-8."""
        self._file.close()
        narrow = self._path.with_suffix(".narrow")
        self._path.rename(narrow)
        try:
            with narrow.open(encoding=self._encoding, newline="") as source:
                self._path.touch(0o600)
                self._file = self._path.open("w", encoding=WIDE, newline="")
                while block := source.read(BLOCK):
                    self._file.write(block)
        finally:
            narrow.unlink()
        self._encoding = WIDE

    def finish(self) -> None:
        self._file.close()

    def abandon(self) -> None:
        self._file.close()
