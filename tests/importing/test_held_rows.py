"""Rows that are held back, columns that would be left behind, and starts that nobody has prepared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from piggy_batch.endpoints import find_operation
from piggy_batch.errors import SetupError
from piggy_batch.importing.manifest_check import check_manifest
from piggy_batch.importing.migration.stages import migrate_operation
from piggy_batch.manifest.options import ManifestOptions
from tests.support.world import audit, read_csv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.importing.migration.support import Shop
    from tests.support.world import World

VALUE = "contact_identifier_value"
SHORT = ("870000158380", "870000166299")


def with_lost_zeros(world: World) -> Path:
    """Sixty card numbers of thirteen digits, and two that have lost theirs."""
    return world.manifest(VALUE, [*(f"{870000000000 + 7919 * n:013d}" for n in range(60)), *SHORT])


# --- --hold -------------------------------------------------------------------------------------------------


def test_held_rows_are_listed_and_the_others_run(world: World) -> None:
    """No accept, no mended list: the rows of the finding stand in errors with the reason; the plan says how many."""
    path = with_lost_zeros(world)
    with pytest.raises(SetupError, match="--accept MD105"):
        world.run("identifiers create", path)
    plan = world.run("identifiers create", path, dry_run=True, hold=frozenset({"MD105"}))
    assert plan.exit_code == 0
    assert any("2 rows held back (--hold MD105), listed in errors" in line for line in plan.plan)
    result = world.run("identifiers create", path, hold=frozenset({"MD105"}))
    assert (result.exit_code, audit(result.run_dir, 62)) == (1, {"done": 60, "invalid": 2})
    errors = world.rows(result, "errors")
    assert tuple(row[VALUE] for row in errors) == SHORT
    assert all(row["_message"].startswith(f"{VALUE}: held back (--hold MD105)") for row in errors)
    assert world.identifier(SHORT[0]) is None


def test_rows_that_are_wrong_for_another_reason_still_stop_the_run(world: World) -> None:
    """Holding one finding permits no other mistake."""
    path = world.manifest(VALUE, [*(f"{870000000000 + 7919 * n:013d}" for n in range(60)), *SHORT, "1.5E+12"])
    result = world.run("identifiers create", path, hold=frozenset({"MD105"}))
    assert (result.exit_code, world.effects) == (2, 0)


def test_rows_that_cannot_be_right_can_be_held_too(world: World) -> None:
    """An error's rows are left out without --skip-invalid, which would leave out every other one too."""
    path = world.manifest(VALUE, [*(f"card-{n:04d}" for n in range(20)), "#N/A"])
    result = world.run("identifiers create", path, hold=frozenset({"MD107"}))
    assert audit(result.run_dir, 21) == {"done": 20, "invalid": 1}


def test_near_duplicates_are_held_by_their_keys(world: World) -> None:
    """What is told by comparing rows is found as well."""
    path = world.manifest(VALUE, [*(f"card-{n:04d}" for n in range(20)), "CARD-0003"])
    result = world.run("identifiers create", path, hold=frozenset({"MD302"}))
    assert audit(result.run_dir, 21) == {"done": 20, "invalid": 1}


def test_a_run_belongs_to_what_it_holds(world: World) -> None:
    """Going on without --hold is refused, as with every option that changes what is sent."""
    path = with_lost_zeros(world)
    world.run("identifiers create", path, hold=frozenset({"MD105"}), limit=5)
    with pytest.raises(Exception, match="--hold"):
        world.run("identifiers create", path, accept=frozenset({"MD105"}))


# --- credits without a customer ------------------------------------------------------------------------------


def test_cards_with_credits_and_without_email_are_made_where_credits_are_held(shop: Shop) -> None:
    """By a stated rule: the card, not the credits; the plan counts them, results list them."""
    path = shop.world.manifest(
        f"{VALUE},email,credits", [["A-1", "ann@example.test", "30"], ["A-2", "", "12"], ["A-3", "", ""]]
    )
    assert shop.migrate(path).exit_code == 2
    plan = shop.migrate(path, hold_credits=True, dry_run=True).plan
    assert any("1 row with credits and without e-mail" in line for line in plan)
    result = shop.migrate(path, hold_credits=True)
    assert result.exit_code == 0
    rows = {row[VALUE]: row for row in shop.rows(result)}
    assert {value: row["_credits_status"] for value, row in rows.items()} == {
        "A-1": "done", "A-2": "held: no e-mail", "A-3": "",
    }  # fmt: skip
    assert shop.world.identifier("A-2") is not None


# --- columns that would be left behind -----------------------------------------------------------------------

DUTCH = "Kaartnummer,Klant e-mail,Saldo,Actief,kassa"


def dutch(shop: Shop) -> Path:
    """A list as a Dutch till writes it."""
    return shop.world.manifest(DUTCH, [["A-1", "ann@example.test", "30", "true", "1"]], "klanten.csv")


def test_a_migration_is_refused_while_a_likely_column_is_unused(shop: Shop) -> None:
    """Each is named with the option that maps it and the one that leaves it out; nothing was sent."""
    with pytest.raises(SetupError) as caught:
        shop.migrate(dutch(shop), maps={VALUE: "Kaartnummer"})
    text = str(caught.value)
    for column, field in (("Klant e-mail", "email"), ("Saldo", "credits"), ("Actief", "contact_identifier_active")):
        assert f'"{column}" looks like {field} (--map ' in text
    assert "--ignore-column 'Klant e-mail' --ignore-column Saldo --ignore-column Actief" in text
    assert "kassa" not in text
    assert shop.world.effects == 0


@pytest.mark.parametrize(
    "given",
    [
        {"maps": {VALUE: "Kaartnummer"}, "ignored": frozenset({"Klant e-mail", "Saldo", "Actief"})},
        {
            "maps": {
                VALUE: "Kaartnummer",
                "email": "Klant e-mail",
                "credits": "Saldo",
                "contact_identifier_active": "Actief",
            }
        },
    ],
    ids=["ignored", "mapped"],
)
def test_what_is_mapped_or_ignored_on_purpose_is_no_hindrance(shop: Shop, given: dict[str, Any]) -> None:
    """The plan shows the mapping and what is left."""
    result = shop.migrate(dutch(shop), dry_run=True, **given)
    assert result.exit_code == 0
    used = next(line for line in result.plan if line.startswith("columns used:"))
    assert f'{VALUE} (from "Kaartnummer")' in used


def test_a_check_for_a_migration_does_not_say_that_nothing_was_found(shop: Shop) -> None:
    """Columns that would be left behind are something."""
    path = dutch(shop)
    for ignored, clean in ((frozenset[str](), False), (frozenset({"Klant e-mail", "Saldo", "Actief"}), True)):
        reading = ManifestOptions(maps={VALUE: "Kaartnummer"}, ignored=ignored)
        with check_manifest(migrate_operation(credits=False), path, reading) as checked:
            assert checked.clean is clean
            assert set(checked.to_json()["overlooked"]) == (set() if clean else {"Klant e-mail", "Saldo", "Actief"})
    with check_manifest(find_operation("identifiers create"), path, ManifestOptions(maps={VALUE: "Kaartnummer"})) as it:
        assert it.clean


# --- many rows without a plan ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "before", "asked"),
    [(1001, "nothing", 1), (1000, "nothing", 0), (1001, "plan", 0), (1030, "pilot", 0), (1001, "yes", 0)],
)
def test_many_cards_without_plan_or_pilot_are_asked_about(
    world: World, tmp_path: Path, rows: int, before: str, asked: int
) -> None:
    """On a terminal, with the plan; once somebody has seen a plan or a pilot, or says --yes, no more."""
    questions: list[str] = []

    def confirm(question: str) -> bool:
        questions.append(question)
        return False

    path = world.manifest(VALUE, [f"B-{n}" for n in range(rows)])
    where: dict[str, Any] = {"context": {"registry_dir": tmp_path, "confirm": confirm}}
    if before == "plan":
        world.run("identifiers create", path, dry_run=True, **where)
    if before == "pilot":
        world.run("identifiers create", path, limit=20, yes=False, **where)
    if asked:
        with pytest.raises(SetupError, match="not confirmed"):
            world.run("identifiers create", path, yes=False, **where)
        assert any(line.startswith("plan: identifiers create") for line in world.said.lines)
        assert world.effects == 0
    else:
        assert world.run("identifiers create", path, yes=before == "yes", **where).exit_code == 0
    assert questions == [f"identifiers create: send {rows:,} rows?"] * asked


def test_without_a_terminal_many_cards_are_not_asked_about(world: World) -> None:
    """A script that ran before runs still."""
    path = world.manifest(VALUE, [f"B-{n}" for n in range(1001)])
    assert world.run("identifiers create", path, yes=False).exit_code == 0


# --- the shop of a load -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [True, False])
def test_a_default_stands_in_only_where_the_list_says_nothing(world: World, own: bool) -> None:
    """A profile's shop is that of every row, unless the list has a column for it; the run is bound to it."""
    shops = [shop.uuid for shop in world.sandbox.world.ledger.shops.values()]
    card = world.loadable(1).uuid
    header = "giftcard_uuid,amount_in_cents" + (",shop_uuid" if own else "")
    path = world.manifest(header, [[card, "100", *([shops[0]] if own else [])]])
    defaults = {"shop_uuid": shops[1] if not own else "00000000-0000-4000-8000-000000000000"}
    result = world.run("giftcards load", path, defaults=defaults, limit=1)
    assert world.statuses(result) == {"done": 1}
    again = world.run("giftcards load", path, defaults=defaults)
    assert again.exit_code == 0
    if not own:
        with pytest.raises(Exception, match=re.escape("--set")):
            world.run("giftcards load", path, defaults={"shop_uuid": shops[0]})
    assert read_csv(result.run_dir / "results.csv")[0]["_status"] == "done"
