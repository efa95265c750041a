"""JSON Lines files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from piggy_batch.tables.cells import moment_text
from piggy_batch.tables.writers.base import Kind, Known, OutputColumn, Rows, bool_of, moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class JsonlSink:
    """One object a line, every column in each: numbers and truth values as JSON has them, empty cells as null.

    A moment is its ISO text; a value that is not of its column's kind stays as it is.
    """

    cut = formulas = 0

    def __init__(self, part: Path, columns: Sequence[OutputColumn]) -> None:
        self._file = part.open("w", encoding="utf-8", newline="")
        self._names = [column.name for column in columns]
        kinds = [column.cell or column.kind for column in columns]
        self._special = [(index, _CONVERT[kind]) for index, kind in enumerate(kinds) if kind in _CONVERT]

    def write(self, rows: Rows) -> None:
        names = self._names
        encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        self._file.writelines(encode(dict(zip(names, row, strict=True))) + "\n" for row in self._converted(rows))

    def _converted(self, rows: Rows) -> Rows:
        if not self._special:
            return rows
        changed = [list(row) for row in rows]
        for index, convert in self._special:
            known = Known(convert)
            for row in changed:
                row[index] = known[row[index]]
        return changed

    def finish(self) -> None:
        self._file.close()

    def abandon(self) -> None:
        self._file.close()


def _bool(value: object) -> object:
    try:
        return bool_of(value)
    except KeyError:
        return value


def _int(value: object) -> object:
    if value == "":
        return None
    if not isinstance(value, str):
        return value
    try:
        number = int(value)
    except ValueError:
        return value
    return number if str(number) == value else value


def _moment(value: object) -> object:
    try:
        moment = moment_of(value)
    except ValueError:
        return value
    return moment_text(moment) if moment else None


_CONVERT: dict[Kind, Callable[[object], object]] = {"bool": _bool, "int": _int, "timestamp": _moment}
