"""``identifiers verify``: every card looked up and compared; and the page for the person who signs."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from piggy_batch.errors import JournalError, SetupError
from piggy_batch.importing.migration.customers import compare_with
from piggy_batch.importing.options import ImportOptions, RunResult
from piggy_batch.importing.verification.sign_off import write_sign_off
from piggy_batch.sandbox import Fault, make_app
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
    assert re.search(r"td\.card {[^}]*min-width: 20ch", text), "a card's number is not broken in the middle"
    assert "2 of 3 cards are missing or differ from the manifest." in text
    assert "&lt;b&gt;Gold&lt;/b&gt;" in text
    assert "<b>Gold" not in text
    assert "Not fully visible" in text


def test_the_page_says_when_not_all_was_looked_up(held: Shop) -> None:
    """A run that was cut short is nothing to sign."""
    text = page(held, verify(held, ["C-1"], ["N-1"], limit=1))
    assert "Not every card could be looked up." in text


# --- credits -------------------------------------------------------------------------------------------

ANN = "ann@example.test"


def migrated(shop: Shop, *rows: list[str], **given: Any) -> RunResult:
    """A migration of rows of value, e-mail, name, active and credits."""
    return shop.migrate(shop.manifest(*rows), **given)


def verify_migration(shop: Shop, migration: RunResult, path: Path | None = None, **given: Any) -> RunResult:
    """``identifiers verify MANIFEST --migration RUN_DIR``."""
    options = compare_with(ImportOptions(), migration.run_dir)
    more = {"customers": options.execution.customers, "extra": options.reading.extra}
    return shop.world.run("identifiers verify", path or shop.folder / "cards.csv", **(more | given))


def first_line(text: str) -> str:
    """What the reader of the page sees first."""
    return html.unescape(text.partition('<p class="verdict')[2].partition(">")[2].partition("<")[0])


def test_credits_without_a_migration_are_named_as_not_compared(shop: Shop) -> None:
    """Balances that nobody looked at are not signed off: the first line says so."""
    shop.migrate(shop.manifest(["A-1", ANN, "", "", "50"]))
    path = shop.manifest(["A-1", ANN, "", "", "999999"], name="balances.csv")
    result = shop.world.run("identifiers verify", path)
    assert first_line(page(shop, result)) == "The card is as the manifest says. Not compared: credits."


def test_the_plan_counts_the_looks_at_balances(shop: Shop) -> None:
    """One request a card, and one more for each row with credits."""
    migration = migrated(shop, ["A-1", ANN, "", "", "50"])
    sent = verify_migration(shop, migration).summary["requests"]["sent"]
    assert any("one request more for each row with credits" in line for line in shop.world.said.lines)
    assert sent == 3  # whose token it is, the card, the balance


def test_every_column_that_is_not_compared_is_named(shop: Shop) -> None:
    """Columns of the list's own too; those of earlier results, which begin with _, are no claims."""
    shop.migrate(shop.manifest(["A-1", ANN]))
    path = shop.world.manifest("contact_identifier_value,joined,email,_row,tier", [["A-1", "2011", ANN, "1", "gold"]])
    assert first_line(page(shop, shop.world.run("identifiers verify", path))).endswith("Not compared: joined, tier.")


def test_balances_are_compared_with_what_the_migration_found_before(shop: Shop) -> None:
    """20 before and 50 given make 70; the page names the migration and leaves nothing out."""
    shop.world.run("contacts find-or-create", shop.world.manifest("email", [ANN], "people.csv"))
    contact = shop.world.sandbox.world.people.contact_by_email(ANN)
    assert contact is not None
    contact.credits = 20
    migration = migrated(shop, ["A-1", ANN, "", "", "50"], ["A-2", ANN])
    result = verify_migration(shop, migration)
    assert (result.exit_code, shop.world.statuses(result)) == (0, {"done": 2})
    text = page(shop, result)
    assert first_line(text) == "All 2 cards are as the manifest says."
    assert str(migration.run_dir) in text


def test_a_balance_that_differs_is_a_difference(shop: Shop) -> None:
    """With expected and found, and where the expected comes from."""
    migration = migrated(shop, ["A-1", ANN, "", "", "50"])
    contact = shop.world.sandbox.world.people.contact_by_email(ANN)
    assert contact is not None
    contact.credits = 0
    result = verify_migration(shop, migration)
    assert result.exit_code == 1
    assert shop.world.last(result)["_message"] == 'credits expected "50" (0 before, 50 given), found "0"'


def test_a_list_with_other_balances_than_the_migration_gave(shop: Shop) -> None:
    """The manifest that is signed says more than the migration was told to give."""
    migration = migrated(shop, ["A-1", ANN, "", "", "50"])
    path = shop.manifest(["A-1", ANN, "", "", "999999"], name="balances.csv")
    result = verify_migration(shop, migration, path)
    assert shop.world.last(result)["_message"] == (
        'credits expected "999999", but the migration\'s own list has 50 for this customer'
    )


def test_a_balance_before_that_was_not_shown_is_not_compared_in_full(shop: Shop) -> None:
    """The contact's balance was missing from the answer of the contacts stage: the row says so."""

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("find-or-create"):
            return None
        answer = await httpx.ASGITransport(app=make_app(shop.world.sandbox)).handle_async_request(request)
        body = json.loads(await answer.aread())
        del body["data"]["credit_balance"]
        return httpx.Response(200, json=body)

    shop.world.hook = hook
    migration = migrated(shop, ["A-1", ANN, "", "", "50"])
    shop.world.hook = None
    result = verify_migration(shop, migration)
    assert "credits (the balance before the migration is not known)" in shop.world.last(result)["_message"]
    assert "1 card could not be compared in full" in first_line(page(shop, result))


def test_rows_in_doubt_stand_on_the_page(shop: Shop) -> None:
    """Credits whose answer was lost: the balance differs or not, but the reader learns of the row."""
    shop.world.sandbox.plan(Fault("reset-after", path="credit-receptions", times=1))
    migration = migrated(shop, ["A-1", ANN, "", "", "50"])
    shop.world.sandbox.clear_faults()
    text = page(shop, verify_migration(shop, migration))
    assert first_line(text) == "The card is as the manifest says. 1 row of the migration still in doubt."
    assert "In doubt in the migration" in text
    assert "credits: sent, no usable answer" in text
    assert 'class="verdict bad"' in text


def test_a_verification_belongs_to_its_migration(shop: Shop) -> None:
    """The same run directory with another base is refused."""
    migration = migrated(shop, ["A-1", ANN, "", "", "50"])
    verify_migration(shop, migration)
    with pytest.raises(JournalError, match="--migration"):
        shop.world.run("identifiers verify", shop.folder / "cards.csv", extra={"--migration": None})
    with pytest.raises(SetupError, match="holds no migration"):
        compare_with(ImportOptions(), shop.folder)


def test_a_name_that_the_service_keeps_in_another_form_is_no_difference(make_shop: Callable[..., Shop]) -> None:
    """A service that trims: the card is as the manifest says, and the row quotes both."""
    shop = make_shop(trim_values=True)
    path = shop.manifest(["A-1", ANN, "Gold card "])
    assert shop.migrate(path).exit_code == 0
    result = shop.world.run("identifiers verify", path)
    assert shop.world.statuses(result) == {"done": 1}
    assert 'expected "Gold card ", found "Gold card"' in shop.world.last(result)["_message"]


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


@pytest.mark.hostile("18.21 controls of direction, an open token file or a secret in the wrong option")
def test_the_page_shows_controls_instead_of_obeying_them(held: Shop, tmp_path: Path) -> None:
    """A list's name that turns the text around it would let one list look like another."""
    path = held.world.manifest(COLUMNS, [["C-1", "", "", "", ""]], "kaarten\u202evsc.csv")
    result = held.world.run("identifiers verify", path)
    write_sign_off(result.run_dir, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "\u202e" not in page
    assert "kaarten\\u202evsc.csv" in page
