"""Which rows a once run carries out, and for whom: what two runs have in common that would do the same twice."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import FINGERPRINT, account_key, salted_fingerprint
from piggy_batch.errors import JournalError
from piggy_batch.runs.filenames import CLAIM
from piggy_batch.runs.journal_file import guarded
from piggy_batch.runs.journal_queries import JournalQueries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from piggy_batch.client.target import Target

ROWS = "rows_digest"  # the fact what the rows of a once run hold
SERVICES = ("https://api.piggy.eu", "https://api.piggy.nl", "https://api.leat.com")  # addresses of one service


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What another journal says of its run."""

    operation: str | None
    content: str | None  # SHA-256 of the manifest's file
    rows: str | None  # what its rows hold; None: begun by an earlier version
    account: Mapping[str, Any] | None
    salt: str | None  # of the account's fingerprint
    base_url: str | None
    bound: bool
    claim: str | None


class RunIdentity:
    """An operation, the account and the rows that a run is for.

    ``content``: SHA-256 of the manifest's file; ``rows``: digest of what its rows hold. Both are left out where
    runs are compared by operation and account alone.
    """

    def __init__(
        self, operation: str, account: Mapping[str, Any], target: Target, *, content: str = "", rows: str = ""
    ) -> None:
        self.operation = operation
        self._content = content
        self._rows = rows
        self._account = account
        self._target = target

    @property
    def record_name(self) -> str:
        """The file in which runs with this identity are recorded."""
        return _record(self.operation, account_key(self._account, self._target.token), self._rows)

    @property
    def earlier_record_names(self) -> list[str]:
        """As version 0.1 called it, by the file's bytes and the address as typed."""
        url = self._target.base_url
        return [_record(self.operation, self._content, one) for one in (SERVICES if url in SERVICES else (url,))]

    def is_that_of(self, other: Glimpse) -> bool:
        """Whether another run is for the same rows of the same account, as far as can be told."""
        if other.operation != self.operation or not (other.content == self._content or other.rows == self._rows):
            return False
        return self.is_of_the_account_of(other)

    def is_of_the_account_of(self, other: Glimpse) -> bool:
        """Whether another run is for the same account, as far as can be told."""
        if other.account is None:
            return other.base_url in (None, self._target.base_url)
        theirs, ours = str(other.account["id"]), str(self._account["id"])
        if theirs == ours:
            return True
        named = [identity for identity in (theirs, ours) if not identity.startswith(FINGERPRINT)]
        if len(named) == 2:
            return False
        if not named and other.salt is not None and salted_fingerprint(self._target.token, other.salt) == theirs:
            return True
        # Two tokens of an account that does not name itself, or one that names itself only now.
        return other.base_url == self._target.base_url


def _record(*parts: str) -> str:
    return f"{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:32]}.json"


def glimpse(directory: Path) -> Glimpse | None:
    """What the journal there says, without leaving a file behind; None where there is none."""
    with suppress(JournalError):
        return _seen(directory, JournalQueries.peek)
    return _seen(directory, JournalQueries.open)  # it was written just now


def _seen(directory: Path, look: Callable[[Path], JournalQueries | None]) -> Glimpse | None:
    with guarded(directory, OSError):
        journal = look(directory)
        if journal is None:
            return None
        try:
            return Glimpse(
                operation=journal.get("operation"),
                content=(journal.get("manifest") or {}).get("sha256"),
                rows=journal.get(ROWS),
                account=journal.get("account"),
                salt=journal.get("salt"),
                base_url=journal.get("base_url"),
                bound=journal.bound,
                claim=journal.get(CLAIM),
            )
        finally:
            journal.close()
