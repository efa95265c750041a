"""The sandbox's own books: counters against a walk over what they count, and no threads."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
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
            sandbox.happen("identifier", action=action, value=value, email="customer2@example.test")
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
            sandbox.happen(
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
    """Neither the API nor the back door, so that a virtual clock governs everything."""
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
