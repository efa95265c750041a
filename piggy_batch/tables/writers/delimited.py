"""CSV files."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from piggy_batch.tables.writers.base import OutputColumn, Rows, as_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class CsvSink:
    """UTF-8, comma, ``\\n``; quotes only where they are needed."""

    cut = 0

    def __init__(self, part: Path, columns: Sequence[OutputColumn]) -> None:
        self._file = part.open("w", encoding="utf-8", newline="")
        self._convert = as_text(columns)
        self._put([[column.name for column in columns]])

    def write(self, rows: Rows) -> None:
        self._put(self._convert(rows))

    def _put(self, rows: Rows) -> None:
        buffer = io.StringIO(newline="")
        # A carriage return inside a cell is quoted only where it is part of the line end.
        csv.writer(buffer, lineterminator="\r\n").writerows(rows)
        text = buffer.getvalue()
        if text.count("\r") == len(rows):
            self._file.write(text.replace("\r\n", "\n"))
        else:
            self._put_slowly(rows)

    def _put_slowly(self, rows: Rows) -> None:
        for row in rows:
            buffer = io.StringIO(newline="")
            csv.writer(buffer, lineterminator="\r\n").writerow(row)
            self._file.write(buffer.getvalue()[:-2] + "\n")

    def finish(self) -> None:
        self._file.close()

    def abandon(self) -> None:
        self._file.close()
