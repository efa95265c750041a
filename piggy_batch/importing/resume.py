"""A manifest loaded into a fresh run directory, or a begun run joined again.

A run is bound to one operation, one manifest by its content, one account, and the options that change what is sent.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
from typing import TYPE_CHECKING

from piggy_batch.errors import JournalError, SetupError
from piggy_batch.files import sha256_of
from piggy_batch.manifest.held_rows import hold_rows
from piggy_batch.manifest.loader import load_manifest, rebind
from piggy_batch.models import Json, Repeat
from piggy_batch.runs.directory import home_of
from piggy_batch.runs.filenames import INHERITED_CLAIM, STDIN
from piggy_batch.runs.journal import Journal
from piggy_batch.runs.journal_file import WAL, remove

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from piggy_batch.endpoints import Operation
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.manifest.options import LoadedManifest, ManifestOptions
    from piggy_batch.runs.directory import RunDir


def load_manifest_into(
    directory: RunDir, operation: Operation, manifest: Path, reading: ManifestOptions
) -> tuple[Journal, LoadedManifest]:
    """A fresh journal with the manifest in it."""
    journal = None
    try:
        journal = Journal.create(directory.path)
        loaded = load_manifest(journal, operation, manifest, reading, detailed=bool(reading.hold))
        if reading.hold:
            loaded = hold_rows(journal, loaded, manifest, reading)
            journal.forget_keys()
        journal.set("home", home_of(directory.path))
        facts = loaded.facts
        journal.set("format", "parquet" if facts.format == "parquet" else "csv")
        journal.set("dialect", [facts.delimiter, facts.encoding] if facts.delimiter and facts.encoding else None)
        if directory.claim is not None:
            journal.set(INHERITED_CLAIM, directory.claim)
    except BaseException:
        if journal is not None:
            journal.close()
        with contextlib.suppress(OSError):
            remove(directory.path)
        (directory.path / "stdin").unlink(missing_ok=True)
        raise
    return journal, loaded


def rejoin(
    directory: RunDir,
    journal: Journal,
    operation: Operation,
    manifest: Path,
    reading: ManifestOptions,
    *,
    adopt: bool,
    changed: str | None = None,
) -> Binding:
    """Check that a begun run is this very run; JournalError names what differs. ``changed``: the option with which a
    changed manifest goes on after this run."""
    here = directory.path
    if journal.get("operation") != operation.name:
        raise JournalError(
            f"{here} belongs to {journal.get('operation')}, not to {operation.name}; name another --run-dir"
        )
    was = journal.get("manifest")
    source = here / "stdin" if manifest == STDIN else manifest
    if not source.exists():
        raise SetupError(f"{manifest}: no such file; the run in {here} was made from {was['path']}")
    sha = (_piped() or was["sha256"]) if manifest == STDIN else sha256_of(source)
    if was["sha256"] != sha:
        raise JournalError(
            f"{here} belongs to {was['path']} with sha256 {was['sha256'][:12]}…, but {manifest} has {sha[:12]}…: "
            f"a changed manifest is a new run, name another --run-dir{f' and pass {changed}' if changed else ''}"
        )
    reading = reading.resolved(operation, journal.get("header"))
    stored, now = journal.get("options"), reading.bound()
    for name, value in now.items():
        if stored.get(name) != value:
            raise JournalError(
                f"{here} was started {_given(name, stored.get(name))}, this command {_given(name, value)}; "
                "use the same, or name another --run-dir"
            )
    _check_home(directory, journal, operation, adopt=adopt)
    if journal.queries.log_lost and operation.repeat is Repeat.ONCE and not (adopt and not directory.adopted):
        with one_adoption(directory):
            raise JournalError(
                f"{here}: the last run was stopped in the middle, and {WAL}, which held its last writes, is gone, so "
                "rows that were sent would be sent again. Bring the file back; where it is lost for good and you know "
                "what was carried out, pass --adopt"
            )
    return rebind(journal.queries, operation, reading)


def _check_home(directory: RunDir, journal: Journal, operation: Operation, *, adopt: bool) -> None:
    home = home_of(directory.path)
    if journal.get("home") == home:
        return
    if operation.repeat is Repeat.ONCE and not adopt:
        raise JournalError(
            f"{directory.path} was moved or copied from {journal.get('home')['path']}; if the run there goes on, rows "
            "would be carried out twice. When it is gone for good, pass --adopt"
        )
    journal.set("home", home)
    directory.adopted = adopt


@contextlib.contextmanager
def one_adoption(directory: RunDir) -> Iterator[None]:
    """Each ``--adopt`` is for what the person was told: where it was for a move, whatever else is wrong is told too."""
    try:
        yield
    except (JournalError, SetupError) as error:
        if not directory.adopted:
            raise
        raise type(error)(f"{error} once more: this one was for the move") from None


def _piped() -> str | None:
    """The content hash of what is piped in; None where nothing is: a begun run needs its manifest no more."""
    if sys.stdin is None or sys.stdin.isatty():
        return None
    digest, size = hashlib.sha256(), 0
    while chunk := sys.stdin.buffer.read(1 << 20):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest() if size else None


def _given(option: str, value: Json) -> str:
    if value in (None, False, {}):
        return f"without {option}"
    if isinstance(value, dict):
        return "with " + " ".join(f"{option} {k}={v}" for k, v in value.items())
    return f"with {option}" if value is True else f"with {option} {value}"
