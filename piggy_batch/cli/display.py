"""The progress bar and its lines."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from piggy_batch.runs.progress import LINE_EVERY_S
from piggy_batch.text import duration, printable_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType


class ProgressDisplay:
    """A bar on a terminal; elsewhere a line every 30 s. ``say`` goes to stderr and to the log.

    ``quiet``: nothing is shown, the log is written all the same.
    """

    def __init__(
        self, unit: str, *, bar: bool, quiet: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._unit = unit
        self._clock = clock
        self._log: int | None = None
        self._counts: Counter[str] = Counter()
        self._total = 0
        self._done = 0
        self._bar: Any = None
        self._want_bar = bar and not quiet
        self._quiet = quiet
        self._started = self._last = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._seen():
            if self._bar is not None:
                self._bar.close()
        if self._log is not None:
            os.close(self._log)
            self._log = None

    def total(self, number: int) -> None:
        """Size the bar."""
        self._total = number
        with self._seen():
            if self._want_bar and number and self._bar is None:
                from tqdm import tqdm

                self._bar = tqdm(
                    total=number, unit=f" {self._unit}", file=sys.stderr, dynamic_ncols=True, smoothing=0.05
                )
            elif self._bar is not None:
                self._bar.total = number
                self._bar.refresh()

    def advance(self, kind: str, number: int = 1) -> None:
        """Move the bar, or print a line when 30 s have passed."""
        self._counts[kind] += number
        self._done += number
        if self._bar is not None:
            with self._seen():
                self._bar.set_postfix_str(self._tail(), refresh=False)
                self._bar.update(number)
        elif self._clock() - self._last >= LINE_EVERY_S:
            self._last = self._clock()
            self._print(f"{self._done:,} of {self._total:,} {self._unit} · {self._tail()} · {self._left()}")

    def note(self, kind: str, number: int) -> None:
        """Count beside the bar."""
        self._counts[kind] += number

    def log_to(self, path: Path) -> None:
        """Append what is said to a file from here on."""
        if self._log is None:
            self._log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def say(self, line: str) -> None:
        """Print a line above the bar, and log it with the time."""
        line = printable_line(line)
        if self._log is not None:
            stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            with contextlib.suppress(OSError):  # a full disk ends a run where the journal meets it, not here
                os.write(self._log, f"{stamp} {line}\n".encode())
        self._print(line)

    def _print(self, line: str) -> None:
        if self._quiet:
            return
        with self._seen():
            if self._bar is not None:
                self._bar.write(line, file=sys.stderr)
            else:
                print(line, file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def _seen(self) -> Iterator[None]:
        """A terminal or reader that has gone must not end an import: from then on there is no bar."""
        try:
            yield
        except OSError:
            self._want_bar = False
            if self._bar is not None:
                self._bar.disable = True  # or it would try once more when it is thrown away
                self._bar = None

    def _tail(self) -> str:
        return ", ".join(f"{kind} {number:,}" for kind, number in sorted(self._counts.items()))

    def _left(self) -> str:
        spent = self._clock() - self._started
        if not self._done or self._total <= self._done:
            return "nearly done"
        return f"about {duration(spent / self._done * (self._total - self._done))} left"
