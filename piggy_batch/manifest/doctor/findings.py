"""What an examination hands over: findings with a count and three examples, and their form in JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from piggy_batch.manifest.doctor import finding_kinds
from piggy_batch.models import Problem
from piggy_batch.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from piggy_batch.manifest.doctor.finding_kinds import Rule, Severity
    from piggy_batch.models import Json


EXAMPLES = 3
_VALUELESS = tuple(
    rule.code
    for rule in (
        finding_kinds.SPREADSHEET_ERROR,
        finding_kinds.NO_RESULT,
        finding_kinds.MERGED,
        finding_kinds.REPEATED_HEADER,
        finding_kinds.FOOTER,
    )
)


def _nothing(value: str) -> str | None:  # noqa: ARG001 - the signature of what asks
    return None


class ColumnRole(StrEnum):
    """What a column holds, and so what can be wrong with it."""

    IDENTIFIER = "identifier"  # the value of a card
    HASH = "hash"  # the code of a giftcard
    UUID = "uuid"
    EMAIL = "email"
    TEXT = "text"  # a name, a merge tag: sent as it stands
    VALUE = "value"  # a number, or a word for true or false

    @property
    def is_code(self) -> bool:
        """Whether the values of such a column are alike, so that one unlike them stands out."""
        return self in {ColumnRole.IDENTIFIER, ColumnRole.HASH, ColumnRole.UUID}


@dataclass(frozen=True, slots=True)
class Examined:
    """A column to examine: its name in the file, its role, and where it stands in the cells of a row."""

    column: str
    role: ColumnRole
    index: int  # 0 = first cell
    field: str = ""  # the command's name for it
    allowed: frozenset[str] = frozenset()  # words that mean something to the command
    formatted: bool = False  # cells may be FormattedText or LongNumber


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
    # What a value may have been where the finding concerns it, "" where nobody can know; None: it does not.
    proposed: Callable[[str], str | None] = field(default=_nothing, compare=False, repr=False)
    listed: tuple[Example, ...] = ()  # the rows, where no value tells them

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


def holds_no_value(problem: Problem) -> bool:
    """Whether a problem says that a cell holds no value of the row's: an error, a lost result, a header, a footer."""
    return problem.reason.startswith(_VALUELESS)


def problem_of(row: int, line: int, column: str, value: str, damage: tuple[Rule, str]) -> Problem:
    """Why a row with a value that cannot be right is invalid."""
    rule, proposal = damage
    meant = f'; probably "{proposal}"' if proposal else ""
    message = f'"{printable(value[:60])}" is {rule.slug} ({rule.code}){meant}; {rule.remedy}'
    return Problem(row, line, column, message, f"{rule.code} {rule.slug}")
