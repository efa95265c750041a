"""Lists without pages, and a filter value that the account has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from piggy_batch.endpoints.exportable_lists import PROGRAMS, SHOPS, TRANSACTIONS, UnpagedList
from piggy_batch.errors import HaltError, SetupError
from piggy_batch.exporting.unpaged_lists import SHOWN, fetch_unpaged_list
from piggy_batch.runs.context import ConnectionOptions
from piggy_batch.sandbox import Fault
from tests.support.world import World, in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.exporting.conftest import Account


def fetch(world: World, which: UnpagedList) -> list[dict[str, Any]]:
    """What a list has, by column."""
    account, found = in_virtual_time(fetch_unpaged_list(which, ConnectionOptions(), world.context()), world.time)
    assert account["company"] == "Sandbox Shop"
    return found


def test_every_shop_and_program_with_its_uuid(world: World) -> None:
    """In the account's order, each with its columns."""
    ledger, cards = world.sandbox.world.ledger, world.sandbox.world.cards
    shops = fetch(world, SHOPS)
    assert [row["shop_uuid"] for row in shops] == [shop.uuid for shop in ledger.shops.values()]
    assert shops[1] == {"shop_uuid": ledger.shops[2].uuid, "shop_name": "Shop 2", "type": "web", "reference": None}
    assert [row["giftcard_program_uuid"] for row in fetch(world, PROGRAMS)] == [p.uuid for p in cards.programs.values()]


def test_a_list_that_is_not_shown_is_no_empty_list(world: World) -> None:
    """It is said, and the command ends with 3."""
    world.sandbox.plan(Fault("unknown-code", path="shops"))
    with pytest.raises(HaltError, match="does not show the shops"):
        fetch(world, SHOPS)


@pytest.mark.parametrize("stray", [None, 5, "shop", []])
def test_a_list_with_what_is_no_object_is_not_shown_shorter(world: World, stray: object) -> None:
    """What was left out would be missing, and nobody would know."""

    async def hook(request: httpx.Request) -> httpx.Response | None:
        told = {"data": [{"uuid": "s-1", "name": "Shop"}, stray]}
        return httpx.Response(200, json=told) if request.url.path.endswith("/shops") else None

    world.hook = hook
    with pytest.raises(HaltError, match="does not show the shops"):
        fetch(world, SHOPS)


def test_an_export_of_a_shop_that_is_none_says_which_there_are(account: Account) -> None:
    """The service would answer with an empty list: the shop is asked for first, and nothing is read."""
    with pytest.raises(SetupError, match="--shop nowhere: this account has no such shop; it has ") as refused:
        account.export(TRANSACTIONS, filters=({"shop_uuid": "nowhere"},))
    for shop in account.world.sandbox.world.ledger.shops.values():
        assert f"{shop.uuid} ({shop.name})" in str(refused.value)
    assert account.lists == []


def test_a_shop_that_nobody_can_ask_about_is_taken_as_it_is(account: Account) -> None:
    """Where the look-up fails the list itself decides."""
    account.world.sandbox.plan(Fault("unknown-code", path="shops"))
    uuid = account.world.sandbox.world.ledger.shops[1].uuid
    assert account.export(TRANSACTIONS, filters=({"shop_uuid": uuid},)).exit_code == 0


def test_of_many_shops_the_first_are_named(make: Callable[..., Account]) -> None:
    """The rest are counted, with the command that prints them all."""
    account = make(shops=SHOWN + 5)
    with pytest.raises(SetupError, match=r"and 5 more \(piggy-batch shops list\)"):
        account.export(TRANSACTIONS, filters=({"shop_uuid": "nowhere"},))
