"""A progress that keeps what it is told."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class RecordingProgress:
    """Shows nothing; keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.counts: Counter[str] = Counter()

    def advance(self, kind: str, number: int = 1) -> None:
        """Count."""
        self.counts[kind] += number

    def note(self, kind: str, number: int) -> None:
        """Count."""
        self.counts[kind] += number

    def total(self, number: int) -> None:
        """Nothing to size."""

    def waits(self, seconds: float, reason: str) -> None:
        """Nothing to show."""

    def say(self, line: str) -> None:
        """Keep the line."""
        self.lines.append(line)

    def log_to(self, path: Path) -> None:
        """Nothing to write."""
