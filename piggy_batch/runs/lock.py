"""The lock of a run directory: one run at a time works in it.

Two things are locked: the file ``journal.lock``, which every version knows, and the directory itself, so that somebody
who removes the file lets nobody in. Where the file system locks no directories, a run whose file was removed finds at
its next commit that another one has begun.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from typing import TYPE_CHECKING

from piggy_batch.errors import JournalError
from piggy_batch.runs.journal_file import unusable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOCK = "journal.lock"
_HELD = (errno.EWOULDBLOCK, errno.EACCES)


TRIES = 5  # to lock a directory at which somebody else may only be looking
LOOK_S = 0.01  # longer than that takes


class RunLock:
    """Holds a run directory against a second run; released with the process, however it ends."""

    def __init__(self, directory: Path, flock: Callable[[int, int], None] = fcntl.flock) -> None:
        self._path = directory / LOCK
        self._flock = flock  # the file system's; one without locks refuses, or lets everybody in
        self._file: int | None = None
        self._folder: int | None = None

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
                raise self._in_use() from None
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
        self._take_folder()

    def _take_folder(self) -> None:
        self._folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        for again in reversed(range(TRIES)):
            try:
                self._flock(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in _HELD:
                    return  # this file system locks files only
                if not again:
                    self.release()
                    raise self._in_use() from None
                time.sleep(LOOK_S)
            else:
                return

    def release(self) -> None:
        """Let the next run in."""
        for handle in (self._folder, self._file):
            if handle is not None:
                os.close(handle)
        self._folder = self._file = None

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

    def _in_use(self) -> JournalError:
        return JournalError(
            f"{self._path.parent} is in use by another run; wait for it, or look with: "
            f"piggy-batch status {self._path.parent}"
        )

    def _lockless(self) -> JournalError:
        return JournalError(
            f"{self._path.parent} is on a file system without working locks, so a second run could not be "
            "kept out; name a directory on a local disk with --run-dir"
        )


def is_held(directory: Path) -> bool:
    """Whether a run works in the directory just now."""
    return _is_locked(directory / LOCK) or _is_locked(directory)


def _is_locked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _HELD
    finally:
        os.close(handle)
    return False
