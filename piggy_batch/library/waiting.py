"""Functions that wait: the work runs in a loop and a thread of its own, so that a notebook's own loop is no hindrance.

Ctrl-C, or whatever a scheduler raises in the waiting thread, ends the work softly: no more is taken, the answers of
requests under way are waited for, reports are written; then the exception goes on. A second one leaves the work to end
by itself and goes on at once.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from piggy_batch.runs.run_log import RunLog
from piggy_batch.runs.stopper import Stopper

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from pathlib import Path

T = TypeVar("T")
TELL_EVERY_S = 0.5
WAKE_EVERY_S = 0.5  # an interruption that comes just before a wait begins is seen when the wait ends
logger = logging.getLogger("piggy_batch")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, for a callback."""

    done: int  # rows or pages
    total: int
    counts: Mapping[str, int]  # how they ended


class CallbackProgress:
    """Tells a callback at most twice a second, and once at the end; what is said goes to the logger ``piggy_batch`` and
    to the run's log. The callback runs in the thread of the work."""

    def __init__(self, callback: Callable[[Progress], object] | None) -> None:
        self._callback = callback
        self._counts: Counter[str] = Counter()
        self._done = self._total = 0
        self._told_at = float("-inf")
        self._log = RunLog()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._tell()
        if isinstance(error, Exception):
            self._log.write_traceback(error)
        self._log.close()

    def advance(self, kind: str, number: int = 1) -> None:
        """Count, and tell when it is time."""
        self._counts[kind] += number
        self._done += number
        if self._callback is not None and time.monotonic() - self._told_at >= TELL_EVERY_S:
            self._tell()

    def note(self, kind: str, number: int) -> None:
        """Count beside the units."""
        self._counts[kind] += number

    def total(self, number: int) -> None:
        """How many units there are."""
        self._total = number

    def waits(self, seconds: float, reason: str) -> None:
        """A line of the log."""
        logger.debug("waiting %.1f s: %s", seconds, reason)

    def say(self, line: str) -> None:
        """A line of the log."""
        logger.info("%s", line)
        self._log.write(line)

    def log_to(self, path: Path) -> None:
        """Keep what is said in that file too."""
        if told := self._log.open(path):
            self.say(told)

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        if self._callback is not None:
            self._callback(Progress(self._done, self._total, dict(self._counts)))


def wait_for(work: Callable[[Stopper], Coroutine[Any, Any, T]]) -> T:
    """Carry out ``work``, given what ends it softly, and return what it returns or raise what it raises."""
    stopper = Stopper()
    ended: Future[T] = Future()

    def carry() -> None:
        try:
            ended.set_result(asyncio.run(work(stopper)))
        except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
            ended.set_exception(error)

    threading.Thread(target=carry, name="piggy-batch", daemon=True).start()
    try:
        _await_end(ended)
    except BaseException:
        stopper.request()
        _await_end(ended)  # a second interruption ends this wait
        raise
    return ended.result()


def _await_end(ended: Future[T]) -> None:
    while not ended.done():
        wait([ended], timeout=WAKE_EVERY_S)
