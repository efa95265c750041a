"""The room of tqdm: what a run shows while it works, on stderr, and what it writes to run.log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

LINE_EVERY_S = 30.0

if TYPE_CHECKING:
    from pathlib import Path


class Progress(Protocol):
    """Where machines tell what happens."""

    def advance(self, kind: str, number: int = 1) -> None:
        """So many more units ended as ``kind``."""

    def note(self, kind: str, number: int) -> None:
        """So many more of something beside the units."""

    def total(self, number: int) -> None:
        """How many units there are to do, once that is known."""

    def say(self, line: str) -> None:
        """Something happened beside the rows."""

    def log_to(self, path: Path) -> None:
        """Keep what is said in that file from here on."""


class Clock(Protocol):
    """What tells when the next line is due."""

    def now(self) -> float:
        """Monotonic seconds."""


class Beside:
    """Passes on what is said; of units that are not the command's own only a line every 30 s is shown."""

    def __init__(self, inner: Progress, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self._last = clock.now()
        self._done = self._total = 0

    def advance(self, kind: str, number: int = 1) -> None:
        """Count, and say how far it is when 30 s have passed."""
        self._done += number
        if self._clock.now() - self._last >= LINE_EVERY_S:
            self._last = self._clock.now()
            self._inner.say(f"{self._done:,} of {self._total:,} pages")

    def note(self, kind: str, number: int) -> None:
        """Nothing to count."""

    def total(self, number: int) -> None:
        """How many units there are."""
        self._total = number

    def say(self, line: str) -> None:
        """Pass it on."""
        self._inner.say(line)

    def log_to(self, path: Path) -> None:
        """The log is the command's own."""
