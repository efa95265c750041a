"""Shops: list and get, and the forms in which other objects show one (POST, LDOC)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.sandbox.http.messages import Refused, Reply, ok

if TYPE_CHECKING:
    from piggy_batch.sandbox.handlers.call import Call
    from piggy_batch.sandbox.world.ledger import Shop

Json = Any


def shop_of(call: Call, uuid: str) -> Shop:
    """The shop with this uuid, or 1008."""
    found = call.world.ledger.shop(uuid)
    if found is None:
        raise Refused(1008)
    return found


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


def listed(call: Call) -> Reply:
    """GET shops: all of them, no pages; meta is ``{}`` (POST, observed)."""
    return ok([_shown(shop) for shop in call.world.ledger.shops.values()], {})


def get(call: Call) -> Reply:
    """GET shops/{uuid}: 1008."""
    return ok(_shown(shop_of(call, call.args[0])), {})
