"""Credit receptions and the list of loyalty transactions, in which they stand (DUMP, LDOC)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.sandbox.handlers.call import chosen_page, paging, viewing_meta
from piggy_batch.sandbox.handlers.identifiers import card_used, usable
from piggy_batch.sandbox.handlers.shops import narrowed, shop_of, shop_with_address
from piggy_batch.sandbox.http.messages import Refused, SandboxReply, ok, within
from piggy_batch.sandbox.world.ids import iso

if TYPE_CHECKING:
    from piggy_batch.sandbox.handlers.call import Call
    from piggy_batch.sandbox.world.receptions import Reception

Json = Any
UNIT = {"id": 1, "name": "purchase_amount", "label": "Purchase amount", "prefix": "€", "is_default": True}
TYPES = ("credit_receptions", "reward_receptions")  # what the list's ``type`` takes (stated)


def _row(call: Call, row: Reception) -> Json:
    """As captured, with the ``channel`` that newer answers have.

    The account's own reception attributes, which follow flat beside these in a real answer, are none here.
    """
    world = call.world
    contact = world.people.contacts.get(row.contact)
    owner = None
    if contact is not None:
        owner = {
            "uuid": contact.uuid,
            "email": contact.email,
            "credit_balance": {"id": contact.number, "balance": contact.credits},
        }
    return {
        "type": "credit_reception",
        "contact_identifier": card_used(call, row.identifier),
        "contact": owner,
        "shop": shop_with_address(world.ledger.shops[row.shop]),
        "credits": row.credits,
        "created_at": iso(row.created),
        "uuid": row.uuid,
        "channel": "OAUTH_API",
        "unit": UNIT,
        "unit_value": row.unit_value,
    }


def create(call: Call) -> SandboxReply:
    """POST credit-receptions: 1003, 1008, 55031, 60003, 60004, 60007, 55046, 1015, 1027.

    Every reception gives credits again; negative ones are partial refunds. ``credits`` overrides what
    ``unit_value`` would give, which is one credit a whole unit (inferred: the account's rules decide that).
    No POS transaction exists here, so that every ``pos_transaction_uuid`` is 1027.
    """
    form, world, settings = call.form, call.world, call.settings
    shop_uuid, contact_uuid = form.need("shop_uuid"), form.need("contact_uuid")
    points, value = form.integer("credits"), form.number("unit_value")
    unit, identifier_value = form.text("unit_name"), form.text("contact_identifier_value")
    if points is None and value is None and not form.errors:
        form.complain("credits", "field is required when unit value is not present.")
    form.checked()
    shop = shop_of(call, shop_uuid)
    contact = world.people.contact(contact_uuid)
    if contact is None:
        raise Refused(55031)
    if identifier_value is not None:
        usable(call, identifier_value)
    if points is None and unit is None and not settings.default_unit:
        raise Refused(55046)
    if unit not in (None, UNIT["name"]):
        raise Refused(60007)
    given = int(value or 0) if points is None else points
    if settings.max_credits is not None and given > settings.max_credits:
        raise Refused(1015)
    if form.text("pos_transaction_uuid") is not None:
        raise Refused(1027)
    row = world.receptions.give(contact, shop.number, given, call.now, unit_value=value, identifier=identifier_value)
    world.effect("credits.create", contact.uuid)
    return ok(_row(call, row), {})


def listed(call: Call) -> SandboxReply:
    """GET loyalty-transactions: 10 a page, 100 at most, by contact, shop, type and period; 1003, 55031, 1008.

    No rewards are claimed here, so that of the two types there are only credit receptions.
    """
    form, world = call.form, call.world
    page, limit = paging(call, default=10)
    kind = form.text("type")
    if kind is not None and kind not in TYPES:
        raise Refused(1003, {"type": ["The selected type is invalid."]})
    rows = narrowed(call, world.receptions.rows if kind in (None, "credit_receptions") else [])
    fits = within(form.values)
    rows = rows if fits is None else [row for row in rows if fits(row.created)]
    chosen = chosen_page(call, rows, page, limit)
    return ok([_row(call, row) for row in chosen], viewing_meta(page, limit, len(rows), len(chosen)))
