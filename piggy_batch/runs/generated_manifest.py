"""Manifests that the program makes itself, in the run directory: of ``--count``, and of rows in memory."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from piggy_batch.errors import JournalError
from piggy_batch.files import UNFINISHED, unwritable_in_run, write_whole
from piggy_batch.runs.filenames import COUNTED, IN_MEMORY
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.runs.own_files import OwnFiles

if TYPE_CHECKING:
    from pathlib import Path


MOST_COUNTED = 1_000_000


def counted_manifest(run_dir: Path, count: int) -> Path:
    """A manifest of ``count`` numbered rows in the run directory, for cards that need no list of their own.

    JournalError where a run of another length lives there, or a file that somebody else has put there.
    """
    path = run_dir / COUNTED
    text = _counted(count)
    try:
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = path.read_bytes() if path.exists() else None
    except OSError as error:
        raise JournalError(f"{path} cannot be made: {error.strerror}; name another --run-dir") from None
    if there == text:
        return path
    if there is not None and (not is_counted(path) or _begun(run_dir)):
        raise JournalError(f"{path} is not the manifest of --count {count}; use the same count, or another --run-dir")
    write_whole(path, text, drafts=run_dir / UNFINISHED, failing=unwritable_in_run)
    return path


def manifest_of(run_dir: Path, data: bytes) -> Path:
    """A manifest with that content in the run directory, for rows that come from no file.

    JournalError where a run of other rows has begun there.
    """
    path = run_dir / IN_MEMORY
    try:
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = path.read_bytes() if path.exists() else None
    except OSError as error:
        raise JournalError(f"{path} cannot be made: {error.strerror}; name another run_dir") from None
    if there == data:
        return path
    if there is not None and _begun(run_dir):
        raise JournalError(f"{run_dir} belongs to other rows: changed rows are a new run, name another run_dir")
    own = OwnFiles(run_dir, None)
    if there is not None and not own.holds(path):
        raise JournalError(f"{path} was not written by this program: move it away, or name another run_dir")
    noted = partial(own.note, path)
    write_whole(path, data, drafts=run_dir / UNFINISHED, failing=unwritable_in_run, on_whole=noted)
    return path


def _counted(count: int) -> bytes:
    return ("card\n" + "".join(f"{number}\n" for number in range(1, count + 1))).encode()


def is_counted(path: Path) -> bool:
    """Whether a file is, to the byte, one that ``--count`` makes."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        if file.readline(6) != b"card\n":
            return False
        data = file.read()
    number = data.count(b"\n")
    return 0 < number <= MOST_COUNTED and b"card\n" + data == _counted(number)


def _begun(run_dir: Path) -> bool:
    journal = JournalQueries.open(run_dir)
    if journal is None:
        return False
    try:
        return journal.bound
    finally:
        journal.close()
