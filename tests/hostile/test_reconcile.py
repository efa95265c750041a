"""giftcards reconcile, where the cards of rows in doubt are there and do not look as expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.hostile.program import Program, needed, rows_of
from tests.hostile.service import CUT, Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.service import HostileService, Request

pytestmark = pytest.mark.process
CARDS = 3
PACE = ("--rate", "0", "--no-progress")


def lose(program: Program, service: HostileService, *, made: bool) -> None:
    """A run for three cards, each of whose answers is lost, after it was made or before."""

    async def cut(request: Request) -> Answer | None:
        if request.method != "POST":
            return None
        if made:
            await service.pass_on(request)
        return CUT

    service.hook = cut
    needed(create(program, service) == 1, "the rows are in doubt")
    needed(service.effects["giftcards.create"] == CARDS * made)
    service.hook = None


def create(program: Program, service: HostileService, name: str = "batch") -> int:
    """The command that is run before the reconciliation, and after it. ``name``: of the run, for a list of its own."""
    rows = (f"{service.uuid_of_program()},{name} {number}" for number in range(CARDS))
    path = program.manifest(f"{name}.csv", "giftcard_program_uuid,order", rows)
    return program.run("giftcards", "create", path, "--run-dir", name, "--yes", *PACE, url=service.url).code


def reconcile(program: Program, service: HostileService) -> None:
    """As somebody does who is sure that nobody else makes cards there."""
    words = ("giftcards", "reconcile", "batch", "--settle-after", "0", "--exclusive", *PACE)
    settled = program.run(*words, url=service.url)
    needed(settled.code in (0, 1), settled)


def cards_of(service: HostileService) -> list[Any]:
    """The cards that were made, as the service holds them."""
    return [service.sandbox.world.cards.by_uuid(uuid) for uuid in service.times("giftcards.create")]


def close_for_loading(service: HostileService) -> None:
    """The program makes cards that cannot be loaded again."""
    for card in cards_of(service):
        card.upgradeable = False


def load_at_a_till(service: HostileService) -> None:
    """Customers have had money put on them."""
    for card in cards_of(service):
        service.sandbox.world.move(card, 1, 500, card.created)


def leave_amounts_out(service: HostileService) -> None:
    """The list does not show what a card holds."""

    async def shorten(request: Request) -> Answer | None:
        if not request.asks("GET", "/giftcards"):
            return None
        body = (await service.pass_on(request)).data
        for card in body["data"]:
            del card["amount_in_cents"]
        return Answer(200, body)

    service.hook = shorten


@pytest.mark.hostile("18.1 reconcile fails rows while an unknown card of the program is there")
@pytest.mark.parametrize("change", [close_for_loading, leave_amounts_out, load_at_a_till])
def test_cards_that_look_otherwise_are_not_made_again(
    program: Program, service: HostileService, change: Callable[[HostileService], None]
) -> None:
    """Three answers lost, the cards changed, reconciled, the same command again: there are three cards."""
    lose(program, service, made=True)
    change(service)
    reconcile(program, service)
    create(program, service)
    assert service.effects["giftcards.create"] == CARDS


@pytest.mark.hostile("18.7 one thing is believed for two rows")
def test_cards_of_another_run_are_not_given_to_rows_in_doubt(program: Program, service: HostileService) -> None:
    """None of the cards was made; another list makes as many in the same program. They are that list's alone."""
    lose(program, service, made=False)
    needed(create(program, service, "other") == 0)
    reconcile(program, service)
    found = [row.get("giftcard_uuid", "") for name in ("batch", "other") for row in rows_of(program.folder / name)]
    assert sorted(filter(None, found)) == sorted(service.times("giftcards.create"))
