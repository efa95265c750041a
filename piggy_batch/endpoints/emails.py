"""Rules for e-mail addresses: what makes two of them one customer, and which look made up. Pure."""

from __future__ import annotations

import re
import unicodedata

_ADDRESS = re.compile(r"[^@\s,;<>()\"]+@[^@\s,;<>()\"]+\.[^@\s,;<>()\".]+")
_PHONE = re.compile(r"\+?[0-9][0-9 ().\-]{5,}[0-9]")
# The vendor's own advice for customers without an address was PHONE@piggy.nl (observed in its support pages).
_MADE_UP_DOMAINS = frozenset({"piggy.nl"})


def identity_of(email: str) -> str:
    """What makes an address unique: itself, trimmed and in lower case."""
    return email.strip().lower()


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
