"""A run directory: made, and held by one process at a time."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from piggy_batch.errors import JournalError, SetupError
from piggy_batch.models import Repeat
from piggy_batch.runs.filenames import CLAIM, COUNTED, INHERITED_CLAIM, STDIN
from piggy_batch.runs.generated_manifest import is_counted
from piggy_batch.runs.journal import Journal
from piggy_batch.runs.journal_file import WAL
from piggy_batch.runs.leftovers import clear_unfinished, find_orphaned_output, without_journal
from piggy_batch.runs.lock import LOCK, RunLock

if TYPE_CHECKING:
    from piggy_batch.endpoints import Operation


def default_run_dir(manifest: Path, operation: Operation) -> Path:
    """``cards.csv`` and ``identifiers create`` give ``cards.identifiers-create`` beside the manifest."""
    return manifest.with_name(f"{stem(manifest)}.{operation.slug}")


def stem(manifest: Path) -> str:
    """The manifest's name without its endings: ``cards`` for ``cards.csv.gz``."""
    name = manifest.name
    for suffix in (".gz", ".zip"):
        name = name.removesuffix(suffix)
    return Path(name).stem


class RunDir:
    """A run directory held by this process. Use as a context manager; empty directories are not left behind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RunLock(path)
        self.claim: str | None = None  # of a run that ended here before it had sent anything
        self.adopted = False  # it was moved or copied here, and --adopt has said that this is right: that, and no more
        self._found: set[str] | None = None  # what was there, where no run has been before

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except FileExistsError:
            raise JournalError(f"{self.path} is a file, not a directory; name another --run-dir") from None
        except OSError as error:
            raise JournalError(f"{self.path} cannot be made: {error.strerror}; name another --run-dir") from None
        locked = (self.path / LOCK).exists()
        self._lock.take()
        clear_unfinished(self.path)
        self._found = None if locked else self._entries()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # tidying up is not to hide how the run ended
            self._leave_nothing()
        self._lock.release()

    def _leave_nothing(self) -> None:
        """Remove what only says that somebody has looked."""
        if not self._lock.is_there():  # the directory was removed or replaced meanwhile
            return
        left = self._entries()
        if left == {COUNTED} and is_counted(self.path / COUNTED):
            (self.path / COUNTED).unlink(missing_ok=True)
            left = set()
        if not left or left == self._found:
            (self.path / LOCK).unlink(missing_ok=True)
        if not left:
            with contextlib.suppress(OSError):
                self.path.rmdir()

    def _entries(self) -> set[str]:
        return {entry.name for entry in self.path.iterdir()} - {LOCK}

    def existing(self, operation: Operation, *, adopt: bool = False) -> Journal | None:
        """The journal of a run that has begun to send; None where the manifest is to be checked afresh.

        JournalError where such a run has lost its journal, and rows must not be carried out twice.
        """
        once = operation.repeat is Repeat.ONCE and not adopt
        left = find_orphaned_output(self.path) if once else None
        if left == WAL:  # opening an empty journal would remove it
            raise without_journal(self.path, left)
        journal = Journal.open(self.path)
        if journal is not None and journal.bound:
            return journal
        if left is not None:
            if journal is not None:
                journal.close()
            raise without_journal(self.path, left)
        if journal is not None:
            if journal.get("home") == home_of(self.path):
                self.claim = journal.get(CLAIM) or journal.get(INHERITED_CLAIM)
            journal.discard()
        return None


def home_of(directory: Path) -> dict[str, Any]:
    """What tells a directory from a copy of it."""
    stat = directory.stat()
    return {"path": str(directory.resolve()), "device": stat.st_dev, "inode": stat.st_ino}


def refuse_missing(manifest: Path) -> None:
    """A mistyped name must leave no directory behind."""
    if manifest != STDIN and not manifest.exists():
        raise SetupError(f"{manifest}: no such file; check the name")
