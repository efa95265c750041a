"""Sign-off of rows: looks a card up, read-only, and compares what is seen with what the row says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from piggy_batch.endpoints import FIND_CONTACT, FIND_IDENTIFIER, NOBODY
from piggy_batch.endpoints.cells import identity_of, kept_form, parse_cell
from piggy_batch.endpoints.requests import inside_request, look_request
from piggy_batch.endpoints.responses import ResponseAction, Verdict
from piggy_batch.importing.observed_state import ObservedState, read_contact_list, read_lookup
from piggy_batch.importing.verification.balances import CreditComparison, asks_for_credits, compare_balance
from piggy_batch.models import Kind, Status
from piggy_batch.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.client.session import Session
    from piggy_batch.importing.verification.balances import Customer

CHECK = "_check"  # key of what an outcome keeps: one of the words below
MATCH = "match"
PARTIAL = "partial"  # nothing differs, and not all could be seen
MISSING = "missing"
DIFFERENT = "different"
WITH_UUID = " (where there is a contact_uuid)"  # follows the name of an e-mail column that is not compared


@dataclass(frozen=True, slots=True)
class ExpectedOwner:
    """Who a row says must hold the card."""

    uuid: str | None = None  # None: not known, or the row does not say
    email: str | None = None
    nobody: bool = False
    unknown: bool = False  # the service has no contact of that e-mail

    @property
    def given(self) -> bool:
        """Whether the row says anything about the owner."""
        return self.nobody or self.uuid is not None or self.email is not None

    def words(self) -> str:
        """For messages."""
        if self.nobody:
            return "nobody"
        if self.uuid is not None and self.email is None:
            return f"contact {printable(self.uuid)}"
        return printable(self.email or "")


def owner_of(values: Mapping[str, str]) -> ExpectedOwner:
    """What a row says of the owner: its contact_uuid, else its email; ``none`` says nobody."""
    contact, email = values.get("contact_uuid"), values.get("email")
    if contact is not None:
        return ExpectedOwner(nobody=True) if contact == NOBODY else ExpectedOwner(uuid=contact)
    return ExpectedOwner(email=email.strip()) if email is not None else ExpectedOwner()


async def verify_row(
    session: Session,
    values: Mapping[str, str],
    slot: int,
    tries: int,
    customers: Mapping[str, Customer] | None = None,
) -> Verdict | None:
    """The outcome of one row; None: the run stops. At most three reads: the card, the contact of the row's
    e-mail where it is needed, and that contact's cards where the card is inactive. ``customers``: of the migration
    whose credits are compared, by identity."""
    look = FIND_IDENTIFIER
    answer = await session.read(look_request(look, values), slot, tries)
    if answer is None:
        return None
    seen = read_lookup(look, values, answer)
    owner = owner_of(values)
    if isinstance(seen, Verdict):
        return _failed(seen)
    shows_mail = "contact_email" in seen.fields
    needs_owner = owner.email is not None and (seen.hidden or (seen.owner is not None and not shows_mail))
    needs_balance = customers is not None and asks_for_credits(values) and "email" in values
    balance = None
    if seen.exists and (needs_owner or needs_balance):
        contact = await session.read(look_request(FIND_CONTACT, values), slot, tries)
        if contact is None:
            return None
        held_by = read_lookup(FIND_CONTACT, values, contact)
        if isinstance(held_by, Verdict):
            return _failed(held_by)
        balance = held_by.fields.get("credit_balance")
        if needs_owner:
            owner = replace(owner, uuid=held_by.fields.get("contact_uuid"), unknown=not held_by.exists)
    if seen.hidden and owner.uuid is not None:
        inside = inside_request(look, owner.uuid)
        listed = await session.read(inside, slot, tries) if inside is not None else answer
        if listed is None:
            return None
        shown = read_contact_list(look, values, owner.uuid, listed) if inside is not None else seen
        if isinstance(shown, Verdict):
            return _failed(shown)
        seen = shown
    credits_ = CreditComparison()
    if customers is not None and asks_for_credits(values):
        credits_ = compare_balance(values, customers, balance if isinstance(balance, int) else None)
    return compare(values, seen, owner, credits_)


def _failed(why: Verdict) -> Verdict:
    return replace(
        why, call=ResponseAction.SETTLE, status=Status.FAILED, message=f"could not be looked up: {why.message}"
    )


def compare(
    values: Mapping[str, str], seen: ObservedState, owner: ExpectedOwner, credits_: CreditComparison | None = None
) -> Verdict:
    """``done`` where nothing that can be seen differs from the row, else ``rejected`` with expected and found."""
    if not seen.exists:
        whose = f"; expected: held by {owner.words()}" if owner.given else ""
        return Verdict(ResponseAction.SETTLE, f"missing{whose}", Status.REJECTED, kept={CHECK: MISSING})
    kept = dict(seen.fields) or ({"contact_identifier_active": False} if seen.hidden else {})
    differs, unseen, note = _differences(values, seen, owner)
    differs += [credits_.differs] if credits_ and credits_.differs else []
    if differs:
        return Verdict(ResponseAction.SETTLE, "; ".join(differs), Status.REJECTED, kept={**kept, CHECK: DIFFERENT})
    said = []
    if unseen:
        said.append(f"inactive, so the service does not show, and nobody could compare: {', '.join(unseen)}")
    if credits_ and credits_.unseen:
        said.append(f"could not be compared: {credits_.unseen}")
    check = PARTIAL if said else MATCH
    message = "; ".join([*said, *([note] if note else [])])
    return Verdict(ResponseAction.SETTLE, message, Status.DONE, kept={**kept, CHECK: check})


def _differences(
    values: Mapping[str, str], seen: ObservedState, owner: ExpectedOwner
) -> tuple[list[str], list[str], str | None]:
    """What differs, with expected and found; which columns cannot be seen; and a name that the service keeps in
    another form, which stands for the same."""
    note: str | None = None
    differs: list[str] = []
    unseen: list[str] = []
    value = values["contact_identifier_value"]
    if seen.value is not None and seen.value != value:
        differs.append(_pair("contact_identifier_value", value, seen.value))
    _compare_owner(seen, owner, differs, unseen)
    name = values.get("contact_identifier_name")
    found_name = seen.fields.get("contact_identifier_name")
    if name is not None and seen.hidden:
        unseen.append("contact_identifier_name")
    elif name is not None and found_name != name:
        said = _pair("contact_identifier_name", name, found_name)
        if isinstance(found_name, str) and kept_form(found_name) == kept_form(name):
            note = f"as the service keeps it: {said}"
        else:
            differs.append(said)
    active = values.get("contact_identifier_active")
    is_active = not seen.hidden and seen.fields.get("contact_identifier_active") is not False
    if active is not None and parse_cell(Kind.FLAG, active) is not is_active:
        differs.append(_pair("contact_identifier_active", active, "true" if is_active else "false"))
    return differs, unseen, note


def _compare_owner(seen: ObservedState, owner: ExpectedOwner, differs: list[str], unseen: list[str]) -> None:
    column = "email" if owner.email is not None else "contact_uuid"
    if not owner.given:
        return
    if owner.unknown:
        differs.append(f'email expected "{owner.words()}", but there is no such contact')
        return
    if seen.hidden:
        if seen.not_with is not None:
            differs.append(f'{column} expected "{owner.words()}", found: inactive, and not among that contact\'s cards')
        else:
            unseen.append("the owner")
        return
    if owner.nobody:
        same = seen.owner is None
    elif owner.uuid is not None:
        same = seen.owner == owner.uuid
    else:
        same = identity_of(str(seen.fields.get("contact_email") or "")) == identity_of(owner.email or "")
    if not same:
        differs.append(_pair(column, owner.words(), _holder(seen)))


def _holder(seen: ObservedState) -> str:
    mail = seen.fields.get("contact_email")
    return str(mail or seen.owner or "nobody")


def _pair(column: str, expected: str, found: object) -> str:
    shown = "nothing" if found is None else f'"{printable(str(found))}"'
    return f'{column} expected "{printable(expected)}", found {shown}'
