"""What concerns every request: whose hold ends when, and what a probe may do meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from piggy_batch.client.clock import Clock, StopSignal
from piggy_batch.client.rate_limiter import Hold, RateLimiter
from piggy_batch.endpoints import find_operation
from tests.support.world import World, in_virtual_time, working_rows

if TYPE_CHECKING:
    from pathlib import Path

FIND = find_operation("identifiers find")


def is_ping(request: httpx.Request) -> bool:
    return request.url.path.endswith("/oauth/clients")


@pytest.mark.hostile("18.12 a probe ends a wait that was asked for")
def test_a_hold_is_ended_by_its_owner_only() -> None:
    """An outage that is over leaves what the service asked for, and the other way round."""

    async def held() -> tuple[float, float, float]:
        limiter = RateLimiter(0, Clock(fine=False), StopSignal())
        limiter.pause_until(100.0, Hold.ASKED)
        limiter.pause_until(3600.0, Hold.OUTAGE)
        both = limiter.held_until()
        limiter.resume(Hold.OUTAGE)
        asked = limiter.held_until()
        limiter.resume(Hold.ASKED)
        return both, asked, limiter.held_until()

    assert in_virtual_time(held()) == (3600.0, 100.0, float("-inf"))


@pytest.mark.hostile("18.12 a probe ends a wait that was asked for")
def test_a_probe_that_succeeds_does_not_end_a_wait_that_was_asked_for(folder: Path) -> None:
    """A 429 that comes while the service is being probed is waited out, although the probe finds it there."""
    world = World(folder)
    rows, pings, asked_at, early = 0, 0, 0.0, 0
    path = world.manifest(*working_rows(world, FIND, 20))

    async def hook(request: httpx.Request) -> httpx.Response | None:
        nonlocal rows, pings, asked_at, early
        if is_ping(request):
            pings += 1
            if pings > 1:  # the first asks for the account
                await asyncio.sleep(5)
            return None
        rows += 1
        if asked_at and world.time.now < asked_at + 120:
            early += 1
        if rows == 1:  # under way until after the others have failed
            await asyncio.sleep(400)
            asked_at = world.time.now
            return httpx.Response(429, json={"message": "slow down"}, headers={"Retry-After": "120"})
        if rows <= 11:
            # The last one fails just before the 429 comes, so that the probe is under way by then.
            await asyncio.sleep(0.1 if rows < 11 else max(0.0, 398 - world.time.now))
            return httpx.Response(500, json={"message": "no"})
        return None

    world.hook = hook
    result = world.run(FIND, path, concurrency=2, attempts=50, timeout_s=1000.0)
    assert (world.statuses(result), pings) == ({"done": 20}, 2)
    assert asked_at
    assert early == 0


@pytest.mark.hostile("18.12 a probe ends a wait that was asked for")
def test_a_probe_keeps_a_wait_that_was_asked_for(folder: Path) -> None:
    """A probe that is told to come back later comes back then, and not before."""
    world = World(folder)
    path = world.manifest(*working_rows(world, FIND, 3))
    pinged: list[float] = []

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if is_ping(request):
            pinged.append(world.time.now)
            if len(pinged) == 2:
                return httpx.Response(503, json={"message": "later"}, headers={"Retry-After": "90"})
            return None
        return httpx.Response(500, json={"message": "no"}) if len(pinged) < 3 else None

    world.hook = hook
    result = world.run(FIND, path, concurrency=1, attempts=50)
    assert world.statuses(result) == {"done": 3}
    assert pinged[2] - pinged[1] > 89.9
