"""Readings that are none: of several programs at different moments, or out of a cache on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, needed, rows_of, statuses
from tests.hostile.service import CUT, Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hostile.service import HostileService, Request

pytestmark = pytest.mark.process
STALE = pytest.mark.hostile("18.15 several programs agree at different moments, or by a cache's word")
EXPORT = ("giftcards", "export", "--rate", "0", "--no-progress", "--concurrency", "1", "--page-size", "10")


def exported(to: Path) -> set[str]:
    """The cards in an exported file."""
    return {row["giftcard_uuid"] for row in rows_of(to.parent, to.stem)}


@STALE
def test_a_card_that_moves_between_programs(program: Program, make_service: Callable[..., HostileService]) -> None:
    """It leaves the second program before it is read there, for the first one, which has been read: no file without
    it is called complete."""
    service = make_service(giftcards=60)
    cards = service.sandbox.world.cards
    mover = max(number for number in cards.order if cards.get(number).program == 2)
    uuid = cards.get(mover).uuid

    async def hook(request: Request) -> Answer | None:
        wanted = request.query.get("giftcard_program_uuid")
        if wanted == service.uuid_of_program(2) and request.query["page"] == "2" and cards.get(mover).program == 2:
            cards.reprogram(cards.get(mover), 1)
        return None

    service.hook = hook
    to = program.folder / "cards.csv"
    programs = [word for number in (1, 2) for word in ("--program", service.uuid_of_program(number))]
    ended = program.run(*EXPORT, *programs, "--to", to, url=service.url)
    needed(cards.get(mover).program == 1, "the card has not moved")
    assert (ended.code, uuid in exported(to), len(exported(to))) == (0, True, 40)


@STALE
def test_a_list_that_a_cache_has_kept(program: Program, make_service: Callable[..., HostileService]) -> None:
    """A card goes and another comes, and then the cache shows every page once more as it was. That proves nothing."""
    service = make_service(giftcards=30)
    cards = service.sandbox.world.cards
    gone = cards.get(cards.order[0])
    kept: dict[str, Answer] = {}

    async def hook(request: Request) -> Answer | None:
        page = request.query.get("page", "")
        if not request.path.endswith("/giftcards"):
            return None
        if request.query["limit"] == "1":
            if cards.get(gone.number) is not None:
                cards.remove(gone)
                cards.add(1, 0)
            return None
        if page in kept:
            answer = kept.pop(page)
            return Answer(answer.status, answer.body, {"Age": "7"})
        answer = kept[page] = await service.pass_on(request)
        return answer

    service.hook = hook
    to = program.folder / "cards.csv"
    ended = program.run(*EXPORT, "--to", to, url=service.url)
    needed(cards.get(gone.number) is None, "nothing was counted")
    assert (ended.code, gone.uuid in exported(to)) == (0, False)


@STALE
@pytest.mark.parametrize("told", [("Age", "86400"), ("X-Cache", "HIT from gateway")])
def test_a_look_that_a_cache_answers(program: Program, service: HostileService, told: tuple[str, str]) -> None:
    """A card is to be made and the request lost; the cache knows such a card from another day. It is not there."""

    async def hook(request: Request) -> Answer | None:
        if request.method == "POST":
            return CUT
        if request.asks("GET", "/contact-identifiers/find"):
            value = request.query["contact_identifier_value"]
            shown = {"value": value, "name": value, "active": True, "contact": None}
            return Answer(200, {"data": shown}, dict([told]))
        return None

    service.hook = hook
    cards, run_dir = program.cards("cards.csv", 1), program.folder / "run"
    words = ("--rate", "0", "--no-progress", "--attempts", "2", "--run-dir", run_dir)
    program.run("identifiers", "create", cards, *words, url=service.url)
    assert (statuses(run_dir), service.effects["identifiers.create"]) == ({"unknown": 1}, 0)


@STALE
def test_every_request_asks_caches_to_stand_aside(
    program: Program, make_service: Callable[..., HostileService]
) -> None:
    """Whose account it is, looks, changes, pages and counts."""
    service = make_service(giftcards=5)
    cards = program.manifest("cards.csv", "contact_identifier_value", ["CARD-000002"])
    words = ("--yes", "--rate", "0", "--no-progress")
    needed(program.run("identifiers", "unlink", cards, *words, url=service.url).code == 0)
    needed(program.run(*EXPORT, "--to", "all.csv", url=service.url).code == 0)
    needed(len(service.requests) >= 6)
    assert {request.headers.get("cache-control") for request in service.requests} == {"no-cache"}
