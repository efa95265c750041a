"""xlsx, xls and ods as text; loaded only for a workbook."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import python_calamine

from piggy_batch.errors import SetupError
from piggy_batch.tables.cells import cell_text
from piggy_batch.tables.readers.excel_guard import inspect
from piggy_batch.tables.readers.source import unpacked
from piggy_batch.tables.table import ABOUT_SHEET, SHEET_NAME, Rows, Table, TableInfo, make_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from piggy_batch.tables.readers.source import Source

_LOOKED_AT = 1000  # rows searched for numbers, for the note
_PADDED = "some cells show zeros in front that are a cell format, not digits; they are not read: store them as text"
_NUMBERS = "some columns hold numbers, not text: zeros in front may be lost already"

Line = tuple[int, list[Any]]


def open_workbook(source: Source, *, sheet: str | None) -> Table:
    """A sheet of a workbook as a table of text; without ``sheet`` the first visible one that is not blank.

    Numbers show their digits, never scientific notation; dates are ISO. Lines are the sheet's rows. Sheets
    named ``<first> (2)``, ``<first> (3)`` with the same header, as the writer makes them, continue the first.
    SetupError for a workbook that would not fit in memory, is damaged, or asks for a password.
    """
    handle = unpacked(source)
    try:
        nature = inspect(handle, source.where)
        handle.seek(0)
        loaded = _sound(lambda: python_calamine.load_workbook(handle), source.where)
    finally:
        handle.close()
    book = _Book(loaded, source.where)
    names = book.choose(sheet)
    header = next(book.lines(names[0]))[1]

    def rows() -> Iterator[Line]:
        return chain.from_iterable(islice(book.lines(name), 1, None) for name in names)

    own = names[0] == SHEET_NAME
    others = len([name for name in loaded.sheet_names if not (own and name == ABOUT_SHEET)]) - len(names)
    notes = [f'sheet "{names[0]}"; {others} more not read'] if others else []
    notes += [f"an old workbook ({nature.kind})"] if nature.kind == "xls" else []
    if nature.padded_formats:
        notes.append(_PADDED)
    elif any(isinstance(cell, float) for _, cells in islice(rows(), _LOOKED_AT) for cell in cells):
        notes.append(_NUMBERS)
    if nature.hidden_rows:
        hidden = "1 row is" if nature.hidden_rows == 1 else f"{nature.hidden_rows:,} rows are"
        notes.append(f"{hidden} hidden in the workbook, by hand or by a filter; hidden rows are read too")

    def texts() -> Rows:
        for line, cells in rows():
            shown = [cell if isinstance(cell, str) else cell_text(cell, source.where) for cell in cells]
            if any(shown):
                yield line, shown

    facts = TableInfo(
        "ods" if nature.kind == "ods" else "xlsx",
        sheet=names[0],
        compression=source.compression,
        notes=tuple(notes),
    )
    return make_table(source.where, [cell_text(cell, source.where) for cell in header], facts, texts)


class _Book:
    """A workbook whose sheets are each taken apart once, however often they are read."""

    def __init__(self, book: Any, where: str) -> None:
        self.book = book
        self.where = where
        self._sheets: dict[str, Any] = {}

    def lines(self, name: str) -> Iterator[Line]:
        """The rows of a sheet that hold anything, with their numbers."""
        if name not in self._sheets:
            self._sheets[name] = _sound(lambda: self.book.get_sheet_by_name(name), self.where)
        for line, cells in enumerate(self._sheets[name].iter_rows(), start=1):
            if any(cell != "" for cell in cells):
                yield line, cells

    def choose(self, wanted: str | None) -> list[str]:
        """The sheets to read, the first of which has a header."""
        if wanted is None:
            return self._first_visible()
        if wanted not in self.book.sheet_names:
            names = ", ".join(f'"{name}"' for name in self.book.sheet_names[:10])
            raise SetupError(f'{self.where}: no sheet "{wanted}"; pass --sheet with one of {names}')
        if next(self.lines(wanted), None) is None:
            raise SetupError(f'{self.where}: sheet "{wanted}" is blank; its first row must name the columns')
        return [wanted]

    def _first_visible(self) -> list[str]:
        visible = [
            sheet.name
            for sheet in self.book.sheets_metadata
            if sheet.visible == python_calamine.SheetVisibleEnum.Visible
            and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
        for name in visible:
            header = next(self.lines(name), None)
            if header is not None:
                further = (f"{name} ({number})" for number in range(2, len(visible) + 1))
                return [name, *(more for more in further if more in visible and self._goes_on(more, header))]
        raise SetupError(f"{self.where}: every visible sheet is blank; the first row must name the columns")

    def _goes_on(self, name: str, header: Line) -> bool:
        also = next(self.lines(name), None)
        return also is not None and also[1] == header[1]


def _sound(read: Callable[[], Any], where: str) -> Any:
    """What ``read`` returns; the library's complaints, its Rust panics included, as SetupError."""
    try:
        return read()
    except python_calamine.PasswordError:
        raise SetupError(f"{where}: the workbook asks for a password; save it without one") from None
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise SetupError(f"{where}: the workbook cannot be read ({error}); save it again, or as CSV UTF-8") from None
