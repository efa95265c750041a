"""What every reader hands over: a table of text cells, and the facts that were detected on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Self

from piggy_batch.errors import SetupError
from piggy_batch.text import counted

if TYPE_CHECKING:
    from types import TracebackType

Rows = Iterator[tuple[int, list[str]]]
Preview = Sequence[tuple[int, list[str]]]

SHEET_NAME = "rows"  # of a workbook that is written; the next are "rows (2)", "rows (3)", read as one table
ABOUT_SHEET = "about"  # what is known of those rows
MAX_COLUMNS = 16_384  # what the widest spreadsheet holds; more is damage, or meant to hurt
PREVIEW_ROWS = 20  # in which a header is looked for where the first row is none


@dataclass(frozen=True, slots=True)
class SheetPreview:
    """What a sheet of a workbook begins with."""

    name: str
    first: tuple[tuple[int, list[str]], ...]  # its first rows with their lines
    rows: int  # that hold anything, header included
    last_line: int

    @property
    def header(self) -> list[str]:
        """Its first row."""
        return self.first[0][1] if self.first else []


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What was detected in a file. None: does not apply to this format."""

    format: str  # csv, parquet, xlsx, ods or jsonl
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    compression: str | None = None  # gz or zip
    notes: tuple[str, ...] = ()  # one sentence each, for the plan
    ends_line: bool = True  # the last line of a text file has its end; else it may be cut off
    others: tuple[SheetPreview, ...] = ()  # further visible sheets, not read


def _nothing() -> None:
    return None


@dataclass(slots=True)
class Table:
    """A file opened as a table of text; a context manager.

    ``columns`` is the header as written, in order, byte order mark and trailing blank columns gone, no name
    twice. ``rows()`` yields ``(line, cells)`` from the first row on, anew at every call. ``line`` is the line
    an editor shows (1 = first line of the file), the row of a sheet, or the row's number + 1 for Parquet.
    Cells are text as written; a row whose cells are all empty is no row; a ragged row keeps its width, so
    that the caller can report it. Raises SetupError, naming the line, where the file stops being a table.
    """

    columns: tuple[str, ...]
    facts: TableInfo
    read: Callable[[], Rows]
    float_columns: frozenset[str] = frozenset()  # no good as identifiers: digits are lost already
    release: Callable[[], None] = field(default=_nothing)
    preview: Callable[[], Preview] = field(default=tuple)  # the first rows as they stand, whichever is the header
    may_be_formatted: bool = False  # cells may be FormattedText or LongNumber

    def rows(self) -> Rows:
        """Every row under the header, from the start."""
        return self.read()

    def close(self) -> None:
        """Let go of the file; idempotent."""
        self.release()
        self.release = _nothing

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def make_table(
    where: str,
    header: Sequence[str],
    facts: TableInfo,
    read: Callable[[], Rows],
    *,
    float_columns: frozenset[str] = frozenset(),
    release: Callable[[], None] = _nothing,
    preview: Callable[[], Preview] = tuple,
    may_be_formatted: bool = False,
) -> Table:
    """A Table with its header put in order; raises SetupError for one that cannot serve.

    Blank columns at the right end, as spreadsheets leave them, are dropped from the header and, where they
    are blank, from the rows. A blank name further left becomes ``column_<position>``.
    """
    names = [name.lstrip("\ufeff") for name in header]
    while names and not names[-1].strip():
        names.pop()
    if not names:
        raise SetupError(f"{where}: no header row; the first line must name the columns")
    if len(names) > MAX_COLUMNS:
        raise SetupError(f"{where}: {len(names):,} columns; at most {MAX_COLUMNS:,} are read")
    notes = list(facts.notes)
    for position, name in enumerate(names, start=1):
        if not name.strip():
            names[position - 1] = f"column_{position}"
            notes.append(f"column {position} has no name and is called column_{position}")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        first, second = [index for index, name in enumerate(names, start=1) if name == twice][:2]
        raise SetupError(f'{where}: columns {first} and {second} are both called "{twice}"; rename one')
    if len(names) < len(header):
        read = _without_blank_end(read, len(names))
    columns = tuple(names)
    return Table(columns, replace(facts, notes=tuple(notes)), read, float_columns, release, preview, may_be_formatted)


def from_row(rows: Rows, first: int | None) -> Rows:
    """The rows from that line on; all of them for None."""
    return rows if first is None else ((line, cells) for line, cells in rows if line >= first)


def without_last(table: Table, number: int, where: str) -> Table:
    """The table without its last rows; a note says which. SetupError where it has no more than these."""
    left: deque[tuple[int, list[str]]] = deque(maxlen=number)
    count = 0
    for row in table.rows():
        left.append(row)
        count += 1
    if count <= number:
        raise SetupError(f"{where}: --drop-last {number} leaves no row of {count:,}; leave it out")

    def rows() -> Rows:
        return islice(table.rows(), count - number)

    shown = "; ".join(f"line {line}: {', '.join(filter(None, cells))[:60]}" for line, cells in islice(left, 3))
    more = f" and {number - 3} more" if number > 3 else ""
    note = f"the last {counted(number, 'row')} left out (--drop-last): {shown}{more}"
    facts = replace(table.facts, notes=(*table.facts.notes, note))
    return replace(table, facts=facts, read=rows)


def _without_blank_end(read: Callable[[], Rows], width: int) -> Callable[[], Rows]:
    def rows() -> Rows:
        for line, cells in read():
            if len(cells) > width and not any(cells[width:]):
                del cells[width:]
            if any(cells):
                yield line, cells

    return rows
