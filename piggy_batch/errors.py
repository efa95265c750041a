"""The exceptions that end a run, each with its exit code; a row's outcome is a value, never an exception.

PiggyBatchError
├── IncompleteError it worked to its end, and some rows or pages are not as they should be
├── SetupError      usage, token, manifest: nothing was sent
├── HaltError       no row can succeed until a person acts; run the same command later
└── JournalError    the run directory cannot be used as it is
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from piggy_batch.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class PiggyBatchError(Exception):
    """A run cannot go on. ``str()`` is one line that says where, what, and what next."""

    exit_code: ClassVar[ExitCode] = ExitCode.INCOMPLETE


class IncompleteError(PiggyBatchError):
    """Worked to its end, and something is open, refused or not proven. ``result`` says what. Only the Python functions
    raise it, where they were asked to; the command line shows the result."""

    exit_code = ExitCode.INCOMPLETE

    def __init__(self, message: str, result: Any) -> None:
        super().__init__(message)
        self.result = result


class SetupError(PiggyBatchError):
    """Something is missing or wrong before the first request that changes anything."""

    exit_code = ExitCode.SETUP

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details = details  # the same for programs, as --json prints it


class HaltError(PiggyBatchError):
    """Every further row would fail the same way; the requests under way have ended."""

    exit_code = ExitCode.HALTED


class JournalError(PiggyBatchError):
    """The journal is bound to something else, in use, damaged, or cannot be written."""

    exit_code = ExitCode.JOURNAL

    def __init__(self, message: str, *, goes_on: bool = False) -> None:
        super().__init__(message)
        self.goes_on = goes_on  # the same command goes on once the cause is gone


@contextmanager
def sent_already() -> Iterator[None]:
    """What goes wrong in the block ends a run that has sent something: not with the exit code that denies it."""
    try:
        yield
    except SetupError as error:
        raise JournalError(str(error), goes_on=True) from None
