"""The way back: from a run's journal to the manifests that undo exactly what the run did, and nothing else.

Undone is what the answer to the run's own request showed: rows ``done`` by an answer. What is ``done`` only by a
look after a lost answer may have been so before, and goes to a file for a person, as what is in doubt does.
"""

from __future__ import annotations

import os
import shlex
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piggy_batch.client.rate_limiter import DEFAULT_RATE
from piggy_batch.endpoints import CATALOGUE, Operation, find_operation
from piggy_batch.errors import JournalError, SetupError
from piggy_batch.files import UNFINISHED
from piggy_batch.importing.manifest_check import check_manifest
from piggy_batch.importing.migration.stage_runs import StageRuns
from piggy_batch.importing.migration.stages import Stage, stage_values
from piggy_batch.importing.undo_rules import (
    HIDDEN_HOLDER,
    Change,
    ManualReview,
    Reverse,
    by_hand_columns,
    columns_of,
    is_change,
    reverse,
)
from piggy_batch.manifest.loader import binding_of
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.models import Status
from piggy_batch.runs.journal_file import guarded
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.runs.lock import is_held
from piggy_batch.runs.own_files import OwnFiles, run_name
from piggy_batch.tables import OutputColumn, Writer, open_writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from piggy_batch.endpoints import UndoStep
    from piggy_batch.runs.records import RowState

BATCH = 2_000  # rows a write
MIGRATE = "migrate"  # whose journal is that of no single operation
HAND_FILE = ".undo-by-hand.csv"
# What a migration did to a card goes back last step first: an inactive card is made active before it is unlinked.
CARD_STAGES = (Stage.UPDATE, Stage.LINK, Stage.CREATE)


@dataclass(frozen=True, slots=True)
class UndoFile:
    """A manifest that undoes, and the shell line that carries it out."""

    path: Path
    rows: int
    command: str


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """The way back from a run: files in the order in which they must run."""

    files: tuple[UndoFile, ...]
    by_hand: tuple[Path, int] | None  # rows that a person must look at
    lost: tuple[str, ...]  # what cannot be undone, one line each

    @property
    def whole(self) -> bool:
        """Whether the files undo everything."""
        return self.by_hand is None and not self.lost

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "files": [{"path": str(f.path), "rows": f.rows, "command": f.command} for f in self.files],
            "by_hand": {"path": str(self.by_hand[0]), "rows": self.by_hand[1]} if self.by_hand else None,
            "cannot_be_undone": list(self.lost),
            "whole": self.whole,
        }


class UndoWriter:
    """Takes what the rows of a run come to, file by file; nothing is kept in memory.

    ``steps``: what may be needed, in the order in which the commands run.
    """

    def __init__(self, place: Path, stack: ExitStack, steps: Sequence[UndoStep]) -> None:
        self.columns = {step.command: columns_of(steps, step.command) for step in steps}
        self.lost: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()  # by step; by hand under its file's name
        self._place = place
        self._stack = stack
        self._writers: dict[str, Writer] = {}
        self._batches: dict[str, list[list[str]]] = {}

    def add(self, found: Sequence[Reverse | ManualReview]) -> None:
        """Write these."""
        for item in found:
            if isinstance(item, ManualReview):
                self._put(HAND_FILE, by_hand_columns(item.change.operation), item.row())
            else:
                columns = self.columns[item.step]
                self._put(item.step, columns, [item.cells.get(name, "") for name in columns])

    def _put(self, name: str, columns: Sequence[str], row: list[str]) -> None:
        if name not in self._writers:
            path = self.path(name)
            self._writers[name] = self._stack.enter_context(
                open_writer(path, "csv", [OutputColumn(c) for c in columns], drafts=self._place / UNFINISHED)
            )
            self._batches[name] = []
        self._batches[name].append(row)
        self.rows[name] += 1
        if len(self._batches[name]) >= BATCH:
            self.flush(name)

    def flush(self, *names: str) -> None:
        """Write what is gathered."""
        for name in names or tuple(self._batches):
            self._writers[name].write(self._batches[name])
            self._batches[name] = []

    def path(self, name: str) -> Path:
        """Where it is written before the order of the files is known."""
        return self._place / (name if name == HAND_FILE else f".undo-{find_operation(name).slug}.csv")


def undo(run_dir: Path, *, program: Sequence[str] = ("piggy-batch",)) -> UndoPlan:
    """Write the undo manifests into the run directory, or, where nobody may write there, into a folder of its name in
    the working directory. ``program``: how commands begin.

    SetupError where the directory holds no run, JournalError where it is damaged or the run is still at work.
    """
    with guarded(run_dir):
        return _undo(run_dir, program)


def _undo(run_dir: Path, program: Sequence[str]) -> UndoPlan:
    journal = JournalQueries.open(run_dir) if run_dir.is_dir() else None
    if journal is None or journal.get("operation") is None:
        raise SetupError(f"{run_dir} holds no run; piggy-batch runs lists the directories of runs")
    try:
        if journal.get("operation") not in (MIGRATE, *(operation.name for operation in CATALOGUE)):
            raise JournalError(f"{run_dir} is of a command that this version does not know: {journal.get('operation')}")
        if is_held(run_dir):
            raise JournalError(f"{run_dir} is in use by a run; let it end, or stop it with Ctrl-C, then undo")
        place = _place(run_dir)
        with ExitStack() as stack:
            name = journal.get("operation")
            if name == MIGRATE:
                book = UndoWriter(place, stack, [step for stage in CARD_STAGES for step in stage.operation.undo])
                _read_migration(run_dir, book)
            else:
                book = UndoWriter(place, stack, find_operation(name).undo)
                _read_rows(journal, find_operation(name), book)
            book.flush()
        own = OwnFiles(place, run_name(journal))
        runs = journal.runs()
        rate = runs[-1]["rate"] if runs else None
    finally:
        journal.close()
    plan = _name(place, own, book, program, rate)
    with suppress(OSError):  # something lies there
        place.rmdir()
    return plan


def _place(run_dir: Path) -> Path:
    """Where the manifests go."""
    if os.access(run_dir, os.W_OK):
        return run_dir
    place = Path(f"{run_dir.resolve().name}.undo")
    try:
        place.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"{run_dir} cannot be written, nor can the working directory ({error.strerror}); run this from a directory "
            "where the undo manifests may be written"
        ) from None
    return place


def _read_rows(journal: JournalQueries, operation: Operation, book: UndoWriter) -> None:
    binding = binding_of(journal)
    for entry in journal.all_rows():
        if is_change(operation, entry):
            _take(book, operation, entry, Change(operation, binding.values(entry.cells), entry))


def _take(book: UndoWriter, operation: Operation, entry: RowState, change: Change) -> None:
    if operation.undo:
        book.add(reverse(change))
    else:
        doubt = " (or perhaps carried out: in doubt)" if entry.status is Status.UNKNOWN else ""
        book.lost[f"{operation.effect or operation.name}{doubt}"] += 1


def _read_migration(run_dir: Path, book: UndoWriter) -> None:
    """Stage by stage, last one first, because a row may be changed in one and already so in another."""
    for stage in (Stage.CONTACTS, Stage.CREDITS):
        for _, entry in StageRuns(run_dir, stage).entries():
            if is_change(stage.operation, entry):
                _take(book, stage.operation, entry, Change(stage.operation, {}, entry))
    for changes in _cards(run_dir):
        book.add(_reverse_card(changes))


def _cards(run_dir: Path) -> Iterator[dict[Stage, Change]]:
    """What a migration did to each card, by stage."""
    streams = {s: StageRuns(run_dir, s).entries() for s in (Stage.LINK, Stage.UPDATE)}
    heads = {s: next(stream, None) for s, stream in streams.items()}
    for number, created in StageRuns(run_dir, Stage.CREATE).entries():
        met = {Stage.CREATE: created}
        for stage, stream in streams.items():
            head = heads[stage]
            if head is not None and head[0] == number:
                met[stage] = head[1]
                heads[stage] = next(stream, None)
        changes = {
            stage: Change(stage.operation, stage_values(stage, entry.cells), entry)
            for stage, entry in met.items()
            if is_change(stage.operation, entry)
        }
        if changes:
            yield changes


def _reverse_card(changes: dict[Stage, Change]) -> list[Reverse | ManualReview]:
    """A card that the run made is deleted, whatever came after; any other goes back step by step."""
    created, updated = changes.get(Stage.CREATE), changes.get(Stage.UPDATE)
    noun = Stage.UPDATE.operation.noun
    inactive = updated is not None and updated.values.get(noun.active or "") == "false"
    if created is not None:
        if inactive and noun.owner not in created.values:
            return [ManualReview(created, HIDDEN_HOLDER)]
        return list(reverse(created))
    found: list[Reverse | ManualReview] = []
    stuck = False
    if updated is not None:
        back = reverse(updated)
        stuck = inactive and any(isinstance(item, ManualReview) for item in back)
        found += back
    linked = changes.get(Stage.LINK)
    if linked is not None and stuck:
        found.append(
            ManualReview(linked, "made inactive by a step that is in doubt; the service refuses to unlink it so")
        )
    elif linked is not None:
        found += reverse(linked)
    return found


def _name(place: Path, own: OwnFiles, book: UndoWriter, program: Sequence[str], rate: str | None) -> UndoPlan:
    """Give the files their names, in the order of their commands. ``rate``: at which the run was carried out."""
    pace = ["--rate", rate] if rate and rate != str(DEFAULT_RATE) else []
    files: list[UndoFile] = []
    for step in book.columns:
        if book.rows[step]:
            operation = find_operation(step)
            path = _give_name(own, f"undo-{len(files) + 1}-{operation.slug}", book.path(step))
            words = [
                *program,
                operation.resource,
                operation.verb,
                str(path.resolve()),
                *pace,
                *_accepting(operation, path),
            ]
            files.append(UndoFile(path, book.rows[step], shlex.join(words)))
    by_hand = None
    if book.rows[HAND_FILE]:
        by_hand = (_give_name(own, "undo-by-hand", book.path(HAND_FILE)), book.rows[HAND_FILE])
    written = {file.path for file in files} | ({by_hand[0]} if by_hand else set())
    for old in (*place.glob("undo-[0-9]-*.csv"), *place.glob("undo-by-hand*.csv")):
        if old not in written:
            own.remove(old)
    return UndoPlan(tuple(files), by_hand, tuple(f"{what}: {number:,}" for what, number in book.lost.items()))


def _give_name(own: OwnFiles, stem: str, draft: Path) -> Path:
    path = own.place(stem, "csv")
    own.note(path, draft)
    return draft.rename(path)


def _accepting(operation: Operation, path: Path) -> list[str]:
    """The findings that would hold the command up, accepted: the service has taken these very values already."""
    with check_manifest(operation, path, ManifestOptions()) as checked:
        codes = sorted({finding.code for finding in checked.loaded.blocking(frozenset())})
    return ["--accept", ",".join(codes)] if codes else []
