"""The lock of a run directory: one run at a time works in it."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

from piggy_batch.errors import JournalError
from piggy_batch.runs.journal_file import unusable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOCK = "journal.lock"
_HELD = (errno.EWOULDBLOCK, errno.EACCES)


class RunLock:
    """Holds a run directory against a second run; released with the process, however it ends."""

    def __init__(self, directory: Path, flock: Callable[[int, int], None] = fcntl.flock) -> None:
        self._path = directory / LOCK
        self._flock = flock  # the file system's; one without locks refuses, or lets everybody in
        self._file: int | None = None

    def take(self) -> None:
        """JournalError where another run holds it or the file system has no working locks."""
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise unusable(self._path.parent, error) from None
        try:
            self._flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            if error.errno in _HELD:
                raise JournalError(
                    f"{self._path.parent} is in use by another run; wait for it, or look with: "
                    f"piggy-batch status {self._path.parent}"
                ) from None
            raise self._lockless() from None
        self._file = handle
        if not self.is_there():  # its last holder has just cleared the directory away
            self.release()
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.take()
            return
        if not self._holds():
            self.release()
            raise self._lockless()

    def release(self, *, remove: bool = False) -> None:
        """Let the next run in; ``remove`` the lock's file too, as long as nobody else can hold it."""
        if self._file is not None:
            if remove:
                self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None

    def is_there(self) -> bool:
        """Whether what is locked is still the file of that name."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file or 0))
        except OSError:
            return False

    def _holds(self) -> bool:
        second = os.open(self._path, os.O_RDWR)
        try:
            self._flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(second)
        return False

    def _lockless(self) -> JournalError:
        return JournalError(
            f"{self._path.parent} is on a file system without working locks, so a second run could not be "
            "kept out; name a directory on a local disk with --run-dir"
        )


def is_held(directory: Path) -> bool:
    """Whether a run works in the directory just now."""
    try:
        handle = os.open(directory / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _HELD
    finally:
        os.close(handle)
    return False
