"""xlsx, xls and ods as text; loaded only for a workbook."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Protocol

from piggy_batch.errors import SetupError
from piggy_batch.tables.cells import COVERED, FormattedText
from piggy_batch.tables.readers.calamine_book import CalamineBook
from piggy_batch.tables.readers.excel_guard import inspect
from piggy_batch.tables.readers.ods import OdsBook
from piggy_batch.tables.readers.source import unpacked
from piggy_batch.tables.table import (
    ABOUT_SHEET,
    PREVIEW_ROWS,
    SHEET_NAME,
    Rows,
    SheetPreview,
    Table,
    TableInfo,
    from_row,
    make_table,
)
from piggy_batch.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from piggy_batch.tables.readers.excel_guard import WorkbookInfo
    from piggy_batch.tables.readers.source import Source

JOIN = "/"  # between the names of sheets to be read as one list; no sheet's name holds it
SHEET_ROWS = 1_048_576  # a list that is longer goes on in a further sheet
_NUMBERS = "some columns hold numbers, not text: zeros in front may be lost already"


class Workbook(Protocol):
    """A workbook of any kind: its visible sheets, and the rows of each as text."""

    def sheets(self, first: int) -> list[SheetPreview]:
        """Every visible sheet that is not blank, with that many of its first rows."""

    def names(self) -> Sequence[str]:
        """Every sheet, hidden and blank ones too."""

    def rows(self, name: str) -> Rows:
        """The rows of a sheet that hold anything, a damaged cell as its mark."""

    def has_marks(self, name: str) -> bool:
        """Whether cells of a sheet may be marks or FormattedText, or rows shorter than the header."""

    def holds_numbers(self, name: str) -> bool:
        """Whether a cell among the first rows is a number."""


def open_workbook(source: Source, *, sheet: str | None, header_row: int | None = None, formats: bool = False) -> Table:
    """A sheet of a workbook as a table of text; without ``sheet`` the first visible one that is not blank.

    ``sheet`` may name several, joined by ``/``, which have the same header and become one list. Numbers show their
    digits, never scientific notation; with ``formats`` as the workbook shows them. Dates are ISO. A cell without its
    value (an error, a formula that was not calculated, a cell under a merged one) shows as a mark such as ``#N/A``.
    Lines are the sheet's rows. SetupError for a workbook that would not fit in memory, is damaged, or asks for a
    password.
    """
    handle = unpacked(source)
    try:
        info = inspect(handle, source.where)
        book = OdsBook(handle, source.where) if info.kind == "ods" else CalamineBook(handle, info, source.where)
        return _table(book, info, source, sheet, header_row, handle.close, formats=formats)
    except BaseException:
        handle.close()
        raise


def _table(
    book: Workbook,
    info: WorkbookInfo,
    source: Source,
    wanted: str | None,
    header_row: int | None,
    release: Callable[[], None],
    *,
    formats: bool,
) -> Table:
    previews = book.sheets(PREVIEW_ROWS)
    names = _chosen(book, previews, wanted, source.where)
    headers = [next(from_row(book.rows(name), header_row), None) for name in names]
    header = _common_header(names, headers, header_row, source.where)
    width = len(header)
    is_plain = info.kind != "ods" and not formats and len(names) == 1 and not book.has_marks(names[0])

    def rows() -> Rows:
        for name in names:
            found = islice(from_row(book.rows(name), header_row), 1, None)
            yield from found if is_plain else filled(found)

    def filled(found: Rows) -> Rows:
        for line, cells in found:
            if len(cells) < width:
                cells += [""] * (width - len(cells))
            yield line, [_shown(cell) for cell in cells] if formats else cells

    about = ABOUT_SHEET if names[0] == SHEET_NAME else None  # of a workbook of this program's own
    others = tuple(preview for preview in previews if preview.name not in {*names, about})
    facts = TableInfo(
        "ods" if info.kind == "ods" else "xlsx",
        sheet=JOIN.join(names),
        compression=source.compression,
        notes=tuple(_notes(book, info, names, header, others)),
        others=others,
    )
    first = next((preview.first for preview in previews if preview.name == names[0]), ())
    return make_table(
        source.where,
        header,
        facts,
        rows,
        release=release,
        preview=lambda: first,
        may_be_formatted=True,
    )


def _shown(cell: str) -> str:
    return cell.shown if isinstance(cell, FormattedText) else cell


def _chosen(book: Workbook, previews: Sequence[SheetPreview], wanted: str | None, where: str) -> list[str]:
    """The sheets to read."""
    if wanted is None:
        if not previews:
            raise SetupError(f"{where}: every visible sheet is blank; the first row must name the columns")
        _refuse_half(previews, where)
        return [previews[0].name]
    known = book.names()
    names = [wanted] if wanted in known else wanted.split(JOIN)
    for name in names:
        if name not in known:
            listed = ", ".join(f'"{each}"' for each in known[:10])
            raise SetupError(f'{where}: no sheet "{name}"; pass --sheet with one of {listed}')
    if len(set(names)) < len(names):
        raise SetupError(f'{where}: --sheet "{wanted}" names a sheet twice')
    return names


def _refuse_half(previews: Sequence[SheetPreview], where: str) -> None:
    """A list too long for one sheet is not read in part."""
    first = previews[0]
    if first.last_line < SHEET_ROWS:
        return
    parts = [first.name, *(p.name for p in previews[1:] if p.header == first.header)]
    if len(parts) > 1:
        raise SetupError(
            f'{where}: sheet "{first.name}" is full and {_listed(parts[1:])} has the same header: pass --sheet '
            f'"{JOIN.join(parts)}" to read them as one list, or --sheet "{first.name}" for the first alone'
        )


def _common_header(
    names: Sequence[str],
    headers: Sequence[tuple[int, list[str]] | None],
    header_row: int | None,
    where: str,
) -> list[str]:
    for name, found in zip(names, headers, strict=True):
        if found is None:
            at = f"has no row {header_row} or further" if header_row else "is blank"
            raise SetupError(f'{where}: sheet "{name}" {at}; a row must name the columns')
    first, *others = [["" if cell == COVERED else cell for cell in found[1]] for found in headers if found]
    for name, other in zip(names[1:], others, strict=True):
        if other != first:
            raise SetupError(
                f'{where}: sheet "{name}" has another header than "{names[0]}", so they are not one list; '
                "read each by itself"
            )
    return first


def _notes(
    book: Workbook, info: WorkbookInfo, names: Sequence[str], header: Sequence[str], others: Sequence[SheetPreview]
) -> Iterator[str]:
    if len(names) > 1:
        yield f"{_listed(names)} are read as one list"
    elif others:
        yield f'sheet "{names[0]}" is read; not read: {", ".join(_told(names, header, other) for other in others[:10])}'
    known = {*names, *(other.name for other in others), ABOUT_SHEET if names[0] == SHEET_NAME else None}
    if unseen := [name for name in book.names() if name not in known]:
        shown = ", ".join(f'"{name}"' for name in unseen[:10])
        yield f"{counted(len(unseen), 'sheet')} more, blank or hidden, not read: {shown}"
    if info.kind == "xls":
        yield "an old workbook (xls)"
    if any(map(book.holds_numbers, names)):
        yield _NUMBERS
    if info.hidden_rows:
        hidden = "1 row is" if info.hidden_rows == 1 else f"{info.hidden_rows:,} rows are"
        yield f"{hidden} hidden in the workbook, by hand or by a filter; hidden rows are read too"


def _told(names: Sequence[str], header: Sequence[str], other: SheetPreview) -> str:
    """Another sheet, and whether it looks like a list."""
    rows = max(0, other.rows - 1)
    if list(other.header) == list(header):
        both = JOIN.join((*names, other.name))
        return f'"{other.name}" ({counted(rows, "row")} under the same header: --sheet "{both}" joins them)'
    if rows:
        return f'"{other.name}" ({counted(rows, "row")} that look like a list)'
    return f'"{other.name}"'


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f'"{name}"' for name in chain(names[:3], ["…"] if len(names) > 3 else []))
