"""``run.log``: what happened beside the rows, each line with its time.

A log grows from invocation to invocation, so it is known by its first line. A file of that name that begins otherwise,
a link or a folder was put there by somebody else and stays as it is: the log is then ``run-2.log``, ``run-3.log`` …
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from piggy_batch import __version__
from piggy_batch.runs.filenames import RUN_LOGS
from piggy_batch.text import printable_line

if TYPE_CHECKING:
    from pathlib import Path

_FIRST_LINE = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ piggy-batch \S{1,40} keeps this log\n")


class RunLog:
    """A log that a display or a callback writes beside what it shows; none until it is opened."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self._file: int | None = None

    def open(self, path: Path) -> str | None:
        """Append to that file from here on; a second one is not opened.

        Returned is what a person is to be told: that the log lies under another name; None where it has its own.
        """
        if self._file is not None:
            return None
        number, place = 1, path
        while (found := _opened(place)) is None:
            number += 1
            place = path.with_name(f"{path.stem}-{number}{path.suffix}")
        self.path, self._file = place, found
        if os.fstat(found).st_size == 0:
            self.write(f"piggy-batch {__version__} keeps this log")
        if place == path:
            return None
        return f"{path} is not known to be a log of this program and stays as it is: the log is {place}"

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


def _opened(path: Path) -> int | None:
    """The file, to be appended to; None where somebody else's lies there."""
    new = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
    with contextlib.suppress(FileExistsError):
        return os.open(path, new, 0o600)
    if not stat.S_ISREG(path.lstat().st_mode):
        return None
    found = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW)
    begins = os.pread(found, 100, 0)
    if not begins or _FIRST_LINE.match(begins):
        return found
    os.close(found)
    return None


def remove_logs(directory: Path) -> None:
    """Remove the logs that this program has kept there."""
    for path in list(directory.iterdir()):
        found = _opened(path) if re.fullmatch(RUN_LOGS, path.name) and not path.is_symlink() else None
        if found is not None:
            os.close(found)
            path.unlink(missing_ok=True)
