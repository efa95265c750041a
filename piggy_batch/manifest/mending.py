"""What is done to a cell before it is checked and sent: repairs, words for blank, other words, rounding. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from piggy_batch.errors import SetupError
from piggy_batch.manifest.doctor import ColumnRole, Fixes, parse_fixes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROUNDINGS = {"down": ROUND_FLOOR, "half-up": ROUND_HALF_UP, "up": ROUND_CEILING}
_CODES = frozenset({ColumnRole.IDENTIFIER, ColumnRole.HASH, ColumnRole.UUID, ColumnRole.EMAIL})
# 12,50 and 12.5; 1.234,50 and 1 234,5. Three digits after a lone sign may be thousands: that is not decided here.
_DECIMAL = re.compile(r"(\d{1,3}(?:([., '\u2019\u00a0])\d{3})(?:\2\d{3})*|\d+)([.,])(\d+)")


@dataclass(frozen=True, slots=True)
class Repairs:
    """What ``--fix``, ``--blank``, ``--values`` and ``--round`` ask for."""

    fixes: Fixes = field(default_factory=Fixes)
    blanks: tuple[str, ...] = ()  # words that stand for a blank cell, in any field
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # field -> word in the list -> what it means
    rounding: Mapping[str, str] = field(default_factory=dict)  # field -> one of ROUNDINGS
    codes_only: bool = False  # as in runs of before names and amounts were repaired too

    def __bool__(self) -> bool:
        return bool(self.fixes or self.blanks or self.values or self.rounding)

    def of(self, name: str, role: ColumnRole) -> CellMending | None:
        """What is done to the cells of a field; None where nothing is."""
        if self.codes_only and role not in _CODES:
            return None
        mending = CellMending(
            fixes=self.fixes if role is not ColumnRole.TEXT else self.fixes.for_text(),
            blanks=frozenset(word.strip().casefold() for word in self.blanks),
            values={word.strip().casefold(): meant for word, meant in self.values.get(name, {}).items()},
            rounding=self.rounding.get(name),
            is_text=role not in _CODES,
        )
        return mending or None

    def bound(self) -> dict[str, Any]:
        """The options by their command-line names, as a run is bound to them; None for one that is not given."""
        return {
            "--fix": str(self.fixes) or None,
            "--blank": sorted(self.blanks) or None,
            "--values": {name: _spelled(words) for name, words in sorted(self.values.items())} or None,
            "--round": dict(sorted(self.rounding.items())) or None,
        }

    def words(self) -> list[str]:
        """The options as words of a command line."""
        found = ["--fix", str(self.fixes)] if self.fixes else []
        for word in self.blanks:
            found += ["--blank", word]
        for name, words in self.values.items():
            found += ["--values", f"{name}={_spelled(words)}"]
        for name, how in self.rounding.items():
            found += ["--round", f"{name}={how}"]
        return found


@dataclass(frozen=True, slots=True)
class CellMending:
    """What is done to each cell of one field, in this order."""

    fixes: Fixes
    blanks: frozenset[str] = frozenset()  # in lower case
    values: Mapping[str, str] = field(default_factory=dict)  # in lower case -> what is meant
    rounding: str | None = None
    is_text: bool = False

    def __bool__(self) -> bool:
        return bool(self.fixes or self.blanks or self.values or self.rounding)

    def apply(self, cell: str) -> str:
        """The cell as it is sent; "" where nothing is left of it."""
        if not cell:
            return cell
        value = (self.fixes.apply_to_text(cell) if self.is_text else self.fixes.apply(cell)) if self.fixes else cell
        word = value.strip().casefold()
        if word in self.blanks:
            return ""
        if word in self.values:
            return self.values[word]
        return rounded(value, self.rounding) if self.rounding else value


def rounded(text: str, how: str) -> str:
    """A decimal number as a whole one; any other text as it stands.

    >>> [rounded(text, "down") for text in ("12,50", "1.234,99", "12.5", "1.234", "x")]
    ['12', '1234', '12', '1.234', 'x']
    """
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        return text
    whole, thousands, point, decimals = match.groups()
    if thousands == point or (thousands is None and len(decimals) == 3 and len(whole) <= 3 and whole.strip("0")):
        return text
    number = Decimal(re.sub(r"\D", "", whole) + "." + decimals)
    return str(int(number.to_integral_value(ROUNDINGS[how])))


def parse_values(pairs: Sequence[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """``active=J:true,N:false`` as a table for each field; SetupError for what is none."""
    found: dict[str, dict[str, str]] = {}
    for name, text in pairs:
        words = found.setdefault(name, {})
        for part in text.split(","):
            word, colon, meant = part.partition(":")
            if not colon or not word.strip():
                raise SetupError(f"--values {name}={text}: write WORD:MEANING, with commas between, as J:true,N:false")
            if words.setdefault(word.strip(), meant.strip()) != meant.strip():
                raise SetupError(f"--values {name}={text}: gives {word.strip()} two meanings")
    return found


def parse_rounding(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """``credits=down`` for each field; SetupError for a way to round that is none."""
    for name, how in pairs:
        if how not in ROUNDINGS:
            raise SetupError(f"--round {name}={how}: say which way: {', '.join(ROUNDINGS)}")
    return dict(pairs)


def repairs_from(options: Mapping[str, Any]) -> Repairs:
    """The repairs that a run is bound to, from its journal."""
    values: Mapping[str, str] = options.get("--values") or {}
    return Repairs(
        parse_fixes(options.get("--fix") or ""),
        tuple(options.get("--blank") or ()),
        parse_values(list(values.items())),
        dict(options.get("--round") or {}),
        codes_only="--blank" not in options,
    )


def _spelled(words: Mapping[str, str]) -> str:
    return ",".join(f"{word}:{meant}" for word, meant in sorted(words.items()))
