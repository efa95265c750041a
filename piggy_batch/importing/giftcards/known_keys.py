"""Which cards are known already, of more than memory should hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from piggy_batch.runs import database

if TYPE_CHECKING:
    from collections.abc import Iterable


class KnownKeys:
    """A set of keys in a temporary file on disk; it ends with the ``with`` block."""

    def __init__(self) -> None:
        self._db = database.scratch()
        self._db.execute("CREATE TABLE known (key TEXT PRIMARY KEY) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def add(self, keys: Iterable[str]) -> None:
        """Put keys in; those that are there already stay."""
        with database.transaction(self._db):
            self._db.executemany("INSERT OR IGNORE INTO known VALUES (?)", ((key,) for key in keys))

    def __contains__(self, key: str) -> bool:
        return self._db.execute("SELECT 1 FROM known WHERE key = ?", (key,)).fetchone() is not None
