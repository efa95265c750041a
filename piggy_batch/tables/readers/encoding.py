"""Which encoding a text file has: settled for the whole file before the first row is read."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.tables.readers.source import MAX_CELL

if TYPE_CHECKING:
    from piggy_batch.tables.readers.source import Source

MAX_LINE = MAX_CELL  # characters; a longer line is no row of any list

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BOTH_ENDS = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_ASCII = bytes(range(128))
_DEFINED_1252 = bytes(byte for byte in range(256) if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D})


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec that decodes the whole file; the byte order mark, if any, is still there as U+FEFF."""

    codec: str
    notes: tuple[str, ...] = ()


def settle(source: Source, wanted: str | None = None) -> Encoding:
    """The encoding of a text file, checked to the last byte in bounded memory.

    ``wanted`` overrules detection, though a byte order mark still tells the byte order. Raises SetupError
    where the bytes are not text in it, naming the line; where they are no text at all; and where a line
    has no end.
    """
    head = source.head()
    mark = next((codec for bom, codec in _MARKS if head.startswith(bom)), None)
    if wanted is not None:
        codec = _known(wanted)
        if mark and codec.split("-")[:2] == mark.split("-")[:2]:
            codec = mark
        _check(source, _BOTH_ENDS.get(codec, codec), f"--encoding {wanted}")
        return Encoding(_BOTH_ENDS.get(codec, codec))
    if mark:
        _check(source, mark, f"its byte order mark says {mark}")
        return Encoding(mark)
    if wide := _unmarked_utf16(head):
        _check(source, wide, f"it looks like {wide}")
        return Encoding(wide, (f"no byte order mark; read as {wide}",))
    offset = _first_fault(source, "utf-8")
    return Encoding("utf-8") if offset is None else _single_byte(source, offset)


def _known(name: str) -> str:
    try:
        "".encode(name)  # refuses the codecs that are no text encodings
        return codecs.lookup(name).name.replace("_", "-")
    except (LookupError, ValueError):
        known = "utf-8, utf-16, cp1252, latin-1 or cp850"
        raise SetupError(f'--encoding "{name}" is unknown; use {known}') from None


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 without its mark: in Western text every other byte is zero."""
    if head.count(0) < len(head) * 0.3 or len(head) < 4:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > 10 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 10 * odd else None


def _check(source: Source, codec: str, why: str) -> None:
    offset = _first_fault(source, codec)
    if offset is not None:
        line = _line_at(source, offset, codec)
        raise SetupError(f"{source.where}, line {line}: is no {codec} text ({why}); pass another --encoding")


def _first_fault(source: Source, codec: str) -> int | None:
    """The offset of the byte where the file stops being text in ``codec``; None: nowhere."""
    decoder = codecs.getincrementaldecoder(codec)()
    narrow = not codec.startswith(("utf-16", "utf-32"))
    plain = codec in {"utf-8", "cp1252", "iso8859-1", "ascii"}  # ASCII stands for itself
    lines = _LineGuard(source.where)
    read = 0
    for chunk in source.chunks():
        if narrow and 0 in chunk:
            raise SetupError(f"{source.where}: holds zero bytes and so is no text; is it really a CSV file?")
        pending = len(decoder.getstate()[0])
        if plain and not pending and chunk.isascii():
            lf, cr = chunk.rfind(b"\n"), chunk.rfind(b"\r")
            lines.watch(chunk.find(b"\n"), chunk.find(b"\r"), max(lf, cr), len(chunk))
        else:
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return read - pending + error.start
            last = max(text.rfind("\n"), text.rfind("\r"))
            lines.watch(text.find("\n"), text.find("\r"), last, len(text))
        read += len(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return read - len(decoder.getstate()[0])
    return None


class _LineGuard:
    """Refuses a line without end before anything reads it whole."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._run = 0

    def watch(self, first_lf: int, first_cr: int, last: int, size: int) -> None:
        first = min((found for found in (first_lf, first_cr) if found >= 0), default=size)
        if self._run + first > MAX_LINE:
            raise SetupError(f"{self._where}: a line is longer than {MAX_LINE:,} characters; is this a table?")
        self._run = self._run + size if last < 0 else size - last - 1


def _single_byte(source: Source, offset: int) -> Encoding:
    """cp1252, or latin-1 for bytes that cp1252 leaves undefined; never for UTF-8 with a few bad bytes."""
    good = bad = 0
    undefined = False
    for chunk in source.chunks():
        if chunk.isascii():
            continue
        undefined = undefined or bool(chunk.translate(None, _DEFINED_1252))
        pairs = _MULTIBYTE.findall(chunk)
        good += len(pairs)
        bad += len(chunk.translate(None, _ASCII)) - sum(map(len, pairs))
    if good > bad:
        line = _line_at(source, offset, "utf-8")
        raise SetupError(
            f"{source.where}, line {line}: is not UTF-8 although most of the file is; mend that line, "
            "or pass --encoding to read all of it otherwise"
        )
    codec, notes = "cp1252", ["not UTF-8; read as cp1252 (Windows): check the accents, or pass --encoding"]
    if undefined:
        codec = "latin-1"
        notes = ["neither UTF-8 nor cp1252; read as latin-1: check the accents, an old till may have written cp850"]
    return Encoding(codec, tuple(notes))


def _line_at(source: Source, offset: int, codec: str) -> int:
    """The line in which a byte stands, from 1, as an editor counts; bytes before it decode in ``codec``."""
    decoder = codecs.getincrementaldecoder(codec)(errors="replace")
    line, left, last = 1, offset, ""
    for chunk in source.chunks():
        text = last + decoder.decode(chunk[:left])
        last = "\r" if text.endswith("\r") else ""
        text = text[: len(text) - len(last)]
        line += text.count("\n") + text.count("\r") - text.count("\r\n")
        left -= len(chunk)
        if left <= 0:
            break
    return line + len(last)
