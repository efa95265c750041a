"""Check digits of thousands of numbers at once: each digit's place is one byte string, summed as one integer."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Scheme(Enum):
    """How a number's digits, from the right, are weighed so that the sum ends in zero."""

    LUHN = "luhn"  # every second digit doubled, its digits added
    EAN = "ean"  # every second digit times three; EAN, UPC and GTIN


_PLAIN = bytes(max(0, byte - 48) if byte < 58 else 0 for byte in range(256))
_HEAVY = {
    Scheme.LUHN: bytes((byte - 48) * 2 - (9 if byte > 52 else 0) if 48 <= byte < 58 else 0 for byte in range(256)),
    Scheme.EAN: bytes((byte - 48) * 3 if 48 <= byte < 58 else 0 for byte in range(256)),
}
_FAILS = bytes(byte % 10 != 0 for byte in range(256))
LENGTHS = {
    Scheme.LUHN: frozenset(range(8, 29)),  # 28 places of at most 9 stay within a byte
    Scheme.EAN: frozenset({8, 12, 13, 14}),
}


def failing(numbers: Sequence[str], length: int, scheme: Scheme) -> bytes:
    """One byte a number, 1 where its check digit is wrong. All are ASCII digits of that ``length``.

    >>> failing(["4006381333931", "4006381333932"], 13, Scheme.EAN)
    b'\\x00\\x01'
    """
    digits = "".join(numbers).encode("ascii")
    total = 0
    for place in range(length):
        heavy = (length - place) % 2 == 0
        column = digits[place::length].translate(_HEAVY[scheme] if heavy else _PLAIN)
        total += int.from_bytes(column, "big")
    return total.to_bytes(len(numbers), "big").translate(_FAILS)
