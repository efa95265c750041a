"""Carries requests: each in its turn and through the client, and reads repeated until one is answered.

What concerns every request is decided by the circuit breaker; what concerns one row or page is left to its caller.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.client.circuit_breaker import CircuitBreaker, RequestCounts
from piggy_batch.client.retry import backoff_s
from piggy_batch.endpoints.responses import ResponseAction, Verdict, classify_status
from piggy_batch.models import Answer, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from piggy_batch.client.clock import Clock, StopSignal
    from piggy_batch.client.http import HttpClient
    from piggy_batch.client.rate_limiter import RateLimiter


PING_AFTER_FAILURES = 3  # unusable answers in a row, of all requests, before one is given up without a ping
MAX_OUTAGE_RESETS = 5  # outages that wipe out the tries of one row; one that brings the service down each time must end


@dataclass(slots=True)
class Session:
    """One per run. ``notify`` gets what happened beside the rows, one line each."""

    client: HttpClient
    limiter: RateLimiter
    clock: Clock
    stop: StopSignal
    max_wait_s: float
    notify: Callable[[str], None]
    on_wait: Callable[[float, str], None] = lambda _seconds, _reason: None  # everybody waits so long, for that
    rng: random.Random = field(default_factory=random.Random)
    tally: RequestCounts = field(default_factory=RequestCounts)
    breaker: CircuitBreaker = field(init=False)
    _rested_until: float = float("-inf")

    def __post_init__(self) -> None:
        self.breaker = CircuitBreaker(
            client=self.client,
            limiter=self.limiter,
            clock=self.clock,
            stop=self.stop,
            max_wait_s=self.max_wait_s,
            notify=self.notify,
            on_wait=self.on_wait,
            rng=self.rng,
            tally=self.tally,
        )

    @property
    def halt_reason(self) -> str | None:
        """Why the run was halted; None: it was not."""
        return self.breaker.halt_reason

    def halt(self, why: str) -> None:
        """Halt the run: no row can succeed until a person acts."""
        self.breaker.halt(why)

    async def send(
        self, request: Request, slot: int, turn: Callable[[], Awaitable[bool]] | None = None
    ) -> Answer | None:
        """Send one request in its turn; None: the run stops and nothing left this machine."""
        turn = turn or self.limiter.acquire
        departed = False

        async def depart() -> bool:
            nonlocal departed
            departed = await turn()
            self.limiter.in_flight += departed
            return departed

        try:
            answer = await self.client.send(request, slot, depart)
        finally:
            self.limiter.in_flight -= departed
        if answer is None:
            return None
        self.tally.sent += 1
        self._tell_rest(self.limiter.note(answer))
        await self.breaker.note(answer, slot)
        return answer

    def _tell_rest(self, rest_s: float) -> None:
        """Say that the budget but for the reserve is used up, once while that lasts."""
        now = self.clock.now()
        if rest_s and now >= self._rested_until:
            self.notify(
                f"what remains of the announced budget is left to others: everybody waits {rest_s:.0f} s, then looks"
            )
        if rest_s:
            self.on_wait(rest_s, "budget used up")
            self._rested_until = now + rest_s + 5.0

    async def read(self, request: Request, slot: int, tries: int) -> Answer | None:
        """Send a read until a usable answer comes, ``tries`` times; None: the run stops.

        Throttling and maintenance are waited out and use up no try. The last answer is returned as it is.
        """
        breaker = self.breaker
        used, outages, resets = 0, breaker.outages, 0
        held_up_since: float | None = None
        while True:
            answer = await self.send(request, slot)
            if answer is None:
                return None
            verdict = classify_status(answer) if isinstance(answer, Reply) else Verdict(ResponseAction.DOUBT)
            if verdict is None and isinstance(answer, Reply) and answer.is_json:
                return answer
            verdict = verdict or Verdict(ResponseAction.DOUBT)  # a success that cannot be read: damaged on its way
            match verdict.call:
                case ResponseAction.HALT:
                    self.halt(verdict.message)
                    return None
                case ResponseAction.THROTTLED | ResponseAction.MAINTENANCE:
                    held_up_since = breaker.blocked_since(held_up_since, verdict)
                    self.tally.retried += 1
                    continue
                case ResponseAction.FORBIDDEN | ResponseAction.NOT_FROM_API:
                    return None if await breaker.halts_after_refusal(verdict, slot) else answer
                case _:
                    used, held_up_since = used + 1, None
                    if used >= tries:
                        await breaker.check_outage(slot, PING_AFTER_FAILURES)
                        if breaker.outages == outages or resets >= MAX_OUTAGE_RESETS:
                            return answer
                        used, outages, resets = 0, breaker.outages, resets + 1
            if await self.stop.wait(backoff_s(max(1, used), self.rng)):
                return None
            self.tally.retried += 1
