"""``migrate --after RUN_DIR``: a corrected list, of which nobody is given credits that he has already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from piggy_batch.errors import JournalError, SetupError
from piggy_batch.importing.options import RunResult
from piggy_batch.sandbox import Fault
from tests.importing.migration.support import Shop
from tests.importing.verification.test_verify import verify_migration

ANN, BOB, EVE = "ann@example.test", "bob@example.test", "eve@example.test"


def correct(shop: Shop, first: RunResult, path: Path, **given: Any) -> RunResult:
    """The corrected list, in a run directory of its own."""
    return shop.migrate(path, after=(first.run_dir,), run_dir=shop.folder / "corrected", **given)


def test_one_row_is_corrected_and_nobody_is_given_credits_again(shop: Shop) -> None:
    """The whole list once more, with one card mended: only its customer's credits are given."""
    shop.world.till("create", "TAKEN", email="customer1@example.test")
    first = shop.migrate(
        shop.manifest(["A-1", ANN, "", "", "10"], ["TAKEN", BOB, "", "", "20"], ["E-1", EVE, "", "", "5"])
    )
    assert shop.statuses(first) == ["done", "rejected", "done"]
    assert any(f"with --after {first.run_dir}" in note for note in first.notes)
    path = shop.manifest(
        ["A-1", ANN, "", "", "10"], ["B-1", BOB, "", "", "20"], ["E-1", EVE, "", "", "5"], name="new.csv"
    )
    second = correct(shop, first, path)
    assert (second.exit_code, shop.statuses(second)) == (0, ["already", "done", "already"])
    assert [shop.credits(email) for email in (ANN, BOB, EVE)] == [10, 20, 5]
    assert shop.requests("POST /credit-receptions") == 3
    assert shop.rows(second)[0]["_credits_status"] == "already"


def test_the_errors_file_is_such_a_list(shop: Shop) -> None:
    """As it is written, mended and passed: its row gets its credits."""
    shop.world.till("create", "TAKEN", email="customer1@example.test")
    first = shop.migrate(shop.manifest(["A-1", ANN, "", "", "10"], ["TAKEN", BOB, "", "", "20"]))
    errors = first.run_dir / "errors.csv"
    mended = shop.folder / "mended.csv"
    mended.write_text(errors.read_text(encoding="utf-8-sig").replace("TAKEN", "B-1"), encoding="utf-8")
    assert correct(shop, first, mended).exit_code == 0
    assert (shop.credits(ANN), shop.credits(BOB)) == (10, 20)


def test_a_corrected_address_gets_its_credits(shop: Shop) -> None:
    """They went to a mistyped one; the right customer has none yet."""
    first = shop.migrate(shop.manifest(["A-1", "anne@example.test", "", "", "10"]))
    shop.world.till("unlink", "A-1")
    second = correct(shop, first, shop.manifest(["A-1", ANN, "", "", "10"], name="new.csv"))
    assert (second.exit_code, shop.credits(ANN)) == (0, 10)


def test_a_changed_balance_is_for_a_person(shop: Shop) -> None:
    """10 were given, the list now says 15: neither 15 more nor a difference that nobody has asked for."""
    first = shop.migrate(shop.manifest(["A-1", ANN, "", "", "10"]))
    second = correct(shop, first, shop.manifest(["A-1", ANN, "", "", "15"], name="new.csv"))
    (row,) = shop.rows(second, "errors")
    assert row["_message"] == f"credits: 10 credits were given by {first.run_dir}, and this list says 15"
    assert shop.credits(ANN) == 10


def test_credits_in_doubt_there_stay_in_doubt_here(shop: Shop) -> None:
    """Whatever may have been given is not given again; the row says where to settle it."""
    shop.world.sandbox.plan(Fault("reset-after", path="credit-receptions", times=1))
    first = shop.migrate(shop.manifest(["A-1", ANN, "", "", "10"]))
    shop.world.sandbox.clear_faults()
    second = correct(shop, first, shop.manifest(["A-1", ANN, "", "", "10"], name="new.csv"))
    assert (second.exit_code, shop.statuses(second)) == (1, ["unknown"])
    assert f"in doubt since {first.run_dir}" in shop.rows(second, "unknown")[0]["_message"]
    assert shop.credits(ANN) == 10


def test_the_corrected_migration_gives_nothing_more(shop: Shop) -> None:
    """Rows that it had left would be given by both: from the corrected list's start on it is refused."""
    first = shop.migrate(shop.manifest(["A-1", ANN, "", "", "10"], ["B-1", BOB, "", "", "20"]), limit=1)
    second = correct(shop, first, shop.manifest(["A-1", ANN, "", "", "10"], ["B-1", BOB, "", "", "20"], name="new.csv"))
    assert shop.statuses(second) == ["already", "done"]
    with pytest.raises(JournalError, match=r"the migration in .*corrected was started to correct this one"):
        shop.migrate(shop.folder / "cards.csv")
    assert (shop.credits(ANN), shop.credits(BOB)) == (10, 20)


def test_a_correction_goes_on_and_can_be_corrected(shop: Shop) -> None:
    """Stopped and started again nothing is given twice, and neither by a third list after the second."""
    first = shop.migrate(shop.manifest(["A-1", ANN, "", "", "10"]))
    rows = [["A-1", ANN, "", "", "10"], ["B-1", BOB, "", "", "20"], ["E-1", EVE, "", "", "5"]]
    path = shop.manifest(*rows, name="new.csv")
    correct(shop, first, path, limit=2)
    second = correct(shop, first, path)
    assert shop.statuses(second) == ["already", "done", "done"]
    third = shop.migrate(
        shop.manifest(*rows, name="third.csv"), after=(first.run_dir, second.run_dir), run_dir=shop.folder / "third"
    )
    assert shop.statuses(third) == ["already"] * 3
    assert [shop.credits(email) for email in (ANN, BOB, EVE)] == [10, 20, 5]


@pytest.mark.parametrize(
    ("card", "status", "total"),
    [("A-1", "already", 17), ("A-2", "done", 24), ("A-9", "rejected", 17)],
    ids=["given", "not given", "unknown card"],
)
def test_credits_per_card(shop: Shop, card: str, status: str, total: int) -> None:
    """By card: what was given for it is not given again; a card that is new to a customer with credits is for a
    person."""
    shop.world.till("create", "A-2", email="customer1@example.test")
    path = shop.manifest(["A-1", ANN, "", "", "7"], ["A-2", ANN, "", "", "7"], ["A-3", ANN, "", "", "10"])
    first = shop.migrate(path, credits_per_card=True)
    shop.world.till("delete", "A-2")
    second = correct(shop, first, shop.manifest([card, ANN, "", "", "7"], name="new.csv"), credits_per_card=True)
    assert shop.statuses(second) == [status]
    assert shop.credits(ANN) == total


def test_each_of_two_earlier_migrations_has_to_be_named(shop: Shop) -> None:
    """The one that --after leaves out is told, with what to add; with both named the credits are given."""
    first = shop.migrate(shop.manifest(["A-1", ANN, "", "", "10"]))
    second = shop.migrate(shop.manifest(["B-1", BOB, "", "", "20"], name="more.csv"), credits_again=True)
    path = shop.manifest(["E-1", EVE, "", "", "5"], name="new.csv")
    with pytest.raises(SetupError, match=rf"which --after does not name; .*Add --after {first.run_dir}"):
        correct(shop, second, path)
    third = shop.migrate(path, after=(second.run_dir, first.run_dir), run_dir=shop.folder / "third")
    assert shop.statuses(third) == ["done"]


def test_what_it_needs(make_shop: Callable[..., Shop]) -> None:
    """A migration, of the same account, in another directory; every other one that gave credits is named too."""
    account = ("Other Shop", "5a4db0c5-0000-4000-a000-000000000002")
    shop = make_shop(other_tokens={"theirs": account})
    first = shop.migrate(shop.manifest(["A-1", ANN, "", "", "10"]))
    path = shop.manifest(["B-1", BOB, "", "", "20"], name="new.csv")
    with pytest.raises(SetupError, match="holds no migration"):
        shop.migrate(path, after=(shop.folder,), run_dir=shop.folder / "corrected")
    with pytest.raises(SetupError, match="that migration was of account Sandbox Shop"):
        correct(shop, first, path, token="theirs")
    with pytest.raises(JournalError, match=r"name another --run-dir and pass --after"):
        shop.migrate(path, run_dir=first.run_dir)
    with pytest.raises(SetupError, match=r"correct its list with --after .*cards\.migrate"):
        shop.migrate(path, run_dir=shop.folder / "unnamed")
    assert shop.credits(ANN) == 10


def test_the_plan_says_whose_credits_are_not_given_again(shop: Shop) -> None:
    """Before anything is sent; and a dry run keeps nobody from going on."""
    first = shop.migrate(shop.manifest(["A-1", ANN, "", "", "10"]))
    path = shop.manifest(["A-1", ANN, "", "", "10"], ["B-1", BOB, "", "", "20"], name="new.csv")
    plan = correct(shop, first, path, dry_run=True).plan
    assert any("after: 1 row of customers to whom" in line for line in plan)
    assert any("stage 5, credits create: 1 request" in line for line in plan)
    assert shop.migrate(shop.folder / "cards.csv").exit_code == 0


def test_balances_are_verified_after_a_correction(shop: Shop) -> None:
    """What was given before stands in the balance before, and is not expected twice."""
    first = shop.migrate(shop.manifest(["A-1", ANN, "", "", "10"]))
    path = shop.manifest(["A-1", ANN, "", "", "10"], ["B-1", BOB, "", "", "20"], name="new.csv")
    second = correct(shop, first, path)
    assert verify_migration(shop, second, path).exit_code == 0
