"""Writing tables whole or not at all: a private file beside the target takes its place at the end."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from piggy_batch.errors import SetupError
from piggy_batch.files import atomic_file
from piggy_batch.tables.writers.delimited import CsvSink
from piggy_batch.tables.writers.jsonl import JsonlSink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from piggy_batch.tables.writers.base import About, CsvDialect, FormatWriter, OutputColumn, Rows


FORMATS = ("csv", "parquet", "xlsx", "jsonl")


class Writer:
    """A table being written; a context manager.

    The target appears, with mode 0600, when the block is left in good order and everything is on disk; until
    then, and after an exception, what was there before stays there.
    """

    def __init__(
        self,
        path: Path,
        make: Callable[[Path], FormatWriter],
        drafts: Path | None = None,
        on_whole: Callable[[Path], None] | None = None,
    ) -> None:
        self._path = path
        with ExitStack() as stack:
            self._sink = make(stack.enter_context(atomic_file(path, drafts=drafts, failing=None, on_whole=on_whole)))
            self._draft = stack.pop_all()

    def write(self, rows: Rows) -> None:
        """Append rows, each as wide as the columns; None is an empty cell. Many rows at once are fastest.

        ``int``, ``bool`` and ``timestamp`` columns take values of that type or their text; a timestamp is an
        aware datetime or ISO text.
        """
        self._sink.write(rows)

    @property
    def note(self) -> str | None:
        """What the reader of the file should know; None: it holds all that was written, and is harmless anywhere."""
        if formulas := self._sink.formulas:
            cells = "1 cell begins" if formulas == 1 else f"{formulas:,} cells begin"
            return (
                f"{self._path}: {cells} like a formula, and stand as they came; a spreadsheet would run them: for one, "
                "write xlsx, where text stays text"
            )
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
            self._sink.finish() if kind is None else self._sink.abandon()
        except BaseException:
            self._draft.__exit__(*sys.exc_info())
            raise
        self._draft.__exit__(kind, error, trace)


def open_writer(
    path: Path,
    format: str,  # noqa: A002  the option's own name
    columns: Sequence[OutputColumn],
    *,
    drafts: Path | None = None,
    about: About | None = None,
    dialect: CsvDialect | None = None,
    on_whole: Callable[[Path], None] | None = None,
) -> Writer:
    """A writer of ``path`` as csv, parquet, xlsx or jsonl; ``drafts`` and ``on_whole`` as
    :func:`piggy_batch.files.atomic_file` has them.

    SetupError for another format or an impossible place. CSV has ``\\n`` line ends and is UTF-8 without byte
    order mark, with commas, unless ``dialect`` says otherwise. xlsx holds typed columns as numbers, truth values and
    moments in UTC and all else as text, goes on in further sheets at the row limit, cuts a cell at 32,767 characters,
    the format's limit, of which ``note`` tells, and ends with a sheet of what ``about`` says when all rows are written.
    """
    try:
        return Writer(path, _maker(format, tuple(columns), about, dialect), drafts, on_whole)
    except OSError as error:
        raise SetupError(f"{path}: cannot be written: {error.strerror}; name another place") from None


def warm_up(kind: str) -> None:
    """Load the library that writes a format: half a second for Parquet, better spent while something is waited for."""
    if kind == "parquet":
        import piggy_batch.tables.writers.parquet  # noqa: F401 - loading it is the point


def _maker(
    kind: str, columns: tuple[OutputColumn, ...], about: About | None, dialect: CsvDialect | None
) -> Callable[[Path], FormatWriter]:
    if kind == "csv":
        return lambda part: CsvSink(part, columns, dialect)
    if kind == "jsonl":
        return lambda part: JsonlSink(part, columns)
    if kind == "parquet":
        from piggy_batch.tables.writers.parquet import ParquetSink

        return lambda part: ParquetSink(part, columns)
    if kind == "xlsx":
        from piggy_batch.tables.writers.excel import XlsxSink

        return lambda part: XlsxSink(part, columns, about)
    raise SetupError(f'"{kind}" is no format to write; use {", ".join(FORMATS)}')
