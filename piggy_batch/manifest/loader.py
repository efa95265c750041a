"""Copies a manifest into a journal and checks every row on the way."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from piggy_batch.endpoints import NOBODY, find_operation
from piggy_batch.endpoints.cells import check_cell
from piggy_batch.errors import SetupError
from piggy_batch.manifest.affected_rows import LISTED
from piggy_batch.manifest.binding import Binding, bind, check, refuse_useless, role_of
from piggy_batch.manifest.doctor import BATCH_ROWS, ColumnRole, Examined, Examiner
from piggy_batch.manifest.doctor.findings import EXAMPLES, holds_no_value
from piggy_batch.manifest.duplicates import DuplicateFinder
from piggy_batch.manifest.header_proposals import with_proposal
from piggy_batch.manifest.invalid_reasons import SHOWN, ReasonCounter
from piggy_batch.manifest.mending import repairs_from
from piggy_batch.manifest.options import LoadedManifest, ManifestOptions
from piggy_batch.manifest.suspicious_rows import Oddities
from piggy_batch.models import Kind, Problem, Repeat, Status
from piggy_batch.runs.records import LoadBatch
from piggy_batch.tables import Table, sha256_of
from piggy_batch.text import folded, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from piggy_batch.endpoints import Operation
    from piggy_batch.runs.journal import Journal
    from piggy_batch.runs.journal_queries import JournalQueries

Row = tuple[int, int, list[str]]  # number, line, cells
_HARMLESS = frozenset({"", "invalid", "rejected"})  # statuses of rows that a once command may take up again


def load_manifest(
    journal: Journal, operation: Operation, manifest: Path, reading: ManifestOptions, *, detailed: bool = False
) -> LoadedManifest:
    """Copy and check every row; SetupError where the file as a whole is no manifest of the operation.

    ``detailed``: the rows of each finding will be listed, so keys stay in the journal and more examples are kept.
    """
    before = None if str(manifest) == "-" or not manifest.is_file() else sha256_of(manifest)
    with reading.open(manifest, spool=journal.directory / "stdin") as table:
        reading = reading.resolved(operation, table.columns)
        binding = bind_table(operation, table, reading)
        _refuse_floats(manifest, table, binding)
        loader = ManifestLoader(binding, reading, table, ReasonCounter(most=LISTED if detailed else SHOWN))
        rows = journal.load(loader.batches())
        repeats = loader.duplicates.find(journal, loader.reasons)
    if not detailed:
        journal.forget_keys()
    content = sha256_of(_source(journal, manifest))
    if before is not None and before != content:
        raise SetupError(f"{manifest}: the file was changed while it was read; run the command again")
    journal.set("operation", operation.name)
    journal.set("repeat", operation.repeat.value)
    journal.set("manifest", {"path": str(manifest), "sha256": content})
    journal.set("header", list(table.columns))
    journal.set("options", reading.bound())
    return LoadedManifest(
        binding,
        table.facts,
        rows,
        journal.queries.counts()[Status.INVALID],
        loader.reasons.reasons(),
        tuple(loader.oddities.warnings()),
        tuple(loader.examiner.findings(repeats)),
        tuple(loader.examiner.facts()),
        tuple(loader.repaired),
        tuple(loader.examiner.not_judged()),
    )


def bind_table(operation: Operation, table: Table, reading: ManifestOptions) -> Binding:
    """The binding of a table; SetupError, with what would help, where a column is missing."""
    try:
        binding = bind(operation, table.columns, reading.maps, reading.constants, reading.repairs)
    except SetupError as error:
        raise with_proposal(error, operation, table, reading) from None
    refuse_useless(binding)
    return binding


def _source(journal: Journal, manifest: Path) -> Path:
    return journal.directory / "stdin" if str(manifest) == "-" else manifest


def rebind(journal: JournalQueries, operation: Operation, reading: ManifestOptions) -> Binding:
    """The binding of a run that is loaded already, under the options that it was loaded with."""
    repairs = replace(reading.repairs, codes_only=repairs_from(journal.get("options") or {}).codes_only)
    return bind(operation, journal.get("header"), reading.maps, reading.constants, repairs)


def binding_of(journal: JournalQueries, operation: Operation | None = None) -> Binding:
    """The binding of a begun run, from its journal alone. ``operation``: its own where it is none of the catalogue."""
    options = journal.get("options")
    operation = operation or find_operation(journal.get("operation"))
    return bind(operation, journal.get("header"), options["--map"], options["--set"], repairs_from(options))


def _refuse_floats(manifest: Path, table: Table, binding: Binding) -> None:
    for name, place in binding.column_index.items():
        if table.columns[place] in table.float_columns:
            raise SetupError(
                f"{manifest}: column {table.columns[place]!r}, read as {name}, holds floating-point numbers, so digits "
                "are lost already; export it as text or as whole numbers"
            )


class ManifestLoader:
    """Feeds the journal batch by batch; what is usual of a batch is checked column by column."""

    def __init__(self, binding: Binding, reading: ManifestOptions, table: Table, reasons: ReasonCounter) -> None:
        emails = tuple(c.name for c in binding.fields if c.kind is Kind.EMAIL)
        self.binding = binding
        self.reasons = reasons
        self.repaired: list[tuple[int, str, str]] = []
        self.duplicates = DuplicateFinder(binding, reading, emails)
        self.oddities = Oddities(emails)
        self.examiner = Examiner(table.columns, _examined(binding, table))
        self._table = table
        self._emails = emails
        self._may_lack = _optional_from(binding) if table.facts.format == "csv" else len(binding.header)
        names = {name.strip().casefold(): i for i, name in enumerate(table.columns)}
        once = binding.operation.repeat is Repeat.ONCE and not reading.again
        self._carried_out = (names.get("_operation"), names.get("_status")) if once else (None, None)

    def batches(self) -> Iterator[LoadBatch]:
        """Every row of the table, with its key and what is wrong with it."""
        rows = self._table.rows()
        number = 1
        while taken := list(islice(rows, BATCH_ROWS)):
            batch = [(n, line, cells) for n, (line, cells) in enumerate(taken, number)]
            cut = None
            if len(taken[-1][1]) != len(self.binding.header) and not self._table.facts.ends_line:
                following = next(rows, None)  # only the last row of all may be cut off
                rows, cut = (rows, batch[-1]) if following is None else (chain([following], rows), None)
            yield self._checked(batch, cut)
            number += len(taken)

    def _checked(self, batch: list[Row], cut: Row | None) -> LoadBatch:
        """A batch with what is wrong with it; ``cut`` is a row of it amid which the file may end."""
        problems: list[Problem] = []
        width = len(self.binding.header)
        self.oddities.note_breaks(batch)
        whole = batch
        if {len(cells) for _, _, cells in batch} != {width}:
            batch = self._filled(batch, cut)
            whole = [row for row in batch if len(row[2]) == width]
            problems += [_ragged(n, line, cells, width) for n, line, cells in batch if len(cells) != width]
            # Shifted cells might pass as right in an errors file that nobody mended: they stand in the message only.
            batch = [(n, line, c if len(c) == width else [""] * width) for n, line, c in batch]
        sent = self._mended(whole)
        found = self.examiner.feed(sent)
        if self._carried_out != (None, None):
            for number, line, cells in whole:
                self._refuse_done(number, line, cells)
        if self._emails or not self._is_usual(sent):
            lost = {(p.row, p.column) for p in found if holds_no_value(p)}
            checked = self._check_each(whole, lost)
            better = {(p.row, p.column) for p in checked}  # what a field's kind says is nearer than what a code's is
            found = [p for p in found if (p.row, p.column) not in better]
            problems += checked
        problems += found
        keys = self.duplicates.keys(whole, sent, {(p.row, p.column) for p in found if holds_no_value(p)})
        self.reasons.add(problems)
        return LoadBatch(batch, keys, [(p.row, p.with_column) for p in problems])

    def _filled(self, batch: list[Row], cut: Row | None) -> list[Row]:
        """The rows, those filled up that lack only last cells which may be blank; not ``cut``, where a file ends."""
        width = len(self.binding.header)
        found = []
        for row in batch:
            number, line, cells = row
            if self._may_lack <= len(cells) < width and row is not cut:
                self.oddities.note_short(number, line)
                found.append((number, line, [*cells, *[""] * (width - len(cells))]))
            else:
                found.append(row)
        return found

    def _mended(self, rows: list[Row]) -> list[Row]:
        """The rows as they will be sent."""
        binding = self.binding
        if not binding.is_mending:
            return rows
        places = [(binding.column_index[name], mending) for name, mending in binding.mendings.items()]
        found = []
        for number, line, cells in rows:
            repaired = list(cells)
            for place, mending in places:
                before, after = cells[place], mending.apply(cells[place])
                if before != after:  # what a workbook's number is known by stays with a cell that stays
                    repaired[place] = after
                if before != after and len(self.repaired) < EXAMPLES:
                    self.repaired.append((number, before, after))
            found.append((number, line, repaired))
        return found

    def _is_usual(self, rows: list[Row]) -> bool:
        """Whether the batch is right beyond doubt; False only means that each row has to be looked at."""
        operation, places = self.binding.operation, self.binding.column_index
        chooses = operation.at_least_one or operation.one_of
        opened = operation.open_columns is not None and operation.open_columns.required
        if chooses or opened or any(n not in places for n in self._needed()):
            return False
        for name, place in places.items():
            declared = operation.column(name)
            kind = declared.kind if declared else Kind.TEXT
            column = [cells[place] for _, _, cells in rows]
            if kind in {Kind.TEXT, Kind.NAME}:
                if any(map(str.isspace, column)) or (declared and declared.required and "" in column):
                    return False
            elif any(check_cell(kind, text) for text in set(column) if text) or (
                declared and declared.required and "" in column
            ):
                return False
        return True

    def _needed(self) -> list[str]:
        return [c.name for c in self.binding.operation.columns if c.required and c.name not in self.binding.constants]

    def _check_each(self, rows: list[Row], damaged: set[tuple[int, str | None]]) -> list[Problem]:
        """What is wrong with the rows' fields, but for cells of which the doctor has said what is wrong."""
        found: list[Problem] = []
        for number, line, cells in rows:
            values = self.binding.values(cells)
            wrong = check(self.binding, values)
            for name, problem in wrong:
                column = self.binding.column_of(name) if name else None
                if (number, column) not in damaged:
                    found.append(Problem(number, line, column, str(problem), problem.reason))
            if not wrong and self._emails:
                self.oddities.note_made_up(number, line, values)
        return found

    def _refuse_done(self, number: int, line: int, cells: Sequence[str]) -> None:
        operation_at, status_at = self._carried_out
        if operation_at is None or status_at is None:
            return
        made_by, status = folded(cells[operation_at]), folded(cells[status_at])
        if made_by == self.binding.operation.name and status not in _HARMLESS:
            insist = "--credits-again" if made_by == "migrate" else "--again"
            raise SetupError(
                f"row {number} (line {line}) says that {made_by} ended {status} for it already; "
                f"sending it again would do it twice: go on with the run directory it comes from, or pass {insist}"
            )


def _examined(binding: Binding, table: Table) -> list[Examined]:
    """Every column that is read, for the doctor."""
    found = []
    for name, place in binding.column_index.items():
        column = binding.operation.column(name)
        role = role_of(binding.operation, name)
        may_be_nobody = role is ColumnRole.UUID and column is not None and not column.sent
        allowed = frozenset({NOBODY}) if may_be_nobody else frozenset[str]()
        found.append(Examined(table.columns[place], role, place, name, allowed, formatted=table.may_be_formatted))
    return found


def _optional_from(binding: Binding) -> int:
    """How many cells a row must have at least: from there on every column may be blank, and guards nothing."""
    needed = 1
    for name, place in binding.column_index.items():
        column = binding.operation.column(name)
        if column is not None and (column.required or not column.sent):
            needed = max(needed, place + 1)
    return needed


def _ragged(number: int, line: int, cells: Sequence[str], width: int) -> Problem:
    shown = ", ".join(f'"{printable(c)}"' for c in cells[:20]) + (", …" if len(cells) > 20 else "")
    message = f"has {len(cells)} cells where the header has {width}: {shown}; quote cells that hold the delimiter"
    return Problem(number, line, None, message, f"has more or fewer cells than the header, which has {width}")
