"""What the service shows of a row's thing: one read, and another where an inactive thing hides its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piggy_batch.endpoints import NOBODY, Operation, OwnerRule
from piggy_batch.endpoints.requests import inside_request, look_request
from piggy_batch.endpoints.responses import ResponseAction, Verdict
from piggy_batch.importing.observed_state import ObservedState, read_contact_list, read_lookup
from piggy_batch.importing.response_rules import wanted_owner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.client.session import Session


async def fetch_state(
    session: Session,
    operation: Operation,
    values: Mapping[str, str],
    slot: int,
    attempts: int,
    before: ObservedState | None,
) -> ObservedState | Verdict | None:
    """What a look shows, or the verdict that says why it shows nothing; None: the run stops. ``before``: what a look
    before the first send has shown."""
    look = operation.look
    if look is None:
        return Verdict(ResponseAction.DOUBT, f"{operation.name} cannot be looked up")
    answer = await session.read(look_request(look, values), slot, attempts)
    if answer is None:
        return None
    seen = read_lookup(look, values, answer)
    contact = _contact_to_ask(operation, values, before)
    if isinstance(seen, Verdict) or not seen.hidden or contact is None:
        return seen
    inside = inside_request(look, contact)
    if inside is None:
        return seen
    answer = await session.read(inside, slot, attempts)
    return None if answer is None else read_contact_list(look, values, contact, answer)


def _contact_to_ask(operation: Operation, values: Mapping[str, str], before: ObservedState | None) -> str | None:
    """In whose list an inactive thing, which the look hides, may be seen."""
    if operation.goal is not None and operation.goal.owner is OwnerRule.ROW:
        return wanted_owner(operation, values)
    for column in operation.safeguards:
        expected = values.get(column.name)
        if column.expects == operation.noun.owner and expected not in (None, NOBODY):
            return expected
    return before.owner if before else None
