"""Lists that change, shuffle and lie; large seeds; the state file."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from piggy_batch.sandbox import Churn, Sandbox, Settings

if TYPE_CHECKING:
    from pathlib import Path


def page(ask: Any, number: int, limit: int = 10) -> list[str]:
    """The uuids on a page."""
    return [card["uuid"] for card in ask.data("GET", "/giftcards", params={"page": number, "limit": limit})]


def test_an_exact_change_between_two_pages(make: Any) -> None:
    """A card of a page already read goes and one appears at the end: totals agree, a card slips through."""
    ask = make(giftcards=20)
    before = [row["uuid"] for row in ask.rows("giftcards")]
    ask.sandbox.churn(Churn(1, delete=(before[0],), add=1))
    seen = page(ask, 1) + page(ask, 2)
    assert len(seen) == len(set(seen)) == 20
    assert before[10] not in seen
    assert ask.state()["giftcards"] == 20
    assert ask.state()["outside"] == {"giftcards.delete": 1, "giftcards.create": 1}


def test_churn_is_repeatable(make: Any) -> None:
    """The same seed changes the same cards; the number of cards stays."""
    dumps = []
    for _ in range(2):
        ask = make(giftcards=30, churn=2, seed=7)
        for number in (1, 2, 3):
            page(ask, number)
        dumps.append(ask.rows("giftcards"))
    assert dumps[0] == dumps[1]
    assert len(dumps[0]) == 30


def test_equal_neighbours_come_in_another_order(make: Any) -> None:
    """Without changes the same cards stand on a big page, shuffled only within one creation time."""
    ask = make(giftcards=32, shuffle=True, ties=8)
    first, second = page(ask, 1, 32), page(ask, 1, 32)
    assert first != second
    for start in range(0, 32, 8):
        assert set(first[start : start + 8]) == set(second[start : start + 8])
    small = [uuid for number in range(1, 12) for uuid in page(ask, number, 3)]
    assert len(small) == 32
    assert len(set(small)) < 32


def test_totals_can_be_wrong_and_drift(make: Any) -> None:
    """A constant error, and one that grows with every page read."""
    ask = make(giftcards=10, total_skew=-1, total_drift=2)
    totals = [ask("GET", "/giftcards").json()["meta"]["total"] for _ in range(3)]
    assert totals == [9, 11, 13]


def test_a_million_cards_start_and_page_at_once() -> None:
    """Under two seconds to start; the state and a page deep inside, also of one program, take no time."""
    started = time.perf_counter()
    sandbox = Sandbox(Settings(giftcards=1_000_000))
    assert time.perf_counter() - started < 2
    started = time.perf_counter()
    state = sandbox.state()
    cards, total = sandbox.world.cards.page(2, 300_000, 100, None)
    assert time.perf_counter() - started < 0.5
    assert (state["giftcards"], total, len(cards)) == (1_000_000, 333_333, 100)
    again = sandbox.world.cards.by_hash(cards[7].hash)
    assert again == cards[7] == sandbox.world.cards.by_uuid(cards[7].uuid)


def test_the_balance_is_the_sum_of_the_cards(make: Any) -> None:
    """The shortcut for seeded cards agrees with a walk."""
    for cards in (1, 996, 997, 2500):
        ask = make(giftcards=cards)
        assert ask.state()["balance_cents"] == sum(row["amount_in_cents"] for row in ask.rows("giftcards"))


def test_the_same_seed_is_the_same_world(make: Any) -> None:
    """Another seed has other identities."""
    first, second, third = (make(giftcards=5, contacts=5, seed=seed).rows("giftcards") for seed in (1, 1, 2))
    assert first == second
    assert not {row["uuid"] for row in first} & {row["uuid"] for row in third}


def test_the_state_file_brings_everything_back(make: Any, tmp_path: Path) -> None:
    """Identifiers, contacts, cards, transactions and effects survive a restart; new ones do not collide."""
    settings: dict[str, Any] = {"state": tmp_path / "state.json", "giftcards": 50, "contacts": 4, "identifiers": 4}
    ask = make(**settings)
    cards = [row["uuid"] for row in ask.rows("giftcards")]
    ask.data("POST", "/contact-identifiers", json={"contact_identifier_value": "A"})
    ask.data("DELETE", "/contact-identifiers", params={"contact_identifier_value": "CARD-000002"})
    ask.data("GET", "/contacts/find-or-create", params={"email": "new@example.test"})
    ask.sandbox.outside_event("giftcard", action="delete", uuid=cards[3])
    ask.sandbox.outside_event("giftcard", action="topup", uuid=cards[4], amount_in_cents=77)
    ask.sandbox.outside_event("giftcard", action="issue", hash="MINE", amount_in_cents=5, uuid="foreign")
    ask.sandbox.outside_event("giftcard", action="rename-program", program=2, name="Renamed")
    ask.sandbox.save()
    back = make(**settings | {"giftcards": 3, "contacts": 0})
    for what in ("identifiers", "contacts", "giftcards", "transactions"):
        assert back.rows(what) == ask.rows(what)
    for name in ("effects", "outside", "max_per_key", "balance_cents", "identifiers_linked"):
        assert back.state()[name] == ask.state()[name]
    assert back.data("GET", "/giftcards/foreign")["hash"] == "MINE"
    assert back.data("GET", "/giftcard-programs")[1]["name"] == "Renamed"
    known = {row["uuid"] for row in ask.rows("giftcards")}
    assert back.sandbox.outside_event("giftcard", action="issue")["uuid"] not in known
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600


def test_what_a_contact_holds_survives_a_restart(make: Any, tmp_path: Path) -> None:
    """Attributes, prepaid money and credits with their transactions; later ones get uuids of their own."""
    settings: dict[str, Any] = {"state": tmp_path / "state.json", "contacts": 1}
    ask = make(**settings)
    uuid, shop = ask.data("GET", "/contacts")[0]["uuid"], ask.data("GET", "/shops")[0]["uuid"]
    paths = ("/prepaid-transactions", "/loyalty-transactions")
    paid = {"contact_uuid": uuid, "shop_uuid": shop, "amount_in_cents": 500}
    points = {"contact_uuid": uuid, "shop_uuid": shop, "credits": 5}
    ask.data("POST", "/prepaid-transactions", json=paid)
    ask.data("POST", "/credit-receptions", json=points)
    ask.data("PUT", f"/contacts/{uuid}", json={"attributes": {"firstname": "Ann"}})
    ask.sandbox.save()
    back = make(**settings)
    for path in ("/contacts", *paths):
        assert back.data("GET", path) == ask.data("GET", path)
    back.data("POST", "/prepaid-transactions", json=paid)
    back.data("POST", "/credit-receptions", json=points)
    assert [len({row["uuid"] for row in back.data("GET", path)}) for path in paths] == [2, 2]


def test_a_state_written_before_contacts_held_more_is_read(make: Any, tmp_path: Path) -> None:
    """Contacts of six fields, no prepaid and no receptions kept; a new reception repeats no uuid."""
    settings: dict[str, Any] = {"state": tmp_path / "state.json", "contacts": 1}
    ask = make(**settings)
    uuid, shop = ask.data("GET", "/contacts")[0]["uuid"], ask.data("GET", "/shops")[0]["uuid"]
    points = {"contact_uuid": uuid, "shop_uuid": shop, "credits": 5}
    first = ask.data("POST", "/credit-receptions", json=points)["uuid"]
    ask.sandbox.save()
    held = json.loads(settings["state"].read_text())
    for account in held["worlds"].values():
        account["people"]["contacts"] = [row[:6] for row in account["people"]["contacts"]]
        del account["prepaid"], account["receptions"]
    settings["state"].write_text(json.dumps(held))
    back = make(**settings)
    assert back.data("GET", f"/contacts/{uuid}")["credit_balance"]["balance"] == 5
    assert back.data("GET", "/loyalty-transactions") == []
    assert back.data("POST", "/credit-receptions", json=points)["uuid"] != first


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version":9,"settings":{},"worlds":{}}', "\0"])
def test_a_file_that_is_no_state_is_refused(tmp_path: Path, text: str) -> None:
    """With a message that names it."""
    file = tmp_path / "other.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"other\.json"):
        Sandbox(Settings(state=file))


def test_a_folder_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    """Before anything is served, not when the state is to be written."""
    with pytest.raises(ValueError, match="no folder"):
        Sandbox(Settings(state=tmp_path / "missing" / "state.json"))


def test_queued_deletions_survive_a_restart(make: Any, tmp_path: Path) -> None:
    """They happen when they are due, by whatever process is there then."""
    settings: dict[str, Any] = {"state": tmp_path / "s.json", "contacts": 2, "contact_delete_delay_s": 60}
    ask = make(**settings)
    uuid = ask.data("GET", "/contacts")[0]["uuid"]
    ask.data("POST", f"/contacts/{uuid}/delete", json={"type": "DEFAULT"})
    ask.sandbox.save()
    back = make(**settings)
    assert back("GET", f"/contacts/{uuid}").status_code == 200
    back.now += 61
    assert back.code("GET", f"/contacts/{uuid}") == 55031


def test_a_state_of_another_seed_is_refused(tmp_path: Path) -> None:
    """Its identities would not fit; the message names both."""
    file = tmp_path / "state.json"
    Sandbox(Settings(state=file)).save()
    assert json.loads(file.read_text())["version"] == 1
    with pytest.raises(ValueError, match="seed 1, not 2"):
        Sandbox(Settings(state=file, seed=2))
