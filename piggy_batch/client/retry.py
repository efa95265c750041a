"""How long to wait before a try is repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


BACKOFF_S = 0.5
BACKOFF_MAX_S = 30.0


def backoff_s(tries: int, rng: random.Random) -> float:
    """Seconds before try ``tries`` + 1: doubling, capped, with jitter down to half."""
    return min(BACKOFF_MAX_S, BACKOFF_S * 2.0 ** (tries - 1)) * rng.uniform(0.5, 1.0)
