"""Prepaid transactions of contacts: create, list, reverse, and the balance (DUMP, LDOC)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.sandbox.handlers.call import paging
from piggy_batch.sandbox.handlers.contacts import known_contact
from piggy_batch.sandbox.handlers.giftcards import money
from piggy_batch.sandbox.handlers.identifiers import card_used, usable
from piggy_batch.sandbox.handlers.shops import narrowed, shop_of
from piggy_batch.sandbox.http.messages import Refused, SandboxReply, ok
from piggy_batch.sandbox.world.ids import iso

if TYPE_CHECKING:
    from piggy_batch.sandbox.handlers.call import Call
    from piggy_batch.sandbox.world.contacts import Contact
    from piggy_batch.sandbox.world.prepaid import PrepaidTransaction

Json = Any
HIGHEST_LIMIT = 30  # rows a page (DUMP, stated)


def _row(call: Call, row: PrepaidTransaction) -> Json:
    shop = call.world.ledger.shops[row.shop]
    return {
        "uuid": row.uuid,
        "amount_in_cents": row.cents,
        "prepaid_balance": {"balance_in_cents": row.balance, "balance": money(row.balance)},
        "created_at": iso(row.created),
        "shop": {"id": shop.number, "uuid": shop.uuid, "reference": None, "name": shop.name},
        "contact_identifier": card_used(call, row.identifier),
    }


def create(call: Call) -> SandboxReply:
    """POST prepaid-transactions: 1003, 55031, 60003, 60004, 1008; a negative amount spends.

    Undocumented, so inferred: a card that nobody holds is 55031, a card of somebody else than the given contact
    1003, and so is spending more than there is.
    """
    form, world = call.form, call.world
    contact_uuid, value, shop_uuid = (
        form.text("contact_uuid"),
        form.text("contact_identifier_value"),
        form.need("shop_uuid"),
    )
    cents = form.integer("amount_in_cents", required=True)
    if contact_uuid is None and value is None:
        form.complain("contact_uuid", "field is required when contact identifier value is not present.")
    if cents == 0:
        form.complain("amount_in_cents", "field must not be 0.")
    form.checked()
    contact = None if contact_uuid is None else world.people.contact(contact_uuid)
    if contact_uuid is not None and contact is None:
        raise Refused(55031)
    if value is not None:
        holder = usable(call, value).contact
        if contact is None:
            contact = None if holder is None else world.people.contact(holder)
        elif holder != contact.uuid:
            raise Refused(1003, {"contact_identifier_value": ["The selected contact identifier value is invalid."]})
    if contact is None:
        raise Refused(55031)
    shop = shop_of(call, shop_uuid)
    row = _move(call, contact, shop.number, cents or 0, value)
    world.effect("prepaid.load" if row.cents > 0 else "prepaid.spend", contact.uuid)
    return ok(_row(call, row))


def _move(call: Call, contact: Contact, shop: int, cents: int, identifier: str | None) -> PrepaidTransaction:
    if contact.prepaid_cents + cents < 0:
        raise Refused(1003, {"amount_in_cents": ["The prepaid balance is insufficient."]})
    return call.world.prepaid.move(contact, shop, cents, call.now, identifier)


def listed(call: Call) -> SandboxReply:
    """GET prepaid-transactions: 10 a page, 30 at most, by contact or shop; 1003, 55031, 1008."""
    page, limit = paging(call, default=10, highest=HIGHEST_LIMIT)
    rows = narrowed(call, call.world.prepaid.rows)
    total, start = len(rows), (page - 1) * limit
    chosen = rows[start : start + limit]
    meta = {
        "current_page": page,
        "from": start + 1 if chosen else None,
        "last_page": max(1, -(-total // limit)),
        "per_page": limit,
        "total": total,
    }
    return ok([_row(call, row) | {"contact": _owner(call, row)} for row in chosen], meta)


def _owner(call: Call, row: PrepaidTransaction) -> Json:
    contact = call.world.people.contacts.get(row.contact)
    return None if contact is None else {"uuid": contact.uuid, "email": contact.email}


def reverse(call: Call) -> SandboxReply:
    """POST prepaid-transactions/{uuid}/reverse: the same amount the other way, each time it is asked (inferred).

    An unknown transaction is 1003: no code of its own is documented.
    """
    row = call.world.prepaid.get(call.args[0])
    if row is None:
        raise Refused(1003, {"prepaid_transaction_uuid": ["The selected prepaid transaction uuid is invalid."]})
    contact = call.world.people.contacts.get(row.contact)
    if contact is None:
        raise Refused(55031)
    undone = _move(call, contact, row.shop, -row.cents, row.identifier)
    call.world.effect("prepaid.reverse", row.uuid)
    return ok(_row(call, undone))


def balance(call: Call) -> SandboxReply:
    """GET contacts/{uuid}/prepaid-balance: 55031."""
    cents = known_contact(call).prepaid_cents
    return ok({"balance_in_cents": cents, "balance": money(cents)})
