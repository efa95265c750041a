"""The program's exit codes."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How the program ends; scripts rely on these numbers."""

    DONE = 0  # every row or page is as it should be
    INCOMPLETE = 1  # it worked to its end, and something is open, refused or not proven
    SETUP = 2  # nothing was sent: usage, token, manifest
    HALTED = 3  # nothing can succeed until a person acts
    JOURNAL = 4  # the run directory cannot be used as it is
    INTERNAL = 70  # an error of the program itself, which nobody thought of
    INTERRUPTED = 130  # Ctrl-C, SIGTERM, SIGHUP
