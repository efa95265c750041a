"""Waits that the service has asked for: nothing ends them early, and who waits has sent nothing."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, needed, rows_of, statuses, wait_until
from tests.hostile.service import Answer

if TYPE_CHECKING:
    from tests.hostile.service import HostileService, Request

pytestmark = pytest.mark.process
COMMON = ("--yes", "--rate", "0", "--no-progress")


@pytest.mark.hostile("18.12 a probe ends a wait that was asked for")
@pytest.mark.parametrize("status", [429, 503])
def test_a_probe_that_succeeds_ends_no_wait_that_was_asked_for(
    program: Program, service: HostileService, status: int
) -> None:
    """Ten failures in a row, so it is pinged; before the answer another request is told to wait two seconds. For
    that long nothing comes, though the ping finds the service well."""
    wait_s = 2.0
    arrivals: list[float] = []
    asked_at, probed = [float("inf")], asyncio.Event()

    async def hook(request: Request) -> Answer | None:
        now = time.monotonic()
        arrivals.append(now)
        if request.path.endswith("/oauth/clients") and len(arrivals) > 1:
            probed.set()
            await asyncio.sleep(0.6)  # the wait has been asked for by then
        if request.method != "POST":
            return None
        number = len(service.asked("POST", "/contact-identifiers"))
        if number == 1:  # under way until the others have failed and it is pinged
            await asyncio.wait_for(probed.wait(), 10)
            await asyncio.sleep(0.3)
            asked_at[0] = time.monotonic()
            return Answer(status, {"message": "later"}, {"Retry-After": str(int(wait_s))})
        return Answer(500, {"message": "no"}) if number <= 11 else None

    service.hook = hook
    run_dir = program.folder / "run"
    cards = program.cards("cards.csv", 15)
    words = (*COMMON, "--concurrency", "11", "--attempts", "20", "--run-dir", run_dir)
    ended = program.run("identifiers", "create", cards, *words, url=service.url)
    needed(asked_at[0] < float("inf"), "nobody was asked to wait")
    early = [round(at - asked_at[0], 2) for at in arrivals if asked_at[0] < at < asked_at[0] + wait_s - 0.1]
    assert early == []
    assert (ended.code, statuses(run_dir), service.effects["identifiers.create"]) == (0, {"done": 15}, 15)


@pytest.mark.hostile("18.18 a kill during a pause leaves rows in doubt that were never sent")
def test_a_kill_during_a_pause(program: Program, service: HostileService) -> None:
    """Cards to be made; the tenth request is told to wait ten minutes, and a kill ends that: no row is in doubt, for
    every request had its answer, and the same command makes the rest once."""
    waiting = False

    async def hook(request: Request) -> Answer | None:
        nonlocal waiting
        if request.method == "POST" and len(service.asked("POST", "/giftcards")) == 10 and not waiting:
            waiting = True
            return Answer(429, {"message": "later"}, {"Retry-After": "600"})
        return None

    service.hook = hook
    run_dir = program.folder / "run"
    rows = (f"{service.uuid_of_program()},{number}" for number in range(40))
    cards = program.manifest("vouchers.csv", "giftcard_program_uuid,order", rows)
    words = ("giftcards", "create", cards, *COMMON, "--concurrency", "14", "--no-baseline", "--run-dir", run_dir)
    running = program.start(*words, url=service.url)
    wait_until(lambda: waiting, "a request that is told to wait")
    time.sleep(0.7)  # what was under way has its answer on disk
    program.kill(running)
    made = service.effects["giftcards.create"]
    needed(9 <= made < 40, made)
    again = program.run(*words, url=service.url)
    assert statuses(run_dir) == {"done": 40}
    assert rows_of(run_dir, "unknown") == []
    assert (again.code, service.effects["giftcards.create"]) == (0, 40)
