"""The journal's writer: writes of many rows share one commit, and each learns when its own is on disk.

Commits are made in a thread, so that waiting for the disk holds no request up: what is queued meanwhile goes into the
next one. Loops whose time is not the machine's have them made on the spot, one for each write.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from piggy_batch.errors import JournalError
from piggy_batch.runs import database
from piggy_batch.runs.journal_file import BOUND, SENDS, connect, identity, unusable

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from piggy_batch.runs.send_counter import SendCounter


PATIENCE_S = 0.04  # for which a write that nobody waits for is held back, so that it shares the next one's commit


@dataclass(frozen=True, slots=True)
class _Job:
    sql: str
    values: tuple[Any, ...]
    future: asyncio.Future[None]
    binds: bool
    sends: bool


class GroupCommit:
    """Commits queued writes of invocation ``run``, many at once, in a thread of its own or in the caller's.

    Nothing is committed once a later invocation has begun: two of them would send the same rows. ``counter`` is told,
    before any of them may leave, how many intents the journal holds; ``sent`` is how many it held before.
    """

    def __init__(
        self, directory: Path, run: int, *, threaded: bool, counter: SendCounter | None = None, sent: int = 0
    ) -> None:
        self._directory = directory
        self._run = run
        self._counter = counter
        self._sent = sent
        self._failed: JournalError | None = None
        self._queue: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._held: list[_Job] = []
        self._thread: threading.Thread | None = None
        self._db: sqlite3.Connection | None = None
        self._marked = False
        self._file = identity(directory)
        if threaded:
            self._thread = threading.Thread(target=self._serve, name="journal", daemon=True)
            self._thread.start()
        else:
            self._db = connect(directory)

    def write(
        self, sql: str, values: tuple[Any, ...], *, binds: bool, sends: bool = False, may_wait: bool = False
    ) -> asyncio.Future[None]:
        """On disk when the future is done. ``binds``: from then on the journal counts as begun. ``sends``: a request
        leaves next. ``may_wait``: a little, for the next write, whose commit it then shares."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        job = _Job(sql, values, future, binds, sends)
        if self._thread is None:
            _resolve([job], self._commit([job]))
            return future
        self._held.append(job)
        if not may_wait:
            self._release()
        elif len(self._held) == 1:
            loop.call_later(PATIENCE_S, self._release)
        return future

    def _release(self) -> None:
        if self._held:
            self._queue.put(self._held)
            self._held = []

    def stop(self) -> None:
        """Land what is queued; the thread ends."""
        if self._thread is not None:
            self._release()
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        if self._db is not None:
            self._db.close()
            self._db = None

    def _serve(self) -> None:
        try:
            self._db = connect(self._directory)
        except Exception as trouble:  # noqa: BLE001 - of whatever kind, waiting rows must hear of it
            self._failed = unusable(self._directory, trouble)
        ended = False
        while not ended:
            jobs: list[_Job] = []
            found = self._queue.get()
            while found is not None:
                jobs += found
                try:
                    found = self._queue.get_nowait()
                except queue.Empty:
                    break
            ended = found is None
            if jobs:
                error = self._commit(jobs)
                loop = jobs[0].future.get_loop()
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_resolve, jobs, error)

    def _commit(self, jobs: list[_Job]) -> JournalError | None:
        """One transaction for all. After a failure nothing more is written: what is on disk stays the truth."""
        if self._failed is not None or self._db is None:
            return self._failed
        if identity(self._directory) != self._file:
            # SQLite would write on into a file that has no name any more.
            self._failed = JournalError(
                f"the journal in {self._directory} was removed, moved or replaced while the run went on, so nothing "
                "more is sent; rows in the air may have been carried out: bring the directory back before you go on"
            )
            return self._failed
        try:
            with database.transaction(self._db, "IMMEDIATE"):
                self._refuse_later_run(self._db)
                marks = not self._marked and any(job.binds for job in jobs)
                if marks:
                    database.set_fact(self._db, BOUND, value=True)
                for job in jobs:
                    self._db.execute(job.sql, job.values)
                sent = self._sent + sum(job.sends for job in jobs)
                counts = self._counter is not None and sent > self._sent
                if counts:
                    database.set_fact(self._db, SENDS, sent)
            self._marked = self._marked or marks
            self._sent = sent
            if counts and self._counter is not None:
                self._counter.note(sent)
        except JournalError as error:
            self._failed = error
        except Exception as error:  # noqa: BLE001 - of whatever kind, waiting rows must hear of it
            self._failed = unusable(self._directory, error)
        return self._failed

    def _refuse_later_run(self, db: sqlite3.Connection) -> None:
        """A later invocation has found the lock free, though this one works: it knows every row that was sent so far,
        and the rest is its own."""
        (latest,) = db.execute("SELECT max(id) FROM runs").fetchone()
        if latest != self._run:
            raise JournalError(
                f"another run has begun in {self._directory} while this one went on: its lock was removed; this one "
                "sends nothing more"
            )


def _resolve(jobs: list[_Job], error: JournalError | None) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if error is None:
            job.future.set_result(None)
        else:
            job.future.set_exception(error)
            job.future.exception()  # a future nobody awaits must not warn; the next write meets the same error
