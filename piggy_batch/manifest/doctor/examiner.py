"""The examination of a manifest while its rows stream by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from piggy_batch.manifest.doctor.column import ColumnExaminer
from piggy_batch.manifest.doctor.finding_kinds import DUPLICATE, NEAR_DUPLICATE
from piggy_batch.manifest.doctor.findings import ColumnFacts, ColumnRole, Examined, Finding, Repeats
from piggy_batch.manifest.doctor.printed_numbers import PrintedOrScanned
from piggy_batch.manifest.doctor.row_checks import RowWatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.manifest.doctor.column_statistics import Batch
    from piggy_batch.models import Problem

_MEASURED = frozenset({ColumnRole.IDENTIFIER, ColumnRole.HASH, ColumnRole.UUID, ColumnRole.EMAIL})
BATCH_ROWS = 500  # larger batches get slower: cells fall out of the processor cache


class Examiner:
    """Examines the chosen columns of one manifest, in memory that does not grow with its rows.

    ``header`` are all columns of the file; ``examined`` those that the command reads. Cells are fed as they will be
    sent, that is after ``Fixes``.
    """

    def __init__(self, header: Sequence[str], examined: Sequence[Examined]) -> None:
        self._columns = [ColumnExaminer(column) for column in examined]
        self._printed = PrintedOrScanned(header, examined)
        self._rows = RowWatch(header, examined)
        self.rows = 0

    def feed(self, batch: Batch) -> list[Problem]:
        """Examine rows ``(number, line, cells)``, none shorter than the header, in the order of the file.

        Returns a problem for each value that cannot be right: these rows are invalid. Batches of about
        ``BATCH_ROWS`` are fastest; batches of one row are right too.
        """
        self.rows += len(batch)
        if self._printed.wanted:
            self._printed.feed(batch)
        problems = [problem for column in self._columns for problem in column.feed(batch)]
        problems += self._rows.feed(batch, {problem.row for problem in problems})
        return sorted(problems, key=lambda problem: problem.row) if len(self._columns) > 1 else problems

    def findings(self, repeats: Sequence[Repeats] = ()) -> list[Finding]:
        """Everything found so far, by column and code; ``repeats`` is what the journal knows of duplicates."""
        known = {repeat.column: repeat for repeat in repeats}
        found: list[Finding] = []
        for column in self._columns:
            name = column.examined.column
            here = column.findings()
            here += [finding for finding in self._printed.findings() if finding.column == name]
            if name in known:
                here += repeated(known[name])
            found += sorted(here, key=lambda finding: finding.code)
        return found + self._rows.findings()

    def facts(self) -> list[ColumnFacts]:
        """The numbers of each examined column that holds codes or addresses."""
        return [column.facts() for column in self._columns if column.examined.role in _MEASURED]

    def not_judged(self) -> list[str]:
        """The checks that could not be applied, each with its column and its reason."""
        return [text for column in self._columns for text in column.not_judged()]


def repeated(repeats: Repeats) -> list[Finding]:
    """The findings about duplicates of one column."""
    found = []
    if repeats.exact:
        found.append(Finding(DUPLICATE, repeats.column, repeats.exact, repeats.exact_examples))
    if repeats.near:
        found.append(Finding(NEAR_DUPLICATE, repeats.column, repeats.near, repeats.near_examples))
    return [replace(finding, examples=finding.examples[:3]) for finding in found]
