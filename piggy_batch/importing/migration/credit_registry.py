"""The record of accounts that have been given credits by a migration: one small file an account.

It also knows which runs of the credits stage a migration has begun. Their directories lie in the migration's own and
can be lost without it, or with it where an older copy is put back; what they gave would be given again.

Whoever works under another state directory has another record. So the folders of the list and of the run are looked
through too, for migrations of the account that have given credits or are about to.
"""

from __future__ import annotations

import hashlib
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import FINGERPRINT, account_key
from piggy_batch.endpoints.contacts import GIVE_CREDITS
from piggy_batch.errors import JournalError, SetupError
from piggy_batch.runs.filenames import CLAIM
from piggy_batch.runs.journal_file import NAME, guarded
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.runs.lock import is_held
from piggy_batch.runs.registry import RunRegistry, entry_of
from piggy_batch.runs.run_finder import runs_beside
from piggy_batch.runs.run_identity import SERVICES, RunIdentity, glimpse
from piggy_batch.text import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from piggy_batch.client.target import Target
    from piggy_batch.runs.journal import Journal

MIGRATE = "migrate"  # the operation that a migration's own journal names
BEGUN = "credits_begun"  # the fact which runs of the stage have begun: by the name of their manifest, their claims


class CreditRegistry:
    """Which migrations have given credits in one account; ``journal`` is this one's, through all its resumes."""

    def __init__(self, directory: Path, account: Mapping[str, Any], target: Target, journal: Journal) -> None:
        folder = directory / "credits"
        earlier = _earlier_names(str(account["id"]), target.base_url)
        self._registries = [
            RunRegistry(folder / name, "credits", "without it credits could be given twice")
            for name in (_name(account_key(account, target.token)), *earlier)
        ]
        # The token of an account that names itself not may change: then the address tells, as ever.
        named = not str(account["id"]).startswith(FINGERPRINT)
        self._written = self._registries[:1] if named else self._registries
        self._journal = journal
        self._identity = RunIdentity(MIGRATE, account, target)
        self._run: str = journal.get("run_id")

    def refuse_second(self, *, again: bool, known: frozenset[str] = frozenset()) -> None:
        """SetupError where another migration has given credits in this account and ``again`` is not set. ``known``:
        those whose credits this one does not give again."""
        if again:
            return
        others = [e for e in (*self._entries(), *self._beside()) if e["run"] not in {self._run, *known}]
        if others:
            last = max(others, key=lambda entry: str(entry["started_at"]))
            before = f"credits were given in this account before: {last['started_at']} by the run in {last['run_dir']}"
            if known:  # those that --after names have given some too
                raise SetupError(
                    f"{before}, which --after does not name; a second migration would give them twice. Add --after "
                    f"{last['run_dir']}, which gives nobody credits again; or pass --credits-again beside --after if "
                    "those were other balances"
                )
            raise SetupError(
                f"{before}; a second migration would give them twice. Go on with that run directory; or correct its "
                f"list with --after {last['run_dir']}, which gives nobody credits again; or pass --credits-again if "
                "these are other balances"
            )

    def claim(self, run_dir: Path, *, again: bool, known: frozenset[str] = frozenset()) -> None:
        """Write this run down, on disk on return, before its first credits leave; refuses as above."""
        with self._registries[0].locked():
            self._journal.set(CLAIM, self._run)  # before the look: of two, the later one to look sees the other's
            self.refuse_second(again=again, known=known)
            for registry in self._written:
                entries = registry.read()
                if not any(entry["run"] == self._run for entry in entries):
                    registry.write([*entries, entry_of(self._run, run_dir)])

    def note_begun(self, part: Path, claim: str) -> None:
        """A run of the stage is about to send for the first time; on disk, here and in the migration's journal."""
        begun = self.begun() | {part.name: claim}
        with self._registries[0].locked():
            for registry in self._written:
                entries = registry.read()
                registry.write([e | {BEGUN: begun} if e["run"] == self._run else e for e in entries])
        self._journal.set(BEGUN, begun)

    def begun(self) -> dict[str, str]:
        """The runs of the stage that have begun."""
        found: dict[str, str] = {}
        for entry in self._entries():
            if entry["run"] == self._run:
                found |= entry.get(BEGUN) or {}
        return found | (self._journal.get(BEGUN) or {})

    def refuse_lost(self, stage_dir: Path) -> None:
        """JournalError where a run of the stage has begun whose journal is not there any more, or is another."""
        begun = self.begun()
        for name, claim in begun.items():
            if not (stage_dir / name).is_file() or _claim_of(stage_dir / name) != claim:
                raise _lost(stage_dir / name)
        known = any(entry["run"] == self._run for entry in self._entries())
        if known and not begun and not any(stage_dir.glob("part-*.csv")):
            raise _lost(stage_dir / "part-1.csv")
        for path in stage_dir.glob("part-*.csv"):  # begun by an earlier version, which noted nothing
            earlier = _claim_of(path)
            if path.name not in begun and earlier is not None:
                self.note_begun(path, earlier)

    def _entries(self) -> list[dict[str, Any]]:
        return [entry for registry in self._registries for entry in registry.read()]

    def _beside(self) -> Iterator[dict[str, Any]]:
        """As entries of the record: the migrations in the same folders that have given credits, or are about to."""
        here = self._journal.directory
        places = {here.absolute().parent, Path(self._journal.get("manifest")["path"]).absolute().parent}
        for other in runs_beside(places, here):
            with suppress(JournalError), guarded(other, OSError):  # what cannot be read is somebody else's
                seen = glimpse(other)
                if seen and seen.operation == MIGRATE and self._identity.is_of_the_account_of(seen):
                    yield from _givers(other)


def _givers(run_dir: Path) -> list[dict[str, Any]]:
    held = is_held(run_dir)
    journal = JournalQueries.open(run_dir) if held else JournalQueries.peek(run_dir)
    if journal is None:
        return []
    with closing(journal):
        begun = journal.get(BEGUN) or any(run_dir.glob(f"*-{GIVE_CREDITS.slug}/*/{NAME}"))
        if not begun and not (held and journal.get(CLAIM)):
            return []
        run, runs = journal.get("run_id"), journal.runs()
        started = iso(runs[0]["started_at"]) if runs else None
        return [{"run": run, "run_dir": str(run_dir.resolve()), "started_at": started or "just now"}]


def _name(key: str) -> str:
    return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _earlier_names(account_id: str, base_url: str) -> list[str]:
    """As version 0.1 called the record, by the address as typed; accounts without a name share one a service."""
    named = "" if account_id.startswith(FINGERPRINT) else account_id
    return [_name(f"{url} {named}") for url in (SERVICES if base_url in SERVICES else (base_url,))]


def _claim_of(manifest: Path) -> str | None:
    """What the run of a part calls itself; None where it has no journal, or one that was never about to send."""
    run_dir = manifest.with_suffix("")
    journal = JournalQueries.open(run_dir) if run_dir.is_dir() else None
    if journal is None:
        return None
    try:
        claim: str | None = journal.get(CLAIM)
        return claim
    finally:
        journal.close()


def _lost(manifest: Path) -> JournalError:
    return JournalError(
        f"credits were given from {manifest}, and the journal of that run is gone or another, so they would be given "
        "again. Bring the directory back as it was; where it is lost for good and you know who was given none, pass "
        "--adopt"
    )
