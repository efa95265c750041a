"""What an examination hands over: findings with a count and three examples, and their form in JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.manifest.doctor.catalogue import Rule, Severity
    from piggy_batch.models import Json


EXAMPLES = 3


class ColumnRole(StrEnum):
    """What a column holds, and so what can be wrong with it."""

    IDENTIFIER = "identifier"  # the value of a card
    HASH = "hash"  # the code of a giftcard
    UUID = "uuid"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Examined:
    """A column to examine: its name in the file, its role, and where it stands in the cells of a row."""

    column: str
    role: ColumnRole
    index: int  # 0 = first cell


@dataclass(frozen=True, slots=True)
class Example:
    """One row that shows a finding. ``proposal`` is what the value may have been; "" where nobody can know."""

    row: int  # 1 = first row under the header
    line: int
    value: str
    proposal: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of damage in one column."""

    rule: Rule
    column: str
    count: int
    examples: tuple[Example, ...]
    proposal: str = ""  # for the column as a whole: a --fix that mends it

    @property
    def code(self) -> str:
        return self.rule.code

    @property
    def slug(self) -> str:
        return self.rule.slug

    @property
    def severity(self) -> Severity:
        return self.rule.severity

    @property
    def blocking(self) -> bool:
        """Whether a run needs ``--accept CODE`` for it."""
        return self.rule.blocking

    @property
    def remedy(self) -> str:
        return f"pass {self.proposal}" if self.proposal else self.rule.remedy

    @property
    def message(self) -> str:
        """One line: where, what, and what next."""
        rows = "1 row" if self.count == 1 else f"{self.count:,} rows"
        shown = ", ".join(f'"{example.value[:40]}" (line {example.line})' for example in self.examples)
        return f"{self.code} {self.slug}, {self.column}, {rows}: values that {self.rule.what}: {shown}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Repeats:
    """What the journal knows of one column's duplicates. ``count`` leaves the first row of each out."""

    column: str
    exact: int = 0
    exact_examples: tuple[Example, ...] = ()
    near: int = 0  # rows alike after ``normal_form`` yet not equal
    near_examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """The numbers of one column, for the page."""

    column: str
    role: ColumnRole
    filled: int
    blank: int
    lengths: tuple[tuple[int, int], ...]  # (length of the value, how many), by length


def as_json(rows: int, findings: Sequence[Finding]) -> Json:
    """The findings as ``check --json`` prints them."""
    return {
        "rows": rows,
        "findings": [
            {
                "code": finding.code,
                "slug": finding.slug,
                "severity": finding.severity.value,
                "blocking": finding.blocking,
                "column": finding.column,
                "count": finding.count,
                "message": finding.message,
                "remedy": finding.remedy,
                "examples": [
                    {"row": e.row, "line": e.line, "value": e.value, "proposal": e.proposal} for e in finding.examples
                ],
            }
            for finding in findings
        ],
    }
