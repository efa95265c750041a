"""A run's truth on disk: the manifest's cells, the intent before each request, the outcome after it.

Write-ahead log with synchronous FULL: what :meth:`Journal.sent` has returned for is on disk before the request
leaves. Many rows share one commit. Readers (``status``, reports) never block the writer.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from piggy_batch.errors import JournalError
from piggy_batch.models import Json, Repeat, Status
from piggy_batch.runs import database, journal_file
from piggy_batch.runs.group_commit import GroupCommit
from piggy_batch.runs.records import LoadBatch, Outcome, RowState, pack, unpack

if TYPE_CHECKING:
    import asyncio
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path


READ_BATCH = 500  # rows a query
SENT = "sent"  # an intent without an outcome
_STATUSES = {status.value: status for status in Status}
_parse = json.JSONDecoder().raw_decode  # json.loads without its look for white space around
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
_INVALID = """
INSERT INTO fates (number, state, run, message) VALUES (?, 'invalid', 0, ?)
ON CONFLICT (number) DO UPDATE SET message = message || '; ' || excluded.message
"""
_WITHDRAW = "DELETE FROM fates WHERE number = ?"


class Journal:
    """One run directory's journal. Open with :meth:`create`, :meth:`open` or :meth:`read`."""

    def __init__(self, directory: Path, connection: sqlite3.Connection) -> None:
        self.directory = directory
        self.run = 0
        self._unended = False
        self.curtailed = False  # the last invocation never ended, and the log with its last writes is not there
        self._db = connection
        self._repeat: Repeat | None = None
        self._writer: GroupCommit | None = None
        self._counted: tuple[tuple[int, int], dict[Status, int]] | None = None

    @classmethod
    def create(cls, directory: Path) -> Self:
        """A new, empty journal in place of an unbound one."""
        return cls(directory, journal_file.create(directory))

    @classmethod
    def open(cls, directory: Path) -> Self | None:
        """The journal there, for writing; None where there is none or it was never finished."""
        return cls._existing(directory, read_only=False)

    @classmethod
    def read(cls, directory: Path) -> Self | None:
        """The journal there, for reading, also while a run writes it."""
        return cls._existing(directory, read_only=True)

    @classmethod
    def peek(cls, directory: Path) -> Self | None:
        """As :meth:`read`, for a moment's look that leaves no file behind: not while the journal is written."""
        return cls._existing(directory, read_only=True, still=not journal_file.logged(directory))

    @classmethod
    def _existing(cls, directory: Path, *, read_only: bool, still: bool = False) -> Self | None:
        logged = journal_file.logged(directory)
        db = journal_file.connect_existing(directory, read_only=read_only, still=still)
        if db is None:
            return None
        journal = cls(directory, db)
        journal._note_log(logged=logged, read_only=read_only)
        return journal

    def _note_log(self, *, logged: bool, read_only: bool) -> None:
        """Whether the log of an invocation that never ended was there; SQLite removes it once it is folded in."""
        last = self._db.execute("SELECT id, finished_at FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        if last is None or last[1] is not None:
            return
        if logged and not read_only:
            self.set("recovered", last[0])
        self.curtailed = not logged and self.get("recovered") != last[0]

    def close(self) -> None:
        """Land what is queued and close."""
        if self._writer is not None:
            self._writer.stop()
            self._writer = None
        if self._unended:
            self._note_end()
        self._db.close()

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
        return database.fact(self._db, key)

    @property
    def repeat(self) -> Repeat:
        """What a second request of this run's operation does."""
        if self._repeat is None:
            self._repeat = Repeat(self.get("repeat"))
        return self._repeat

    @property
    def bound(self) -> bool:
        """Whether a request of this run has been journalled."""
        return bool(self.get(journal_file.BOUND)) or self.curtailed

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

    def repeats(self, *, folded: bool = False) -> Iterator[tuple[int, int]]:
        """(row, first row) for every later row whose key stands in an earlier one already."""
        key = "coalesce(fold, key)" if folded else "key"
        yield from self._db.execute(
            f"SELECT number, first FROM (SELECT number, min(number) OVER (PARTITION BY {key}) AS first FROM keys) "  # noqa: S608 - one of two constants
            "WHERE number > first ORDER BY number"
        )

    def lines(self, numbers: Sequence[int]) -> dict[int, int]:
        """The lines of some rows."""
        return dict(self._of_rows("line", numbers))

    def cells(self, numbers: Sequence[int]) -> dict[int, list[str]]:
        """The cells of some rows."""
        return {number: unpack(cells) for number, cells in self._of_rows("cells", numbers)}

    def _of_rows(self, column: str, numbers: Sequence[int]) -> Iterator[tuple[int, Any]]:
        for start in range(0, len(numbers), READ_BATCH):
            part = list(numbers[start : start + READ_BATCH])
            marks = ",".join("?" * len(part))
            yield from self._db.execute(f"SELECT number, {column} FROM rows WHERE number IN ({marks})", part)  # noqa: S608 - a column's name, question marks

    def invalidate(self, problems: Iterable[tuple[int, str]]) -> None:
        """Mark rows invalid, with the reason; a row may be named more than once. One transaction."""
        with self._guard(), database.transaction(self._db):
            self._db.executemany(_INVALID, problems)

    def is_invalid(self, number: int) -> bool:
        """Whether a row is marked invalid."""
        return self._db.execute("SELECT 1 FROM fates WHERE number = ?", (number,)).fetchone() is not None

    def record(self, fates: Iterable[Outcome]) -> None:
        """Put outcomes that were read from elsewhere in the place of those here. One transaction."""
        with self._guard(), database.transaction(self._db):
            self._db.executemany(_OUTCOME, (self._outcome(fate) for fate in fates))

    def forget_keys(self) -> None:
        """Drop what only the check for duplicates needed; its pages are used again for fates."""
        with self._guard():
            self._db.execute("DELETE FROM keys")

    # --- cards, while rows in doubt are settled --------------------------------------------------------

    def know(self, keys: Iterable[str]) -> None:
        """Remember keys, on disk, for as long as the journal is open."""
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS known (key TEXT PRIMARY KEY) WITHOUT ROWID")
        with database.transaction(self._db):
            self._db.executemany("INSERT OR IGNORE INTO known VALUES (?)", ((key,) for key in keys))

    def knows(self, key: str) -> bool:
        """Whether :meth:`know` was given the key."""
        return self._db.execute("SELECT 1 FROM known WHERE key = ?", (key,)).fetchone() is not None

    # --- one invocation ------------------------------------------------------------------------------

    def begin(self, started_at: float, rate: str, *, threaded: bool = True) -> None:
        """Start an invocation; outcomes may be written from here on. Without ``threaded`` every write
        blocks the caller, for loops whose time is not the machine's."""
        with self._guard():
            with database.transaction(self._db):
                self._close_books_of_killed()
                cursor = self._db.execute("INSERT INTO runs (started_at, rate) VALUES (?, ?)", (started_at, rate))
            # That a run began is known without the log; and the log is not emptied: an empty one is a lost one.
            self._db.execute("PRAGMA wal_checkpoint(FULL)")
        self.run = int(cursor.lastrowid or 0)
        self._unended = True
        self._writer = GroupCommit(self.directory, threaded=threaded)

    def _close_books_of_killed(self) -> None:
        """Put down what is known of invocations that could not do so: how long and how much, at least."""
        for run, started_at, sent in self._db.execute(
            "SELECT id, started_at, sent FROM runs WHERE finished_at IS NULL"
        ).fetchall():
            seen_at, rows = self._seen_of(run)
            self._db.execute(
                "UPDATE runs SET finished_at = ?, sent = ? WHERE id = ?",
                (max(started_at, seen_at), max(sent, rows), run),
            )

    def _seen_of(self, run: int) -> tuple[float, int]:
        """When it last wrote of a row, and how many rows it has ended, each with a request or more."""
        query = (
            "SELECT max(max(coalesce(finished_at, 0), coalesce(sent_at, 0))), count(finished_at) FROM fates "
            "WHERE run = ?"
        )
        seen_at, rows = self._db.execute(query, (run,)).fetchone()
        return seen_at or 0.0, rows

    def seen_at(self, run: int) -> float:
        """When an invocation last wrote of a row, in seconds since the epoch; 0 where it never did."""
        return self._seen_of(run)[0]

    def finish(self, finished_at: float, exit_code: int) -> None:
        """Close the invocation's books; everything queued is on disk."""
        if self._writer is not None:
            self._writer.stop()
            self._writer = None
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
        """Journal the intent to send a row; on disk when the future is done. ``patient``: soon is enough."""
        return self._write(_INTENT, (number, self.run, attempts, sent_at, _dump(before)), may_wait=may_wait)

    def settled(self, fate: Outcome, *, may_wait: bool = False) -> asyncio.Future[None]:
        """Journal a row's outcome; on disk when the future is done. ``patient``: soon is enough."""
        return self._write(_OUTCOME, self._outcome(fate), may_wait=may_wait)

    def _outcome(self, fate: Outcome) -> tuple[Any, ...]:
        return (
            fate.number,
            fate.status.value,
            self.run,
            fate.attempts,
            _dump(fate.before),
            fate.proof.value if fate.proof else None,
            fate.http_status,
            fate.code,
            fate.message or None,
            _dump(fate.kept),
            fate.finished_at,
        )

    def withdraw(self, number: int) -> asyncio.Future[None]:
        """Take back an intent whose request never left: the row is pending again."""
        return self._write(_WITHDRAW, (number,))

    def tally(self, sent: int, retried: int, throttled: int, *, may_wait: bool = False) -> asyncio.Future[None]:
        """Keep the invocation's request counts. ``patient``: soon is enough."""
        return self._write(database.TALLY, (sent, retried, throttled, self.run), binds=False, may_wait=may_wait)

    def _write(
        self, sql: str, values: tuple[Any, ...], *, binds: bool = True, may_wait: bool = False
    ) -> asyncio.Future[None]:
        if self._writer is None:
            raise JournalError("the journal is not open for an invocation")
        return self._writer.write(sql, values, binds=binds, may_wait=may_wait)

    # --- reading back --------------------------------------------------------------------------------

    def counts(self) -> dict[Status, int]:
        """How many rows stand in each status; they add up to the manifest's rows.

        Counting reads the whole journal, so it is done anew only after a change, whoever made it.
        """
        version = (self._db.total_changes, self._db.execute("PRAGMA data_version").fetchone()[0])
        if self._counted is None or self._counted[0] != version:
            self._counted = (version, self._count())
        return dict(self._counted[1])

    def _count(self) -> dict[Status, int]:
        counts = self._by_status("SELECT state, count(*) FROM fates GROUP BY state")
        total = self._db.execute("SELECT count(*) FROM rows").fetchone()[0]
        counts[Status.PENDING] += total - sum(counts.values())
        return counts

    def taken_counts(self) -> dict[Status, int]:
        """The statuses of the rows that this invocation settled or left in doubt."""
        return self._by_status("SELECT state, count(*) FROM fates WHERE run = ? GROUP BY state", self.run)

    def _by_status(self, query: str, *values: int) -> dict[Status, int]:
        counts = dict.fromkeys(Status, 0)
        for state, number in self._db.execute(query, values):
            counts[self._status(state)] += number
        return counts

    def count_without_lookup(self) -> int:
        """How many rows in doubt have no before-look."""
        query = "SELECT count(*) FROM fates WHERE state IN ('unknown', 'sent') AND before IS NULL"
        return int(self._db.execute(query).fetchone()[0])

    def taken_in(self, run: int) -> int:
        """How many rows an invocation has ended."""
        query = "SELECT count(*) FROM fates WHERE run = ? AND finished_at IS NOT NULL"
        return int(self._db.execute(query, (run,)).fetchone()[0])

    def requests(self) -> dict[str, int]:
        """HTTP requests of all invocations."""
        return database.requests(self._db)

    def runs(self) -> list[dict[str, Any]]:
        """The invocations, first to last."""
        names = ("id", "started_at", "finished_at", "rate", "exit_code", "sent", "retried", "throttled")
        found = self._db.execute(f"SELECT {', '.join(names)} FROM runs ORDER BY id")  # noqa: S608 - constants
        return [dict(zip(names, row, strict=True)) for row in found]

    def open_rows(self, takes: Mapping[Status, bool], *, needs_before: bool, resend: bool) -> Iterator[RowState]:
        """Rows to take, pending ones first, then those of other statuses that an earlier invocation left.

        ``takes`` says which statuses; a row in doubt without the before-look that its operation needs is
        taken only with ``resend``. Rows settled meanwhile are not met again.
        """
        if takes.get(Status.PENDING):
            yield from self._paged("f.number IS NULL")
        states = [s.value for s, wanted in takes.items() if wanted and s is not Status.PENDING]
        if takes.get(Status.UNKNOWN) or self.repeat is Repeat.SAFE:
            states.append(SENT)
        if states:
            marks = ",".join(f"'{s}'" for s in states)
            blind = (
                "" if resend or not needs_before else " AND NOT (f.state IN ('unknown', 'sent') AND f.before IS NULL)"
            )
            yield from self._paged(f"f.state IN ({marks}) AND f.run < {self.run}{blind}")

    def all_rows(self) -> Iterator[RowState]:
        """Every row in manifest order, from one consistent reading."""
        for row in self._db.execute(_SELECT + " ORDER BY r.number"):
            yield self._entry(row)

    def _paged(self, where: str) -> Iterator[RowState]:
        last = 0
        while True:
            page = self._db.execute(
                f"{_SELECT} WHERE r.number > ? AND {where} ORDER BY r.number LIMIT {READ_BATCH}", (last,)
            ).fetchall()
            for row in page:
                yield self._entry(row)
            if len(page) < READ_BATCH:
                return
            last = page[-1][0]

    def _status(self, state: str) -> Status:
        if state == SENT:
            return Status.PENDING if self.repeat is Repeat.SAFE else Status.UNKNOWN
        return _STATUSES[state]

    def _entry(self, row: Sequence[Any]) -> RowState:
        number, line, cells, state, attempts, sent_at, before, proof, http_status, code, message, kept, finished = row
        if state is None:
            return RowState(number, line, unpack(cells), Status.PENDING)
        if state == SENT and message is None:
            message = "sent, and the program ended before the answer came"
        return RowState(
            number,
            line,
            unpack(cells),
            self._status(state),
            attempts,
            sent_at,
            _parse(before)[0] if before else None,
            proof,
            http_status,
            code,
            message,
            _parse(kept)[0] if kept else None,
            finished,
        )


_SELECT = (
    "SELECT r.number, r.line, r.cells, f.state, f.attempts, f.sent_at, f.before, f.proof, f.http_status, f.code, "
    "f.message, f.kept, f.finished_at FROM rows r LEFT JOIN fates f ON f.number = r.number"
)


def _dump(value: Mapping[str, Json] | None) -> str | None:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None
