"""Shared pace: runs of one account on one machine share one budget, without a daemon.

One small file an account, locked for each use, holds when the last request left, which slot comes next, and who
works: name and rate of each run, no token. A run that was killed is forgotten at once, one whose process cannot be
looked for after a few seconds. Times are the machine's monotonic clock, which all its processes share.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


FRESH_S = 15.0  # a run that has not been heard of for so long is gone
LOOK_EVERY_S = 1.0  # how often a run without a limit looks whether others work
LEASE_S = 0.25  # who is alone takes the account for so long, and need not write each departure
CLOCKS_S = 1.0  # a moment that another process read before it got the lock may lie so far ahead of one's own
PATIENCE_S = 0.25  # for a lock that is held for microseconds
MOST_BYTES = 65_536
NAME_LENGTH = 120


@dataclass(frozen=True, slots=True)
class PeerRun:
    """Another run at work on the same account."""

    name: str
    rate: float  # requests a second; 0: no limit


class SharedRate:
    """One run's access to its account's slot file. A file that cannot be used means pacing alone."""

    def __init__(self, directory: Path, account: str, name: str) -> None:
        digest = hashlib.sha256(account.encode()).hexdigest()[:32]
        self.path = directory / f"{digest}.slots"
        self.neighbours: tuple[PeerRun, ...] = ()
        self._key = f"{os.getpid()}-{os.urandom(4).hex()}"
        self._namespace = _pid_namespace()
        self._name = name[:NAME_LENGTH]
        self._looked_at = float("-inf")
        self._left_at = float("-inf")  # this run's last departure
        self._lease_end = float("-inf")
        self._file: int | None = None
        try:
            if directory.stat().st_uid == os.getuid():  # in somebody else's directory a link may lie in wait
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
                self._file = os.open(self.path, flags, 0o600)
        except OSError:
            pass

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
            gap_s = self._gap_s(own)
            # Each run holds at most one turn, so a later one is from before a restart, or of a slow run that left.
            latest = now + (len(self.neighbours) + 1) * gap_s + CLOCKS_S
            slot = max(now, _plausible(book.get("next"), latest))
            book["next"] = slot + gap_s
            return slot

        found = self._with(now, own, take)
        return now if found is None else found

    def holds(self, moment: float) -> bool:
        """Whether this run, alone, may leave at ``moment`` without writing it down."""
        return moment < self._lease_end and not self.neighbours

    def depart(self, own: float, now: float) -> float:
        """Stamp a departure. Returns ``now``, or the later moment before which it would come too close to
        another run's last one; then nothing is stamped.

        A run that is alone stamps the end of its lease: whoever comes next leaves after that.
        """

        def stamp(book: dict[str, Any]) -> float:
            earliest = self._last(book, now) + self._gap_s(own)
            if earliest > now:
                return earliest
            self._left_at = now
            self._lease_end = book["last"] = now if self.neighbours else now + LEASE_S
            return now

        if self.holds(now):
            self._left_at = now
            return now
        found = self._with(now, own, stamp)
        return now if found is None else found

    def _last(self, book: dict[str, Any], now: float) -> float:
        """When the last request left; what stands there as this run's own lease was no departure."""
        last = _plausible(book.get("last"), now + CLOCKS_S)
        return self._left_at if last == self._lease_end else last

    def leave(self) -> None:
        """This run works no more."""
        if self._file is None:
            return
        try:
            if self._lock():
                book = self._read()
                book["runs"] = {k: r for k, r in _runs(book).items() if k != self._key}
                if book.get("last") == self._lease_end:
                    book["last"] = self._left_at
                self._write(book)
        except (OSError, ValueError, RecursionError):
            pass  # the entry ages away
        finally:
            os.close(self._file)
            self._file = None

    def _gap_s(self, own: float) -> float:
        rate = self.shared_rate(own)
        return 1 / rate if rate else 0.0

    def _with(self, now: float, own: float, change: Callable[[dict[str, Any]], float | None]) -> float | None:
        """Lock, read, note this run, ``change``, write, unlock; None where the file fails."""
        if self._file is None:
            return None
        try:
            if not self._lock():
                return None
            try:
                book = self._read()
                runs = {k: r for k, r in _runs(book).items() if 0 <= now - r["seen"] + CLOCKS_S <= FRESH_S}
                runs = {k: r for k, r in runs.items() if not self._is_dead(k, r)}
                runs[self._key] = {"name": self._name, "rate": own, "seen": now, "namespace": self._namespace}
                book["runs"] = runs
                self.neighbours = tuple(PeerRun(r["name"], r["rate"]) for k, r in runs.items() if k != self._key)
                self._looked_at = now
                found = change(book)
                self._write(book)
                return found
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        except OSError:
            os.close(self._file)
            self._file = None
            return None

    def _is_dead(self, key: str, run: dict[str, Any]) -> bool:
        """Whether a run was killed. Only its own container knows its process; elsewhere its entry ages away."""
        if not self._namespace or run.get("namespace") != self._namespace:
            return False
        try:
            os.kill(int(key.partition("-")[0]), 0)
        except ProcessLookupError:
            return True
        except (ValueError, OverflowError, PermissionError):
            pass
        return False

    def _lock(self) -> bool:
        """Take the lock; False where somebody sits on it, as a stopped process may."""
        if self._file is None:
            return False
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    return False
                time.sleep(0.0005)
            else:
                return True

    def _read(self) -> dict[str, Any]:
        """The book; an empty one where the file makes no sense."""
        if self._file is None:
            return {}
        try:
            found = json.loads(os.pread(self._file, MOST_BYTES, 0) or b"{}")
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, book: dict[str, Any]) -> None:
        if self._file is not None:
            kept = {name: book[name] for name in ("last", "next", "runs") if name in book}
            data = json.dumps(kept).encode().ljust(512)
            os.pwrite(self._file, data, 0)
            os.ftruncate(self._file, len(data))


def _pid_namespace() -> str:
    """What tells a container's processes from those of its neighbours; blank where the system does not say."""
    if sys.platform != "linux":
        return sys.platform
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _runs(book: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The entries that make sense."""
    runs = book.get("runs")
    return {k: r for k, r in runs.items() if _sound(r)} if isinstance(runs, dict) else {}


def _sound(run: Any) -> bool:
    if not isinstance(run, dict) or not isinstance(run.get("name"), str) or len(run["name"]) > NAME_LENGTH:
        return False
    return _is_number(run.get("seen")) and _is_number(run.get("rate")) and 0 <= run["rate"] < 1e6


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _plausible(moment: Any, latest: float) -> float:
    """A moment of the machine's clock; one after ``latest`` is from before a restart and counts for nothing."""
    return float(moment) if _is_number(moment) and moment <= latest else float("-inf")
