"""The token taken out of what comes in: a gateway's debug page, an error text, a redirect may repeat the request.

Every answer and every lost one passes here before it is stored or shown. Found is the token as it is,
percent-encoded (more than once, too), in Base64 (also behind other text, as in ``Bearer …``), with JSON's escapes or
a page's entities, and cut by line ends.
"""

from __future__ import annotations

import base64
import re
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from piggy_batch.models import Json

MASK = "[token]"
SHORTEST = 10  # characters; the tokens of a rehearsal, such as "sandbox", are words that answers may hold
_LINE_ENDS = (b"\n", b"\r", b"\\n", b"\\r", b"\\t")  # as they are, and as JSON writes them
PIECE = 256 * 1024  # bytes
LAYERS = 3  # of percent-encoding: an address in an address in an address
_HIDDEN = re.compile(rb"\\u00[2-7]")  # characters that need no such escape
_ENTITY = re.compile(rb"&#(?:[xX]0*([0-9a-fA-F]{2})|0*(\d{2,3}));")
_GAP = r"(?:\s|\\[nrt])*"


class SecretMask:
    """Knows one secret. One that is shorter than ``SHORTEST`` is not looked for."""

    def __init__(self, secret: str) -> None:
        self._spellings = tuple(_spellings(secret)) if len(secret) >= SHORTEST else ()
        escaped = {spelling.replace(b"/", rb"\/") for spelling in self._spellings}  # as PHP's JSON has it
        self._needles = (*self._spellings, *(escaped - {*self._spellings}))

    def may_be_in(self, content: bytes) -> bool:
        """Whether the secret may stand in an answer's body; quick, as every body is asked."""
        if not self._needles:
            return False
        if b"\0" in content[:4]:  # UTF-16 or UTF-32
            return True
        if b"\\u00" in content and _HIDDEN.search(content):
            return True
        if any(end in content for end in _LINE_ENDS):
            content = content.translate(None, b" \t\r\n\f\v")
            for escape in _LINE_ENDS[2:]:
                content = content.replace(escape, b"")
        if b"&#" in content:
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
                yield piece
                if b"%" not in piece:
                    break

    def text(self, text: str) -> str:
        """``text`` with :data:`MASK` in place of the secret."""
        if not self.may_be_in(text.encode("utf-8", "surrogatepass")):
            return text
        return self._pattern.sub(MASK, text)

    def json(self, value: Json) -> Json:
        """``value`` with every text in it masked."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.json(item) for item in value]
            case dict():
                return {self.text(key): self.json(item) for key, item in value.items()}
            case _:
                return value

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Made only once something was found: that of a long token is large."""
        needles = (_GAP.join(map(_spelt, needle.decode("ascii"))) for needle in self._spellings)
        return re.compile("|".join(needles))


def _spellings(secret: str) -> Iterator[bytes]:
    """The secret, and what is certain of its Base64 at each of the three places where it may begin in a group."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield raw
    for shift, lead in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * shift + raw)
        certain = encoded[lead : (shift + len(raw)) * 8 // 6]
        yield certain
        if (other := certain.translate(bytes.maketrans(b"+/", b"-_"))) != certain:
            yield other


def _character(entity: re.Match[bytes]) -> bytes:
    number = int(entity[1], 16) if entity[1] else int(entity[2])
    return bytes([number]) if number < 256 else entity[0]


def _spelt(character: str) -> str:
    """A pattern for one character, however it is written."""
    code = f"{ord(character):02x}"
    hexadecimal = "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in code)
    ways = [re.escape(character), f"%(?:25)*{hexadecimal}", rf"\\u00{hexadecimal}"]
    if not character.isalnum():  # as pages write it
        ways += [f"&#0*{ord(character)};", f"&#[xX]0*{hexadecimal};"]
    if character == "/":
        ways.append(r"\\/")
    return f"(?:{'|'.join(ways)})"
