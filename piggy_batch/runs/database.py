"""SQLite files: what the two stores of run directories, a run's journal and an export's parts, do alike.

A store is one file in write-ahead mode, so that readers never block its writer. It has a table ``meta`` of facts and
a table ``runs`` of invocations with their request counts.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from piggy_batch.errors import JournalError
    from piggy_batch.models import Json


LOG = "-wal"  # ends the name of the log of what was written last; SQLite folds it in when the last connection closes
TALLY = "UPDATE runs SET sent = ?, retried = ?, throttled = ? WHERE id = ?"


def make(path: Path) -> None:
    """An empty file that only its owner may read, where there is none."""
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def remove(path: Path) -> None:
    """Remove a store that nobody has open, and what SQLite has put beside it; a log never stays without its store."""
    for suffix in (LOG, "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def connect(path: Path, *pragmas: str, read_only: bool = False, still: bool = False) -> sqlite3.Connection:
    """A connection to a file that is there; sqlite3.Error where there can be none. It commits each statement unless a
    transaction is open; any thread may use it, one at a time. ``still``: to be read while nobody writes, so that SQLite
    puts no file beside it; so is what is to be read only, has no log, and lies where nobody may write."""
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise sqlite3.OperationalError("it is no regular file")
    still = still or (read_only and not _has_log(path) and not os.access(path.parent, os.W_OK))
    uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rw'}{'&immutable=1' if still else ''}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
    for pragma in pragmas:
        db.execute(f"PRAGMA {pragma}")
    return db


def _has_log(path: Path) -> bool:
    return path.with_name(path.name + LOG).exists()


def scratch() -> sqlite3.Connection:
    """A database in a temporary file that is gone when it is closed; in memory while it is small."""
    return sqlite3.connect("", isolation_level=None)


@contextmanager
def transaction(db: sqlite3.Connection, kind: Literal["DEFERRED", "IMMEDIATE"] = "DEFERRED") -> Iterator[None]:
    """All writes or none. An immediate one reads nothing that another writer changes before it ends."""
    db.execute(f"BEGIN {kind}")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def trouble_as(told: Callable[[Exception], JournalError], *more: type[Exception]) -> Iterator[None]:
    """Turn trouble of the database, and exceptions of the kinds ``more``, into the error that ``told`` makes of it."""
    kinds: tuple[type[Exception], ...] = (sqlite3.Error, *more)
    try:
        yield
    except kinds as error:
        raise told(error) from None


def tables(db: sqlite3.Connection) -> set[str]:
    """The names of the tables; none in a file whose making was cut short."""
    return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def fact(db: sqlite3.Connection, key: str) -> Json:
    """What ``meta`` holds under a key; None where it was never set."""
    found = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return parsed(found[0]) if found else None


def damaged(words: str) -> Exception:
    """The database's own error, for what is in it and cannot be."""
    return sqlite3.DatabaseError(words)


def has_fact(db: sqlite3.Connection, key: str) -> bool:
    """Whether ``meta`` holds anything under a key, be it null."""
    return db.execute("SELECT 1 FROM meta WHERE key = ?", (key,)).fetchone() is not None


def parsed(text: str) -> Json:
    """JSON as the store holds it; sqlite3.DatabaseError where it is damaged."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        raise damaged("a value in it is damaged") from None


def set_fact(db: sqlite3.Connection, key: str, value: Json) -> None:
    """Keep a fact; on disk at once unless a transaction is open."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))


def requests(db: sqlite3.Connection) -> dict[str, int]:
    """HTTP requests of all invocations."""
    row = db.execute("SELECT sum(sent), sum(retried), sum(throttled) FROM runs").fetchone()
    return dict(zip(("sent", "retried", "throttled"), (n or 0 for n in row), strict=True))
