"""What a workbook would take in memory, found out without loading it: sizes, reach of its cells, formats."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.tables.readers.shared_texts import MAX_TEXT, SharedTexts
from piggy_batch.tables.readers.source import BOMB_FLOOR, BOMB_RATIO, CHUNK, DAMAGE, MAX_CELL, refuse_packing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

MAX_CELLS = 20_000_000  # the reader keeps the whole rectangle around the cells, some 32 bytes each
MAX_UNPACKED = 2 << 30
MAX_TEXTS = 512 << 20  # the table of shared texts is held whole

_OVERLAP = 4096
_FAR = 12  # letters or digits of a place that lies beyond any sheet; how many more follow is all the same
_MAX_TAIL = 16 << 20  # one row of an ods sheet
_COLUMNS = re.compile(rb'r="([A-Za-z]+)\d')  # however far: the reader follows it there
_ROWS = re.compile(rb'r="[A-Za-z]+(\d+)"')
_ODD_SPELLING = re.compile(rb"r(?:\s|=[\s'])")  # of an attribute r: then the slower pattern looks as well
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]+)(\d+)["']""")
_ROW_NUMBER = re.compile(rb"""<(?:\w{1,9}:)?row\s[^<>]{0,600}?\br\s*=\s*["'](\d+)["']""")
_OPENINGS = (b"<c ", b"<c>", b"<c/", b":c ", b":c>", b":c/")
_MAX_BARE = 16_384
_SPECIAL = (b'"e"', b"'e'", b"<f", b":f", b"mergeCell")  # an error, a formula, a merged cell, or what looks so
_XLSX_ROW = re.compile(rb"<(?:\w{1,9}:)?row\s([^<>]{0,600})>")
_HIDDEN = re.compile(rb"""\bhidden\s?=\s?["'](?:1|true)["']""")
_ODS_ROW = re.compile(rb"<table:table-row\b([^>]*?)(?:/>|>(.*?)</table:table-row>)", re.DOTALL)
_ODS_CELL = re.compile(rb"<table:(?:covered-)?table-cell\b([^>]*)>")
_ODS_WIDE = re.compile(rb'number-columns-repeated="(\d+)"')
_ODS_TALL = re.compile(rb'number-rows-repeated="(\d+)"')


@dataclass(frozen=True, slots=True)
class WorkbookInfo:
    """What kind of workbook it is: xlsx, xls or ods, and what of it does not show in its cells."""

    kind: str
    hidden_rows: int = 0  # with cells, in all sheets; not known of xls
    special: frozenset[str] = frozenset()  # members of an xlsx that hold errors, formulas or merged cells


@dataclass(slots=True)
class CellRange:
    """The rectangle that a sheet's cells span."""

    rows: int = 0
    columns: int = 0
    hidden: int = 0  # of the rows
    special: bool = False  # an error, a formula or a merged cell is there, or what looks so
    text: int = 0  # bytes at most that repeated cells come to


def inspect(handle: BinaryIO, where: str) -> WorkbookInfo:
    """Read through a workbook in bounded memory. SetupError where loading it would not be safe."""
    if handle.read(4) != b"PK\x03\x04":
        return WorkbookInfo("xls")  # its own format bounds it: 65,536 rows of 256 columns
    handle.seek(0)
    try:
        with zipfile.ZipFile(handle) as archive:
            return _inspect(archive, handle.seek(0, 2), where)
    except DAMAGE as error:
        raise SetupError(f"{where}: the workbook is damaged or locked ({error}); save it again") from None


def _inspect(archive: zipfile.ZipFile, packed: int, where: str) -> WorkbookInfo:
    names = archive.namelist()
    if "xl/workbook.bin" in names:
        raise SetupError(f"{where}: is a binary workbook (xlsb); save it as xlsx")
    ods = "content.xml" in names
    if not ods and "[Content_Types].xml" not in names:
        raise SetupError(f"{where}: is no workbook; save the table as xlsx or CSV UTF-8")
    budget, texts = _Budget(packed, where), SharedTexts()
    hidden = 0
    special: set[str] = set()
    for member in archive.infolist():  # every member: a declared size proves nothing, and a sheet may lie anywhere
        name = member.filename
        reach = CellRange()
        pieces = texts.watch(name, budget.watch(name, _pieces(archive, member, where)))
        if ods and name == "content.xml":
            _span_ods(pieces, reach, where)
        elif ods:
            for _ in pieces:
                pass
        else:
            _span_xlsx(pieces, reach)
        hidden += reach.hidden
        if reach.special:
            special.add(name)
        if reach.rows * reach.columns > MAX_CELLS:
            raise SetupError(
                f"{where}: its cells reach over {reach.rows:,} rows and {reach.columns:,} columns; "
                "delete what lies outside the table, or save it as CSV UTF-8"
            )
        _check_text(reach.text, where)
    if not ods:
        again = texts.bytes_of_cells(lambda: ((m.filename, _pieces(archive, m, where)) for m in archive.infolist()))
        _check_text(again, where)
    return WorkbookInfo("ods" if ods else "xlsx", hidden, frozenset(special))


def _check_text(size: int, where: str) -> None:
    if size > MAX_TEXT:
        raise SetupError(f"{where}: its cells come to {size >> 20:,} MiB of text; no list does")


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> Iterator[bytes]:
    refuse_packing(member, where)
    with archive.open(member) as file:
        while piece := file.read(CHUNK):
            yield piece


class _Budget:
    """Bounds what all members unpack to, and the shared texts on their own."""

    def __init__(self, packed: int, where: str) -> None:
        self._limit = min(MAX_UNPACKED, max(BOMB_FLOOR, packed * BOMB_RATIO))
        self._where = where
        self._total = 0

    def watch(self, name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        size = run = 0
        for piece in pieces:
            size += len(piece)
            first = piece.find(b"<")
            run = run + len(piece) if first < 0 else max(run + first, len(piece) - piece.rfind(b"<"))
            if run > MAX_CELL and name.casefold().endswith(".xml"):
                raise SetupError(f"{self._where}: a cell is longer than {MAX_CELL:,} characters; no list's is")
            self._total += len(piece)
            if self._total > self._limit or (name.endswith("sharedStrings.xml") and size > MAX_TEXTS):
                raise SetupError(f"{self._where}: unpacks to far more than a list takes; save it as CSV UTF-8")
            yield piece


def _span_xlsx(pieces: Iterator[bytes], reach: CellRange) -> None:
    """The furthest row and column of any cell; those without a reference are counted, and stand in their row."""
    tail, bare = b"", 0
    for piece in pieces:
        text = tail + piece
        found = _COLUMNS.findall(text)
        columns, rows = set(found), set(_ROWS.findall(text))
        openings = (
            text.count(b"<c ") + text.count(b"<c>") + text.count(b"<c/") + text.count(b":c ") + text.count(b":c>")
        )
        bare += max(0, openings - len(found))
        if bare:
            rows.update(_ROW_NUMBER.findall(text))
            reach.columns = max(reach.columns, min(bare, _MAX_BARE))
        if _ODD_SPELLING.search(text):
            for letters, digits in _REFERENCE.findall(text):
                columns.add(letters)
                rows.add(digits)
        reach.rows = max(reach.rows, *map(_row, rows), 0)
        reach.columns = max(reach.columns, *map(_column, columns), 0)
        reach.special = reach.special or any(sign in text for sign in _SPECIAL)
        if b"hidden" in text:
            seen = (row for row in _XLSX_ROW.finditer(text) if row.end() > len(tail))  # the others are counted already
            reach.hidden += sum(not row[1].endswith(b"/") and _HIDDEN.search(row[1]) is not None for row in seen)
        tail = piece[-_OVERLAP:]


def _row(digits: bytes) -> int:
    return int(digits.lstrip(b"0")[:_FAR] or b"0")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters[:_FAR].upper():
        number = number * 26 + letter - 64
    return number


def _span_ods(pieces: Iterator[bytes], reach: CellRange, where: str) -> None:
    """The same for ods, where one element may stand for a million rows or 16,000 columns."""
    rest, blank = b"", 0
    for piece in pieces:
        rest += piece
        end = 0
        for row in _ODS_ROW.finditer(rest):
            end = row.end()
            tall = _repeated(_ODS_TALL, row[1])
            body = row[2] or b""
            cut = max(body.rfind(b"office:value-type"), body.rfind(b"<text:p"))
            if cut < 0:
                blank += tall
                continue
            reach.rows += blank + tall
            reach.hidden += tall if b'visibility="collapse"' in row[1] or b'visibility="filter"' in row[1] else 0
            blank = 0
            cells = list(_ODS_CELL.finditer(body, 0, body.find(b">", cut) + 1))
            wide = [_repeated(_ODS_WIDE, cell[1]) for cell in cells]
            reach.columns = max(reach.columns, sum(wide))
            ends = [*(cell.start() for cell in cells[1:]), len(body)]
            texts = sum(n * (end - cell.end()) for n, cell, end in zip(wide, cells, ends, strict=True))
            reach.text += tall * texts
        rest = rest[end:]
        if len(rest) > _MAX_TAIL:
            raise SetupError(f"{where}: one row takes more than {_MAX_TAIL >> 20} MiB; save it as CSV UTF-8")


def _repeated(pattern: re.Pattern[bytes], attributes: bytes) -> int:
    match = pattern.search(attributes)
    return int(match[1]) if match else 1
