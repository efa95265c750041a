"""Which texts of a batch call for a closer look: few, or none, told by a glance at all of them at once. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from piggy_batch.manifest.doctor.values import QUOTES, READ_TWICE, REPLACEMENT
from piggy_batch.manifest.doctor.words import spellings

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUSPECT = QUOTES | frozenset(
    "#=-?*./~([<{$%+\u2205\u2400 \t\r\n\u2013\u2014"
)  # with which a text begins that may be damaged
_LOST = re.compile(f"{REPLACEMENT}|{READ_TWICE.pattern}")  # characters that were not read as what they are
_ERRORS = spellings(["err", "fou", "feh"])  # Err:502, in any language
_ENDS = QUOTES | frozenset(" \t\r\n")  # with which a text ends that stands in quotes, or is kept without its end


def suspicious(values: Sequence[str], quick: frozenset[str]) -> list[int]:
    """The places of names, amounts and the like that may be damaged; ``quick``: words that none of them may be."""
    heads, lasts = {value[:3] for value in values}, {value[-1:] for value in values}
    if (
        _SUSPECT.isdisjoint({head[:1] for head in heads})
        and _ERRORS.isdisjoint(heads)
        and lasts.isdisjoint(_ENDS)
        and quick.isdisjoint(values)
        and ((joined := "".join(values)).isascii() or not _LOST.search(joined))
    ):
        return []
    return [at for at, value in enumerate(values) if value and (value in quick or _is_suspicious(value))]


def _is_suspicious(value: str) -> bool:
    return (
        value[0] in _SUSPECT
        or value[-1] in _ENDS
        or value[:3] in _ERRORS
        or (not value.isascii() and _LOST.search(value) is not None)
    )
