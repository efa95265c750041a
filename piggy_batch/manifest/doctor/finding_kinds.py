"""Everything the doctor can find, one declaration each; the documentation is generated from here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.text import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """What a finding means for a row."""

    ERROR = "error"  # this row cannot be right; it is invalid
    WARNING = "warning"  # look at it


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of damage. ``blocking`` warnings need ``--accept CODE`` before anything is sent."""

    code: str
    slug: str
    severity: Severity
    blocking: bool
    what: str  # completes "values that ..."
    remedy: str


def _error(code: str, slug: str, what: str, remedy: str) -> Rule:
    return Rule(code, slug, Severity.ERROR, blocking=False, what=what, remedy=remedy)


def _blocking(code: str, slug: str, what: str, remedy: str) -> Rule:
    return Rule(code, slug, Severity.WARNING, blocking=True, what=what, remedy=remedy)


def _warning(code: str, slug: str, what: str, remedy: str) -> Rule:
    return Rule(code, slug, Severity.WARNING, blocking=False, what=what, remedy=remedy)


SCIENTIFIC = _error(
    "MD101",
    "scientific-notation",
    "are numbers in scientific notation, as a spreadsheet writes them; their last digits are lost",
    "export the list again with this column formatted as text; the digits cannot be brought back",
)
LOOKS_SCIENTIFIC = _blocking(
    "MD102",
    "looks-scientific",
    "look like scientific notation among plain numbers",
    "compare with the cards; if a spreadsheet did it, export again with this column as text",
)
TRAILING_DECIMAL = _error(
    "MD103",
    "trailing-decimal",
    "end in .0: numbers that passed through a column of decimals; zeros in front may be lost too",
    "export again as text, or pass --fix decimals",
)
DIGITS_CUT = _blocking(
    "MD104",
    "digits-cut",
    "have only zeros after the fifteenth digit, as spreadsheets leave long numbers",
    "export again with this column as text; the digits cannot be brought back",
)
LOST_ZEROS = _blocking(
    "MD105",
    "lost-zeros",
    "are shorter than the others, as numbers are that have lost their zeros in front",
    "export again as text, or pass --fix zero-pad:LENGTH",
)
WRAPPER = _error(
    "MD106",
    "spreadsheet-wrapper",
    'are wrapped for a spreadsheet, as in ="0012" or \'0012',
    "pass --fix wrappers",
)
SPREADSHEET_ERROR = _error(
    "MD107",
    "spreadsheet-error",
    "are a spreadsheet's error, such as #N/A, or #### for a column too narrow",
    "mend the formula or widen the column, and export again",
)
NO_RESULT = _error(
    "MD109",
    "formula-without-result",
    "are formulas whose result is not in the file",
    "open the list in a spreadsheet program, let it calculate, and save it as values",
)
MERGED = _error(
    "MD110",
    "merged-cells",
    "lie under a merged cell, whose value stands in its first row only",
    "unmerge the cells and fill each row",
)
BY_FORMAT = _blocking(
    "MD111",
    "shown-by-format",
    "are numbers to which the workbook's cell format adds zeros or signs that are not part of them",
    "compare with the cards; pass --fix formats to send what the cells show, or store them as text",
)
QUOTED = _blocking(
    "MD112",
    "in-quotes",
    "stand in quotes, which would be sent with them",
    "pass --fix wrappers",
)
NOTHING_WORD = _blocking(
    "MD113",
    "word-for-nothing",
    "are words for nothing, such as n.v.t., NULL or nan",
    "blank these cells, or pass --blank WORD for each such word",
)
LOOKS_LIKE_DATE = _blocking(
    "MD108",
    "looks-like-date",
    "are dates or times, as a spreadsheet makes of numbers such as 1-2, 3/5 or 10:30",
    "compare with the cards; if a spreadsheet did it, export again with this column as text",
)
OUTER_SPACE = _warning(
    "MD201", "outer-space", "begin or end with white space", "pass --fix trim",
)  # fmt: skip
INNER_SPACE = _warning(
    "MD202",
    "inner-space",
    "hold spaces inside, as numbers printed in groups do",
    "compare with what the scanner reads; pass --fix spaces to remove them",
)
INVISIBLE = _error(
    "MD203",
    "invisible-character",
    "hold characters that cannot be seen: non-breaking or zero-width spaces, control characters",
    "pass --fix trim",
)
MIXED_CASE = _warning(
    "MD204",
    "mixed-case",
    "are written in another case than the rest of the column",
    "compare with the cards; pass --fix case:upper or case:lower to make all alike",
)
REPLACEMENT = _error(
    "MD205",
    "replacement-character",
    "hold \ufffd, the sign for a character that a program could not read",
    "export the list again as UTF-8; the character cannot be brought back",
)
MIXED_SCRIPTS = _blocking(
    "MD206",
    "mixed-scripts",
    "have letters of another script that look alike, such as a Cyrillic \u041a among Latin letters",
    "type these values anew",
)
READ_TWICE = _blocking(
    "MD207",
    "wrong-encoding",
    "hold characters that a program has read in the wrong encoding, as in Zo\u00c3\u00ab for Zo\u00eb",
    "export the list again as UTF-8",
)
DUPLICATE = _error(
    "MD301", "duplicate", "occur before in the file", "keep one row for each",
)  # fmt: skip
NEAR_DUPLICATE = _blocking(
    "MD302",
    "near-duplicate",
    "differ from another row only by case, space or wrapping",
    "find out which is the card's; keep one row for each card",
)
LUHN = _blocking(
    "MD401",
    "check-digit-luhn",
    "fail the check digit (Luhn) that the rest of the column has",
    "compare with the cards: most likely a digit was mistyped",
)
EAN = _blocking(
    "MD402",
    "check-digit-ean",
    "fail the check digit (EAN, GS1) that the rest of the column has",
    "compare with the cards: most likely a digit was mistyped",
)
NOT_A_UUID = _warning(
    "MD501",
    "not-a-uuid",
    "are no UUIDs although the rest of the column is",
    "compare with the service; it has some such, but a cut-off UUID is more likely",
)
EMAIL = _error(
    "MD502",
    "email-shape",
    "are no e-mail addresses",
    "write one address, name@domain.tld, or leave the cell blank",
)
ODD_ONE_OUT = _warning(
    "MD601",
    "odd-one-out",
    "are unlike the rest of the column: another length, or other kinds of characters",
    "compare with the cards; a header, total or test row in the middle of a list looks so",
)
REPEATED_HEADER = _error(
    "MD603",
    "repeated-header",
    "are the column's own header: two files were put together",
    "delete these rows",
)
FOOTER = _error(
    "MD604",
    "total-or-footer",
    "are a total, a count or a footer under the list, not a card",
    "delete these rows, or pass --drop-last N",
)
SENTENCE = _blocking(
    "MD605",
    "words-among-codes",
    "are words, not codes: a remark or a footer",
    "delete these rows, or pass --drop-last N",
)
FOOTER_BESIDE = _blocking(
    "MD606",
    "row-of-totals",
    "begin a row that looks like a total or a footer, not like a row of the list",
    "delete these rows, or pass --drop-last N",
)
PRINTED_NUMBER = _warning(
    "MD602",
    "printed-number",
    "come from a column beside one that looks like the value in the QR code, and differ from it",
    "scan a card: what the scanner reads is the value to use; the printed number often differs",
)

CATALOGUE: tuple[Rule, ...] = (
    SCIENTIFIC, LOOKS_SCIENTIFIC, TRAILING_DECIMAL, DIGITS_CUT, LOST_ZEROS, WRAPPER, SPREADSHEET_ERROR,
    LOOKS_LIKE_DATE, NO_RESULT, MERGED, BY_FORMAT, QUOTED, NOTHING_WORD, OUTER_SPACE, INNER_SPACE, INVISIBLE,
    MIXED_CASE, REPLACEMENT, MIXED_SCRIPTS, READ_TWICE, DUPLICATE, NEAR_DUPLICATE, LUHN, EAN, NOT_A_UUID, EMAIL,
    ODD_ONE_OUT, PRINTED_NUMBER, REPEATED_HEADER, FOOTER, SENTENCE, FOOTER_BESIDE,
)  # fmt: skip


def known_codes(texts: Iterable[str]) -> frozenset[str]:
    """The codes of findings that are named by code or name, in any case; SetupError for what names none."""
    found = set()
    for text in filter(None, map(str.strip, texts)):
        rule = next((rule for rule in CATALOGUE if text.lower() in (rule.code.lower(), rule.slug)), None)
        if rule is None:
            meant = nearest(text.upper(), [rule.code for rule in CATALOGUE])
            raise SetupError(
                f'"{text}" is no finding of the manifest doctor{meant}; piggy-batch help findings lists all'
            )
        found.add(rule.code)
    return frozenset(found)
