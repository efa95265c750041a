"""The rate limiter: every HTTP request of a run waits here for its turn.

Promise: departures in any window of T seconds number at most rate x T + 1. Two neighbours are therefore
never closer than 1/rate, so lost time cannot be made up: a wait ends within microseconds of its moment, and what
takes time, as the file that other runs read, is done before that moment.

The loop's own timers end up to a millisecond late, because epoll counts in milliseconds, and later still where an
answer is read just then. So for the last bit before a departure the loop does nothing else, and the very last bit goes
by at the hand-over itself.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from piggy_batch.client.clock import Clock, StopSignal

if TYPE_CHECKING:
    from collections.abc import Callable

    from piggy_batch.client.adaptive_rate import AdaptiveRate
    from piggy_batch.client.shared_rate import SharedRate
    from piggy_batch.models import Answer


ALONE_S = 0.003  # before a departure the loop does nothing else; its timer has ended well within this
ALONE = 0.25  # of the time between two departures, at most
HAND_OVER_S = 0.001  # a longer one means that the machine did something else meanwhile
LEAD_S = 0.005  # time to write a departure where other runs see it, and ``ALONE_S``
NEAR_S = 0.25  # a row's intent is journalled only when its turn is this near


class Hold(StrEnum):
    """Who lets nothing leave for a while; each ends its own."""

    ASKED = "asked"  # the service, with a 429 or 503
    OUTAGE = "outage"  # nothing is answered
    BUDGET = "budget"  # what remains of the announced budget is left to others


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests a second may leave: ``per_second``, or with ``auto`` what the service shows to be welcome."""

    per_second: float = 0.0  # 0: no limit
    auto: bool = False

    def __str__(self) -> str:
        """As it is typed."""
        return "auto" if self.auto else f"{self.per_second:g}"

    def describe(self, reserve: float) -> str:
        """In words, for plans. ``reserve``: share of the service's budget that a chosen rate leaves to others."""
        if self.auto:
            return f"chosen by what the service shows, {reserve:.0%} of its budget left to others"
        return f"{self.per_second:g} a second" if self.per_second else "no limit"

    def least_s(self, requests: int) -> float | None:
        """Seconds that so many requests take at least; None where the rate does not say."""
        return requests / self.per_second if self.per_second and not self.auto else None

    def as_json(self) -> float | str:
        """For summaries: a number, 0 for no limit, or ``auto``."""
        return "auto" if self.auto else self.per_second


DEFAULT_RATE = Rate(5.0)  # what the vendor's own module allows itself (MAG)


class RateLimiter:
    """Hands out turns, first come first served, at most ``rate`` a second (0: no limit).

    ``governor``: chooses the rate itself (``--rate auto``). ``book``: shares the rate with other runs of the
    same account on this machine; the smallest holds for all. ``notify`` is told when that changes.
    """

    def __init__(
        self, rate: float, clock: Clock, stop: StopSignal, *, adaptive_rate: AdaptiveRate | None = None
    ) -> None:
        self.own_rate = rate
        self.clock = clock
        self.stop = stop
        self.adaptive_rate = adaptive_rate
        self.departures = 0
        self.in_flight = 0  # requests that have left in their turn, and whose answer has not come
        self._book: SharedRate | None = None
        self._notify: Callable[[str], None] = lambda _: None
        self._names: set[str] = set()
        self._next = -math.inf  # no turn before this moment
        self._due = -math.inf  # when the turn that was given last may be used
        self._left_at = -math.inf  # the last departure
        self._handing_over = False
        self._earliest = -math.inf  # what it allows, even to a turn that was given before it
        self._turn = asyncio.Lock()
        self._near = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._holds: dict[Hold, float] = {}  # by owner, until when
        self._held_until = -math.inf  # the latest of them

    @property
    def rate(self) -> float:
        """Requests a second just now, 0: no limit."""
        own = self.adaptive_rate.rate if self.adaptive_rate else self.own_rate
        return self._book.shared_rate(own) if self._book else own

    def held_until(self, hold: Hold | None = None) -> float:
        """The moment before which nothing leaves but probes, or until which one hold lasts; in the past: open."""
        return self._held_until if hold is None else self._holds.get(hold, -math.inf)

    def share(self, book: SharedRate, notify: Callable[[str], None]) -> None:
        """Share the pace with the runs that use the same slot file."""
        self._book, self._notify = book, notify

    def note(self, answer: Answer) -> float:
        """Let the governor, if there is one, weigh an answer; seconds for which it now lets nothing leave."""
        if self.adaptive_rate is None:
            return 0.0
        now = self.clock.now()
        self.adaptive_rate.note(answer, now)
        self.pause_until(self.adaptive_rate.empty_until, Hold.BUDGET)
        return max(0.0, self.adaptive_rate.empty_until - now)

    def pause_until(self, until: float, hold: Hold) -> None:
        """Let nothing leave before ``until``; the latest of several holds counts, and no other hold is touched."""
        self._holds[hold] = max(self.held_until(hold), until)
        self._held_until = max(self._holds.values())

    def resume(self, hold: Hold) -> None:
        """End one hold; what others ask for goes on."""
        self._holds.pop(hold, None)
        self._held_until = max(self._holds.values(), default=-math.inf)

    async def approach(self) -> QueuedTurn:
        """Wait until a turn is near, so that what is written before it is not written long before: not during a hold,
        and not sooner than ``NEAR_S`` before it is due."""
        while self.rate and self._near >= max(2, math.ceil(self.rate * NEAR_S)):
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._queue.append(place)
            await place
        early_s = self._near / self.rate if self.rate else 0.0
        self._near += 1
        turn = QueuedTurn(self, early_s)
        if self.clock.now() < self._held_until:
            await self._wait_open()
        if early_s > NEAR_S or self._next - self.clock.now() > NEAR_S:
            due = max(self._next, self.clock.now()) + early_s
            await self.stop.wait(due - NEAR_S - self.clock.now())
            turn.early_s = NEAR_S
        return turn

    def leave(self) -> None:
        """One place near the head of the queue is free."""
        self._near -= 1
        if self._queue:
            self._queue.popleft().set_result(None)

    async def acquire(self, *, probe: bool = False, turn: QueuedTurn | None = None) -> bool:
        """Wait for the next turn; it is used up on return. False: the run stops, or ``turn`` is held, and nothing may
        leave.

        A probe may leave during a hold and while the run stops.
        """
        calm = StopSignal() if probe else self.stop
        while True:
            if turn is not None and self.clock.now() < self._held_until:
                turn.held = True
                return False
            if not probe and await self._wait_open():
                return False
            async with self._turn:
                self._look_back()  # who has waited may be here before the loop has called it
                if calm or await self._wait_slot(calm):
                    return False
                now = self.clock.now()
                if not probe and now < self._held_until:
                    continue
                if self.rate:
                    self._next = max(now, self._due) + 1 / self.rate
                self.departures += 1
                return True

    def on_sent(self) -> None:
        """Use the turn just given: let its last microseconds go by, and count the next one from here."""
        if self.rate:
            self._left_at = self.clock.spin(max(self._due, self._earliest))
            self._earliest = self._next = self._left_at + 1 / self.rate
            self._handing_over = True
            asyncio.get_running_loop().call_soon(self._look_back)

    def _look_back(self) -> None:
        """Called as soon as the request has been handed over. A machine that stops the program just then makes it leave
        later than was noted; the next one keeps its distance all the same."""
        if not self._handing_over:
            return
        self._handing_over = False
        late = self.clock.now() - self._left_at - HAND_OVER_S
        if late > 0:
            self._earliest += late
            self._next = max(self._next, self._earliest)

    async def _wait_slot(self, stop: StopSignal) -> bool:
        """Wait for this run's slot, and, with neighbours, for their last departure; True: the run stops."""
        book, clock = self._book, self.clock
        if book is None:
            return bool(self.rate) and await self._wait_exactly(self._next, stop)
        own = self.adaptive_rate.rate if self.adaptive_rate else self.own_rate
        book.look(own, clock.now())
        self._tell(book)
        if not self.rate:
            return False
        # Alone, the stamp of the departure is enough: whoever comes next sees it and keeps away.
        slot = max(self._next, book.reserve(own, clock.now()) if book.neighbours else clock.now())
        while True:
            if not book.holds(slot) and await clock.until(slot - LEAD_S, stop):
                return True
            slot = max(slot, clock.now())
            earliest = book.depart(own, slot)
            if earliest <= slot:
                return await self._wait_exactly(slot, stop)
            slot = earliest

    async def _wait_exactly(self, slot: float, stop: StopSignal) -> bool:
        self._due = slot
        # The neighbour to whom a run without a limit gave way may have gone meanwhile.
        alone = min(ALONE_S, ALONE / self.rate) if self.rate else 0.0
        return await self.clock.until(slot, stop, alone=alone)

    def _tell(self, book: SharedRate) -> None:
        names_now = {n.name for n in book.neighbours}
        if names_now == self._names:
            return
        self._names = names_now
        if not book.neighbours:
            self._notify("no other run works on this account any more; the whole rate is this run's")
            return
        names = ", ".join(f"{n.name} (rate {f'{n.rate:g}' if n.rate else 'without limit'})" for n in book.neighbours)
        shared = f"the smallest rate, now {self.rate:g} a second" if self.rate else "no limit"
        self._notify(f"this account is also worked on by {names}; together these runs keep to {shared}")

    async def _wait_open(self) -> bool:
        while (rest := self._held_until - self.clock.now()) > 0:
            # A hold may end early, so it is waited for in short steps.
            if await self.stop.wait(min(rest, 0.5)):
                return True
        return bool(self.stop)


class QueuedTurn:
    """A place near the head of the queue; given up at departure or by :meth:`leave`. ``early_s``: seconds until its
    turn, roughly. ``held``: a hold has begun meanwhile, and the turn is not to be had before it ends."""

    __slots__ = ("_left", "_limiter", "early_s", "held")

    def __init__(self, limiter: RateLimiter, early_s: float) -> None:
        self.early_s = early_s
        self.held = False
        self._limiter = limiter
        self._left = False

    async def acquire(self) -> bool:
        """As :meth:`RateLimiter.acquire`, but for a hold: it is not waited for."""
        given = await self._limiter.acquire(turn=self)
        self.leave()
        return given

    def leave(self) -> None:
        """Make room for the next; harmless when done already."""
        if not self._left:
            self._left = True
            self._limiter.leave()
