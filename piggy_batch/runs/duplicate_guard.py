"""Twins: two runs of one once command for one manifest, which would carry each row out twice.

What lies beside is looked through, whatever it is called: the folders of the manifest and of the run directory. Runs
elsewhere are known from a record in the user's state directory. Of two that start at once at most one goes on: each
sets its claim in its journal, where the other sees it, before it looks around; and where both use one record, they do
so one after the other, so that exactly one goes on.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piggy_batch.errors import JournalError, SetupError
from piggy_batch.models import Repeat, Status
from piggy_batch.runs.directory import stem
from piggy_batch.runs.filenames import CLAIM, COUNTED, INHERITED_CLAIM, STDIN
from piggy_batch.runs.generated_manifest import is_counted
from piggy_batch.runs.journal_file import NAME, guarded, identity
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.runs.leftovers import done_in_summary
from piggy_batch.runs.lock import is_held
from piggy_batch.runs.registry import RunRegistry, entry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from piggy_batch.endpoints import Operation
    from piggy_batch.runs.journal import Journal

MOST = 1_000  # run directories that are looked at, the newest ones
ANEW = "or pass --again to carry these rows out anew"


def refuse_again(operation: Operation, manifest: Path, run_dir: Path) -> None:
    """SetupError where an earlier run lies beside the manifest under the name that a run of it gets."""
    if operation.repeat is not Repeat.ONCE or manifest == STDIN:
        return
    for other in sorted(manifest.parent.glob(f"{_literal(stem(manifest))}.{operation.slug}*")):
        if not other.is_dir() or other.resolve() == run_dir.resolve():
            continue
        seen = _glimpse(other)
        if seen is not None and seen.bound:
            raise SetupError(
                f"{other} holds an earlier run of {operation.name} for a manifest of this name; go on with "
                f"--run-dir {other}, {ANEW}"
            )


def _literal(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What another journal says of itself."""

    errand: tuple[Any, Any, Any]  # operation, content of the manifest, service
    bound: bool
    claim: str | None


class DuplicateRunGuard:
    """Keeps a run from being another's twin, and from being its own, put back from a copy. ``records``: the user's
    state directory. ``rehearsal``: the service is on this machine, so that a recorded run whose directory is gone
    was thrown away."""

    def __init__(
        self,
        operation: Operation,
        manifest: Path,
        journal: Journal,
        base_url: str,
        records: Path | None,
        *,
        rehearsal: bool = False,
    ) -> None:
        content = journal.get("manifest")["sha256"]
        self._journal = journal
        self._here = journal.directory
        self._operation = operation
        self._rehearsal = rehearsal
        # Two lists that --count has made are alike and yet not the same cards.
        counted = manifest == self._here / COUNTED and is_counted(manifest)
        self._matters = operation.repeat is Repeat.ONCE and not counted
        self._places = {self._here.absolute().parent} | ({manifest.absolute().parent} if manifest != STDIN else set())
        self._errand = (operation.name, content, base_url)
        self._run: str = journal.get(CLAIM) or journal.get(INHERITED_CLAIM) or secrets.token_hex(16)
        self._book: RunRegistry | None = None
        if self._matters and records is not None:
            digest = hashlib.sha256(" ".join(self._errand).encode()).hexdigest()
            path = records / "once" / f"{digest[:32]}.json"
            self._book = RunRegistry(path, "runs", "without it rows could be carried out twice: mend it")

    def refuse(self) -> None:
        """SetupError where another run of this errand has begun, or is about to."""
        if not self._matters:
            return
        for other in self._beside():
            raise SetupError(
                f"{other} holds an earlier run of {self._operation.name} for this very manifest; go on with "
                f"--run-dir {other}, {ANEW}"
            )
        for entry in self._recorded():
            raise SetupError(
                f"a run of {self._operation.name} for this very manifest began in {entry['run_dir']} "
                f"({entry['started_at']}); go on with that run directory, wherever it is now, {ANEW}"
            )

    def claim(self, *, again: bool) -> None:
        """Write down that this run begins, on disk on return; refuses as above unless ``again``."""
        if not self._matters:
            return
        with self._book.locked() if self._book else nullcontext():
            self._journal.set(CLAIM, self._run)  # before the look: of two, the later one to look sees the other's
            if not again:
                self.refuse()
            if self._book is not None:
                self._book.write([*self._others(), entry_of(self._run, self._here)])

    def refuse_older(self) -> None:
        """JournalError where this begun run's journal knows of fewer rows done than its summary or the record: it
        was put back from a copy."""
        if not self._matters:
            return
        done = self._journal.queries.counts()[Status.DONE]
        entries = self._book.read() if self._book else []
        noted = [int(entry.get("done", 0)) for entry in entries if entry["run"] == self._run]
        told = max([done_in_summary(self._here), *noted])
        if told > done:
            raise JournalError(
                f"{self._here}: {told:,} rows were done when this run ended last, and its journal knows of {done:,}: "
                "it is an older copy, so rows that were sent since would be sent again. Bring the newer one back; "
                "where it is lost for good and you know what was carried out, pass --adopt"
            )

    def note_end(self) -> None:
        """Write down how many rows are done."""
        if self._book is None:
            return
        done = self._journal.queries.counts()[Status.DONE]
        with suppress(SetupError), self._book.locked():
            entries = self._book.read()
            if any(entry["run"] == self._run for entry in entries):
                self._book.write([e | {"done": done} if e["run"] == self._run else e for e in entries])

    def withdraw(self) -> None:
        """Nothing was sent: the next run of this errand need not hear of this one."""
        if self._book is None:
            return
        with suppress(SetupError):
            if len(self._others()) < len(self._book.read()):
                with self._book.locked():
                    self._book.write(self._others())

    def _beside(self) -> Iterator[Path]:
        found: dict[tuple[int, int], tuple[float, Path]] = {}
        for place in self._places:
            with suppress(OSError):
                for other in place.iterdir():
                    with suppress(OSError):
                        stat = (other / NAME).stat()
                        found[stat.st_dev, stat.st_ino] = (stat.st_mtime, other)
        found.pop(identity(self._here) or (0, 0), None)
        for _, other in sorted(found.values(), reverse=True)[:MOST]:
            with suppress(JournalError):  # what cannot be read is somebody else's
                seen = _glimpse(other)
                if seen is not None and seen.errand == self._errand and _begins(seen, other):
                    yield other

    def _recorded(self) -> Iterator[dict[str, Any]]:
        """Entries of other runs, but for one that was killed before it could begin."""
        for entry in self._others():
            other = Path(entry["run_dir"])
            with suppress(JournalError):
                seen = _glimpse(other)
                known = seen is not None and seen.claim == entry["run"]
                if (not known and self._rehearsal) or (known and seen and not _begins(seen, other)):
                    continue
            yield entry

    def _others(self) -> list[dict[str, Any]]:
        return [entry for entry in self._book.read() if entry["run"] != self._run] if self._book else []


def _begins(seen: _Seen, directory: Path) -> bool:
    return seen.bound or (seen.claim is not None and is_held(directory))


def _glimpse(directory: Path) -> _Seen | None:
    with suppress(JournalError):
        return _seen(directory, JournalQueries.peek)
    return _seen(directory, JournalQueries.open)  # it was written just now


def _seen(directory: Path, look: Callable[[Path], JournalQueries | None]) -> _Seen | None:
    with guarded(directory, OSError):
        journal = look(directory)
        if journal is None:
            return None
        try:
            manifest = journal.get("manifest") or {}
            errand = (journal.get("operation"), manifest.get("sha256"), journal.get("base_url"))
            return _Seen(errand, journal.bound, journal.get(CLAIM))
        finally:
            journal.close()
