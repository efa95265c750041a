"""The room of shared pace: runs of one account on one machine share one budget, without a daemon.

One small file an account, locked for each use, holds when the last request left, which slot comes next, and who
works: name and rate of each run, no token. A run that dies is forgotten after a few seconds. Times are the
machine's monotonic clock, which all its processes share.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pwd
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FRESH_S = 15.0  # a run that has not been heard of for so long is gone
LOOK_EVERY_S = 1.0  # how often a run without a limit looks whether others work


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


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another run at work on the same account."""

    name: str
    rate: float  # requests a second; 0: no limit


class SlotBook:
    """One run's access to its account's slot file. A file that cannot be used means pacing alone."""

    def __init__(self, directory: Path, account: str, name: str) -> None:
        digest = hashlib.sha256(account.encode()).hexdigest()[:32]
        self.path = directory / f"{digest}.slots"
        self.neighbours: tuple[Neighbour, ...] = ()
        self._key = f"{os.getpid()}-{os.urandom(4).hex()}"
        self._name = name
        self._looked_at = float("-inf")
        try:
            self._file: int | None = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            self._file = None

    @property
    def usable(self) -> bool:
        """Whether the slot file could be opened."""
        return self._file is not None

    def shared_rate(self, own: float) -> float:
        """The smallest rate of all who work, 0: no limit."""
        rates = [r for r in (own, *(n.rate for n in self.neighbours)) if r]
        return min(rates, default=0.0)

    def look(self, own: float, now: float) -> None:
        """Say that this run works at ``own``, and see who else does; at most once a second."""
        if now - self._looked_at >= LOOK_EVERY_S:
            self._with(now, own, lambda _: None)

    def reserve(self, own: float, now: float) -> float:
        """The moment of this run's next turn; no other run gets the same."""

        def take(book: dict[str, Any]) -> float:
            slot = max(now, _plausible(book.get("next"), now))
            rate = self.shared_rate(own)
            book["next"] = slot + (1 / rate if rate else 0.0)
            return slot

        found = self._with(now, own, take)
        return now if found is None else found

    def depart(self, own: float, now: float) -> float:
        """Stamp a departure. Returns ``now``, or the later moment before which it would come too close to
        another run's last one; then nothing is stamped."""

        def stamp(book: dict[str, Any]) -> float:
            rate = self.shared_rate(own)
            earliest = _plausible(book.get("last"), now) + (1 / rate if rate else 0.0)
            if earliest > now:
                return earliest
            book["last"] = now
            return now

        found = self._with(now, own, stamp)
        return now if found is None else found

    def leave(self) -> None:
        """This run works no more."""
        if self._file is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            book = self._read()
            book.get("runs", {}).pop(self._key, None)
            self._write(book)
        except OSError:
            pass  # the entry ages away
        finally:
            os.close(self._file)
            self._file = None

    def _with(self, now: float, own: float, change: Any) -> float | None:
        """Lock, read, note this run, ``change``, write, unlock; None where the file fails."""
        if self._file is None:
            return None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                book = self._read()
                runs = {k: r for k, r in book.get("runs", {}).items() if 0 <= now - r["seen"] + 1 <= FRESH_S}
                runs[self._key] = {"name": self._name, "rate": own, "seen": now}
                book["runs"] = runs
                self.neighbours = tuple(Neighbour(r["name"], r["rate"]) for k, r in runs.items() if k != self._key)
                self._looked_at = now
                found: float | None = change(book)
                self._write(book)
                return found
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._heal()
            return None

    def _read(self) -> dict[str, Any]:
        if self._file is None:
            return {}
        data = os.pread(self._file, 65536, 0)
        found: dict[str, Any] = json.loads(data) if data.strip() else {}
        return found

    def _write(self, book: dict[str, Any]) -> None:
        if self._file is not None:
            data = json.dumps(book).encode()
            os.pwrite(self._file, data + b" " * max(0, 512 - len(data)), 0)
            os.ftruncate(self._file, max(len(data), 512))

    def _heal(self) -> None:
        """A file that makes no sense is begun anew."""
        if self._file is not None:
            try:
                os.ftruncate(self._file, 0)
            except OSError:
                os.close(self._file)
                self._file = None


def _plausible(moment: Any, now: float) -> float:
    """A moment of the machine's clock; one from before a restart, far in the future, counts for nothing."""
    if isinstance(moment, int | float) and moment < now + 3600:
        return float(moment)
    return float("-inf")
