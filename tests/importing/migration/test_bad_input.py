"""Bad lists: each problem one clear line, and nothing sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from piggy_batch.errors import HaltError, SetupError
from tests.importing.migration.support import Shop


def problems(shop: Shop, *rows: list[str]) -> str:
    """What is wrong with a manifest; the migration ends with 2 and sends nothing."""
    result = shop.migrate(shop.manifest(*rows))
    assert result.exit_code == 2
    assert shop.world.effects == 0
    return "\n".join(result.notes[:-1])


def test_one_card_for_two_customers(shop: Shop) -> None:
    """Both rows and the other owner are named."""
    said = problems(shop, ["A-1", "ann@example.test"], ["A-1", "bob@example.test"])
    assert said == (
        "row 2 (line 3), contact_identifier_value: the same as in row 1 (line 2), with another email there "
        '("ann@example.test"); a card has one owner: keep one row'
    )


def test_one_card_twice_for_one_customer(shop: Shop) -> None:
    """A plain repeat is invalid too, and says no more than that."""
    said = problems(shop, ["A-1", "ann@example.test"], ["A-1", "Ann@example.test"])
    assert said == "row 2 (line 3), contact_identifier_value: the same as in row 1 (line 2)"


@pytest.mark.parametrize(
    ("email", "message"),
    [
        ("0612345678", '"0612345678" is a phone number, not an e-mail address; leave the cell blank'),
        ("ann at example", '"ann at example" is not an e-mail address'),
        ("ann@example.test;bob@example.test", "is not an e-mail address"),
        ("ann\u200b@example.test", "holds an invisible character"),
    ],
)
def test_what_is_no_address(shop: Shop, email: str, message: str) -> None:
    """An address that cannot be one is named before anything is sent."""
    assert message in problems(shop, ["A-1", email])


def test_blank_card_and_bad_flag(shop: Shop) -> None:
    """Every problem of a manifest is named at once."""
    result = shop.migrate(shop.manifest(["", "ann@example.test"], ["A-2", "", "", "perhaps"]))
    assert [note.partition(";")[0] for note in result.notes[:2]] == [
        "row 1 (line 2), contact_identifier_value: is blank",
        'row 2 (line 3), contact_identifier_active: "perhaps" is neither true nor false',
    ]


def test_the_valid_rows_of_a_bad_list(shop: Shop) -> None:
    """--skip-invalid migrates the others, and the summary still adds up."""
    path = shop.manifest(["A-1", "no address"], ["A-2", "ann@example.test"])
    result = shop.migrate(path, skip_invalid=True)
    assert shop.statuses(result) == ["invalid", "done"]
    (said,) = [note for note in result.notes if "errors" in note]
    assert said.startswith("rows in errors are invalid and nothing of them was sent")
    assert sum(shop.summary(result)["counts"].values()) == 2
    assert result.exit_code == 1


def test_odd_but_valid_lists_are_warned_about(shop: Shop) -> None:
    """Several spellings, many cards on one address, cards without address and made-up addresses are notes."""
    rows = [[f"A-{n}", "ann@example.test" if n % 2 else "Ann@example.test"] for n in range(40)]
    plan = shop.migrate(
        shop.manifest(*rows, ["N-1"], ["P-1", "0612345678@piggy.nl"], ["P-2", "info@piggy.nl"]), dry_run=True
    ).plan
    notes = [line for line in plan if line.startswith("note: ")]
    assert any('1 e-mail address with more than 10 cards; the most, 40, has "Ann@example.test"' in n for n in notes)
    assert any("1 e-mail address spelled in several ways" in n for n in notes)
    assert any("1 row without e-mail" in n for n in notes)
    assert any("2 made-up e-mail addresses (a phone number, or …@piggy.nl), the first in row 42" in n for n in notes)


def test_no_card_column(shop: Shop) -> None:
    """A header without the one required column names it and proposes a mapping."""
    with pytest.raises(SetupError, match="has no column contact_identifier_value that migrate needs"):
        shop.migrate(shop.world.manifest("number,email", [["A-1", "a@b.test"]]))


def test_an_empty_list_is_done_at_once(shop: Shop) -> None:
    """A header and no rows: exit 0."""
    assert shop.migrate(shop.manifest()).exit_code == 0


def test_a_token_that_is_refused(shop: Shop) -> None:
    """Exit 3 and nothing left behind."""
    with pytest.raises(HaltError, match="does not accept the token"):
        shop.migrate(shop.manifest(["A-1"]), token="wrong")
    assert not (shop.folder / "cards.migrate").exists()


def test_standard_input_needs_a_run_directory(shop: Shop) -> None:
    """Otherwise the run could not be found again."""
    with pytest.raises(SetupError, match="needs --run-dir"):
        shop.migrate(Path("-"))
