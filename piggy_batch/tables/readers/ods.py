"""OpenDocument sheets read as a stream: every cell as the text that it holds, tabs and line breaks included."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.tables.cells import COVERED, NO_RESULT
from piggy_batch.tables.readers.ods_cells import NUMBERS, cell_value, repeats
from piggy_batch.tables.readers.shared_texts import MAX_TEXT
from piggy_batch.tables.readers.source import CHUNK, DAMAGE, MAX_CELL
from piggy_batch.tables.readers.xml_parts import XmlStream
from piggy_batch.tables.table import Rows, SheetPreview

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

MAX_WIDTH = 16_384  # cells of a row
MAX_CELLS = 20_000_000  # of a sheet, repeated ones counted
_CALCULATE = (b"LibreOffice", b"OpenOffice", b"MicrosoftOffice", b"Gnumeric", b"Calligra")  # before they save
_ASIDE = frozenset({"annotation", "frame", "custom-shape", "shapes", "ruby-text", "note", "desc", "title"})


@dataclass(slots=True)
class OdsSheet:
    """A sheet's name and style, its first rows, and what its formulas hold."""

    name: str
    style: str
    first: list[tuple[int, list[str]]] = field(default_factory=list)
    rows: int = 0  # that hold anything
    last_line: int = 0
    numbers: bool = False
    zeros: set[int] = field(default_factory=set)  # columns with a formula that holds 0
    results: set[int] = field(default_factory=set)  # columns with a formula that holds anything else

    @property
    def doubtful(self) -> frozenset[int]:
        """Columns whose formulas all hold 0: a default, where nobody is known to have calculated."""
        return frozenset(self.zeros - self.results)


Ready = tuple[OdsSheet, int, list[str], int]  # sheet, line, cells, how often the row is repeated


class OdsBook:
    """An OpenDocument workbook; each reading goes through the file once."""

    def __init__(self, handle: BinaryIO, where: str) -> None:
        self._handle = handle
        self._where = where
        self._calculated = any(program in self._member("meta.xml") for program in _CALCULATE)
        self._sheets: dict[str, OdsSheet] = {}

    def _member(self, name: str) -> bytes:
        """The beginning of a small member; blank where it is not there."""
        try:
            with zipfile.ZipFile(self._handle) as archive, archive.open(name) as file:
                return file.read(CHUNK)
        except KeyError:
            return b""
        except DAMAGE as error:
            raise self._damaged(error) from None

    def sheets(self, first: int) -> list[SheetPreview]:
        """Every visible sheet that is not blank, with that many of its first rows."""
        reader = _Reader(self._where, None, frozenset(), calculated=self._calculated)
        for sheet, line, cells, repeated in self._read(reader):
            sheet.rows += repeated
            sheet.last_line = line + repeated - 1
            if len(sheet.first) < first:
                sheet.first.append((line, cells))
        self._sheets = {sheet.name: sheet for sheet in reader.sheets}
        return [
            SheetPreview(sheet.name, tuple(sheet.first), sheet.rows, sheet.last_line)
            for sheet in reader.sheets
            if sheet.rows and sheet.style not in reader.hidden_styles
        ]

    def names(self) -> list[str]:
        """Every sheet, hidden and blank ones too."""
        return list(self._sheets)

    def has_marks(self, name: str) -> bool:
        """Whether a cell may be a mark or FormattedText, or a row shorter than the header: that is not known before."""
        return True

    def holds_numbers(self, name: str) -> bool:
        """Whether any cell is a number."""
        return self._sheets[name].numbers

    def rows(self, name: str) -> Rows:
        """The rows of a sheet that hold anything."""
        doubtful = frozenset() if self._calculated else self._sheets[name].doubtful
        read = size = 0
        for _, line, cells, repeated in self._read(_Reader(self._where, name, doubtful, calculated=self._calculated)):
            read += len(cells) * repeated
            if read > MAX_CELLS:
                raise SetupError(
                    f"{self._where}: its cells reach over more than {MAX_CELLS:,} places; delete what lies outside "
                    "the table, or save it as CSV UTF-8"
                )
            size += sum(map(len, cells)) * repeated
            if size > MAX_TEXT:
                raise SetupError(f"{self._where}: its cells come to more than {MAX_TEXT >> 20:,} MiB; no list does")
            for number in range(repeated):
                yield line + number, list(cells)

    def _read(self, reader: _Reader) -> Iterator[Ready]:
        stream = XmlStream(self._where, start=reader.start, end=reader.end, text=reader.text)
        self._handle.seek(0)
        try:
            with zipfile.ZipFile(self._handle) as archive, archive.open("content.xml") as file:
                while piece := file.read(CHUNK):
                    stream.feed(piece)
                    yield from reader.take()
                stream.feed(b"", last=True)
                yield from reader.take()
        except (*DAMAGE, KeyError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> SetupError:
        return SetupError(f"{self._where}: the workbook is damaged ({error}); save it again")


@dataclass(slots=True)
class _Cell:
    """A cell while its element is open."""

    attributes: dict[str, str]
    covered: bool
    paragraphs: int = 0
    text: list[str] = field(default_factory=list)
    size: int = 0  # characters of the text

    def add(self, text: str, where: str) -> None:
        """Append to the text; SetupError where no list has so much in a cell."""
        self.size += len(text)
        if self.size > MAX_CELL:
            raise SetupError(f"{where}: a cell is longer than {MAX_CELL:,} characters; no list's is")
        self.text.append(text)


class _Reader:
    """Follows the elements of content.xml; rows of one sheet, or of all, are there to be taken."""

    def __init__(self, where: str, wanted: str | None, doubtful: frozenset[int], *, calculated: bool) -> None:
        self.sheets: list[OdsSheet] = []
        self.hidden_styles: set[str] = set()
        self._where = where
        self._wanted = wanted
        self._doubtful = doubtful  # columns of formulas that nobody calculated
        self._calculated = calculated
        self._ready: list[Ready] = []
        self._style = ""
        self._depth = 0  # of tables: a table inside a cell is no sheet
        self._aside = 0  # depth of what is beside a cell's text: notes, pictures
        self._line = 0
        self._repeated = 1
        self._cells: list[str] = []
        self._gap = 0  # blank cells since the last of them
        self._cell: _Cell | None = None
        self._in_paragraph = False
        self._spans: dict[int, tuple[int, bool]] = {}  # column -> rows still covered, whether the first cell holds any

    def take(self) -> list[Ready]:
        """The rows that are complete by now."""
        ready, self._ready = self._ready, []
        return ready

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._aside or (name in _ASIDE and self._cell is not None):
            self._aside += 1
        elif name == "table":
            self._begin_table(attributes)
        elif name == "style":
            self._style = attributes.get("style:name", "")
        elif name == "table-properties" and attributes.get("table:display") == "false":
            self.hidden_styles.add(self._style)
        elif self._depth != 1 or not self._is_wanted():
            return
        elif name == "table-row":
            self._repeated = repeats(attributes, "table:number-rows-repeated")
            self._cells, self._gap = [], 0
        elif name in {"table-cell", "covered-table-cell"}:
            self._cell = _Cell(attributes, covered=name != "table-cell")
        elif self._cell is not None:
            self._mark_up(name, attributes, self._cell)

    def _begin_table(self, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            self.sheets.append(OdsSheet(attributes.get("table:name", ""), attributes.get("table:style-name", "")))
            self._line, self._spans = 0, {}

    def _is_wanted(self) -> bool:
        return self._wanted is None or self.sheets[-1].name == self._wanted

    def _mark_up(self, name: str, attributes: dict[str, str], cell: _Cell) -> None:
        if name in {"p", "h"}:
            if cell.paragraphs:
                cell.add("\n", self._where)
            cell.paragraphs += 1
            self._in_paragraph = True
        elif name == "s":
            cell.add(" " * min(repeats(attributes, "text:c"), MAX_WIDTH), self._where)
        elif name in {"tab", "line-break"}:
            cell.add("\t" if name == "tab" else "\n", self._where)

    def text(self, data: str) -> None:
        cell = self._cell
        if cell is None or self._aside or not self._in_paragraph:
            return
        cell.add(data, self._where)  # white space as well: what is wrong with it is for the checks to say

    def end(self, name: str) -> None:
        if self._aside:
            self._aside -= 1
        elif name == "table":
            self._depth -= 1
        elif self._cell is not None and name in {"p", "h"}:
            self._in_paragraph = False
        elif self._cell is not None and name in {"table-cell", "covered-table-cell"} and self._depth == 1:
            self._end_cell(self._cell)
            self._cell = None
        elif name == "table-row" and self._depth == 1 and self._is_wanted():
            self._end_row()

    def _end_cell(self, cell: _Cell) -> None:
        column = len(self._cells) + self._gap
        repeated = repeats(cell.attributes, "table:number-columns-repeated")
        value = cell_value(cell.attributes, "".join(cell.text), calculated=self._calculated and cell.paragraphs > 0)
        if cell.attributes.get("office:value-type") in NUMBERS:
            self.sheets[-1].numbers = True
        if "table:formula" in cell.attributes:
            value = self._checked(value, column)
        self._note_span(cell.attributes, column, filled=value != "")
        if value == "" and not (cell.covered and self._spans):
            self._gap += repeated
            return
        if column + repeated > MAX_WIDTH:
            raise SetupError(f"{self._where}: a row has more than {MAX_WIDTH:,} cells; save it as CSV UTF-8")
        self._cells += [""] * self._gap
        self._gap = 0
        if cell.covered and value == "":
            under = (self._spans.get(column + n, (0, False))[1] for n in range(repeated))
            self._cells += [COVERED if filled else "" for filled in under]
        else:
            self._cells += [value] * repeated

    def _checked(self, value: str, column: int) -> str:
        """A formula's result, or a mark where it is a default."""
        if value != "0":
            self.sheets[-1].results.add(column)
            return value
        self.sheets[-1].zeros.add(column)
        return NO_RESULT if column in self._doubtful else value

    def _note_span(self, attributes: dict[str, str], column: int, *, filled: bool) -> None:
        tall = repeats(attributes, "table:number-rows-spanned")
        wide = repeats(attributes, "table:number-columns-spanned")
        if tall > 1 or wide > 1:
            for place in range(column, min(column + wide, MAX_WIDTH)):
                self._spans[place] = (tall, filled)

    def _end_row(self) -> None:
        cells = self._cells
        while cells and cells[-1] == "":
            cells.pop()
        if cells:
            self._ready.append((self.sheets[-1], self._line + 1, cells, self._repeated))
        self._line += self._repeated
        if self._spans:
            self._spans = {
                column: (rows - self._repeated, filled)
                for column, (rows, filled) in self._spans.items()
                if rows > self._repeated
            }
