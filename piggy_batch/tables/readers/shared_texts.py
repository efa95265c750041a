"""How much text the cells of an xlsx come to: each text is kept once in the file, and a few bytes name it in a cell."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

TEXTS = "sharedstrings.xml"  # its case does not matter to the reader
MAX_TEXT = 1 << 30  # bytes of all cells together; the reader copies a text for each

_OVERLAP = 4096
_ITEM = re.compile(rb"<(?:\w{1,9}:)?si[\s/>]")
_NAMED = re.compile(rb"""\bt\s*=\s*["']s["']""")
_USUAL = b' t="s"'
_VALUE = re.compile(rb"""\bt\s*=\s*["']s["'][^<>]{0,600}>\s*<(?:\w{1,9}:)?v[^<>]{0,200}>\s*(\d{1,9})\s*<""")


class SharedTexts:
    """Counted while the members of a workbook pass by, in any order; :meth:`bytes_of_cells` then tells."""

    def __init__(self) -> None:
        self._lengths = array("L")
        self._cells = 0

    def watch(self, name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Pass the pieces of a member on."""
        if name.casefold().endswith(TEXTS):
            return self._measure(pieces)
        return self._count(pieces)

    def bytes_of_cells(self, members: Callable[[], Iterable[tuple[str, Iterator[bytes]]]]) -> int:
        """At most so many bytes of shared text stand in all cells. ``members`` are read again only where the longest
        text in every such cell would be too much."""
        longest = max(self._lengths, default=0)
        if longest * self._cells <= MAX_TEXT:
            return longest * self._cells
        total, left = 0, self._cells
        for name, pieces in members():
            if name.casefold().endswith(TEXTS):
                continue
            tail = b""
            for piece in pieces:
                text = tail + piece
                for found in _VALUE.finditer(text):
                    if found.end() > len(tail):  # the others are counted already
                        number = int(found[1])
                        total += self._lengths[number] if number < len(self._lengths) else 0
                        left -= 1
                tail = text[-_OVERLAP:]
            if total > MAX_TEXT:
                break
        return total + max(0, left) * longest  # cells that are written so that they were not met again

    def _measure(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Note how long each text is, by where the next one begins."""
        at, begun, tail = 0, -1, b""
        for piece in pieces:
            text = tail + piece
            start = at - len(tail)
            for found in _ITEM.finditer(text):
                if found.end() > len(tail):
                    if begun >= 0:
                        self._lengths.append(start + found.start() - begun)
                    begun = start + found.start()
            at += len(piece)
            tail = text[-16:]
            yield piece
        if begun >= 0:
            self._lengths.append(at - begun)

    def _count(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        tail = b""
        for piece in pieces:
            text = tail + piece
            if b"'" in text or b" =" in text or b"= " in text:  # it may be written otherwise than programs do
                self._cells += sum(found.end() > len(tail) for found in _NAMED.finditer(text))
            else:
                self._cells += text.count(_USUAL) - tail.count(_USUAL)
            tail = text[-64:]
            yield piece
