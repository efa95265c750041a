"""Giftcards, programs, sends and transactions against the documentation and the captured answers."""

from __future__ import annotations

from typing import Any

import pytest

TX = "/giftcard-transactions"


def program(ask: Any, number: int = 1) -> str:
    """The uuid of a program."""
    uuid = ask.data("GET", "/giftcard-programs")[number - 1]["uuid"]
    assert isinstance(uuid, str)
    return uuid


def made(ask: Any, number: int = 1) -> Any:
    """A new card in a program."""
    return ask.data("POST", "/giftcards", json={"type": 1, "giftcard_program_uuid": program(ask, number)})


def move(ask: Any, card: str, cents: Any, **more: Any) -> Any:
    """A transaction on a card in the first shop."""
    shop = ask.data("GET", "/shops")[0]["uuid"]
    return ask("POST", TX, json={"giftcard_uuid": card, "amount_in_cents": cents, "shop_uuid": shop} | more)


def test_list_items_and_meta_are_those_of_the_documentation(ask: Any) -> None:
    """The short form, the four numbers of the meta, and 30 rows a page unless asked otherwise."""
    body = ask("GET", "/giftcards", params={"limit": 3}).json()
    keys = ["uuid", "type", "hash", "expiration_date", "active", "upgradeable", "amount_in_cents"]
    assert list(body["data"][0]) == [*keys, "giftcard_program"]
    assert list(body["data"][0]["giftcard_program"]) == ["uuid", "name"]
    assert body["meta"] == {"page": 1, "per_page": 3, "last_page": 7, "total": 20}
    assert ask("GET", "/giftcards").json()["meta"]["per_page"] == 30


def test_pages_cover_every_card_once(ask: Any) -> None:
    """Undisturbed, the pages together are the account; a page beyond the last is empty."""
    pages = [ask.data("GET", "/giftcards", params={"limit": 7, "page": page}) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [7, 7, 6, 0]
    uuids = [card["uuid"] for page in pages for card in page]
    assert uuids == [row["uuid"] for row in ask.rows("giftcards")]


@pytest.mark.parametrize("params", [{"limit": 101}, {"limit": 0}, {"limit": "abc"}, {"page": 0}, {"page": "-1"}])
def test_bounds_of_pages(ask: Any, make: Any, params: dict[str, Any]) -> None:
    """Refused with 1003, or clamped by the switch."""
    assert ask.code("GET", "/giftcards", params=params) == 1003
    meta = make(giftcards=3, over_limit="clamp")("GET", "/giftcards", params=params).json()["meta"]
    assert 1 <= meta["per_page"] <= 100
    assert meta["page"] == 1


def test_one_programs_cards(ask: Any) -> None:
    """The filter keeps the program's own; card_count agrees; an unknown program is 1100."""
    for each in ask.data("GET", "/giftcard-programs"):
        body = ask("GET", "/giftcards", params={"giftcard_program_uuid": each["uuid"]}).json()
        assert body["meta"]["total"] == each["card_count"] == len(body["data"])
        assert {card["giftcard_program"]["uuid"] for card in body["data"]} == {each["uuid"]}
    assert ask.code("GET", "/giftcards", params={"giftcard_program_uuid": "x"}) == 1100


def test_get_and_find_give_the_same_full_card(ask: Any) -> None:
    """By uuid and by hash; unknown is 5001, no hash 1003."""
    card = ask.data("GET", "/giftcards")[4]
    full = ask.data("GET", f"/giftcards/{card['uuid']}")
    assert ask.data("GET", "/giftcards/find-one-by", params={"hash": card["hash"]}) == full
    assert {key: full[key] for key in card if key != "giftcard_program"} == {
        key: card[key] for key in card if key != "giftcard_program"
    }
    assert ask.code("GET", "/giftcards/nothing") == 5001
    assert ask.code("GET", "/giftcards/find-one-by", params={"hash": "nothing"}) == 5001
    assert ask.code("GET", "/giftcards/find-one-by") == 1003


def test_the_case_of_a_hash_is_a_switch(make: Any) -> None:
    """Exact by default."""
    for rule, status in (("exact", 400), ("fold", 200)):
        ask = make(giftcards=1, hash_case=rule)
        code = ask.data("GET", "/giftcards")[0]["hash"].lower()
        assert ask("GET", "/giftcards/find-one-by", params={"hash": code}).status_code == status


def test_a_new_card_looks_as_captured(ask: Any) -> None:
    """Every captured field; 0 cents, nine characters of hash, expiry after the program's days in the exact form."""
    card = made(ask)
    assert list(card) == [
        *("id", "uuid", "type", "hash", "amount_in_cents", "upgradeable", "active", "expiration_date", "amount"),
        *("url", "display_amount", "formatted_expiration_date", "giftcard_program", "giftcard_recipients"),
    ]
    assert (card["type"], card["amount_in_cents"], card["amount"], len(card["hash"])) == ("DIGITAL", 0, 0, 9)
    assert (card["display_amount"], card["giftcard_recipients"], card["upgradeable"]) == ("€0.00", [], True)
    assert card["expiration_date"] == "2028-02-13T08:00:00+00:00"
    assert card["formatted_expiration_date"] == "2028-02-13"
    assert card["giftcard_program"]["expiration_days"] == 394
    assert card["url"].endswith(card["hash"])
    assert made(ask, 2)["expiration_date"] is None


@pytest.mark.parametrize(("kind", "code"), [(0, 55021), (2, 1003), (None, 1003), ("x", 1003)])
def test_only_digital_cards_are_made(ask: Any, kind: Any, code: int) -> None:
    """Type 0 is 55021, others and none 1003; an unknown program 1100, none 1003."""
    assert ask.code("POST", "/giftcards", json={"type": kind, "giftcard_program_uuid": program(ask)}) == code
    assert ask.code("POST", "/giftcards", json={"type": 1, "giftcard_program_uuid": "x"}) == 1100
    assert ask.code("POST", "/giftcards", json={"type": "1"}) == 1003
    assert ask.state()["giftcards"] == 20


def test_a_send_is_a_mail_each_time(ask: Any, make: Any, contact: Any) -> None:
    """Bare text or the documented nested answer; a second send is a second mail."""
    path, body = f"/giftcards/{made(ask)['uuid']}/send-by-email", {"contact_uuid": contact["uuid"]}
    for sent in ({"json": body | {"merge_tags": {"custom.m": "Hi"}}}, {"data": body | {"merge_tags[custom.m]": "Hi"}}):
        assert ask("POST", path, **sent).json() == {"data": "Email successfully sent", "meta": {}}
    assert (ask.state()["mails"], ask.state()["max_per_key"]["giftcards.send"]) == (2, 2)
    nested = make(giftcards=1, contacts=1, send_shape="nested")
    card, someone = nested.data("GET", "/giftcards")[0], nested.data("GET", "/contacts")[0]
    answer = nested("POST", f"/giftcards/{card['uuid']}/send-by-email", json={"contact_uuid": someone["uuid"]})
    assert answer.json() == {"data": {"message": "success", "data": "Email successfully sent"}, "meta": {}}


def test_sends_are_refused(make: Any) -> None:
    """5001, 1003 for a bad tag, a missing contact, an unusable e-mail or no subscription; 55031; no mail."""
    ask = make(giftcards=1, contacts=2, email_required=("e-1",), unsubscribed={"customer2@example.test"})
    card = ask.data("GET", "/giftcards")[0]["uuid"]
    first, second = (contact["uuid"] for contact in ask.data("GET", "/contacts"))
    path = f"/giftcards/{card}/send-by-email"
    assert ask.code("POST", "/giftcards/x/send-by-email", json={"contact_uuid": first}) == 5001
    assert ask.code("POST", path, json={}) == 1003
    assert ask.code("POST", path, json={"contact_uuid": first, "merge_tags": {"message": "x"}}) == 1003
    assert ask.code("POST", path, json={"contact_uuid": first, "email_uuid": "e-2"}) == 1003
    assert ask.code("POST", path, json={"contact_uuid": second}) == 1003
    assert ask.code("POST", path, json={"contact_uuid": "x"}) == 55031
    assert ask.data("POST", path, json={"contact_uuid": first, "email_uuid": "e-1"})
    assert ask.state()["mails"] == 1


def test_a_load_moves_money_and_makes_the_card_full(ask: Any) -> None:
    """The documented row; the balance follows; a second load is 5006 because it is not upgradeable any more."""
    card, before = made(ask), ask.state()["balance_cents"]
    row = move(ask, card["uuid"], 110, custom_attributes={"order": "7"}).json()["data"]
    assert list(row) == [
        *("id", "uuid", "amount_in_cents", "type", "settled", "card", "shop", "settlements", "custom_attributes"),
        "created_at",
    ]
    assert (row["amount_in_cents"], row["type"], row["card"]["uuid"]) == (110, "STANDARD", card["uuid"])
    assert row["custom_attributes"] == {"order": "7"}
    now = ask.data("GET", f"/giftcards/{card['uuid']}")
    assert (now["amount_in_cents"], now["amount"], now["display_amount"]) == (110, 1.1, "€1.10")
    assert now["upgradeable"] is False
    assert move(ask, card["uuid"], 1).json()["code"] == 5006
    assert ask.state()["balance_cents"] - before == 110
    assert ask.state()["effects"]["giftcards.load"] == 1


def test_a_physical_card_is_loaded_again_and_again(ask: Any) -> None:
    """Only digital ones can be incremented once; a redemption never needs an upgradeable card."""
    card = ask.sandbox.outside_event("giftcard", action="issue", physical=True)["uuid"]
    for cents in (100, 200, -50):
        assert move(ask, card, cents).status_code == 200
    assert ask.data("GET", f"/giftcards/{card}")["amount_in_cents"] == 250


def test_transactions_are_refused(make: Any) -> None:
    """Each documented code in turn, and no balance moved."""
    ask = make(reincrementable_programs=1, programs_closed_to={1: (2,)}, top_up_once=False)
    card = made(ask)["uuid"]
    assert move(ask, card, 51_001).json()["code"] == 5008
    assert move(ask, card, -1).json()["code"] == 5003
    assert move(ask, card, 0).json()["code"] == 1003
    assert move(ask, card, "12,50").json()["code"] == 1003
    assert move(ask, card, 5, shop_uuid="x").json()["code"] == 1008
    assert move(ask, "x", 5).json()["code"] == 5001
    assert move(ask, made(ask, 2)["uuid"], 5).json()["code"] == 7015
    assert move(ask, made(ask, 3)["uuid"], 5).json()["code"] == 1114
    ask.sandbox.outside_event("giftcard", action="expire", uuid=card)
    assert move(ask, card, 5).json()["code"] == 5002
    loose = ask.sandbox.outside_event("giftcard", action="issue", program=0)["uuid"]
    assert move(ask, loose, 5).json()["code"] == 5007
    assert ask.state()["balance_cents"] == 0
    assert ask.state()["transactions"] == 0


def test_only_the_last_transaction_can_be_reversed(ask: Any) -> None:
    """55025 for an earlier one, 5010 for an unknown one; reversing a load makes the card upgradeable again."""
    card = made(ask)["uuid"]
    load = move(ask, card, 500).json()["data"]["uuid"]
    spend = move(ask, card, -200).json()["data"]["uuid"]
    assert ask.code("POST", f"{TX}/{load}/reverse") == 55025
    assert ask.code("POST", f"{TX}/x/reverse") == 5010
    assert ask.data("POST", f"{TX}/{spend}/reverse")["amount_in_cents"] == 200
    assert ask.data("GET", f"/giftcards/{card}")["amount_in_cents"] == 500
    assert ask.data("GET", f"{TX}/{load}")["amount_in_cents"] == 500
    assert ask.code("GET", f"{TX}/x") == 5010


def test_the_transaction_list_minds_perpage_not_limit(ask: Any, make: Any) -> None:
    """10 rows unless perPage says otherwise; its own meta; old rows lack uuids; the switch swaps the parameter."""
    body = ask("GET", TX, params={"limit": 3}).json()
    assert len(body["data"]) == 10
    assert list(body["meta"]) == ["page", "limit", "viewing_from", "viewing_to", "last_page", "total"]
    assert (body["data"][0]["uuid"], body["data"][0]["card"]["uuid"]) == (None, None)
    assert len(ask.data("GET", TX, params={"perPage": 3})) == 3
    swapped = make(giftcards=5, transactions=5, transactions_page_param="limit")
    assert len(swapped.data("GET", TX, params={"perPage": 3})) == 5
    assert len(swapped.data("GET", TX, params={"limit": 3})) == 3


def test_transactions_are_filtered_and_sorted(ask: Any) -> None:
    """By hash, program, shop and period, newest first if asked."""
    card = made(ask)
    move(ask, card["uuid"], 500)
    assert len(ask.data("GET", TX, params={"giftcard_hash": card["hash"]})) == 1
    assert ask.data("GET", TX, params={"sort": "-created_at"})[0]["amount_in_cents"] == 500
    assert len(ask.data("GET", TX, params={"created_at[gte]": "2027-01-01T00:00:00+00:00"})) == 1
    of_program = ask.data("GET", TX, params={"giftcard_program_uuid": program(ask), "perPage": 100})
    shop = ask.data("GET", "/shops")[0]["uuid"]
    of_shop = ask.data("GET", TX, params={"shop_uuid": shop, "perPage": 100})
    assert 0 < len(of_program) < 11
    assert {row["shop"]["uuid"] for row in of_shop} == {shop}


def test_a_transaction_list_may_need_a_filter(make: Any) -> None:
    """The older documentation's rule is a switch."""
    ask = make(transactions_need_filter=True)
    assert ask.code("GET", TX) == 1003
    assert ask.data("GET", TX, params={"shop_uuid": ask.data("GET", "/shops")[0]["uuid"]}) == []


def test_events_beside_the_client(ask: Any) -> None:
    """Issue, top up, redeem, expire, switch off, move and delete, singly or many at once; all counted apart."""
    issued = ask.admin("POST", "giftcards", json={"action": "issue", "hash": "MY-CARD", "amount_in_cents": 900}).json()
    uuid = issued["uuid"]
    assert ask.data("GET", "/giftcards/find-one-by", params={"hash": "MY-CARD"})["amount_in_cents"] == 900
    events = [
        {"action": "redeem", "uuid": uuid, "amount_in_cents": 1000},
        {"action": "topup", "uuid": uuid, "amount_in_cents": 400},
        {"action": "deactivate", "uuid": uuid},
        {"action": "move", "uuid": uuid, "program": 2},
        {"action": "expire", "uuid": uuid, "sweep": True},
    ]
    answers = ask.admin("POST", "giftcards", json={"events": events}).json()["events"]
    assert [each["amount_in_cents"] for each in answers] == [-100, 300, 300, 300, 0]
    card = ask.data("GET", f"/giftcards/{uuid}")
    assert (card["active"], card["giftcard_program"]["uuid"]) == (False, program(ask, 2))
    kinds = [row["type"] for row in ask.data("GET", TX, params={"giftcard_hash": "MY-CARD"})]
    assert kinds == ["STANDARD"] * 3 + ["EXPIRED"]
    ask.admin("POST", "giftcards", json={"action": "delete", "uuid": uuid})
    assert ask.code("GET", f"/giftcards/{uuid}") == 5001
    assert ask.state()["effects"] == {}
    assert ask.admin("POST", "giftcards", json={"action": "delete", "uuid": uuid}).status_code == 400
