"""The machine of run directories: made, locked, bound to one operation, manifest, account and set of options."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from piggy_batch.errors import JournalError, SetupError
from piggy_batch.manifest.loader import load_manifest, rebind
from piggy_batch.models import Json, Repeat
from piggy_batch.runs.filenames import CLAIM, COUNTED, INHERITED_CLAIM, STDIN
from piggy_batch.runs.generated_manifest import is_counted
from piggy_batch.runs.journal import Journal
from piggy_batch.runs.journal_file import WAL, remove
from piggy_batch.runs.leftovers import clear_unfinished, find_orphaned_output, without_journal
from piggy_batch.runs.lock import LOCK, RunLock
from piggy_batch.tables import sha256_of

if TYPE_CHECKING:
    from piggy_batch.endpoints import Operation
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.manifest.options import LoadedManifest, ManifestOptions


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
        self._claim: str | None = None
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
            self._claim = journal.get(CLAIM) if journal.get("home") == home_of(self.path) else None
            journal.discard()
        return None

    def load(self, operation: Operation, manifest: Path, reading: ManifestOptions) -> tuple[Journal, LoadedManifest]:
        """A fresh journal with the manifest in it."""
        journal = None
        try:
            journal = Journal.create(self.path)
            loaded = load_manifest(journal, operation, manifest, reading)
            journal.set("home", home_of(self.path))
            if self._claim is not None:
                journal.set(INHERITED_CLAIM, self._claim)
        except BaseException:
            if journal is not None:
                journal.close()
            with contextlib.suppress(OSError):
                remove(self.path)
            (self.path / "stdin").unlink(missing_ok=True)
            raise
        return journal, loaded

    def rejoin(
        self, journal: Journal, operation: Operation, manifest: Path, reading: ManifestOptions, *, adopt: bool
    ) -> Binding:
        """Check that a begun run is this very run; JournalError names what differs."""
        here = self.path
        if journal.get("operation") != operation.name:
            raise JournalError(
                f"{here} belongs to {journal.get('operation')}, not to {operation.name}; name another --run-dir"
            )
        was = journal.get("manifest")
        source = here / "stdin" if manifest == STDIN else manifest
        if not source.exists():
            raise SetupError(f"{manifest}: no such file; the run in {here} was made from {was['path']}")
        sha = (_piped() or was["sha256"]) if manifest == STDIN else sha256_of(source)
        if was["sha256"] != sha:
            raise JournalError(
                f"{here} belongs to {was['path']} with sha256 {was['sha256'][:12]}…, but {manifest} has {sha[:12]}…: "
                "a changed manifest is a new run, name another --run-dir"
            )
        stored, now = journal.get("options"), reading.bound()
        for name, value in now.items():
            if stored.get(name) != value:
                raise JournalError(
                    f"{here} was started {_given(name, stored.get(name))}, this command {_given(name, value)}; "
                    "use the same, or name another --run-dir"
                )
        self._check_home(journal, operation, adopt=adopt)
        if journal.curtailed and operation.repeat is Repeat.ONCE and not adopt:
            raise JournalError(
                f"{here}: the last run was stopped in the middle, and {WAL}, which held its last writes, is gone, so "
                "rows that were sent would be sent again. Bring the file back; where it is lost for good and you know "
                "what was carried out, pass --adopt"
            )
        return rebind(journal, operation, reading)

    def _check_home(self, journal: Journal, operation: Operation, *, adopt: bool) -> None:
        home = home_of(self.path)
        if journal.get("home") == home:
            return
        if operation.repeat is Repeat.ONCE and not adopt:
            raise JournalError(
                f"{self.path} was moved or copied from {journal.get('home')['path']}; if the run there goes on, rows "
                "would be carried out twice. When it is gone for good, pass --adopt"
            )
        journal.set("home", home)


def _piped() -> str | None:
    """The content hash of what is piped in; None where nothing is: a begun run needs its manifest no more."""
    if sys.stdin is None or sys.stdin.isatty():
        return None
    digest, size = hashlib.sha256(), 0
    while chunk := sys.stdin.buffer.read(1 << 20):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest() if size else None


def _given(option: str, value: Json) -> str:
    if value in (None, False, {}):
        return f"without {option}"
    if isinstance(value, dict):
        return "with " + " ".join(f"{option} {k}={v}" for k, v in value.items())
    return f"with {option}" if value is True else f"with {option} {value}"


def home_of(directory: Path) -> dict[str, Any]:
    """What tells a directory from a copy of it."""
    stat = directory.stat()
    return {"path": str(directory.resolve()), "device": stat.st_dev, "inode": stat.st_ino}


def refuse_missing(manifest: Path) -> None:
    """A mistyped name must leave no directory behind."""
    if manifest != STDIN and not manifest.exists():
        raise SetupError(f"{manifest}: no such file; check the name")
