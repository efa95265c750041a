"""Rows that are no rows of the list, told by what they begin with: the header once more, a total, a footer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piggy_batch.manifest.doctor.column_statistics import CountWithExamples
from piggy_batch.manifest.doctor.finding_kinds import FOOTER_BESIDE, REPEATED_HEADER
from piggy_batch.manifest.doctor.findings import EXAMPLES, ColumnRole, Example, Finding, problem_of
from piggy_batch.manifest.doctor.words import (
    FOOTER_BEGINNINGS,
    is_footer_beside,
    is_sum,
    is_total,
    may_be_a_name,
    may_be_counted,
    spellings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.manifest.doctor.finding_kinds import Rule
    from piggy_batch.manifest.doctor.findings import Examined
    from piggy_batch.models import Problem


MOST = 1000  # rows that are remembered
_SIGNS = frozenset("([-=_*~.+#|©Σ∑")
_DIGITS = frozenset("0123456789")


class RowWatch:
    """Looks at the first cell of each row that holds anything, where it is none of a column of codes."""

    def __init__(self, header: Sequence[str], examined: Sequence[Examined]) -> None:
        self._header = list(header)
        self._blank_or_header = spellings([self._header[0]]) | {""}
        self._codes = {column.index for column in examined if column.role.is_code}
        self._texts = {column.index for column in examined if column.role is ColumnRole.TEXT}  # these know totals
        self._footers = CountWithExamples(most=MOST)
        self._headers = CountWithExamples(most=MOST)
        self._rows = 0
        self._last: list[tuple[int, int, Sequence[str]]] = []  # two rows
        self._last_known = False  # whether it cannot be right anyway

    def feed(self, batch: Sequence[tuple[int, int, Sequence[str]]], known: set[int]) -> list[Problem]:
        """The rows of a batch that repeat the header; ``known`` are those that cannot be right anyway."""
        if not batch:
            return []
        self._rows += len(batch)
        self._last = [*self._last[-1:], *batch[-2:]][-2:]
        self._last_known = self._last[-1][0] in known
        if 0 in self._codes:  # the column looks at its cells itself
            return []
        suspects = self._suspects({row[2][0] for row in batch})
        if not suspects:
            return []
        problems = []
        for row, line, cells in batch:
            if cells[0] not in suspects or row in known:
                continue
            place = next((index for index, cell in enumerate(cells) if cell), -1)
            if place < 0 or place in self._codes:
                continue
            example = Example(row, line, cells[place])
            if self._is_header(cells):
                self._headers.add(example)
                problems.append(problem_of(row, line, self._header[place], cells[place], (REPEATED_HEADER, "")))
            elif is_footer_beside(cells[place]) and not self._is_told(place, cells[place]):
                self._footers.add(example)
        return problems

    def _is_told(self, place: int, cell: str) -> bool:
        """Whether the column of a text knows by itself what to make of the cell."""
        return place in self._texts and (is_total(cell) or may_be_a_name(cell))

    def _suspects(self, firsts: set[str]) -> set[str]:
        """Which first cells call for a closer look: few, or none."""
        suspects = firsts & self._blank_or_header
        begin = {first[:3] for first in firsts}
        if not FOOTER_BEGINNINGS.isdisjoint(begin):
            suspects |= {first for first in firsts if first[:3] in FOOTER_BEGINNINGS}
        marks = {first[:1] for first in begin}
        if not _SIGNS.isdisjoint(marks):
            suspects |= {first for first in firsts if first[:1] in _SIGNS}
        if not _DIGITS.isdisjoint(marks):
            suspects |= {first for first in firsts if first[:1] in _DIGITS and may_be_counted(first)}
        return suspects

    def _is_header(self, cells: Sequence[str]) -> bool:
        """Whether every cell that holds anything is the name of its column."""
        pairs = zip(cells, self._header, strict=False)
        return all(not cell or cell.strip().casefold() == name.strip().casefold() for cell, name in pairs)

    def findings(self) -> list[Finding]:
        """What was found so far."""
        usual = self._footers.count * 2 > self._rows  # then it is what this column holds
        footers = [] if usual else self._finding(FOOTER_BESIDE, self._footers)
        return [*(footers or self._last_of_all()), *self._finding(REPEATED_HEADER, self._headers)]

    def _last_of_all(self) -> list[Finding]:
        """The last row, where a sum of all stands anywhere in it, beside a number where the codes stand."""
        if len(self._last) < 2 or self._last_known:
            return []
        (_, _, before), (row, line, cells) = self._last
        sums = (at for at, cell in enumerate(cells) if cell and at not in self._codes and is_sum(cell))
        place = next(sums, -1)
        if place < 0 or is_sum(before[place]) or self._is_told(place, cells[place]):
            return []
        example = Example(row, line, cells[place])
        return [Finding(FOOTER_BESIDE, self._header[place], 1, (example,), listed=(example,))]

    def _finding(self, rule: Rule, tally: CountWithExamples) -> list[Finding]:
        column = self._header[0]
        shown, listed = tuple(tally.examples[:EXAMPLES]), tuple(tally.examples)
        return [Finding(rule, column, tally.count, shown, listed=listed)] if tally.count else []
