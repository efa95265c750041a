"""Shops: list and get, the form in which other objects show one, and rows of one shop (POST, LDOC)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from piggy_batch.sandbox.http.messages import Refused, SandboxReply, ok

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.sandbox.handlers.call import Call
    from piggy_batch.sandbox.world.ledger import Shop

Json = Any


class MadeSomewhere(Protocol):
    """A row that belongs to a contact and a shop, each by its number."""

    contact: int
    shop: int


Row = TypeVar("Row", bound=MadeSomewhere)


def shop_of(call: Call, uuid: str) -> Shop:
    """The shop with this uuid, or 1008."""
    found = call.world.ledger.shop(uuid)
    if found is None:
        raise Refused(1008)
    return found


def narrowed(call: Call, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows of the contact and the shop that the request names; 55031, 1008."""
    contact_uuid, shop_uuid = call.form.text("contact_uuid"), call.form.text("shop_uuid")
    if contact_uuid is not None:
        contact = call.world.people.contact(contact_uuid)
        if contact is None:
            raise Refused(55031)
        rows = [row for row in rows if row.contact == contact.number]
    if shop_uuid is not None:
        shop = shop_of(call, shop_uuid)
        rows = [row for row in rows if row.shop == shop.number]
    return rows


def shop_with_address(shop: Shop) -> Json:
    """A shop as loyalty transactions show it (DUMP, captured)."""
    address = {
        "id": shop.number,
        "shop_id": shop.number,
        "street": "Sesame Street",
        "housenumber": shop.number,
        "postalcode": "9999YZ",
        "city": "Duckburg",
        "state": "NH",
        "country": "NL",
        "latitude": None,
        "longitude": None,
        "house_number": None,
        "postal_code": None,
    }
    return {"id": shop.number, "uuid": shop.uuid, "type": shop.kind, "name": shop.name, "address": address}


def _shown(shop: Shop) -> Json:
    return {"uuid": shop.uuid, "name": shop.name, "type": shop.kind, "reference": None}


def listed(call: Call) -> SandboxReply:
    """GET shops: all of them, no pages; meta is ``{}`` (POST, observed)."""
    return ok([_shown(shop) for shop in call.world.ledger.shops.values()], {})


def get(call: Call) -> SandboxReply:
    """GET shops/{uuid}: 1008."""
    return ok(_shown(shop_of(call, call.args[0])), {})
