"""The store of an export under way: pages read and objects seen, in SQLite in its run directory.

A page is one row, kept before it counts as read, many pages a commit where they come fast; a killed export goes on
where it was. Between readings the pages are merged into ``seen``: one row an object, with its latest reading, when
that was, and in which passes it was first and last seen, which is what the proof in :mod:`piggy_batch.walk` counts.
Write-ahead log with synchronous NORMAL: a power cut may take the last commits, whole and in order, and then those
pages are read again.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from piggy_batch.errors import JournalError
from piggy_batch.pages import payload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from piggy_batch.courier import Tally
    from piggy_batch.model import Json
    from piggy_batch.pages import Page

NAME = "pages.sqlite"
SCHEMA = 1
READ_BATCH = 500

_TABLES = """
BEGIN;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, started_at REAL NOT NULL, finished_at REAL, exit_code INTEGER,
    sent INTEGER NOT NULL DEFAULT 0, retried INTEGER NOT NULL DEFAULT 0, throttled INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE walks (number INTEGER PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE pages (
    walk INTEGER NOT NULL, pass INTEGER NOT NULL, page INTEGER NOT NULL, size INTEGER NOT NULL,
    rows INTEGER NOT NULL, nameless INTEGER NOT NULL, last_page INTEGER, total INTEGER, digest TEXT,
    flaw TEXT, read_at REAL NOT NULL, objects TEXT, PRIMARY KEY (walk, pass, page)
);
CREATE TABLE seen (
    walk INTEGER NOT NULL, key TEXT NOT NULL, place INTEGER NOT NULL,
    first_pass INTEGER NOT NULL, last_pass INTEGER NOT NULL, gone INTEGER, was INTEGER, watched INTEGER,
    read_at REAL NOT NULL, body TEXT NOT NULL, extra TEXT, PRIMARY KEY (key, walk)
) WITHOUT ROWID;
COMMIT;
"""
_PAGE = "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
# In the order of their keys, so that the index grows at its end instead of everywhere at once.
_MERGE = """
INSERT INTO seen (walk, key, place, first_pass, last_pass, was, watched, read_at, body, extra)
SELECT walk, object, place, pass, pass, watched, watched, read_at, body, extra FROM (
    SELECT p.walk, json_extract(j.value, '$[0]') AS object, (p.page - 1) * p.size + j.key AS place, p.pass,
        json_extract(j.value, '$[1]') AS watched, p.read_at, json_extract(j.value, '$[2]') AS body,
        json_extract(j.value, '$[3]') AS extra
    FROM pages p, json_each(p.objects) j WHERE p.walk = ? AND p.objects IS NOT NULL
) WHERE true ORDER BY object, pass, read_at
ON CONFLICT (key, walk) DO UPDATE SET place = excluded.place, last_pass = max(last_pass, excluded.last_pass),
    gone = NULL, watched = excluded.watched, read_at = excluded.read_at, body = excluded.body,
    extra = coalesce(excluded.extra, extra)
"""
_AGAIN = "UPDATE seen SET last_pass = ?, watched = ?, read_at = ?, body = ? WHERE walk = ? AND key = ?"
_GONE = "UPDATE seen SET gone = ? WHERE walk = ? AND key = ?"
_KEPT = (
    "CREATE TEMP VIEW kept AS SELECT s.* FROM main.seen s JOIN chosen c ON c.walk = s.walk "
    "WHERE s.first_pass <= c.upto AND s.gone IS NULL"
)
_ONCE = (
    " AND NOT EXISTS (SELECT 1 FROM main.seen t JOIN chosen d ON d.walk = t.walk WHERE t.key = s.key "
    "AND t.walk <> s.walk AND t.first_pass <= d.upto AND t.gone IS NULL AND (t.read_at, t.walk) > (s.read_at, s.walk))"
)
_TALLY = "UPDATE runs SET sent = ?, retried = ?, throttled = ? WHERE id = ?"

Write = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Counts:
    """What the proof looks at, for the objects first seen in or before a pass."""

    held: int  # seen until then and not known to be gone at that time
    again: int  # of these, seen again in a later pass
    left: int  # of these, not seen again and not known to be gone


class Parts:
    """One export's store. Open with :meth:`open`; only the holder of the run directory's lock may."""

    def __init__(self, directory: Path, *, threaded: bool) -> None:
        self.directory = directory
        self.run = 0
        self._db = _connect(directory / NAME)
        self._writer: _Writer | None = None
        self.threaded = threaded

    @classmethod
    def open(cls, directory: Path, *, threaded: bool = True) -> Self:
        """The store there, or a new one. JournalError where it cannot be used."""
        path = directory / NAME
        try:
            fresh = not path.exists()
            if fresh:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            parts = cls(directory, threaded=threaded)
            tables = {name for (name,) in parts._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables:
                parts._db.executescript(_TABLES)
                parts.set("schema", SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise unusable(directory, error) from None
        if parts.get("schema") != SCHEMA:
            parts.close()
            raise JournalError(
                f"{path} was written by another version of piggy-batch; go on with that version, or name another "
                "--run-dir"
            )
        return parts

    def close(self) -> None:
        """Land what is queued and close."""
        self._stop()
        self._db.close()

    def discard(self) -> None:
        """Close and remove the store."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            (self.directory / f"{NAME}{suffix}").unlink(missing_ok=True)

    def get(self, key: str) -> Json:
        """A fact about the export; None where it was never set."""
        found = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return json.loads(found[0]) if found else None

    def set(self, key: str, value: Json) -> None:
        """Keep a fact; on disk at once."""
        self._do("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def state(self, walk: int) -> dict[str, Json]:
        """How far a walk has come; empty where it has not begun."""
        found = self._db.execute("SELECT state FROM walks WHERE number = ?", (walk,)).fetchone()
        state: dict[str, Json] = json.loads(found[0]) if found else {}
        return state

    def set_state(self, walk: int, state: Mapping[str, Json]) -> None:
        """Keep how far a walk has come; on disk at once."""
        self._do("INSERT OR REPLACE INTO walks VALUES (?, ?)", (walk, json.dumps(state)))

    def _do(self, sql: str, values: tuple[Any, ...]) -> int:
        try:
            return int(self._db.execute(sql, values).lastrowid or 0)
        except sqlite3.Error as error:
            raise unusable(self.directory, error) from None

    # --- one invocation --------------------------------------------------------------------------------

    def begin(self, now_s: float) -> None:
        """Start an invocation; pages may be kept from here on."""
        self.run = self._do("INSERT INTO runs (started_at) VALUES (?)", (now_s,))
        self._writer = _Writer(self.directory, threaded=self.threaded)

    def finish(self, now_s: float, exit_code: int, tally: Tally) -> None:
        """Close the invocation's books; everything queued is on disk."""
        self._stop()
        self._do(_TALLY, (tally.sent, tally.retried, tally.throttled, self.run))
        self._do("UPDATE runs SET finished_at = ?, exit_code = ? WHERE id = ?", (now_s, exit_code, self.run))

    def _stop(self) -> None:
        if self._writer is not None:
            self._writer.stop()
            self._writer = None

    def keep(self, walk: int, number: int, page: Page, read_at: float, tally: Tally) -> asyncio.Future[None]:
        """Keep a page of pass ``number`` and what it shows; on disk when the future is done."""
        row = (
            *(walk, number, page.number, page.size, len(page.items) + page.nameless, page.nameless),
            *(page.last_page, page.total, page.digest, page.flaw, read_at),
            payload(page) if page.items else None,
        )
        return self._write([(_PAGE, row)], tally)

    def merge(self, walk: int) -> None:
        """Enter what the kept pages of a walk show among the objects seen. Reading a page again replaces it,
        so that it is merged before; nothing else may be written meanwhile."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(_MERGE, (walk,))
            self._db.execute("UPDATE pages SET objects = NULL WHERE walk = ? AND objects IS NOT NULL", (walk,))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise unusable(self.directory, error) from None

    def again(
        self, walk: int, number: int, key: str, watched: int | None, body: str, read_at: float, tally: Tally
    ) -> asyncio.Future[None]:
        """Keep that a look-up after pass ``number`` has shown an object again."""
        return self._write([(_AGAIN, (number, watched, read_at, body, walk, key))], tally)

    def gone(self, walk: int, number: int, key: str, tally: Tally) -> asyncio.Future[None]:
        """Keep that a look-up after pass ``number`` says that an object is gone."""
        return self._write([(_GONE, (number, walk, key))], tally)

    def _write(self, writes: list[Write], tally: Tally) -> asyncio.Future[None]:
        if self._writer is None:
            raise JournalError("the store is not open for an invocation")
        return self._writer.write([*writes, (_TALLY, (tally.sent, tally.retried, tally.throttled, self.run))])

    # --- reading back ----------------------------------------------------------------------------------

    def pages_read(self, walk: int, number: int) -> frozenset[int]:
        """The pages of a pass that are kept."""
        query = "SELECT page FROM pages WHERE walk = ? AND pass = ?"
        return frozenset(page for (page,) in self._db.execute(query, (walk, number)))

    def extent(self, walk: int, number: int) -> tuple[int | None, int | None]:
        """The greatest and the least ``last_page`` that a pass's pages have told."""
        query = "SELECT max(last_page), min(last_page) FROM pages WHERE walk = ? AND pass = ?"
        most, least = self._db.execute(query, (walk, number)).fetchone()
        return most, least

    def last_page(self, walk: int, number: int) -> tuple[int, int]:
        """The highest page of a pass that is kept, and how many rows it has."""
        query = "SELECT page, rows FROM pages WHERE walk = ? AND pass = ? ORDER BY page DESC LIMIT 1"
        page, rows = self._db.execute(query, (walk, number)).fetchone() or (1, 0)
        return page, rows

    def newest(self) -> int:
        """Goes up with every object seen for the first time."""
        return int(self._db.execute("SELECT count(*) FROM seen").fetchone()[0])

    def suspects(self, walk: int, number: int) -> list[int]:
        """Pages of a pass that may have shown too little: flawed, short though not the last, or like another."""
        query = """
            SELECT page FROM pages WHERE walk = ?1 AND pass = ?2 AND (
                flaw IS NOT NULL OR (rows < size AND page < last_page AND page < (
                    SELECT max(page) FROM pages WHERE walk = ?1 AND pass = ?2 AND rows > 0
                )) OR digest IN (
                    SELECT digest FROM pages WHERE walk = ?1 AND pass = ?2 AND digest IS NOT NULL
                    GROUP BY digest HAVING count(*) > 1
                )
            ) ORDER BY page
        """
        return [page for (page,) in self._db.execute(query, (walk, number))]

    def forget_pages(self, walk: int, number: int, before_s: float) -> int:
        """Forget that pages of a pass were read before a moment; how many. Objects stay seen."""
        query = "DELETE FROM pages WHERE walk = ? AND pass = ? AND read_at < ?"
        return self._db.execute(query, (walk, number, before_s)).rowcount

    def forget_walk(self, walk: int) -> None:
        """Forget everything about a walk."""
        for table in ("pages", "seen"):
            self._do(f"DELETE FROM {table} WHERE walk = ?", (walk,))  # noqa: S608 - one of two constants
        self._do("DELETE FROM walks WHERE number = ?", (walk,))

    def counts(self, walk: int, upto: int) -> Counts:
        """How the objects first seen in or before pass ``upto`` fared since."""
        row = self._db.execute(
            "SELECT count(*), sum(last_pass > ?2 AND gone IS NULL), sum(last_pass <= ?2 AND gone IS NULL) FROM seen "
            "WHERE walk = ?1 AND first_pass <= ?2 AND (gone IS NULL OR gone > ?2)",
            (walk, upto),
        ).fetchone()
        return Counts(*(n or 0 for n in row))

    def unseen(self, walk: int, number: int) -> int:
        """How many objects were not seen again in a pass, nor are known to be gone."""
        query = "SELECT count(*) FROM seen WHERE walk = ? AND last_pass < ? AND gone IS NULL"
        return int(self._db.execute(query, (walk, number)).fetchone()[0])

    def stragglers(self, walk: int, number: int) -> Iterator[tuple[str, str]]:
        """(key, body) of objects not seen again in a pass; those settled meanwhile are not met again."""
        last = ""
        while True:
            rows = self._db.execute(
                "SELECT key, body FROM seen WHERE walk = ? AND last_pass < ? AND gone IS NULL AND key > ? "
                "ORDER BY key LIMIT ?",
                (walk, number, last, READ_BATCH),
            ).fetchall()
            for last, body in rows:
                yield last, body
            if len(rows) < READ_BATCH:
                return

    def vanished(self, walk: int) -> tuple[int, list[str]]:
        """How many objects went while the list was read, and the first hundred of them."""
        count = self._db.execute("SELECT count(*) FROM seen WHERE walk = ? AND gone IS NOT NULL", (walk,)).fetchone()
        query = "SELECT key FROM seen WHERE walk = ? AND gone IS NOT NULL ORDER BY place, key LIMIT 100"
        return int(count[0]), [key for (key,) in self._db.execute(query, (walk,))]

    def requests(self) -> dict[str, int]:
        """HTTP requests of all invocations."""
        row = self._db.execute("SELECT sum(sent), sum(retried), sum(throttled) FROM runs").fetchone()
        return dict(zip(("sent", "retried", "throttled"), (n or 0 for n in row), strict=True))

    def times(self) -> tuple[float | None, float]:
        """When the first invocation began, and how many seconds the finished ones took together."""
        row = self._db.execute(
            "SELECT min(started_at), sum(coalesce(finished_at, started_at) - started_at) FROM runs"
        ).fetchone()
        return row[0], row[1] or 0.0

    # --- what goes into the file -------------------------------------------------------------------------

    def choose(self, upto: Mapping[int, int | None]) -> None:
        """Say what the file holds of each walk: what was first seen up to a pass, or everything (None), less
        what is gone. An object of several walks counts once, with its latest reading."""
        self._db.execute("DROP TABLE IF EXISTS chosen")
        self._db.execute("CREATE TEMP TABLE chosen (walk INTEGER PRIMARY KEY, upto INTEGER NOT NULL)")
        self._db.executemany(
            "INSERT INTO chosen VALUES (?, ?)", [(w, 2**31 if u is None else u) for w, u in upto.items()]
        )
        self._db.execute("DROP VIEW IF EXISTS kept")
        self._db.execute(_KEPT if len(upto) < 2 else _KEPT + _ONCE)

    def kept(self) -> Iterator[tuple[str, str | None, float]]:
        """(body, extra, read_at) of every chosen object, in the order of the list."""
        yield from self._db.execute("SELECT body, extra, read_at FROM kept ORDER BY walk, place, key")

    def facts(self) -> tuple[int, float | None, float | None]:
        """Of the chosen objects: how many, the oldest and the newest reading."""
        count, oldest, newest = self._db.execute("SELECT count(*), min(read_at), max(read_at) FROM kept").fetchone()
        return count, oldest, newest

    def changed(self) -> tuple[int, list[tuple[str, int | None, int | None]]]:
        """Of the chosen objects: how many changed their watched number between two readings, and the first
        hundred as (key, first reading, last reading)."""
        where = "FROM kept WHERE was IS NOT watched"
        count = int(self._db.execute(f"SELECT count(*) {where}").fetchone()[0])
        rows = self._db.execute(f"SELECT key, was, watched {where} ORDER BY walk, place, key LIMIT 100")
        return count, rows.fetchall()


def glance(directory: Path) -> dict[str, Json] | None:
    """What an unfinished export has read so far, also while it runs; None where there is none."""
    path = directory / NAME
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            facts = {key: json.loads(value) for key, value in db.execute("SELECT key, value FROM meta")}
            passes = db.execute(
                "SELECT pass, count(*), max(last_page) FROM pages GROUP BY pass ORDER BY pass"
            ).fetchall()
            cards = db.execute("SELECT coalesce(sum(rows), 0) FROM pages WHERE pass = 1").fetchone()[0]
            runs = db.execute("SELECT min(started_at), count(*), sum(sent) FROM runs").fetchone()
    except sqlite3.Error as error:
        raise unusable(directory, error) from None
    return {
        "operation": (facts.get("binding") or {}).get("command", "an export"),
        "file": (facts.get("binding") or {}).get("file"),
        "account": facts.get("account"),
        "base_url": (facts.get("binding") or {}).get("--base-url"),
        "passes": [{"pass": number, "pages": pages, "last_page": last} for number, pages, last in passes],
        "rows_read": cards,
        "started_at_s": runs[0],
        "invocations": runs[1],
        "requests": runs[2] or 0,
    }


class _Writer:
    """Commits queued pages, many at once, in a thread of its own or in the caller's."""

    def __init__(self, directory: Path, *, threaded: bool) -> None:
        self._directory = directory
        self._failed: JournalError | None = None
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._db: sqlite3.Connection | None = None
        if threaded:
            self._thread = threading.Thread(target=self._serve, name="pages", daemon=True)
            self._thread.start()
        else:
            self._db = _connect(directory / NAME)

    def write(self, writes: list[Write]) -> asyncio.Future[None]:
        """Queue writes that belong together."""
        loop = asyncio.get_running_loop()
        job = _Job(writes, loop.create_future())
        if self._thread is not None:
            self._queue.put(job)
        else:
            _resolve([job], self._commit([job]))
        return job.future

    def stop(self) -> None:
        """Land what is queued; the thread ends."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        if self._db is not None:
            self._db.close()
            self._db = None

    def _serve(self) -> None:
        with closing(_connect(self._directory / NAME)) as self._db:
            ended = False
            while not ended:
                jobs: list[_Job] = []
                job = self._queue.get()
                while job is not None:
                    jobs.append(job)
                    try:
                        job = self._queue.get_nowait()
                    except queue.Empty:
                        break
                ended = job is None
                if jobs:
                    error = self._commit(jobs)
                    loop = jobs[0].future.get_loop()
                    if not loop.is_closed():
                        loop.call_soon_threadsafe(_resolve, jobs, error)
        self._db = None

    def _commit(self, jobs: list[_Job]) -> JournalError | None:
        """One transaction for all. After a failure nothing more is written: what is on disk stays the truth."""
        if self._failed is not None or self._db is None:
            return self._failed
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for job in jobs:
                for sql, values in job.writes:
                    self._db.execute(sql, values)
            self._db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - of whatever kind, waiting pages must hear of it
            self._failed = unusable(self._directory, error)
        return self._failed


@dataclass(frozen=True, slots=True)
class _Job:
    writes: list[Write]
    future: asyncio.Future[None]


def _resolve(jobs: list[_Job], error: JournalError | None) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if error is None:
            job.future.set_result(None)
        else:
            job.future.set_exception(error)
            job.future.exception()  # a future nobody awaits must not warn; the next write meets the same error


def unusable(directory: Path, error: Exception) -> JournalError:
    """Trouble with the store, in words that say what next."""
    words = (error.strerror if isinstance(error, OSError) else None) or str(error)
    full = "full" in words.casefold() or "no space" in words.casefold()
    advice = "free some space and run the same command again" if full else "name another directory with --run-dir"
    return JournalError(f"the export's store in {directory} cannot be used: {words}; {advice}")


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode=rw"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA cache_size = -32000")
    return db
