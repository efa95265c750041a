"""Reading a journal back: rows, counts, facts and invocations. A reader never blocks the run that writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from piggy_batch.models import Json, Repeat, Status
from piggy_batch.runs import database, journal_file
from piggy_batch.runs.records import RowState, unpack

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path


_FACTS: dict[str, tuple[type[Any], tuple[str, ...]]] = {  # of which kind, and what an object must hold
    "operation": (str, ()),
    "manifest": (dict, ("path", "sha256")),
    "header": (list, ()),
    "options": (dict, ()),
    "account": (dict, ("id",)),
    "base_url": (str, ()),
    "command": (str, ()),
}
READ_BATCH = 500  # rows a query
SENT = "sent"  # an intent without an outcome
_STATUSES = {status.value: status for status in Status}
_decode = json.JSONDecoder().raw_decode  # json.loads without its look for white space around
_SELECT = (
    "SELECT r.number, r.line, r.cells, f.state, f.attempts, f.sent_at, f.before, f.proof, f.http_status, f.code, "
    "f.message, f.kept, f.finished_at FROM rows r LEFT JOIN fates f ON f.number = r.number"
)


class JournalQueries:
    """What a journal holds. :meth:`open` reads one that a run may be writing; a run's own comes with its journal."""

    def __init__(self, directory: Path, connection: sqlite3.Connection, *, logged: bool = True) -> None:
        self.directory = directory
        self._db = connection
        self._repeat: Repeat | None = None
        self._counted: tuple[tuple[int, int], dict[Status, int]] | None = None
        self.unended = self._unended_run()  # the last invocation, where it never ended; 0: it did
        # The last invocation never ended, and the log with its last writes is not there.
        self.log_lost = bool(self.unended) and not logged and self.get("recovered") != self.unended

    @classmethod
    def open(cls, directory: Path) -> Self | None:
        """The journal there, also while a run writes it; None where there is none or it was never finished."""
        return cls._existing(directory, still=False)

    @classmethod
    def peek(cls, directory: Path) -> Self | None:
        """As :meth:`open`, for a moment's look that leaves no file behind: not while the journal is written."""
        return cls._existing(directory, still=not journal_file.logged(directory))

    @classmethod
    def _existing(cls, directory: Path, *, still: bool) -> Self | None:
        logged = journal_file.logged(directory)
        db = journal_file.connect_existing(directory, read_only=True, still=still)
        return None if db is None else cls(directory, db, logged=logged)

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    # --- facts about the run -------------------------------------------------------------------------

    def get(self, key: str) -> Json:
        """A fact; None where it was never set. The database's error where it is not of its kind."""
        value = database.fact(self._db, key)
        if key not in _FACTS or (value is None and not database.has_fact(self._db, key)):
            return value
        kind, parts = _FACTS[key]
        if not (isinstance(value, kind) and (not parts or set(parts) <= set(value))):
            raise database.damaged(f"what it says of {key} is damaged")
        return value

    @property
    def repeat(self) -> Repeat:
        """What a second request of this run's operation does."""
        if self._repeat is None:
            try:
                self._repeat = Repeat(self.get("repeat"))
            except ValueError:
                raise database.damaged("what a repeat does is not in it") from None
        return self._repeat

    @property
    def bound(self) -> bool:
        """Whether a request of this run has been journalled."""
        return bool(self.get(journal_file.BOUND)) or self.log_lost

    # --- the manifest --------------------------------------------------------------------------------

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

    def is_invalid(self, number: int) -> bool:
        """Whether a row is marked invalid."""
        return self._db.execute("SELECT 1 FROM fates WHERE number = ?", (number,)).fetchone() is not None

    # --- invocations ---------------------------------------------------------------------------------

    def _unended_run(self) -> int:
        last = self._db.execute("SELECT id, finished_at FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        return last[0] if last is not None and last[1] is None else 0

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

    def seen_of(self, run: int) -> tuple[float, int]:
        """When it last wrote of a row, and how many rows it has ended, each with a request or more."""
        query = (
            "SELECT max(max(coalesce(finished_at, 0), coalesce(sent_at, 0))), count(finished_at) FROM fates "
            "WHERE run = ?"
        )
        seen_at, rows = self._db.execute(query, (run,)).fetchone()
        return seen_at or 0.0, rows

    @property
    def indexes_made(self) -> bool:
        """Whether things that rows have made are known by their UUIDs."""
        return "made" in database.tables(self._db)

    def maker_of(self, uuid: str) -> int | None:
        """The row that has made a thing of that UUID; 0: it was there before the run; None: none has."""
        found = self._db.execute("SELECT number FROM made WHERE uuid = ?", (uuid,)).fetchone()
        return None if found is None else int(found[0])

    # --- statuses ------------------------------------------------------------------------------------

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

    def taken_counts(self, run: int) -> dict[Status, int]:
        """The statuses of the rows that an invocation settled or left in doubt."""
        return self._by_status("SELECT state, count(*) FROM fates WHERE run = ? GROUP BY state", run)

    def _by_status(self, query: str, *values: int) -> dict[Status, int]:
        counts = dict.fromkeys(Status, 0)
        for state, number in self._db.execute(query, values):
            counts[self._status(state)] += number
        return counts

    def reasons(self, status: Status, most: int) -> list[tuple[int, int, str]]:
        """Why rows ended in a status, by the service's code, the most frequent first: how many rows, the first of them,
        and its message."""
        query = (
            "SELECT count(*) AS rows, min(number), message FROM fates WHERE state = ? GROUP BY code, http_status "
            "ORDER BY rows DESC LIMIT ?"
        )
        return [(rows, first, why or "") for rows, first, why in self._db.execute(query, (status.value, most))]

    def in_flight(self, run: int) -> int:
        """Rows that an invocation at work has sent, and whose outcome it has not written yet."""
        query = "SELECT count(*) FROM fates WHERE state = ? AND run = ?"
        return int(self._db.execute(query, (SENT, run)).fetchone()[0])

    def rows_in(self, status: Status) -> Iterator[RowState]:
        """The rows that ended in a status, in manifest order."""
        return self._pages(f"f.state = '{status.value}'")

    def count_without_lookup(self) -> int:
        """How many rows in doubt have no before-look."""
        query = "SELECT count(*) FROM fates WHERE state IN ('unknown', 'sent') AND before IS NULL"
        return int(self._db.execute(query).fetchone()[0])

    # --- rows ----------------------------------------------------------------------------------------

    def open_rows(self, run: int, takes: Collection[Status], *, needs_before: bool, resend: bool) -> Iterator[RowState]:
        """Rows for invocation ``run``, pending ones first, then those of other statuses that an earlier one left.

        ``takes`` says which statuses; a row in doubt without the before-look that its operation needs is
        taken only with ``resend``. Rows settled meanwhile are not met again.
        """
        if Status.PENDING in takes:
            yield from self._pages("f.number IS NULL")
        states = sorted(status.value for status in takes if status is not Status.PENDING)
        if Status.UNKNOWN in takes or self.repeat is Repeat.SAFE:
            states.append(SENT)
        if states:
            marks = ",".join(f"'{s}'" for s in states)
            blind = (
                "" if resend or not needs_before else " AND NOT (f.state IN ('unknown', 'sent') AND f.before IS NULL)"
            )
            yield from self._pages(f"f.state IN ({marks}) AND f.run < {run}{blind}")

    def all_cells(self) -> Iterator[list[str]]:
        """The cells of every row, in manifest order."""
        for (cells,) in self._db.execute("SELECT cells FROM rows ORDER BY number"):
            yield unpack(cells)

    def all_statuses(self) -> Iterator[tuple[int, Status]]:
        """The number and the status of every row, in manifest order; much quicker than whole rows."""
        for number, state in self._db.execute(
            "SELECT r.number, f.state FROM rows r LEFT JOIN fates f ON f.number = r.number ORDER BY r.number"
        ):
            yield number, Status.PENDING if state is None else self._status(state)

    def all_rows(self) -> Iterator[RowState]:
        """Every row in manifest order, from one consistent reading."""
        for row in self._db.execute(_SELECT + " ORDER BY r.number"):
            yield self._row(row)

    def _pages(self, where: str) -> Iterator[RowState]:
        last = 0
        while True:
            page = self._db.execute(
                f"{_SELECT} WHERE r.number > ? AND {where} ORDER BY r.number LIMIT {READ_BATCH}", (last,)
            ).fetchall()
            for row in page:
                yield self._row(row)
            if len(page) < READ_BATCH:
                return
            last = page[-1][0]

    def _status(self, state: str) -> Status:
        if state == SENT:
            return Status.PENDING if self.repeat is Repeat.SAFE else Status.UNKNOWN
        try:
            return _STATUSES[state]
        except KeyError:
            raise database.damaged("a row's status in it is damaged") from None

    def _row(self, row: Sequence[Any]) -> RowState:
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
            _parse(before) if before else None,
            proof,
            http_status,
            code,
            message,
            _parse(kept) if kept else None,
            finished,
        )


def _parse(text: str) -> Json:
    try:
        value = _decode(text)[0]
    except (ValueError, TypeError):
        value = None
    if type(value) is not dict:
        raise database.damaged("what it keeps of an answer is damaged")
    return value
