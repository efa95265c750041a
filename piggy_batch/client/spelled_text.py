"""Text without the ways in which programs spell characters, and where each character of it stood."""

from __future__ import annotations

import re
from bisect import bisect_right
from html.entities import html5
from typing import NamedTuple

_SPELT = re.compile(
    r"[\s\0\ufeff]+"  # cut into lines, or in UTF-16
    r"|\\+[nrt]"  # line ends as JSON writes them
    r"|\\+(?:u00|x)(?P<escaped>[0-9a-fA-F]{2})"
    r"|%(?:25)*(?P<percent>[0-9a-fA-F]{2})"
    r"|&(?:amp;)*(?:#[xX]0*(?P<hexadecimal>[0-9a-fA-F]{1,2})|#0*(?P<decimal>[0-9]{1,3})|(?P<named>[a-zA-Z]{2,8}));"
    r"|\\+(?=\W)"
    r"|(?P<backslashes>\\{2,})"
)


class _Segment(NamedTuple):
    """A stretch that stands as it is, or one character that was spelt in another way."""

    at: int
    start: int  # in the text that it was read from
    end: int
    is_plain: bool


class SpelledText:
    """A text; :meth:`reduced` reads it once: escapes, entities and percent-encoding become the characters that they
    stand for, white space and escaped line ends are left out. :meth:`source` leads back to the text begun with."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._from: SpelledText | None = None
        self._segments: list[_Segment] = []
        self._places: list[int] = []

    def reduced(self) -> SpelledText:
        """The text read once more."""
        parts: list[str] = []
        found = SpelledText("")
        found._from = self
        at = done = 0
        for match in _SPELT.finditer(self.text):
            for start, end, read, is_plain in (
                (done, match.start(), self.text[done : match.start()], True),
                (*match.span(), _read(match), False),
            ):
                if read:
                    parts.append(read)
                    found._segments.append(_Segment(at, start, end, is_plain))
                    at += len(read)
            done = match.end()
        parts.append(self.text[done:])
        found._segments.append(_Segment(at, done, len(self.text), is_plain=True))
        found._places = [segment.at for segment in found._segments]
        found.text = "".join(parts)
        return found

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters from ``start`` to before ``end`` stood in the text begun with."""
        if self._from is None:
            return start, end
        first, last = self._segment(start), self._segment(end - 1)
        begins = first.start + (start - first.at if first.is_plain else 0)
        ends = last.start + (end - last.at) if last.is_plain else last.end
        return self._from.source(begins, ends)

    def _segment(self, place: int) -> _Segment:
        return self._segments[bisect_right(self._places, place) - 1]


def _read(spelt: re.Match[str]) -> str:
    """The character that is spelt so; nothing for what only stands between characters."""
    code = spelt["escaped"] or spelt["percent"] or spelt["hexadecimal"]
    if code:
        return chr(int(code, 16))
    if spelt["decimal"]:
        return chr(int(spelt["decimal"]))
    if spelt["named"]:
        return html5.get(f"{spelt['named']};", spelt[0])
    return "\\" if spelt["backslashes"] else ""
