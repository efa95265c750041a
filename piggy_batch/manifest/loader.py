"""The machine that copies a manifest into a journal and checks every row on the way."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from piggy_batch.endpoints import find_operation
from piggy_batch.endpoints.cells import check_cell, identity_of, is_made_up
from piggy_batch.errors import SetupError
from piggy_batch.manifest.binding import Binding, bind, check, role_of
from piggy_batch.manifest.doctor import (
    BATCH_ROWS,
    Examined,
    Examiner,
    Example,
    Repeats,
    normal_form,
    parse_fixes,
)
from piggy_batch.manifest.doctor.findings import EXAMPLES
from piggy_batch.manifest.options import SHOWN, LoadedManifest, ManifestOptions, _with_column
from piggy_batch.models import Kind, Problem, Repeat, Status
from piggy_batch.runs.records import LoadBatch
from piggy_batch.tables import Table, open_table, sha256_of
from piggy_batch.text import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from piggy_batch.endpoints import Operation
    from piggy_batch.runs.journal import Journal
    from piggy_batch.runs.journal_queries import JournalQueries


_HARMLESS = frozenset({"", "invalid", "rejected"})  # statuses of rows that a once command may take up again


def load_manifest(journal: Journal, operation: Operation, manifest: Path, reading: ManifestOptions) -> LoadedManifest:
    """Copy and check every row; SetupError where the file as a whole is no manifest of the operation."""
    before = None if str(manifest) == "-" or not manifest.is_file() else sha256_of(manifest)
    with open_table(
        manifest,
        delimiter=reading.delimiter,
        encoding=reading.encoding,
        sheet=reading.sheet,
        spool=journal.directory / "stdin",
    ) as table:
        binding = bind(operation, table.columns, reading.maps, reading.constants, reading.fixes)
        _refuse_floats(manifest, table, binding)
        loader = ManifestLoader(binding, reading, table)
        rows = journal.load(loader.batches())
        repeats = loader.find_repeats(journal)
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
        tuple(sorted(loader.problems, key=lambda p: p.row)[:SHOWN]),
        loader.warnings(),
        tuple(loader.examiner.findings(repeats)),
        tuple(loader.examiner.facts()),
        tuple(loader.repaired),
    )


def _source(journal: Journal, manifest: Path) -> Path:
    return journal.directory / "stdin" if str(manifest) == "-" else manifest


def rebind(journal: JournalQueries, operation: Operation, reading: ManifestOptions) -> Binding:
    """The binding of a run that is loaded already."""
    return bind(operation, journal.get("header"), reading.maps, reading.constants, reading.fixes)


def binding_of(journal: JournalQueries, operation: Operation | None = None) -> Binding:
    """The binding of a begun run, from its journal alone. ``operation``: its own where it is none of the catalogue."""
    options = journal.get("options")
    operation = operation or find_operation(journal.get("operation"))
    fixes = parse_fixes(options.get("--fix") or "")
    return bind(operation, journal.get("header"), options["--map"], options["--set"], fixes)


def _refuse_floats(manifest: Path, table: Table, binding: Binding) -> None:
    for name, place in binding.column_index.items():
        if table.columns[place] in table.float_columns:
            raise SetupError(
                f"{manifest}: column {table.columns[place]!r}, read as {name}, holds floating-point numbers, so digits "
                "are lost already; export it as text or as whole numbers"
            )


class ManifestLoader:
    """Feeds the journal batch by batch; what is usual of a batch is checked column by column."""

    def __init__(self, binding: Binding, reading: ManifestOptions, table: Table) -> None:
        self.binding = binding
        self.problems: list[Problem] = []  # the first of them
        self.repaired: list[tuple[int, str, str]] = []
        self._table = table
        self._reading = reading
        self._unique = self._unique_column()
        self._emails = tuple(c.name for c in binding.fields if c.kind is Kind.EMAIL)
        self._broken = 0  # rows with a line break in a cell
        self._first_broken: tuple[int, int] | None = None
        self._folds = False  # some key differs from its folded form
        self._made_up = 0
        self._first_made_up: tuple[int, str] | None = None
        examined = [
            Examined(table.columns[place], role, place)
            for name, place in binding.column_index.items()
            if (role := role_of(name)) is not None
        ]
        self.examiner = Examiner(table.columns, examined)
        names = {name: i for i, name in enumerate(table.columns)}
        once = binding.operation.repeat is Repeat.ONCE and not reading.again
        self._carried_out = (names.get("_operation"), names.get("_status")) if once else (None, None)

    def _unique_column(self) -> str | None:
        operation = self.binding.operation
        if self._is_waived("allow_repeats"):
            return None
        if operation.unique in operation.one_of:
            return next(c.name for c in self.binding.fields if c.name in operation.one_of)
        return operation.unique

    def _is_waived(self, option: str) -> bool:
        """Whether the operation has this waiver, and it was given."""
        waiver = self.binding.operation.waiver
        return waiver is not None and waiver.option == option and self._reading.waives(option)

    def batches(self) -> Iterator[LoadBatch]:
        """Every row of the table, with its key and what is wrong with it."""
        rows = self._table.rows()
        number = 1
        while taken := list(islice(rows, BATCH_ROWS)):
            yield self._checked([(n, line, cells) for n, (line, cells) in enumerate(taken, number)])
            number += len(taken)

    def _checked(self, batch: list[tuple[int, int, list[str]]]) -> LoadBatch:
        problems: list[Problem] = []
        width = len(self.binding.header)
        self._note_breaks(batch)
        whole = batch
        if {len(cells) for _, _, cells in batch} != {width}:
            whole = [row for row in batch if len(row[2]) == width]
            problems += [Problem(n, line, None, _ragged(c, width)) for n, line, c in batch if len(c) != width]
            # Shifted cells might pass as right in an errors file that nobody mended: they stand in the message only.
            batch = [(n, line, c if len(c) == width else [""] * width) for n, line, c in batch]
        sent = self._mended(whole)
        problems += self.examiner.feed(sent)
        if self._carried_out != (None, None):
            for number, line, cells in whole:
                self._refuse_done(number, line, cells)
        if self._emails or not self._usual(sent):
            problems += self._check_each(whole)
        keys = self._keys(whole, sent)
        self._folds = self._folds or any(fold is not None for _, _, fold in keys)
        self.problems += problems[: max(0, SHOWN - len(self.problems))]
        return LoadBatch(batch, keys, [(p.row, _with_column(p)) for p in problems])

    def _mended(self, rows: list[tuple[int, int, list[str]]]) -> list[tuple[int, int, list[str]]]:
        """The rows as they will be sent."""
        binding = self.binding
        if not binding.mended:
            return rows
        places = [binding.column_index[name] for name in binding.mended]
        found = []
        for number, line, cells in rows:
            repaired = list(cells)
            for place in places:
                repaired[place] = binding.fixes.apply(cells[place])
            found.append((number, line, repaired))
            if len(self.repaired) < EXAMPLES and (sent := binding.repaired_key(cells)) is not None:
                place = binding.column_index[binding.operation.key]
                self.repaired.append((number, cells[place], sent))
        return found

    def _usual(self, rows: list[tuple[int, int, list[str]]]) -> bool:
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
            if kind in (Kind.TEXT, Kind.NAME):
                if any(map(str.isspace, column)) or (declared and declared.required and "" in column):
                    return False
            elif any(check_cell(kind, text) for text in set(column) if text) or (
                declared and declared.required and "" in column
            ):
                return False
        return True

    def _needed(self) -> list[str]:
        return [c.name for c in self.binding.operation.columns if c.required and c.name not in self.binding.constants]

    def _check_each(self, rows: list[tuple[int, int, list[str]]]) -> list[Problem]:
        found: list[Problem] = []
        for number, line, cells in rows:
            values = self.binding.values(cells)
            wrong = check(self.binding, values)
            if wrong:
                found += [Problem(number, line, column, message) for column, message in wrong]
            elif self._emails:
                self._note_made_up(number, values)
        return found

    def _keys(
        self, rows: list[tuple[int, int, list[str]]], sent: list[tuple[int, int, list[str]]]
    ) -> list[tuple[int, str, str | None]]:
        unique = self._unique
        place = self.binding.column_index.get(unique) if unique else None
        constant = self.binding.constants.get(unique) if unique else None
        if unique is None or (place is None and constant is None):
            return []
        if place is not None:
            keys = [(number, cells[place]) for number, _, cells in sent if cells[place] != ""]
        else:  # --set gives every row the same thing
            keys = [(number, constant or "") for number, _, _ in sent]
        if unique in self._emails:
            return [(number, identity_of(key), None) for number, key in keys]
        if self._is_waived("allow_shared"):
            contact = {n: self.binding.values(c).get("contact_uuid", "") for n, _, c in rows}
            pairs = [(number, f"{key}\n{contact[number]}") for number, key in keys]
            return [(number, pair, _fold(pair)) for number, pair in pairs]
        if _is_plain("".join([key for _, key in keys])):
            return [(number, key, None) for number, key in keys]
        return [(number, key, _fold(key)) for number, key in keys]

    def find_repeats(self, journal: Journal) -> list[Repeats]:
        """Mark the second and later rows of one key invalid, each naming the first; what the doctor is told."""
        if self._unique is None:
            return []
        exact = 0
        examples: list[Example] = []
        for pairs in _chunks(journal.queries.repeats()):
            exact += len(pairs)
            problems = self._repeated(journal, pairs)
            if not examples and self._unique in self.binding.column_index:
                examples = self._examples(journal, problems[:EXAMPLES])
            self.problems += problems[: max(0, SHOWN - len(self.problems))]
            journal.invalidate((p.row, _with_column(p)) for p in problems)
        return [self._near(journal, exact, examples)] if self._unique in self.binding.column_index else []

    def _examples(self, journal: Journal, problems: Sequence[Problem]) -> list[Example]:
        cells = journal.queries.cells([p.row for p in problems])
        place = self.binding.column_index[self._unique or ""]
        return [Example(p.row, p.line, cells[p.row][place]) for p in problems]

    def _repeated(self, journal: Journal, pairs: Sequence[tuple[int, int]]) -> list[Problem]:
        lines = journal.queries.lines([n for pair in pairs for n in pair])
        rivals = self._rivals(journal, pairs)
        permit = _permit(self.binding.operation)
        return [
            Problem(
                number,
                lines[number],
                self._unique,
                f"the same as in row {first} (line {lines[first]}){rivals.get(number, permit)}",
            )
            for number, first in pairs
        ]

    def _near(self, journal: Journal, exact: int, exact_examples: list[Example]) -> Repeats:
        """Rows whose key differs from an earlier one's only by case, space or wrapping."""
        count = 0
        examples: list[Example] = []
        place = self.binding.column_index[self._unique or ""]
        if not self._folds:  # no key has another form: the exact repeats were all
            return Repeats(self.binding.header[place], exact, tuple(exact_examples))
        for number, first in journal.queries.repeats(folded=True):
            count += 1
            if len(examples) < EXAMPLES and not journal.queries.is_invalid(number):
                both = journal.queries.cells([number, first])
                line = journal.queries.lines([number])[number]
                examples.append(Example(number, line, both[number][place], both[first][place]))
        return Repeats(self.binding.header[place], exact, tuple(exact_examples), count - exact, tuple(examples))

    def _rivals(self, journal: Journal, pairs: Sequence[tuple[int, int]]) -> dict[int, str]:
        """What to say of repeats that name another owner than the first does, by row."""
        rival = self.binding.operation.owner_column
        if rival is None or not pairs:
            return {}
        cells = journal.queries.cells([n for pair in pairs for n in pair])
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

    def _note_breaks(self, batch: Sequence[tuple[int, int, list[str]]]) -> None:
        """Rows of several lines: only where the next one does not begin on the next line can there be one."""
        if batch[-1][1] - batch[0][1] == len(batch) - 1:  # a line each, perhaps but for the last
            batch = batch[-1:]
        following = [*(line for _, line, _ in batch[1:]), 0]
        for (number, line, cells), after in zip(batch, following, strict=True):
            if after - line != 1 and any("\n" in cell or "\r" in cell for cell in cells):
                self._broken += 1
                self._first_broken = self._first_broken or (number, line)

    def warnings(self) -> tuple[str, ...]:
        """What is odd about valid rows, one line each."""
        return (*self._break_warning(), *self._made_up_warning())

    def _break_warning(self) -> tuple[str, ...]:
        if self._first_broken is None:
            return ()
        number, line = self._first_broken
        warning = (
            f"{counted(self._broken, 'row')} with a line break inside a quoted cell, the first row {number} (line "
            f"{line}): where a quote stands by mistake, the rows up to the next quote are hidden in that cell and not "
            "sent"
        )
        return (warning,)

    def _made_up_warning(self) -> tuple[str, ...]:
        if self._first_made_up is None:
            return ()
        number, text = self._first_made_up
        warning = (
            f"{counted(self._made_up, 'made-up e-mail address', 'es')} (a phone number, or …@piggy.nl), the first in "
            f'row {number}: "{printable(text)}"; no mail arrives there, and two lists may invent different ones '
            "for one customer"
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


def _ragged(cells: Sequence[str], width: int) -> str:
    shown = ", ".join(f'"{printable(c)}"' for c in cells[:20]) + (", …" if len(cells) > 20 else "")
    return f"has {len(cells)} cells where the header has {width}: {shown}; quote cells that hold the delimiter"
