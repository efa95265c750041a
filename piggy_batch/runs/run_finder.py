"""Where run directories lie: those beside, and that of a run of which the name is known."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from piggy_batch.errors import JournalError
from piggy_batch.runs.filenames import STDIN
from piggy_batch.runs.journal_file import NAME, identity
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.runs.own_files import run_name
from piggy_batch.runs.registry import KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST = 1_000  # directories that are looked at


def runs_beside(places: Iterable[Path], here: Path) -> list[Path]:
    """The run directories in some folders but for ``here``, the newest first."""
    found: dict[tuple[int, int], tuple[float, Path]] = {}
    for place in places:
        with suppress(OSError):
            for other in place.iterdir():
                with suppress(OSError):
                    stat = (other / NAME).stat()
                    found[stat.st_dev, stat.st_ino] = (stat.st_mtime, other)
    found.pop(identity(here) or (0, 0), None)
    return [other for _, other in sorted(found.values(), reverse=True)[:MOST]]


class RunFinder:
    """Finds other runs by name, as seen from one run directory; looks around once, at the first question.

    Looked for where piles are used: the manifest's folder, what lies in it and beside it, beside the run directory,
    and where runs of this user are known to live. A run may be found twice: in its place and in a copy.
    """

    def __init__(self, run_dir: Path, manifest: Path, records: Path | None) -> None:
        self._run_dir = run_dir
        self._manifest = manifest
        self._records = records
        self._found: dict[str, list[Path]] | None = None

    def find(self, run: str) -> Sequence[Path]:
        """The directories of a run, the nearest first."""
        if self._found is None:
            self._found = {}
            for directory in self._directories():
                with suppress(JournalError, OSError):  # what cannot be read is somebody else's
                    if name := name_of(directory):
                        self._found.setdefault(name, []).append(directory)
        return self._found.get(run, [])

    def began(self, run: str) -> Path | None:
        """Where a run that is not found began, as the user's records say; None where they do not."""
        return next((place for name, place in _recorded(self._records) if name == run), None)

    def _directories(self) -> Iterator[Path]:
        """Where a run may live, the nearest first, each once."""
        seen: set[Path] = {self._run_dir.resolve()}
        manifest = self._manifest
        near = [] if manifest == STDIN else [manifest.absolute().parent, manifest.resolve().parent]
        above = [*near, *(place.parent for place in near), self._run_dir.absolute().parent]
        recorded = (place for _, place in _recorded(self._records))
        for directory in (*near, *_inside(above), *recorded):
            real = directory.resolve()
            if real not in seen:
                seen.add(real)
                yield directory
            if len(seen) > MOST:
                return


def name_of(directory: Path) -> str | None:
    """What the run in a directory calls itself; None where there is no journal, or one of an earlier version."""
    queries = JournalQueries.open(directory) if (directory / NAME).is_file() else None
    if queries is None:
        return None
    try:
        return run_name(queries)
    finally:
        queries.close()


def _inside(places: list[Path]) -> Iterator[Path]:
    for place in dict.fromkeys(places):
        with suppress(OSError):
            yield from (other for other in place.iterdir() if (other / NAME).is_file())


def _recorded(records: Path | None) -> Iterator[tuple[str | None, Path]]:
    """The names of the user's runs, where they are told, and where they began, as the records say."""
    if records is None:
        return
    for path in (*(records / "once").glob("*.json"), *(records / KNOWN).glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            held = json.loads(path.read_text(encoding="utf-8"))
            for entry in held if isinstance(held, list) else [held]:
                yield entry.get("run"), Path(entry["run_dir"])
