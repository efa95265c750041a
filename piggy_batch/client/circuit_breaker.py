"""What concerns every request of a run: throttling, maintenance, outages, and when to halt.

One answer that says "wait" holds everybody. Answers that cannot be used, one after the other, are an outage: a probe
tells whether the service is there at all, and while it is not, only the probe leaves. Holds have owners: what the
service asked for ends when it said, an outage when a probe succeeds, and neither ends the other.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.client.pause_notices import PauseNotices
from piggy_batch.client.rate_limiter import Hold
from piggy_batch.client.retry import backoff_s
from piggy_batch.endpoints import PING
from piggy_batch.endpoints.responses import ResponseAction, Verdict, classify_status, is_truncated
from piggy_batch.models import Answer, Lost, Reply

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from piggy_batch.client.clock import Clock, StopSignal
    from piggy_batch.client.http import HttpClient
    from piggy_batch.client.rate_limiter import RateLimiter


PINGS = 3  # tries to learn whether the account still answers
OUTAGE_AFTER = 10  # unusable answers in a row
HALT_AFTER_REFUSALS = 10  # refusals in a row that are not the API's own, or 403s
MORE_FILES = "raise the limit (ulimit -n), or lower --concurrency"
LONGEST_OUTAGE_S = 3600.0  # a hold that nobody ends ends by itself


def without_files(lost: Lost) -> str:
    """Why a run cannot go on that may open no more connections, and what helps."""
    return f"this machine opens no more files for this run ({lost.reason}); {MORE_FILES}"


@dataclass(slots=True)
class RequestCounts:
    """Requests of one invocation: ``sent`` counts every one, looks, probes and pages too."""

    sent: int = 0
    retried: int = 0
    throttled: int = 0


@dataclass(slots=True)
class FailureStreaks:
    """Answers of one kind in a row."""

    unusable: int = 0
    foreign: int = 0
    forbidden: int = 0
    pauses: int = 0
    good: bool = False  # a good or coded answer to more than a ping has been seen


@dataclass(slots=True)
class CircuitBreaker:
    """One per run. ``notify`` gets what happened beside the rows, one line each."""

    client: HttpClient
    limiter: RateLimiter
    clock: Clock
    stop: StopSignal
    max_wait_s: float
    notify: Callable[[str], None]
    on_wait: Callable[[float, str], None]  # everybody waits so long, for that
    rng: random.Random
    tally: RequestCounts
    halt_reason: str | None = None
    outages: int = 0  # outages that a failed probe confirmed
    _notices: PauseNotices = field(default_factory=PauseNotices)
    _streaks: FailureStreaks = field(default_factory=FailureStreaks)
    _bad_since: float | None = None
    _probing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def note(self, answer: Answer, slot: int) -> None:
        """Weigh one answer to a request of the run; may wait for what a probe finds."""
        streaks = self._streaks
        if self._halts_without_files(answer):
            return
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

    def halt(self, why: str) -> None:
        """Halt the run: no row can succeed until a person acts."""
        if self.halt_reason is None:
            self.halt_reason = why
            self.notify(f"halt: {why}")
        self.stop.set("halt")

    def _halts_without_files(self, answer: Answer) -> bool:
        """Whether this machine opened no connection for want of files, which is no outage; the run then halts."""
        if isinstance(answer, Lost) and answer.is_local:
            self.halt(without_files(answer))
            return True
        return False

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
            await self._wait_as_asked()
            answer = await self.client.send(PING, slot, self._probe_turn)
            self.tally.sent += 1
            if isinstance(answer, Reply) and answer.status not in (408, 429) and answer.status < 500:
                return answer.is_json and answer.status < 300
            if tries < PINGS and await self.stop.wait(backoff_s(tries, self.rng)):
                break
        return False

    def blocked_since(self, since: float | None, verdict: Verdict) -> float:
        """When throttling or maintenance began to hold one request up; halts where that is too long ago.

        This is for trouble that only some requests meet; a pause of everybody is weighed where it is made.
        """
        now = self.clock.now()
        since = now if since is None else since
        if now - since > self.max_wait_s:
            self.halt(
                f"HTTP {verdict.http_status} for longer than --max-wait {self.max_wait_s:g} s, though other requests "
                f"get through: {verdict.message}"
            )
        return since

    def _clear(self) -> None:
        if self._bad_since is not None and (line := self._notices.recovery(self.clock.now(), self._bad_since)):
            self.notify(line)
        self._streaks.unusable = self._streaks.pauses = 0
        self._bad_since = None

    def _pause(self, answer: Reply) -> None:
        """Hold everybody for as long as a 429 or 503 asks, or a little where it does not say."""
        streaks = self._streaks
        now, held_until = self.clock.now(), self.limiter.held_until(Hold.ASKED)
        throttled = answer.status == 429
        if throttled:
            self.tally.throttled += 1
        asked_s = answer.wait_s or None  # no wait at all would hammer a service that says no
        if asked_s is None and now < self.limiter.held_until():
            return  # one of several under way that met the same refusal
        streaks.pauses += 1
        wait_s = asked_s if asked_s is not None else backoff_s(streaks.pauses + 1, self.rng)
        what = "throttled (429)" if throttled else "in maintenance (503)"
        asked = "as asked" if asked_s is not None else "of our own choice"
        if now + wait_s <= held_until:
            return
        if self._too_long(now, wait_s):
            self.halt(f"the service is {what} and that would last longer than --max-wait {self.max_wait_s:g} s")
            return
        if line := self._notices.pause(now, wait_s, what, asked):
            self.notify(line)
        self.on_wait(wait_s, "throttled" if throttled else "maintenance")
        self.limiter.pause_until(now + wait_s, Hold.ASKED)

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
                self.limiter.pause_until(self.clock.now() + LONGEST_OUTAGE_S, Hold.OUTAGE)
                if await self._wait_as_asked():
                    break
                answer = await self.client.send(PING, slot, self._probe_turn)
                self.tally.sent += 1
                if answer is not None and self._halts_without_files(answer):
                    break
                if isinstance(answer, Reply) and answer.is_json and answer.status < 500 and answer.status != 429:
                    if tries:
                        self.notify(f"the service answers again after {self.clock.now() - started:.0f} s")
                    break
                if isinstance(answer, Reply) and answer.status in (429, 503):
                    self._pause(answer)
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
                self.on_wait(wait_s, "outage")
                await self.stop.wait(wait_s)
        finally:
            self._streaks.unusable = 0
            self._bad_since = None
            self.limiter.resume(Hold.OUTAGE)

    async def _wait_as_asked(self) -> bool:
        """A probe may leave during an outage, not while the service has asked for quiet; True: the run stops."""
        rest_s = self.limiter.held_until(Hold.ASKED) - self.clock.now()
        return rest_s > 0 and await self.stop.wait(rest_s)

    async def _probe_turn(self) -> bool:
        return await self.limiter.acquire(probe=True)
