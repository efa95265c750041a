"""Two runs of one once command for the same rows, which would carry each row out twice; and a run put back from a copy.

The same rows are told by the account that they go to and by what they hold, whatever the file is called or packed, and
under whatever address the service is reached. What lies beside is looked through: the folders of the manifest and of
the run directory. Runs elsewhere are known from a record in the user's state directory. Of two that start at once at
most one goes on: each sets its claim in its journal, where the other sees it, before it looks around; and where both
use one record, they do so one after the other, so that exactly one goes on.

A run that was put back from a copy is told by the count of its sends, which is kept in the state directory as well.
"""

from __future__ import annotations

import secrets
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import REHEARSAL
from piggy_batch.errors import JournalError, SetupError
from piggy_batch.models import Repeat, Status
from piggy_batch.runs.directory import stem
from piggy_batch.runs.filenames import CLAIM, COUNTED, INHERITED_CLAIM, STDIN
from piggy_batch.runs.generated_manifest import is_counted
from piggy_batch.runs.journal_file import SENDS
from piggy_batch.runs.leftovers import done_in_summary
from piggy_batch.runs.lock import is_held
from piggy_batch.runs.registry import RunRegistry, entry_of
from piggy_batch.runs.run_finder import runs_beside
from piggy_batch.runs.run_identity import RunIdentity, glimpse
from piggy_batch.runs.send_counter import SendCounter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from piggy_batch.client.target import Target
    from piggy_batch.endpoints import Operation
    from piggy_batch.runs.journal import Journal
    from piggy_batch.runs.run_identity import Glimpse

ANEW = "or pass --again to carry these rows out anew"
HARM = "without it rows could be carried out twice: mend it"


def refuse_again(operation: Operation, manifest: Path, run_dir: Path, anew: str = ANEW) -> None:
    """SetupError where an earlier run lies beside the manifest under the name that a run of it gets.

    ``anew``: how the command at hand insists, with RUN_DIR for that run.
    """
    if operation.repeat is not Repeat.ONCE or manifest == STDIN:
        return
    for other in sorted(manifest.parent.glob(f"{_literal(stem(manifest))}.{operation.slug}*")):
        if not other.is_dir() or other.resolve() == run_dir.resolve():
            continue
        seen = glimpse(other)
        if seen is not None and seen.bound:
            raise SetupError(
                f"{other} holds an earlier run of {operation.name} for a manifest of this name; go on with "
                f"--run-dir {other}, {anew.replace('RUN_DIR', str(other))}"
            )


def _literal(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


class DuplicateRunGuard:
    """Keeps a once run from being carried out twice. ``records``: the user's state directory.

    :meth:`identify` it once the account is known; the rest needs that.
    """

    def __init__(self, operation: Operation, manifest: Path, journal: Journal, records: Path | None) -> None:
        self._operation = operation
        self._journal = journal
        self._here = journal.directory
        self._once = operation.repeat is Repeat.ONCE
        # Two lists that --count has made are alike and yet not the same cards.
        self._unique = self._once and not (manifest == self._here / COUNTED and is_counted(manifest))
        self._places = {self._here.absolute().parent} | ({manifest.absolute().parent} if manifest != STDIN else set())
        self.run: str = journal.get(CLAIM) or journal.get(INHERITED_CLAIM) or secrets.token_hex(16)
        named = journal.get(INHERITED_CLAIM) is not None
        if not named and (self._once or not journal.bound):  # a copy of what was only loaded is known by it too
            journal.set(INHERITED_CLAIM, self.run)
        self._records = records / "once" if records is not None else None
        self._identity: RunIdentity | None = None
        self._registry: RunRegistry | None = None
        self._known: tuple[RunRegistry, ...] = ()  # the registry, and those that earlier versions wrote
        self._rehearsal = False
        # A file that only this run writes: its name is the run's own.
        self.counter = SendCounter(self._records / f"{self.run}.sends") if self._records and self._once else None

    @property
    def needs_digest(self) -> bool:
        """Whether :meth:`identify` needs to know what the rows hold."""
        return self._unique

    def identify(self, account: Mapping[str, Any], target: Target, digest: str) -> None:
        """Say whose rows these are. ``digest``: of what they hold."""
        if not self._once:
            return
        # What this program brings to rehearse against; an address on this machine may lead anywhere.
        self._rehearsal = str(account["id"]).startswith(REHEARSAL)
        content = self._journal.get("manifest")["sha256"]
        if self._unique:
            self._identity = RunIdentity(self._operation.name, account, target, content=content, rows=digest)
            names = [self._identity.record_name, *self._identity.earlier_record_names]
        else:  # as many once more in another directory are others; in the same one, the first ones are lost
            place = f"{COUNTED} in {self._here.resolve()}"
            names = [RunIdentity(self._operation.name, account, target, content=content, rows=place).record_name]
        if self._records is not None:
            self._known = tuple(RunRegistry(self._records / name, "runs", HARM) for name in names)
            self._registry = self._known[0]

    def refuse(self) -> None:
        """SetupError where another run of these rows has begun, or is about to."""
        for other in self._beside():
            raise SetupError(
                f"{other} holds an earlier run of {self._operation.name} for this very manifest; go on with "
                f"--run-dir {other}, {ANEW}"
            )
        for entry in self._recorded():
            if not self._unique:
                raise SetupError(
                    f"cards were made by --count in {entry['run_dir']} before ({entry['started_at']}), and that run "
                    "directory is gone: bring it back to go on with it, name another --run-dir for as many more, or "
                    "pass --again to make them here"
                )
            raise SetupError(
                f"a run of {self._operation.name} for this very manifest began in {entry['run_dir']} "
                f"({entry['started_at']}); go on with that run directory, wherever it is now, {ANEW}"
            )

    def claim(self, *, again: bool) -> None:
        """Write down that this run begins, on disk on return; refuses as above unless ``again``."""
        if not self._once:
            return
        with self._registry.locked() if self._registry else nullcontext():
            self._journal.set(CLAIM, self.run)  # before the look: of two, the later one to look sees the other's
            if not again:
                self.refuse()
            if self.counter is not None:
                self.counter.create()
            if self._registry is not None:
                own = next((entry for entry in self._registry.read() if entry["run"] == self.run), None)
                entry = own or entry_of(self.run, self._here)
                self._registry.write([*self._others(self._registry), entry | {"counted": True}])

    def refuse_older(self) -> None:
        """JournalError where this run is known to have sent more than its journal says: it was put back from a copy."""
        if not self._once:
            return
        self._refuse_fewer_sends()
        done = self._journal.queries.counts()[Status.DONE]
        noted = [int(entry.get("done", 0)) for entry in self._entries() if entry["run"] == self.run]
        told = max([done_in_summary(self._here), *noted])
        if told > done:
            raise self._older(f"{told:,} rows were done when this run ended last, and its journal knows of {done:,}")

    def _refuse_fewer_sends(self) -> None:
        if self.counter is None:
            return
        counted, known = self.counter.read(), self._journal.get(SENDS) or 0
        if counted is None and (known or any(e.get("counted") and e["run"] == self.run for e in self._entries())):
            raise SetupError(
                f"{self._here}: {self.counter.path}, which counts what this run has sent, is gone or was in another "
                "state directory, so an older copy of it could not be told from it; bring the file back, or where you "
                "know that this is no copy, pass --adopt"
            )
        if counted is not None and counted > known:
            raise self._older(f"this run has sent {counted:,} requests, and its journal knows of {known:,}")

    def _older(self, why: str) -> JournalError:
        return JournalError(
            f"{self._here}: {why}: it is an older copy, so rows that were sent since would be sent again. Bring the "
            "newer one back; where it is lost for good and you know what was carried out, pass --adopt"
        )

    def note_end(self) -> None:
        """Write down how many rows are done."""
        if self._registry is None:
            return
        done = self._journal.queries.counts()[Status.DONE]
        with suppress(SetupError), self._registry.locked():
            entries = self._registry.read()
            if any(entry["run"] == self.run for entry in entries):
                self._registry.write([e | {"done": done} if e["run"] == self.run else e for e in entries])

    def withdraw(self) -> None:
        """Nothing was sent: the next run of these rows need not hear of this one."""
        with suppress(SetupError):
            if self._registry is not None and len(self._others(self._registry)) < len(self._registry.read()):
                with self._registry.locked():
                    self._registry.write(self._others(self._registry))
            if self.counter is not None and self.counter.read() == 0:
                self.counter.path.unlink(missing_ok=True)

    def _beside(self) -> Iterator[Path]:
        if self._identity is None:
            return
        for other in runs_beside(self._places, self._here):
            with suppress(JournalError):  # what cannot be read is somebody else's
                seen = glimpse(other)
                if seen is not None and self._identity.is_that_of(seen) and _begins(seen, other):
                    yield other

    def _recorded(self) -> Iterator[dict[str, Any]]:
        """Entries of other runs, but for one that was killed before it could begin."""
        for entry in self._entries():
            if entry["run"] == self.run:
                continue
            other = Path(entry["run_dir"])
            with suppress(JournalError):
                seen = glimpse(other)
                known = seen is not None and seen.claim == entry["run"]
                # A rehearsal whose directory is gone was thrown away.
                if (not known and self._rehearsal) or (known and seen and not _begins(seen, other)):
                    continue
            yield entry

    def _entries(self) -> list[dict[str, Any]]:
        return [entry for registry in self._known for entry in registry.read()]

    def _others(self, registry: RunRegistry) -> list[dict[str, Any]]:
        return [entry for entry in registry.read() if entry["run"] != self.run]


def _begins(seen: Glimpse, directory: Path) -> bool:
    return seen.bound or (seen.claim is not None and is_held(directory))
