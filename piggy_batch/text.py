"""Words for people: what can be printed, numbers with their nouns, moments and durations."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def printable(text: str) -> str:
    """``text`` fit for a message: control and invisible characters escaped, long text cut."""
    shown = "".join(
        c if unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029" else c.encode("unicode_escape").decode()
        for c in text[:120]
    )
    return shown + ("…" if len(text) > 120 else "")


# Control characters but tab and line ends, and those that turn the direction of the text around them.
_DRIVING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def show_controls(text: str) -> str:
    """``text`` for a page: characters that would change how other text looks are shown as their escapes.

    >>> show_controls("gpj\u202egnp")
    'gpj\\\\u202egnp'
    """
    return _DRIVING.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def counted(number: int, noun: str, plural: str = "s") -> str:
    """``1 row``, ``2 rows``, ``1,000 addresses``."""
    return f"{number:,} {noun}{'' if number == 1 else plural}"


def shortened(text: str, most: int = 120) -> str:
    """A text that may be long, as far as one line has room for it."""
    return text if len(text) <= most else f"{text[: most - 2].rstrip()} …"


def folded(text: str) -> str:
    """What spellings of a name share that a spreadsheet or a hand may have changed: case and space.

    >>> folded(" Giftcards\u00a0Create")
    'giftcards create'
    """
    return " ".join(text.casefold().split())


def nearest(word: str, known: Iterable[str]) -> str:
    """`` (did you mean create?)`` where a known word is much like ``word``, else nothing."""
    from difflib import get_close_matches  # only a mistake pays for it

    found = get_close_matches(word, list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""


def iso(moment_s: float | None) -> str | None:
    """Seconds since the epoch as ``2026-01-31T10:00:00.123Z``; None stays None."""
    if moment_s is None:
        return None
    whole_s, micros = divmod(round(moment_s * 1_000_000), 1_000_000)
    return f"{_second(whole_s)}.{micros // 1000:03d}Z"


def parse_moment(text: str) -> datetime | None:
    """An ISO 8601 text as a moment in UTC, which it is taken for where it names no zone; None where it is none.

    >>> parse_moment("2026-01-31T11:00:00+01:00")
    datetime.datetime(2026, 1, 31, 10, 0, tzinfo=datetime.timezone.utc)
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # so close to the end of time that UTC has no such moment
        return None


@lru_cache(maxsize=1024)
def _second(whole_s: int) -> str:
    """Neighbouring rows share their seconds."""
    return datetime.fromtimestamp(whole_s, UTC).isoformat().removesuffix("+00:00")


def printable_line(line: str) -> str:
    """One line, safe for a terminal, however long."""
    return "".join(printable(line[i : i + 100]) for i in range(0, len(line), 100))


def duration(seconds: float) -> str:
    """``95`` as ``1m 35s``; ``98765`` as ``27h 26m``."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f}s" if seconds < 10 else f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 72 * 3600:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"
