"""JSON Lines files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from piggy_batch.tables.writers.base import OutputColumn, Rows, as_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class JsonlSink:
    """One object a line, every column in each, empty cells as null."""

    cut = 0

    def __init__(self, part: Path, columns: Sequence[OutputColumn]) -> None:
        self._file = part.open("w", encoding="utf-8", newline="")
        self._names = [column.name for column in columns]
        self._convert = as_text(columns)

    def write(self, rows: Rows) -> None:
        names = self._names
        encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        self._file.writelines(encode(dict(zip(names, row, strict=True))) + "\n" for row in self._convert(rows))

    def finish(self) -> None:
        self._file.close()

    def abandon(self) -> None:
        self._file.close()
