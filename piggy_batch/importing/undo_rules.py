"""Rules of undoing: from one row's outcome to the rows that take it back, as its operation declares them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from piggy_batch.endpoints import NOBODY, OwnerRule, UndoSource, find_operation
from piggy_batch.endpoints.responses import is_off
from piggy_batch.importing.observed_state import ObservedState
from piggy_batch.models import Json, Proof, Repeat, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from piggy_batch.endpoints import Operation, UndoCell, UndoStep
    from piggy_batch.runs.records import RowState

HIDDEN_HOLDER = "inactive and held by nobody: the service does not show whether it still is"


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
        """Who held the thing once it was carried out, as a row says it."""
        goal = self.operation.goal
        if goal is not None and (goal.owner is OwnerRule.NOBODY or not goal.exists):
            return NOBODY
        owner = self.operation.noun.owner
        return str((owner and self.after(owner)) or NOBODY)

    def after(self, field: str) -> Json:
        """What a result column held once it was carried out; None: not known."""
        before = self.before
        return (
            (self.entry.kept or {}).get(field)
            or self.values.get(field)
            or (before.fields.get(field) if before else None)
        )

    @property
    def hides_holder(self) -> bool:
        """Whether it has left an inactive thing of nobody's, of which the service does not show the holder."""
        goal, active = self.operation.goal, self.operation.noun.active
        exists = goal is not None and goal.exists
        inactive = active is not None and is_off((self.entry.kept or {}).get(active))
        return exists and inactive and self.owner == NOBODY


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

    def row(self) -> list[str]:
        """Cells for the columns that :func:`by_hand_columns` names."""
        change, entry, noun = self.change, self.change.entry, self.change.operation.noun
        before = change.before
        holder = [change.owner] if noun.owner else []
        former = [former_cell(before, name, nobody=NOBODY) for name in noun.state]
        told = [change.operation.name, entry.status.value, entry.proof or "", self.why]
        return [change.values.get(change.operation.key, ""), *holder, *former, *told]


def by_hand_columns(operation: Operation) -> tuple[str, ...]:
    """The columns of the file of rows that a person must look at."""
    noun = operation.noun
    holder = (f"expected_{noun.owner}",) if noun.owner else ()
    return (operation.key, *holder, *(f"former_{name}" for name in noun.state), "operation", "status", "proof", "why")


def former_cell(before: ObservedState | None, field: str, *, nobody: str = "") -> str:
    """What a look showed before under a result column, as a cell; ``nobody``: the word for a thing held by nobody."""
    found = before.fields.get(field) if before else None
    if isinstance(found, bool):
        return str(found).lower()
    if found is None and before is not None and not before.hidden and field == before.noun.owner:
        return nobody
    return "" if found is None else str(found)


def is_change(operation: Operation, entry: RowState) -> bool:
    """Whether the row changed something, or may have; ``already`` never did."""
    return operation.repeat is not Repeat.SAFE and entry.status in (Status.DONE, Status.UNKNOWN)


def reverse(change: Change) -> list[Reverse | ManualReview]:
    """What takes one change back, in the order of the commands."""
    entry, before, steps = change.entry, change.before, change.operation.undo
    if entry.status is Status.UNKNOWN:
        return [ManualReview(change, f"in doubt: {entry.message or 'no usable answer'}")]
    if entry.proof == Proof.LOOK:
        return [ManualReview(change, "the answer was lost and a look found it so: it may have been so before this run")]
    if before is None and any(cell.source is UndoSource.BEFORE for step in steps for cell in step.cells):
        return [ManualReview(change, "nobody looked before (--no-before), so the former state is not known")]
    if change.hides_holder:
        return [ManualReview(change, HIDDEN_HOLDER)]
    if unseen := _unseen(change):
        return [ManualReview(change, f"it was inactive, so its former {unseen} not shown")]
    return [
        Reverse(
            step.command, {cell.column: _cell(change, step, cell) for cell in step.cells if _is_given(change, cell)}
        )
        for step in steps
        if not step.where_inactive or (before is not None and before.inactive)
    ]


def _is_given(change: Change, cell: UndoCell) -> bool:
    return not cell.where_given or cell.field in change.values


def _unseen(change: Change) -> str:
    """The result columns that the undo needs and the look before could not show, in words; "" for none."""
    before, active = change.before, change.operation.noun.active
    if before is None or not before.hidden:
        return ""
    wanted = {
        cell.field
        for step in change.operation.undo
        for cell in step.cells
        if cell.source is UndoSource.BEFORE and cell.field != active and _is_given(change, cell)
    }
    names = [name for name in change.operation.noun.state if name in wanted]
    return f"{' and '.join(names)} {'were' if len(names) > 1 else 'was'}" if names else ""


def _cell(change: Change, step: UndoStep, cell: UndoCell) -> str:
    noun = change.operation.noun
    match cell.source:
        case UndoSource.ROW:
            return change.values.get(cell.field, "")
        case UndoSource.AFTER:
            return change.owner if cell.field == noun.owner else str(change.after(cell.field) or "")
        case UndoSource.BEFORE:
            before = change.before
            if cell.field == noun.active:
                return str(before is not None and not before.inactive).lower()
            column = find_operation(step.command).column(cell.column)
            safeguard = column is not None and column.expects is not None
            return former_cell(before, cell.field, nobody=NOBODY if safeguard else "")


def columns_of(steps: Sequence[UndoStep], command: str) -> tuple[str, ...]:
    """The columns of a command's undo manifest, as these steps fill them."""
    return tuple(dict.fromkeys(cell.column for step in steps if step.command == command for cell in step.cells))
