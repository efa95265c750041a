"""Ctrl-C, SIGTERM, SIGHUP and --max-duration: a soft end first, an end on the spot after."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from piggy_batch.exit_codes import ExitCode
from piggy_batch.text import counted, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from piggy_batch.client.clock import StopSignal
    from piggy_batch.client.session import Session
    from piggy_batch.runs.context import RunContext


@contextmanager
def ending_after(seconds: float | None, stop: StopSignal) -> Iterator[None]:
    """Stop softly ``seconds`` after the block was entered; None: never."""
    timer = None
    if seconds is not None:
        timer = asyncio.get_running_loop().call_later(seconds, stop.set, "max-duration")
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()


def _awaited(session: Session) -> str:
    """What the end of a run waits for, and how long at most."""
    number = session.limiter.in_flight
    if not number:
        return "no request is under way"
    return f"waiting for {counted(number, 'request')} under way, at most {duration(session.client.timeout_s)}"


class Signals:
    """Ctrl-C, SIGTERM and a terminal that hangs up, while the block lasts.

    Before :meth:`soften` nothing has been sent, and the first one ends the command on the spot. After it the first one
    takes no more of what there is to do; a second Ctrl-C or SIGTERM leaves at once: what is on disk is enough.
    """

    def __init__(self, context: RunContext) -> None:
        self._say = context.progress.say
        here = context.signals and threading.current_thread() is threading.main_thread()
        self._names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if here else ()
        self._stopper = context.stopper if context.signals else None
        self._before: dict[signal.Signals, Any] = {}
        self._soft: Callable[[], object] | None = None
        self._known = ""
        self._heard = 0

    def __enter__(self) -> Self:
        for name in self._names:
            if name is signal.SIGHUP and signal.getsignal(name) is signal.SIG_IGN:
                continue  # started to outlive its terminal
            self._before[name] = signal.signal(name, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        self._soft = None
        if self._stopper is not None:
            self._stopper.attach(None)
        for name, before in self._before.items():
            signal.signal(name, before)

    def allow_graceful_stop(
        self, session: Session, *, units: str = "rows", known: str = "the journal knows every row"
    ) -> None:
        """From here on the answers of requests under way are waited for."""
        loop = asyncio.get_running_loop()

        def end() -> None:
            if self._soft is not None:
                session.stop.set("interrupted")
                self._say(f"stopping: no more {units} are taken; {_awaited(session)}; Ctrl-C again leaves at once")

        self._known = known
        self._soft = lambda: loop.call_soon_threadsafe(end)
        if self._stopper is not None:
            self._stopper.attach(self._soft)

    def _hear(self, number: int, _: object) -> None:
        """Called between two instructions of the program, wherever it is."""
        if self._soft is None:
            raise KeyboardInterrupt("nothing was sent")
        self._heard += number != signal.SIGHUP  # a shell and the system may both tell that the terminal is gone
        if self._heard > 1:
            os.write(2, f"\nleft at once; {self._known}. The same command goes on.\n".encode())
            os._exit(ExitCode.INTERRUPTED)
        self._soft()
