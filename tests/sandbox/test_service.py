"""Routes, tokens, throttle, contacts and credits: what stands around the cards."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

import pytest

import piggy_batch.sandbox
from piggy_batch.sandbox import Settings


def test_ping_tells_whose_token_it_is(ask: Any, make: Any) -> None:
    """Company, id and uuid; a switch leaves fields out."""
    assert set(ask.data("GET", "")) == {"company", "id", "uuid"}
    assert set(make(ping_fields=("company",)).data("GET", "")) == {"company"}


def test_every_answer_carries_the_captured_headers(ask: Any) -> None:
    """Success, refusal and 401 alike: cache, origin and throttle headers."""
    for reply in (ask("GET", ""), ask("GET", "/giftcards/x"), ask("GET", "", token=None), ask("GET", "/nope")):
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["cache-control"] == "no-cache, private"
        assert reply.headers["access-control-allow-origin"] == "*"
        assert reply.headers["access-control-expose-headers"] == "Authorization"
        assert reply.headers["x-ratelimit-limit"] == "5000"
        assert "retry-after" not in reply.headers


@pytest.mark.parametrize("url", ["/api//contact-identifiers", "/api/v3/oauth/giftcards", "/api/v3/register/x"])
def test_wrong_prefixes_are_unknown_routes(ask: Any, url: str) -> None:
    """The documentation's hole and other prefixes answer an uncoded 404."""
    reply = ask("GET", f"http://sandbox.test{url}")
    assert reply.status_code == 404
    assert "code" not in reply.json()


def test_a_wrong_method_names_the_right_ones(ask: Any) -> None:
    """405 with Allow."""
    reply = ask("PATCH", "/contacts")
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize("token", [None, "wrong", ""])
def test_a_bad_token_is_unauthorized(ask: Any, token: str | None) -> None:
    """401 with the framework's body, nothing applied."""
    reply = ask("POST", "/contact-identifiers", token=token, json={"contact_identifier_value": "A"})
    assert (reply.status_code, reply.json()) == (401, {"message": "Unauthenticated."})
    assert ask.state()["effects"] == {}


def test_another_accounts_token_sees_another_account(make: Any) -> None:
    """It pings as itself and holds nothing of the first; a rotated token of the first sees all."""
    main = "5a4db0c5-0000-4000-a000-000000000001"
    ask = make(contacts=2, giftcards=5, other_tokens={"theirs": ("Other", "other-uuid"), "rotated": ("x", main)})
    assert ask.data("GET", "", token="theirs")["uuid"] == "other-uuid"
    assert ask.data("GET", "", token="rotated") == ask.data("GET", "")
    assert ask("GET", "/giftcards", token="theirs").json()["meta"]["total"] == 0
    ask.data("POST", "/contact-identifiers", token="theirs", json={"contact_identifier_value": "A"})
    assert ask.state()["identifiers"] == 0
    assert ask.admin("GET", "state?account=other-uuid").json()["identifiers"] == 1


def test_a_token_without_right_to_contacts(make: Any) -> None:
    """403 on contacts, cards as usual."""
    ask = make(contacts=1, no_contacts_tokens=frozenset({"narrow"}))
    assert ask("GET", "/contacts", token="narrow").status_code == 403
    assert ask("GET", "/giftcards", token="narrow").status_code == 200


def test_tokens_end_in_mid_run(make: Any) -> None:
    """After so many requests, or at a moment."""
    ask = make(expires_after=2, expires_at={"timed": 1_800_000_010.0}, other_tokens={})
    assert [ask("GET", "").status_code for _ in range(3)] == [200, 200, 401]
    assert ask("GET", "", token="timed").status_code == 200
    ask.now += 10
    assert ask("GET", "", token="timed").status_code == 401


def test_a_token_is_rotated(make: Any) -> None:
    """The old one is refused, the new one sees the same account."""
    ask = make(contacts=3)
    before = ask.data("GET", "")
    assert ask.admin("POST", "tokens", json={"revoke": "sandbox", "accept": "new"}).status_code == 200
    assert ask("GET", "").status_code == 401
    assert ask.data("GET", "", token="new") == before


def test_every_switch_is_documented() -> None:
    """The docstring of the settings names each of its fields."""
    for each in dataclasses.fields(Settings):
        assert f"``{each.name}``" in str(Settings.__doc__), each.name


def test_client_credentials_give_a_token_that_expires(ask: Any) -> None:
    """The deprecated way in: the id is a whole number, as JSON or as a form's text; after expires_in 401."""
    form = {"grant_type": "client_credentials", "client_id": 1, "client_secret": "sandbox-secret"}
    answer = ask("POST", "http://sandbox.test/oauth/token/", token=None, data=form).json()
    assert "access_token" in ask("POST", "http://sandbox.test/oauth/token", token=None, json=form).json()
    assert set(answer) == {"token_type", "expires_in", "access_token"}
    assert ask("GET", "", token=answer["access_token"]).status_code == 200
    ask.now += answer["expires_in"]
    assert ask("GET", "", token=answer["access_token"]).status_code == 401
    form["client_secret"] = "wrong"
    assert ask("POST", "http://sandbox.test/oauth/token", token=None, data=form).status_code == 401


def test_the_throttle_is_a_fixed_window_per_token(make: Any) -> None:
    """So many a minute, then 429 with the seconds to wait, until the window ends."""
    ask = make(limit_per_minute=2, other_tokens={"b": ("B", "b")})
    assert [ask("GET", "").headers["x-ratelimit-remaining"] for _ in range(2)] == ["1", "0"]
    ask.now += 20.5
    refused = ask("GET", "")
    assert (refused.status_code, refused.json()) == (429, {"message": "Too Many Attempts."})
    assert refused.headers["retry-after"] == "40"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert int(refused.headers["x-ratelimit-reset"]) == int(ask.now + 40)
    assert ask("GET", "", token="b").status_code == 200
    ask.now += 40
    assert ask("GET", "").status_code == 200


def test_a_throttle_of_zero_is_none(make: Any) -> None:
    """Without a limit nothing is announced."""
    assert "x-ratelimit-limit" not in make(limit_per_minute=0)("GET", "").headers


def test_contacts_are_made_once_per_address(ask: Any) -> None:
    """60005 for a second create, whatever the case; find-or-create finds it and counts no effect."""
    made = ask.data("POST", "/contacts", json={"email": "New@example.test"})
    assert list(made) == ["uuid"]
    assert ask.code("POST", "/contacts/async", json={"email": "new@example.test"}) == 60005
    assert ask.data("GET", "/contacts/find-or-create", params={"email": "new@example.test"})["uuid"] == made["uuid"]
    assert ask.data("GET", "/contacts/find-or-create/async", params={"email": "new@example.test"}) == made
    assert ask.data("GET", f"/contacts/{made['uuid']}")["email"] == "New@example.test"
    assert ask.state()["effects"] == {"contacts.create": 1}


def test_find_or_create_is_a_get_that_writes(ask: Any) -> None:
    """An unknown address becomes a contact; find-one-by alone answers 55031."""
    assert ask.code("GET", "/contacts/find-one-by", params={"email": "x@example.test"}) == 55031
    full = ask.data("GET", "/contacts/find-or-create", params={"email": "x@example.test"})
    assert {"id", "uuid", "email", "attributes", "credit_balance", "current_values"} <= set(full)
    assert ask.state()["contacts"] == 6


@pytest.mark.parametrize("email", ["", "nobody", "a b@c.de", "@x.de", "a@b"])
def test_a_bad_address_is_invalid_input(ask: Any, email: str) -> None:
    """1003 and the field's name."""
    assert "email" in ask("POST", "/contacts", json={"email": email}).json()["errors"]


def test_a_quota_ends_in_usage_limit_reached(make: Any) -> None:
    """60000 on every way to make a contact beyond it; finding still works."""
    ask = make(contacts=2, contact_quota=2)
    assert ask.code("POST", "/contacts", json={"email": "x@example.test"}) == 60000
    assert ask.code("GET", "/contacts/find-or-create", params={"email": "x@example.test"}) == 60000
    assert ask.code("POST", "/contacts/anonymous", json={}) == 60000
    assert ask.data("GET", "/contacts/find-or-create", params={"email": "customer1@example.test"})


def test_contacts_are_listed_with_their_own_meta(ask: Any) -> None:
    """Six numbers, the limit as text as it was captured; sort and period filter work."""
    meta = ask("GET", "/contacts", params={"limit": 2, "page": 3}).json()["meta"]
    assert meta == {"page": 3, "limit": "2", "viewing_from": 5, "viewing_to": 5, "last_page": 3, "total": 5}
    newest = ask.data("GET", "/contacts", params={"limit": 1, "sort": "-created_at"})
    assert newest[0]["email"] == "customer5@example.test"
    assert ask.data("GET", "/contacts", params={"created_at[gt]": "2030-01-01T00:00:00+00:00"}) == []
    assert ask.code("GET", "/contacts", params={"created_at[gt]": "soon"}) == 1003


def test_a_deleted_contact_leaves_its_cards_unlinked(ask: Any, contact: Any) -> None:
    """At once, or after the queue's delay; then 55031."""
    ask.data("POST", f"/contacts/{contact['uuid']}/delete", json={"type": "GDPR"})
    assert ask.code("GET", f"/contacts/{contact['uuid']}") == 55031
    found = ask.data("GET", "/contact-identifiers/find", params={"contact_identifier_value": "CARD-000002"})
    assert found["contact"] is None


def test_deletions_can_be_queued(make: Any) -> None:
    """Until the delay is over the contact is still there, and deleting it again changes nothing."""
    ask = make(contacts=1, contact_delete_delay_s=60)
    uuid = ask.data("GET", "/contacts")[0]["uuid"]
    ask.data("POST", f"/contacts/{uuid}/delete", json={"type": "DEFAULT"})
    assert ask("GET", f"/contacts/{uuid}").status_code == 200
    ask.data("POST", f"/contacts/{uuid}/delete", json={"type": "DEFAULT"})
    assert ask.state()["effects"] == {"contacts.delete": 1}
    ask.now += 61
    assert ask.code("GET", f"/contacts/{uuid}") == 55031


def test_an_anonymous_contact_can_take_a_card(ask: Any) -> None:
    """An unlinked card goes along; a linked one is 60014, an unknown one 60003."""
    made = ask.data("POST", "/contacts/anonymous", json={"contact_identifier_value": "CARD-000001"})
    assert len(ask.data("GET", f"/contacts/{made['uuid']}/contact-identifiers")) == 1
    assert ask.code("POST", "/contacts/anonymous", json={"contact_identifier_value": "CARD-000002"}) == 60014
    assert ask.code("POST", "/contacts/anonymous", json={"contact_identifier_value": "x"}) == 60003


def test_credits_are_given_every_time(ask: Any, contact: Any) -> None:
    """Two equal receptions give twice; the balance, the state and the key's count say so."""
    shop = ask.data("GET", "/shops")[0]["uuid"]
    body = {"shop_uuid": shop, "contact_uuid": contact["uuid"], "credits": 25}
    for _ in range(2):
        assert ask.data("POST", "/credit-receptions", json=body)["credits"] == 25
    assert ask.data("GET", f"/contacts/{contact['uuid']}/credit-balance") == {"balance": 50}
    state = ask.state()
    assert (state["credits"], state["max_per_key"]["credits.create"]) == (50, 2)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"shop_uuid": "x"}, 1008),
        ({"contact_uuid": "x"}, 55031),
        ({"credits": "12,5"}, 1003),
        ({"credits": 1.5}, 1003),
        ({"credits": None, "unit_value": "10,40"}, 1003),
        ({"pos_transaction_uuid": "x"}, 1027),
        ({"credits": None}, 1003),
        ({"contact_identifier_value": "x"}, 60003),
        ({"credits": None, "unit_value": 3, "unit_name": "miles"}, 60007),
        ({"credits": None, "unit_value": 3}, 55046),
        ({"credits": 1001}, 1015),
    ],
)
def test_credit_receptions_are_refused(make: Any, changes: dict[str, Any], code: int) -> None:
    """Each documented code, and nothing given."""
    ask = make(contacts=1, default_unit=False, max_credits=1000)
    contact, shop = ask.data("GET", "/contacts")[0], ask.data("GET", "/shops")[0]
    body = {"shop_uuid": shop["uuid"], "contact_uuid": contact["uuid"], "credits": 5} | changes
    assert ask.code("POST", "/credit-receptions", json=body) == code
    assert ask.state()["credits"] == 0


def test_a_unit_value_may_be_a_fraction_and_credits_negative(ask: Any, contact: Any) -> None:
    """10.40 spent, as JSON or as a form's text, gives whole credits; a partial refund takes some of them."""
    body = {"shop_uuid": ask.data("GET", "/shops")[0]["uuid"], "contact_uuid": contact["uuid"]}
    for sent in ({"json": body | {"unit_value": 10.40}}, {"data": body | {"unit_value": "10.40"}}):
        given = ask.data("POST", "/credit-receptions", **sent)
        assert (given["unit_value"], given["credits"]) == (10.4, 10)
    refund = ask.data("POST", "/credit-receptions", json=body | {"credits": -3, "unit_value": 10.4})
    assert (refund["credits"], refund["contact"]["credit_balance"]["balance"]) == (-3, 17)


def test_loyalty_transactions_are_the_credit_receptions(ask: Any, contact: Any) -> None:
    """Listed with the numbers of their own meta, by contact, shop, type and time; 55031, 1008 and 1003."""
    shop = ask.data("GET", "/shops")[0]["uuid"]
    body = {"shop_uuid": shop, "contact_uuid": contact["uuid"]}
    for points in (1, 2, 3):
        ask.data("POST", "/credit-receptions", json=body | {"credits": points})
    path = "/loyalty-transactions"
    answer = ask("GET", path, params={"limit": 2, "sort": "-created_at"}).json()
    assert [row["credits"] for row in answer["data"]] == [3, 2]
    assert answer["meta"] == {"page": 1, "limit": 2, "viewing_from": 1, "viewing_to": 2, "last_page": 2, "total": 3}
    assert len(ask.data("GET", path, params=body | {"type": "credit_receptions"})) == 3
    assert ask.data("GET", path, params={"type": "reward_receptions"}) == []
    assert ask.data("GET", path, params={"created_at[gt]": "2030-01-01T00:00:00+00:00"}) == []
    assert ask.code("GET", path, params={"contact_uuid": "x"}) == 55031
    assert ask.code("GET", path, params={"shop_uuid": "x"}) == 1008
    assert ask.code("GET", path, params={"type": "credit_reception"}) == 1003


@pytest.mark.parametrize("path", ["/giftcards/", "/contacts/find-one-by/?email=customer1@example.test", "/"])
def test_a_slash_at_the_end_of_a_path_does_not_count(ask: Any, path: str) -> None:
    """Clients of the vendor send it, and get what the path without it answers."""
    assert ask("GET", path).json() == ask("GET", path.replace("/?", "?").rstrip("/")).json()


def test_head_answers_as_get_without_a_body(ask: Any) -> None:
    """The same status and headers, the length of what GET would send, and nothing of it."""
    for path, status in (("/giftcards", 200), ("/giftcards/nothing", 400), ("/nowhere", 404)):
        head, get = ask("HEAD", path), ask("GET", path)
        assert (head.status_code, head.content) == (status, b"")
        assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))


def test_a_contact_is_updated_by_the_names_of_its_attributes(ask: Any, contact: Any) -> None:
    """Those named change and are shown in both places, the others stay; null and "" clear; a repeat is no effect."""
    path = f"/contacts/{contact['uuid']}"
    for _ in range(2):
        ask.data("PUT", path, json={"attributes": {"firstname": "Ann", "age": "41", "birthdate": "1985-02-28"}})
    ask.data("PUT", path, data={"attributes[lastname]": "Lee"})
    found = ask.data("PUT", path, json={"attributes": {"birthdate": None}})
    texts = {each["attribute"]["name"]: each["value"] for each in found["attributes"]}
    assert (texts["firstname"], texts["lastname"], texts["age"], texts["birthdate"]) == ("Ann", "Lee", "41", "")
    current = found["current_values"]
    assert (current["firstname"], current["age"], current["birthdate"]) == ("Ann", 41, None)
    assert found == ask.data("GET", path)
    assert ask.state()["effects"] == {"contacts.update": 3}


@pytest.mark.parametrize(
    "attributes",
    [
        None,
        {},
        "Ann",
        {"email": "x@example.test"},
        {"no_such": "x"},
        {"age": "old"},
        {"locale": "xx"},
        {"birthdate": "soon"},
        {"firstname": ["Ann"]},
    ],
)
def test_an_update_that_cannot_be_stored_is_invalid_input(ask: Any, contact: Any, attributes: Any) -> None:
    """No attributes, an unknown or read-only one, or a value of another type: 1003, and nothing is changed."""
    row = {
        "attributes": {"lastname": "Lee"} | attributes if isinstance(attributes, dict) and attributes else attributes
    }
    assert ask.code("PUT", f"/contacts/{contact['uuid']}", json=row) == 1003
    assert ask.code("PUT", "/contacts/nobody", json={"attributes": {"lastname": "Lee"}}) == 55031
    assert ask.state()["effects"] == {}


def test_an_unknown_attribute_can_be_ignored(make: Any) -> None:
    """With the switch the answer is a success that does not show it."""
    ask = make(contacts=1, unknown_attribute="ignore", attributes=("shoe_size",))
    uuid = ask.data("GET", "/contacts")[0]["uuid"]
    row = {"attributes": {"no_such": "x", "shoe_size": "44"}}
    current = ask.data("PUT", f"/contacts/{uuid}", json=row)["current_values"]
    assert (current["shoe_size"], "no_such" in current) == ("44", False)


def test_prepaid_money_is_moved_for_a_contact_or_a_card(ask: Any, contact: Any) -> None:
    """Given and spent, each transaction with the balance that it came to; the contact's balance is the last one."""
    row = {"amount_in_cents": 5000, "shop_uuid": ask.data("GET", "/shops")[0]["uuid"]}
    path = "/prepaid-transactions"
    first = ask.data("POST", path, json=row | {"contact_uuid": contact["uuid"]})
    assert first["prepaid_balance"] == {"balance_in_cents": 5000, "balance": "€50.00"}
    card = {"contact_identifier_value": "CARD-000002"}
    assert ask.data("POST", path, json=row | card | {"amount_in_cents": -1000})["contact_identifier"]["active"] is True
    balance = {"balance_in_cents": 4000, "balance": "€40.00"}
    assert ask.data("GET", f"/contacts/{contact['uuid']}/prepaid-balance") == balance
    assert ask.data("GET", f"/contacts/{contact['uuid']}")["prepaid_balance"] == {"balance_in_cents": 4000}
    assert ask.state()["effects"] == {"prepaid.load": 1, "prepaid.spend": 1}


def test_a_prepaid_transaction_is_reversed_each_time_it_is_asked(ask: Any, contact: Any) -> None:
    """The same amount the other way; as no source says that a second one is refused, it happens again."""
    row = {"amount_in_cents": 500, "shop_uuid": ask.data("GET", "/shops")[0]["uuid"], "contact_uuid": contact["uuid"]}
    path = "/prepaid-transactions"
    ask.data("POST", path, json=row)
    uuid = ask.data("POST", path, json=row)["uuid"]
    assert [ask.data("POST", f"{path}/{uuid}/reverse")["amount_in_cents"] for _ in range(2)] == [-500, -500]
    assert ask.code("POST", f"{path}/{uuid}/reverse") == 1003
    assert ask.code("POST", f"{path}/x/reverse") == 1003
    assert ask.state()["max_per_key"]["prepaid.reverse"] == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"contact_uuid": None}, 1003),
        ({"contact_uuid": "x"}, 55031),
        ({"contact_uuid": None, "contact_identifier_value": "x"}, 60003),
        ({"contact_uuid": None, "contact_identifier_value": "CARD-000001"}, 55031),
        ({"contact_identifier_value": "CARD-000004"}, 1003),
        ({"shop_uuid": "x"}, 1008),
        ({"amount_in_cents": 0}, 1003),
        ({"amount_in_cents": -1}, 1003),
        ({"amount_in_cents": "1,50"}, 1003),
    ],
)
def test_prepaid_transactions_are_refused(ask: Any, contact: Any, changes: dict[str, Any], code: int) -> None:
    """Each documented code, and no money moved."""
    shop = ask.data("GET", "/shops")[0]["uuid"]
    row = {"contact_uuid": contact["uuid"], "shop_uuid": shop, "amount_in_cents": 100} | changes
    assert ask.code("POST", "/prepaid-transactions", json=row) == code
    assert ask.state()["prepaid_cents"] == 0


def test_prepaid_transactions_are_listed_thirty_at_most(ask: Any, contact: Any) -> None:
    """Ten a page unless asked otherwise, the paginator's meta, by contact or shop; 55031, 1008 and 1003."""
    shops = [shop["uuid"] for shop in ask.data("GET", "/shops")]
    row = {"contact_uuid": contact["uuid"], "shop_uuid": shops[0], "amount_in_cents": 100}
    for _ in range(12):
        ask.data("POST", "/prepaid-transactions", json=row)
    path = "/prepaid-transactions"
    answer = ask("GET", path, params={"page": 2}).json()
    assert answer["meta"] == {"current_page": 2, "from": 11, "last_page": 2, "per_page": 10, "total": 12}
    assert answer["data"][0]["contact"] == {"uuid": contact["uuid"], "email": contact["email"]}
    assert len(ask.data("GET", path, params={"limit": 30, "contact_uuid": contact["uuid"]})) == 12
    assert ask.data("GET", path, params={"shop_uuid": shops[1]}) == []
    assert ask.code("GET", path, params={"limit": 31}) == 1003
    assert ask.code("GET", path, params={"contact_uuid": "x"}) == 55031
    assert ask.code("GET", path, params={"shop_uuid": "x"}) == 1008


def test_the_state_counts_requests_by_route_and_status(ask: Any) -> None:
    """The admin routes do not count, need no token and are not throttled."""
    ask("GET", "/giftcards/x")
    ask("GET", "")
    ask.admin("GET", "state")
    state = ask.state()
    assert state["requests"] == {"GET /giftcards/{uuid}": 1, "GET ": 1}
    assert state["statuses"] == {"400": 1, "200": 1}
    assert [each["route"] for each in ask.admin("GET", "requests").json()] == ["GET /giftcards/{uuid}", "GET "]


def test_bare_uuids_are_digits(make: Any) -> None:
    """With the switch every uuid is plain digits, as some captured ones are, and works in every route."""
    ask = make(contacts=3, giftcards=3, bare_uuids=True)
    assert ask.data("GET", "/contacts/2")["uuid"] == "2"
    assert ask.data("GET", "/giftcards/3")["uuid"] == "3"
    assert ask.data("GET", "/giftcards", params={"giftcard_program_uuid": "1"})[0]["uuid"] == "1"


def test_it_imports_nothing_from_the_rest_of_the_package() -> None:
    """It is a second reading of the documentation, and needs no client library either."""
    for file in Path(piggy_batch.sandbox.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [node.module or ""]
            for name in names:
                assert not name.startswith("piggy_batch") or name.startswith("piggy_batch.sandbox"), file.name
                assert name.split(".")[0] != "httpx", file.name
