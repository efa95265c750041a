"""The record of accounts that have been given credits by a migration: one small file an account."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.runs.registry import RunRegistry, entry_of

if TYPE_CHECKING:
    from pathlib import Path


class CreditRegistry:
    """Which migrations have given credits in one account. ``run`` names this one, through all its resumes."""

    def __init__(self, directory: Path, base_url: str, account_id: str, run: str) -> None:
        # A fingerprint differs from run to run: accounts that do not name themselves share one record a service.
        named = "" if account_id.startswith("token ") else account_id
        digest = hashlib.sha256(f"{base_url} {named}".encode()).hexdigest()
        self.path = directory / "credits" / f"{digest[:32]}.json"
        self._book = RunRegistry(self.path, "credits", "without it credits could be given twice")
        self._run = run

    def refuse_second(self, *, again: bool) -> None:
        """SetupError where another migration has given credits in this account and ``again`` is not set."""
        others = [entry for entry in self._book.read() if entry["run"] != self._run]
        if others and not again:
            last = others[-1]
            raise SetupError(
                f"credits were given in this account before: {last['started_at']} by the run in {last['run_dir']}; a "
                "second migration would give them twice. Go on with that run directory, or pass --credits-again if "
                "these are other balances"
            )

    def claim(self, run_dir: Path, *, again: bool) -> None:
        """Write this run down, on disk on return, before its first credits leave; refuses as above."""
        with self._book.locked():
            self.refuse_second(again=again)
            entries = self._book.read()
            if any(entry["run"] == self._run for entry in entries):
                return
            self._book.write([*entries, entry_of(self._run, run_dir)])
