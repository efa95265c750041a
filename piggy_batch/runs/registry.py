"""Records that outlive run directories: small files of entries in the user's state directory, changed under a lock.
They hold no token and nothing of customers."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pwd
import tempfile
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piggy_batch.errors import SetupError
from piggy_batch.files import write_whole
from piggy_batch.text import iso

if TYPE_CHECKING:
    from collections.abc import Iterator


PLANS = "plans"  # folder of marks, one for each plan that was shown
KNOWN = "runs"  # folder of notes on where runs live, one a run directory


class RunRegistry:
    """A list of entries on disk. ``what`` it records and the ``harm`` of going without it are for messages."""

    def __init__(self, path: Path, what: str, harm: str) -> None:
        self.path = path
        self._what = what
        self._harm = harm

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes the record while the block lasts; for moments only, others wait."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def read(self) -> list[dict[str, Any]]:
        """The entries, first to last."""
        try:
            entries: list[dict[str, Any]] = json.loads(self.path.read_text(encoding="utf-8"))
            _ = [dict(entry)["run_dir"] for entry in entries]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise self._unusable(error) from None
        return entries

    def write(self, entries: list[dict[str, Any]]) -> None:
        """Put these in their place, on disk on return."""
        text = json.dumps(entries, indent=1)
        write_whole(self.path, text.encode(), failing=lambda _, error: self._unusable(error))

    def _unusable(self, error: Exception) -> SetupError:
        words = error.strerror if isinstance(error, OSError) else "it is damaged"
        return SetupError(f"the record of {self._what} in {self.path} cannot be used: {words}; {self._harm}")


def entry_of(run: str, run_dir: Path) -> dict[str, Any]:
    """What a record holds of a run."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"run": run, "run_dir": str(run_dir.resolve()), "started_at": now}


def note_run(registry: Path | None, run_dir: Path, command: str) -> None:
    """Remember where a run lives, for ``piggy-batch runs``. What cannot be written is not remembered: a run needs it
    not."""
    if registry is None:
        return
    path = run_dir.resolve()
    entry = {"run_dir": str(path), "operation": command, "noted_at": iso(time.time())}
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
    with suppress(OSError):
        (registry / KNOWN).mkdir(mode=0o700, exist_ok=True)
        write_whole(registry / KNOWN / f"{name}.json", json.dumps(entry).encode(), failing=None)


def note_plan(registry: Path | None, key: str) -> None:
    """Remember that somebody has seen a plan; what cannot be written is not remembered."""
    if registry is not None:
        with suppress(OSError):
            (registry / PLANS).mkdir(mode=0o700, exist_ok=True)
            _plan(registry, key).touch(mode=0o600)


def was_planned(registry: Path | None, key: str) -> bool:
    """Whether somebody has seen that plan."""
    return registry is not None and _plan(registry, key).exists()


def _plan(registry: Path, key: str) -> Path:
    return registry / PLANS / hashlib.sha256(key.encode()).hexdigest()[:32]


def known_runs(registry: Path) -> list[dict[str, Any]]:
    """What was noted of runs whose directories are still there, the latest first; the rest is forgotten."""
    found = []
    for path in (registry / KNOWN).glob("*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            entry = json.loads(path.read_text(encoding="utf-8"))
            if Path(entry["run_dir"]).is_dir():
                found.append(entry)
            else:
                path.unlink()
    return sorted(found, key=lambda entry: str(entry.get("noted_at")), reverse=True)


def state_dir() -> Path:
    """Where the user's runs meet: the state directory, whatever session or cron job they run in.

    Works with HOME unset (the account database knows it) and in a container without a home (a directory of
    the user's own below the temporary one).
    """
    homes = [os.environ.get("HOME"), _registered_home()]
    named = os.environ.get("XDG_STATE_HOME")
    candidates = [Path(named)] if named else []
    candidates += [Path(home) / ".local" / "state" for home in homes if home and Path(home).is_dir()]
    for base in candidates:
        if _usable(base / "piggy-batch"):
            return base / "piggy-batch"
    last = Path(tempfile.gettempdir()) / f"piggy-batch-{os.getuid()}"
    _usable(last)
    return last


def _registered_home() -> str | None:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return None


def _usable(directory: Path) -> bool:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return directory.stat().st_uid == os.getuid() and os.access(directory, os.W_OK)
