"""Giftcard transactions, shops and credit receptions: money and points moved (DUMP, LDOC, POST)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.sandbox.handlers.call import paging, viewing_meta
from piggy_batch.sandbox.http.messages import Refused, Reply, ok, within
from piggy_batch.sandbox.world.ids import iso

if TYPE_CHECKING:
    from piggy_batch.sandbox.handlers.call import Call
    from piggy_batch.sandbox.world.giftcards import Card
    from piggy_batch.sandbox.world.ledger import Shop, Transaction

Json = Any


def _shop_shown(shop: Shop) -> Json:
    return {"uuid": shop.uuid, "name": shop.name, "type": shop.kind, "reference": None}


def shops(call: Call) -> Reply:
    """GET shops: all of them, no pages; meta is ``{}`` (POST, observed)."""
    return ok([_shop_shown(shop) for shop in call.world.ledger.shops.values()], {})


def shop(call: Call) -> Reply:
    """GET shops/{uuid}: 1008."""
    return ok(_shop_shown(_shop(call, call.args[0])), {})


def _shop(call: Call, uuid: str) -> Shop:
    found = call.world.ledger.shop(uuid)
    if found is None:
        raise Refused(1008)
    return found


def _row(call: Call, row: Transaction) -> Json:
    world = call.world
    at = world.ledger.shops[row.shop]
    return {
        "id": row.number,
        "uuid": None if row.old else row.uuid,
        "amount_in_cents": row.cents,
        "type": row.kind,
        "settled": False,
        "card": {"id": row.card, "uuid": None if row.old else world.card_uuid(row.card)},
        "shop": {"id": at.number, "uuid": at.uuid, "name": at.name},
        "settlements": [],
        "custom_attributes": row.attributes,
        "created_at": iso(row.created),
    }


def _wanted(call: Call) -> list[Transaction]:
    """The rows that the filters leave, oldest first."""
    form, world = call.form, call.world
    code, program_uuid, shop_uuid = (
        form.text(name) for name in ("giftcard_hash", "giftcard_program_uuid", "shop_uuid")
    )
    form.checked()
    if call.settings.transactions_need_filter and not (code or program_uuid or shop_uuid):
        raise Refused(1003, {"giftcard_hash": ["The giftcard hash field is required."]})
    rows = world.ledger.rows
    if code is not None:
        card = world.cards.by_hash(code)
        rows = world.ledger.of_card(card.number) if card else []
    if program_uuid is not None:
        program = world.cards.program(program_uuid)
        rows = [row for row in rows if program is not None and row.program == program.number]
    if shop_uuid is not None:
        found = world.ledger.shop(shop_uuid)
        rows = [row for row in rows if found is not None and row.shop == found.number]
    fits = within(form.values)
    return rows if fits is None else [row for row in rows if fits(row.created)]


def listed(call: Call) -> Reply:
    """GET giftcard-transactions: 10 a page, 100 at most, set by ``perPage`` (LDOC; switch).

    ``sort``: created_at or -created_at; rows of one second come in no order that can be relied on (POST,
    captured).
    """
    name = call.settings.transactions_page_param
    page, limit = paging(call, name=name, default=10)
    sort = call.form.values.get("sort")
    if sort not in (None, "", "created_at", "-created_at"):
        raise Refused(1003, {"sort": ["The selected sort is invalid."]})
    rows = _wanted(call)
    total, start = len(rows), (page - 1) * limit
    if sort == "-created_at":
        chosen = rows[max(0, total - start - limit) : max(0, total - start)][::-1]
    else:
        chosen = rows[start : start + limit]
    return ok([_row(call, row) for row in chosen], viewing_meta(page, limit, total, len(chosen)))


def get(call: Call) -> Reply:
    """GET giftcard-transactions/{uuid}: 5010."""
    return ok(_row(call, _known(call)))


def _known(call: Call) -> Transaction:
    row = call.world.ledger.get(call.args[0])
    if row is None:
        raise Refused(5010)
    return row


def _fits(call: Call, card: Card, cents: int, *, topping_up: bool) -> None:
    """The documented rules; that a re-incrementable card is 1114 and the order of checks are inferred."""
    program = call.world.cards.programs.get(card.program)
    if program is None:
        raise Refused(5007)
    if program.reincrementable:
        raise Refused(1114)
    if card.expires is not None and card.expires <= call.now:
        raise Refused(5002)
    if not card.active:
        raise Refused(7010)
    if topping_up and not card.upgradeable:
        raise Refused(5006)
    if cents > 0 and program.max_cents is not None and card.cents + cents > program.max_cents:
        raise Refused(5008)
    if card.cents + cents < 0:
        raise Refused(5003)


def create(call: Call) -> Reply:
    """POST giftcard-transactions: 1003, 5001, 1008, 7015, 5007, 1114, 5002, 7010, 5006, 5008, 5003.

    A positive amount tops a card up, after which it is no longer upgradeable (switch; fits both captures).
    """
    form, world = call.form, call.world
    card_uuid, shop_uuid = form.need("giftcard_uuid"), form.need("shop_uuid")
    cents, attributes = form.integer("amount_in_cents", required=True), form.values.get("custom_attributes")
    if cents == 0:
        form.errors["amount_in_cents"] = ["The amount in cents field must not be 0."]
    form.checked()
    card = world.cards.by_uuid(card_uuid)
    if card is None:
        raise Refused(5001)
    at = _shop(call, shop_uuid)
    if card.program in call.settings.programs_closed_to.get(at.number, ()):
        raise Refused(7015)
    amount = cents or 0
    _fits(call, card, amount, topping_up=amount > 0)
    if amount > 0 and call.settings.top_up_once:
        card.upgradeable = False
    extra = attributes if isinstance(attributes, dict) else {}
    row = world.move(card, at.number, amount, call.now, attributes=extra)
    world.effect("giftcards.load" if amount > 0 else "giftcards.spend", card.uuid)
    return ok(_row(call, row))


def reverse(call: Call) -> Reply:
    """POST giftcard-transactions/{uuid}/reverse: 5010, 55025 unless it is the card's last, then as create.

    Undoing a top-up makes the card upgradeable again, and undoing a redemption needs no upgradeable card
    (inferred).
    """
    row, world = _known(call), call.world
    card = world.cards.get(row.card)
    if card is None:
        raise Refused(5001)
    if world.ledger.of_card(row.card)[-1] is not row:
        raise Refused(55025)
    _fits(call, card, -row.cents, topping_up=False)
    if row.cents > 0:
        card.upgradeable = True
    undone = world.move(card, row.shop, -row.cents, call.now, reverses=row.number)
    world.effect("giftcards.reverse", card.uuid)
    return ok(_row(call, undone))


def receive_credits(call: Call) -> Reply:
    """POST credit-receptions: 1003, 1008, 55031, 60003, 60004, 60007, 55046, 1015.

    Every reception gives points again.

    ``credits``, or ``unit_value`` with an optional ``unit_name``; one point a unit (inferred). The answer's
    shape is that of the vendor's object, its less used parts left out (inferred).
    """
    form, world, settings = call.form, call.world, call.settings
    shop_uuid, contact_uuid = form.need("shop_uuid"), form.need("contact_uuid")
    points, value = form.integer("credits"), form.integer("unit_value")
    unit, identifier_value = form.text("unit_name"), form.text("contact_identifier_value")
    if points is None and value is None and not form.errors:
        form.errors["credits"] = ["The credits field is required when unit value is not present."]
    given = points if points is not None else value or 0
    if given < 0:
        form.errors["credits"] = ["The credits field must be at least 0."]
    form.checked()
    at = _shop(call, shop_uuid)
    contact = world.people.contact(contact_uuid)
    if contact is None:
        raise Refused(55031)
    shown = None
    if identifier_value is not None:
        identifier = world.people.identifier(identifier_value)
        if identifier is None:
            raise Refused(60003)
        if not identifier.active:
            raise Refused(60004)
        shown = {"name": identifier.name, "value": identifier.value, "active": identifier.active}
    if points is None and unit is None and not settings.default_unit:
        raise Refused(55046)
    if points is None and unit not in (None, "purchase_amount"):
        raise Refused(60007)
    if settings.max_credits is not None and given > settings.max_credits:
        raise Refused(1015)
    contact.credits += given
    world.effect("credits.create", contact.uuid)
    number = world.effects.totals["credits.create"]
    return ok(
        {
            "type": "CREDIT_RECEPTION",
            "uuid": world.ids.uuid("r", number),
            "credits": given,
            "contact": {"uuid": contact.uuid, "email": contact.email},
            "shop": _shop_shown(at),
            "contact_identifier": shown,
            "unit_value": value,
            "created_at": iso(call.now),
        }
    )
