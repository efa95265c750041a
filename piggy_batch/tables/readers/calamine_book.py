"""xlsx and xls through the reading library, with marks where it has only an empty cell for what is no value."""

from __future__ import annotations

import re
import zipfile
from itertools import islice
from typing import TYPE_CHECKING, Any

import python_calamine

from piggy_batch.errors import SetupError
from piggy_batch.tables.cells import COVERED, FormattedText, cell_text
from piggy_batch.tables.readers.damaged_cells import Merge, SheetMarks
from piggy_batch.tables.readers.source import DAMAGE
from piggy_batch.tables.readers.xls_records import XlsRecords
from piggy_batch.tables.readers.xlsx_cells import scan
from piggy_batch.tables.readers.xlsx_parts import pieces, read_parts
from piggy_batch.tables.table import Rows, SheetPreview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from piggy_batch.tables.readers.excel_guard import WorkbookInfo

MAX_PREVIEWS = 20  # sheets that are looked at
_TALLEST = 1000  # rows of a merged cell; a taller one is decoration
_UNKNOWN_ERROR = re.compile(r"Unsupported cell error value '([^']{1,30})'")
_LOOKED_AT = 1000  # rows searched for numbers, for the note


class CalamineBook:
    """A workbook whose sheets are each taken apart once, however often they are read."""

    def __init__(self, handle: BinaryIO, info: WorkbookInfo, where: str) -> None:
        handle.seek(0)
        self._where = where
        self._book = _sound(lambda: python_calamine.load_workbook(handle), where)
        self._marks: _XlsxMarks | XlsRecords
        self._marks = XlsRecords(handle, where) if info.kind == "xls" else _XlsxMarks(handle, info.special, where)
        self._sheets: dict[str, tuple[Any, SheetMarks]] = {}

    def names(self) -> list[str]:
        """Every sheet, hidden and blank ones too."""
        names: list[str] = self._book.sheet_names
        return names

    def sheets(self, first: int) -> list[SheetPreview]:
        """Every visible sheet that is not blank, with that many of its first rows."""
        found = []
        for name in self._visible()[:MAX_PREVIEWS]:
            rows = tuple(islice(self.rows(name), first))
            if rows:
                sheet = self._sheet(name)[0]
                height = sheet.height or len(rows)
                last = sheet.end[0] + 1 if sheet.end else height
                found.append(SheetPreview(name, rows, height, last))
        return found

    def _visible(self) -> list[str]:
        return [
            sheet.name
            for sheet in self._book.sheets_metadata
            if sheet.visible == python_calamine.SheetVisibleEnum.Visible
            and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]

    def _sheet(self, name: str) -> tuple[Any, SheetMarks]:
        if name not in self._sheets:
            sheet = _sound(lambda: self._book.get_sheet_by_name(name), self._where)
            marks = self._marks.of(name)
            if isinstance(self._marks, XlsRecords):
                marks.merges = _merges(sheet)
            self._sheets[name] = sheet, marks
        return self._sheets[name]

    def has_marks(self, name: str) -> bool:
        """Whether a cell of the sheet may be a mark or FormattedText, or a row shorter than the header."""
        marks = self._sheet(name)[1]
        return bool(marks.cells or marks.styles or marks.merges)

    def holds_numbers(self, name: str) -> bool:
        """Whether a cell among the first rows is a number."""
        rows = islice(self._sheet(name)[0].iter_rows(), _LOOKED_AT)
        return any(type(cell) in {int, float} for cells in rows for cell in cells)

    def rows(self, name: str) -> Rows:
        """The rows of a sheet that hold anything, a damaged cell as its mark."""
        sheet, marks = self._sheet(name)
        if not self.has_marks(name):
            yield from self._plain_rows(sheet)
            return
        left = sheet.start[1] if sheet.start else 0
        merges = _Merges(marks.merges, left)
        for line, cells in _all_rows(sheet, marks):
            texts = [cell if type(cell) is str else cell_text(cell, self._where) for cell in cells]
            if marks.styles:
                _format(texts, line, left, marks)
            for column, mark in marks.cells.get(line, ()):
                _put(texts, column - left, mark)
            if marks.merges:
                merges.cover(line, texts)
            if any(texts):
                yield line, texts

    def _plain_rows(self, sheet: Any) -> Rows:
        where = self._where
        for line, cells in enumerate(sheet.iter_rows(), start=1):
            texts = [cell if type(cell) is str else cell_text(cell, where) for cell in cells]
            if any(texts):
                yield line, texts


def _all_rows(sheet: Any, marks: SheetMarks) -> Iterator[tuple[int, list[Any]]]:
    """The library's rows, and those beyond them that have nothing but marks."""
    last = 0
    for line, cells in enumerate(sheet.iter_rows(), start=1):
        yield line, cells
        last = line
    further = {row for row in marks.cells if row > last}
    for top, _, bottom, _ in marks.merges:
        if bottom - top < _TALLEST:
            further.update(range(max(top, last + 1), bottom + 1))
    for row in sorted(further):
        yield row, [""] * sheet.width


def _put(texts: list[str], column: int, mark: str) -> None:
    if column >= len(texts):
        texts += [""] * (column + 1 - len(texts))
    if column >= 0:
        texts[column] = mark


def _format(texts: list[str], line: int, left: int, marks: SheetMarks) -> None:
    """Tell numbers whose format shows more than they are."""
    for column in marks.styles:
        place = column - left
        if 0 <= place < len(texts) and texts[place]:
            format_ = marks.format_of(line, column)
            shown = format_.show(texts[place]) if format_ else None
            if shown is not None:
                texts[place] = FormattedText(texts[place], shown)


class _Merges:
    """Marks blank cells under merged ones, row after row from the top."""

    def __init__(self, merges: list[Merge], left: int) -> None:
        self._coming = [(top, first - left, bottom, last - left) for top, first, bottom, last in reversed(merges)]
        self._open: list[tuple[Merge, bool]] = []

    def cover(self, line: int, texts: list[str]) -> None:
        """Mark the row's covered cells. A merged cell that is blank covers nothing."""
        while self._coming and self._coming[-1][0] <= line:
            merge = self._coming.pop()
            first = merge[1]
            self._open.append((merge, merge[0] == line and 0 <= first < len(texts) and texts[first] != ""))
        self._open = [(merge, filled) for merge, filled in self._open if merge[2] >= line and filled]
        for (top, first, _, last), _ in self._open:
            for column in range(max(0, first), min(last + 1, len(texts))):
                if texts[column] == "" and (line, column) != (top, first):
                    texts[column] = COVERED


def _merges(sheet: Any) -> list[Merge]:
    found = getattr(sheet, "merged_cell_ranges", None) or []  # older versions of the library do not tell
    return sorted((top + 1, left, bottom + 1, right) for (top, left), (bottom, right) in found)


class _XlsxMarks:
    """Reads the marks of an xlsx sheet beside the library, where the sheet has any."""

    def __init__(self, handle: BinaryIO, special: frozenset[str], where: str) -> None:
        self._special = special
        self._where = where
        try:
            self._archive = zipfile.ZipFile(handle)
            self._parts = read_parts(self._archive, where)
        except DAMAGE as error:
            raise self._damaged(error) from None

    def of(self, name: str) -> SheetMarks:
        """The marks of a sheet."""
        member = self._parts.sheets.get(name)
        if member is None:
            raise SetupError(f'{self._where}: sheet "{name}" lies in an unusual place; save the workbook again')
        if member not in self._special and not self._parts.formats:
            return SheetMarks(self._where)
        try:
            return scan(pieces(self._archive, member), self._parts, self._where)
        except DAMAGE as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> SetupError:
        return SetupError(f"{self._where}: the workbook is damaged ({error}); save it again")


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
        if unknown := _UNKNOWN_ERROR.search(str(error)):
            raise SetupError(
                f"{where}: a cell holds the error {unknown[1]}, which is no value; mend its formula, or blank the cell"
            ) from None
        raise SetupError(f"{where}: the workbook cannot be read ({error}); save it again, or as CSV UTF-8") from None
