"""Rules of ``--rate auto``: how fast to go, from what the service shows. Pure: times come in as arguments.

The service announces a budget in ``X-RateLimit-Limit`` and ``X-RateLimit-Remaining``; every captured answer
carries both, and their course fits a fixed window of 60 s that its first request opens (inferred). A reserve of
that budget is left to the shop's own tills and webshop, which use the same account.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from piggy_batch.models import Answer, Lost, Reply

START = 5.0  # requests a second; what the vendor's own module allows itself
LEAST = 0.5
MOST = 200.0
WINDOW_S = 60.0
STEP_S = 1.0  # how often the rate is weighed
CLIMB = 1.1  # a step
SLOWER = 0.8  # a step while latency has doubled
SAMPLES = 20  # answers before latency is judged
SHORT = 0.2  # weight of the newest answer in the running latency
USUAL_S = 300.0  # over how long the usual latency is taken
PROBES = 0.05  # share of the reserve that may be spent on asking whether the window is over


@dataclass(slots=True)
class AdaptiveRate:
    """The present rate, requests a second. ``reserve``: share of the announced budget left to others."""

    reserve: float = 0.2
    rate: float = START
    empty_until: float = float("-inf")  # nothing leaves before: the budget but for the reserve is used up
    _answers: int = 0
    _usual_s: float = 0.0
    _recent_s: float = 0.0
    _timed_at: float = 0.0
    _weighed_at: float = 0.0
    _halved_at: float = field(default=float("-inf"))
    _ceiling: float = MOST
    _window_from: float = float("-inf")  # the window was open by then, so that it is over WINDOW_S later
    _used: int = 0  # the most that was seen used in it

    def note(self, answer: Answer, now: float) -> None:
        """Weigh one answer that came at ``now`` (monotonic seconds)."""
        if isinstance(answer, Lost):
            return
        self._read_budget(answer, now)
        if answer.status == 429:
            self._halve(now)
            return
        if answer.status >= 500:
            return
        self._time(answer.elapsed_s, now)
        if now - self._weighed_at >= STEP_S:
            self._weighed_at = now
            self._weigh()

    def _halve(self, now: float) -> None:
        # Several requests in the air meet the same wall; it counts once.
        if now - self._halved_at >= STEP_S:
            self._halved_at = self._weighed_at = now
            self.rate = max(LEAST, self.rate / 2)

    def _read_budget(self, answer: Reply, now: float) -> None:
        if answer.limit is None or answer.limit <= 0:
            return
        kept = answer.limit * self.reserve
        self._ceiling = min(MOST, max(LEAST, (answer.limit - kept) / WINDOW_S))
        self.rate = min(self.rate, self._ceiling)
        if answer.remaining is None or answer.status == 429:
            return
        used = answer.limit - answer.remaining
        if now >= self._window_from + WINDOW_S or 2 * used <= self._used:
            self._window_from, self._used = now, used
        self._used = max(self._used, used)
        probes = kept * PROBES
        in_the_air = math.ceil(self.rate * self._recent_s) + 1
        if answer.remaining <= kept + probes + in_the_air:
            # When the window ends is not said: it is asked now and then, as far as the reserve bears it.
            every_s = WINDOW_S / max(1, math.floor(probes / in_the_air))
            self.empty_until = min(now + every_s, self._window_from + WINDOW_S)

    def _time(self, elapsed_s: float, now: float) -> None:
        self._answers += 1
        passed_s, self._timed_at = now - self._timed_at, now
        if self._answers == 1:
            self._usual_s = self._recent_s = elapsed_s
            return
        weight = 1 / self._answers if self._answers <= SAMPLES else min(1.0, passed_s / USUAL_S)
        self._usual_s += (elapsed_s - self._usual_s) * weight
        self._recent_s += (elapsed_s - self._recent_s) * SHORT

    def _weigh(self) -> None:
        slow = self._answers > SAMPLES and self._recent_s > 2 * self._usual_s
        self.rate = max(LEAST, self.rate * SLOWER) if slow else min(self._ceiling, self.rate * CLIMB)
