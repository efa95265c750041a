"""Things that other runs of the same account have made.

An answer that names one of them as new is an older one that something between has kept and given again: the row that
it came for may not have been carried out. Asked are the runs that the user's state directory knows, as far as their
directories are still there.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from piggy_batch.errors import JournalError
from piggy_batch.runs.journal_file import NAME, guarded
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.runs.registry import known_runs
from piggy_batch.runs.run_identity import glimpse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from piggy_batch.runs.run_identity import RunIdentity

MOST = 20  # runs that are asked, the latest ones; each takes a file handle and some microseconds a row


class EarlierRuns:
    """Their journals, for reading. What cannot be read is not asked: it is no proof, either way."""

    def __init__(self, journals: list[JournalQueries]) -> None:
        self._journals = journals

    @classmethod
    def open(cls, registry: Path | None, here: Path, identity: RunIdentity) -> Self:
        """The runs of the same operation and account elsewhere than ``here``; those that are a part of another too."""
        found: list[JournalQueries] = []
        entries = known_runs(registry) if registry is not None else []
        for directory in (each for entry in entries for each in _with_parts(Path(entry["run_dir"]))):
            if len(found) == MOST:
                break
            if directory == here.resolve():
                continue
            with suppress(JournalError), guarded(directory, OSError):
                seen = glimpse(directory)
                if seen and seen.operation == identity.operation and identity.is_of_the_account_of(seen):
                    found += filter(None, [JournalQueries.peek(directory)])
        return cls(found)

    def have_made(self, uuid: str) -> bool:
        """Whether a row of one of them has made the thing of that UUID, which is in small letters."""
        return any(self._has_made(journal, uuid) for journal in self._journals)

    def _has_made(self, journal: JournalQueries, uuid: str) -> bool:
        with suppress(JournalError), guarded(journal.directory, OSError):
            # What was there before that run may be of this one: it looked around while this one worked.
            return bool(journal.maker_of(uuid))
        return False  # it cannot be read, or an earlier version wrote it, which knew nothing by its UUID

    def close(self) -> None:
        """Let go of their files."""
        for journal in self._journals:
            journal.close()
        self._journals = []


def _with_parts(run_dir: Path) -> Iterator[Path]:
    """A run's directory, and those of runs in it, as the stages of a migration have."""
    yield run_dir
    for path in sorted(run_dir.glob(f"*/*/{NAME}")):
        yield path.parent
