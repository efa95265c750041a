"""A journal's file: where it lies, which tables and version it has, how it is opened, and what is said when it
cannot be used.

A disk that fails (EIO), is full, or opens no more files ends a run at the next write with exit code 4: what cannot be
written down is not sent, requests under way land, and once the cause is gone the same command goes on. Rows that were
sent and whose outcome could not be written are then in doubt, and looked up where the operation can.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from piggy_batch.errors import JournalError
from piggy_batch.files import going_on, remedy_of, words_of
from piggy_batch.runs import database

if TYPE_CHECKING:
    import sqlite3
    from contextlib import AbstractContextManager
    from pathlib import Path

SCHEMA = 1
NAME = "journal.sqlite"
WAL = f"{NAME}{database.LOG}"
BOUND = "bound"  # the fact that a request of this run has been journalled
SENDS = "sends"  # the fact how many intents have been, of a run whose sends are counted outside its directory too

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rows (number INTEGER PRIMARY KEY, line INTEGER NOT NULL, cells TEXT NOT NULL);
CREATE TABLE fates (
    number INTEGER PRIMARY KEY, state TEXT NOT NULL, run INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    sent_at REAL, before TEXT, proof TEXT, http_status INTEGER, code INTEGER, message TEXT, kept TEXT,
    finished_at REAL
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, started_at REAL NOT NULL, finished_at REAL, rate TEXT, exit_code INTEGER,
    sent INTEGER NOT NULL DEFAULT 0, retried INTEGER NOT NULL DEFAULT 0, throttled INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE keys (number INTEGER PRIMARY KEY, key TEXT NOT NULL, fold TEXT);
"""
_CACHE = "cache_size = -16000"
_WRITING = ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4000", _CACHE)


def create(directory: Path) -> sqlite3.Connection:
    """A new, empty journal in the place of any other."""
    path = directory / NAME
    database.remove(path)
    database.make(path)
    db = database.connect(path, *_WRITING)
    with guarded(directory, OSError):
        db.executescript(_TABLES)
        database.set_fact(db, "schema", SCHEMA)
    return db


def connect(directory: Path, *, read_only: bool = False, still: bool = False) -> sqlite3.Connection:
    """A connection to the journal there. ``still``: nobody writes it, so that SQLite need put no file beside it."""
    pragmas = (_CACHE,) if read_only else _WRITING
    return database.connect(directory / NAME, *pragmas, read_only=read_only, still=still)


def connect_existing(directory: Path, *, read_only: bool, still: bool = False) -> sqlite3.Connection | None:
    """The journal there, of the version that this program knows; None where there is none or its making was cut
    short."""
    if not (directory / NAME).exists():
        return None
    with guarded(directory, OSError):
        db = connect(directory, read_only=read_only, still=still)
        schema = database.fact(db, "schema") if "meta" in database.tables(db) else None
    if schema == SCHEMA:
        return db
    db.close()
    if schema is None:
        return None
    age = "a newer" if isinstance(schema, int) and schema > SCHEMA else "an older"
    raise JournalError(
        f"the journal in {directory} was written by {age} version of piggy-batch (schema {schema}, this one "
        f"knows {SCHEMA}); go on with that version, or start afresh with another --run-dir"
    )


def remove(directory: Path) -> None:
    """Remove a journal that nobody has open."""
    database.remove(directory / NAME)


def logged(directory: Path) -> bool:
    """Whether the log of what was written last is there; a mere look makes an empty one."""
    try:
        return (directory / WAL).stat().st_size > 0
    except OSError:
        return False


def is_empty(directory: Path) -> bool:
    """Whether the journal is missing or holds nothing."""
    try:
        return (directory / NAME).stat().st_size == 0
    except FileNotFoundError:
        return True
    except OSError:
        return False


def identity(directory: Path) -> tuple[int, int] | None:
    """What tells the journal there from another in its place; None where there is none."""
    try:
        found = (directory / NAME).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def guarded(directory: Path, *more: type[Exception]) -> AbstractContextManager[None]:
    """Turns a journal that cannot be read or written, wherever that shows, into a JournalError."""
    return database.trouble_as(partial(unusable, directory), *more)


def unusable(directory: Path, error: Exception) -> JournalError:
    """Trouble with the journal, in words that say what next."""
    helps = remedy_of(error)
    advice = going_on(error) if helps else "check the directory, or name another with --run-dir"
    return JournalError(
        f"the journal in {directory} cannot be used: {words_of(error)}; {advice}", goes_on=helps is not None
    )
