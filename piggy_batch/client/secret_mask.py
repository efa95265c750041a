"""The token taken out of what comes in: a gateway's debug page, an error text, a redirect may repeat the request.

Every answer and every lost one passes here before it is stored or shown. Found is the token as it is, percent-encoded,
in Base64 (also behind other text, as in ``Bearer …``) or hexadecimal, with the escapes of JSON and programs or a page's
entities, each of these more than once too, cut by line ends, and with spaces where it has plus signs.
"""

from __future__ import annotations

import base64
import json
import re
from functools import cached_property
from html.entities import html5
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from piggy_batch.client.spelled_text import SpelledText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from piggy_batch.models import Json

MASK = "[token]"
SHORTEST = 10  # characters; the tokens of a rehearsal, such as "sandbox", are words that answers may hold
_LINE_ENDS = (b"\n", b"\r", b"\\n", b"\\r", b"\\t")  # as they are, and as JSON writes them
PIECE = 256 * 1024  # bytes of a body that are decoded at once
LONGEST = 256 * 1024  # characters of a text that is searched; a longer one that may hold the token goes as a whole
LAYERS = 3  # of one spelling in another: an address in an address in an address
_HIDDEN = re.compile(rb"\\(?:u00|x)[2-7]")  # characters that need no such escape
_LINE_ESCAPES = re.compile(rb"(?<!\\)\\+[nrt]")  # looked for once in a run of backslashes, however long it is
_BACKSLASHES = re.compile(rb"\\+(?=\W)")
_ENTITY = re.compile(rb"&(?:amp;)*(?:#(?:[xX]0*([0-9a-fA-F]{2})|0*(\d{2,3}))|([a-zA-Z]{2,8}));")


class SecretMask:
    """Knows one secret. One that is shorter than ``SHORTEST`` is not looked for."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._spellings = tuple(_spellings(secret)) if len(secret) >= SHORTEST else ()
        reduced = (SpelledText(one).reduced().text for one in self._spellings)
        found = [one.encode("utf-8", "surrogatepass") for one in (*self._spellings, *reduced)]
        found += [json.dumps(one)[1:-1].encode() for one in self._spellings]
        found += [needle.replace(b"/", rb"\/") for needle in found]  # as PHP's JSON has it
        self._needles = tuple(dict.fromkeys(found))

    def may_be_in(self, content: bytes) -> bool:
        """Whether the secret may stand in an answer's body; quick, as every body is asked."""
        if not self._needles:
            return False
        if b"\0" in content:  # UTF-16 or UTF-32
            return True
        if (b"\\u00" in content or b"\\x" in content) and _HIDDEN.search(content):
            return True
        if self._is_in(content):
            return True
        if "+" in self._secret or any(end in content for end in _LINE_ENDS):
            content = content.translate(None, b" \t\r\n\f\v")
            content = _without_line_escapes(content)
        if b"\\\\" in content:
            content = _BACKSLASHES.sub(b"", content)
        if b"&" in content:
            content = _ENTITY.sub(_character, content)
        return self._is_in(content) or (b"%" in content and any(map(self._is_in, self._unquoted(content))))

    def _is_in(self, content: bytes) -> bool:
        return any(needle in content for needle in self._needles)

    def _unquoted(self, content: bytes) -> Iterator[bytes]:
        """``content`` without percent-encoding, in pieces that overlap by the longest needle: a body of nothing but
        percent signs is to take no more memory than another."""
        overlap = (1 + 2 * LAYERS) * max(map(len, self._needles))
        for start in range(0, len(content), PIECE):
            piece = content[start : start + PIECE + overlap]
            for _ in range(LAYERS):
                piece = unquote_to_bytes(piece)
                yield _ENTITY.sub(_character, piece) if b"&" in piece else piece
                if b"%" not in piece:
                    break

    def text(self, text: str) -> str:
        """``text`` with :data:`MASK` in place of the secret."""
        if not self.may_be_in(text.encode("utf-8", "surrogatepass")):
            return text
        if len(text) > LONGEST:
            return MASK
        found: list[tuple[int, int]] = []
        read = SpelledText(text)
        for _ in range(LAYERS + 1):
            found += (read.source(*match.span()) for match in self._pattern.finditer(read.text))
            text_before, read = read.text, read.reduced()
            if read.text == text_before:
                break
        return _without(text, found)

    def json(self, value: Json) -> Json:
        """``value`` with every text in it masked, and every whole number that holds the secret."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.json(item) for item in value]
            case dict():
                return {self.text(key): self.json(item) for key, item in value.items()}
            case int() if not isinstance(value, bool) and self._secret.isdecimal() and self._secret in str(value):
                return MASK
            case _:
                return value

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        wanted = {form for one in self._spellings for form in (one, SpelledText(one).reduced().text)}
        return re.compile("|".join(map(re.escape, sorted(wanted, key=len, reverse=True))))


def _spellings(secret: str) -> Iterator[str]:
    """The secret; what is certain of its Base64 at each of the three places where it may begin in a group; its bytes in
    hexadecimal; and what is left of it where a reader of forms has taken plus signs for spaces."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    for shift, lead in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        certain = encoded[lead : (shift + len(raw)) * 8 // 6]
        yield certain
        if (other := certain.translate(str.maketrans("+/", "-_"))) != certain:
            yield other
    yield raw.hex()
    yield raw.hex().upper()
    without = secret.replace("+", "")
    if len(without) >= SHORTEST:
        yield without


def _without_line_escapes(content: bytes) -> bytes:
    """``content`` without the line ends that JSON spells, or JSON in JSON."""
    if b"\\\\" in content:
        return _LINE_ESCAPES.sub(b"", content)
    for escape in _LINE_ENDS[2:]:  # much the quicker way
        content = content.replace(escape, b"")
    return content


def _character(entity: re.Match[bytes]) -> bytes:
    if entity[3]:
        named = html5.get(f"{entity[3].decode()};", "")
        return named.encode() if named.isascii() and named else entity[0]
    number = int(entity[1], 16) if entity[1] else int(entity[2])
    return bytes([number]) if number < 256 else entity[0]


def _without(text: str, places: list[tuple[int, int]]) -> str:
    """``text`` with :data:`MASK` in these places, which may overlap."""
    parts, at = [], 0
    for start, end in sorted(places):
        if start >= at:
            parts += [text[at:start], MASK]
        at = max(at, end)
    return "".join((*parts, text[at:]))
