"""The tables of an export's staging store, and the statements that write them.

The names are those on disk: ``walk`` is the list that a row belongs to, 1 = the export's first filter; ``pass`` counts
the readings of that list from 1.
"""

from __future__ import annotations

VERSION = 1

TABLES = """
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
PAGE = "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
READING = "INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?)"
# In the order of their keys, so that the tree grows at its end instead of everywhere at once.
MERGE = """
INSERT INTO seen (walk, key, place, first_pass, last_pass, was, watched, read_at, body)
SELECT walk, key, place, pass, pass, watched, watched, read_at, body FROM readings WHERE true ORDER BY key, walk, rowid
ON CONFLICT (key, walk) DO UPDATE SET place = excluded.place, last_pass = max(last_pass, excluded.last_pass),
    gone = NULL, watched = excluded.watched, read_at = excluded.read_at, body = excluded.body
"""
SEEN_AGAIN = "UPDATE seen SET last_pass = ?, watched = ?, read_at = ?, body = ? WHERE walk = ? AND key = ?"
DELETED = "UPDATE seen SET gone = ? WHERE walk = ? AND key = ?"
SUSPECT_PAGES = """
SELECT page FROM pages WHERE walk = ?1 AND pass = ?2 AND (
    flaw IS NOT NULL OR (rows < size AND page < last_page AND page < (
        SELECT max(page) FROM pages WHERE walk = ?1 AND pass = ?2 AND rows > 0
    )) OR digest IN (
        SELECT digest FROM pages WHERE walk = ?1 AND pass = ?2 AND digest IS NOT NULL
        GROUP BY digest HAVING count(*) > 1
    )
) ORDER BY page
"""
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "wal_autocheckpoint = 16000",  # pages of 4 KiB; a checkpoint does wait for the disk
    "cache_size = -8000",
)
