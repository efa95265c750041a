"""giftcards load: money is put on each card once, and the cards that create made are its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from piggy_batch.errors import SetupError
from piggy_batch.sandbox import Fault
from tests.importing.giftcards.support import create, create_from, lose, made, program, settle
from tests.support.world import World, audit

if TYPE_CHECKING:
    from collections.abc import Callable


def shop(world: World) -> str:
    """A shop in whose name money is put on."""
    return str(world.sandbox.world.ledger.shops[1].uuid)


def cents(world: World, uuid: str) -> int:
    """What a card holds."""
    return int(world.sandbox.world.cards.by_uuid(uuid).cents)


def empty(world: World) -> str:
    """A new card."""
    return str(world.sandbox.outside_event("giftcard", action="issue", program=1)["uuid"])


def test_create_then_load_then_send(world: World) -> None:
    """The results of each are the manifest of the next, with one column of the shop's own carried through."""
    people = [(program(world), world.contact(n), f"Guest {n}") for n in (1, 2, 3)]
    manifest = world.manifest("giftcard_program_uuid,contact_uuid,guest", people)
    run = create_from(world, manifest, baseline=False, constants={"amount_in_cents": "2500"})
    loaded = world.run("giftcards load", run.run_dir / "results.csv", constants={"shop_uuid": shop(world)})
    assert loaded.exit_code == 0
    assert {cents(world, uuid) for uuid in made(world)} == {2500}
    sent = world.run("giftcards send", loaded.run_dir / "results.csv")
    assert sent.exit_code == 0
    rows = world.rows(sent)
    assert [(row["contact_uuid"], row["guest"]) for row in rows] == [row[1:] for row in people]
    assert sorted(row["giftcard_uuid"] for row in rows) == sorted(made(world))
    assert all(row["giftcard_transaction_uuid"] and row["hash"] and row["amount_in_cents"] == "2500" for row in rows)
    assert world.state["mails"] == 3


def test_what_reconcile_assigned_can_be_loaded(world: World) -> None:
    """Rows settled by a look carry the same columns as others, and the amount."""
    lose(world, times=2)
    run = create(world, 4, constants={"amount_in_cents": "700"})
    world.sandbox.clear_faults()
    settle(world, run, exclusive=True)
    loaded = world.run("giftcards load", run.run_dir / "results.csv", constants={"shop_uuid": shop(world)})
    assert loaded.exit_code == 0
    assert {cents(world, uuid) for uuid in made(world)} == {700}


def test_rows_without_a_card_cannot_be_loaded(world: World) -> None:
    """A row whose card is in doubt has no uuid: it is invalid, and stops the run before any money moves."""
    lose(world, times=1)
    run = create(world, 2, baseline=False, constants={"amount_in_cents": "700"})
    world.sandbox.clear_faults()
    results = run.run_dir / "results.csv"
    stopped = world.run("giftcards load", results, constants={"shop_uuid": shop(world)})
    assert stopped.exit_code == 2
    assert "giftcard_uuid" in stopped.notes[0]
    assert world.state["transactions"] == 0
    rest = world.run("giftcards load", results, constants={"shop_uuid": shop(world)}, skip_invalid=True)
    assert world.statuses(rest) == {"done": 1, "invalid": 1}


def test_a_card_is_loaded_in_one_row_only(world: World) -> None:
    """A second row for it is invalid and names the first; --allow-repeats permits it."""
    uuid = empty(world)
    manifest = world.manifest("giftcard_uuid,amount_in_cents", [(uuid, "100"), (uuid, "200")])
    refused = world.run("giftcards load", manifest, constants={"shop_uuid": shop(world)})
    assert refused.exit_code == 2
    assert "the same as in row 1 (line 2); the card would be loaded twice (--allow-repeats permits it)" in str(
        refused.notes
    )
    assert cents(world, uuid) == 0
    given = world.run("giftcards load", manifest, constants={"shop_uuid": shop(world)}, allow_repeats=True)
    assert given.exit_code == 0
    assert cents(world, uuid) == 300


ONCE = "a digital giftcard can be loaded once only, a physical one again and again"


def test_a_second_load_of_a_digital_card_is_refused_and_says_why(make_world: Callable[..., World]) -> None:
    """--allow-repeats warns before anything is sent; of two rows for one card one is refused with 5006 and the
    reason, a physical card takes both."""
    world = make_world(top_up_once=True)
    digital = empty(world)
    physical = str(world.sandbox.outside_event("giftcard", action="issue", program=1, physical=True)["uuid"])
    rows = [(uuid, text) for uuid in (digital, physical) for text in ("100", "200")]
    manifest = world.manifest("giftcard_uuid,amount_in_cents", rows)
    run = world.run("giftcards load", manifest, constants={"shop_uuid": shop(world)}, allow_repeats=True, concurrency=1)
    assert any(f"--allow-repeats: {ONCE}" in line for line in world.said.lines)
    assert [row["_status"] for row in world.rows(run)] == ["done", "rejected", "done", "done"]
    (refused,) = world.rows(run, "errors")
    assert refused["_code"] == "5006"
    assert ONCE in refused["_message"]
    assert (cents(world, digital), cents(world, physical)) == (100, 300)


def test_the_plan_of_a_load_looks_for_cards_that_take_no_more_money(make_world: Callable[..., World]) -> None:
    """A dry run sends no write, says the rule, and names the cards that would be refused; an empty one is fine."""
    world = make_world(top_up_once=True)
    loaded, fresh = empty(world), empty(world)
    first = world.manifest("giftcard_uuid,amount_in_cents", [(loaded, "100")], name="first.csv")
    world.run("giftcards load", first, constants={"shop_uuid": shop(world)})
    manifest = world.manifest("giftcard_uuid,amount_in_cents", [(loaded, "100"), (fresh, "100")])
    plan = world.run("giftcards load", manifest, constants={"shop_uuid": shop(world)}, dry_run=True).plan
    assert f"note: {ONCE}" in plan
    warnings = [line for line in plan if line.startswith("warning")]
    assert len(warnings) == 1
    assert f"1 giftcards take no more money: the service refuses to load them (5006): {loaded} (row 1" in warnings[0]
    assert cents(world, fresh) == 0


def test_an_unknown_shop_says_where_to_look(world: World) -> None:
    """1008 with the command that prints the account's shops."""
    manifest = world.manifest("giftcard_uuid,amount_in_cents", [(empty(world), "100")])
    run = world.run("giftcards load", manifest, constants={"shop_uuid": "nowhere"})
    assert world.last(run)["_code"] == "1008"
    assert "piggy-batch shops list" in world.last(run)["_message"]


@pytest.mark.parametrize("text", ["0", "00", "-100", "12,50", "12.50", "1e3", " 5", "5 ", "", "+5", "٣", "1_000"])
def test_only_whole_cents_from_one_up_are_loaded(world: World, text: str) -> None:
    """Anything else is invalid; nothing is guessed."""
    manifest = world.manifest("giftcard_uuid,amount_in_cents", [(empty(world), text)])
    result = world.run("giftcards load", manifest, constants={"shop_uuid": shop(world)})
    assert result.exit_code == 2
    assert world.state["transactions"] == 0


@pytest.mark.parametrize("kind", ["reset-after", "reset-before", "504-after", "503", "truncated"])
def test_money_in_doubt_is_never_moved_again(world: World, kind: str) -> None:
    """One request for the row, however often the command runs, and it says how to look."""
    world.sandbox.plan(Fault(kind, method="POST", path="giftcard-transactions", times=1))
    manifest = world.manifest("giftcard_uuid,amount_in_cents", [(empty(world), "100")])
    result = world.run("giftcards load", manifest, constants={"shop_uuid": shop(world)})
    assert result.exit_code == 1
    for _ in range(2):
        world.run("giftcards load", manifest, constants={"shop_uuid": shop(world)})
    assert world.state["requests"]["POST /giftcard-transactions"] == 1
    assert world.state["transactions"] <= 1
    assert audit(result.run_dir, 1) == {"unknown": 1}
    assert "look each up before you pass --resend-unknown" in " ".join(result.notes)
    (row,) = world.rows(result, "unknown")
    assert row["_sent_at"]


def test_the_results_of_load_are_no_manifest_for_load(world: World) -> None:
    """Money once; --again is the way to say otherwise."""
    manifest = world.manifest("giftcard_uuid,amount_in_cents", [(empty(world), "100")])
    result = world.run("giftcards load", manifest, constants={"shop_uuid": shop(world)})
    with pytest.raises(SetupError, match="giftcards load ended done for it already"):
        world.run("giftcards load", result.run_dir / "results.csv", constants={"shop_uuid": shop(world)})


@pytest.mark.hostile("18.7 one thing is believed for two rows")
def test_money_that_one_answer_gives_to_two_rows_is_done_for_one(world: World) -> None:
    """--allow-repeats: two equal rows, joined on their way into one transaction; the second is in doubt."""
    world.sandbox.plan(Fault("replayed"))
    card = world.loadable(1)
    rows = world.manifest("giftcard_uuid,amount_in_cents", [[card.uuid, "500"]] * 2)
    given = world.run("giftcards load", rows, constants={"shop_uuid": shop(world)}, allow_repeats=True)
    assert world.statuses(given) == {"done": 1, "unknown": 1}
    assert world.card(card.number).cents == 500
