"""--rate auto: as fast as the service is content with, and never at the cost of the shop's own tills."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from piggy_batch.client.adaptive_rate import LEAST, START, AdaptiveRate
from piggy_batch.models import Lost, Reply
from piggy_batch.sandbox import Fault, make_app
from tests.support.world import World, in_virtual_time


def answer(**told: Any) -> Reply:
    """An answer as the governor sees it."""
    return Reply(**({"status": 200, "body": {}, "is_json": True, "elapsed_s": 0.05} | told))


def steady(adaptive_rate: AdaptiveRate, seconds: int, begin: float = 0.0, **told: Any) -> float:
    """So many seconds of answers, ten a second; when it ended."""
    for tenth in range(seconds * 10):
        adaptive_rate.note(answer(**told), begin + tenth / 10)
    return begin + seconds


# --- the rules -----------------------------------------------------------------------------------------


def test_it_starts_at_five() -> None:
    """What the vendor's own module allows itself."""
    assert AdaptiveRate().rate == START == 5.0


def test_it_climbs_while_the_service_is_content() -> None:
    """A tenth a second, no jump."""
    adaptive_rate = AdaptiveRate()
    rates = [adaptive_rate.rate]
    for second in range(1, 20):
        steady(adaptive_rate, 1, second)
        rates.append(adaptive_rate.rate)
    assert rates[-1] > 4 * START
    assert all(after <= before * 1.11 for before, after in itertools.pairwise(rates))


def test_it_stays_below_the_announced_budget_less_the_reserve() -> None:
    """600 a minute, 20 % kept: 8 a second at most; 50 % kept: 5."""
    adaptive_rate = AdaptiveRate()
    steady(adaptive_rate, 60, limit=600, remaining=590)
    assert adaptive_rate.rate == pytest.approx(8.0)
    half = AdaptiveRate(reserve=0.5)
    steady(half, 60, limit=600, remaining=590)
    assert half.rate == pytest.approx(5.0)


def test_it_halves_on_429_once_for_several_in_the_air() -> None:
    """Eight requests that meet the same wall are one wall."""
    adaptive_rate = AdaptiveRate()
    at = steady(adaptive_rate, 20)
    before = adaptive_rate.rate
    for n in range(8):
        adaptive_rate.note(answer(status=429), at + n / 100)
    assert adaptive_rate.rate == pytest.approx(before / 2)
    adaptive_rate.note(answer(status=429), at + 2)
    assert adaptive_rate.rate == pytest.approx(before / 4)


def test_it_never_falls_below_the_least() -> None:
    """However often it is refused."""
    adaptive_rate = AdaptiveRate()
    for n in range(50):
        adaptive_rate.note(answer(status=429), 10.0 + 2 * n)
    assert adaptive_rate.rate == LEAST


def test_it_recovers_after_a_429() -> None:
    """Climbing as before."""
    adaptive_rate = AdaptiveRate()
    at = steady(adaptive_rate, 20)
    before = adaptive_rate.rate
    adaptive_rate.note(answer(status=429), at)
    steady(adaptive_rate, 20, at + 1)
    assert adaptive_rate.rate > before


def test_it_slows_down_when_latency_doubles_and_comes_back() -> None:
    """At any rate: what is usual is a matter of minutes, not of so many answers."""
    adaptive_rate = AdaptiveRate()
    at = steady(adaptive_rate, 30)
    before = adaptive_rate.rate
    at = steady(adaptive_rate, 20, at, elapsed_s=0.125)
    assert adaptive_rate.rate < before / 4
    steady(adaptive_rate, 60, at)
    assert adaptive_rate.rate >= before


def test_what_got_slow_for_good_becomes_usual() -> None:
    """It does not crawl for ever."""
    adaptive_rate = AdaptiveRate()
    at = steady(adaptive_rate, 30)
    steady(adaptive_rate, 300, at, elapsed_s=0.15)
    assert adaptive_rate.rate > START


def test_lost_answers_and_server_errors_teach_nothing() -> None:
    """No header, no latency."""
    adaptive_rate = AdaptiveRate()
    for n in range(100):
        adaptive_rate.note(Lost("gone", sent=True), 10.0 + n)
        adaptive_rate.note(answer(status=502, elapsed_s=30.0), 10.5 + n)
    assert adaptive_rate.rate == START


@pytest.mark.parametrize("told", [{"limit": 0, "remaining": 0}, {"limit": 60}, {"remaining": 3}, {}])
def test_strange_headers_stop_nobody(told: dict[str, int]) -> None:
    """A limit of 0, or half of what belongs together."""
    adaptive_rate = AdaptiveRate()
    steady(adaptive_rate, 30, **told)
    assert adaptive_rate.rate >= LEAST
    assert adaptive_rate.empty_until == float("-inf")


def test_at_the_reserve_it_rests_until_the_window_is_over() -> None:
    """A small budget bears no probing: nothing leaves before 60 s after the window was first seen open."""
    adaptive_rate = AdaptiveRate()
    adaptive_rate.note(answer(limit=100, remaining=99), 1000.0)
    adaptive_rate.note(answer(limit=100, remaining=60), 1010.0)
    assert adaptive_rate.empty_until < 1010.0
    adaptive_rate.note(answer(limit=100, remaining=21), 1020.0)
    assert adaptive_rate.empty_until == 1060.0
    adaptive_rate.note(answer(limit=100, remaining=99), 1061.0)
    assert adaptive_rate.empty_until <= 1061.0


def test_a_large_reserve_bears_a_few_probes() -> None:
    """5,000 a minute: it asks now and then, at most a twentieth of the reserve."""
    adaptive_rate = AdaptiveRate()
    adaptive_rate.note(answer(limit=5000, remaining=4999), 1000.0)
    adaptive_rate.note(answer(limit=5000, remaining=1000), 1001.0)
    rest_s = adaptive_rate.empty_until - 1001.0
    assert 60 / 50 <= rest_s <= 60 / 10


# --- against the service -----------------------------------------------------------------------------------


class _Till:
    """The shop's own traffic: the same account, so many requests a second, until it is told to stop."""

    def __init__(self, world: World, rate: float) -> None:
        self.world = world
        self.rate = rate
        self.refused = 0
        self.sent = 0
        self.open = True

    async def run(self) -> None:
        transport = httpx.ASGITransport(app=make_app(self.world.sandbox))
        url = "http://sandbox.test/api/v3/oauth/clients"
        while self.open:
            request = httpx.Request("GET", url, headers={"Authorization": "Bearer sandbox"})
            response = await transport.handle_async_request(request)
            await response.aread()
            self.sent += 1
            self.refused += response.status_code == 429
            await asyncio.sleep(1 / self.rate)


def beside(world: World, till: _Till, work: Callable[[], Awaitable[Any]]) -> Any:
    """Do the work while the till sends."""

    async def both() -> Any:
        sending = asyncio.ensure_future(till.run())
        try:
            return await work()
        finally:
            till.open = False
            await sending

    return in_virtual_time(both(), world.time)


@pytest.mark.parametrize(
    ("limit", "till_rate", "rows"), [(120, 0.5, 400), (600, 3.0, 1500), (60, 0.4, 150)], ids=["120", "600", "60"]
)
def test_the_reserve_is_left_to_the_till(
    make_world: Callable[..., World], limit: int, till_rate: float, rows: int
) -> None:
    """By the throttle's own counter: none of our requests goes below it, and the till is never refused."""
    world = make_world(limit_per_minute=limit, latency_ms=40)
    ours: list[int] = []

    async def hook(request: httpx.Request) -> None:
        window = world.sandbox.throttle._windows.get("Bearer sandbox")
        fresh = window is None or world.wall() - window.opened >= 60
        ours.append(limit - 1 if fresh else limit - window.used - 1)

    world.hook = hook
    till = _Till(world, till_rate)
    manifest = world.manifest("contact_identifier_value", [f"CARD-{1 + n % 40:06d}" for n in range(rows)])
    result = beside(world, till, lambda: world.run_async("identifiers find", manifest, rate=None))
    assert result.exit_code == 0
    assert till.refused == 0
    assert world.state["statuses"].get("429", 0) == 0
    assert min(ours) >= limit * 0.2 - 1
    # And it does not dawdle: at least two thirds of what the till and the reserve leave.
    budget = limit * 0.8 - till_rate * 60
    minutes = -(-(world.time.now) // 60)
    assert len(ours) >= 0.6 * budget * (minutes - 1)


def test_it_says_why_it_rests(make_world: Callable[..., World]) -> None:
    """Once a window, not with every answer."""
    world = make_world(limit_per_minute=60)
    manifest = world.manifest("contact_identifier_value", [f"CARD-{1 + n % 40:06d}" for n in range(150)])
    world.run("identifiers find", manifest, rate=None)
    told = [line for line in world.said.lines if "announced budget is left to others" in line]
    assert 1 <= len(told) <= 4


def test_without_headers_it_climbs_and_obeys_retry_after(make_world: Callable[..., World]) -> None:
    """Throttled in the middle: nothing leaves while Retry-After lasts, the pace halves, then it climbs again."""
    world = make_world(latency_ms=40)
    world.sandbox.plan(Fault("429", after_n=200, times=1, wait_s=30))
    manifest = world.manifest("contact_identifier_value", [f"CARD-{1 + n % 40:06d}" for n in range(900)])
    assert world.run("identifiers find", manifest, rate=None, concurrency=16).exit_code == 0
    gaps = [(b - a, i) for i, (a, b) in enumerate(zip(world.departures, world.departures[1:], strict=False))]
    longest, at = max(gaps)
    assert 29.5 <= longest <= 31.5
    before, after = world.departures[at - 20 : at], world.departures[at + 2 : at + 12]
    pace_before = (len(before) - 1) / (before[-1] - before[0])
    pace_after = (len(after) - 1) / (after[-1] - after[0])
    assert pace_after < 0.75 * pace_before
    last = world.departures[-20:]
    assert 19 / (last[-1] - last[0]) > pace_after
    first = world.departures[:5]
    assert 4 / (first[-1] - first[0]) <= 5.0 + 1e-6


def test_it_slows_down_when_the_service_does(make_world: Callable[..., World]) -> None:
    """Latency doubles and more in the middle of a run."""
    world = make_world(latency_ms=40)
    manifest = world.manifest("contact_identifier_value", [f"CARD-{1 + n % 40:06d}" for n in range(900)])

    async def hook(request: httpx.Request) -> None:
        world.sandbox.latency_s = 0.12 if len(world.departures) > 400 else 0.04

    world.hook = hook
    world.run("identifiers find", manifest, rate=None, concurrency=100)
    before = world.departures[380:400]
    slow = min(19 / (world.departures[i + 19] - world.departures[i]) for i in range(450, 860))
    assert slow < 0.5 * 19 / (before[-1] - before[0])


# --- a fixed rate is a ceiling ---------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [1.0, 5.0, 37.0])
def test_a_fixed_rate_is_never_exceeded(make_world: Callable[..., World], rate: float) -> None:
    """Ping, rows, retries, looks and probes, under faults: all pairs of departures."""
    faults = (
        Fault("reset-after", share=0.1, method="POST"),
        Fault("500", share=0.1, method="POST"),
        Fault("429-bare", share=0.05),
        Fault("502-html", share=0.05),
        Fault("503", share=0.02),
    )
    world = make_world(faults=faults, latency_ms=30)
    manifest = world.manifest("contact_identifier_value", [f"NEW-{n:05d}" for n in range(80)])
    world.run("identifiers create", manifest, rate=rate)
    departures = world.departures
    assert len(departures) > 100
    for i, first in enumerate(departures):
        for j in range(i + 1, len(departures)):
            assert j - i + 1 <= rate * (departures[j] - first) + 1 + 1e-6


def test_max_duration_ends_softly_and_says_how_to_go_on(world: World) -> None:
    """What is in the air lands, the rest is pending, exit 1, and the same command goes on to the end."""
    manifest = world.manifest("contact_identifier_value", [f"NEW-{n:05d}" for n in range(40)])
    result = world.run("identifiers create", manifest, rate=2.0, max_duration_s=10.0)
    assert result.exit_code == 1
    counts = world.statuses(result)
    assert 15 <= counts["done"] <= 21
    assert counts["done"] + counts["pending"] == 40
    assert "--max-duration is over; everything is in the journal" in result.notes
    assert result.summary is not None
    assert result.summary["next"] == "piggy-batch the same"
    assert world.run("identifiers create", manifest, rate=0.0).exit_code == 0
    assert max(world.times("identifiers.create").values()) == 1


def test_max_duration_ends_a_pause_too(world: World) -> None:
    """Throttled for an hour, a window of a minute: it does not outlast its window."""
    world.sandbox.plan(Fault("429", after_n=5, wait_s=1200))
    manifest = world.manifest("contact_identifier_value", [f"NEW-{n:05d}" for n in range(40)])
    result = world.run("identifiers create", manifest, max_duration_s=60.0)
    assert result.exit_code == 1
    assert world.time.now < 62
