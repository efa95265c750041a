"""Numbers of a workbook whose text is not what was meant: a cell format shows more, or digits are lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piggy_batch.manifest.doctor.column_statistics import CountWithExamples
from piggy_batch.manifest.doctor.finding_kinds import BY_FORMAT, DIGITS_CUT
from piggy_batch.manifest.doctor.findings import Example, Finding
from piggy_batch.tables.cells import FormattedText, LongNumber

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.manifest.doctor.column_statistics import Batch


class WorkbookNumbers:
    """Takes note of one column's cells that were numbers in the workbook; any number of rows is enough."""

    def __init__(self) -> None:
        self._by_format = CountWithExamples()
        self._lost = CountWithExamples()  # longer than a number is kept exactly
        self._rounded = CountWithExamples()  # as a spreadsheet rounds them, or by chance
        self._exact = False  # another program has written such numbers whole

    def feed(self, batch: Batch, values: Sequence[str]) -> None:
        """Look at a batch's values."""
        for (row, line, _), value in zip(batch, values, strict=True):
            if isinstance(value, FormattedText):
                self._by_format.add(Example(row, line, value, value.shown))
            elif isinstance(value, LongNumber):
                if value.lost:
                    self._lost.add(Example(row, line, value))
                elif value.rounded:
                    self._rounded.add(Example(row, line, value))
                else:
                    self._exact = True

    def findings(self, column: str) -> list[Finding]:
        """What was found so far."""
        found = []
        if self._by_format.count:
            shown = tuple(self._by_format.examples)
            found.append(Finding(BY_FORMAT, column, self._by_format.count, shown, proposed=_shown))
        cut = [self._lost] if self._exact else [self._lost, self._rounded]
        count = sum(tally.count for tally in cut)
        if count:
            examples = sorted((e for tally in cut for e in tally.examples), key=lambda example: example.row)
            proposed = _lost if self._exact else _rounded
            found.append(Finding(DIGITS_CUT, column, count, tuple(examples[:3]), proposed=proposed))
        return found


def _shown(value: str) -> str | None:
    return value.shown if isinstance(value, FormattedText) else None


def _lost(value: str) -> str | None:
    return "" if isinstance(value, LongNumber) and value.lost else None


def _rounded(value: str) -> str | None:
    return "" if isinstance(value, LongNumber) and (value.lost or value.rounded) else None
