"""The record of accounts that have been given credits by a migration: one small file an account, in the user's
state directory, so that it outlives run directories. It holds no token and nothing of customers."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class CreditBook:
    """Which migrations have given credits in one account. ``run`` names this one, through all its resumes."""

    def __init__(self, directory: Path, base_url: str, account_id: str, run: str) -> None:
        # A fingerprint differs from run to run: accounts that do not name themselves share one record a service.
        named = "" if account_id.startswith("token ") else account_id
        digest = hashlib.sha256(f"{base_url} {named}".encode()).hexdigest()
        self.path = directory / "credits" / f"{digest[:32]}.json"
        self._run = run

    def refuse_second(self, *, again: bool) -> None:
        """SetupError where another migration has given credits in this account and ``again`` is not set."""
        others = [entry for entry in self._read() if entry["run"] != self._run]
        if others and not again:
            last = others[-1]
            raise SetupError(
                f"credits were given in this account before: {last['started_at']} by the run in {last['run_dir']}; a "
                "second migration would give them twice. Go on with that run directory, or pass --credits-again if "
                "these are other balances"
            )

    def claim(self, run_dir: Path, *, again: bool) -> None:
        """Write this run down, on disk on return, before its first credits leave; refuses as above."""
        with self._locked():
            self.refuse_second(again=again)
            entries = self._read()
            if any(entry["run"] == self._run for entry in entries):
                return
            now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            entries.append({"run": self._run, "run_dir": str(run_dir.resolve()), "started_at": now})
            self._write(entries)

    @contextmanager
    def _locked(self) -> Iterator[None]:
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

    def _read(self) -> list[dict[str, Any]]:
        try:
            entries: list[dict[str, Any]] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise self._unusable(error) from None
        return entries

    def _write(self, entries: list[dict[str, Any]]) -> None:
        part = self.path.with_suffix(".part")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(entries, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: Exception) -> SetupError:
        words = error.strerror if isinstance(error, OSError) else "it is damaged"
        return SetupError(
            f"the record of credits in {self.path} cannot be used: {words}; without it credits could be given twice"
        )
