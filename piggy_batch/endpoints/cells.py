"""What a cell of a manifest may hold, by its kind, and what is sent for it."""

from __future__ import annotations

import re
import unicodedata

from piggy_batch.models import Json, Kind
from piggy_batch.text import printable

TRUE_WORDS = frozenset({"true", "1", "yes"})
FALSE_WORDS = frozenset({"false", "0", "no"})
DELETIONS = ("DEFAULT", "GDPR")
_WHOLE = re.compile(r"[1-9][0-9]{0,11}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONEY = re.compile(r"([0-9]{1,9})[.,]([0-9]{2})")
_UNSAFE_IN_PATH = frozenset("/?#\\%")


def check_cell(kind: Kind, text: str) -> str | None:
    """What is wrong with a cell of that kind, in words that say what to write instead."""
    match kind:
        case Kind.TEXT | Kind.NAME:
            return "is only white space" if text.isspace() else None
        case Kind.PATH:
            return _check_path(text)
        case Kind.FLAG:
            if text.strip().casefold() in TRUE_WORDS | FALSE_WORDS:
                return None
            return f'"{printable(text)}" is neither true nor false; write true or false'
        case Kind.CENTS | Kind.CREDITS:
            return _check_whole(kind, text)
        case Kind.BALANCE:
            return None if text.strip("0") == "" else _check_whole(kind, text)
        case Kind.DIGITAL:
            return _check_type(text)
        case Kind.DELETION:
            if text.strip().upper() in DELETIONS:
                return None
            return f'"{printable(text)}" is no way to delete a contact; write {" or ".join(DELETIONS)}'
        case Kind.EMAIL:
            problem = check_email(text)
            return f'"{printable(text)}" {problem}' if problem else None


def _check_path(text: str) -> str | None:
    bad = sorted({c for c in text if c in _UNSAFE_IN_PATH or unicodedata.category(c).startswith("C")})
    if text.strip() in {"", ".", ".."}:
        return f'"{printable(text)}" cannot stand in an address'
    if bad:
        return f'"{printable(text)}" holds {", ".join(repr(c) for c in bad)}, which cannot stand in an address'
    return None


def _check_whole(kind: Kind, text: str) -> str | None:
    if _WHOLE.fullmatch(text):
        return None
    unit = "cents" if kind is Kind.CENTS else "credits"
    money = _MONEY.fullmatch(text)
    if money and kind is Kind.CENTS:
        return f'"{text}" is not a whole number of cents; write {int(money[1] + money[2])}'
    if text.lstrip("-").strip("0") == "":
        return f'"{printable(text)}" {unit} would move nothing; write a number from 1 up, or leave the row out'
    if text.startswith("-"):
        return f'"{printable(text)}" is negative; this command only adds {unit}'
    return f'"{printable(text)}" is not a whole number of {unit}; write digits only'


def _check_type(text: str) -> str | None:
    word = text.strip().upper()
    if word in {"1", "DIGITAL"}:
        return None
    if word in {"0", "PHYSICAL"}:
        return f'"{printable(text)}" asks for a physical card; the service makes digital ones only (type 1)'
    return f'"{printable(text)}" is no giftcard type; write 1'


def parse_cell(kind: Kind, text: str) -> Json:
    """The value that is sent for a cell that passed :func:`check_cell`."""
    match kind:
        case Kind.TEXT | Kind.NAME | Kind.PATH:
            return text
        case Kind.FLAG:
            return text.strip().casefold() in TRUE_WORDS
        case Kind.CENTS | Kind.CREDITS | Kind.BALANCE:
            return int(text)
        case Kind.DIGITAL:
            return 1
        case Kind.DELETION:
            return text.strip().upper()
        case Kind.EMAIL:
            return text.strip()


_ADDRESS = re.compile(r"[^@\s,;<>()\"]+@[^@\s,;<>()\"]+\.[^@\s,;<>()\".]+")
_PHONE = re.compile(r"\+?[0-9][0-9 ().\-]{5,}[0-9]")
# The vendor's own advice for customers without an address was PHONE@piggy.nl (observed in its support pages).
_MADE_UP_DOMAINS = frozenset({"piggy.nl"})


def identity_of(email: str) -> str:
    """What makes an address unique: itself, trimmed and in lower case."""
    return email.strip().lower()


def kept_form(text: str) -> str:
    """What is left of a text that a service keeps without outer space and in the usual Unicode form (NFC)."""
    return unicodedata.normalize("NFC", text).strip()


def stands_for(asked: str, shown: Json) -> bool:
    """Whether a value that an answer shows can be what was sent as ``asked``: the service keeps numbers, flags and
    moments of its attributes in forms of its own."""
    if isinstance(shown, bool):
        return asked.strip().casefold() in (TRUE_WORDS if shown else FALSE_WORDS)
    if isinstance(shown, int | float):
        try:
            return float(asked) == shown
        except ValueError:
            return False
    if not isinstance(shown, str):
        return False
    return kept_form(shown) == kept_form(asked) or _is_day_of(kept_form(asked), shown)


def _is_day_of(day: str, moment: str) -> bool:
    """Whether a moment is the beginning of a day: ``1985-02-28T00:00:00+00:00`` of ``1985-02-28``."""
    return bool(_DAY.fullmatch(day)) and moment.startswith((f"{day}T00:00:00", f"{day} 00:00:00"))


def check_email(text: str) -> str | None:
    """What is wrong with the address, in words that say what to write instead; None where nothing is."""
    address = text.strip()
    if any(unicodedata.category(c).startswith("C") for c in address):
        return "holds an invisible character; type the address anew"
    if _ADDRESS.fullmatch(address):
        return None
    if _PHONE.fullmatch(address):
        return "is a phone number, not an e-mail address; leave the cell blank"
    return "is not an e-mail address"


def is_made_up(email: str) -> bool:
    """Whether an address looks invented for a customer who has none: two lists may invent it differently,
    and no mail to it arrives."""
    name, _, domain = identity_of(email).rpartition("@")
    return domain in _MADE_UP_DOMAINS or _PHONE.fullmatch(name) is not None
