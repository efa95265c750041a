"""Prepaid money: given once, taken back, read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from piggy_batch.errors import SetupError
from piggy_batch.importing.undo import undo
from piggy_batch.sandbox import Fault
from tests.support.world import World, audit

if TYPE_CHECKING:
    from piggy_batch.importing.options import RunResult


def load(world: World, header: str, rows: list[tuple[str, ...]], **given: Any) -> RunResult:
    """Give money in the first shop's name."""
    shop = {"shop_uuid": world.sandbox.world.ledger.shops[1].uuid}
    manifest = world.manifest(header, rows, name=f"{given.pop('name', 'gifts')}.csv")
    return world.run("prepaid load", manifest, constants=shop, **given)


def cents(world: World, number: int) -> int:
    """What a contact holds."""
    return int(world.sandbox.world.people.contacts[number].prepaid_cents)


def test_load_then_balance_then_reverse(world: World) -> None:
    """The results of one are the manifest of the next."""
    people = [(world.contact(1), "500"), (world.contact(2), "700")]
    loaded = load(world, "contact_uuid,amount_in_cents", people)
    assert audit(loaded.run_dir, 2) == {"done": 2}
    assert [row["prepaid_balance_in_cents"] for row in world.rows(loaded)] == ["500", "700"]
    held = world.run("prepaid balance", loaded.run_dir / "results.csv")
    assert [row["_found_prepaid_balance_in_cents"] for row in world.rows(held)] == ["500", "700"]
    back = world.run("prepaid reverse", loaded.run_dir / "results.csv")
    assert [row["reversal_amount_in_cents"] for row in world.rows(back)] == ["-500", "-700"]
    assert (cents(world, 1), cents(world, 2)) == (0, 0)


def test_undo_of_load_takes_each_gift_back(world: World) -> None:
    """The manifest names the transactions that the run has made."""
    loaded = load(world, "contact_uuid,amount_in_cents", [(world.contact(1), "500"), (world.contact(2), "700")])
    plan = undo(loaded.run_dir)
    assert plan.whole
    (file,) = plan.files
    assert audit(world.run("prepaid reverse", file.path).run_dir, 2) == {"done": 2}
    assert (cents(world, 1), cents(world, 2)) == (0, 0)


def test_balances_of_contacts(world: World) -> None:
    """Zero is an answer; a contact that is not there is absent."""
    manifest = world.manifest("contact_uuid", [world.contact(1), "nobody"])
    rows = world.rows(world.run("prepaid balance", manifest))
    assert [(row["prepaid_balance_in_cents"], row["_status"]) for row in rows] == [("0", "done"), ("", "absent")]


def test_money_for_the_holder_of_a_card(world: World) -> None:
    """A list of cards gives it to those who hold them; a card that nobody holds is refused."""
    rows = [("CARD-000002", "500"), ("CARD-000001", "500")]
    result = load(world, "contact_identifier_value,amount_in_cents", rows)
    assert [(row["_status"], row["_code"]) for row in world.rows(result)] == [("done", ""), ("rejected", "55031")]
    assert cents(world, 1) == 500


def test_of_contact_and_card_the_contact_is_read(world: World) -> None:
    """A list that has both feeds contact_uuid, and a row that lacks it is invalid; --map says otherwise."""
    header, rows = "contact_identifier_value,contact_uuid,amount_in_cents", [("CARD-000004", world.contact(1), "500")]
    assert load(world, header, rows).exit_code == 0
    assert (cents(world, 1), cents(world, 2)) == (500, 0)
    blank = load(world, header, [("CARD-000004", "", "500")], name="blank")
    assert "row 1 (line 2), contact_uuid: is blank" in blank.notes[0]
    mapped = {"contact_identifier_value": "contact_identifier_value"}
    by_card = load(world, header, rows, maps=mapped, name="card", again=True)
    assert by_card.exit_code == 0
    assert cents(world, 2) == 500
    both = mapped | {"contact_uuid": "contact_uuid"}
    with pytest.raises(SetupError, match="takes contact_uuid or contact_identifier_value, not both"):
        load(world, header, rows, maps=both, name="both", again=True)


@pytest.mark.parametrize("column", ["contact_uuid", "contact_identifier_value"])
def test_a_contact_or_card_is_loaded_in_one_row_only(world: World, column: str) -> None:
    """The second row is invalid, whichever column names it; --allow-repeats permits it."""
    name = world.contact(1) if column == "contact_uuid" else "CARD-000002"
    rows = [(name, "500"), (name, "500")]
    refused = load(world, f"{column},amount_in_cents", rows)
    assert refused.exit_code == 2
    assert "would be given money twice (--allow-repeats permits it)" in refused.notes[0]
    assert load(world, f"{column},amount_in_cents", rows, allow_repeats=True).exit_code == 0
    assert cents(world, 1) == 1000


def test_a_list_that_names_nobody_is_refused(world: World) -> None:
    """Neither column: said before anything is sent."""
    with pytest.raises(SetupError, match="prepaid load needs a column contact_uuid or contact_identifier_value"):
        load(world, "amount_in_cents", [("500",)])


@pytest.mark.parametrize("kind", ["reset-after", "504-after", "truncated", "503"])
@pytest.mark.parametrize("verb", ["load", "reverse"])
def test_money_in_doubt_is_never_moved_again(world: World, verb: str, kind: str) -> None:
    """One request for the row, however often the command runs."""
    loaded = load(world, "contact_uuid,amount_in_cents", [(world.contact(1), "500")])
    world.sandbox.plan(Fault(kind, method="POST", path="prepaid-transactions", times=1))
    for _ in range(2):
        if verb == "load":
            again = load(world, "contact_uuid,amount_in_cents", [(world.contact(2), "500")], name="x")
        else:
            again = world.run("prepaid reverse", loaded.run_dir / "results.csv")
        assert audit(again.run_dir, 1) == {"unknown": 1}
    route = "POST /prepaid-transactions" + ("" if verb == "load" else "/{uuid}/reverse")
    assert world.state["requests"][route] == (2 if verb == "load" else 1)
