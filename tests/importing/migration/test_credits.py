"""Credits: last, once, one balance a customer, and not a second time in an account by mistake."""

from __future__ import annotations

import stat
from collections.abc import Callable

import pytest

from piggy_batch.errors import JournalError, SetupError
from piggy_batch.sandbox import Fault
from tests.importing.migration.support import Shop


def test_credits_need_a_shop(shop: Shop) -> None:
    """Without --shop nothing is sent; with one that the account lacks neither, and the message says which it has."""
    path = shop.manifest(["A-1", "ann@example.test", "", "", "10"])
    with pytest.raises(SetupError, match="--shop UUID; piggy-batch shops list prints"):
        shop.migrate(path, shop=None)
    with pytest.raises(SetupError, match="this account has no such shop; it has ") as refused:
        shop.migrate(path, shop="no-such-shop")
    for each in shop.world.sandbox.world.ledger.shops.values():
        assert f"{each.uuid} ({each.name})" in str(refused.value)
    assert str(refused.value).endswith("(piggy-batch shops list); nothing was sent")
    assert shop.world.effects == 0


def test_a_plan_with_credits_says_what_the_vendor_says_of_them(shop: Shop) -> None:
    """That they are discouraged, as of which day; without credits nothing of it."""
    said = "the vendor's page calls largely replaced by orders, visits and bookings (as of 2026-11-27)"
    path = shop.manifest(["A-1", "ann@example.test", "", "", "10"])
    assert said in " ".join(shop.migrate(path, dry_run=True).plan)
    path = shop.manifest(["A-1", "ann@example.test", "", "", "0"])
    assert said not in " ".join(shop.migrate(path, dry_run=True).plan)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("12,5", '"12,5" is not a whole number of credits'),
        ("-5", '"-5" is negative'),
        ("1e3", '"1e3" is not a whole number of credits'),
    ],
)
def test_credits_that_are_no_balance(shop: Shop, text: str, message: str) -> None:
    """One clear line, exit 2, nothing sent."""
    result = shop.migrate(shop.manifest(["A-1", "ann@example.test", "", "", text]))
    assert result.exit_code == 2
    assert f"row 1 (line 2), credits: {message}" in result.notes[0]
    assert shop.world.effects == 0


def test_a_balance_of_zero_is_none(shop: Shop) -> None:
    """Lists have 0 for customers without points; it needs no shop and no stage."""
    result = shop.migrate(shop.manifest(["A-1", "ann@example.test", "", "", "0"]), shop=None)
    assert shop.statuses(result) == ["done"]
    assert shop.rows(result)[0]["_credits_status"] == ""


def test_credits_need_a_customer(shop: Shop) -> None:
    """A balance without e-mail belongs to nobody."""
    result = shop.migrate(shop.manifest(["A-1", "", "", "", "10"]))
    assert result.exit_code == 2
    assert result.notes[0].startswith("row 1 (line 2), credits: need an e-mail: credits belong to a customer; ")
    assert "--hold-credits" in result.notes[0]


def test_a_balance_repeated_on_each_card_is_refused(shop: Shop) -> None:
    """The second row of one customer that gives credits is invalid and names the first, whatever the spelling."""
    path = shop.manifest(
        ["A-1", "ann@example.test", "", "", "10"],
        ["A-2", "ann@example.test"],
        ["A-3", "Ann@Example.test ", "", "", "10"],
    )
    result = shop.migrate(path)
    assert result.exit_code == 2
    assert 'row 3 (line 4), credits: row 1 (line 2) gives credits to "ann@example.test" already' in result.notes[0]
    assert shop.world.effects == 0


def test_credits_per_card(shop: Shop) -> None:
    """With --credits-per-card each row gives its own."""
    path = shop.manifest(["A-1", "ann@example.test", "", "", "10"], ["A-2", "ann@example.test", "", "", "7"])
    assert shop.migrate(path, credits_per_card=True).exit_code == 0
    assert shop.credits("ann@example.test") == 17


def test_a_second_migration_with_credits_is_refused(shop: Shop) -> None:
    """The record outlives run directories, names the first one, and yields to --credits-again."""
    shop.migrate(shop.manifest(["A-1", "ann@example.test", "", "", "10"]))
    other = shop.manifest(["B-1", "bob@example.test", "", "", "5"], name="others.csv")
    with pytest.raises(SetupError, match=r"credits were given in this account before: .*cards\.migrate"):
        shop.migrate(other)
    assert shop.credits("ann@example.test") == 10
    assert shop.migrate(other, credits_again=True).exit_code == 0
    assert shop.credits("bob@example.test") == 5


def test_a_new_list_under_an_earlier_name_is_told_what_migrate_takes(shop: Shop) -> None:
    """In another run directory, beside the earlier one: --after or --credits-again, for there is no --again."""
    shop.migrate(shop.manifest(["A-1", "ann@example.test", "", "", "10"]))
    with pytest.raises(
        SetupError, match=r"--run-dir \S+cards\.migrate, pass --after \S+cards\.migrate if .*--credits-a"
    ) as e:
        shop.migrate(shop.folder / "cards.csv", run_dir=shop.folder / "other")
    assert "--again" not in str(e.value)


def test_a_second_migration_without_credits_is_welcome(shop: Shop) -> None:
    """Only credits are counted: cards may come in as many lists as there are."""
    shop.migrate(shop.manifest(["A-1", "ann@example.test", "", "", "10"]))
    assert shop.migrate(shop.manifest(["B-1", "bob@example.test"], name="others.csv")).exit_code == 0


def test_the_record_holds_no_token_and_nothing_of_customers(shop: Shop) -> None:
    """One private file: which run, where, when."""
    shop.migrate(shop.manifest(["A-1", "ann@example.test", "", "", "10"]))
    (record,) = (shop.folder / "state" / "credits").glob("*.json")
    text = record.read_text(encoding="utf-8")
    assert "ann@" not in text
    assert "sandbox" not in text.replace(str(shop.folder), "")
    assert stat.S_IMODE(record.stat().st_mode) == 0o600


def test_the_record_is_made_only_when_credits_are_about_to_leave(make_shop: Callable[..., Shop]) -> None:
    """A migration that halts before has given none: another one may."""
    shop = make_shop(faults=(Fault("unauthorized", method="POST", path="contact-identifiers", times=1),))
    assert shop.migrate(shop.manifest(["A-1", "ann@example.test", "", "", "10"])).exit_code == 3
    assert not (shop.folder / "state").exists()


def test_a_damaged_record_is_no_licence(shop: Shop) -> None:
    """A record that cannot be read means that credits may have been given."""
    shop.migrate(shop.manifest(["A-1", "ann@example.test", "", "", "10"]))
    (record,) = (shop.folder / "state" / "credits").glob("*.json")
    record.write_text("{", encoding="utf-8")
    with pytest.raises(SetupError, match="credits could be given twice"):
        shop.migrate(shop.manifest(["B-1", "bob@example.test", "", "", "5"], name="others.csv"))


@pytest.mark.parametrize("kind", ["60001", "reset-after", "502-html"])
def test_credits_in_doubt_are_unknown_and_stay_so(make_shop: Callable[..., Shop], kind: str) -> None:
    """Whatever may have been carried out is never sent again by the same command."""
    shop = make_shop(faults=(Fault(kind, path="credit-receptions", times=1),))
    path = shop.manifest(["A-1", "ann@example.test", "", "", "10"])
    result = shop.migrate(path)
    assert (result.exit_code, shop.statuses(result)) == (1, ["unknown"])
    assert shop.rows(result, "unknown")[0]["_message"].startswith("credits: ")
    assert shop.summary(result)["next"] is None
    assert shop.statuses(shop.migrate(path)) == ["unknown"]
    assert shop.requests("POST /credit-receptions") == 1


def test_a_results_file_is_no_new_migration(shop: Shop) -> None:
    """Rows that say that they were migrated with credits are refused as a manifest."""
    shop.migrate(shop.manifest(["A-1", "ann@example.test", "", "", "10"]))
    results = shop.folder / "cards.migrate" / "results.csv"
    copy = shop.folder / "again.csv"
    copy.write_bytes(results.read_bytes())
    with pytest.raises(SetupError):
        shop.migrate(copy)
    assert shop.credits("ann@example.test") == 10


def test_accounts_that_do_not_name_themselves(make_shop: Callable[..., Shop]) -> None:
    """Nothing tells two of them apart, so the record counts for the whole service: the careful side."""
    shop = make_shop(ping_fields=("company",))
    shop.migrate(shop.manifest(["A-1", "ann@example.test", "", "", "10"]))
    with pytest.raises(SetupError, match="credits were given in this account before"):
        shop.migrate(shop.manifest(["B-1", "bob@example.test", "", "", "5"], name="others.csv"))


def test_a_rotated_token_goes_on(make_shop: Callable[..., Shop]) -> None:
    """A new token of the same account finishes the migration; one of another account is refused, both named."""
    account = "5a4db0c5-0000-4000-a000-000000000001"
    shop = make_shop(other_tokens={"rotated": ("Sandbox Shop", account), "other": ("Other Shop", "other-account")})
    path = shop.manifest(["A-1", "ann@example.test", "", "", "10"], ["B-1", "bob@example.test"])
    shop.migrate(path, limit=1)
    with pytest.raises(JournalError, match=r"Sandbox Shop .*Other Shop"):
        shop.migrate(path, token="other")
    assert shop.migrate(path, token="rotated").exit_code == 0
    assert max(shop.world.times("credits.create").values()) == 1
