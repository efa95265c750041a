"""A run's truth on disk: the manifest's cells, the intent before each request, the outcome after it.

Write-ahead log with synchronous FULL: what :meth:`Journal.sent` has returned for is on disk before the request
leaves. Many rows share one commit. Readers (``status``, reports) never block the writer.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from piggy_batch.errors import JournalError
from piggy_batch.runs import database, journal_file
from piggy_batch.runs.group_commit import GroupCommit
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.runs.records import LoadBatch, Outcome, pack

if TYPE_CHECKING:
    import asyncio
    import sqlite3
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from piggy_batch.models import Json
    from piggy_batch.runs.earlier_runs import EarlierRuns
    from piggy_batch.runs.send_counter import SendCounter


_INTENT = """
INSERT INTO fates (number, state, run, attempts, sent_at, before) VALUES (?, 'sent', ?, ?, ?, ?)
ON CONFLICT (number) DO UPDATE SET state = 'sent', run = excluded.run, attempts = excluded.attempts,
    sent_at = excluded.sent_at, before = excluded.before, proof = NULL, http_status = NULL,
    code = NULL, message = NULL, kept = NULL, finished_at = NULL
"""
_OUTCOME = """
INSERT INTO fates (number, state, run, attempts, before, proof, http_status, code, message, kept, finished_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (number) DO UPDATE SET state = excluded.state, run = excluded.run, attempts = excluded.attempts,
    before = excluded.before, proof = excluded.proof, http_status = excluded.http_status,
    code = excluded.code, message = excluded.message, kept = excluded.kept, finished_at = excluded.finished_at
"""
_RECORD = """
INSERT INTO fates (number, state, run, attempts, before, proof, http_status, code, message, kept, finished_at, sent_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (number) DO UPDATE SET state = excluded.state, run = excluded.run, attempts = excluded.attempts,
    before = excluded.before, proof = excluded.proof, http_status = excluded.http_status, code = excluded.code,
    message = excluded.message, kept = excluded.kept, finished_at = excluded.finished_at, sent_at = excluded.sent_at
"""
_INVALID = """
INSERT INTO fates (number, state, run, message) VALUES (?, 'invalid', 0, ?)
ON CONFLICT (number) DO UPDATE SET message = message || '; ' || excluded.message
"""
_MADE = """
CREATE TABLE made (uuid TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
"""
_MADE_SO_FAR = """
INSERT OR IGNORE INTO made SELECT lower(json_extract(kept, ?)), number FROM fates
WHERE kept IS NOT NULL AND json_extract(kept, ?) IS NOT NULL ORDER BY number
"""
_MADE_NOW = "INSERT OR IGNORE INTO made VALUES (?, ?)"
BEFORE_THE_RUN = 0  # the row of a thing that was there before
_WITHDRAW = "DELETE FROM fates WHERE number = ?"


class Journal:
    """One run directory's journal, for the run that writes it. Open with :meth:`create` or :meth:`open`.

    ``queries`` reads it back.
    """

    def __init__(self, directory: Path, connection: sqlite3.Connection, *, logged: bool = True) -> None:
        self.directory = directory
        self.queries = JournalQueries(directory, connection, logged=logged)
        self.run = 0
        self.earlier_runs: EarlierRuns | None = None  # what they have made is not made here
        self._unended = False
        self._db = connection
        self._writer: GroupCommit | None = None
        self._making: dict[str, int] = {}  # on their way to the table ``made``
        self._counter: SendCounter | None = None

    @classmethod
    def create(cls, directory: Path) -> Self:
        """A new, empty journal in place of an unbound one."""
        return cls(directory, journal_file.create(directory))

    @classmethod
    def open(cls, directory: Path) -> Self | None:
        """The journal there, for writing; None where there is none or it was never finished."""
        logged = journal_file.logged(directory)
        db = journal_file.connect_existing(directory, read_only=False)
        if db is None:
            return None
        journal = cls(directory, db, logged=logged)
        if logged and journal.queries.unended:
            journal.set("recovered", journal.queries.unended)  # SQLite removes the log once it is folded in
        return journal

    def close(self) -> None:
        """Land what is queued and close."""
        if self._writer is not None:
            self._stop_writing()
        if self._unended:
            self._note_end()
        self._db.close()

    def _stop_writing(self) -> None:
        """Land what is queued."""
        if self._writer is not None:
            self._writer.stop()
            self._writer = None
        if self._counter is not None:
            with self._guard():
                self._counter.close()
            self._counter = None

    def _note_end(self) -> None:
        """An invocation ends without its books, but its log is folded in. Where there is no room left to say so,
        folding it in first makes some."""
        with suppress(JournalError), self._guard():
            try:
                self.set("recovered", self.run)
            except JournalError:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self.set("recovered", self.run)

    def discard(self) -> None:
        """Close and remove the journal's files: nothing was sent by it."""
        self.close()
        journal_file.remove(self.directory)

    def _guard(self) -> AbstractContextManager[None]:
        return journal_file.guarded(self.directory, OSError)

    # --- facts about the run -------------------------------------------------------------------------

    def set(self, key: str, value: Json) -> None:
        """Keep a fact; on disk at once unless a transaction is open."""
        with self._guard():
            database.set_fact(self._db, key, value)

    def get(self, key: str) -> Json:
        """A fact; None where it was never set."""
        return self.queries.get(key)

    @property
    def bound(self) -> bool:
        """Whether a request of this run has been journalled."""
        return self.queries.bound

    # --- loading -------------------------------------------------------------------------------------

    def load(self, batches: Iterable[LoadBatch]) -> int:
        """Copy rows in, with what is wrong with them; the number of rows. One transaction."""
        count = 0
        with self._guard(), database.transaction(self._db):
            for batch in batches:
                count += len(batch.rows)
                rows = ((number, line, pack(cells)) for number, line, cells in batch.rows)
                self._db.executemany("INSERT INTO rows VALUES (?, ?, ?)", rows)
                self._db.executemany("INSERT INTO keys VALUES (?, ?, ?)", batch.keys)
                self._db.executemany(_INVALID, batch.problems)
        return count

    def invalidate(self, problems: Iterable[tuple[int, str]]) -> None:
        """Mark rows invalid, with the reason; a row may be named more than once. One transaction."""
        with self._guard(), database.transaction(self._db):
            self._db.executemany(_INVALID, problems)

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Put outcomes that were read from elsewhere in the place of those here. One transaction."""
        with self._guard(), database.transaction(self._db):
            self._db.executemany(_RECORD, ((*self._values(outcome), outcome.sent_at) for outcome in outcomes))

    def forget_keys(self) -> None:
        """Drop what only the check for duplicates needed; its pages are used again for fates."""
        with self._guard():
            self._db.execute("DELETE FROM keys")

    # --- things that the run's rows have made --------------------------------------------------------

    def index_made(self, column: str) -> None:
        """Know things that rows make by their UUIDs, which outcomes keep as ``column``; those so far included."""
        with self._guard():
            if self.queries.indexes_made:
                return
            with database.transaction(self._db):
                self._db.execute(_MADE)
                self._db.execute(_MADE_SO_FAR, (f'$."{column}"',) * 2)

    def note_before(self, uuids: Iterable[str]) -> None:
        """Things that were there before the run has made any. One transaction."""
        with self._guard(), database.transaction(self._db):
            self._db.executemany(_MADE_NOW, ((uuid.lower(), BEFORE_THE_RUN) for uuid in uuids))

    def first_maker(self, uuid: str, number: int) -> int:
        """The first row whose answer named a thing of that UUID, in whatever case, as its own; 0 where the thing was
        there before the run, or another run has made it.

        Where there is none, this row is the first from now on; that is on disk no later than what is written next.
        """
        uuid = uuid.lower()
        holder = self._making.get(uuid)
        if holder is None:
            holder = self.queries.maker_of(uuid)
        if holder is not None:
            return holder
        if self.earlier_runs is not None and self.earlier_runs.have_made(uuid):
            return BEFORE_THE_RUN
        self._making[uuid] = number
        written = self._write(_MADE_NOW, (uuid, number), may_wait=True)
        written.add_done_callback(lambda _: self._making.pop(uuid, None))
        return number

    # --- one invocation ------------------------------------------------------------------------------

    def begin(self, started_at: float, rate: str, *, threaded: bool = True, counter: SendCounter | None = None) -> None:
        """Start an invocation; outcomes may be written from here on. Without ``threaded`` every write
        blocks the caller, for loops whose time is not the machine's. ``counter``: counts what is sent outside, too."""
        sent = 0
        if counter is not None:
            counter.open()
            sent = max(self.get(journal_file.SENDS) or 0, counter.read() or 0)
        with self._guard():
            with database.transaction(self._db):
                self._close_books_of_killed()
                cursor = self._db.execute("INSERT INTO runs (started_at, rate) VALUES (?, ?)", (started_at, rate))
            # That a run began is known without the log; and the log is not emptied: an empty one is a lost one.
            self._db.execute("PRAGMA wal_checkpoint(FULL)")
        self.run = int(cursor.lastrowid or 0)
        self._unended = True
        self._counter = counter
        self._writer = GroupCommit(self.directory, self.run, threaded=threaded, counter=counter, sent=sent)

    def _close_books_of_killed(self) -> None:
        """Put down what is known of invocations that could not do so: how long and how much, at least."""
        for run, started_at, sent in self._db.execute(
            "SELECT id, started_at, sent FROM runs WHERE finished_at IS NULL"
        ).fetchall():
            seen_at, rows = self.queries.seen_of(run)
            self._db.execute(
                "UPDATE runs SET finished_at = ?, sent = ? WHERE id = ?",
                (max(started_at, seen_at), max(sent, rows), run),
            )

    def finish(self, finished_at: float, exit_code: int) -> None:
        """Close the invocation's books; everything queued is on disk."""
        self._stop_writing()
        with self._guard():
            self._db.execute(
                "UPDATE runs SET finished_at = ?, exit_code = ? WHERE id = ?", (finished_at, exit_code, self.run)
            )
        self._unended = False

    def sent(
        self,
        number: int,
        attempts: int,
        sent_at: float,
        before: Mapping[str, Json] | None,
        *,
        may_wait: bool = False,
    ) -> asyncio.Future[None]:
        """Journal the intent to send a row; on disk when the future is done. ``may_wait``: soon is enough."""
        values = (number, self.run, attempts, sent_at, _dump(before))
        return self._write(_INTENT, values, sends=True, may_wait=may_wait)

    def settled(self, outcome: Outcome, *, may_wait: bool = False) -> asyncio.Future[None]:
        """Journal a row's outcome; on disk when the future is done. ``may_wait``: soon is enough."""
        return self._write(_OUTCOME, self._values(outcome), may_wait=may_wait)

    def _values(self, outcome: Outcome) -> tuple[Any, ...]:
        return (
            outcome.number,
            outcome.status.value,
            self.run,
            outcome.attempts,
            _dump(outcome.before),
            outcome.proof.value if outcome.proof else None,
            outcome.http_status,
            outcome.code,
            outcome.message or None,
            _dump(outcome.kept),
            outcome.finished_at,
        )

    def withdraw(self, number: int) -> asyncio.Future[None]:
        """Take back an intent whose request never left: the row is pending again."""
        return self._write(_WITHDRAW, (number,))

    def tally(self, sent: int, retried: int, throttled: int, *, may_wait: bool = False) -> asyncio.Future[None]:
        """Keep the invocation's request counts. ``may_wait``: soon is enough."""
        return self._write(database.TALLY, (sent, retried, throttled, self.run), binds=False, may_wait=may_wait)

    def _write(
        self, sql: str, values: tuple[Any, ...], *, binds: bool = True, sends: bool = False, may_wait: bool = False
    ) -> asyncio.Future[None]:
        if self._writer is None:
            raise JournalError("the journal is not open for an invocation")
        return self._writer.write(sql, values, binds=binds, sends=sends, may_wait=may_wait)


def _dump(value: Mapping[str, Json] | None) -> str | None:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None
