"""Numbers dressed as uuids and giftcard hashes, and back, without an index in memory.

A million seeded cards need no table: a uuid or a hash is computed from the card's number, and the number from
it.
"""

from __future__ import annotations

from datetime import UTC, datetime

_MASK = (1 << 64) - 1
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SPACE = 36**9  # hashes of digital cards are 9 characters (WOO, observed)
_STEP = 73_908_273_645_173 | 1
while _STEP % 3 == 0:
    _STEP += 2
_BACK = pow(_STEP, -1, _SPACE)


def mix(value: int) -> int:
    """A well-spread 64-bit number for any number, the same in every process."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def iso(moment: float) -> str:
    """``YYYY-MM-DDTHH:MM:SS+00:00``: UTC, no fraction, no Z (PROBE: the SDK refuses anything else)."""
    return datetime.fromtimestamp(int(moment), UTC).isoformat()


class Ids:
    """The identities of one account.

    ``bare`` gives uuids that are only digits, as captured ones may be (POST).
    """

    def __init__(self, seed: int, *, bare: bool = False) -> None:
        self._salt = mix(seed)
        self._bare = bare

    def uuid(self, kind: str, number: int) -> str:
        """The uuid of the ``number``-th thing of a kind; ``number`` counts from 1."""
        if self._bare:
            return str(number)
        head = mix(mix(self._salt ^ ord(kind)) + number)
        tail = self._tail(kind, number)
        word = f"{head:016x}"
        return f"{word[:8]}-{word[8:12]}-4{word[12:15]}-a{word[13:16]}-{tail:012x}"

    def _tail(self, kind: str, number: int) -> int:
        """The last twelve digits of a uuid from its number, and the number from them."""
        return (number ^ self._salt ^ ord(kind)) & 0xFFFF_FFFF_FFFF

    def number(self, kind: str, uuid: str) -> int:
        """The number behind a uuid of this account and kind, 0 for any other text."""
        try:
            number = int(uuid) if self._bare else self._tail(kind, int(uuid[-12:], 16))
        except ValueError:
            return 0
        return number if number > 0 and self.uuid(kind, number) == uuid else 0

    def hash(self, number: int) -> str:
        """Nine characters, upper case, a different text for every number."""
        rest = (number * _STEP + self._salt) % _SPACE
        out = ""
        for _ in range(9):
            rest, digit = divmod(rest, 36)
            out = _ALPHABET[digit] + out
        return out

    def number_of_hash(self, text: str) -> int:
        """The number behind a hash, 0 for a text that no number has."""
        if len(text) != 9 or not text.isascii() or not text.isalnum() or text != text.upper():
            return 0
        return (int(text, 36) - self._salt) * _BACK % _SPACE
