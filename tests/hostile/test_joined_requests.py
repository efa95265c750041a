"""Something between that gives an answer again: what is made once is not said of two rows, nor of two runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, needed, statuses

if TYPE_CHECKING:
    from tests.hostile.program import Ended
    from tests.hostile.service import Answer, HostileService, Request

pytestmark = pytest.mark.process
ROWS = 4
PACE = ("--yes", "--rate", "0", "--concurrency", "1", "--no-progress")


def join_equal_requests(service: HostileService) -> None:
    """The service sees each of several equal requests once."""
    answers: dict[tuple[str, bytes], Answer] = {}

    async def replay(request: Request) -> Answer | None:
        if request.method != "POST":
            return None
        key = request.target, request.body
        if key not in answers:
            answers[key] = await service.pass_on(request)
        return answers[key]

    service.hook = replay


@pytest.mark.hostile("18.7 one thing is believed for two rows")
def test_one_card_is_done_for_one_row(program: Program, service: HostileService) -> None:
    """Four equal rows of one list, one card: one row is done, and the others are in doubt."""
    join_equal_requests(service)
    path = program.manifest("vouchers.csv", "giftcard_program_uuid", [service.uuid_of_program()] * ROWS)
    ended = program.run("giftcards", "create", path, "--run-dir", "batch", *PACE, url=service.url)
    needed(service.effects["giftcards.create"] == 1)
    assert (statuses(program.folder / "batch"), ended.code) == ({"done": 1, "unknown": ROWS - 1}, 1)


@pytest.mark.hostile("18.7 one thing is believed for two rows")
def test_one_transaction_is_done_for_one_row(program: Program, service: HostileService) -> None:
    """Two equal loads of one card, wanted so, and one transaction: one row is done, and the other is in doubt."""
    join_equal_requests(service)
    ended = load(program, service, "batch", "--allow-repeats", rows=2)
    needed(service.effects["giftcards.load"] == 1)
    assert (statuses(program.folder / "batch"), ended.code) == ({"done": 1, "unknown": 1}, 1)


@pytest.mark.hostile("18.7 one thing is believed for two rows")
def test_one_transaction_is_done_for_one_run(program: Program, service: HostileService) -> None:
    """A card is loaded again on purpose, and the answer of the first time comes back: no money was moved."""
    join_equal_requests(service)
    needed(load(program, service, "first").code == 0)
    again = load(program, service, "second", "--again")
    needed(service.effects["giftcards.load"] == 1)
    assert (statuses(program.folder / "second"), again.code) == ({"unknown": 1}, 1)


def load(program: Program, service: HostileService, run_dir: str, *more: str, rows: int = 1) -> Ended:
    """Put money on the one card that there is, so often."""
    cards = service.sandbox.world.cards
    card = cards.get(1) or cards.add(1, time.time())
    path = program.manifest("loads.csv", "giftcard_uuid,amount_in_cents", [f"{card.uuid},500"] * rows)
    shop = f"shop_uuid={service.sandbox.world.ledger.shops[1].uuid}"
    words = ("giftcards", "load", path, "--set", shop, "--run-dir", run_dir, *more)
    return program.run(*words, *PACE, url=service.url)


@pytest.mark.hostile("18.7 one thing is believed for two rows")
def test_one_reception_is_done_for_one_migration(program: Program, service: HostileService) -> None:
    """Other credits for the same customer, wanted so, and the answer of the first time comes back: none were given."""
    join_equal_requests(service)
    shop = service.sandbox.world.ledger.shops[1].uuid
    for name in ("first", "second"):
        path = program.manifest(f"{name}.csv", "contact_identifier_value,email,credits", ["CARD-X,guest@x.test,10"])
        words = ("migrate", path, "--shop", shop, "--credits-again", "--run-dir", name)
        ended = program.run(*words, *PACE, url=service.url)
    needed(service.effects["credits.create"] == 1)
    assert (statuses(program.folder / "second"), ended.code) == ({"unknown": 1}, 1)
