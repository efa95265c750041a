"""What an export's file holds of the objects in its staging store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

_KEPT = (
    "CREATE TEMP VIEW kept AS SELECT s.* FROM main.seen s JOIN chosen c ON c.walk = s.walk "
    "WHERE s.first_pass <= c.upto AND s.gone IS NULL"
)
_ONCE = (
    " AND NOT EXISTS (SELECT 1 FROM main.seen t JOIN chosen d ON d.walk = t.walk WHERE t.key = s.key "
    "AND t.walk <> s.walk AND t.first_pass <= d.upto AND t.gone IS NULL AND (t.read_at, t.walk) > (s.read_at, s.walk))"
)
_EVERY_PASS = 2**31


class Selection:
    """Of each list the objects first seen up to a pass (None: in any), less the deleted ones.

    An object of several lists counts once, with its latest reading. One selection at a time: it lives in temporary
    tables of the store's connection.
    """

    def __init__(self, db: sqlite3.Connection, upto: Mapping[int, int | None]) -> None:
        self._db = db
        db.execute("DROP TABLE IF EXISTS chosen")
        db.execute("CREATE TEMP TABLE chosen (walk INTEGER PRIMARY KEY, upto INTEGER NOT NULL)")
        db.executemany(
            "INSERT INTO chosen VALUES (?, ?)", [(n, _EVERY_PASS if u is None else u) for n, u in upto.items()]
        )
        db.execute("DROP VIEW IF EXISTS kept")
        db.execute(_KEPT if len(upto) < 2 else _KEPT + _ONCE)

    def rows(self) -> Iterator[tuple[str, float]]:
        """(body, read_at) of every object, in the order of the lists."""
        yield from self._db.execute("SELECT body, read_at FROM kept ORDER BY walk, place, key")

    def extent(self) -> tuple[int, float | None, float | None]:
        """How many objects, the oldest and the newest reading in seconds since the epoch."""
        count, oldest, newest = self._db.execute("SELECT count(*), min(read_at), max(read_at) FROM kept").fetchone()
        return count, oldest, newest

    def changed(self) -> tuple[int, list[tuple[str, int | None, int | None]]]:
        """How many objects changed their watched number between two readings, and the first hundred of them as
        (key, first reading, last reading)."""
        where = "FROM kept WHERE was IS NOT watched"
        count = int(self._db.execute(f"SELECT count(*) {where}").fetchone()[0])
        rows = self._db.execute(f"SELECT key, was, watched {where} ORDER BY walk, place, key LIMIT 100")
        return count, rows.fetchall()
