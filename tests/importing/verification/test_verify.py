"""``identifiers verify``: every card looked up and compared; and the page for the person who signs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from piggy_batch.importing.options import RunResult
from piggy_batch.importing.verification.sign_off import write_sign_off
from tests.importing.migration.support import Shop

COLUMNS = "contact_identifier_value,contact_uuid,email,contact_identifier_name,contact_identifier_active"


def verify(shop: Shop, *rows: list[str], **given: Any) -> RunResult:
    """Verify rows of up to five cells."""
    path = shop.world.manifest(COLUMNS, [[*row, *[""] * (5 - len(row))] for row in rows], "verify.csv")
    return shop.world.run("identifiers verify", path, **given)


@pytest.fixture
def held(shop: Shop) -> Shop:
    """A shop with four cards: of a customer, of nobody, inactive of a customer, inactive of nobody."""
    for value, more in (("C-1", {"email": "customer1@example.test", "name": "Club"}), ("N-1", {})):
        shop.world.till("create", value, **more)
    shop.world.till("create", "I-1", email="customer1@example.test", name="Old")
    shop.world.till("deactivate", "I-1")
    shop.world.till("create", "I-2")
    shop.world.till("deactivate", "I-2")
    return shop


@pytest.mark.parametrize(
    "row",
    [
        ["C-1"],
        ["C-1", "", "Customer1@Example.test "],
        ["C-1", "", "customer1@example.test", "Club", "true"],
        ["N-1", "none", "", "N-1", "yes"],
        ["I-1", "", "customer1@example.test", "Old", "false"],
    ],
)
def test_matches(held: Shop, row: list[str]) -> None:
    """Done, and nothing changed."""
    result = verify(held, row)
    assert (result.exit_code, held.world.statuses(result)) == (0, {"done": 1})
    assert held.world.last(result)["_message"] == ""
    assert held.world.effects == 0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["X-9", "", "customer1@example.test"], "missing; expected: held by customer1@example.test"),
        (["X-9"], "missing"),
        (
            ["C-1", "", "customer2@example.test"],
            'email expected "customer2@example.test", found "customer1@example.test"',
        ),
        (["C-1", "none"], 'contact_uuid expected "nobody", found "customer1@example.test"'),
        (["N-1", "", "customer1@example.test"], 'email expected "customer1@example.test", found "nobody"'),
        (["C-1", "", "", "Gold"], 'contact_identifier_name expected "Gold", found "Club"'),
        (["C-1", "", "", "", "false"], 'contact_identifier_active expected "false", found "true"'),
        (["I-1", "", "", "", "true"], 'contact_identifier_active expected "true", found "false"'),
        (["I-1", "", "customer2@example.test"], "found: inactive, and not among that contact's cards"),
        (["I-1", "", "customer1@example.test", "New"], 'contact_identifier_name expected "New", found "Old"'),
        (["I-2", "", "ghost@example.test"], 'email expected "ghost@example.test", but there is no such contact'),
    ],
)
def test_differs(held: Shop, row: list[str], message: str) -> None:
    """Rejected, with expected and found, exit 1."""
    result = verify(held, row)
    assert (result.exit_code, held.world.statuses(result)) == (1, {"rejected": 1})
    assert message in held.world.last(result)["_message"]


def test_what_an_inactive_card_hides_is_said(held: Shop) -> None:
    """Without a contact only existence and activity are seen: done, and the row says what was not."""
    result = verify(held, ["I-2", "none", "", "I-2", "false"])
    assert held.world.statuses(result) == {"done": 1}
    assert held.world.last(result)["_message"] == (
        "inactive, so the service does not show, and nobody could compare: the owner, contact_identifier_name"
    )


def test_answers_that_show_no_address(make_shop: Callable[..., Shop]) -> None:
    """Where a card shows only its contact's UUID, the contact is looked up by its address."""
    shop = make_shop(link_email=False)
    shop.world.till("create", "C-1", email="customer1@example.test")
    assert verify(shop, ["C-1", "", "customer1@example.test"]).exit_code == 0
    other = verify(shop, ["C-1", "", "customer2@example.test"], run_dir=shop.folder / "other")
    assert other.exit_code == 1


def test_a_migration_verifies_against_its_own_manifest(shop: Shop) -> None:
    """The manifest that was migrated is what is signed off."""
    path = shop.manifest(["A-1", "Ann@example.test", "Gold"], ["A-2", "ann@example.test", "", "false"], ["N-1"])
    shop.migrate(path)
    assert shop.world.run("identifiers verify", path).exit_code == 0


def page(shop: Shop, result: RunResult) -> str:
    """The sign-off page of a verify run."""
    target = shop.folder / "sign-off.html"
    write_sign_off(result.run_dir, target)
    return target.read_text(encoding="utf-8")


def test_the_page_of_a_good_migration(held: Shop) -> None:
    """One sentence, totals, manifest hash, account and times; self-contained and private."""
    text = page(held, verify(held, ["C-1"], ["N-1"]))
    assert "All 2 cards are as the manifest says." in text
    assert "Sandbox Shop" in text
    assert len(text.partition("<dt>SHA-256</dt><dd><code>")[2].partition("<")[0]) == 64
    assert "<script" not in text
    assert "http://" not in text.replace("http://sandbox.test", "")
    assert oct((held.folder / "sign-off.html").stat().st_mode)[-3:] == "600"


def test_the_page_of_differences(held: Shop) -> None:
    """Every card that is missing or differs stands there with expected and found, escaped."""
    text = page(held, verify(held, ["C-1", "", "", "<b>Gold</b>"], ["X-9"], ["I-2", "none"]))
    assert "2 of 3 cards are missing or differ from the manifest." in text
    assert "&lt;b&gt;Gold&lt;/b&gt;" in text
    assert "<b>Gold" not in text
    assert "Not fully visible" in text


def test_the_page_says_when_not_all_was_looked_up(held: Shop) -> None:
    """A run that was cut short is nothing to sign."""
    text = page(held, verify(held, ["C-1"], ["N-1"], limit=1))
    assert "Not every card could be looked up." in text


def test_no_page_without_a_run(tmp_path: Path) -> None:
    """A run directory without journal gives no page."""
    write_sign_off(tmp_path, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_the_page_tells_when_the_cards_were_looked_up(held: Shop) -> None:
    """The same command again, with nothing to look up, makes no older look newer."""
    path = held.world.manifest(COLUMNS, [["C-1", "", "", "", ""]], "verify.csv")
    first = page(held, held.world.run("identifiers verify", path))
    held.world.time.now += 86_400
    again = page(held, held.world.run("identifiers verify", path))
    shown = [text.partition("Last look-up</dt><dd>")[2].partition("<")[0] for text in (first, again)]
    assert shown[0] == shown[1] != ""


def test_the_page_shows_controls_instead_of_obeying_them(held: Shop, tmp_path: Path) -> None:
    """A list's name that turns the text around it would let one list look like another."""
    path = held.world.manifest(COLUMNS, [["C-1", "", "", "", ""]], "kaarten\u202evsc.csv")
    result = held.world.run("identifiers verify", path)
    write_sign_off(result.run_dir, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "\u202e" not in page
    assert "kaarten\\u202evsc.csv" in page
