"""How often a run has written that it is about to send, counted outside its directory.

A run directory can be put back from a copy that was made at any moment, also while the run worked, or before it was
killed. What such a copy does not know of would be sent again. So the count is written to the user's state directory
with every commit that lets requests leave, after the commit and before the first of them, and a journal that knows of
fewer is an older copy. A kill loses none of it; after a power cut it may lag by ``SYNC_EVERY_S``.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path


SYNC_EVERY_S = 1.0
_DIGITS = 20


class SendCounter:
    """A number in a small file, which only grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._synced_at = float("-inf")

    def read(self) -> int | None:
        """The count; None where nothing was ever counted. SetupError where it cannot be known."""
        try:
            text = self.path.read_bytes()
            return int(text)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self._unusable(error) from None

    def create(self) -> None:
        """Begin to count, before anything is sent; what was counted stays. SetupError where that cannot be done."""
        self.open()
        self.close()

    def open(self) -> None:
        """Make ready to count; SetupError where that cannot be done."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            if not os.fstat(self._file).st_size:
                self._write(0)
        except OSError as error:
            raise self._unusable(error) from None

    def note(self, count: int) -> None:
        """Let the count be known; OSError where it cannot be written."""
        self._write(count)
        now = time.monotonic()
        if self._file is not None and now - self._synced_at >= SYNC_EVERY_S:
            os.fdatasync(self._file)
            self._synced_at = now

    def _write(self, count: int) -> None:
        if self._file is not None:
            os.pwrite(self._file, b"%0*d\n" % (_DIGITS, count), 0)

    def close(self) -> None:
        """Put the last count on disk."""
        if self._file is not None:
            os.fsync(self._file)
            os.close(self._file)
            self._file = None

    def _unusable(self, error: Exception) -> SetupError:
        why = error.strerror if isinstance(error, OSError) else "it is damaged"
        return SetupError(
            f"the count of requests in {self.path} cannot be used: {why}; without it an older copy of this run would "
            "not be told from it, and rows could be carried out twice: mend it"
        )
