"""Every endpoint's answer, field by field with its types, against the documented and captured ones.

Where a source shows a field as null in one place and filled in another, both are allowed; a field that no source
shows, or one that is missing, fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from piggy_batch.sandbox.routes import ROUTES

Shape = Any  # a type, a pattern for texts, a mapping of fields, [of each item], or a rule of this file


def fits(value: Any, shape: Shape, where: str = "") -> None:
    """Assert that a JSON value has a shape; numbers that are whole are integers, and booleans are no numbers."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), where
        assert set(value) == set(shape), where
        for name, each in shape.items():
            fits(value[name], each, f"{where}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        assert value or not shape, f"{where} is empty, so that nothing is shown"
        for place, item in enumerate(value):
            fits(item, shape[0], f"{where}[{place}]")
    elif isinstance(shape, re.Pattern):
        assert isinstance(value, str), where
        assert shape.fullmatch(value), f"{where}: {value}"
    elif isinstance(shape, type):
        assert type(value) is shape, f"{where}: {value!r}"
    elif callable(shape):
        shape(value, where)
    else:
        assert value == shape, where
        assert type(value) is type(shape), where


def maybe(shape: Shape) -> Callable[[Any, str], None]:
    """Null, or of that shape."""

    def check(value: Any, where: str) -> None:
        if value is not None:
            fits(value, shape, where)

    return check


def number(value: Any, where: str) -> None:
    """A whole number or a fraction."""
    assert type(value) in (int, float), where


def flat_map(of: tuple[type, ...]) -> Callable[[Any, str], None]:
    """A mapping of any names to plain values of these types."""

    def check(value: Any, where: str) -> None:
        assert value, where
        assert all(type(each) in of for each in value.values()), where

    return check


MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")  # the SDK takes no other form
DAY = re.compile(r"\d{4}-\d\d-\d\d")
KIND = re.compile(r"DIGITAL|PHYSICAL")
MONEY = re.compile(r"€\d+\.\d\d")
LOWER = re.compile(r"[a-z_]+")

IDENTIFIER = {"name": str, "value": str, "active": bool, "contact": maybe({"uuid": str, "email": str})}
HELD = {"name": str, "value": str, "active": bool, "default": bool, "contact": {"uuid": str}}
SHOWN_IDENTIFIER = {"name": str, "value": str, "active": bool}
OPTION = {"value": str, "label": str, "description": None, "media": None}
ATTRIBUTE = {
    "id": int,
    "type": LOWER,
    "field_type": LOWER,
    "name": str,
    "label": str,
    "options": lambda value, where: fits(value, [OPTION] if value else [], where),
    "is_piggy_defined": bool,
    "is_soft_read_only": bool,
    "is_hard_read_only": bool,
}
SUBSCRIPTION = {
    "is_subscribed": bool,
    "status": re.compile("SUBSCRIBED|UNSUBSCRIBED"),
    "subscription_type": {
        "name": str,
        "description": str,
        "active": bool,
        "strategy": str,
        "uuid": maybe(str),
        "id": int,
    },
}
CONTACT = {
    "id": int,
    "uuid": str,
    "email": str,
    "attributes": [{"value": str, "attribute": ATTRIBUTE}],
    "tier": None,
    "subscriptions": [SUBSCRIPTION],
    "credit_balance": {"balance": int, "id": int},
    "prepaid_balance": {"balance_in_cents": int},
    "current_values": flat_map((str, int, float, bool, type(None))),
    "current_display_values": flat_map((str,)),
}
LISTED_CARD = {
    "uuid": str,
    "type": KIND,
    "hash": str,
    "expiration_date": maybe(MOMENT),
    "active": bool,
    "upgradeable": bool,
    "amount_in_cents": int,
    "giftcard_program": {"uuid": str, "name": str},
}
CARD = {
    "id": int,
    "uuid": str,
    "type": KIND,
    "hash": str,
    "amount_in_cents": int,
    "upgradeable": bool,
    "active": bool,
    "expiration_date": maybe(MOMENT),
    "amount": number,
    "url": str,
    "display_amount": MONEY,
    "formatted_expiration_date": maybe(DAY),
    "giftcard_program": {
        "id": int,
        "name": str,
        "uuid": str,
        "max_amount_in_cents": maybe(int),
        "calculator_flow": "DEFAULT",
        "expiration_days": maybe(int),
    },
    "giftcard_recipients": [],
}
PROGRAM = {
    "id": int,
    "card_count": int,
    "settles": int,
    "uuid": str,
    "name": str,
    "active": bool,
    "expiration_days": maybe(int),
    "max_amount_in_cents": maybe(int),
    "min_amount_in_cents": maybe(int),
    "calculator_flow": "DEFAULT",
}
TRANSACTION = {
    "id": int,
    "uuid": maybe(str),
    "amount_in_cents": int,
    "type": re.compile("STANDARD|EXPIRED"),
    "settled": bool,
    "card": {"id": int, "uuid": maybe(str)},
    "shop": {"id": int, "uuid": str, "name": str},
    "settlements": [],
    "custom_attributes": dict,
    "created_at": MOMENT,
}
SHOP = {"uuid": str, "name": str, "type": re.compile("physical|web|on_site"), "reference": maybe(str)}
ADDRESS = {
    "id": int,
    "shop_id": int,
    "street": str,
    "housenumber": int,
    "postalcode": str,
    "city": str,
    "state": str,
    "country": str,
    "latitude": None,
    "longitude": None,
    "house_number": None,
    "postal_code": None,
}
RECEPTION = {
    "type": "credit_reception",
    "contact_identifier": maybe(SHOWN_IDENTIFIER),
    "contact": {"uuid": str, "email": str, "credit_balance": {"id": int, "balance": int}},
    "shop": {"id": int, "uuid": str, "type": str, "name": str, "address": ADDRESS},
    "credits": int,
    "created_at": MOMENT,
    "uuid": str,
    "channel": "OAUTH_API",
    "unit": {"id": int, "name": str, "label": str, "prefix": str, "is_default": bool},
    "unit_value": maybe(number),
}
PREPAID = {
    "uuid": str,
    "amount_in_cents": int,
    "prepaid_balance": {"balance_in_cents": int, "balance": MONEY},
    "created_at": MOMENT,
    "shop": {"id": int, "uuid": str, "reference": maybe(str), "name": str},
    "contact_identifier": maybe(SHOWN_IDENTIFIER),
}
VIEWING = {"page": int, "limit": int, "viewing_from": int, "viewing_to": int, "last_page": int, "total": int}
LIST, MAP = "[]", "{}"  # an empty meta as PHP writes it, which differs by endpoint

V = "contact_identifier_value"
SHAPES: dict[str, tuple[Shape, Shape]] = {  # route -> data, meta
    "GET ": ({"company": str, "id": int, "uuid": str}, LIST),
    "GET /contact-identifiers/find": (IDENTIFIER, LIST),
    "POST /contact-identifiers": (IDENTIFIER, LIST),
    "PUT /contact-identifiers/link": (IDENTIFIER, LIST),
    "PUT /contact-identifiers/unlink": (IDENTIFIER | {"contact": None}, LIST),
    "PUT /contact-identifiers": (IDENTIFIER, LIST),
    "DELETE /contact-identifiers": (None, MAP),
    "GET /contacts": ([CONTACT], VIEWING | {"limit": str}),
    "POST /contacts": ({"uuid": str}, MAP),
    "POST /contacts/async": ({"uuid": str}, MAP),
    "POST /contacts/anonymous": ({"uuid": str}, MAP),
    "GET /contacts/find-one-by": (CONTACT, LIST),
    "GET /contacts/find-or-create": (CONTACT, LIST),
    "GET /contacts/find-or-create/async": ({"uuid": str}, LIST),
    "GET /contacts/{uuid}": (CONTACT, LIST),
    "PUT /contacts/{uuid}": (CONTACT, LIST),
    "POST /contacts/{uuid}/delete": (None, MAP),
    "GET /contacts/{uuid}/contact-identifiers": ([HELD], LIST),
    "GET /contacts/{uuid}/credit-balance": ({"balance": int}, MAP),
    "GET /contacts/{uuid}/prepaid-balance": ({"balance_in_cents": int, "balance": MONEY}, LIST),
    "GET /giftcard-programs": ([PROGRAM], LIST),
    "GET /giftcards": ([LISTED_CARD], {"page": int, "per_page": int, "last_page": int, "total": int}),
    "POST /giftcards": (CARD, LIST),
    "GET /giftcards/find-one-by": (CARD, LIST),
    "GET /giftcards/{uuid}": (CARD, LIST),
    "POST /giftcards/{uuid}/send-by-email": ("Email successfully sent", MAP),
    "GET /giftcard-transactions": ([TRANSACTION], VIEWING),
    "POST /giftcard-transactions": (TRANSACTION | {"uuid": str}, LIST),
    "GET /giftcard-transactions/{uuid}": (TRANSACTION | {"uuid": str}, LIST),
    "POST /giftcard-transactions/{uuid}/reverse": (TRANSACTION | {"uuid": str}, LIST),
    "GET /prepaid-transactions": (
        [PREPAID | {"contact": {"uuid": str, "email": str}}],
        {"current_page": int, "from": int, "last_page": int, "per_page": int, "total": int},
    ),
    "POST /prepaid-transactions": (PREPAID, LIST),
    "POST /prepaid-transactions/{uuid}/reverse": (PREPAID, LIST),
    "GET /loyalty-transactions": ([RECEPTION], VIEWING),
    "POST /credit-receptions": (RECEPTION, MAP),
    "GET /shops": ([SHOP], MAP),
    "GET /shops/{uuid}": (SHOP, MAP),
}


class Asked:
    """One account with something of everything, and a request that succeeds for each route."""

    def __init__(self, ask: Any) -> None:
        self.ask = ask
        self.contact: str = ask.data("GET", "/contacts")[0]["uuid"]
        self.shop: str = ask.data("GET", "/shops")[0]["uuid"]
        program = ask.data("GET", "/giftcard-programs")[0]["uuid"]
        self.new_card = {"type": 1, "giftcard_program_uuid": program}
        self.card = ask.data("POST", "/giftcards", json=self.new_card)
        self.load = {"giftcard_uuid": self.card["uuid"], "amount_in_cents": 500, "shop_uuid": self.shop}
        self.prepaid = {
            V: "CARD-000002",
            "amount_in_cents": 1550,
            "shop_uuid": self.shop,
        }
        self.credits = {
            "contact_uuid": self.contact,
            "shop_uuid": self.shop,
            "unit_value": 10.4,
            V: "CARD-000002",
        }

    def transaction(self) -> str:
        return str(self.ask.data("POST", "/giftcard-transactions", json=self.load)["uuid"])

    def paid(self) -> str:
        return str(self.ask.data("POST", "/prepaid-transactions", json=self.prepaid)["uuid"])

    def request(self, label: str) -> tuple[str, dict[str, Any]]:
        """The uuid in the path and the parameters of a request that succeeds."""
        free, mine = {V: "CARD-000001"}, {V: "CARD-000002"}
        if "find-or-create" in label:
            return "", {"params": {"email": "new@example.test"}}
        if label == "GET /prepaid-transactions":
            self.paid()
        if label == "GET /loyalty-transactions":
            self.ask.data("POST", "/credit-receptions", json=self.credits)
        bodies: dict[str, Any] = {
            "POST /contact-identifiers": {V: "new", "contact_uuid": self.contact},
            "PUT /contact-identifiers/link": free | {"contact_uuid": self.contact},
            "PUT /contact-identifiers/unlink": mine,
            "PUT /contact-identifiers": mine | {"contact_identifier_name": "Gold"},
            "POST /contacts": {"email": "new@example.test"},
            "POST /contacts/async": {"email": "new@example.test"},
            "PUT /contacts/{uuid}": {"attributes": {"firstname": "Ann", "age": 41}},
            "POST /contacts/{uuid}/delete": {"type": "DEFAULT"},
            "POST /giftcards": self.new_card,
            "POST /giftcards/{uuid}/send-by-email": {"contact_uuid": self.contact},
            "POST /giftcard-transactions": self.load,
            "POST /prepaid-transactions": self.prepaid,
            "POST /credit-receptions": self.credits,
        }
        queries: dict[str, Any] = {
            "GET /contact-identifiers/find": mine,
            "DELETE /contact-identifiers": free,
            "GET /contacts/find-one-by": {"email": "customer1@example.test"},
            "GET /giftcards/find-one-by": {"hash": self.card["hash"]},
        }
        uuids: dict[str, Callable[[], str]] = {
            "giftcards": lambda: str(self.card["uuid"]),
            "giftcard-transactions": self.transaction,
            "prepaid-transactions": self.paid,
            "contacts": lambda: self.contact,
            "shops": lambda: self.shop,
        }
        uuid = uuids[label.split("/")[1]]() if "{uuid}" in label else ""
        return uuid, {"json": bodies.get(label), "params": queries.get(label)}


@pytest.mark.parametrize("label", ROUTES)
def test_every_answer_has_the_documented_shape(ask: Any, label: str) -> None:
    """Fields, types and meta of a success; the table above has a line for every route that there is."""
    data, meta = SHAPES[label]
    method, path = label.split(" ", 1)
    uuid, parameters = Asked(ask).request(label)
    answer = ask(method, path.replace("{uuid}", uuid), **parameters)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == ["data", "meta"]
    fits(body["data"], data, label)
    empty: dict[str, Any] = {LIST: [], MAP: {}}
    fits(body["meta"], meta if isinstance(meta, dict) else empty[meta], f"{label} meta")


def test_no_route_is_without_a_shape() -> None:
    """Nor a shape without a route."""
    assert set(SHAPES) == set(ROUTES)


def test_an_attributes_type_is_its_field_type_and_a_blank_value_is_a_text(make: Any) -> None:
    """Both names of a type agree, in lower case; a value is "" where nothing is known, the account's own included."""
    attributes = make(contacts=1, attributes=("shoe_size",)).data("GET", "/contacts")[0]["attributes"]
    assert {"firstname", "birthdate", "locale", "shoe_size"} <= {each["attribute"]["name"] for each in attributes}
    for each in attributes:
        assert each["attribute"]["type"] == each["attribute"]["field_type"]
    assert {each["value"] for each in attributes} == {"", "customer1@example.test"}


def test_the_deprecated_list_of_attributes_can_be_empty(make: Any) -> None:
    """With the switch a contact shows its values in the flat map alone."""
    contact = make(contacts=1, attributes_shown=False).data("GET", "/contacts")[0]
    assert contact["attributes"] == []
    assert contact["current_values"]["firstname"] == ""


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (5002, "Het bedrag op de kaart is verlopen. | This giftcard has expired."),
        (5003, "Het bedrag op de kaart is niet toereikend. | Insufficient amount on giftcard."),
        (5006, "Deze giftcard kan niet opgewaardeerd worden. | This giftcard cannot be incremented."),
        (5007, "Deze giftcard is niet gekoppeld aan een programma. | Giftcard not linked to Giftcard Program."),
        (5008, "Maximale limiet op kaart bereikt. | Max amount will be exceeded."),
    ],
)
def test_refusals_say_what_the_error_page_says(ask: Any, code: int, text: str) -> None:
    """The published texts, in both languages."""
    asked = Asked(ask)
    card, amount = asked.card["uuid"], 100
    match code:
        case 5002:
            ask.sandbox.outside_event("giftcard", action="expire", uuid=card)
        case 5003:
            amount = -1
        case 5006:
            asked.transaction()
        case 5007:
            card = ask.sandbox.outside_event("giftcard", action="issue", program=0)["uuid"]
        case _:
            amount = 51_001
    row = asked.load | {"giftcard_uuid": card, "amount_in_cents": amount}
    refusal = ask("POST", "/giftcard-transactions", json=row).json()
    assert refusal == {"message": text, "code": code, "status_code": 400}
