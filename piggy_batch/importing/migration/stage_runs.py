"""The records of a migration: each stage is an ordinary run with a journal of its own.

A stage may have several runs, called parts, because a row may reach it later than others. Nothing else is kept: where
a row stands is read from those journals.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from piggy_batch.endpoints.cells import identity_of
from piggy_batch.errors import JournalError
from piggy_batch.files import UNFINISHED, going_on
from piggy_batch.importing.migration.stages import (
    FINE,
    HEADERS,
    ROW,
    WITHHELD,
    MigrationRow,
    Stage,
    is_unlinked,
    migrate_operation,
)
from piggy_batch.manifest.loader import binding_of
from piggy_batch.models import Status
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.runs.records import RowState
from piggy_batch.tables import OutputColumn, open_table, open_writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from piggy_batch.manifest.binding import Binding

BATCH = 2_000  # rows a write
_PART = re.compile(r"part-([1-9]\d*)\.csv")


class StageRuns:
    """The parts of one stage on disk: ``part-1.csv`` with its run directory ``part-1``, and so on."""

    def __init__(self, run_dir: Path, stage: Stage) -> None:
        self.stage = stage
        self._folder = run_dir / stage.folder

    def manifests(self) -> list[Path]:
        """The parts' manifests, first to last. A part begins with its manifest, which appears whole."""
        found = self._folder.glob("part-*.csv") if self._folder.is_dir() else ()
        parts = {int(name[1]): path for path in found if (name := _PART.fullmatch(path.name))}
        return [parts[number] for number in sorted(parts)]

    def add(self, rows: Iterable[Sequence[str]]) -> Path | None:
        """Begin a new part with these rows; its manifest, or None where there are none."""
        first = next(iterator := iter(rows), None)
        if first is None:
            return None
        path = self._folder / f"part-{len(self.manifests()) + 1}.csv"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            columns = [OutputColumn(name) for name in HEADERS[self.stage]]
            with open_writer(path, "csv", columns, drafts=self._folder.parent / UNFINISHED) as writer:
                writer.write([first])
                while batch := list(islice(iterator, BATCH)):
                    writer.write(batch)
        except OSError as error:
            why = error.strerror or error
            raise JournalError(f"{path} cannot be written: {why}; {going_on(error)}", goes_on=True) from None
        return path

    def entries(self) -> Iterator[tuple[int, RowState]]:
        """(manifest row, outcome so far) of every row that has reached the stage, in manifest order."""
        return heapq.merge(*(_entries_of(path) for path in self.manifests()), key=lambda pair: pair[0])

    def journals(self) -> Iterator[JournalQueries]:
        """The parts' journals, for reading; each is closed when the next is asked for."""
        for path in self.manifests():
            journal = journal_of(path)
            if journal is not None:
                try:
                    yield journal
                finally:
                    journal.close()

    def unlinked(self) -> int:
        """Rows of the create stage whose card is there and belongs to nobody: the link stage takes them on."""
        refused = (row for journal in self.journals() for row in journal.rows_in(Status.REJECTED))
        return sum(is_unlinked(row.kept or {}) for row in refused)

    def summary(self) -> dict[str, Any]:
        """What has become of the stage's rows so far, over all parts."""
        counts: Counter[str] = Counter()
        requests: Counter[str] = Counter({"sent": 0, "retried": 0, "throttled": 0})
        parts = 0
        for journal in self.journals():
            parts += 1
            counts.update({status.value: number for status, number in journal.counts().items() if number})
            requests.update(journal.requests())
        return {
            "operation": self.stage.operation.name,
            "rows": sum(counts.values()),
            "counts": dict(counts),
            "requests": dict(requests),
            "parts": parts,
        }


def journal_of(manifest: Path) -> JournalQueries | None:
    """A part's journal, for reading; None where its run has not begun or was never loaded."""
    journal = JournalQueries.open(manifest.with_suffix("")) if manifest.with_suffix("").is_dir() else None
    if journal is not None and journal.get("header") is None:
        journal.close()
        return None
    return journal


def _entries_of(manifest: Path) -> Iterator[tuple[int, RowState]]:
    journal = journal_of(manifest)
    if journal is None:
        with open_table(manifest) as table:
            place = table.columns.index(ROW)
            for number, (line, cells) in enumerate(table.rows(), start=1):
                yield int(cells[place]), RowState(number, line, cells, Status.PENDING)
        return
    try:
        place = journal.get("header").index(ROW)
        for entry in journal.all_rows():
            yield int(entry.cells[place]), entry
    finally:
        journal.close()


class MigrationState:
    """Where every row of a migration stands; read afresh at every look."""

    def __init__(self, run_dir: Path, journal: JournalQueries, binding: Binding) -> None:
        self.runs = {stage: StageRuns(run_dir, stage) for stage in Stage}
        self._journal = journal
        self.binding = binding

    @classmethod
    def of(cls, journal: JournalQueries) -> Self:
        """Of the migration whose own journal that is."""
        operation = migrate_operation(credits=journal.get("credits") is True)
        return cls(journal.directory, journal, binding_of(journal, operation))

    def requests(self) -> Counter[str]:
        """The requests of all stages so far."""
        counts: Counter[str] = Counter()
        for runs in self.runs.values():
            for journal in runs.journals():
                counts.update(journal.requests())
        return counts

    def contacts(self) -> dict[str, RowState | str]:
        """By e-mail identity: the contact's UUID, or the outcome that gave none. In memory, one an address."""
        known: dict[str, RowState | str] = {}
        for _, entry in self.runs[Stage.CONTACTS].entries():
            uuid = (entry.kept or {}).get("contact_uuid") if entry.status in FINE else None
            known[identity_of(entry.cells[0])] = str(uuid) if uuid is not None else entry
        return known

    def lines(self) -> Iterator[MigrationRow]:
        """Every row in manifest order with its outcomes so far."""
        contacts, withheld = self.contacts(), _withheld(self._journal)
        streams = {s: RowCursor(self.runs[s].entries()) for s in Stage if s is not Stage.CONTACTS}
        for entry in self._journal.all_rows():
            values = self.binding.values(entry.cells)
            line = MigrationRow(entry, values)
            for stage, stream in streams.items():
                fate = stream.at(entry.number)
                if fate is not None:
                    line.fates[stage] = fate
            if entry.number in withheld:
                line.fates[Stage.CREDITS], line.withheld = withheld[entry.number], True
            known = contacts.get(line.identity) if entry.status is not Status.INVALID and line.identity else None
            if isinstance(known, str):
                line.contact = known
                line.fates[Stage.CONTACTS] = _FOUND
            elif known is not None:
                line.fates[Stage.CONTACTS] = known
            for reached in line.fates:
                if not line.is_in(reached):
                    raise self._others(reached, line)
            yield line

    def _others(self, stage: Stage, line: MigrationRow) -> JournalError:
        return JournalError(
            f"{self._journal.directory / stage.folder} tells what became of another list: its row "
            f"{line.entry.number:,} is another one. The journal of the migration, which knows that list, was lost or "
            "replaced: bring it back; or name another --run-dir for this list"
        )


def _withheld(journal: JournalQueries) -> dict[int, RowState]:
    """What stands for the credits stage of rows whose credits are not given, because earlier migrations have."""
    fact = journal.get(WITHHELD) or {"given": [], "doubt": [], "others": {}, "by": ""}
    by = fact["by"]
    given = RowState(0, 0, [], Status.ALREADY, message=f"given by {by}")
    doubt = RowState(0, 0, [], Status.UNKNOWN, message=f"in doubt since {by}: settle them there with migrate reconcile")
    found = dict.fromkeys(fact["given"], given) | dict.fromkeys(fact["doubt"], doubt)
    others = {int(number): RowState(0, 0, [], Status.REJECTED, message=why) for number, why in fact["others"].items()}
    return found | others


_FOUND = RowState(
    0, 0, [], Status.DONE
)  # stands for a contact that is there; its own outcome is in the stage's results


class RowCursor:
    """An ordered stream of (number, entry) that is asked for ever higher numbers."""

    def __init__(self, stream: Iterator[tuple[int, RowState]]) -> None:
        self._stream = stream
        self._next = next(stream, None)

    def at(self, number: int) -> RowState | None:
        """The entry of that number; None where there is none."""
        while self._next is not None and self._next[0] < number:
            self._next = next(self._stream, None)
        return self._next[1] if self._next is not None and self._next[0] == number else None
