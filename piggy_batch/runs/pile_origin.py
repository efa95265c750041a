"""Rows that pass from run to run by way of piles: of all that are one and the same, only one may be carried out.

A pile says of each row from which run it comes (``_run``) and which row it was there (``_row``). A manifest made from
it is a run of its own, so that the mended row stands in two journals, in three where it was refused again, and in both
where the pile was mended twice. Each journal knows what became of its row; what the others know is asked before one
sends. Upwards the rows themselves name their run; downwards a record in the user's state directory does: a run that
takes rows from a pile writes its name there, under the name of the run that the pile is of.
"""

from __future__ import annotations

import hashlib
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from piggy_batch.endpoints import CATALOGUE
from piggy_batch.errors import SetupError
from piggy_batch.models import Status
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.runs.lock import is_held
from piggy_batch.runs.registry import RunRegistry, entry_of
from piggy_batch.runs.run_finder import name_of
from piggy_batch.text import folded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from piggy_batch.runs.run_finder import RunFinder

_HARMLESS = (Status.INVALID, Status.REJECTED)  # certainly not carried out, and not taken up by the run on its own
_TO_COME = (Status.PENDING, Status.FAILED)
_ANEW = "or pass --again if you know that it was not carried out"
_GOING_ON = "go on without --retry-rejected, and pass those rows of errors that no other run has as a new manifest"
_MOST_NAMED = 20  # rows that a message names one by one
_HARM = "without it rows of a pile could be carried out twice: mend it"

Rows = dict[int, int]  # the row of another run -> the row of this run that it is one and the same with


class _Settled(NamedTuple):
    """A row that another run has carried out, or will."""

    number: int
    how: str  # it is tied to a row there
    status: Status  # there


class PileOrigin:
    """The ties of one run's rows to those of other runs. ``records``: the user's state directory."""

    def __init__(
        self, journal: JournalQueries, run: str, operation: str, finder: RunFinder, records: Path | None
    ) -> None:
        self._journal = journal
        self._run = run
        self._operation = operation
        self._finder = finder
        self._records = records / "once" if records is not None else None
        self._noted: list[RunRegistry] = []
        self._asked: set[tuple[Path, str, frozenset[int]]] = set()
        self._advice = ""

    def refuse(self, taken: Collection[Status], *, upwards: Collection[Status]) -> None:
        """SetupError where a row that is about to be taken was carried out in another run, or is about to be, or
        nobody can say, because that run is not found.

        ``taken``: the statuses of rows that are taken. Those of ``upwards`` are asked for where they come from, too.
        """
        looks_up = _RowOrigin(self._journal, self._operation).is_named and not set(taken).isdisjoint(upwards)
        if not looks_up and not self._takers(self._run):
            return  # as at most starts: the rows are not read
        self._asked.clear()
        begins = set(taken) <= set(upwards)
        self._advice = "leave such rows out" if begins else _GOING_ON
        rows = {number: status for number, status in self._journal.all_statuses() if status in taken}
        if begins:
            self._refuse_copies(rows)
        self._look_up(self._journal, {number: number for number, status in rows.items() if status in upwards})
        self._look_down(self._run, dict(zip(rows, rows, strict=True)))

    def _refuse_copies(self, rows: Collection[int]) -> None:
        """SetupError where two of these rows are one and the same row of a pile."""
        seen: dict[tuple[str, str], int] = {}
        for number, run, row in _origins(self._journal, self._operation):
            if number in rows and (first := seen.setdefault((run, row), number)) != number:
                raise SetupError(
                    f'rows {first} and {number} are both row "{row}" of one run by _run and _row; '
                    "sending both would do it twice: leave one out, or clear _run in one that is a row of its own"
                )

    def note(self) -> bool:
        """Tell the runs that rows come from that this run has them, on disk on return; whether that was news."""
        if self._records is None:
            return False
        for run in {run for _, run, _ in _origins(self._journal, self._operation)}:
            registry = _record(self._records, run)
            with registry.locked():
                entries = registry.read()
                if all(entry["run"] != self._run for entry in entries):
                    registry.write([*entries, entry_of(self._run, self._journal.directory)])
                    self._noted.append(registry)
        return bool(self._noted)

    def withdraw(self) -> None:
        """Nothing was sent: what :meth:`note` has written is taken back."""
        for registry in self._noted:
            with suppress(SetupError), registry.locked():
                registry.write([entry for entry in registry.read() if entry["run"] != self._run])

    # --- from run to run -----------------------------------------------------------------------------

    def _look_up(self, journal: JournalQueries, rows: Rows) -> None:
        """Ask the runs from whose piles these rows of a journal come; refused rows there may have come from others."""
        origins: dict[str, dict[str, int]] = {}
        for number, run, row in _origins(journal, self._operation) if rows else ():
            if number in rows:
                origins.setdefault(run, {}).setdefault(row, rows[number])
        for run, places in origins.items():
            directories = self._finder.find(run)
            if not directories:
                number = next(iter(places.values()))
                began = self._finder.began(run)
                where = f"it began in {began}; wherever it is now, " if began else ""
                raise SetupError(
                    f"row {number} comes from a pile of a run whose directory is not found (_run {run}), so whether it "
                    f"was carried out since cannot be told; {where}bring that run directory, or a link to it, beside "
                    f"the manifest, {_ANEW}"
                )
            for directory in directories:
                if self._is_news(directory, run, places.values()):
                    self._ask_origin(directory, run, places)

    def _ask_origin(self, directory: Path, run: str, places: Mapping[str, int]) -> None:
        with self._journal_in(directory) as other:
            if other is None:
                return
            if is_held(directory):
                raise SetupError(
                    f"row {next(iter(places.values()))} comes from a pile of the run in {directory}, which is at work; "
                    f"let it end, so that it can be told whether the row was carried out, {_ANEW}"
                )
            left = dict(places)
            same: Rows = {}
            settled: list[_Settled] = []
            for theirs, status in other.all_statuses():
                number = left.pop(str(theirs), 0)
                if number:
                    same[theirs] = number
                    if status not in _HARMLESS:
                        settled.append(_Settled(number, f"comes from row {theirs}", status))
            self._refuse_settled(settled, directory)
            for row, number in left.items():
                raise SetupError(
                    f'row {number} says that it is row "{row}" of the run in {directory}, which has no such row; '
                    f"mend _row, {_ANEW}"
                )
            self._look_up(other, same)
            self._look_down(run, same)

    def _look_down(self, run: str, rows: Rows) -> None:
        """Ask the runs that have taken rows from piles of a run."""
        for entry in self._takers(run) if rows else ():
            taker = str(entry["run"])
            if taker == self._run:
                continue
            noted = Path(entry["run_dir"])
            directories = dict.fromkeys(path for path in (noted, *self._finder.find(taker)) if name_of(path) == taker)
            if not directories:
                raise SetupError(
                    f"rows of a pile with row {next(iter(rows.values()))} were taken over by a run that began in "
                    f"{noted} ({entry['started_at']}) and is not found, so whether it has carried them out cannot be "
                    f"told; bring that run directory back, {_ANEW}"
                )
            for directory in directories:
                if self._is_news(directory, run, rows.values()):
                    self._ask_taker(directory, taker, run, rows)

    def _ask_taker(self, directory: Path, taker: str, run: str, rows: Rows) -> None:
        with self._journal_in(directory) as other:
            if other is None:
                return
            at_work = is_held(directory)
            if not other.bound and not at_work:
                return  # it has sent nothing
            taken = (
                (theirs, _number(row)) for theirs, origin, row in _origins(other, self._operation) if origin == run
            )
            same = {theirs: rows[number] for theirs, number in taken if number in rows}
            if same and at_work:
                raise SetupError(
                    f"row {next(iter(same.values()))} was passed on to the run in {directory}, which is at work; let "
                    f"it end, so that it can be told whether the row was carried out, {_ANEW}"
                )
            settled = [
                _Settled(same[theirs], f"was passed on as row {theirs}", status)
                for theirs, status in (other.all_statuses() if same else ())
                if theirs in same and status not in _HARMLESS
            ]
            self._refuse_settled(settled, directory)
        self._look_down(taker, same)

    def _refuse_settled(self, settled: list[_Settled], directory: Path) -> None:
        """SetupError that names all of them, the first one with what became of it."""
        if not settled:
            return
        first, *others = sorted(settled)
        what = "will carry it out" if first.status in _TO_COME else "knows more since"
        more = f" It has {_named([row.number for row in others])} too." if others else ""
        raise SetupError(
            f"row {first.number} {first.how} of the run in {directory}, and that run {what}: there it is "
            f"{first.status.value}.{more} Sending it again would do it twice: {self._advice}, {_ANEW}"
        )

    @contextmanager
    def _journal_in(self, directory: Path) -> Iterator[JournalQueries | None]:
        """The journal there while the block lasts; None where there is none, or one of another operation."""
        other = JournalQueries.open(directory)
        if other is None:
            yield None
            return
        with closing(other):
            yield other if other.get("operation") == self._operation else None

    def _is_news(self, directory: Path, run: str, numbers: Iterable[int]) -> bool:
        """Whether that was not asked yet: rows that a hand has edited may come from each other in a circle."""
        question = (directory, run, frozenset(numbers))
        if question in self._asked:
            return False
        self._asked.add(question)
        return True

    def _takers(self, run: str) -> list[dict[str, Any]]:
        """The runs that have taken rows from piles of a run, as their record tells them."""
        return _record(self._records, run).read() if self._records is not None else []


def _record(records: Path, run: str) -> RunRegistry:
    name = hashlib.sha256(run.encode()).hexdigest()[:32]  # whatever stands in a manifest as a run's name
    return RunRegistry(records / f"{name}.passed-on.json", "rows passed on", _HARM)


def _named(rows: Sequence[int]) -> str:
    more = len(rows) - _MOST_NAMED
    listed = ", ".join(map(str, rows[:_MOST_NAMED])) + (f" and {more:,} more" if more > 0 else "")
    return f"row{'s' if len(rows) > 1 else ''} {listed}"


class _RowOrigin:
    """Reads from a row's cells which row of which run it was."""

    def __init__(self, journal: JournalQueries, operation: str) -> None:
        places = {name.strip().casefold(): i for i, name in enumerate(journal.get("header"))}
        self._places = [places.get(name) for name in ("_run", "_row", "_operation")]
        # A name that a hand has changed is nobody's: the run's own journal knows whose it is.
        self._operation = operation
        self._others = {other.name for other in CATALOGUE} - {operation}

    @property
    def is_named(self) -> bool:
        """Whether the manifest has such columns at all."""
        return self._places[0] is not None

    def of(self, cells: Sequence[str]) -> tuple[str, str]:
        """Run and row as they stand there; empty where the row comes from no run of this operation."""
        run, row, made_by = (
            cells[place].strip() if place is not None and place < len(cells) else "" for place in self._places
        )
        is_others = made_by not in ("", self._operation) and folded(made_by) in self._others
        return ("", "") if is_others else (run, row)


def _origins(journal: JournalQueries, operation: str) -> Iterator[tuple[int, str, str]]:
    """The rows of a journal that say where they come from: number, the run, and the row there as it is written."""
    origin = _RowOrigin(journal, operation)
    for number, cells in enumerate(journal.all_cells() if origin.is_named else (), 1):
        run, row = origin.of(cells)
        if run:
            yield number, run, row


def _number(row: str) -> int:
    """The number of a row; 0 where it is none, or longer than any."""
    return int(row) if row.isdecimal() and len(row) < 20 else 0
