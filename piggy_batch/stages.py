"""Rules and records of a migration: which stages a row needs, what became of it in each, and what comes next.

Each stage is an ordinary run with a journal of its own; a stage may have several, called parts, because a row
may reach it later than others. Nothing else is kept: where a row stands is read from those journals.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from piggy_batch.emails import identity_of
from piggy_batch.journal import Entry, Journal
from piggy_batch.manifest import parse_cell
from piggy_batch.model import Kind, Repeat, Status
from piggy_batch.operations import NOBODY, Column, Noun, Operation, find_operation
from piggy_batch.tables import Out, open_table, open_writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from piggy_batch.manifest import Binding

ROW = "manifest_row"  # column of every stage's manifest: the row of the migration's own
FINE = frozenset({Status.DONE, Status.ALREADY})
UNLINKED = "exists unlinked"  # outcome of the create stage for a card that the link stage takes on


class Stage(StrEnum):
    """What a migration does, in this order."""

    CONTACTS = "contacts"
    CREATE = "create"
    LINK = "link"
    UPDATE = "update"
    CREDITS = "credits"

    @property
    def operation(self) -> Operation:
        """The row command that carries the stage out."""
        return find_operation(_COMMANDS[self])

    @property
    def folder(self) -> str:
        """The stage's directory: ``2-identifiers-create``."""
        return f"{list(Stage).index(self) + 1}-{self.operation.slug}"


_COMMANDS = {
    Stage.CONTACTS: "contacts find-or-create",
    Stage.CREATE: "identifiers create",
    Stage.LINK: "identifiers link",
    Stage.UPDATE: "identifiers update",
    Stage.CREDITS: "credits create",
}

# What results show beside the manifest's own columns; filled by the stages, not by one answer.
_MIGRATED = Noun(
    "migrated card",
    tuple((name, "") for name in ("contact_uuid", "credit_reception_uuid", *(f"_{s}_status" for s in Stage))),
)


def migrate_operation(*, credits: bool) -> Operation:  # noqa: A002 - the column's own name
    """The manifest of a migration as an operation that checks and binds it; it is never sent as such.

    With credits it counts as carried out once: a copy of its run directory may not go on beside it.
    """
    return Operation(
        resource="migrate",
        verb="",
        help="Bring legacy cards with their customers into the account.",
        method="POST",
        path="",
        repeat=Repeat.ONCE if credits else Repeat.GUARDED,
        columns=(
            Column("contact_identifier_value", "the card number or other code, exactly as scanned", required=True),
            Column("email", "the customer's address; blank: the card is created unlinked", kind=Kind.EMAIL),
            Column("contact_identifier_name", "a name for the card; the service uses the value where none is given"),
            Column("contact_identifier_active", "false: the card is set inactive at the end", kind=Kind.FLAG),
            Column("credits", "the customer's balance, on one of his rows; 0 or blank: none", kind=Kind.BALANCE),
        ),
        noun=_MIGRATED,
        key="contact_identifier_value",
        repeat_note="finds everything done",
        unique="contact_identifier_value",
        rival="email",
        confirm=True,
        mails=True,
        hidden=True,
    )


@dataclass(slots=True)
class Line:
    """One manifest row and what became of it in the stages that it has reached."""

    entry: Entry  # as the migration's own journal holds it
    values: Mapping[str, str]
    fates: dict[Stage, Entry] = field(default_factory=dict)
    contact: str | None = None  # UUID, once the contacts stage has it

    @property
    def identity(self) -> str | None:
        """The e-mail address that makes the row's customer; None where the row has none."""
        email = self.values.get("email")
        return identity_of(email) if email is not None else None

    @property
    def credits(self) -> int:
        """The balance that the row brings; 0: none."""
        return int(self.values.get("credits", "0"))

    @property
    def found_unlinked(self) -> bool:
        """Whether the card was there already, active, and belongs to nobody, so that linking it is what is left."""
        fate = self.fates.get(Stage.CREATE)
        if fate is None or fate.status is not Status.REJECTED or self.identity is None:
            return False
        kept = fate.kept or {}
        return kept.get("contact_identifier_active") is True and kept.get("contact_uuid") is None

    def changes(self) -> dict[str, str]:
        """What the update stage must set: the state asked for, where the card is known to differ from it."""
        fate = self.fates.get(Stage.CREATE)
        kept = (fate.kept if fate else None) or {}
        found: dict[str, str] = {}
        name = self.values.get("contact_identifier_name")
        linked_on = Stage.LINK in self.fates or self.found_unlinked
        if name is not None and linked_on and kept.get("contact_identifier_name") not in (None, name):
            found["contact_identifier_name"] = name
        active = self.values.get("contact_identifier_active")
        if active is not None:
            wanted = parse_cell(Kind.FLAG, active)
            if wanted is False or kept.get("contact_identifier_active") is False:
                found["contact_identifier_active"] = "true" if wanted else "false"
        return found

    def needs(self, stage: Stage) -> bool:
        """Whether the row must go through the stage, as far as earlier stages have told."""
        if stage in self.fates:
            return True
        match stage:
            case Stage.CONTACTS:
                return self.identity is not None
            case Stage.CREATE:
                return True
            case Stage.LINK:
                return self.found_unlinked
            case Stage.UPDATE:
                return bool(self.changes())
            case Stage.CREDITS:
                return self.credits > 0

    def where(self) -> tuple[Stage, Entry | None]:
        """The stage that decides the row's status, with its outcome there: the first that blocks it, the first
        that it has not reached (None), or the last that it needed."""
        last = Stage.CREATE
        for stage in Stage:
            if not self.needs(stage):
                continue
            last, fate = stage, self.fates.get(stage)
            if fate is None:
                return stage, None
            if fate.status not in FINE and not (stage is Stage.CREATE and self.found_unlinked):
                return stage, fate
        return last, self.fates[last]

    @property
    def status(self) -> Status:
        """The row's status: that of its goal."""
        if self.entry.status is Status.INVALID:
            return Status.INVALID
        _, fate = self.where()
        return fate.status if fate is not None else Status.PENDING

    def next_stage(self) -> Stage | None:
        """The stage that may take the row now; None: it is done, blocked, or in one already."""
        if self.entry.status is Status.INVALID:
            return None
        stage, fate = self.where()
        return stage if fate is None else None

    def stage_row(self, stage: Stage, shop: str | None) -> list[str]:
        """The row of the stage's manifest."""
        value, number = self.values["contact_identifier_value"], str(self.entry.number)
        contact = self.contact or ""
        match stage:
            case Stage.CONTACTS:
                return [self.values["email"].strip(), number]
            case Stage.CREATE:
                return [value, contact, self.values.get("contact_identifier_name", ""), number]
            case Stage.LINK:
                return [value, contact, number]
            case Stage.UPDATE:
                changes = self.changes()
                name, active = changes.get("contact_identifier_name"), changes.get("contact_identifier_active")
                return [value, name or "", active or "", contact or NOBODY, number]
            case Stage.CREDITS:
                return [contact, str(self.credits), shop or "", value, number]


HEADERS: dict[Stage, tuple[str, ...]] = {
    Stage.CONTACTS: ("email", ROW),
    Stage.CREATE: ("contact_identifier_value", "contact_uuid", "contact_identifier_name", ROW),
    Stage.LINK: ("contact_identifier_value", "contact_uuid", ROW),
    Stage.UPDATE: (
        "contact_identifier_value",
        "contact_identifier_name",
        "contact_identifier_active",
        "expected_contact_uuid",
        ROW,
    ),
    Stage.CREDITS: ("contact_uuid", "credits", "shop_uuid", "contact_identifier_value", ROW),
}


def stage_values(stage: Stage, cells: Sequence[str]) -> dict[str, str]:
    """The fields of a stage's row, blank ones left out."""
    return {name: cell for name, cell in zip(HEADERS[stage], cells, strict=True) if cell}


class StageRuns:
    """The parts of one stage on disk: ``part-1.csv`` with its run directory ``part-1``, and so on."""

    def __init__(self, run_dir: Path, stage: Stage) -> None:
        self.stage = stage
        self._folder = run_dir / stage.folder

    def manifests(self) -> list[Path]:
        """The parts' manifests, first to last. A part begins with its manifest, which appears whole."""
        found = self._folder.glob("part-*.csv") if self._folder.is_dir() else ()
        return sorted(found, key=lambda path: int(path.stem.partition("-")[2]))

    def add(self, rows: Iterable[Sequence[str]]) -> Path | None:
        """Begin a new part with these rows; its manifest, or None where there are none."""
        first = next(iterator := iter(rows), None)
        if first is None:
            return None
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / f"part-{len(self.manifests()) + 1}.csv"
        with open_writer(path, "csv", [Out(name) for name in HEADERS[self.stage]]) as writer:
            writer.write([first])
            while batch := [row for row, _ in zip(iterator, range(2_000), strict=False)]:
                writer.write(batch)
        return path

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """(manifest row, outcome so far) of every row that has reached the stage, in manifest order."""
        return heapq.merge(*(_entries_of(path) for path in self.manifests()), key=lambda pair: pair[0])

    def journals(self) -> Iterator[Journal]:
        """The parts' journals, for reading; each is closed when the next is asked for."""
        for path in self.manifests():
            journal = journal_of(path)
            if journal is not None:
                try:
                    yield journal
                finally:
                    journal.close()


def journal_of(manifest: Path) -> Journal | None:
    """A part's journal, for reading; None where its run has not begun or was never loaded."""
    journal = Journal.read(manifest.with_suffix("")) if manifest.with_suffix("").is_dir() else None
    if journal is not None and journal.get("header") is None:
        journal.close()
        return None
    return journal


def _entries_of(manifest: Path) -> Iterator[tuple[int, Entry]]:
    journal = journal_of(manifest)
    if journal is None:
        with open_table(manifest) as table:
            place = table.columns.index(ROW)
            for number, (line, cells) in enumerate(table.rows(), start=1):
                yield int(cells[place]), Entry(number, line, cells, Status.PENDING)
        return
    try:
        place = journal.get("header").index(ROW)
        for entry in journal.all_rows():
            yield int(entry.cells[place]), entry
    finally:
        journal.close()


class Board:
    """Where every row of a migration stands; read afresh at every look."""

    def __init__(self, run_dir: Path, journal: Journal, binding: Binding) -> None:
        self.runs = {stage: StageRuns(run_dir, stage) for stage in Stage}
        self._journal = journal
        self._binding = binding

    def contacts(self) -> dict[str, Entry | str]:
        """By e-mail identity: the contact's UUID, or the outcome that gave none. In memory, one an address."""
        known: dict[str, Entry | str] = {}
        for _, entry in self.runs[Stage.CONTACTS].entries():
            uuid = (entry.kept or {}).get("contact_uuid") if entry.status in FINE else None
            known[identity_of(entry.cells[0])] = str(uuid) if uuid is not None else entry
        return known

    def lines(self) -> Iterator[Line]:
        """Every row in manifest order with its outcomes so far."""
        contacts = self.contacts()
        streams = {s: _Peek(self.runs[s].entries()) for s in Stage if s is not Stage.CONTACTS}
        for entry in self._journal.all_rows():
            values = self._binding.values(entry.cells)
            line = Line(entry, values)
            for stage, stream in streams.items():
                fate = stream.at(entry.number)
                if fate is not None:
                    line.fates[stage] = fate
            known = contacts.get(line.identity) if entry.status is not Status.INVALID and line.identity else None
            if isinstance(known, str):
                line.contact = known
                line.fates[Stage.CONTACTS] = _FOUND
            elif known is not None:
                line.fates[Stage.CONTACTS] = known
            yield line


_FOUND = Entry(0, 0, [], Status.DONE)  # stands for a contact that is there; its own outcome is in the stage's results


class _Peek:
    """An ordered stream of (number, entry) that is asked for ever higher numbers."""

    def __init__(self, stream: Iterator[tuple[int, Entry]]) -> None:
        self._stream = stream
        self._next = next(stream, None)

    def at(self, number: int) -> Entry | None:
        """The entry of that number; None where there is none."""
        while self._next is not None and self._next[0] < number:
            self._next = next(self._stream, None)
        return self._next[1] if self._next is not None and self._next[0] == number else None
