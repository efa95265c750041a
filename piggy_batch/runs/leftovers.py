"""What a run directory shows beside its journal: that a run has been here whose journal is gone, and what a kill has
left of reports that were being written."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from piggy_batch.errors import JournalError
from piggy_batch.files import UNFINISHED
from piggy_batch.models import Status
from piggy_batch.runs.filenames import KINDS, SUMMARY
from piggy_batch.runs.journal_file import NAME, WAL, is_empty, logged

if TYPE_CHECKING:
    from pathlib import Path

_MAYBE_CARRIED_OUT = (Status.DONE, Status.ALREADY, Status.UNKNOWN)
_TOLD = ("results", "unknown")  # reports that only a run that has begun to send writes
# A run that an earlier version began may have drafts beside its reports, and sheets of the workbook library.
_OLD_DRAFT = re.compile(
    rf"\.(?:results|errors|remaining|unknown)\.(?:{'|'.join(KINDS)})\.[a-z0-9_]{{8}}\.part"
    rf"|\.stdin\.[a-z0-9_]{{8}}\.part|\.(?:{re.escape(SUMMARY)}|manifest\.csv)\.part"
)
_OLD_SHEET = re.compile(r"tmp[a-z0-9_]{8}")
_IN_SHEET = (b"<row ", b"<?xml ")


def clear_unfinished(directory: Path) -> None:
    """Remove what a kill has left of files that were being written: it holds customers. Nobody else may work here."""
    shutil.rmtree(directory / UNFINISHED, ignore_errors=True)
    with suppress(OSError):
        for path in list(directory.iterdir()):
            with suppress(OSError):
                if _OLD_DRAFT.fullmatch(path.name) or (_OLD_SHEET.fullmatch(path.name) and _is_of_a_sheet(path)):
                    path.unlink()


def _is_of_a_sheet(path: Path) -> bool:
    if not path.is_file() or is_empty(path.parent):
        return False
    with path.open("rb") as file:
        return file.read(6).startswith(_IN_SHEET)


def find_orphaned_output(directory: Path) -> str | None:
    """The file that says that rows were sent from here, where the journal is missing or empty; None: none says so.

    Asked before SQLite opens an empty journal, which makes it remove the log beside it.
    """
    if is_empty(directory) and logged(directory):
        return WAL
    counts = _told_counts(directory)
    if counts is not None:
        return SUMMARY if any(counts.get(status.value) for status in _MAYBE_CARRIED_OUT) else None
    reports = [directory / f"{name}.{kind}" for name in _TOLD for kind in KINDS]
    return next((path.name for path in reports if path.is_file() and not path.is_symlink()), None)


def done_in_summary(directory: Path) -> int:
    """How many rows the summary there says are done."""
    return (_told_counts(directory) or {}).get(Status.DONE.value, 0)


def without_journal(directory: Path, left: str) -> JournalError:
    """The run that has left that file cannot be gone on with."""
    return JournalError(
        f"{directory} holds {left} of a run, but not its journal ({NAME} is missing, empty or another), so rows that "
        "were sent would be sent again. Bring the journal back; where it is lost for good, name another --run-dir "
        "and a manifest of the rows that were not carried out, or pass --adopt to send every row anew"
    )


def _told_counts(directory: Path) -> dict[str, int] | None:
    """Rows by status, as the summary there says; None where it says nothing of rows."""
    try:
        told: Any = json.loads((directory / SUMMARY).read_text(encoding="utf-8"))
        counts = told["counts"] if "counts" in told else told["counts_before"]
        return {name: int(number) for name, number in counts.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
