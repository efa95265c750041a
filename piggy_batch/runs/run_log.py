"""``run.log``: what happened beside the rows, each line with its time."""

from __future__ import annotations

import contextlib
import os
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from piggy_batch.text import printable_line

if TYPE_CHECKING:
    from pathlib import Path


class RunLog:
    """A log that a display or a callback writes beside what it shows; none until it is opened."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self._file: int | None = None

    def open(self, path: Path) -> None:
        """Append to that file from here on; a second one is not opened."""
        if self._file is None:
            self.path = path
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, line: str) -> None:
        """Append a line, where the log is open."""
        if self._file is not None:
            stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            with contextlib.suppress(OSError):  # a full disk ends a run where the journal meets it, not here
                os.write(self._file, f"{stamp} {line}\n".encode())

    def write_traceback(self, error: BaseException) -> None:
        """Keep where an error of the program itself happened, for whoever mends it."""
        for line in "".join(traceback.format_exception(error)).splitlines():
            self.write(printable_line(line))

    def close(self) -> None:
        """No more lines."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
