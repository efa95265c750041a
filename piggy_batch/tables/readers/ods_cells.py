"""The value of one OpenDocument cell, from its attributes and the text that it shows. Pure."""

from __future__ import annotations

import re

from piggy_batch.tables.cells import ERROR, NO_RESULT, FormattedText, number_text

NUMBERS = frozenset({"float", "currency", "percentage"})
_TIME = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,]\d+)?S)?").fullmatch
_WHOLE = re.compile(r"-?\d+").fullmatch
_ERROR = re.compile(r"#\D.*[!?]|#N/?[AV]|(?:Err|Fehler|Fout|Erreur):\d{3}").fullmatch  # beside a 0 that stands for it
_GROUPED = re.compile(r"[\s.,'\u2019\u00a0\u202f]")


def repeats(attributes: dict[str, str], name: str) -> int:
    """How often, or over how many places, as an attribute says; 1 where it is not there."""
    text = attributes.get(name, "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def cell_value(attributes: dict[str, str], text: str, *, calculated: bool) -> str:
    """A cell as text, from its attributes and the text that it shows. A cell without its value is never blank.

    ``calculated``: a formula's text of no length is its result.
    """
    kind = attributes.get("office:value-type", "")
    if attributes.get("calcext:value-type") == "error":
        return text or ERROR
    if "table:formula" in attributes and not text and not calculated and kind in {"", "string"}:
        return attributes.get("office:string-value") or NO_RESULT
    if kind in NUMBERS:
        return _number(attributes.get("office:value", ""), text, formatted=kind == "float")
    if kind == "date":
        return attributes.get("office:date-value", text)
    if kind == "time":
        return _time(attributes.get("office:time-value", ""), text)
    if kind == "boolean":
        return attributes.get("office:boolean-value", text)
    return text or attributes.get("office:string-value", "")


def _number(stored: str, shown: str, *, formatted: bool) -> str:
    try:
        text = stored if _WHOLE(stored) else number_text(float(stored))
    except ValueError:
        return shown or ERROR
    if _ERROR(shown):
        return shown
    if not formatted or not _WHOLE(text) or shown in {"", text} or not shown.strip("#"):  # ### for a narrow column
        return text
    plain = _GROUPED.sub("", shown)
    same = plain == text or (not any(map(str.isalpha, plain)) and plain.rstrip("0") == text.rstrip("0"))
    return text if same or "E+" in shown.upper() else FormattedText(text, shown)


def _time(stored: str, shown: str) -> str:
    found = _TIME(stored)
    if found is None:
        return shown or stored
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"
