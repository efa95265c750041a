"""The files behind a report: each is hashed when it is read, and must be what was stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from piggy_batch.errors import SetupError
from piggy_batch.files import sha256_of
from piggy_batch.reporting.phrases import Phrase, phrase

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime
    from pathlib import Path

    from piggy_batch.reporting.snapshot import Snapshot
    from piggy_batch.reporting.transaction_scope import Companion

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that the figures come from."""

    role: str  # opening, closing, trend or transactions
    path: Path
    day: date | None  # that it counts for
    moment: datetime | None  # when the service was asked
    readings: tuple[datetime, datetime] | None  # of the first and the last card
    cards: int | None
    verdict: str
    agreed: bool | None
    account: str | None
    sha256: str  # of the bytes read


def read_hashed(snapshot: Snapshot, read: Callable[[], T]) -> tuple[T, str]:
    """What ``read`` makes of a snapshot's file, and the SHA-256 of that file.

    SetupError where its bytes are not those that were stored, or where it was replaced while it was read.
    """
    before = _stamp(snapshot.path)
    digest = sha256_of(snapshot.path)
    if snapshot.recorded_sha256 not in (None, digest):
        raise SetupError(
            f"{snapshot.path}: was changed after it was stored (its SHA-256 differs); take it from a backup"
        )
    found = read()
    if _stamp(snapshot.path) != before:
        raise SetupError(f"{snapshot.path}: was replaced while it was read; run the report again")
    return found, digest


def snapshot_source(role: str, snapshot: Snapshot, digest: str) -> SourceFile:
    """A snapshot as a source."""
    return SourceFile(
        role,
        snapshot.path,
        snapshot.day,
        snapshot.moment,
        snapshot.readings,
        snapshot.cards,
        snapshot.verdict,
        snapshot.agreed,
        snapshot.account_name or snapshot.account,
        digest,
    )


def transactions_source(found: Companion, rows: int) -> SourceFile:
    """A transactions file as a source."""
    verdict = f"{found.verdict}, {rows:,} transactions"
    return SourceFile(
        "transactions", found.path, None, None, None, None, verdict, found.agreed, found.account, found.sha256
    )


def called(snapshot: Snapshot) -> Phrase:
    """How messages name a snapshot."""
    return phrase("the snapshot of {day} ({file})", day=snapshot.day, file=snapshot.path.name)


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise SetupError(f"{path}: cannot be read: {error.strerror}") from None
    return found.st_ino, found.st_size, found.st_mtime_ns
