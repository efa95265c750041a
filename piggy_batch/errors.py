"""The exceptions that end a run, one per consequence; a row's fate is a value, never an exception.

PiggyBatchError
├── SetupError      exit 2   usage, token, manifest: nothing was sent
├── HaltError       exit 3   no row can succeed until a person acts; run the same command later
└── JournalError    exit 4   the run directory cannot be used as it is
"""

from __future__ import annotations

from typing import ClassVar


class PiggyBatchError(Exception):
    """A run cannot go on. ``str()`` is one line that says where, what, and what next."""

    exit_code: ClassVar[int] = 1


class SetupError(PiggyBatchError):
    """Something is missing or wrong before the first request that changes anything."""

    exit_code = 2


class HaltError(PiggyBatchError):
    """Every further row would fail the same way; what was in the air has landed."""

    exit_code = 3


class JournalError(PiggyBatchError):
    """The journal is bound to something else, in use, damaged, or cannot be written."""

    exit_code = 4

    def __init__(self, message: str, *, goes_on: bool = False) -> None:
        super().__init__(message)
        self.goes_on = goes_on  # the same command goes on once the cause is gone
