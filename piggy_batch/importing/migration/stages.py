"""Rules of a migration: which stages a row needs, what became of it in each, and what comes next. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from piggy_batch.endpoints import NOBODY, Column, Operation, ResponseFields, find_operation
from piggy_batch.endpoints.cells import identity_of, kept_form, parse_cell
from piggy_batch.models import Json, Kind, Repeat, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from piggy_batch.runs.records import RowState

ROW = "manifest_row"  # column of every stage's manifest: the row of the migration's own
FINE = frozenset({Status.DONE, Status.ALREADY})
UNLINKED = "exists unlinked"  # outcome of the create stage for a card that the link stage takes on
WITHHELD = "withheld"  # the fact which rows' credits earlier migrations have given, or may have given
HELD = "held: no e-mail"  # outcome of the credits stage for a row whose credits --hold-credits leaves out
INACTIVE = "exists inactive"  # the same for a card of the row's own contact that the update stage takes on


def is_unlinked(kept: Mapping[str, Json]) -> bool:
    """Whether an answer of the create stage shows an active card that belongs to nobody."""
    return kept.get("contact_identifier_active") is True and kept.get("contact_uuid") is None


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
_MIGRATED = ResponseFields(
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
            Column(
                "contact_identifier_name",
                "a name for the card; the service uses the value where none is given",
                kind=Kind.NAME,
            ),
            Column("contact_identifier_active", "false: the card is set inactive at the end", kind=Kind.FLAG),
            Column("credits", "the customer's balance, on one of his rows; 0 or blank: none", kind=Kind.BALANCE),
        ),
        noun=_MIGRATED,
        key="contact_identifier_value",
        repeat_note="finds everything done",
        unique="contact_identifier_value",
        owner_column="email",
        confirm=True,
        mails=True,
        hidden=True,
    )


@dataclass(slots=True)
class MigrationRow:
    """One manifest row and what became of it in the stages that it has reached."""

    entry: RowState  # as the migration's own journal holds it
    values: Mapping[str, str]
    fates: dict[Stage, RowState] = field(default_factory=dict)
    contact: str | None = None  # UUID, once the contacts stage has it
    withheld: bool = False  # an earlier migration has given its credits, or may have

    @property
    def identity(self) -> str | None:
        """The e-mail address that makes the row's customer; None where the row has none."""
        email = self.values.get("email")
        return identity_of(email) if email is not None else None

    @property
    def credits(self) -> int:
        """The balance that the row brings; 0: none."""
        return int(self.values.get("credits", "0")) if self.identity is not None else 0

    @property
    def holds_credits(self) -> bool:
        """Whether the list gives the row credits that nobody can get, because it names no customer."""
        return self.identity is None and int(self.values.get("credits", "0")) > 0

    @property
    def taken_on(self) -> str | None:
        """The outcome that stands for one of the create stage which a later stage makes good, because of what the
        look has shown; None: the create stage's own outcome holds."""
        fate = self.fates.get(Stage.CREATE)
        if fate is None or fate.status not in (Status.REJECTED, Status.UNKNOWN) or self.contact is None:
            return None
        kept = fate.kept or {}
        active, holder = kept.get("contact_identifier_active"), kept.get("contact_uuid")
        if active is True and holder is None:
            return UNLINKED
        # Without a word in the list a card is to be active, and that it is not is for a person to know.
        asked = "contact_identifier_active" in self.values
        return INACTIVE if active is False and holder == self.contact and asked else None

    def changes(self) -> dict[str, str]:
        """What the update stage must set: the state asked for, where the card is known to differ from it."""
        fate = self.fates.get(Stage.CREATE)
        kept = (fate.kept if fate else None) or {}
        found: dict[str, str] = {}
        name, called = self.values.get("contact_identifier_name"), kept.get("contact_identifier_name")
        was_there = Stage.LINK in self.fates or self.taken_on is not None
        if name is not None and was_there and called is not None and kept_form(called) != kept_form(name):
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
                return self.taken_on == UNLINKED
            case Stage.UPDATE:
                return bool(self.changes())
            case Stage.CREDITS:
                return self.credits > 0

    def where(self) -> tuple[Stage, RowState | None]:
        """The stage that decides the row's status, with its outcome there: the first that blocks it, the first
        that it has not reached (None), or the last that it needed."""
        last = Stage.CREATE
        for stage in Stage:
            if not self.needs(stage):
                continue
            last, fate = stage, self.fates.get(stage)
            if fate is None:
                return stage, None
            if fate.status not in FINE and not (stage is Stage.CREATE and self.taken_on):
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

    def is_in(self, stage: Stage) -> bool:
        """Whether what the stage holds under the row's number is this very row's, and not another list's."""
        cells, contact, same = self.fates[stage].cells, self.contact, True
        holder = contact
        match stage:
            case _ if not cells:  # it stands for an outcome that is elsewhere
                return True
            case Stage.CONTACTS:  # known by their addresses
                return True
            case Stage.CREATE:
                value, holder, name = cells[:3]
                same = name == self.values.get("contact_identifier_name", "")
            case Stage.LINK:
                value, holder = cells[:2]
            case Stage.UPDATE:
                value = cells[0]
            case Stage.CREDITS:
                holder, given, _, value = cells[:4]
                same = given == str(self.credits)
        return same and value == self.values.get("contact_identifier_value") and contact in (None, holder)

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
