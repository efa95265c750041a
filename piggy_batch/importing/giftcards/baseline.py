"""Which cards a program held before a run made its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from piggy_batch.endpoints.exportable_lists import GIFTCARDS
from piggy_batch.errors import SetupError
from piggy_batch.exporting.completeness import ReadOptions
from piggy_batch.exporting.export import export
from piggy_batch.exporting.options import ExportOptions, ExportResult, default_run_dir, summary_path
from piggy_batch.exporting.staging import remove_unfinished
from piggy_batch.models import Status
from piggy_batch.runs.own_files import OwnFiles
from piggy_batch.tables import open_table, sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from piggy_batch.importing.options import ImportOptions as RunOptions
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.runs.context import RunContext
    from piggy_batch.runs.journal import Journal
    from piggy_batch.runs.journal_queries import JournalQueries


PROGRAM = "giftcard_program_uuid"
BASELINE = "baseline.csv"


async def record_baseline(journal: Journal, binding: Binding, options: RunOptions, context: RunContext) -> ExportResult:
    """List the cards of the manifest's programs into the run directory; the journal keeps how sure that is.

    One that was interrupted begins anew: what others made since its first pages would look like this run's.
    """
    programs = sorted(_programs(journal, binding))
    own = OwnFiles.of(journal.queries)
    path = own.place(*BASELINE.split("."))
    forget_list(journal.directory, path.name)
    begun = context.clock.wall()
    listed = await list_cards(path, programs, options, context)
    if listed.written:
        own.note(path, path)
        fact = {
            "file": path.name,
            "agreed": listed.agreed,
            "begun_at": begun,
            "programs": programs,
            "cards": listed.summary["cards"],
            "sha256": sha256_of(path),
        }
        journal.set("baseline", fact)
        if binding.operation.makes is not None:
            journal.index_made(binding.operation.makes)
            uuids = (cells["giftcard_uuid"] for cells in read_cards(path))
            journal.note_before(uuid for uuid in uuids if uuid)
        forget_list(journal.directory, path.name)
    return listed


def baseline_of(journal: JournalQueries) -> Path:
    """Where a run's list of the cards held before lies."""
    fact = journal.get("baseline") or {}
    return journal.directory / str(fact.get("file", BASELINE))


def read_cards(path: Path) -> Iterator[dict[str, str]]:
    """The cards of a list that :func:`list_cards` has written, as cells by column."""
    with open_table(path) as table:
        for _, cells in table.rows():
            yield dict(zip(table.columns, cells, strict=True))


def forget_list(directory: Path, name: str) -> None:
    """Remove what an unfinished list of that name has left; what else lies in its folder stays."""
    remove_unfinished(default_run_dir(directory / name))


def _is_exported(path: Path, there: Path) -> bool:
    """Whether an export has written ``there``: the file, or its summary, which knows what is in the file."""
    if there.is_symlink() or not there.is_file():
        return False
    try:
        told = json.loads(summary_path(path).read_text(encoding="utf-8"))
        known = isinstance(told, dict) and "verdict" in told
        return known and (there != path or told.get("sha256") == sha256_of(path))
    except (OSError, ValueError):
        return False


def _programs(journal: Journal, binding: Binding) -> set[str]:
    constant = binding.constants.get(PROGRAM)
    if constant is not None and PROGRAM not in binding.column_index:
        return {constant}
    entries = (e for e in journal.queries.all_rows() if e.status is not Status.INVALID)
    return {value for e in entries if (value := binding.values(e.cells).get(PROGRAM)) is not None}


async def list_cards(path: Path, programs: Sequence[str], options: RunOptions, context: RunContext) -> ExportResult:
    """List the cards of some programs into that file, with the proof that an export gives.

    SetupError where something that no export has written lies in the place of it or of its summary.
    """
    for there in (path, summary_path(path)):
        if (there.is_symlink() or there.exists()) and not _is_exported(path, there):
            raise SetupError(
                f"{there} was not written by this run, which lists cards there before it does anything: move it away, "
                "and run the same command again"
            )
    return await export(
        GIFTCARDS,
        ExportOptions(
            to=path,
            filters=tuple({PROGRAM: program} for program in programs),
            connection=options.connection,
            reading=ReadOptions(concurrency=options.execution.concurrency, attempts=options.execution.attempts),
        ),
        context,
    )
