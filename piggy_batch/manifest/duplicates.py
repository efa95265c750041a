"""Rows of a manifest that name the same thing twice: found in the journal, where the keys of all rows are."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from piggy_batch.endpoints.cells import identity_of
from piggy_batch.manifest.doctor import Example, Repeats, normal_form
from piggy_batch.manifest.doctor.finding_kinds import DUPLICATE
from piggy_batch.manifest.doctor.findings import EXAMPLES
from piggy_batch.models import Problem
from piggy_batch.text import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from piggy_batch.endpoints import Operation, Waiver
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.manifest.invalid_reasons import ReasonCounter
    from piggy_batch.manifest.options import ManifestOptions
    from piggy_batch.runs.journal import Journal

Row = tuple[int, int, list[str]]  # number, line, cells


class DuplicateFinder:
    """Collects the key of each row on its way into the journal, and tells afterwards which are there twice."""

    def __init__(self, binding: Binding, reading: ManifestOptions, emails: Sequence[str]) -> None:
        self._binding = binding
        self._reading = reading
        self._unique = self._unique_column()
        self._is_email = self._unique in emails
        self._beside = self._waiver.once_with if self._waiver else None
        self._folds = False  # some key differs from its folded form

    def _unique_column(self) -> str | None:
        operation = self._binding.operation
        if self._waiver is not None and self._waiver.once_with is None:
            return None
        if operation.unique in operation.one_of:
            return next(c.name for c in self._binding.fields if c.name in operation.one_of)
        return operation.unique

    @property
    def _waiver(self) -> Waiver | None:
        """The operation's waiver, where it was given."""
        waiver = self._binding.operation.waiver
        return waiver if waiver is not None and self._reading.waives(waiver.option) else None

    def keys(
        self, rows: Sequence[Row], sent: Sequence[Row], empty: Collection[tuple[int, str | None]]
    ) -> list[tuple[int, str, str | None]]:
        """The key of each row, and its folded form where that differs. ``sent``: the same rows as they are sent.

        ``empty``: (row, column) of cells that hold no value; two of them name no one thing.
        """
        keys = self._keys(rows, sent)
        if empty and self._unique is not None:
            column = self._binding.column_of(self._unique)
            keys = [key for key in keys if (key[0], column) not in empty]
        self._folds = self._folds or any(fold is not None for _, _, fold in keys)
        return keys

    def _keys(self, rows: Sequence[Row], sent: Sequence[Row]) -> list[tuple[int, str, str | None]]:
        unique = self._unique
        place = self._binding.column_index.get(unique) if unique else None
        constant = self._binding.constants.get(unique) if unique else None
        if unique is None or (place is None and constant is None):
            return []
        if place is not None:
            keys = [(number, cells[place]) for number, _, cells in sent if cells[place] != ""]
        else:  # --set gives every row the same thing
            keys = [(number, constant or "") for number, _, _ in sent]
        if self._is_email:
            return [(number, identity_of(key), None) for number, key in keys]
        if self._beside is not None:
            other = {n: self._binding.values(c).get(self._beside, "") for n, _, c in rows}
            pairs = [(number, f"{key}\n{other[number]}") for number, key in keys]
            return [(number, pair, _fold(pair)) for number, pair in pairs]
        if _is_plain("".join([key for _, key in keys])):
            return [(number, key, None) for number, key in keys]
        return [(number, key, _fold(key)) for number, key in keys]

    def find(self, journal: Journal, reasons: ReasonCounter) -> list[Repeats]:
        """Mark the second and later rows of one key invalid, each naming the first; what the doctor is told."""
        if self._unique is None:
            return []
        exact = 0
        examples: list[Example] = []
        for pairs in _chunks(journal.queries.repeats()):
            exact += len(pairs)
            problems = self._repeated(journal, pairs)
            if not examples and self._unique in self._binding.column_index:
                examples = self._examples(journal, problems[:EXAMPLES])
            reasons.add(problems)
            journal.invalidate((p.row, p.with_column) for p in problems)
        return [self._near(journal, exact, examples)] if self._unique in self._binding.column_index else []

    def _examples(self, journal: Journal, problems: Sequence[Problem]) -> list[Example]:
        cells = journal.queries.cells([p.row for p in problems])
        place = self._binding.column_index[self._unique or ""]
        return [Example(p.row, p.line, cells[p.row][place]) for p in problems]

    def _repeated(self, journal: Journal, pairs: Sequence[tuple[int, int]]) -> list[Problem]:
        lines = journal.queries.lines([n for pair in pairs for n in pair])
        rivals = self._rivals(journal, pairs)
        permit = _permit(self._binding.operation)
        return [
            Problem(
                number,
                lines[number],
                self._unique,
                f"the same as in row {first} (line {lines[first]}){rivals.get(number, permit)}",
                f"{DUPLICATE.code} {DUPLICATE.slug}: the same as in an earlier row",
            )
            for number, first in pairs
        ]

    def _near(self, journal: Journal, exact: int, exact_examples: list[Example]) -> Repeats:
        """Rows whose key differs from an earlier one's only by case, space or wrapping."""
        count = 0
        examples: list[Example] = []
        place = self._binding.column_index[self._unique or ""]
        column = self._binding.header[place]
        if not self._folds:  # no key has another form: the exact repeats were all
            return Repeats(column, exact, tuple(exact_examples))
        for number, first in journal.queries.repeats(folded=True):
            count += 1
            if len(examples) == EXAMPLES:
                continue
            both = journal.queries.cells([number, first])
            if both[number][place] != both[first][place]:
                line = journal.queries.lines([number])[number]
                examples.append(Example(number, line, both[number][place], both[first][place]))
        return Repeats(column, exact, tuple(exact_examples), count - exact, tuple(examples))

    def _rivals(self, journal: Journal, pairs: Sequence[tuple[int, int]]) -> dict[int, str]:
        """What to say of repeats that name another owner than the first does, by row."""
        rival = self._binding.operation.owner_column
        if rival is None or not pairs:
            return {}
        cells = journal.queries.cells([n for pair in pairs for n in pair])
        owners = {n: identity_of(self._binding.values(c).get(rival, "")) for n, c in cells.items()}
        return {
            number: f', with another {rival} there ("{printable(owners[first])}"); a card has one owner: keep one row'
            for number, first in pairs
            if owners[number] != owners[first]
        }


def _is_plain(text: str) -> bool:
    """Whether every part of a text is its own normal form; False only means that each has to be looked at."""
    return text.isascii() and text.isalnum() and text == text.lower()


def _fold(key: str) -> str | None:
    folded = normal_form(key)
    return folded if folded != key else None


def _chunks(pairs: Iterable[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    found = iter(pairs)
    while chunk := list(islice(found, 1000)):
        yield chunk


def _permit(operation: Operation) -> str:
    waiver = operation.waiver
    return "" if waiver is None else f"; {waiver.refusal}"
