"""Writing tables whole or not at all: a private file beside the target takes its place at the end."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, Self

from piggy_batch.errors import SetupError
from piggy_batch.tables.cells import moment_text

if TYPE_CHECKING:
    from types import TracebackType

Kind = Literal["text", "int", "bool", "timestamp"]
Rows = Sequence[Sequence[object]]
FORMATS = ("csv", "parquet", "xlsx", "jsonl")


@dataclass(frozen=True, slots=True)
class Out:
    """A column of a file to be written. Only Parquet keeps the kind as a type."""

    name: str
    kind: Kind = "text"


class Sink(Protocol):
    """One format's way of putting rows into a file that is already there and private."""

    cut: int  # cells that the format does not hold whole

    def write(self, rows: Rows) -> None:
        """Append rows; None is an empty cell."""

    def finish(self) -> None:
        """Complete the file and close it."""

    def abandon(self) -> None:
        """Close what is open; the file is thrown away."""


class Writer:
    """A table being written; a context manager.

    The target appears, with mode 0600, when the block is left in good order and everything is on disk; until
    then, and after an exception, what was there before stays there.
    """

    def __init__(self, path: Path, make: Callable[[Path], Sink]) -> None:
        self._path = path
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        os.close(handle)
        self._part = Path(name)
        try:
            self._sink = make(self._part)
        except BaseException:
            self._part.unlink(missing_ok=True)
            raise

    def write(self, rows: Rows) -> None:
        """Append rows, each as wide as the columns; None is an empty cell. Many rows at once are fastest.

        ``int``, ``bool`` and ``timestamp`` columns take values of that type or their text; a timestamp is an
        aware datetime or ISO text.
        """
        self._sink.write(rows)

    @property
    def note(self) -> str | None:
        """What the reader of the file should know; None: it holds all that was written."""
        if not self._sink.cut:
            return None
        cells = "1 cell is" if self._sink.cut == 1 else f"{self._sink.cut:,} cells are"
        return (
            f"{self._path}: {cells} longer than a workbook takes, and cut, with … at the end; "
            "the same command with --format csv or parquet writes them whole"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is not None:
                self._sink.abandon()
                return
            self._sink.finish()
            _sync(self._part, os.O_RDWR)
            self._part.replace(self._path)
            _sync(self._path.parent, os.O_RDONLY)
        finally:
            self._part.unlink(missing_ok=True)


def _sync(path: Path, mode: int) -> None:
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_writer(path: Path, format: str, columns: Sequence[Out]) -> Writer:  # noqa: A002  the option's own name
    """A writer of ``path`` as csv, parquet, xlsx or jsonl.

    SetupError for another format or an impossible place. CSV is UTF-8 without byte order mark with ``\\n``
    line ends. xlsx holds every cell as text, goes on in further sheets at the row limit, and cuts a cell at
    32,767 characters, the format's limit, of which ``note`` tells.
    """
    try:
        return Writer(path, _maker(format, tuple(columns)))
    except OSError as error:
        raise SetupError(f"{path}: cannot be written: {error.strerror}; name another place") from None


def warm_up(kind: str) -> None:
    """Load the library that writes a format: half a second for Parquet, better spent while something is waited for."""
    if kind == "parquet":
        import piggy_batch.tables.writers.parquet  # noqa: F401 - loading it is the point


def _maker(kind: str, columns: tuple[Out, ...]) -> Callable[[Path], Sink]:
    if kind == "csv":
        return lambda part: CsvSink(part, columns)
    if kind == "jsonl":
        return lambda part: JsonlSink(part, columns)
    if kind == "parquet":
        from piggy_batch.tables.writers.parquet import ParquetSink

        return lambda part: ParquetSink(part, columns)
    if kind == "xlsx":
        from piggy_batch.tables.writers.excel import XlsxSink

        return lambda part: XlsxSink(part, columns)
    raise SetupError(f'"{kind}" is no format to write; use {", ".join(FORMATS)}')


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
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bool_text(value: object) -> str | None:
    truth = bool_of(value)
    return None if truth is None else ("true" if truth else "false")


def _moment_text(value: object) -> str | None:
    moment = moment_of(value)
    return moment_text(moment) if moment else None


class _Known(dict[object, str | None]):
    """What a cell shows, worked out once for each value."""

    def __init__(self, show: Callable[[object], str | None]) -> None:
        super().__init__()
        self._show = show

    def __missing__(self, value: object) -> str | None:
        text = self[value] = self._show(value)
        return text


def as_text(columns: Sequence[Out]) -> Callable[[Rows], Rows]:
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
            known = _Known(show)  # moments and truth values repeat
            for row in changed:
                row[index] = known[row[index]]
        return changed

    return convert


class CsvSink:
    """UTF-8, comma, ``\\n``; quotes only where they are needed."""

    cut = 0

    def __init__(self, part: Path, columns: Sequence[Out]) -> None:
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


class JsonlSink:
    """One object a line, every column in each, empty cells as null."""

    cut = 0

    def __init__(self, part: Path, columns: Sequence[Out]) -> None:
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
