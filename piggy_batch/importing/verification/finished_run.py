"""A verification that has ended, read back from a directory that nobody may write any more."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from piggy_batch.errors import JournalError
from piggy_batch.exit_codes import ExitCode
from piggy_batch.files import sha256_of
from piggy_batch.importing.options import RunResult
from piggy_batch.models import Status
from piggy_batch.runs.filenames import STDIN, SUMMARY
from piggy_batch.runs.journal_file import guarded
from piggy_batch.runs.journal_queries import JournalQueries

if TYPE_CHECKING:
    from pathlib import Path


def read_finished(run_dir: Path, operation: str, manifest: Path) -> RunResult | None:
    """How the run there ended, on a read-only disk or without the right to write; None: the command is to be run.

    JournalError where it is of another manifest.
    """
    if not run_dir.is_dir() or os.access(run_dir, os.W_OK) or manifest == STDIN:
        return None
    with guarded(run_dir, OSError):
        journal = JournalQueries.open(run_dir)
        if journal is None:
            return None
        try:
            counts, was = journal.counts(), journal.get("manifest")
            is_other = journal.get("operation") != operation
        finally:
            journal.close()
        if is_other or counts[Status.PENDING] or counts[Status.FAILED]:
            return None
        if was["sha256"] != sha256_of(manifest):
            raise JournalError(f"{run_dir} belongs to {was['path']}, which is not what {manifest} holds now")
        summary = json.loads((run_dir / SUMMARY).read_text(encoding="utf-8"))
    note = (
        f"{run_dir} cannot be written: nothing is looked up again, this is what was found by {summary['finished_at']}"
    )
    return RunResult(ExitCode(summary["exit_code"]), run_dir, summary=summary, notes=(note,))
