"""What lookups mean for rows: whether what is seen is as asked, and what that settles.

Pure, as :mod:`piggy_batch.importing.response_rules` is, and as careful.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from piggy_batch.endpoints import NOBODY, DesiredState, Operation, OwnerRule, StartState
from piggy_batch.endpoints.responses import (
    ResponseAction,
    Verdict,
)
from piggy_batch.importing.response_rules import (
    first_activate,
    is_same,
    kept_otherwise,
    open_differences,
    wanted_cell,
    wanted_owner,
)
from piggy_batch.models import Json, Proof, Status
from piggy_batch.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from piggy_batch.importing.observed_state import ObservedState


class Match(StrEnum):
    """How a state compares with what a row asks for."""

    YES = "yes"
    NO = "no"
    HIDDEN = "hidden"  # what is shown agrees, but not all is shown


def matches_goal(operation: Operation, values: Mapping[str, str], seen: ObservedState) -> Match:
    """Whether a state is what the row asks for."""
    goal = operation.goal or DesiredState()
    if seen.exists != goal.exists:
        return Match.NO
    if not seen.exists:
        return Match.YES
    if goal.active and seen.inactive:
        return Match.NO
    if seen.hidden:
        return _fits_hidden(operation, goal, values, seen)
    if goal.owner is not OwnerRule.ANY and seen.owner != wanted_owner(operation, values):
        return Match.NO
    for name in goal.columns:
        if name in values and not is_same(operation, name, seen.fields.get(name), wanted_cell(operation, name, values)):
            return Match.NO
    if operation.open_columns is not None and (seen.opened is None or open_differences(operation, values, seen.opened)):
        return Match.NO
    return Match.YES


def _fits_hidden(operation: Operation, goal: DesiredState, values: Mapping[str, str], seen: ObservedState) -> Match:
    """Of a hidden thing one knows that it is inactive, and perhaps who does not hold it."""
    active = seen.noun.active
    asked = [name for name in goal.columns if name in values]
    if active in asked and active is not None and wanted_cell(operation, active, values) is True:
        return Match.NO
    if goal.owner is OwnerRule.ANY and asked == [active]:
        return Match.YES
    if goal.owner is OwnerRule.ROW and seen.not_with is not None and seen.not_with == wanted_owner(operation, values):
        return Match.NO
    return Match.HIDDEN


def decide_before_send(operation: Operation, values: Mapping[str, str], seen: ObservedState) -> Verdict | None:
    """What a before-look settles without sending anything; None: go on and send."""
    look = operation.look
    if not seen.exists:
        return _looked(Status.REJECTED, "does not exist", code=_own_code(look.absent_codes if look else ()))
    if _is_other(operation, values, seen):
        return _looked(Status.REJECTED, f'the service shows it as "{printable(seen.value or "")}"; write it so')
    stranger = _unexpected(operation, values, seen)
    if stranger:
        return _looked(Status.REJECTED, stranger, kept=seen.fields)
    # What differs in form only is sent: the answer tells in which form the service keeps it.
    if matches_goal(operation, values, seen) is Match.YES and not kept_otherwise(operation, values, seen.fields):
        return _looked(Status.ALREADY, "nothing sent: it is so already", kept=seen.fields)
    if seen.inactive and operation.needs_active:
        return _looked(
            Status.REJECTED,
            f"{seen.words()}; the service refuses to {operation.verb} it: {first_activate(operation)}",
            code=_own_code(look.hidden_codes if look else ()),
        )
    return None


def _own_code(codes: Iterable[int]) -> int | None:
    """The code by which the service itself would have said it."""
    return min(codes, default=None)


def _is_other(operation: Operation, values: Mapping[str, str], seen: ObservedState) -> bool:
    """Whether the look shows a thing of another key than was asked for, as where a service folds case."""
    if seen.value is None or operation.look is None:
        return False
    key = operation.look.key
    return not is_same(operation, key, seen.value, values[key])


def _unexpected(operation: Operation, values: Mapping[str, str], seen: ObservedState) -> str | None:
    """What speaks against sending, where something is not as the row expects it; None: nothing does."""
    for column in operation.safeguards:
        expected = values.get(column.name)
        if expected is None or column.expects is None:
            continue
        if seen.hidden:
            return f"{column.name} {printable(expected)} cannot be confirmed: {seen.words()}; nothing sent"
        found = seen.fields.get(column.expects)
        if found is None and column.expects == seen.noun.owner:
            found = NOBODY
        if not is_same(operation, column.name, found, expected):
            return f"{column.name} {printable(expected)}, but it {seen.words()}; nothing sent"
    return None


def decide_after_lookup(
    operation: Operation, values: Mapping[str, str], seen: ObservedState, *, doubt: bool, before: ObservedState | None
) -> Verdict:
    """What a look settles. ``doubt``: the row was sent and its answer lost; else an "is so already"
    code is being confirmed. RETRY: the request has left no trace, so sending it (again) is right.

    In doubt nothing is called refused: what stands there now may be what this row has made, and somebody else has
    changed since.
    """
    if _is_other(operation, values, seen):
        return _looked(
            Status.UNKNOWN if doubt else Status.REJECTED,
            f'asked for "{printable(values[operation.key])}", the service shows "{printable(seen.value or "")}"',
        )
    match = matches_goal(operation, values, seen)
    form = kept_otherwise(operation, values, seen.fields)
    unchanged = before is not None and before.state() == seen.state()
    if match is Match.YES and not (unchanged and form):
        return _looked(Status.DONE if doubt else Status.ALREADY, form, kept=seen.fields)
    if unchanged:
        return Verdict(ResponseAction.RETRY, "the look shows the state before")
    if before is not None and match is Match.HIDDEN and not before.hidden and before.owner is None:
        # Only this row's own change can be seen, its name cannot: an update may be repeated harmlessly.
        return Verdict(ResponseAction.RETRY, seen.words())
    if operation.lookup_before:
        if doubt:
            return _looked(Status.UNKNOWN, f"changed since by others: it {seen.words()}", kept=seen.fields)
        return _looked(Status.REJECTED, f"refused, and it {seen.words()}", kept=seen.fields)
    if _untouched(operation, seen):
        return Verdict(ResponseAction.RETRY, f"the look says it {seen.words()}")
    if doubt:
        return _looked(Status.UNKNOWN, f"it {seen.words()}; this row may have had its part in it", kept=seen.fields)
    needed = operation.goal is not None and operation.goal.active and seen.inactive
    advice = f"; {first_activate(operation)}" if needed else ""
    return _looked(Status.REJECTED, f"it {seen.words()}{advice}", kept=seen.fields)


def _untouched(operation: Operation, seen: ObservedState) -> bool:
    """Whether the state is one that the request would have changed."""
    match operation.start:
        case StartState.ABSENT:
            return not seen.exists
        case StartState.UNOWNED:
            return seen.exists and not seen.hidden and seen.owner is None
        case StartState.OTHERWISE:
            return seen.exists
        case None:
            return False


def _looked(
    status: Status, message: str, *, code: int | None = None, kept: Mapping[str, Json] | None = None
) -> Verdict:
    return Verdict(ResponseAction.SETTLE, message, status, Proof.LOOK, code=code, kept=kept or {})
