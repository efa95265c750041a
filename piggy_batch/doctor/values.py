"""What can be said of a single value, and its normal form."""

from __future__ import annotations

import re
import unicodedata

from piggy_batch.doctor import catalogue
from piggy_batch.doctor.catalogue import Rule

_SPACE = " \t\r\n"
_UNSEEN = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u180e\u2000-\u200f"
    "\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
INVISIBLE = re.compile(f"[{_UNSEEN}]")
_ANY_SPACE = re.compile(f"[{_UNSEEN}\\s]+")
_WRAPPED = re.compile(r'=\s*"([^"]*)"|"=""([^"]*)"""|\'([0-9A-Za-z_-]+)\'?', re.DOTALL)
_SPREADSHEET_NUMBER = re.compile(r"[+-]?\d(?:[.,]\d+)?[eE]\+\d{2,3}", re.ASCII)
_LIKE_A_NUMBER = re.compile(r"\d+(?:[.,]\d+)?[eE][+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"(\d+)[.,]0+", re.ASCII)
_ERRORS = re.compile(
    r"#(?:N/?A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|N/B|VERW!|WAARDE!|NAAM\?|DEEL/0!|GETAL!|LEEG!)"
    r"|#{3,}|Err:5\d\d",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[^@\s<>,;:\"()]+@(?:[^@\s.<>,;:\"()/]+\.)+[^@\s.<>,;:\"()/\d][^@\s.<>,;:\"()/]+")

Damage = tuple[Rule, str]  # what it is, and what the value may have been


def looks_scientific(value: str) -> bool:
    """Whether a value could be a number in scientific notation, or a code that happens to look so."""
    return _LIKE_A_NUMBER.fullmatch(value) is not None


def unwrapped(value: str) -> str:
    """The value without ``="..."`` or the apostrophe in front; unchanged without them."""
    match = _WRAPPED.fullmatch(value)
    return next(part for part in match.groups() if part is not None) if match else value


def undecimal(value: str) -> str:
    """Digits without a trailing ``.0``; unchanged where there is none."""
    match = _DECIMAL.fullmatch(value)
    return match[1] if match else value


def trimmed(value: str) -> str:
    """The value without invisible characters (non-breaking spaces inside become spaces) and outer space."""
    if INVISIBLE.search(value):
        value = INVISIBLE.sub("", value.replace("\u00a0", " ").replace("\u202f", " "))
    return value.strip(_SPACE)


def without_spaces(value: str) -> str:
    """The value without any white space."""
    return _ANY_SPACE.sub("", value)


def normal_form(value: str) -> str:
    """What two values share that differ only by case, space, invisible characters or wrapping.

    >>> normal_form(" ab 12\u00a0"), normal_form('="AB12"')
    ('ab12', 'ab12')
    """
    if value.isascii() and value.isalnum():
        return value.lower()
    plain = unicodedata.normalize("NFKC", _ANY_SPACE.sub("", value)).casefold()
    bare = ""
    while bare != plain:  # what a wrapper held may be wrapped again
        bare = plain
        plain = _ANY_SPACE.sub("", unwrapped(plain))
    return plain


def damages(value: str) -> list[Damage]:
    """Everything that is wrong with one code as it stands, errors first; [] for the great majority."""
    found: list[Damage] = []
    core = trimmed(value)
    if INVISIBLE.search(value):
        found.append((catalogue.INVISIBLE, core))
    elif core != value:
        found.append((catalogue.OUTER_SPACE, core))
    inner = unwrapped(core)
    if inner != core:
        found.insert(0, (catalogue.WRAPPER, inner))
    if _SPREADSHEET_NUMBER.fullmatch(inner):
        found.insert(0, (catalogue.SCIENTIFIC, ""))
    elif _DECIMAL.fullmatch(inner):
        found.insert(0, (catalogue.TRAILING_DECIMAL, undecimal(inner)))
    elif _ERRORS.fullmatch(inner):
        found.insert(0, (catalogue.SPREADSHEET_ERROR, ""))
    elif any(space in inner and space in value.strip(_SPACE) for space in _SPACE):
        found.append((catalogue.INNER_SPACE, without_spaces(inner)))
    return found


def email_damages(value: str) -> list[Damage]:
    """What is wrong with an e-mail address; international ones are right."""
    core = trimmed(value)
    if INVISIBLE.search(value):
        return [(catalogue.INVISIBLE, core)]
    found: list[Damage] = [(catalogue.OUTER_SPACE, core)] if core != value else []
    local = core.partition("@")[0]
    if not _EMAIL.fullmatch(core) or ".." in core or local.startswith(".") or local.endswith("."):
        found.insert(0, (catalogue.EMAIL, ""))
    return found
