"""What every writer of tables shares: columns, values, and the format's part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from piggy_batch.tables.cells import moment_text
from piggy_batch.text import parse_moment

Kind = Literal["text", "int", "bool", "timestamp"]
Rows = Sequence[Sequence[object]]
About = Callable[[], Iterable[tuple[str, str]]]  # asked when all rows are written: what is known of them


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column of a file to be written. Parquet keeps ``kind`` as a type; a workbook's cells have it too.

    ``cell``: what a workbook makes of a column that is text elsewhere; a value that is no such thing stays text.
    """

    name: str
    kind: Kind = "text"
    cell: Kind | None = None


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """How a CSV file is written: between cells, and in which encoding."""

    delimiter: str = ","
    encoding: str = "utf-8"


class FormatWriter(Protocol):
    """One format's way of putting rows into a file that is already there and private."""

    cut: int  # cells that the format does not hold whole
    formulas: int  # cells that a spreadsheet would take for a formula

    def write(self, rows: Rows) -> None:
        """Append rows; None is an empty cell."""

    def finish(self) -> None:
        """Complete the file and close it."""

    def abandon(self) -> None:
        """Close what is open; the file is thrown away."""


def bool_of(value: object) -> bool | None:
    """A truth value from itself, 0 and 1, or its text; None from None and ""."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
    return bool(value)


def moment_of(value: object) -> datetime | None:
    """An aware moment in UTC from a datetime or ISO text; None from None and ""."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    moment = parse_moment(str(value))
    if moment is None:
        raise ValueError(value)
    return moment


def _bool_text(value: object) -> str | None:
    truth = bool_of(value)
    return None if truth is None else ("true" if truth else "false")


def _moment_text(value: object) -> str | None:
    moment = moment_of(value)
    return moment_text(moment) if moment else None


class Known(dict[object, object]):
    """What a cell shows, worked out once for each value: moments and truth values repeat."""

    def __init__(self, show: Callable[[object], object]) -> None:
        super().__init__()
        self._show = show

    def __missing__(self, value: object) -> object:
        text = self[value] = self._show(value)
        return text


def as_text(columns: Sequence[OutputColumn]) -> Callable[[Rows], Rows]:
    """What turns rows into cells for a format without types; rows that need no change pass untouched."""
    special = [
        (index, _bool_text if column.kind == "bool" else _moment_text)
        for index, column in enumerate(columns)
        if column.kind in {"bool", "timestamp"}
    ]
    if not special:
        return lambda rows: rows

    def convert(rows: Rows) -> Rows:
        changed = [list(row) for row in rows]
        for index, show in special:
            known = Known(show)
            for row in changed:
                row[index] = known[row[index]]
        return changed

    return convert
