"""What a column holds, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from piggy_batch.manifest.doctor.check_digits import Scheme
from piggy_batch.manifest.doctor.findings import EXAMPLES, Example

Batch = Sequence[tuple[int, int, Sequence[str]]]  # row number, line, cells


@dataclass(slots=True)
class CountWithExamples:
    """A count that remembers its first examples."""

    count: int = 0
    examples: list[Example] = field(default_factory=list)
    most: int = EXAMPLES  # of the examples

    def add(self, example: Example) -> None:
        """Count one row."""
        self.count += 1
        if len(self.examples) < self.most:
            self.examples.append(example)


def merged(tallies: Sequence[CountWithExamples]) -> tuple[int, list[Example]]:
    """The sum of several tallies with the first examples of all, by row."""
    examples = sorted((e for tally in tallies for e in tally.examples), key=lambda example: example.row)
    return sum(tally.count for tally in tallies), examples[:EXAMPLES]


@dataclass(slots=True)
class Digits:
    """The values of one length that are digits only."""

    all: CountWithExamples = field(default_factory=CountWithExamples)
    zero_first: int = 0
    cut: CountWithExamples = field(default_factory=CountWithExamples)  # only zeros after the fifteenth digit
    failing: dict[Scheme, CountWithExamples] = field(
        default_factory=lambda: {scheme: CountWithExamples() for scheme in Scheme}
    )
    checked: dict[Scheme, int] = field(default_factory=lambda: dict.fromkeys(Scheme, 0))


@dataclass(slots=True)
class ColumnStatistics:
    """What is known of a column's undamaged values."""

    digits: dict[int, Digits] = field(default_factory=dict)  # by length
    others: dict[int, CountWithExamples] = field(
        default_factory=dict
    )  # values with other characters than digits, by length
    letters_only: int = 0  # of the others
    upper: CountWithExamples = field(default_factory=CountWithExamples)  # of those that have letters
    lower: CountWithExamples = field(default_factory=CountWithExamples)
    mixed: CountWithExamples = field(default_factory=CountWithExamples)
    scientific: CountWithExamples = field(default_factory=CountWithExamples)  # looks so, or is a code that looks so
    dates: CountWithExamples = field(default_factory=CountWithExamples)
    spaced_dates: CountWithExamples = field(
        default_factory=CountWithExamples
    )  # those with space around or before a time
    no_dates: int = 0  # written as dates are, but there is no such day
    foreign: CountWithExamples = field(default_factory=CountWithExamples)  # all letters of a script that is not Latin
    uuids: int = 0
    no_uuids: CountWithExamples = field(default_factory=CountWithExamples)


class RowFinder:
    """Finds the rows of example values in a batch, which is needed for a handful of values only."""

    def __init__(self, batch: Batch, values: Sequence[str]) -> None:
        self._batch = batch
        self._values = values

    def last(self, value: str) -> Example:
        """The last row with a value."""
        at = len(self._values) - 1
        while self._values[at] != value:
            at -= 1
        row, line, _ = self._batch[at]
        return Example(row, line, value)

    def count(self, tally: CountWithExamples, group: Sequence[str]) -> None:
        """Add a group of values, in the order of rows, to a tally."""
        tally.count += len(group)
        wanted = EXAMPLES - len(tally.examples)
        if wanted <= 0:
            return
        start = 0
        for value in group[:wanted]:
            at = self._values.index(value, start)
            row, line, _ = self._batch[at]
            tally.examples.append(Example(row, line, value))
            start = at + 1
