"""The clock of a run, and the signal that stops it."""

from __future__ import annotations

import asyncio
import time

MARGIN_S = 0.0006  # at most: a sleep ends late, and it takes a while from there to the hand-over
EASE = 0.05  # of a margin that was too large is given up each time


class StopSignal:
    """Why a run takes no more rows. Set once; the first reason stays."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()
        self.reason: str | None = None

    def __bool__(self) -> bool:
        return self.reason is not None

    def set(self, reason: str) -> None:
        """Stop taking work. What is in the air lands."""
        if self.reason is None:
            self.reason = reason
            for waiter in self._waiters:
                _wake(waiter)

    async def wait(self, seconds: float) -> bool:
        """Wait, at most until the stop; True where the run stops."""
        if self:
            return True
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        timer = loop.call_later(seconds, _wake, waiter)
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
            timer.cancel()
        return bool(self)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class Clock:
    """Monotonic seconds and waiting. ``fine`` steps to the exact moment; a virtual clock needs none."""

    def __init__(self, *, fine: bool = True) -> None:
        self.fine = fine
        self._margin = MARGIN_S

    def now(self) -> float:
        """Monotonic seconds: the event loop's own time, so that a virtual loop rules here too."""
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        """Seconds since the epoch: for labels, never for waiting."""
        return time.time()

    async def until(self, when: float, stop: StopSignal, *, alone: float = 0.0) -> bool:
        """Wait until ``when``, or milliseconds later; True where the run stops first.

        ``alone``: for so many seconds before, let the loop do nothing else; the wait then ends just before ``when``,
        and :meth:`spin` does the rest.
        """
        alone = alone if self.fine else 0.0
        coarse = when - self.now() - alone
        if coarse > 0 and await stop.wait(coarse):
            return True
        if alone and not stop:
            rest = when - self.now() - self._margin
            if rest > 0:
                time.sleep(rest)  # noqa: ASYNC251 - less than ``alone``, and the loop is to do nothing else
        return bool(stop)

    def spin(self, when: float) -> float:
        """Let the last microseconds before ``when`` go by; the moment it is then.

        How long before it a wait ends is learnt here: just early enough, for what is spun away is work for nothing.
        """
        now = self.now()
        if not self.fine:
            return now
        early = when - now
        self._margin = min(MARGIN_S, self._margin - (early * EASE if early > 0 else early))
        while now < when:
            now = self.now()
        return now
