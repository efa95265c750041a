"""A second start in a run directory whose lock was removed while the run works."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, needed, statuses, wait_until

if TYPE_CHECKING:
    from tests.hostile.service import Answer, HostileService, Request

pytestmark = pytest.mark.process
CARDS = 4


@pytest.mark.hostile("18.5 a lock that is removed lets a second run in")
def test_a_removed_lock_lets_nobody_in(program: Program, service: HostileService) -> None:
    """The first run waits for its second answer; the second start sends nothing; each card is made once."""
    gate = asyncio.Event()

    async def hold_the_second(request: Request) -> Answer | None:
        if request.method == "POST" and len(service.asked("POST", "/giftcards")) == 2:
            await gate.wait()
        return None

    service.hook = hold_the_second
    rows = (f"{service.uuid_of_program()},{number}" for number in range(CARDS))
    path = program.manifest("vouchers.csv", "giftcard_program_uuid,order", rows)
    words = ("giftcards", "create", path, "--run-dir", "batch", "--no-baseline", "--yes")
    words += ("--rate", "0", "--concurrency", "1", "--no-progress")
    first = program.start(*words, url=service.url)
    wait_until(lambda: len(service.asked("POST", "/giftcards")) == 2)
    locks = list((program.folder / "batch").glob("*.lock"))
    needed(locks)
    for lock in locks:
        lock.unlink()
    second = program.run(*words, url=service.url)
    service.do(open_gate(gate))
    ended = program.end(first)
    assert (service.effects["giftcards.create"], ended.code, second.code) == (CARDS, 0, 4)
    assert statuses(program.folder / "batch") == {"done": CARDS}


async def open_gate(gate: asyncio.Event) -> None:
    """Let the service answer."""
    gate.set()
