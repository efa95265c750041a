"""The way back: every kind of run, carried out, brings the account to where it was."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from piggy_batch.endpoints import find_operation
from piggy_batch.errors import SetupError
from piggy_batch.importing.options import RunResult
from piggy_batch.importing.undo import UndoPlan, undo
from piggy_batch.sandbox import Fault
from tests.importing.migration.support import Shop
from tests.support.world import read_csv


def cards(shop: Shop) -> dict[str, Any]:
    """Every card of the account."""
    return {row["value"]: row for row in shop.world.sandbox.world.people.identifier_rows()}


def carry_out(shop: Shop, way: UndoPlan) -> list[RunResult]:
    """Run the printed commands in their order."""
    results = []
    for file in way.files:
        program, resource, verb, path, *_ = shlex.split(file.command)
        assert program == "piggy-batch"
        results.append(shop.world.run(f"{resource} {verb}", Path(path)))
    return results


@pytest.fixture
def held(make_shop: Callable[..., Shop]) -> Shop:
    """A shop with cards of customers and of nobody, one inactive."""
    shop = make_shop()
    for value, more in (
        ("C-1", {"email": "customer1@example.test", "name": "Club"}),
        ("C-2", {"email": "customer2@example.test"}),
        ("N-1", {}),
        ("I-1", {"email": "customer3@example.test", "name": "Old"}),
    ):
        shop.world.till("create", value, **more)
    shop.world.till("deactivate", "I-1")
    return shop


def uuid(shop: Shop, number: int) -> str:
    """A seeded customer."""
    return shop.world.contact(number)


RUNS: dict[str, tuple[str, Callable[[Shop], list[list[str]]]]] = {
    "identifiers create": (
        "contact_identifier_value,contact_uuid,contact_identifier_name",
        lambda shop: [["Z-1", uuid(shop, 1), "Gold"], ["Z-2", "", ""], ["N-1", "", ""]],
    ),
    "identifiers link": (
        "contact_identifier_value,contact_uuid",
        lambda shop: [["N-1", uuid(shop, 2)], ["C-2", uuid(shop, 2)]],
    ),
    "identifiers unlink": ("contact_identifier_value", lambda shop: [["C-1"], ["C-2"]]),
    "identifiers update": (
        "contact_identifier_value,contact_identifier_name,contact_identifier_active,expected_contact_uuid",
        lambda shop: [
            ["C-1", "Renamed", "false", ""],
            ["N-1", "Named", "", ""],
            ["I-1", "", "true", ""],
            ["C-2", "", "true", ""],
        ],
    ),
    "identifiers delete": (
        "contact_identifier_value,expected_contact_uuid",
        lambda shop: [["C-1", ""], ["N-1", ""], ["I-1", uuid(shop, 3)]],
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_undone(held: Shop, name: str) -> None:
    """What the run changed goes back, what was so already is left alone, and nobody is asked."""
    header, rows = RUNS[name]
    before = cards(held)
    result = held.world.run(name, held.world.manifest(header, rows(held), "run.csv"))
    assert cards(held) != before
    way = undo(result.run_dir)
    assert way.whole
    assert [r.exit_code for r in carry_out(held, way)] == [0] * len(way.files)
    assert cards(held) == before


@pytest.mark.parametrize("name", RUNS)
def test_expected_contact_uuid_is_always_filled_in(held: Shop, name: str) -> None:
    """So that a card that somebody has taken since is left alone; to make a card again needs none, as it is refused
    where there is one."""
    header, rows = RUNS[name]
    result = held.world.run(name, held.world.manifest(header, rows(held), "run.csv"))
    for file in undo(result.run_dir).files:
        with file.path.open(encoding="utf-8") as opened:
            for row in csv.DictReader(opened):
                assert file.path.name.endswith("identifiers-create.csv") or row["expected_contact_uuid"]


def test_a_card_that_a_customer_has_taken_since_is_left_alone(held: Shop) -> None:
    """Created unlinked, linked at a till: the undo of the create is rejected for it."""
    result = held.world.run("identifiers create", held.world.manifest("contact_identifier_value", ["Z-1", "Z-2"]))
    held.world.till("link", "Z-2", email="customer1@example.test")
    (undone,) = carry_out(held, undo(result.run_dir))
    assert held.world.statuses(undone) == {"done": 1, "rejected": 1}
    assert held.holder("Z-2") == "customer1@example.test"


@pytest.mark.hostile("18.16 undo overwrites a later change of name")
@pytest.mark.parametrize(
    ("command", "header", "row"),
    [
        ("identifiers update", "contact_identifier_value,contact_identifier_name", ["C-1", "Renamed"]),
        ("identifiers update", "contact_identifier_value,contact_identifier_active", ["C-1", "false"]),
        ("identifiers create", "contact_identifier_value,contact_identifier_name", ["Z-1", "Renamed"]),
    ],
)
def test_a_card_that_somebody_has_renamed_since_is_left_alone(
    held: Shop, command: str, header: str, row: list[str]
) -> None:
    """The undo expects the name that the run left: a later one is neither overwritten nor deleted with its card."""
    result = held.world.run(command, held.world.manifest(header, [row]))
    held.world.till("rename", row[0], name="By the till")
    (undone,) = carry_out(held, undo(result.run_dir))
    assert held.world.statuses(undone) == {"rejected": 1}
    assert 'named "By the till"' in held.world.last(undone)["_message"]
    assert held.card(row[0]).name == "By the till"


def test_already_is_never_undone(held: Shop) -> None:
    """A run that changed nothing has no way back and needs none."""
    path = held.world.manifest("contact_identifier_value,contact_uuid", [["C-1", uuid(held, 1)]])
    way = undo(held.world.run("identifiers create", path).run_dir)
    assert (way.files, way.whole) == ((), True)


def test_rows_in_doubt_are_for_a_person(make_shop: Callable[..., Shop]) -> None:
    """Done only by a look after a lost answer: it may have been so before, so no command touches it."""
    shop = make_shop(faults=(Fault("reset-after", method="POST", value="Z-1", times=1),))
    result = shop.world.run("identifiers create", shop.world.manifest("contact_identifier_value", ["Z-1", "Z-2"]))
    way = undo(result.run_dir)
    assert not way.whole
    assert [file.rows for file in way.files] == [1]
    assert way.by_hand is not None
    (row,) = read_csv(way.by_hand[0])
    assert (row["contact_identifier_value"], row["status"], row["proof"]) == ("Z-1", "done", "look")
    assert "may have been so before" in row["why"]


def test_without_a_look_before_there_is_no_way_back(held: Shop) -> None:
    """--no-before: the former state is not known, and a person is told so."""
    path = held.world.manifest("contact_identifier_value", ["C-1"])
    way = undo(held.world.run("identifiers unlink", path, look_before=False).run_dir)
    assert way.files == ()
    assert way.by_hand is not None
    assert "--no-before" in read_csv(way.by_hand[0])[0]["why"]


def test_what_cannot_be_undone_is_listed(shop: Shop) -> None:
    """Giftcards, mails and contacts have no way back."""
    program = shop.world.sandbox.world.cards.programs[1].uuid
    made = shop.world.run("giftcards create", shop.world.manifest("giftcard_program_uuid", [program] * 3, "g.csv"))
    assert undo(made.run_dir).lost == ("giftcards made: 3",)
    found = shop.world.run("contacts find-or-create", shop.world.manifest("email", ["a@b.test"], "c.csv"))
    assert undo(found.run_dir).lost == ("contacts found or made, which the service does not tell apart: 1",)


def test_reads_need_no_way_back(held: Shop) -> None:
    """A run that only looked changed nothing."""
    way = undo(held.world.run("identifiers find", held.world.manifest("contact_identifier_value", ["C-1"])).run_dir)
    assert way.whole
    assert not way.files


def test_no_run_here(tmp_path: Path) -> None:
    """A directory without a run is named."""
    with pytest.raises(SetupError, match="holds no run; piggy-batch runs lists"):
        undo(tmp_path)


def test_a_migration_goes_back_stage_by_stage(shop: Shop) -> None:
    """Cards that it made are deleted; those that it linked are made active, unlinked and renamed back; the
    others stay; contacts and credits are listed."""
    shop.world.till("create", "U-1", name="Legacy")
    shop.world.till("create", "K-1", email="customer1@example.test")
    before = cards(shop)
    path = shop.manifest(
        ["A-1", "ann@example.test", "", "", "10"],
        ["A-2", "ann@example.test", "", "false"],
        ["N-1"],
        ["U-1", "bob@example.test", "Gold", "false"],
        ["K-1", "customer1@example.test", "", "false"],
    )
    result = shop.migrate(path)
    assert result.exit_code == 0
    way = undo(result.run_dir)
    assert [(file.path.name, file.rows) for file in way.files] == [
        ("undo-1-identifiers-update.csv", 2),
        ("undo-2-identifiers-unlink.csv", 1),
        ("undo-3-identifiers-delete.csv", 3),
    ]
    assert way.lost == (
        "contacts found or made, which the service does not tell apart: 3",
        "balances of credits given: 1",
    )
    assert way.by_hand is None
    assert [r.exit_code for r in carry_out(shop, way)] == [0, 0, 0]
    assert cards(shop) == before


def test_an_inactive_card_of_nobody_is_for_a_person(shop: Shop) -> None:
    """The service does not show who holds an inactive card, so nobody can be confirmed to hold it."""
    result = shop.migrate(shop.manifest(["N-1", "", "", "false"]))
    way = undo(result.run_dir)
    assert way.files == ()
    assert way.by_hand is not None
    assert "inactive and held by nobody" in read_csv(way.by_hand[0])[0]["why"]


@pytest.mark.parametrize("operation", ["identifiers create", "identifiers delete"])
def test_commands_are_shell_lines(held: Shop, operation: str) -> None:
    """A path with spaces and quotes is one word of the line."""
    folder = held.folder / "it's a list"
    folder.mkdir()
    path = held.world.manifest("contact_identifier_value", ["N-1" if operation.endswith("delete") else "Z-1"])
    moved = path.rename(folder / path.name)
    way = undo(held.world.run(operation, moved).run_dir)
    words = shlex.split(way.files[0].command)
    assert Path(words[3]).exists()
    assert find_operation(" ".join(words[1:3]))
