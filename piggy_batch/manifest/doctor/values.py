"""What can be said of a single value, and its normal form."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from piggy_batch.manifest.doctor import catalogue
from piggy_batch.manifest.doctor.catalogue import Rule

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
_TIME = r"(?:[T ]\d{1,2}:\d\d(?::\d\d(?:\.\d{1,9})?)?Z?)?"
_DATE = re.compile(
    rf"(?P<iso>\d{{4}}-\d\d-\d\d){_TIME}"
    rf"|(?P<one>\d\d?)(?P<by>[-/.])(?P<other>\d\d?)(?P=by)(?P<year>\d{{4}}){_TIME}"
    r"|(?P<day>\d\d?)-(?P<month>[A-Za-z]{3})(?:-\d\d(?:\d\d)?)?"
    r"|(?P<first>[A-Za-z]{3})-\d\d",
    re.ASCII,
)
LONGEST_DATE = 32  # with a time to the nanosecond
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12, "mrt": 3, "mei": 5, "okt": 10,  # the last three are Dutch
}  # fmt: skip
_YEARS = range(1900, 2200)  # a spreadsheet's dates begin in 1900, and what was no date gets a year of today's
_EMAIL = re.compile(r"[^@\s<>,;:\"()]+@(?:[^@\s.<>,;:\"()/]+\.)+[^@\s.<>,;:\"()/\d][^@\s.<>,;:\"()/]+")

Damage = tuple[Rule, str]  # what it is, and what the value may have been


def looks_scientific(value: str) -> bool:
    """Whether a value could be a number in scientific notation, or a code that happens to look so."""
    return _LIKE_A_NUMBER.fullmatch(value) is not None


has_date_form = _DATE.fullmatch  # whether a value is written as a date is, be it one or not


def is_date(value: str) -> bool:
    """Whether a value is a day that there is, as a spreadsheet shows one: day and month in either order.

    >>> [is_date(text) for text in ("2024-02-29", "2024-02-30", "3/5/2024", "31-12-2024", "5-Jan", "40-50-6000")]
    [True, False, True, True, True, False]
    """
    found = _DATE.fullmatch(value)
    if found is None:
        return False
    if found["iso"]:
        year, month, day = map(int, found["iso"].split("-"))
        return _is_day(year, month, day)
    if found["year"]:
        year, one, other = int(found["year"]), int(found["one"]), int(found["other"])
        return _is_day(year, other, one) or _is_day(year, one, other)
    if found["first"]:
        return found["first"].lower() in _MONTHS
    return _is_day(2000, _MONTHS.get(found["month"].lower(), 0), int(found["day"]))


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        return date(year, month, day).year in _YEARS
    except ValueError:
        return False


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
