"""The store of an export under way: pages read and objects seen, in SQLite in its run directory.

A page and its objects are one commit, made before it counts as read; a killed export goes on where it was. When a pass
has landed, its readings are merged into ``seen``: one row an object, with its latest reading, when that was, and in
which passes it was first and last seen, which is what the proof in :mod:`piggy_batch.exporting.list_reader` counts.

Write-ahead log with synchronous NORMAL: a commit waits for no disk (0.3 ms; a thread for them costs ten times that in
hand-overs). A power cut may take the last commits, whole and in order, and then those pages are read again.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from piggy_batch.errors import JournalError
from piggy_batch.exporting.pages import encode_items
from piggy_batch.files import going_on, remedy_of, words_of
from piggy_batch.runs import database

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from piggy_batch.client.session import RequestCounts
    from piggy_batch.exporting.pages import Page
    from piggy_batch.models import Json

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
    flaw TEXT, read_at REAL NOT NULL, PRIMARY KEY (walk, pass, page)
) WITHOUT ROWID;
CREATE TABLE readings (
    walk INTEGER NOT NULL, pass INTEGER NOT NULL, key TEXT NOT NULL, place INTEGER NOT NULL, watched INTEGER,
    read_at REAL NOT NULL, body TEXT NOT NULL
);
CREATE TABLE seen (
    walk INTEGER NOT NULL, key TEXT NOT NULL, place INTEGER NOT NULL,
    first_pass INTEGER NOT NULL, last_pass INTEGER NOT NULL, gone INTEGER, was INTEGER, watched INTEGER,
    read_at REAL NOT NULL, body TEXT NOT NULL, PRIMARY KEY (key, walk)
) WITHOUT ROWID;
COMMIT;
"""
_PAGE = "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_READING = "INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?)"
# In the order of their keys, so that the tree grows at its end instead of everywhere at once.
_MERGE = """
INSERT INTO seen (walk, key, place, first_pass, last_pass, was, watched, read_at, body)
SELECT walk, key, place, pass, pass, watched, watched, read_at, body FROM readings WHERE true ORDER BY key, walk, rowid
ON CONFLICT (key, walk) DO UPDATE SET place = excluded.place, last_pass = max(last_pass, excluded.last_pass),
    gone = NULL, watched = excluded.watched, read_at = excluded.read_at, body = excluded.body
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
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "wal_autocheckpoint = 16000",  # pages of 4 KiB; a checkpoint does wait for the disk
    "cache_size = -8000",
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What the proof looks at, for the objects first seen in or before a pass."""

    held: int  # seen until then and not known to be gone at that time
    again: int  # of these, seen again in a later pass
    left: int  # of these, not seen again and not known to be gone


class StagingStore:
    """One export's store. Open with :meth:`open`; only the holder of the run directory's lock may."""

    def __init__(self, directory: Path, *, threaded: bool) -> None:
        self.directory = directory
        self.threaded = threaded  # long work may be done in a thread, by one at a time
        self.run = 0
        self._db = database.connect(directory / NAME, *_PRAGMAS)

    @classmethod
    def open(cls, directory: Path, *, threaded: bool = True) -> Self:
        """The store there, or a new one. JournalError where it cannot be used."""
        path = directory / NAME
        with _guarded(directory, OSError):
            database.make(path)
            parts = cls(directory, threaded=threaded)
            if not database.tables(parts._db):
                parts._db.executescript(_TABLES)
                parts.set("schema", SCHEMA)
        if parts.get("schema") != SCHEMA:
            parts.close()
            raise JournalError(
                f"{path} was written by another version of piggy-batch; go on with that version, or name another "
                "--run-dir"
            )
        return parts

    def close(self) -> None:
        """Close it; everything is kept."""
        self._db.close()

    def discard(self) -> None:
        """Close and remove the store."""
        self.close()
        database.remove(self.directory / NAME)

    def get(self, key: str) -> Json:
        """A fact about the export; None where it was never set."""
        return database.fact(self._db, key)

    def set(self, key: str, value: Json) -> None:
        """Keep a fact; on disk at once."""
        with _guarded(self.directory):
            database.set_fact(self._db, key, value)

    def state(self, walk: int) -> dict[str, Json]:
        """How far a walk has come; empty where it has not begun."""
        found = self._db.execute("SELECT state FROM walks WHERE number = ?", (walk,)).fetchone()
        state: dict[str, Json] = json.loads(found[0]) if found else {}
        return state

    def set_state(self, walk: int, state: Mapping[str, Json]) -> None:
        """Keep how far a walk has come; on disk at once."""
        self._do("INSERT OR REPLACE INTO walks VALUES (?, ?)", (walk, json.dumps(state)))

    def _do(self, sql: str, values: tuple[Any, ...]) -> int:
        with _guarded(self.directory):
            return int(self._db.execute(sql, values).lastrowid or 0)

    # --- one invocation --------------------------------------------------------------------------------

    def begin(self, now_s: float) -> None:
        """Start an invocation; what is kept counts towards it."""
        self.run = self._do("INSERT INTO runs (started_at) VALUES (?)", (now_s,))

    def finish(self, now_s: float, exit_code: int, tally: RequestCounts) -> None:
        """Close the invocation's books."""
        self._do(database.TALLY, (tally.sent, tally.retried, tally.throttled, self.run))
        self._do("UPDATE runs SET finished_at = ?, exit_code = ? WHERE id = ?", (now_s, exit_code, self.run))

    def keep(self, walk: int, number: int, page: Page, read_at: float, tally: RequestCounts) -> None:
        """Keep a page of pass ``number`` and what it shows."""
        place = (page.number - 1) * page.size
        row = (
            *(walk, number, page.number, page.size, len(page.items) + page.nameless, page.nameless),
            *(page.last_page, page.total, page.digest, page.flaw, read_at),
        )
        bodies = encode_items(page.items)
        readings = [
            (walk, number, item[0], place + n, item[1], read_at, body)
            for n, (item, body) in enumerate(zip(page.items, bodies, strict=True))
        ]
        self._commit(_PAGE, row, tally, readings)

    def merge(self) -> None:
        """Enter what pages have shown among the objects seen, the latest reading last. Nothing else may be
        written meanwhile."""
        with _guarded(self.directory), database.transaction(self._db):
            self._db.execute(_MERGE)
            self._db.execute("DELETE FROM readings")

    def again(
        self, walk: int, number: int, key: str, watched: int | None, body: str, read_at: float, tally: RequestCounts
    ) -> None:
        """Keep that a look-up after pass ``number`` has shown an object again."""
        self._commit(_AGAIN, (number, watched, read_at, body, walk, key), tally)

    def gone(self, walk: int, number: int, key: str, tally: RequestCounts) -> None:
        """Keep that a look-up after pass ``number`` says that an object is gone."""
        self._commit(_GONE, (number, walk, key), tally)

    def _commit(
        self, sql: str, values: tuple[Any, ...], tally: RequestCounts, readings: list[tuple[Any, ...]] | None = None
    ) -> None:
        """One write, what was read, and the requests so far, together."""
        with _guarded(self.directory, UnicodeError), database.transaction(self._db):
            self._db.execute(sql, values)
            self._db.executemany(_READING, readings or ())
            self._db.execute(database.TALLY, (tally.sent, tally.retried, tally.throttled, self.run))

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
        for table in ("pages", "readings", "seen"):
            self._do(f"DELETE FROM {table} WHERE walk = ?", (walk,))  # noqa: S608 - one of three constants
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
        return database.requests(self._db)

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

    def kept(self) -> Iterator[tuple[str, float]]:
        """(body, read_at) of every chosen object, in the order of the list."""
        yield from self._db.execute("SELECT body, read_at FROM kept ORDER BY walk, place, key")

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


def peek(directory: Path) -> dict[str, Json] | None:
    """What an unfinished export has read so far, also while it runs; None where there is none."""
    path = directory / NAME
    if not path.exists():
        return None
    with _guarded(directory), closing(database.connect(path, read_only=True)) as db:
        facts = {key: json.loads(value) for key, value in db.execute("SELECT key, value FROM meta")}
        passes = db.execute("SELECT pass, count(*), max(last_page) FROM pages GROUP BY pass ORDER BY pass").fetchall()
        cards = db.execute("SELECT coalesce(sum(rows), 0) FROM pages WHERE pass = 1").fetchone()[0]
        runs = db.execute("SELECT min(started_at), count(*), sum(sent) FROM runs").fetchone()
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


def _guarded(directory: Path, *more: type[Exception]) -> AbstractContextManager[None]:
    """Turns trouble with the store into a JournalError."""
    return database.trouble_as(partial(_unusable, directory), *more)


def _unusable(directory: Path, error: Exception) -> JournalError:
    helps = remedy_of(error)
    advice = going_on(error) if helps else "name another directory with --run-dir"
    return JournalError(
        f"the export's store in {directory} cannot be used: {words_of(error)}; {advice}",
        goes_on=helps is not None,
    )
