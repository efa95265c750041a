"""giftcards reverse: a transaction is taken back once, and only while it is the card's last."""

from __future__ import annotations

import pytest

from piggy_batch.errors import SetupError
from piggy_batch.importing.undo import undo
from piggy_batch.sandbox import Fault
from tests.support.world import World, audit, read_csv


def loaded(world: World, rows: int = 3) -> tuple[list[str], str]:
    """Cards, and the results of loading 500 cents on each: the manifest of taking it back."""
    cards = [str(world.sandbox.outside_event("giftcard", action="issue", program=1)["uuid"]) for _ in range(rows)]
    manifest = world.manifest("giftcard_uuid,amount_in_cents", [(uuid, "500") for uuid in cards], name="gifts.csv")
    shop = world.sandbox.world.ledger.shops[1].uuid
    run = world.run("giftcards load", manifest, constants={"shop_uuid": shop})
    return cards, str(run.run_dir / "results.csv")


def cents(world: World, uuid: str) -> int:
    """What a card holds."""
    return int(world.sandbox.world.cards.by_uuid(uuid).cents)


def reverse(world: World, manifest: str, **given: object) -> dict[str, int]:
    """Take back what a manifest lists; the rows by status."""
    result = world.run("giftcards reverse", world.folder / manifest, **given)
    return audit(result.run_dir, sum(world.statuses(result).values()))


def test_the_results_of_load_are_the_manifest_of_reverse(world: World) -> None:
    """Each load is taken back by a transaction of its own, which the results name."""
    cards, results = loaded(world)
    run = world.run("giftcards reverse", world.folder / results)
    assert audit(run.run_dir, 3) == {"done": 3}
    assert [cents(world, uuid) for uuid in cards] == [0, 0, 0]
    rows = world.rows(run)
    assert all(row["reversal_amount_in_cents"] == "-500" and row["reversal_created_at"] for row in rows)
    assert not {row["reversal_transaction_uuid"] for row in rows} & {row["giftcard_transaction_uuid"] for row in rows}


def test_only_the_last_transaction_is_taken_back(world: World) -> None:
    """55025, with the command that shows what came after it."""
    cards, results = loaded(world, 1)
    world.sandbox.outside_event("giftcard", action="redeem", uuid=cards[0], amount_in_cents=200)
    row = world.last(world.run("giftcards reverse", world.folder / results))
    assert (row["_status"], row["_code"]) == ("rejected", "55025")
    assert "piggy-batch giftcards transactions export shows which came after it" in row["_message"]
    assert cents(world, cards[0]) == 300


def test_the_transaction_of_another_card_is_told(world: World) -> None:
    """The answer names the card: a row that expects another one ends unknown, quoting both."""
    cards, results = loaded(world, 2)
    rows = world.rows(world.run("giftcards get", world.folder / results))
    mixed = [(rows[0]["giftcard_transaction_uuid"], cards[1])]
    manifest = world.manifest("giftcard_transaction_uuid,giftcard_uuid", mixed, name="mixed.csv")
    row = world.last(world.run("giftcards reverse", manifest))
    assert row["_status"] == "unknown"
    assert cards[0] in row["_message"]
    assert cards[1] in row["_message"]


@pytest.mark.parametrize("kind", ["reset-after", "reset-before", "504-after", "truncated"])
def test_a_reversal_in_doubt_is_never_sent_again(world: World, kind: str) -> None:
    """One request, however often the command runs; sent again on demand it is refused where it was carried out, and
    the row stays in doubt."""
    _, results = loaded(world, 1)
    world.sandbox.plan(Fault(kind, method="POST", path="/reverse", times=1))
    for _ in range(2):
        assert reverse(world, results) == {"unknown": 1}
    route = "POST /giftcard-transactions/{uuid}/reverse"
    assert world.state["requests"][route] == 1
    carried_out = world.state["effects"].get("giftcards.reverse", 0)
    again = reverse(world, results, resend_unknown=True)
    assert again == ({"unknown": 1} if carried_out else {"done": 1})
    assert world.state["effects"]["giftcards.reverse"] == 1


def test_a_transaction_stands_in_one_row_and_in_one_run(world: World) -> None:
    """A second row for it is invalid; its own results are no manifest for it."""
    _, results = loaded(world, 1)
    (row,) = world.rows(world.run("giftcards find", world.manifest("hash", ["none"])))
    assert row["_status"] == "absent"
    run = world.run("giftcards reverse", world.folder / results)
    uuid = world.last(run)["giftcard_transaction_uuid"]
    twice = world.run("giftcards reverse", world.manifest("giftcard_transaction_uuid", [uuid, uuid], name="twice.csv"))
    assert twice.exit_code == 2
    with pytest.raises(SetupError, match="giftcards reverse ended done for it already"):
        world.run("giftcards reverse", run.run_dir / "results.csv")


def test_undo_of_load_takes_back_what_its_answers_showed(world: World) -> None:
    """One reversal for each load that an answer shows; a load in doubt is for a person."""
    cards = [str(world.sandbox.outside_event("giftcard", action="issue", program=1)["uuid"]) for _ in range(3)]
    world.sandbox.plan(Fault("reset-after", method="POST", value=cards[2]))
    manifest = world.manifest("giftcard_uuid,amount_in_cents", [(uuid, "500") for uuid in cards], name="gifts.csv")
    run = world.run("giftcards load", manifest, constants={"shop_uuid": world.sandbox.world.ledger.shops[1].uuid})
    assert audit(run.run_dir, 3) == {"done": 2, "unknown": 1}
    plan = undo(run.run_dir)
    (file,) = plan.files
    assert (file.rows, file.path.name) == (2, "undo-1-giftcards-reverse.csv")
    assert plan.by_hand is not None
    (doubtful,) = read_csv(plan.by_hand[0])
    assert (doubtful["giftcard_uuid"], doubtful["status"]) == (cards[2], "unknown")
    taken_back = world.run("giftcards reverse", file.path)
    assert audit(taken_back.run_dir, 2) == {"done": 2}
    assert [cents(world, uuid) for uuid in cards] == [0, 0, 500]
