"""Carries requests through pacer and api, and knows the weather: throttling, maintenance, outages, halts.

What concerns everybody is decided here; what concerns one row or page is left to its machine.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.client.retry import backoff_s
from piggy_batch.endpoints import PING
from piggy_batch.endpoints.responses import ResponseAction, Verdict, classify_status, is_truncated
from piggy_batch.models import Answer, Lost, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from piggy_batch.client.clock import Clock, StopSignal
    from piggy_batch.client.http import HttpClient
    from piggy_batch.client.rate_limiter import RateLimiter


PINGS = 3  # tries to learn whether the account still answers
OUTAGE_AFTER = 10  # unusable answers in a row
HALT_AFTER_REFUSALS = 10  # refusals in a row that are not the API's own, or 403s
PING_AFTER_FAILURES = (
    3  # unusable answers in a row, everybody's, that make a ping worth sending before a row is given up
)
MAX_OUTAGE_RESETS = 5  # outages that wipe out the tries of one row; one that brings the service down each time must end


@dataclass(slots=True)
class RequestCounts:
    """Requests of one invocation: ``sent`` counts every one, looks, probes and pages too."""

    sent: int = 0
    retried: int = 0
    throttled: int = 0


@dataclass(slots=True)
class FailureStreaks:
    unusable: int = 0
    foreign: int = 0
    forbidden: int = 0
    pauses: int = 0
    good: bool = False  # a good or coded answer to more than a ping has been seen


@dataclass(slots=True)
class Session:
    """One per run. ``notify`` gets what happened beside the rows, one line each."""

    client: HttpClient
    limiter: RateLimiter
    clock: Clock
    stop: StopSignal
    max_wait_s: float
    notify: Callable[[str], None]
    rng: random.Random = field(default_factory=random.Random)
    tally: RequestCounts = field(default_factory=RequestCounts)
    halt_reason: str | None = None
    outages: int = 0  # outages that a failed probe confirmed
    _streaks: FailureStreaks = field(default_factory=FailureStreaks)
    _bad_since: float | None = None
    _rested_until: float = float("-inf")
    _probing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send(
        self, request: Request, slot: int, turn: Callable[[], Awaitable[bool]] | None = None
    ) -> Answer | None:
        """Send one request in its turn; None: the run stops and nothing left this machine."""
        answer = await self.client.send(request, slot, turn or self.limiter.acquire)
        if answer is None:
            return None
        self.tally.sent += 1
        self._tell_rest(self.limiter.note(answer))
        await self._note(answer, slot)
        return answer

    def _tell_rest(self, rest_s: float) -> None:
        """Say that the budget but for the reserve is used up, once while that lasts."""
        now = self.clock.now()
        if rest_s and now >= self._rested_until:
            self.notify(
                f"what remains of the announced budget is left to others: everybody waits {rest_s:.0f} s, then looks"
            )
        if rest_s:
            self._rested_until = now + rest_s + 5.0

    async def read(self, request: Request, slot: int, tries: int) -> Answer | None:
        """Send a read until a usable answer comes, ``tries`` times; None: the run stops.

        Throttling and maintenance are waited out and use up no try. The last answer is returned as it is.
        """
        used, outages, excuses = 0, self.outages, 0
        walled_since: float | None = None
        while True:
            answer = await self.send(request, slot)
            if answer is None:
                return None
            verdict = classify_status(answer) if isinstance(answer, Reply) else Verdict(ResponseAction.DOUBT)
            if verdict is None and isinstance(answer, Reply) and answer.is_json:
                return answer
            verdict = verdict or Verdict(
                ResponseAction.DOUBT
            )  # a success to be read that cannot be: damaged on its way
            match verdict.call:
                case ResponseAction.HALT:
                    self.halt(verdict.message)
                    return None
                case ResponseAction.THROTTLED | ResponseAction.MAINTENANCE:
                    walled_since = self.blocked_since(walled_since, verdict)
                    self.tally.retried += 1
                    continue
                case ResponseAction.FORBIDDEN | ResponseAction.NOT_FROM_API:
                    return None if await self.halts_after_refusal(verdict, slot) else answer
                case _:
                    used, walled_since = used + 1, None
                    if used >= tries:
                        await self.check_outage(slot, PING_AFTER_FAILURES)
                        if self.outages == outages or excuses >= MAX_OUTAGE_RESETS:
                            return answer
                        used, outages, excuses = 0, self.outages, excuses + 1
            if await self.stop.wait(backoff_s(max(1, used), self.rng)):
                return None
            self.tally.retried += 1

    def halt(self, why: str) -> None:
        """Halt the run: no row can succeed until a person acts."""
        if self.halt_reason is None:
            self.halt_reason = why
            self.notify(f"halt: {why}")
        self.stop.set("halt")

    async def halts_after_refusal(self, verdict: Verdict, slot: int) -> bool:
        """Weigh a 403 or a refusal that is not the API's own; True: the run halts, False: only this one."""
        streaks = self._streaks
        if verdict.call is ResponseAction.NOT_FROM_API:
            streaks.foreign += 1
            if not streaks.good or streaks.foreign >= HALT_AFTER_REFUSALS:
                self.halt(
                    f"HTTP {verdict.http_status}, not the service's own answer: {verdict.message}; "
                    "check --base-url, and any proxy or firewall between"
                )
                return True
            return False
        streaks.forbidden += 1
        if streaks.forbidden >= HALT_AFTER_REFUSALS:
            self.halt(f"403 for {streaks.forbidden} requests in a row: {verdict.message}; check the token's rights")
            return True
        if await self._account_answers(slot):
            return False
        self.halt(f"403 and the account itself no longer answers: {verdict.message}; check the token")
        return True

    async def _account_answers(self, slot: int) -> bool:
        """Whether a ping succeeds; what is neither a success nor a refusal is asked again a few times."""
        for tries in range(1, PINGS + 1):
            answer = await self.client.send(PING, slot, self._probe_turn)
            self.tally.sent += 1
            if isinstance(answer, Reply) and answer.status not in (408, 429) and answer.status < 500:
                return answer.is_json and answer.status < 300
            if tries < PINGS and await self.stop.wait(backoff_s(tries, self.rng)):
                break
        return False

    def blocked_since(self, since: float | None, verdict: Verdict) -> float:
        """When throttling or maintenance began to hold one request up; halts where that is too long ago.

        The pauses of everybody are weighed elsewhere; this one ends a wall that only some requests meet.
        """
        now = self.clock.now()
        since = now if since is None else since
        if now - since > self.max_wait_s:
            self.halt(
                f"HTTP {verdict.http_status} for longer than --max-wait {self.max_wait_s:g} s, though other requests "
                f"get through: {verdict.message}"
            )
        return since

    async def _probe_turn(self) -> bool:
        return await self.limiter.acquire(probe=True)

    async def _note(self, answer: Answer, slot: int) -> None:
        streaks = self._streaks
        if isinstance(answer, Lost):
            await self._unusable(answer.reason, slot)
            return
        if answer.status in (429, 503):
            self._pause(answer)
            return
        if answer.status >= 500 or is_truncated(answer) or (not answer.is_json and answer.status < 300 and answer.text):
            await self._unusable(f"HTTP {answer.status}", slot)
            return
        self._clear()
        verdict = classify_status(answer)
        if verdict is None:
            streaks.good = True
            streaks.foreign = streaks.forbidden = 0
        elif verdict.call is ResponseAction.FORBIDDEN:
            streaks.foreign = 0
        elif verdict.call is ResponseAction.NOT_FROM_API:
            streaks.forbidden = 0

    def _clear(self) -> None:
        if self._bad_since is not None:
            self.notify("the service answers again")
        self._streaks.unusable = self._streaks.pauses = 0
        self._bad_since = None

    def _pause(self, answer: Reply) -> None:
        streaks = self._streaks
        now = self.clock.now()
        throttled = answer.status == 429
        if throttled:
            self.tally.throttled += 1
        asked_s = answer.wait_s or None  # no wait at all would hammer a service that says no
        if now < self.limiter.held_until and asked_s is None:
            return  # one of several in the air that met the same wall
        streaks.pauses += 1
        wait_s = asked_s if asked_s is not None else backoff_s(streaks.pauses + 1, self.rng)
        what = "throttled (429)" if throttled else "in maintenance (503)"
        asked = "as asked" if asked_s is not None else "of our own choice"
        if now + wait_s <= self.limiter.held_until:
            return
        if self._too_long(now, wait_s):
            self.halt(f"the service is {what} and that would last longer than --max-wait {self.max_wait_s:g} s")
            return
        self.notify(f"{what}: everybody pauses {wait_s:.1f} s, {asked}")
        self.limiter.pause_until(now + wait_s)

    def _too_long(self, now: float, wait_s: float) -> bool:
        if self._bad_since is None:
            self._bad_since = now
        return now + wait_s - self._bad_since > self.max_wait_s

    async def check_outage(self, slot: int, least: int) -> None:
        """Ping if the last ``least`` answers of the whole run were unusable; wait out an outage."""
        if self._streaks.unusable >= least or self._probing.locked():
            await self._probe_once("no usable answer", slot)

    async def _unusable(self, reason: str, slot: int) -> None:
        self._streaks.unusable += 1
        if self._streaks.unusable >= OUTAGE_AFTER and not self._probing.locked():
            await self._probe_once(reason, slot)

    async def _probe_once(self, reason: str, slot: int) -> None:
        """One prober at a time; who comes while it probes waits for what it finds."""
        waited = self._probing.locked()
        async with self._probing:
            if not waited:
                await self._probe(reason, slot)

    async def _probe(self, reason: str, slot: int) -> None:
        """Hold everybody and ping until the service answers. The first ping that succeeds at once means
        that the service is there and only these requests fail: nothing to wait for."""
        tries = 0
        started = self.clock.now()
        try:
            while not self.stop:
                self.limiter.pause_until(self.clock.now() + 3600)
                answer = await self.client.send(PING, slot, self._probe_turn)
                self.tally.sent += 1
                if isinstance(answer, Reply) and answer.is_json and answer.status < 500 and answer.status != 429:
                    if tries:
                        self.notify(f"the service answers again after {self.clock.now() - started:.0f} s")
                    break
                tries += 1
                if tries == 1:
                    self.outages += 1
                    self.notify(
                        f"outage: {self._streaks.unusable} requests in a row failed ({reason}); everybody pauses, "
                        "pings tell when the service is back"
                    )
                wait_s = backoff_s(min(tries, 8), self.rng)
                if self._too_long(self.clock.now(), wait_s):
                    self.halt(f"the service has not answered for --max-wait {self.max_wait_s:g} s ({reason})")
                    break
                await self.stop.wait(wait_s)
        finally:
            self._streaks.unusable = 0
            self._bad_since = None
            self.limiter.resume()
