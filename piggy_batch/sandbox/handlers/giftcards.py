"""Giftcards and their programs: list, get, find, create, send by e-mail (SEED; full form from POST)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.sandbox.handlers.call import paging
from piggy_batch.sandbox.http.messages import Refused, SandboxReply, ok
from piggy_batch.sandbox.world.ids import iso

if TYPE_CHECKING:
    from piggy_batch.sandbox.handlers.call import Call
    from piggy_batch.sandbox.world.giftcards import Card

Json = Any
SENT = "Email successfully sent"


def money(cents: int) -> str:
    """The captured display form, ``€1.10``; the documented one differs, and nobody should parse either."""
    return f"€{cents // 100}.{cents % 100:02d}"


def _short(call: Call, card: Card) -> Json:
    program = call.world.cards.programs.get(card.program)
    return {
        "uuid": card.uuid,
        "type": "PHYSICAL" if card.physical else "DIGITAL",
        "hash": card.hash,
        "expiration_date": None if card.expires is None else iso(card.expires),
        "active": card.active,
        "upgradeable": card.upgradeable,
        "amount_in_cents": card.cents,
        "giftcard_program": None if program is None else {"uuid": program.uuid, "name": program.name},
    }


def _full(call: Call, card: Card) -> Json:
    program = call.world.cards.programs.get(card.program)
    whole, rest = divmod(card.cents, 100)
    shown: Json = None
    if program is not None:
        shown = {
            "id": program.number,
            "name": program.name,
            "uuid": program.uuid,
            "max_amount_in_cents": program.max_cents,
            "calculator_flow": "DEFAULT",
            "expiration_days": program.expiration_days,
        }
    return {
        "id": card.number,
        "uuid": card.uuid,
        "type": "PHYSICAL" if card.physical else "DIGITAL",
        "hash": card.hash,
        "amount_in_cents": card.cents,
        "upgradeable": card.upgradeable,
        "active": card.active,
        "expiration_date": None if card.expires is None else iso(card.expires),
        "amount": card.cents / 100 if rest else whole,
        "url": f"https://piggy.example.test/giftcard-balance?hash={card.hash}",
        "display_amount": money(card.cents),
        "formatted_expiration_date": None if card.expires is None else iso(card.expires)[:10],
        "giftcard_program": shown,
        "giftcard_recipients": [],
    }


def programs(call: Call) -> SandboxReply:
    """GET giftcard-programs: all of them, no pages (POST, observed)."""
    cards = call.world.cards
    return ok(
        [
            {
                "id": program.number,
                "card_count": cards.count(program.number),
                "settles": 0,
                "uuid": program.uuid,
                "name": program.name,
                "active": True,
                "expiration_days": program.expiration_days,
                "max_amount_in_cents": program.max_cents,
                "min_amount_in_cents": None,
                "calculator_flow": "DEFAULT",
            }
            for program in cards.programs.values()
        ]
    )


def listed(call: Call) -> SandboxReply:
    """GET giftcards: 30 a page, 100 at most; 1003, 1100.

    Order: as made, equal times shuffled by the switch.
    """
    settings, cards = call.settings, call.world.cards
    uuid = call.form.text("giftcard_program_uuid")
    page, limit = paging(call)
    call.form.checked()
    number = 0
    if uuid is not None:
        program = cards.program(uuid)
        if program is None:
            raise Refused(1100)
        number = program.number
    scramble = call.serial if settings.shuffle else None
    rows, total = cards.page(number, (page - 1) * limit, limit, scramble)
    total = max(0, total + settings.total_skew + call.drift)
    meta = {"page": page, "per_page": limit, "last_page": max(1, -(-total // limit)), "total": total}
    return ok([_short(call, card) for card in rows], meta)


def _known(call: Call) -> Card:
    card = call.world.cards.by_uuid(call.args[0])
    if card is None:
        raise Refused(5001)
    return card


def get(call: Call) -> SandboxReply:
    """GET giftcards/{uuid}: 5001.

    The captured form with the program's uuid; the documented one would break clients.
    """
    return ok(_full(call, _known(call)))


def find(call: Call) -> SandboxReply:
    """GET giftcards/find-one-by: 1003, 5001."""
    code = call.form.need("hash")
    call.form.checked()
    card = call.world.cards.by_hash(code)
    if card is None:
        raise Refused(5001)
    return ok(_full(call, card))


def create(call: Call) -> SandboxReply:
    """POST giftcards: 1003, 55021 for type 0, 1100. Starts at 0 cents with a hash of nine characters."""
    form = call.form
    kind, uuid = form.integer("type", required=True), form.need("giftcard_program_uuid")
    if kind not in (None, 0, 1):
        form.errors["type"] = ["The selected type is invalid."]
    form.checked()
    if kind == 0:
        raise Refused(55021)
    program = call.world.cards.program(uuid)
    if program is None:
        raise Refused(1100)
    card = call.world.cards.add(program.number, call.now)
    call.world.effect("giftcards.create", card.uuid)
    return ok(_full(call, card))


def send(call: Call) -> SandboxReply:
    """POST giftcards/{uuid}/send-by-email: 5001, 1003; 55031 for an unknown contact (inferred).

    No usable e-mail or a contact who is not subscribed is 1003, a merge tag without ``custom.`` too
    (inferred).
    """
    form, settings = call.form, call.settings
    contact_uuid, email_uuid = form.need("contact_uuid"), form.text("email_uuid")
    tags = form.values.get("merge_tags")
    if isinstance(tags, dict):
        for name in tags:
            if not name.startswith("custom."):
                form.errors["merge_tags"] = [f"The key {name} must start with custom."]
    elif tags not in (None, "", []):
        form.errors["merge_tags"] = ["The merge tags field must be an array."]
    form.checked()
    card = _known(call)
    contact = call.world.people.contact(contact_uuid)
    if contact is None:
        raise Refused(55031)
    emails = settings.email_required
    if emails is not None and (not emails if email_uuid is None else email_uuid not in emails):
        raise Refused(1003, {"email_uuid": ["No valid email was found."]})
    if contact.email in settings.unsubscribed:
        raise Refused(1003, {"contact_uuid": ["The contact is not subscribed."]})
    call.world.effect("giftcards.send", card.uuid)
    return ok(SENT if settings.send_shape == "bare" else {"message": "success", "data": SENT}, {})
