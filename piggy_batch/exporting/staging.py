"""The staging store of an export under way: pages read and objects seen, in SQLite in its run directory.

A page and its objects are one commit, made before it counts as read; a killed export goes on where it was. When a pass
has landed, its readings are merged into ``seen``: one row an object, with its latest reading, when that was, and in
which passes it was first and last seen, which is what the proof in :mod:`piggy_batch.exporting.completeness` counts.
``list_id`` tells the lists of one export apart: 1 = the list under its first filter.

Write-ahead log with synchronous NORMAL: a commit waits for no disk (0.3 ms; a thread for them costs ten times that in
hand-overs). A power cut may take the last commits, whole and in order, and then those pages are read again.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from piggy_batch.errors import JournalError
from piggy_batch.exporting import staging_schema as schema
from piggy_batch.exporting.completeness import SeenCounts
from piggy_batch.exporting.pages import encode_items
from piggy_batch.exporting.selection import Selection
from piggy_batch.files import going_on, remedy_of, words_of
from piggy_batch.runs import database
from piggy_batch.runs.lock import LOCK
from piggy_batch.runs.run_log import remove_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from piggy_batch.client.circuit_breaker import RequestCounts
    from piggy_batch.exporting.pages import Page
    from piggy_batch.models import Json

NAME = "pages.sqlite"
READ_BATCH = 500


def remove_unfinished(directory: Path) -> None:
    """Remove what an export that nobody goes on with has left in its run directory, and the directory with it unless
    somebody else has put something there."""
    if directory.is_symlink():
        return
    with suppress(OSError):
        database.remove(directory / NAME)
        remove_logs(directory)
        (directory / LOCK).unlink(missing_ok=True)
        directory.rmdir()


class StagingStore:
    """One export's store. Open with :meth:`open`; only the holder of the run directory's lock may."""

    def __init__(self, directory: Path, *, threaded: bool) -> None:
        self.directory = directory
        self._threaded = threaded
        self.run = 0
        self._db = database.connect(directory / NAME, *schema.PRAGMAS)

    @classmethod
    def open(cls, directory: Path, *, threaded: bool = True) -> Self:
        """The store there, or a new one. JournalError where it cannot be used."""
        path = directory / NAME
        with guarded(directory, OSError):
            database.make(path)
            store = cls(directory, threaded=threaded)
            if not database.tables(store._db):
                store._db.executescript(schema.TABLES)
                store.set("schema", schema.VERSION)
        if store.get("schema") != schema.VERSION:
            store.close()
            raise JournalError(
                f"{path} was written by another version of piggy-batch; go on with that version, or name another "
                "--run-dir"
            )
        return store

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
        with guarded(self.directory):
            database.set_fact(self._db, key, value)

    def state(self, list_id: int) -> dict[str, Json]:
        """How far the reading of a list has come; empty where it has not begun."""
        found = self._db.execute("SELECT state FROM walks WHERE number = ?", (list_id,)).fetchone()
        state: dict[str, Json] = database.parsed(found[0]) if found else {}
        return state

    def set_state(self, list_id: int, state: Mapping[str, Json]) -> None:
        """Keep how far the reading of a list has come; on disk at once."""
        self.set_states({list_id: state})

    def set_states(self, states: Mapping[int, Mapping[str, Json]]) -> None:
        """Keep how far the reading of lists has come; on disk together."""
        with guarded(self.directory), database.transaction(self._db):
            self._db.executemany(
                "INSERT OR REPLACE INTO walks VALUES (?, ?)",
                [(list_id, json.dumps(state)) for list_id, state in states.items()],
            )

    async def in_thread(self, work: Callable[..., None], *given: Any) -> None:
        """Do long work on the store in a thread, where threads are allowed; one at a time."""
        if self._threaded:
            await asyncio.to_thread(work, *given)
        else:
            work(*given)

    def _do(self, sql: str, values: tuple[Any, ...]) -> int:
        with guarded(self.directory):
            return int(self._db.execute(sql, values).lastrowid or 0)

    # --- one invocation --------------------------------------------------------------------------------

    def begin(self, now_s: float) -> None:
        """Start an invocation; what is kept counts towards it."""
        self.run = self._do("INSERT INTO runs (started_at) VALUES (?)", (now_s,))

    def finish(self, now_s: float, exit_code: int, tally: RequestCounts) -> None:
        """Close the invocation's books."""
        self._do(database.TALLY, (tally.sent, tally.retried, tally.throttled, self.run))
        self._do("UPDATE runs SET finished_at = ?, exit_code = ? WHERE id = ?", (now_s, exit_code, self.run))

    def keep_page(self, list_id: int, number: int, page: Page, read_at: float, tally: RequestCounts) -> None:
        """Keep a page of pass ``number`` and what it shows."""
        place = (page.number - 1) * page.size
        row = (
            *(list_id, number, page.number, page.size, len(page.items) + page.nameless, page.nameless),
            *(page.last_page, page.total, page.digest, page.flaw, read_at),
        )
        bodies = encode_items(page.items)
        readings = [
            (list_id, number, item[0], place + n, item[1], read_at, body)
            for n, (item, body) in enumerate(zip(page.items, bodies, strict=True))
        ]
        self._commit(schema.PAGE, row, tally, readings)

    def merge(self) -> None:
        """Enter what pages have shown among the objects seen, the latest reading last. Nothing else may be
        written meanwhile."""
        with guarded(self.directory), database.transaction(self._db):
            self._db.execute(schema.MERGE)
            self._db.execute("DELETE FROM readings")

    def mark_seen_again(
        self, list_id: int, number: int, key: str, watched: int | None, body: str, read_at: float, tally: RequestCounts
    ) -> None:
        """Keep that a look-up after pass ``number`` has shown an object again."""
        self._commit(schema.SEEN_AGAIN, (number, watched, read_at, body, list_id, key), tally)

    def mark_deleted(self, list_id: int, number: int, key: str, tally: RequestCounts) -> None:
        """Keep that a look-up after pass ``number`` says that an object is deleted."""
        self._commit(schema.DELETED, (number, list_id, key), tally)

    def _commit(
        self, sql: str, values: tuple[Any, ...], tally: RequestCounts, readings: list[tuple[Any, ...]] | None = None
    ) -> None:
        """One write, what was read, and the requests so far, together."""
        with guarded(self.directory, UnicodeError), database.transaction(self._db):
            self._db.execute(sql, values)
            self._db.executemany(schema.READING, readings or ())
            self._db.execute(database.TALLY, (tally.sent, tally.retried, tally.throttled, self.run))

    # --- reading back ----------------------------------------------------------------------------------

    def pages_read(self, list_id: int, number: int) -> frozenset[int]:
        """The pages of a pass that are kept."""
        query = "SELECT page FROM pages WHERE walk = ? AND pass = ?"
        return frozenset(page for (page,) in self._db.execute(query, (list_id, number)))

    def last_page_range(self, list_id: int, number: int) -> tuple[int | None, int | None]:
        """The greatest and the least ``last_page`` that a pass's pages have told."""
        query = "SELECT max(last_page), min(last_page) FROM pages WHERE walk = ? AND pass = ?"
        most, least = self._db.execute(query, (list_id, number)).fetchone()
        return most, least

    def highest_page(self, list_id: int, number: int) -> tuple[int, int]:
        """The highest page of a pass that is kept, and how many rows it has."""
        query = "SELECT page, rows FROM pages WHERE walk = ? AND pass = ? ORDER BY page DESC LIMIT 1"
        page, rows = self._db.execute(query, (list_id, number)).fetchone() or (1, 0)
        return page, rows

    def count_items(self) -> int:
        """Goes up with every object seen for the first time."""
        return int(self._db.execute("SELECT count(*) FROM seen").fetchone()[0])

    def suspect_pages(self, list_id: int, number: int) -> list[int]:
        """Pages of a pass that may have shown too little: flawed, short though not the last, or like another."""
        return [page for (page,) in self._db.execute(schema.SUSPECT_PAGES, (list_id, number))]

    def forget_pages(self, list_id: int, number: int, before_s: float) -> int:
        """Forget that pages of a pass were read before a moment; how many. Objects stay seen."""
        query = "DELETE FROM pages WHERE walk = ? AND pass = ? AND read_at < ?"
        return self._db.execute(query, (list_id, number, before_s)).rowcount

    def forget_list(self, list_id: int) -> None:
        """Forget everything about a list."""
        for table in ("pages", "readings", "seen"):
            self._do(f"DELETE FROM {table} WHERE walk = ?", (list_id,))  # noqa: S608 - one of three constants
        self._do("DELETE FROM walks WHERE number = ?", (list_id,))

    def seen_counts(self, list_id: int, upto: int) -> SeenCounts:
        """How the objects first seen in or before pass ``upto`` fared since."""
        row = self._db.execute(
            "SELECT count(*), sum(last_pass > ?2 AND gone IS NULL), sum(last_pass <= ?2 AND gone IS NULL) FROM seen "
            "WHERE walk = ?1 AND first_pass <= ?2 AND (gone IS NULL OR gone > ?2)",
            (list_id, upto),
        ).fetchone()
        return SeenCounts(*(n or 0 for n in row))

    def count_unseen(self, list_id: int, number: int) -> int:
        """How many objects were not seen again in a pass, nor are known to be deleted."""
        query = "SELECT count(*) FROM seen WHERE walk = ? AND last_pass < ? AND gone IS NULL"
        return int(self._db.execute(query, (list_id, number)).fetchone()[0])

    def unseen_items(self, list_id: int, number: int) -> Iterator[tuple[str, str]]:
        """(key, body) of objects not seen again in a pass; those settled meanwhile are not met again."""
        last = ""
        while True:
            rows = self._db.execute(
                "SELECT key, body FROM seen WHERE walk = ? AND last_pass < ? AND gone IS NULL AND key > ? "
                "ORDER BY key LIMIT ?",
                (list_id, number, last, READ_BATCH),
            ).fetchall()
            for last, body in rows:
                yield last, body
            if len(rows) < READ_BATCH:
                return

    def vanished(self, list_id: int) -> tuple[int, list[str]]:
        """How many objects were deleted while the list was read, and the first hundred of them."""
        count = self._db.execute("SELECT count(*) FROM seen WHERE walk = ? AND gone IS NOT NULL", (list_id,)).fetchone()
        query = "SELECT key FROM seen WHERE walk = ? AND gone IS NOT NULL ORDER BY place, key LIMIT 100"
        return int(count[0]), [key for (key,) in self._db.execute(query, (list_id,))]

    def requests(self) -> dict[str, int]:
        """HTTP requests of all invocations."""
        return database.requests(self._db)

    def times(self) -> tuple[float | None, float]:
        """When the first invocation began, and how many seconds the finished ones took together."""
        row = self._db.execute(
            "SELECT min(started_at), sum(coalesce(finished_at, started_at) - started_at) FROM runs"
        ).fetchone()
        return row[0], row[1] or 0.0

    def select(self, upto: Mapping[int, int | None]) -> Selection:
        """What a file holds of each list: what was first seen up to a pass, None: in any."""
        return Selection(self._db, upto)


def peek(directory: Path) -> dict[str, Json] | None:
    """What an unfinished export has read so far, also while it runs; None where there is none."""
    path = directory / NAME
    if not path.exists():
        return None
    with guarded(directory), closing(database.connect(path, read_only=True)) as db:
        facts = {key: database.parsed(value) for key, value in db.execute("SELECT key, value FROM meta")}
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


def guarded(directory: Path, *more: type[Exception]) -> AbstractContextManager[None]:
    """Turns trouble with the store, and exceptions of the kinds ``more``, into a JournalError."""
    return database.trouble_as(partial(_unusable, directory), *more)


def _unusable(directory: Path, error: Exception) -> JournalError:
    helps = remedy_of(error)
    advice = going_on(error) if helps else "name another directory with --run-dir"
    return JournalError(
        f"the export's store in {directory} cannot be used: {words_of(error)}; {advice}",
        goes_on=helps is not None,
    )
