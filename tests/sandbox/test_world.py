"""The sandbox's own books: counters against a walk over what they count, and no threads."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piggy_batch.sandbox import Sandbox, Settings, make_app
from piggy_batch.sandbox.world.ids import Ids

VALUES = st.sampled_from(["CARD-000001", "CARD-000002", "CARD-000003", "new", "Neu é"])
STEPS = st.tuples(st.sampled_from(["create", "link", "unlink", "activate", "deactivate", "delete"]), VALUES)
CARDS = st.tuples(st.sampled_from(["issue", "topup", "redeem", "delete", "move", "expire"]), st.integers(0, 30))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(STEPS, max_size=25))
def test_counts_of_identifiers_agree_with_the_dump(steps: list[tuple[str, str]]) -> None:
    """After any events: linked, inactive and per-contact lists are what the dump says, also after a reload."""
    sandbox = Sandbox(Settings(contacts=2, identifiers=3))
    people = sandbox.world.people
    for action, value in steps:
        try:
            sandbox.outside_event("identifier", action=action, value=value, email="customer2@example.test")
        except ValueError:
            continue
    rows = list(people.identifier_rows())
    assert people.linked == sum(row["contact_uuid"] is not None for row in rows)
    assert people.inactive == sum(not row["active"] for row in rows)
    held = [value for row in people.contact_rows() for value in row["identifiers"]]
    assert sorted(held) == sorted(row["value"] for row in rows if row["contact_uuid"] is not None)
    assert len({row["value"] for row in rows}) == len(rows)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(CARDS, max_size=25))
def test_counts_of_giftcards_agree_with_the_dump(steps: list[tuple[str, int]]) -> None:
    """After any events: balance, programs and pages are what the dump says."""
    sandbox = Sandbox(Settings(giftcards=20))
    cards = sandbox.world.cards
    for action, place in steps:
        uuid = cards.get(cards.order[place % len(cards.order)]) if len(cards.order) else None
        try:
            sandbox.outside_event(
                "giftcard",
                action=action,
                uuid=None if uuid is None or action == "issue" else uuid.uuid,
                amount_in_cents=place * 7,
                program=place % 3 + 1,
            )
        except ValueError:
            continue
    rows = list(cards.rows())
    assert cards.balance == sum(row["amount_in_cents"] for row in rows)
    for number, program in cards.programs.items():
        mine = [row["uuid"] for row in rows if row["giftcard_program_uuid"] == program.uuid]
        page, total = cards.page(number, 0, 1000, None)
        assert (total, [card.uuid for card in page]) == (len(mine), mine)
    for row in rows:
        found = cards.by_hash(row["hash"])
        assert found is not None
        assert found == cards.by_uuid(row["uuid"])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(1, 10_000_000), st.integers(0, 5), st.text(max_size=40))
def test_identities_lead_back_to_their_number(number: int, seed: int, other: str) -> None:
    """uuid and hash give the number they came from; any other text gives none that is believed."""
    ids = Ids(seed)
    assert ids.number("g", ids.uuid("g", number)) == number
    assert ids.number("c", ids.uuid("g", number)) == 0
    assert ids.number_of_hash(ids.hash(number)) == number
    assert ids.number("g", other) == 0


def test_in_process_it_starts_no_thread() -> None:
    """Neither the API nor the admin routes, so that a virtual clock governs everything."""
    seen: list[int] = []

    async def main() -> None:
        sandbox = Sandbox(Settings(contacts=3, giftcards=3))
        before = threading.active_count()
        transport = httpx.ASGITransport(app=make_app(sandbox))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            headers: Any = {"Authorization": "Bearer sandbox"}
            await client.get("/api/v3/oauth/clients/contacts", headers=headers)
            for path in ("state", "requests", "identifiers", "giftcards", "contacts", "transactions"):
                assert (await client.get(f"/_sandbox/{path}")).status_code == 200
                seen.append(threading.active_count() - before)

    asyncio.run(main())
    assert seen == [0] * 6


MONTH = {"issue", "redeem", "topup", "expire"}


@pytest.mark.parametrize("cards", [0, 1, 300])
def test_a_month_is_sales_redemptions_top_ups_and_expiries(cards: int) -> None:
    """Every card's balance is what its transactions come to, none below zero; the same seed plays the same month."""
    one, other = Sandbox(Settings(giftcards=cards)), Sandbox(Settings(giftcards=cards))
    before = {row["uuid"]: row["amount_in_cents"] for row in one.world.cards.rows()}
    played = one.play("month")
    assert played == other.play("month")
    assert set(played) == MONTH if cards > 100 else set(played) <= MONTH
    moved: Counter[str] = Counter(before)
    for row in one.world.ledger.rows:
        moved[str(one.world.card_uuid(row.card))] += row.cents
    after = {row["uuid"]: row["amount_in_cents"] for row in one.world.cards.rows()}
    assert after == {uuid: moved[uuid] for uuid in after}
    assert min(after.values(), default=0) >= 0
    assert one.play("month") != Counter()
    assert one.state()["effects"] == {}


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"action": "redeem", "amount_in_cents": 5}, "names no card"),
        ({"action": "redeem", "card": "x"}, "card 'x' is no whole number"),
        ({"action": "redeem", "card": 99}, "no such giftcard"),
        ({"action": "redeem", "card": 1}, "lacks amount_in_cents"),
        ({"action": "topup", "card": 1, "amount_in_cents": "1,50"}, "amount_in_cents '1,50' is no whole number"),
        ({"action": "topup", "card": 1, "amount_in_cents": 5, "shop": 9}, "no shop 9"),
        ({"action": "issue", "program": 9}, "no program 9"),
        ({"action": "issue", "physical": "maybe"}, "physical 'maybe' is neither true nor false"),
        ({"action": "expire", "card": 1, "expires": "soon"}, "'soon' is no moment"),
        ({"action": "issue", "at": "soon"}, "'soon' is no moment"),
        ({"action": "burn", "card": 1}, "unknown action burn"),
        ({"what": "till", "action": "issue"}, "what 'till' is none of giftcard, contact, identifier"),
        ({"what": "contact", "action": "create"}, "cannot create"),
        ({"what": "identifier", "action": "rename", "value": "x"}, "no identifier 'x'"),
    ],
)
def test_an_event_that_cannot_be_says_why_and_which_it_is(event: dict[str, Any], said: str) -> None:
    """The events before it are carried out, it is not, and neither is what follows."""
    sandbox = Sandbox(Settings(giftcards=3))
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        sandbox.play([{"action": "issue"}, event, {"action": "issue"}])
    assert str(refused.value).startswith("event 2: ")
    assert sandbox.state()["outside"] == {"giftcards.issue": 1}
    assert sandbox.state()["transactions"] == 0


def test_events_of_every_kind_may_be_texts_as_in_a_table() -> None:
    """Numbers and flags as a cell has them; contacts, cards and giftcards in one table."""
    sandbox = Sandbox(Settings())
    events = [
        {"action": "issue", "hash": "A", "program": "2", "physical": "yes", "amount_in_cents": "500"},
        {"action": "expire", "hash": "A", "sweep": "yes", "expires": "2026-11-30"},
        {"what": "contact", "action": "create", "email": "a@b.nl"},
        {"what": "identifier", "action": "create", "value": "C-1", "email": "a@b.nl"},
    ]
    assert sandbox.play(events) == Counter(create=2, issue=1, expire=1)
    card = sandbox.world.cards.by_hash("A")
    assert card is not None
    assert (card.physical, card.program, card.cents, card.expires) == (True, 2, 0, 1_795_996_800)
    identifier = sandbox.world.people.identifier("C-1")
    assert identifier is not None
    assert identifier.contact is not None
