"""A migration whose credits stage has lost its directory, or was put back from a copy."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from piggy_batch.errors import JournalError, SetupError
from tests.importing.migration.support import Shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CUSTOMERS = 3
GIVEN = [[f"CARD-{n}", f"guest{n}@example.test", "", "", "10"] for n in range(1, CUSTOMERS + 1)]
LIVE = "7c1e0000-0000-4000-a000-000000000001"  # an account that is none of rehearsals


class Killed(BaseException):
    """The program ends here."""


def migrate(shop: Shop, path: Path, **given: Any) -> Any:
    """The same command, as the command line runs it."""
    return shop.migrate(path, context={"registry_dir": shop.folder / "state"}, **given)


def given(shop: Shop) -> list[int]:
    """What each customer holds."""
    people = shop.world.sandbox.world.people
    found = [people.contact_by_email(row[1]) for row in GIVEN]
    return [contact.credits if contact is not None else 0 for contact in found]


def whole_stage(stage: Path) -> None:
    shutil.rmtree(stage)


def all_in_the_stage(stage: Path) -> None:
    whole_stage(stage)
    stage.mkdir()


def one_run(stage: Path) -> None:
    shutil.rmtree(stage / "part-1")


def all_in_one_run(stage: Path) -> None:
    one_run(stage)
    (stage / "part-1").mkdir()


def its_manifest(stage: Path) -> None:
    (stage / "part-1.csv").unlink()


def its_journal(stage: Path) -> None:
    for path in (stage / "part-1").glob("journal.sqlite*"):
        path.unlink()


LOSSES = [whole_stage, all_in_the_stage, one_run, all_in_one_run, its_manifest, its_journal]


@pytest.mark.hostile("18.4 credits are given again where their stage was lost")
@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize("end", ["whole", "killed", "limited"])
@pytest.mark.parametrize("lose", LOSSES)
def test_credits_are_not_given_again_from_a_lost_stage(
    make_shop: Callable[..., Shop], lose: Callable[[Path], None], end: str, again: bool
) -> None:
    """Whatever is lost of the stage, whenever: the same command refuses, exit 4; no customer is given twice."""
    shop = make_shop(account_uuid=LIVE)
    path = shop.manifest(*GIVEN)
    posts = 0

    async def hook(request: httpx.Request) -> None:
        nonlocal posts
        posts += request.url.path.endswith("/credit-receptions")
        if end == "killed" and posts == 2:
            raise Killed

    shop.world.hook = hook
    with contextlib.suppress(Killed):
        migrate(shop, path, credits_again=again, **({"limit": 2} if end == "limited" else {}), concurrency=1)
    shop.world.hook = None
    before = given(shop)
    assert sum(before) == {"whole": 30, "killed": 10, "limited": 20}[end]
    lose(path.with_name("cards.migrate") / "5-credits-create")
    for _ in range(2):
        with pytest.raises(JournalError, match=r"(would be given|would be sent) again.* pass --adopt"):
            migrate(shop, path, credits_again=again)
    assert given(shop) == before


def test_whoever_insists_begins_the_stage_anew(make_shop: Callable[..., Shop]) -> None:
    """--adopt: who was given credits is known by a person then."""
    shop = make_shop(account_uuid=LIVE)
    path = shop.manifest(*GIVEN)
    migrate(shop, path)
    whole_stage(path.with_name("cards.migrate") / "5-credits-create")
    assert migrate(shop, path, adopt=True).exit_code == 0
    assert given(shop) == [20, 20, 20]


@pytest.mark.hostile("18.4 credits are given again where their stage was lost")
@pytest.mark.parametrize("again", [True, False])
def test_a_copy_of_the_whole_migration_from_before_its_credits_is_refused(
    make_shop: Callable[..., Shop], again: bool
) -> None:
    """The record in the state directory knows that the stage has begun, where the migration's own journal does not."""
    shop = make_shop(account_uuid=LIVE)
    path = shop.manifest(*GIVEN)
    run_dir, copy = path.with_name("cards.migrate"), shop.folder / "copies" / "one"

    async def hook(request: httpx.Request) -> None:
        if request.url.path.endswith("/credit-receptions") and not copy.exists():
            shutil.copytree(run_dir, copy)
            shutil.rmtree(copy / "5-credits-create")

    shop.world.hook = hook
    assert migrate(shop, path, credits_again=again).exit_code == 0
    for entry in run_dir.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(copy, run_dir, dirs_exist_ok=True)
    with pytest.raises(JournalError, match=r"would be given again\..* pass --adopt"):
        migrate(shop, path, credits_again=again)
    assert given(shop) == [10, 10, 10]


@pytest.mark.hostile("18.4 credits are given again where their stage was lost")
def test_an_older_copy_of_the_stage_is_refused(make_shop: Callable[..., Shop]) -> None:
    """Its run is counted outside the directory, as any run of a once command is."""
    shop = make_shop(account_uuid=LIVE)
    path = shop.manifest(*GIVEN)
    stage, copy = path.with_name("cards.migrate") / "5-credits-create", shop.folder / "copies" / "one"

    async def hook(request: httpx.Request) -> None:
        if request.url.path.endswith("/credit-receptions") and not copy.exists():
            shutil.copytree(stage, copy)

    shop.world.hook = hook
    assert migrate(shop, path, concurrency=1).exit_code == 0
    for entry in (stage / "part-1").iterdir():
        entry.unlink()
    shutil.copytree(copy, stage, dirs_exist_ok=True)
    with pytest.raises(JournalError, match="is an older copy"):
        migrate(shop, path)
    assert given(shop) == [10, 10, 10]


@pytest.mark.hostile("18.4 credits are given again where their stage was lost")
@pytest.mark.parametrize(
    ("row", "same"),
    [
        (GIVEN[0], True),
        (["CARD-9", *GIVEN[0][1:]], False),
        ([GIVEN[0][0], "guest9@example.test", *GIVEN[0][2:]], False),
        ([*GIVEN[0][:2], "Gold", *GIVEN[0][3:]], False),
        ([*GIVEN[0][:4], "20"], False),
    ],
    ids=["the same list", "another card", "another customer", "another name", "another balance"],
)
def test_the_stages_of_another_list_are_not_this_ones(
    make_shop: Callable[..., Shop], row: list[str], same: bool
) -> None:
    """The migration's own journal is gone, so that the list is read anew; only where it says the same are the stages
    its own."""
    shop = make_shop(account_uuid=LIVE)
    migrate(shop, shop.manifest(*GIVEN))
    for path in (shop.folder / "cards.migrate").glob("*.*"):
        path.unlink()
    path = shop.manifest(row, *GIVEN[1:])
    if same:
        assert migrate(shop, path, credits_again=True).exit_code == 0
    else:
        with pytest.raises(JournalError, match="tells what became of another list: its row 1 is another one"):
            migrate(shop, path, credits_again=True)
    assert given(shop) == [10, 10, 10]


def test_a_stage_that_was_stopped_before_it_sent_goes_on(make_shop: Callable[..., Shop]) -> None:
    """Nothing is lost where nothing was given: the stage begins when the service answers again."""
    shop = make_shop(account_uuid=LIVE)
    path = shop.manifest(*GIVEN)
    pings, down = 0, True

    async def hook(request: httpx.Request) -> httpx.Response | None:
        nonlocal pings
        pings += request.url.path.endswith("/oauth/clients")
        if down and pings > 3:  # the migration itself, contacts and cards
            return httpx.Response(401, json={"message": "no"})
        return None

    shop.world.hook = hook
    assert migrate(shop, path).exit_code == 3
    assert given(shop) == [0, 0, 0]
    down = False
    assert migrate(shop, path).exit_code == 0
    assert given(shop) == [10, 10, 10]


@pytest.mark.hostile("18.3 two names of one service have two records")
def test_two_addresses_of_one_account_share_the_record(make_shop: Callable[..., Shop]) -> None:
    """A second migration with credits is refused under another address too."""
    shop = make_shop(account_uuid=LIVE)
    path = shop.manifest(*GIVEN)
    migrate(shop, path)
    other = shop.manifest(*GIVEN, name="other.csv")
    shop.world.url = "https://api.leat.com"
    with pytest.raises(SetupError, match="credits were given in this account before"):
        migrate(shop, other)
    assert given(shop) == [10, 10, 10]
