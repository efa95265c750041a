"""Rules of undoing: from one row's outcome to the rows that take it back. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.endpoints import NOBODY
from piggy_batch.importing.observed_state import ObservedState
from piggy_batch.models import Proof, Repeat, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.endpoints import Operation
    from piggy_batch.runs.records import RowState

STEPS = frozenset(  # what can be taken back
    {
        "identifiers create",
        "identifiers link",
        "identifiers unlink",
        "identifiers update",
        "identifiers delete",
    }
)
BY_HAND = (
    "contact_identifier_value",
    "expected_contact_uuid",
    "former_contact_uuid",
    "former_contact_identifier_name",
    "former_contact_identifier_active",
    "operation",
    "status",
    "proof",
    "why",
)


@dataclass(frozen=True, slots=True)
class Change:
    """A row that the run carried out, or may have."""

    operation: Operation
    values: Mapping[str, str]
    entry: RowState

    @property
    def before(self) -> ObservedState | None:
        """What a look showed before it was sent; None: nobody looked."""
        look = self.operation.look
        return ObservedState.from_json(look.noun, self.entry.before) if look and self.entry.before else None

    @property
    def owner(self) -> str:
        """Who held the card once it was carried out, as a row says it."""
        kept = self.entry.kept or {}
        match self.operation.verb:
            case "create" | "link":
                return str(kept.get("contact_uuid") or self.values.get("contact_uuid") or NOBODY)
            case "update":
                before = self.before
                return str(kept.get("contact_uuid") or (before.owner if before else None) or NOBODY)
            case _:
                return NOBODY

    @property
    def name(self) -> str | None:
        """What the card was called once it was carried out; None: not known."""
        before = self.before
        found = (
            (self.entry.kept or {}).get("contact_identifier_name")
            or self.values.get("contact_identifier_name")
            or (before.fields.get("contact_identifier_name") if before else None)
        )
        return str(found) if found is not None else None


@dataclass(frozen=True, slots=True)
class Reverse:
    """One row of an undo manifest."""

    step: str  # the command's name
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ManualReview:
    """A change that a person must weigh, and why."""

    change: Change
    why: str
    former: Mapping[str, str] = field(default_factory=dict)

    def row(self) -> list[str]:
        """Cells for ``BY_HAND``."""
        change, entry = self.change, self.change.entry
        before = change.before
        fields = before.fields if before else {}
        active = fields.get("contact_identifier_active")
        return [
            change.values.get("contact_identifier_value", ""),
            change.owner,
            str(fields.get("contact_uuid") or (NOBODY if before and not before.hidden else "")),
            str(fields.get("contact_identifier_name") or ""),
            "" if active is None else str(active).lower(),
            change.operation.name,
            entry.status.value,
            entry.proof or "",
            self.why,
        ]


def is_change(operation: Operation, entry: RowState) -> bool:
    """Whether the row changed something, or may have; ``already`` never did."""
    return operation.repeat is not Repeat.SAFE and entry.status in (Status.DONE, Status.UNKNOWN)


def reverse(change: Change) -> list[Reverse | ManualReview]:
    """What takes one change back, in the order of the commands."""
    entry = change.entry
    if entry.status is Status.UNKNOWN:
        return [ManualReview(change, f"in doubt: {entry.message or 'no usable answer'}")]
    if entry.proof == Proof.LOOK:
        return [ManualReview(change, "the answer was lost and a look found it so: it may have been so before this run")]
    value = change.values["contact_identifier_value"]
    named = {"contact_identifier_value": value, "expected_contact_uuid": change.owner}
    match change.operation.verb:
        case "create":
            return [Reverse("identifiers delete", named | _expected_name(change.name))]
        case "link":
            return [Reverse("identifiers unlink", named)]
    before = change.before
    if before is None:
        return [ManualReview(change, "nobody looked before (--no-before), so the former state is not known")]
    match change.operation.verb:
        case "unlink":
            return [Reverse("identifiers link", {**named, "contact_uuid": before.owner or ""})]
        case "update":
            return _reverse_update(change, before, named)
        case _:
            return _reverse_delete(change, before, named)


def _expected_name(name: str | None) -> dict[str, str]:
    """What keeps a card that somebody has renamed since as it is."""
    return {"expected_contact_identifier_name": name} if name else {}


def _reverse_update(change: Change, before: ObservedState, named: dict[str, str]) -> list[Reverse | ManualReview]:
    kept = change.entry.kept or {}
    if kept.get("contact_identifier_active") is False and change.owner == NOBODY:
        return [ManualReview(change, "inactive and held by nobody: the service does not show whether it still is")]
    cells = named | _expected_name(change.name)
    if "contact_identifier_name" in change.values:
        former = before.fields.get("contact_identifier_name")
        if former is None:
            return [ManualReview(change, "it was inactive, so its former name was not shown")]
        cells["contact_identifier_name"] = str(former)
    if "contact_identifier_active" in change.values:
        was = not before.hidden and before.fields.get("contact_identifier_active") is not False
        cells["contact_identifier_active"] = "true" if was else "false"
    return [Reverse("identifiers update", cells)]


def _reverse_delete(change: Change, before: ObservedState, named: dict[str, str]) -> list[Reverse | ManualReview]:
    if before.hidden:
        return [ManualReview(change, "it was inactive, so its former owner and name were not shown")]
    name = str(before.fields.get("contact_identifier_name") or "")
    made = {**named, "contact_uuid": before.owner or "", "contact_identifier_name": name}
    found: list[Reverse | ManualReview] = [Reverse("identifiers create", made)]
    if before.fields.get("contact_identifier_active") is False:
        owner = before.owner or NOBODY
        cells = {**named, "contact_identifier_active": "false", "expected_contact_uuid": owner} | _expected_name(name)
        found.append(Reverse("identifiers update", cells))
    return found
