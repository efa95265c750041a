"""What a workbook's number format adds to a number that is not in the file: zeros in front, a prefix, hyphens.

Only formats that change how a card number reads are of interest; dates, percentages, decimals and thousands are not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]|(General)|(.)', re.DOTALL | re.IGNORECASE)
_PLACES = frozenset("0#?")
_NO_NUMBER = frozenset("ymdhsYMDHSeE%.")  # dates, times, exponents, percentages and decimals
MAX_CODE = 255  # characters; what a spreadsheet takes


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """The signs of a format from left to right: ``0 # ?`` for a digit, ``@`` for text, all else as it stands."""

    signs: tuple[tuple[str, bool], ...]  # (sign, whether it stands for a digit or for the text)

    def show(self, text: str) -> str | None:
        """What a person sees of a cell with that text; None where it is the text itself, or cannot be told."""
        places = sum(place and sign in _PLACES for sign, place in self.signs)
        if not places:
            shown = "".join(text if place else sign for sign, place in self.signs)
            return shown if ("@", True) in self.signs and shown != text else None
        digits = text.lstrip("-")
        if not (digits.isascii() and digits.isdigit()):
            return None
        rest = iter(digits[max(0, len(digits) - places) :].rjust(places, "\0"))
        found: list[str] = []
        begun = False
        for sign, place in self.signs:
            if not place:
                found.append(sign)
                continue
            if not begun:
                found.append(digits[: max(0, len(digits) - places)])
                begun = True
            digit = next(rest)
            found.append({"0": "0", "?": " "}.get(sign, "") if digit == "\0" else digit)
        shown = ("-" if text.startswith("-") else "") + "".join(found)
        return shown if shown.strip() != text else None


def parse_format(code: str) -> NumberFormat | None:
    """The format as signs; None for one that adds nothing to a whole number or a text.

    >>> parse_format("00000").show("12"), parse_format('"KA-"000000').show("12"), parse_format("#,##0")
    ('00012', 'KA-000012', None)
    """
    signs: list[tuple[str, bool]] = []
    for quoted, escaped, currency, general, sign in _TOKEN.findall(_section(code[:MAX_CODE])):
        literal = quoted or escaped or currency
        if literal:
            signs += [(one, False) for one in literal]
        elif general:
            signs.append(("#", True))
        elif sign in _NO_NUMBER:
            return None
        elif sign in _PLACES or sign == "@":
            signs.append((sign, True))
        elif sign and sign != ",":
            signs.append((sign, False))
    adds = any(not place and not sign.isspace() for sign, place in signs)
    zeros = sum(place and sign == "0" for sign, place in signs)
    digits = any(place for _, place in signs)
    return NumberFormat(tuple(signs)) if digits and (adds or zeros > 1) else None


def _section(code: str) -> str:
    """The part of a format that is for positive numbers: up to the first semicolon that is not quoted."""
    quoted = False
    for index, sign in enumerate(code):
        if sign == '"':
            quoted = not quoted
        elif sign == ";" and not quoted and code[index - 1 : index] != "\\":
            return code[:index]
    return code
