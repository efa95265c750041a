"""What can be said of a single value, and its normal form."""

from __future__ import annotations

import re
import unicodedata

from piggy_batch.manifest.doctor import finding_kinds
from piggy_batch.manifest.doctor.finding_kinds import Rule, Severity
from piggy_batch.manifest.doctor.words import is_error, is_footer, is_formula, is_sentence, is_total, means_nothing
from piggy_batch.tables.cells import COVERED, NO_RESULT

_SPACE = " \t\r\n"
_UNSEEN = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u180e\u2000-\u200f"
    "\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
INVISIBLE = re.compile(f"[{_UNSEEN}]")
REPLACEMENT = "\ufffd"  # what a program puts in the place of a character that it could not read
# The first byte of a character in UTF-8 and the next, each shown as a character of its own by a program that read them
# as Western European.
_NEXT_BYTE = (
    "\u0080-\u00bf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2018\u2019\u201c\u201d"
    "\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178"
)
READ_TWICE = re.compile(f"[\u00c2-\u00f4][{_NEXT_BYTE}]")
_ANY_SPACE = re.compile(f"[{_UNSEEN}\\s]+")
_WRAPPED = re.compile(r'=\s*"([^"]*)"|"=""([^"]*)"""|\'([0-9A-Za-z_-]+)\'?|=(\d+)', re.DOTALL)
_QUOTED = re.compile(  # also as programs write them: \\"0012\\", &quot;0012&quot;, b'0012'
    "\"+([^\"]*)\"+|'+([^']*)'+|[\u201c\u201d\u201e\u201f]+([^\u201c\u201d\u201e\u201f]*)[\u201c\u201d\u201e\u201f]+"
    "|[\u2018\u2019\u201a\u201b]+([^\u2018\u2019\u201a\u201b]*)[\u2018\u2019\u201a\u201b]+"
    "|[\u00ab\u2039]([^\u00ab\u2039\u00bb\u203a]*)[\u00bb\u203a]|[\u00bb]([^\u00ab\u00bb]*)[\u00ab]|`([^`]*)[`']"
    '|\u00b4([^\u00b4]*)\u00b4|\uff02([^\uff02]*)\uff02|\\\\+"([^"\\\\]*)\\\\+"'
    "|&(?:quot|#34|#39|apos);(.*?)&(?:quot|#34|#39|apos);"
    "|[bu]'([^']*)'|[bu]\"([^\"]*)\"",
    re.DOTALL,
)
QUOTES = frozenset("\"'`\u00b4\uff02\\&\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb\u2039\u203a")
_OPENING = QUOTES | {"b", "u"}  # b'0012' is how a program shows bytes
_STRAY = frozenset('"\u201c\u201d\u201e')  # at one end of a code: half a pair
_PLAIN_CODE = re.compile(r"[0-9A-Za-z_-]*")  # nothing to unwrap or to compose
_MARKED = frozenset("#=EeFf")  # with which errors and formulas begin
_SPREADSHEET_NUMBER = re.compile(r"[+-]?\d(?:[.,]\d+)?[eE]\+\d{2,3}", re.ASCII)
_LIKE_A_NUMBER = re.compile(r"\d+(?:[.,]\d+)?[eE][+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"(\d+)[.,]0+", re.ASCII)
_SIMPLE_EMAIL = re.compile(r"[0-9a-z_+-]+(?:\.[0-9a-z_+-]+)*@(?:[0-9a-z-]+\.)+[a-z]{2,}", re.ASCII | re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s<>,;:\"()]+@(?:[^@\s.<>,;:\"()/]+\.)+[^@\s.<>,;:\"()/\d][^@\s.<>,;:\"()/]+")


Damage = tuple[Rule, str]  # what it is, and what the value may have been


def looks_scientific(value: str) -> bool:
    """Whether a value could be a number in scientific notation, or a code that happens to look so."""
    return _LIKE_A_NUMBER.fullmatch(value) is not None


def unwrapped(value: str) -> str:
    """The value without ``="..."``, the apostrophe in front, quotes around it or half a pair; unchanged without them.

    Space outside goes with what it surrounds.
    """
    bare = value.strip(_SPACE)
    match = _WRAPPED.fullmatch(bare) or (_QUOTED.fullmatch(bare) if bare[:1] in _OPENING else None)
    if match:
        return next(part for part in match.groups() if part is not None)
    if bare[:1] not in _STRAY and bare[-1:] not in _STRAY:
        return value
    is_half = sum(map(bare.count, _STRAY)) == 1 and any(map(str.isalnum, bare))
    return bare.strip("".join(_STRAY)) if is_half else value


def unwrapped_text(value: str) -> str:
    """The same for a text, in which an apostrophe in front is none unless digits follow, 's-Gravenhage, and a sign
    behind digits is inches."""
    bare = value.strip(_SPACE)
    if bare.endswith('"') and bare[-2:-1].isdigit() and bare.count('"') == 1:
        return value
    if bare.startswith("'") and not bare.endswith("'") and not bare[1:].isdigit():
        return value
    return unwrapped(value)


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


def read_once(value: str) -> str:
    """What a text in UTF-8 was before a program read it as Western European; "" where none did.

    >>> read_once("Zo\u00c3\u00ab"), read_once("Zo\u00eb")
    ('Zo\u00eb', '')
    """
    if value.isascii() or not READ_TWICE.search(value):
        return ""
    try:
        whole = b"".join(c.encode("latin-1" if c < "\u0100" else "cp1252") for c in value)
        return whole.decode("utf-8")
    except UnicodeError:
        return ""


def normal_form(value: str) -> str:
    """What two values share that differ only by case, space, invisible characters or wrapping.

    >>> normal_form(" ab 12\u00a0"), normal_form('="AB12"')
    ('ab12', 'ab12')
    """
    if _PLAIN_CODE.fullmatch(value):
        return value.lower()
    plain = unicodedata.normalize("NFKC", _ANY_SPACE.sub("", value)).casefold()
    bare = ""
    while bare != plain:  # what a wrapper held may be wrapped again
        bare = plain
        plain = _ANY_SPACE.sub("", unwrapped(plain))
    return plain


def lost(value: str) -> list[Damage]:
    """The damage of a cell whose value is not there: an error, a formula without result, a covered cell."""
    if value[:1] not in _MARKED:
        return []
    if value == NO_RESULT or is_formula(value):
        return [(finding_kinds.NO_RESULT, "")]
    if value == COVERED:
        return [(finding_kinds.MERGED, "")]
    if is_error(value):
        return [(finding_kinds.SPREADSHEET_ERROR, "")]
    return []


def code_damages(value: str) -> list[Damage]:
    """Everything that is wrong with one code as it stands, errors first; [] for the great majority."""
    core = trimmed(value)
    if gone := lost(core):
        return gone
    found: list[Damage] = []
    if INVISIBLE.search(value):
        found.append((finding_kinds.INVISIBLE, core))
    elif core != value:
        found.append((finding_kinds.OUTER_SPACE, core))
    inner, quoted = unwrapped(core), False
    if inner != core:
        quoted = not _WRAPPED.fullmatch(core)
        found.append((finding_kinds.QUOTED if quoted else finding_kinds.WRAPPER, inner))
    elif core and (core[0] in _STRAY or core[-1] in _STRAY) and any(map(str.isalnum, core)):
        found.append((finding_kinds.QUOTED, core.strip("".join(_STRAY))))
    if _SPREADSHEET_NUMBER.fullmatch(inner):
        found.append((finding_kinds.SCIENTIFIC, ""))
    elif _DECIMAL.fullmatch(inner):
        found.append((finding_kinds.TRAILING_DECIMAL, undecimal(inner)))
    elif is_error(inner):
        found.append((finding_kinds.SPREADSHEET_ERROR, ""))
    else:
        found += _text_of_a_code(value, inner)
    if REPLACEMENT in value:
        found.append((finding_kinds.REPLACEMENT, ""))
    elif meant := read_once(value):
        found.append((finding_kinds.READ_TWICE, meant))
    elif not value.isascii() and (len(scripts(value)) > 1 or _looks_plain(value)):
        found.append((finding_kinds.MIXED_SCRIPTS, ""))
    return _errors_first(found)


def _text_of_a_code(value: str, inner: str) -> list[Damage]:
    """Words in the place of a code, or space inside it."""
    if means_nothing(inner):
        return [(finding_kinds.NOTHING_WORD, "")]
    if is_footer(inner):
        return [(finding_kinds.FOOTER, "")]
    if is_sentence(inner):
        return [(finding_kinds.SENTENCE, "")]
    if any(space in inner and space in value.strip(_SPACE) for space in _SPACE):
        return [(finding_kinds.INNER_SPACE, without_spaces(inner))]
    return []


def _errors_first(found: list[Damage]) -> list[Damage]:
    return sorted(found, key=lambda damage: damage[0].severity is not Severity.ERROR)


def scripts(value: str) -> frozenset[str]:
    """The scripts of a value's letters and digits: LATIN, CYRILLIC, FULLWIDTH …; plain digits belong to any.

    >>> sorted(scripts("\u041a\u0410-200")), sorted(scripts("K\u0410-200"))
    (['CYRILLIC'], ['CYRILLIC', 'LATIN'])
    """
    found = set()
    for character in set(value):
        if character.isascii():
            if character.isalpha():
                found.add("LATIN")
        elif character.isalnum():
            found.add(unicodedata.name(character, "UNKNOWN").split()[0])
    return frozenset(found)


def _looks_plain(value: str) -> bool:
    """Whether a code holds digits of another script, or full-width, bold or circled signs in place of plain ones."""
    signs = [c for c in value if not c.isascii() and c.isalnum()]
    return any(c.isdigit() or unicodedata.normalize("NFKC", c).isascii() for c in signs)


def text_damages(value: str) -> list[Damage]:
    """What is wrong with a text that is sent as it stands: a name, a merge tag."""
    core = value.strip(_SPACE)
    if gone := lost(core):
        return gone
    found: list[Damage] = []
    if core != value and core:  # the service may keep it without
        found.append((finding_kinds.OUTER_SPACE, core))
    if REPLACEMENT in value:
        found.append((finding_kinds.REPLACEMENT, ""))
    elif meant := read_once(value):
        found.append((finding_kinds.READ_TWICE, meant))
    inner = unwrapped_text(core)
    if inner != core:
        found.append((finding_kinds.WRAPPER if core.startswith(("=", '"=')) else finding_kinds.QUOTED, inner))
    if means_nothing(inner):
        found.append((finding_kinds.NOTHING_WORD, ""))
    elif is_total(inner):
        found.append((finding_kinds.FOOTER_BESIDE, ""))
    return _errors_first(found)


def email_damages(value: str) -> list[Damage]:
    """What is wrong with an e-mail address; international ones are right."""
    if _SIMPLE_EMAIL.fullmatch(value):
        return []
    core = trimmed(value)
    if gone := lost(core):
        return gone
    if REPLACEMENT in value:
        return [(finding_kinds.REPLACEMENT, "")]
    if meant := read_once(value):
        return [(finding_kinds.READ_TWICE, meant)]
    if INVISIBLE.search(value):
        return [(finding_kinds.INVISIBLE, core)]
    found: list[Damage] = [(finding_kinds.OUTER_SPACE, core)] if core != value else []
    inner = unwrapped(core)
    if inner != core:
        found.append((finding_kinds.QUOTED, inner))
    local = inner.partition("@")[0]
    if not _EMAIL.fullmatch(core) or ".." in core or local.startswith(".") or local.endswith("."):
        found.append((finding_kinds.EMAIL, inner if inner != core else ""))
    if means_nothing(inner):
        found.append((finding_kinds.NOTHING_WORD, ""))
    if not core.isascii() and any(len(scripts(part)) > 1 for part in re.split(r"[@.]", core)):
        found.append((finding_kinds.MIXED_SCRIPTS, ""))
    return _errors_first(found)


def value_damages(value: str) -> list[Damage]:
    """What is wrong with a number or a word for true and false, beside what its kind says."""
    return lost(value.strip(_SPACE)) or ([(finding_kinds.NOTHING_WORD, "")] if means_nothing(value) else [])
