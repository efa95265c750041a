"""Giftcard transactions: list, create, get, reverse (DUMP, LDOC, POST)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.sandbox.handlers.call import chosen_page, paging, viewing_meta
from piggy_batch.sandbox.handlers.shops import shop_of
from piggy_batch.sandbox.http.messages import Refused, SandboxReply, ok, within
from piggy_batch.sandbox.world.ids import iso

if TYPE_CHECKING:
    from piggy_batch.sandbox.handlers.call import Call
    from piggy_batch.sandbox.world.giftcards import Card
    from piggy_batch.sandbox.world.ledger import Transaction

Json = Any


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
    rows = world.ledger.oldest_first
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


def listed(call: Call) -> SandboxReply:
    """GET giftcard-transactions: 10 a page, 100 at most, set by ``perPage`` (LDOC; switch).

    ``sort``: created_at or -created_at; rows of one second come in no order that can be relied on (POST,
    captured).
    """
    name = call.settings.transactions_page_param
    page, limit = paging(call, name=name, default=10)
    rows = _wanted(call)
    chosen = chosen_page(call, rows, page, limit)
    return ok([_row(call, row) for row in chosen], viewing_meta(page, limit, len(rows), len(chosen)))


def get(call: Call) -> SandboxReply:
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


def create(call: Call) -> SandboxReply:
    """POST giftcard-transactions: 1003, 5001, 1008, 7015, 5007, 1114, 5002, 7010, 5006, 5008, 5003.

    A digital card can be incremented once only (stated; switch): a positive amount leaves it not upgradeable, as
    captured.
    """
    form, world = call.form, call.world
    card_uuid, shop_uuid = form.need("giftcard_uuid"), form.need("shop_uuid")
    cents, attributes = form.integer("amount_in_cents", required=True), form.values.get("custom_attributes")
    if cents == 0:
        form.complain("amount_in_cents", "field must not be 0.")
    form.checked()
    card = world.cards.by_uuid(card_uuid)
    if card is None:
        raise Refused(5001)
    at = shop_of(call, shop_uuid)
    if card.program in call.settings.programs_closed_to.get(at.number, ()):
        raise Refused(7015)
    amount = cents or 0
    _fits(call, card, amount, topping_up=amount > 0)
    if amount > 0 and call.settings.top_up_once and not card.physical:
        card.upgradeable = False
    extra = attributes if isinstance(attributes, dict) else {}
    row = world.move(card, at.number, amount, call.now, attributes=extra)
    world.effect("giftcards.load" if amount > 0 else "giftcards.spend", card.uuid)
    return ok(_row(call, row))


def reverse(call: Call) -> SandboxReply:
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
