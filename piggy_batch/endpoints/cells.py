"""What a cell of a manifest may hold, by its kind, and what is sent for it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from piggy_batch.models import Json, Kind
from piggy_batch.text import printable

TRUE_WORDS = frozenset({"true", "1", "yes"})
FALSE_WORDS = frozenset({"false", "0", "no"})
DELETIONS = ("DEFAULT", "GDPR")
_WHOLE = re.compile(r"[1-9][0-9]{0,11}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONEY = re.compile(r"([0-9]{1,9})[.,]([0-9]{2})")
_NO_BALANCE = frozenset("0" * length for length in range(13))
_UNSAFE_IN_PATH = frozenset("/?#\\%")


@dataclass(frozen=True, slots=True)
class CellProblem:
    """What is wrong with a cell. ``reason`` is the same for every cell of which the same is to be said."""

    reason: str
    shown: str | None = None  # the cell
    detail: str = ""  # what of it; in the place of the reason
    advice: str = ""  # what to write instead

    def __str__(self) -> str:
        cell = "" if self.shown is None else f'"{printable(self.shown)}" '
        return f"{cell}{self.detail or self.reason}{f'; {self.advice}' if self.advice else ''}"


def check_cell(kind: Kind, text: str) -> CellProblem | None:
    """What is wrong with a cell of that kind, in words that say what to write instead."""
    match kind:
        case Kind.TEXT | Kind.NAME:
            return CellProblem("is only white space") if text.isspace() else None
        case Kind.PATH:
            return _check_path(text)
        case Kind.FLAG:
            if text.strip().casefold() in TRUE_WORDS | FALSE_WORDS:
                return None
            return CellProblem("is neither true nor false", text, advice="write true or false")
        case Kind.CENTS | Kind.CREDITS:
            return _check_whole(kind, text)
        case Kind.BALANCE:
            return None if text in _NO_BALANCE else _check_whole(kind, text)
        case Kind.DIGITAL:
            return _check_type(text)
        case Kind.DELETION:
            if text.strip().upper() in DELETIONS:
                return None
            return CellProblem("is no way to delete a contact", text, advice=f"write {' or '.join(DELETIONS)}")
        case Kind.EMAIL:
            return check_email(text)


def _check_path(text: str) -> CellProblem | None:
    bad = sorted({c for c in text if c in _UNSAFE_IN_PATH or unicodedata.category(c).startswith("C")})
    if text.strip() in {"", ".", ".."}:
        return CellProblem("cannot stand in an address", text)
    if bad:
        detail = f"holds {', '.join(repr(c) for c in bad)}, which cannot stand in an address"
        return CellProblem("holds signs that cannot stand in an address", text, detail)
    return None


def _check_whole(kind: Kind, text: str) -> CellProblem | None:
    if _WHOLE.fullmatch(text):
        return None
    unit = "cents" if kind is Kind.CENTS else "credits"
    money = _MONEY.fullmatch(text)
    no_whole = f"is not a whole number of {unit}"
    if money and kind is Kind.CENTS:
        return CellProblem(no_whole, text, advice=f"write {int(money[1] + money[2])}")
    if text.lstrip("-").strip("0") == "":
        advice = "write a number from 1 up, or leave the row out"
        return CellProblem(f"{unit} would move nothing", text, advice=advice)
    if text.startswith("-"):
        return CellProblem("is negative", text, advice=f"this command only adds {unit}")
    return CellProblem(no_whole, text, advice="write digits only")


def _check_type(text: str) -> CellProblem | None:
    word = text.strip().upper()
    if word in {"1", "DIGITAL"}:
        return None
    if word in {"0", "PHYSICAL"}:
        advice = "the service makes digital ones only (type 1)"
        return CellProblem("asks for a physical card", text, advice=advice)
    return CellProblem("is no giftcard type", text, advice="write 1")


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


def check_email(text: str) -> CellProblem | None:
    """What is wrong with the address, in words that say what to write instead; None where nothing is."""
    address = text.strip()
    if any(unicodedata.category(c).startswith("C") for c in address):
        return CellProblem("holds an invisible character", text, advice="type the address anew")
    if _ADDRESS.fullmatch(address):
        return None
    if _PHONE.fullmatch(address):
        return CellProblem("is a phone number, not an e-mail address", text, advice="leave the cell blank")
    return CellProblem("is not an e-mail address", text)


def is_made_up(email: str) -> bool:
    """Whether an address looks invented for a customer who has none: two lists may invent it differently,
    and no mail to it arrives."""
    name, _, domain = identity_of(email).rpartition("@")
    return domain in _MADE_UP_DOMAINS or _PHONE.fullmatch(name) is not None
