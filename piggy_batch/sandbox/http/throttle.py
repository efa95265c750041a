"""The throttle: so many requests in a fixed window of 60 s, per token.

The window and the headers are inferred from captured counters (POST) and the framework's documented limiter;
the figure of 5000 a minute was seen on a development box, the production figure is not known.
"""

from __future__ import annotations

from dataclasses import dataclass

WINDOW_S = 60


@dataclass(slots=True)
class _Window:
    opened: float  # seconds on the sandbox's clock
    used: int


@dataclass(frozen=True, slots=True)
class LimitState:
    """What the throttle says to one request; ``limit`` 0 means that there is no throttle and no header."""

    allowed: bool
    limit: int
    remaining: int
    wait_s: int  # until the window ends; 0 while allowed
    resets_at: int  # Unix time; 0 while allowed


class Throttle:
    """Counts requests per key in windows that the first request opens."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._windows: dict[str, _Window] = {}

    def admit(self, key: str, now: float) -> LimitState:
        """Counts one request at ``now`` (seconds on the sandbox's clock). A refused one is not counted."""
        limit = self.limit
        if limit <= 0:
            return LimitState(allowed=True, limit=0, remaining=0, wait_s=0, resets_at=0)
        window = self._windows.get(key)
        if window is None or not 0 <= now - window.opened < WINDOW_S:
            window = self._windows[key] = _Window(now, 0)
        if window.used >= limit:
            ends = window.opened + WINDOW_S
            wait_s = max(1, -int(-(ends - now) // 1))
            return LimitState(allowed=False, limit=limit, remaining=0, wait_s=wait_s, resets_at=int(now + wait_s))
        window.used += 1
        return LimitState(allowed=True, limit=limit, remaining=limit - window.used, wait_s=0, resets_at=0)
