"""giftcards send: one mail for each row, and a rehearsal that looks at the cards."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from piggy_batch.errors import HaltError, SetupError
from piggy_batch.sandbox import Fault
from tests.support.world import EPOCH, World, audit


def issue(world: World, **event: Any) -> str:
    """A card, with money on it unless the event says otherwise."""
    return str(world.sandbox.outside_event("giftcard", action="issue", **({"amount_in_cents": 1000} | event))["uuid"])


@pytest.mark.parametrize("shape", ["bare", "nested"])
def test_both_known_answers_are_success(make_world: Callable[..., World], shape: str) -> None:
    """The bare text, and the documented object around it."""
    world = make_world(send_shape=shape)
    manifest = world.manifest("giftcard_uuid,contact_uuid", [(issue(world), world.contact(1))])
    result = world.run("giftcards send", manifest)
    assert result.exit_code == 0
    assert audit(result.run_dir, 1) == {"done": 1}
    assert world.state["mails"] == 1


@pytest.mark.parametrize("data", [None, "", "Email queued", {"message": "success"}, [], {"data": "Email not sent"}])
def test_any_other_answer_is_unknown_and_not_repeated(world: World, data: Any) -> None:
    """A mail may be on its way: the row says so and is not taken again."""
    sends = 0

    async def hook(request: httpx.Request) -> httpx.Response | None:
        nonlocal sends
        if request.method != "POST":
            return None
        sends += 1
        return httpx.Response(200, json={"data": data, "meta": {}})

    world.hook = hook
    manifest = world.manifest("giftcard_uuid,contact_uuid", [(issue(world), world.contact(1))])
    result = world.run("giftcards send", manifest)
    world.run("giftcards send", manifest)
    assert sends == 1
    assert audit(result.run_dir, 1) == {"unknown": 1}


@pytest.mark.parametrize("kind", ["reset-after", "timeout-after", "reset-before", "503", "1000"])
def test_a_mail_in_doubt_is_never_sent_again(world: World, kind: str) -> None:
    """However often the command runs."""
    world.sandbox.plan(Fault(kind, method="POST", times=1))
    manifest = world.manifest("giftcard_uuid,contact_uuid", [(issue(world), world.contact(1))])
    for _ in range(3):
        result = world.run("giftcards send", manifest)
    assert world.state["mails"] <= 1
    assert world.state["requests"]["POST /giftcards/{uuid}/send-by-email"] == 1
    (row,) = world.rows(result, "unknown")
    assert row["_sent_at"].startswith("2027-01-15")
    assert row["_message"].startswith("sent, no usable answer: ")


def test_custom_columns_become_merge_tags(world: World) -> None:
    """Those of the row, blank ones left out; other columns are not sent."""
    bodies: list[Any] = []

    async def hook(request: httpx.Request) -> None:
        if request.method == "POST":
            bodies.append(json.loads(request.content))

    world.hook = hook
    rows = [
        (issue(world), world.contact(1), "Ann", "x", "7"),
        (issue(world), world.contact(2), "", "y", "=1+1"),
    ]
    manifest = world.manifest("giftcard_uuid,contact_uuid,custom.name,note,custom.code", rows)
    constants = {"custom.shop": "Centre", "email_uuid": "mail-1"}
    assert world.run("giftcards send", manifest, constants=constants).exit_code == 0
    assert sorted(bodies, key=lambda body: body["contact_uuid"] != rows[0][1]) == [
        {
            "contact_uuid": rows[0][1],
            "email_uuid": "mail-1",
            "merge_tags": {"custom.name": "Ann", "custom.code": "7", "custom.shop": "Centre"},
        },
        {
            "contact_uuid": rows[1][1],
            "email_uuid": "mail-1",
            "merge_tags": {"custom.code": "=1+1", "custom.shop": "Centre"},
        },
    ]


def test_one_card_goes_to_one_contact(world: World) -> None:
    """Two people could spend it: the second row is invalid; --allow-shared permits other contacts, not the same."""
    card = issue(world)
    to = [world.contact(1), world.contact(2)]
    manifest = world.manifest("giftcard_uuid,contact_uuid", [(card, to[0]), (card, to[1])])
    refused = world.run("giftcards send", manifest)
    assert refused.exit_code == 2
    assert "two people could spend one card (--allow-shared permits other contacts)" in str(refused.notes)
    assert world.state["mails"] == 0
    assert world.run("giftcards send", manifest, allow_shared=True).exit_code == 0
    assert world.state["mails"] == 2
    twice = world.manifest("giftcard_uuid,contact_uuid", [(card, to[0]), (card, to[0])], "twice.csv")
    again = world.run("giftcards send", twice, allow_shared=True)
    assert again.exit_code == 2
    assert world.state["mails"] == 2


def test_a_second_run_of_the_manifest_needs_again(world: World) -> None:
    """Another run directory beside it does not mail everybody once more."""
    manifest = world.manifest("giftcard_uuid,contact_uuid", [(issue(world), world.contact(1))])
    world.run("giftcards send", manifest)
    with pytest.raises(SetupError, match="--again"):
        world.run("giftcards send", manifest, run_dir=world.folder / "other")
    assert world.state["mails"] == 1


@pytest.mark.parametrize("verb", ["create", "load", "send"])
def test_nobody_to_ask_means_no(world: World, verb: str) -> None:
    """Without --yes and without a terminal nothing is sent."""
    header = {"create": "giftcard_program_uuid", "load": "giftcard_uuid,amount_in_cents,shop_uuid"}
    first = world.sandbox.world.cards.programs[1].uuid if verb == "create" else world.card(1).uuid
    row = {"create": (first,), "load": (first, "100", world.sandbox.world.ledger.shops[1].uuid)}
    manifest = world.manifest(
        header.get(verb, "giftcard_uuid,contact_uuid"), [row.get(verb, (first, world.contact(1)))]
    )
    with pytest.raises(SetupError, match="look at the plan with --dry-run, then pass --yes"):
        world.run(f"giftcards {verb}", manifest, yes=False)
    assert world.effects == 0


# --- the rehearsal ---------------------------------------------------------------------------------------


def test_the_rehearsal_warns_of_cards_that_had_better_not_be_mailed(world: World) -> None:
    """Empty, expired, inactive, gone: how many, and which; good ones are not mentioned; no mail is sent."""
    good, empty = issue(world), issue(world, amount_in_cents=0)
    expired, inactive = issue(world, expires=int(EPOCH) - 1), issue(world)
    world.sandbox.outside_event("giftcard", action="deactivate", uuid=inactive)
    gone = "00000000-0000-4000-8000-00000000dead"
    rows = [(uuid, world.contact(n)) for n, uuid in enumerate((good, empty, expired, inactive, gone), 1)]
    result = world.run("giftcards send", world.manifest("giftcard_uuid,contact_uuid", rows), dry_run=True)
    assert result.exit_code == 0
    warnings = [line for line in result.plan if line.startswith("warning: ")]
    assert warnings == [
        f"warning: 1 giftcards do not exist: {gone} (row 5, line 6)",
        f"warning: 1 giftcards hold 0 cents: load them first: {empty} (row 2, line 3)",
        f"warning: 1 giftcards are expired: {expired} (row 3, line 4)",
        f"warning: 1 giftcards are inactive: {inactive} (row 4, line 5)",
    ]
    assert any("may mail customers" in line for line in result.plan)
    assert world.effects == 0


def test_the_rehearsal_says_what_it_could_not_look_at(world: World) -> None:
    """A card that the service does not show is not called good."""
    world.sandbox.plan(Fault("500", method="GET", path="giftcards/"))
    manifest = world.manifest("giftcard_uuid,contact_uuid", [(issue(world), world.contact(1))])
    result = world.run("giftcards send", manifest, dry_run=True)
    assert any("could not be looked up" in line for line in result.plan)


def test_a_rehearsal_that_is_halted_is_no_success(world: World) -> None:
    """The token is refused in the middle: exit 3, not a plan without warnings."""
    world.sandbox.plan(Fault("unauthorized", path="giftcards/", after_n=1))
    rows = [(issue(world, amount_in_cents=0), world.contact(n)) for n in (1, 2, 3)]
    with pytest.raises(HaltError, match="nothing was sent"):
        world.run("giftcards send", world.manifest("giftcard_uuid,contact_uuid", rows), dry_run=True)


def test_the_rehearsal_keeps_to_the_rate_and_the_limit(world: World) -> None:
    """Looks are requests like others; --limit looks at as many as would be sent."""
    rows = [(issue(world), world.contact(n)) for n in range(1, 9)]
    manifest = world.manifest("giftcard_uuid,contact_uuid", rows)
    world.run("giftcards send", manifest, dry_run=True, limit=4, rate=2.0)
    assert len(world.departures) == 5
    gaps = [b - a for a, b in zip(world.departures, world.departures[1:], strict=False)]
    assert min(gaps) >= 0.5 - 1e-6


def test_the_rehearsal_leaves_no_run_behind(world: World) -> None:
    """The directory it worked in is gone."""
    manifest = world.manifest("giftcard_uuid,contact_uuid", [(issue(world), world.contact(1))])
    result = world.run("giftcards send", manifest, dry_run=True)
    assert not result.run_dir.exists()


def test_one_mail_for_a_card_and_a_contact_however_they_are_spelt(world: World) -> None:
    """--allow-shared does not make a repeat out of capitals."""
    card = issue(world)
    rows = [(card, world.contact(1)), (card.upper(), world.contact(1))]
    manifest = world.manifest("giftcard_uuid,contact_uuid", rows)
    with pytest.raises(SetupError, match="near-duplicate"):
        world.run("giftcards send", manifest, allow_shared=True)
    assert world.state["mails"] == 0
