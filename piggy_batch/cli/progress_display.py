"""The progress bar and its lines."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections import Counter, deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import click

from piggy_batch.cli.terminal import fit
from piggy_batch.errors import PiggyBatchError
from piggy_batch.runs.progress import LINE_EVERY_S
from piggy_batch.runs.run_log import RunLog
from piggy_batch.text import duration, printable_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

DRAW_EVERY_S = 0.2
RATE_OVER_S = 60.0  # the pace shown is that of the last minute
BAR_FORMAT = "{percentage:3.0f}% {bar:10} {desc}"
GOOD_ENDS = ("done", "already", "absent")
BEFORE_DESC = len("100% ---------- ")


EXPECTED = (PiggyBatchError, click.ClickException, click.Abort, click.exceptions.Exit)  # ends that say what they are
LOGGED_IN = "traceback: "  # begins the note on an exception whose traceback was kept


class ProgressDisplay:
    """A bar on a terminal; elsewhere a line every 30 s. ``say`` goes to stderr and to the log.

    ``quiet``: nothing is shown, the log is written all the same.
    """

    def __init__(
        self,
        unit: str,
        *,
        bar: bool,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._unit = unit
        self._clock = clock
        self._wall = wall
        self._log = RunLog()
        self._counts: Counter[str] = Counter()
        self._total = 0
        self._done = 0
        self._bar: Any = None
        self._want_bar = bar and not quiet
        self._quiet = quiet
        self._waiting: tuple[float, str] | None = None  # until when, and for what
        self._last = clock()
        self._drawn_at = float("-inf")
        self._samples: deque[tuple[float, int]] = deque([(self._last, 0)])  # (moment, units done by then)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._seen():
            if self._bar is not None:
                self._draw(self._clock())
                self._bar.close()
        if self._log.path is not None and isinstance(error, Exception) and not isinstance(error, EXPECTED):
            self._log.write_traceback(error)
            error.add_note(f"{LOGGED_IN}{self._log.path}")
        self._log.close()

    def total(self, number: int) -> None:
        """Size the bar."""
        self._total = number
        with self._seen():
            if self._want_bar and number and self._bar is None:
                for name in [name for name in os.environ if name.startswith("TQDM_")]:
                    del os.environ[name]  # meant for other programs; a wrong one ends this one
                from tqdm import tqdm

                self._bar = tqdm(total=number, file=sys.stderr, dynamic_ncols=True, bar_format=BAR_FORMAT)
            elif self._bar is not None:
                self._bar.total = number
                self._draw(self._clock())

    def advance(self, kind: str, number: int = 1) -> None:
        """Move the bar, or print a line when 30 s have passed."""
        self._counts[kind] += number
        self._done += number
        now = self._clock()
        if self._bar is not None:
            if now - self._drawn_at >= DRAW_EVERY_S or self._done >= self._total:
                with self._seen():
                    self._draw(now)
        elif now - self._last >= LINE_EVERY_S:
            self._last = now
            self._print(self._state(now))

    def note(self, kind: str, number: int) -> None:
        """Count beside the bar."""
        self._counts[kind] += number

    def waits(self, seconds: float, reason: str) -> None:
        """Show what is waited for, and until when."""
        now = self._clock()
        self._waiting = (now + seconds, f"{reason} until {self._wall() + timedelta(seconds=seconds):%H:%M:%S}")
        with self._seen():
            if self._bar is not None:
                self._draw(now)

    def log_to(self, path: Path) -> None:
        """Append what is said to a file from here on."""
        if told := self._log.open(path):
            self.say(told)

    def say(self, line: str) -> None:
        """Print a line above the bar, and log it with the time."""
        line = printable_line(line)
        self._log.write(line)
        self._print(line)

    def _print(self, line: str) -> None:
        if self._quiet:
            return
        with self._seen():
            line = fit(line, sys.stderr)
            if self._bar is not None:
                self._bar.write(line, file=sys.stderr)
            else:
                print(line, file=sys.stderr, flush=True)

    def _draw(self, now: float) -> None:
        self._drawn_at = now
        self._bar.n = self._done
        room = shutil.get_terminal_size().columns - 1 - BEFORE_DESC
        self._bar.set_description_str(self._beside_bar(now, room))

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

    def _state(self, now: float) -> str:
        """How far it is, pace, time left, what is waited for, and how the units have ended."""
        per_s = self._per_second(now)
        left = self._left(per_s)
        parts = [f"{self._done:,} of {self._total:,} {self._unit}", f"{per_s:.1f} a second" if per_s else ""]
        parts += [f"about {left}" if left.endswith("left") else left, self._waited_for(now), ", ".join(self._ends())]
        return " · ".join(part for part in parts if part)

    def _beside_bar(self, now: float, room: int) -> str:
        """The same in few words; what does not fit into the terminal's line is left out whole."""
        per_s = self._per_second(now)
        left = self._left(per_s)
        parts = {
            (1, ""): f"{self._done:,} of {self._total:,} {self._unit}",
            (3, ""): f"{per_s:.1f}/s" if per_s else "",
            (2, ""): left,
            (0, ""): self._waited_for(now),
            **{(5 if end.startswith(GOOD_ENDS) else 4, end): end for end in self._ends()},
        }  # by rank: the lower, the sooner it must be seen; shown in the order in which they stand here
        kept: set[tuple[int, str]] = set()
        for rank in sorted(parts):
            length = sum(len(parts[r]) + len(" · ") for r in (*kept, rank))
            if parts[rank] and length - len(" · ") <= room:
                kept.add(rank)
        return " · ".join(part for rank, part in parts.items() if rank in kept)

    def _waited_for(self, now: float) -> str:
        return self._waiting[1] if self._waiting is not None and now < self._waiting[0] else ""

    def _ends(self) -> list[str]:
        """How many units have ended in which way."""
        return [f"{kind} {number:,}" for kind, number in sorted(self._counts.items())]

    def _per_second(self, now: float) -> float:
        """Units a second over the last minute; 0 where that is not known yet."""
        self._samples.append((now, self._done))
        while len(self._samples) > 2 and now - self._samples[1][0] >= RATE_OVER_S:
            self._samples.popleft()
        since, before = self._samples[0]
        return (self._done - before) / (now - since) if now > since else 0.0

    def _left(self, per_s: float) -> str:
        """How long it will still take; nothing where that is not known."""
        open_units = self._total - self._done
        if open_units <= 0:
            return "nearly done" if self._done else ""
        return f"{duration(open_units / per_s)} left" if per_s else ""
