"""What a run tells while it works; how that is shown is the command line's business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

LINE_EVERY_S = 30.0

if TYPE_CHECKING:
    from pathlib import Path


class ProgressReporter(Protocol):
    """Is told what happens during a run."""

    def advance(self, kind: str, number: int = 1) -> None:
        """So many more units ended as ``kind``."""

    def note(self, kind: str, number: int) -> None:
        """So many more of something beside the units."""

    def total(self, number: int) -> None:
        """How many units there are to do, once that is known."""

    def waits(self, seconds: float, reason: str) -> None:
        """Everybody waits so long, for that."""

    def say(self, line: str) -> None:
        """Something happened beside the rows."""

    def log_to(self, path: Path) -> None:
        """Keep what is said in that file from here on."""


class MonotonicClock(Protocol):
    """What tells when the next line is due."""

    def now(self) -> float:
        """Monotonic seconds."""


class NestedProgress:
    """The progress of a step inside a command that has sized the bar and opened the log itself.

    Units move the command's bar; those called otherwise, as ``unit`` says, are told in a line every 30 s instead.
    """

    def __init__(
        self, inner: ProgressReporter, *, unit: str | None = None, clock: MonotonicClock | None = None
    ) -> None:
        self.inner = inner
        self._unit = unit
        self._clock = clock
        self._last = clock.now() if clock else 0.0
        self._done = self._total = 0

    def advance(self, kind: str, number: int = 1) -> None:
        """Move the command's bar, or count, and say how far it is when 30 s have passed."""
        if self._unit is None or self._clock is None:
            self.inner.advance(kind, number)
            return
        self._done += number
        if self._clock.now() - self._last >= LINE_EVERY_S:
            self._last = self._clock.now()
            self.inner.say(f"{self._done:,} of {self._total:,} {self._unit}")

    def note(self, kind: str, number: int) -> None:
        """Pass on what concerns the command's own units."""
        if self._unit is None:
            self.inner.note(kind, number)

    def total(self, number: int) -> None:
        """How many units the step has; the command has sized its bar."""
        self._total = number

    def waits(self, seconds: float, reason: str) -> None:
        """Pass it on."""
        self.inner.waits(seconds, reason)

    def say(self, line: str) -> None:
        """Pass it on."""
        self.inner.say(line)

    def log_to(self, path: Path) -> None:
        """The command keeps one log."""
