"""Lists of prepaid and of loyalty transactions: every row once, in pages of their own sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from piggy_batch.endpoints.exportable_lists import LOYALTY_TRANSACTIONS, PREPAID_TRANSACTIONS, Listing
from piggy_batch.errors import SetupError
from tests.support.world import read_csv

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.exporting.conftest import Account

LISTS = pytest.mark.parametrize("listing", [PREPAID_TRANSACTIONS, LOYALTY_TRANSACTIONS], ids=lambda each: each.path)


@pytest.fixture
def rich(make: Callable[..., Account]) -> Account:
    """Five contacts, to whom money and credits are given 70 times, an hour apart."""
    account = make(contacts=5, identifiers=10)
    world = account.world.sandbox.world
    for n in range(70):
        contact, now = world.people.contacts[n % 5 + 1], account.world.wall() + n * 3600
        world.prepaid.move(contact, n % 3 + 1, 100 + n, now, "CARD-000002" if n % 5 == 0 else None)
        world.receptions.give(contact, n % 3 + 1, n - 5, now, unit_value=10.4 if n % 2 else None)
    return account


def rows(account: Account, listing: Listing, **given: Any) -> list[dict[str, str]]:
    """The rows of an export that is proven complete."""
    done = account.export(listing, to="rows.csv", **given)
    assert done.summary["verdict"] == "agreed"
    return read_csv(account.folder / "rows.csv")


@LISTS
@pytest.mark.parametrize("size", [10, 30])
def test_every_transaction_stands_once(rich: Account, listing: Listing, size: int) -> None:
    """However many a page holds."""
    found = rows(rich, listing, page_size=size)
    assert len(found) == len({row[listing.fields[0].name] for row in found}) == 70


def test_a_prepaid_transaction_shows_the_balance_that_it_came_to(rich: Account) -> None:
    """Amount, balance, whose it is, the card that was used, shop and moment."""
    first = rows(rich, PREPAID_TRANSACTIONS)[0]
    world = rich.world.sandbox.world
    assert {name: first[name] for name in ("amount_in_cents", "prepaid_balance_in_cents", "contact_email")} == {
        "amount_in_cents": "100",
        "prepaid_balance_in_cents": "100",
        "contact_email": "customer1@example.test",
    }
    assert first["contact_identifier_value"] == "CARD-000002"
    assert first["shop_uuid"] == world.ledger.shops[1].uuid
    assert first["created_at"].startswith("2027-01-15T08:00:00")


def test_a_loyalty_transaction_shows_credits_and_what_they_were_given_for(rich: Account) -> None:
    """Negative ones are refunds; a value with a fraction keeps it; what no source shows stays blank."""
    found = rows(rich, LOYALTY_TRANSACTIONS)
    assert [int(row["credits"]) for row in found] == [n - 5 for n in range(70)]
    assert (found[1]["unit_value"], found[1]["unit_name"], found[1]["channel"]) == (
        "10.4",
        "purchase_amount",
        "OAUTH_API",
    )
    assert (found[0]["unit_value"], found[0]["reward_title"], found[0]["type"]) == ("", "", "credit_reception")


@LISTS
def test_one_contacts_or_one_shops_transactions(rich: Account, listing: Listing) -> None:
    """The filters are the service's own; a contact or shop that is none is said."""
    world = rich.world.sandbox.world
    mine = rows(rich, listing, filters=({"contact_uuid": world.people.contacts[2].uuid},))
    assert {row["contact_email"] for row in mine} == {"customer2@example.test"}
    assert len(mine) == 14
    shop = rows(rich, listing, filters=({"shop_uuid": world.ledger.shops[3].uuid},))
    assert {row["shop_name"] for row in shop} == {"Shop 3"}
    with pytest.raises(SetupError, match="no such shop; it has "):
        rich.export(listing, filters=({"shop_uuid": "nowhere"},))
    with pytest.raises(SetupError, match=r"55031.*piggy-batch contacts export"):
        rich.export(listing, filters=({"contact_uuid": "nobody"},))


def test_loyalty_transactions_of_a_period_and_of_a_type(rich: Account) -> None:
    """As the list itself filters them."""
    late = rows(rich, LOYALTY_TRANSACTIONS, filters=({"created_at[gte]": "2027-01-17T08:00:00+00:00"},))
    assert len(late) == 70 - 48
    assert rows(rich, LOYALTY_TRANSACTIONS, filters=({"type": "reward_receptions"},)) == []
