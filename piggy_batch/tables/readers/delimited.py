"""CSV as people have it: ``, ; tab |``, any line end, quoted newlines; every cell is text and stays so."""

from __future__ import annotations

import csv
import re
from itertools import islice
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.tables.readers.encoding import settle
from piggy_batch.tables.table import PREVIEW_ROWS, Preview, Rows, Table, TableInfo, from_row, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper

    from piggy_batch.tables.readers.source import Source

DELIMITERS = (",", ";", "\t", "|")
NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
MAX_ROW_LINES = 100_000  # a row that goes on for longer has a quote that is never closed

_BLOCK = 1 << 16  # characters of lines handed to the parser at once
_SAMPLE_ROWS = 100
_EXCEL_HINT = re.compile(r"\ufeff?sep=(.)\r?\n?", re.IGNORECASE)


def open_csv(source: Source, *, delimiter: str | None, encoding: str | None, header_row: int | None = None) -> Table:
    """A CSV file as a table; the whole file is known to decode before the first row is read."""
    wanted = _delimiter(delimiter)
    found = settle(source, encoding)
    notes = list(found.notes)
    hint = _hint(source, found.codec)
    chosen = wanted or hint or _detect(source, found.codec, header_row)

    def rows() -> Rows:
        return from_row(_rows(source, found.codec, chosen, hinted=hint is not None), header_row)

    def preview() -> Preview:
        likely = wanted or hint or _most_regular(source, found.codec)
        return list(islice(_rows(source, found.codec, likely, hinted=hint is not None), PREVIEW_ROWS))

    header = next(rows(), None)
    if header is None and header_row is not None:
        raise SetupError(f"{source.where}: has no line {header_row} or further; --header-row names the columns' line")
    if header is None:
        raise SetupError(f"{source.where}: nothing but blank lines; the first line must name the columns")
    facts = TableInfo(
        "csv",
        found.codec,
        chosen,
        compression=source.compression,
        notes=tuple(notes),
        ends_line=_ends_line(source, found.codec),
    )
    return make_table(source.where, header[1], facts, lambda: islice(rows(), 1, None), preview=preview)


def _ends_line(source: Source, codec: str) -> bool:
    """Whether the last line has its end."""
    width = 4 if codec.startswith("utf-32") else 2 if codec.startswith("utf-16") else 1
    return source.tail(width).decode(codec, "replace").endswith(("\n", "\r"))


def _delimiter(wanted: str | None) -> str | None:
    if wanted is None:
        return None
    delimiter = NAMED.get(wanted.lower(), wanted)
    if len(delimiter) != 1 or delimiter in '\r\n"':
        raise SetupError(f'--delimiter "{wanted}" is not one character; use , ; | or tab')
    return delimiter


def _hint(source: Source, codec: str) -> str | None:
    """The delimiter that a first line ``sep=;`` names, as Excel writes and obeys it."""
    with source.text(codec) as file:
        match = _EXCEL_HINT.fullmatch(file.readline(8))
    return match[1] if match else None


def _detect(source: Source, codec: str, header_row: int | None) -> str:
    """The delimiter under which most first rows are as wide as the header; a comma where nothing splits."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        widths = _widths(source, codec, delimiter, header_row)
        if not widths or widths[0] < 2:
            continue
        agreeing = widths.count(widths[0]) / len(widths)
        if (agreeing, widths[0]) > best_score:
            best, best_score = delimiter, (agreeing, widths[0])
    return best


def _most_regular(source: Source, codec: str) -> str:
    """The delimiter under which most first rows have one width, whatever stands above the header."""

    def score(delimiter: str) -> tuple[float, int]:
        widths = [width for width in _widths(source, codec, delimiter, None) if width > 1]
        usual = max(set(widths), key=widths.count, default=0)
        return widths.count(usual), usual

    return max(DELIMITERS, key=score)


def _widths(source: Source, codec: str, delimiter: str, header_row: int | None) -> list[int]:
    """How many cells the first rows have under a delimiter."""
    widths = []
    rows = from_row(_rows(source, codec, delimiter, hinted=False), header_row)
    try:
        for _, cells in islice(rows, _SAMPLE_ROWS):
            widths.append(len(cells))
    except SetupError:  # quotes make no sense under this delimiter from here on
        pass
    return widths


def _rows(source: Source, codec: str, delimiter: str, *, hinted: bool) -> Rows:
    """Every row that is not blank, header included, with the line on which it begins."""
    last = 0  # the last line of the row before
    with source.text(codec) as file:

        def lines() -> Iterator[str]:
            yield from _first_block(file)
            while block := file.readlines(_BLOCK):
                if reader.line_num - last > MAX_ROW_LINES:
                    raise csv.Error("a quote is opened and never closed")
                yield from block

        reader = csv.reader(lines(), delimiter=delimiter, strict=True)
        try:
            if hinted:
                next(reader)
                last = 1
            for cells in reader:
                if cells and (cells[0] or any(cells)):
                    yield last + 1, cells
                last = reader.line_num
        except csv.Error as error:
            raise SetupError(f"{source.where}, line {last + 1}: {_plain(str(error))}") from None
        except (UnicodeDecodeError, OSError) as error:
            raise SetupError(f"{source.where}, line {last + 1}: changed while it was read ({error})") from None


def _first_block(file: TextIOWrapper) -> list[str]:
    block = file.readlines(_BLOCK)
    if block:
        block[0] = block[0].lstrip("\ufeff")
    return block


def _plain(error: str) -> str:
    """The parser's complaint in words that say what to do."""
    if "field larger than" in error:
        return "a cell is longer than 131,072 characters; most likely a quote is opened and never closed"
    if "unexpected end of data" in error or "never closed" in error:
        return 'a quote is opened and never closed; close it, or write "" for a quote inside a quoted cell'
    if "expected after" in error:
        return 'text follows a closing quote; write "" for a quote inside a quoted cell'
    return f"cannot be read as CSV: {error}"
