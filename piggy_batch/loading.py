"""The machine that copies a manifest into a journal and checks every row on the way."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from piggy_batch.emails import identity_of, is_made_up
from piggy_batch.errors import SetupError
from piggy_batch.manifest import Binding, bind, check, printable
from piggy_batch.model import Json, Kind, Problem, Repeat
from piggy_batch.tables import Facts, Table, open_table, sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from piggy_batch.journal import Journal
    from piggy_batch.operations import Operation

SHOWN = 20  # problems printed; all of them stand in errors
_HARMLESS = frozenset({"", "invalid", "rejected"})  # statuses of rows that a once command may take up again


@dataclass(frozen=True, slots=True)
class Reading:
    """How a manifest is read and bound to an operation; what is None is detected."""

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    maps: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    allow_repeats: bool = False
    allow_shared: bool = False
    again: bool = False
    extra: Mapping[str, Json] = field(default_factory=dict)  # further options of a command, by their names

    def bound(self) -> dict[str, Any]:
        """The options that change what is sent, by their command-line names: a run belongs to them."""
        return {
            "--map": dict(self.maps),
            "--set": dict(self.constants),
            "--sheet": self.sheet,
            "--encoding": self.encoding,
            "--delimiter": self.delimiter,
            "--allow-repeats": self.allow_repeats,
            "--allow-shared": self.allow_shared,
            **self.extra,
        }


@dataclass(frozen=True, slots=True)
class Loaded:
    """A manifest in its journal."""

    binding: Binding
    facts: Facts
    rows: int
    invalid: int
    problems: tuple[Problem, ...]  # the first of them
    warnings: tuple[str, ...] = ()  # what is odd about valid rows, one line each


def load_manifest(journal: Journal, operation: Operation, manifest: Path, reading: Reading) -> Loaded:
    """Copy and check every row; SetupError where the file as a whole is no manifest of the operation."""
    with open_table(
        manifest,
        delimiter=reading.delimiter,
        encoding=reading.encoding,
        sheet=reading.sheet,
        spool=journal.directory / "stdin",
    ) as table:
        binding = bind(operation, table.columns, reading.maps, reading.constants)
        _refuse_floats(manifest, table, binding)
        loader = _Loader(binding, reading, table)
        rows = journal.load(loader.rows())
        loader.find_repeats(journal)
    now = time.time()
    problems = sorted(loader.problems, key=lambda p: p.row)
    journal.invalidate(((p.row, _with_column(p)) for p in problems), now)
    journal.forget_keys()
    journal.set("operation", operation.name)
    journal.set("repeat", operation.repeat.value)
    journal.set("manifest", {"path": str(manifest), "sha256": sha256_of(_source(journal, manifest))})
    journal.set("header", list(table.columns))
    journal.set("options", reading.bound())
    invalid = len({p.row for p in problems})
    return Loaded(binding, table.facts, rows, invalid, tuple(problems[:SHOWN]), loader.warnings())


def _source(journal: Journal, manifest: Path) -> Path:
    return journal.directory / "stdin" if str(manifest) == "-" else manifest


def rebind(journal: Journal, operation: Operation, reading: Reading) -> Binding:
    """The binding of a run that is loaded already."""
    return bind(operation, journal.get("header"), reading.maps, reading.constants)


def _with_column(problem: Problem) -> str:
    return f"{problem.column}: {problem.message}" if problem.column else problem.message


def _refuse_floats(manifest: Path, table: Table, binding: Binding) -> None:
    for name, place in binding.places.items():
        if table.columns[place] in table.float_columns:
            raise SetupError(
                f"{manifest}: column {table.columns[place]!r}, read as {name}, holds floating-point numbers, so digits "
                "are lost already; export it as text or as whole numbers"
            )


class _Loader:
    """Feeds the journal and keeps what was wrong."""

    def __init__(self, binding: Binding, reading: Reading, table: Table) -> None:
        self.binding = binding
        self.problems: list[Problem] = []
        self._table = table
        self._reading = reading
        self._unique = self._unique_column()
        self._emails = tuple(c.name for c in binding.fields if c.kind is Kind.EMAIL)
        self._made_up = 0
        self._first_made_up: tuple[int, str] | None = None
        names = {name: i for i, name in enumerate(table.columns)}
        once = binding.operation.repeat is Repeat.ONCE and not reading.again
        self._carried_out = (names.get("_operation"), names.get("_status")) if once else (None, None)

    def _unique_column(self) -> str | None:
        operation, reading = self.binding.operation, self._reading
        allowed = {"allow_repeats": reading.allow_repeats, "allow_shared": reading.allow_shared}
        if operation.unique_flag == "allow_repeats" and allowed["allow_repeats"]:
            return None
        return operation.unique

    def rows(self) -> Iterator[tuple[int, int, Sequence[str], str | None, str | None]]:
        binding, unique, problems = self.binding, self._unique, self.problems
        width = len(binding.header)
        shared = self._reading.allow_shared and binding.operation.unique_flag == "allow_shared"
        for number, (line, cells) in enumerate(self._table.rows(), start=1):
            if len(cells) != width:
                problems.append(Problem(number, line, None, _ragged(cells, width)))
                yield number, line, cells[:width], None, None
                continue
            values = binding.values(cells)
            found = check(binding, values)
            self._refuse_done(number, line, cells)
            if found:
                problems.extend(Problem(number, line, column, message) for column, message in found)
            elif self._emails:
                self._note_made_up(number, values)
            key = values.get(unique) if unique else None
            if key is not None and unique in self._emails:
                key = identity_of(key)
            if key is not None and shared:
                key = f"{key}\n{values.get('contact_uuid', '')}"
            yield number, line, cells, key, None

    def find_repeats(self, journal: Journal) -> None:
        """The second and later rows of one key are invalid and name the first."""
        if self._unique is None:
            return
        invalid = {p.row for p in self.problems}
        pairs = [(number, first) for number, first in journal.repeats() if number not in invalid]
        lines = journal.lines([n for pair in pairs for n in pair])
        rivals = self._rivals(journal, pairs)
        permit = _permit(self.binding.operation)
        for number, first in pairs:
            self.problems.append(
                Problem(
                    number,
                    lines[number],
                    self._unique,
                    f"the same as in row {first} (line {lines[first]}){rivals.get(number, permit)}",
                )
            )

    def _rivals(self, journal: Journal, pairs: Sequence[tuple[int, int]]) -> dict[int, str]:
        """What to say of repeats that name another owner than the first does, by row."""
        rival = self.binding.operation.rival
        if rival is None or not pairs:
            return {}
        cells = journal.cells([n for pair in pairs for n in pair])
        owners = {n: identity_of(self.binding.values(c).get(rival, "")) for n, c in cells.items()}
        return {
            number: f', with another {rival} there ("{printable(owners[first])}"); a card has one owner: keep one row'
            for number, first in pairs
            if owners[number] != owners[first]
        }

    def _note_made_up(self, number: int, values: Mapping[str, str]) -> None:
        for name in self._emails:
            if name in values and is_made_up(values[name]):
                self._made_up += 1
                self._first_made_up = self._first_made_up or (number, values[name])

    def warnings(self) -> tuple[str, ...]:
        """What is odd about valid rows, one line each."""
        if self._first_made_up is None:
            return ()
        number, text = self._first_made_up
        warning = (
            f"{self._made_up:,} e-mail addresses look made up (a phone number, or …@piggy.nl), the first in row "
            f'{number}: "{printable(text)}"; no mail arrives there, and two lists may invent different ones for one '
            "customer"
        )
        return (warning,)

    def _refuse_done(self, number: int, line: int, cells: Sequence[str]) -> None:
        operation_at, status_at = self._carried_out
        if operation_at is None or status_at is None:
            return
        if cells[operation_at] == self.binding.operation.name and cells[status_at] not in _HARMLESS:
            raise SetupError(
                f"row {number} (line {line}) says that {cells[operation_at]} ended {cells[status_at]} for it already; "
                "sending it again would do it twice: go on with the run directory it comes from, or pass --again"
            )


def _permit(operation: Operation) -> str:
    match operation.unique_flag:
        case "allow_shared":
            return "; two people could spend one card (--allow-shared permits other contacts)"
        case "allow_repeats":
            return "; the card would be loaded twice (--allow-repeats permits it)"
        case _:
            return ""


def _ragged(cells: Sequence[str], width: int) -> str:
    number = len(cells)
    more = f"; too many: {', '.join(repr(printable(c)) for c in cells[width : width + 3])}" if number > width else ""
    return f"has {number} cells where the header has {width}{more}; quote cells that hold the delimiter"
