"""A migration in the world of the tests: one sandbox, one folder, virtual time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from piggy_batch.importing.migration.migration import migrate
from piggy_batch.importing.migration.pipeline import MigrationOptions
from piggy_batch.importing.options import ExecutionOptions, ImportOptions, RunResult
from piggy_batch.manifest.options import ManifestOptions
from tests.support.world import World, connection, in_virtual_time, read_csv

HEADER = "contact_identifier_value,email,contact_identifier_name,contact_identifier_active,credits"


class Shop:
    """A shop that migrates: manifests in, what the account then holds out."""

    def __init__(self, folder: Path, **switches: Any) -> None:
        self.world = World(folder, **({"contacts": 3, "identifiers": 0, "giftcards": 0} | switches))
        self.folder = folder
        self.shop = self.world.sandbox.world.ledger.shops[1].uuid

    def manifest(self, *rows: Sequence[str], name: str = "cards.csv") -> Path:
        """Rows of up to five cells; what is missing is blank."""
        return self.world.manifest(HEADER, [[*row, *[""] * (5 - len(row))] for row in rows], name)

    def migrate(self, manifest: Path, *, token: str = "sandbox", context: Any = None, **given: Any) -> RunResult:
        """One invocation; ``given`` are fields of Options, Terms, Reading and Wishes."""
        wishes = {f.name: given.pop(f.name) for f in fields(MigrationOptions) if f.name in given}
        execution = {f.name: given.pop(f.name) for f in fields(ExecutionOptions) if f.name in given}
        reading = {f.name: given.pop(f.name) for f in fields(ManifestOptions) if f.name in given}
        given = {"rate": 0.0, "yes": True} | given
        options = ImportOptions(
            connection=connection(given),
            execution=ExecutionOptions(**execution),
            reading=ManifestOptions(**reading),
            **given,
        )
        wished = MigrationOptions(**({"state_dir": self.folder / "state", "shop": self.shop} | wishes))
        where = replace(self.world.context(token), **(context or {}))
        return in_virtual_time(migrate(manifest, options, wished, where), self.world.time)

    def rows(self, result: RunResult, pile: str = "results") -> list[dict[str, str]]:
        """A report."""
        return read_csv(result.run_dir / f"{pile}.csv")

    def statuses(self, result: RunResult) -> list[str]:
        """`_status` in manifest order."""
        return [row["_status"] for row in self.rows(result)]

    def holder(self, value: str) -> str | None:
        """The e-mail of who holds a card; None: nobody, or no such card."""
        people = self.world.sandbox.world.people
        card = people.identifier(value)
        contact = people.contact(card.contact) if card is not None and card.contact else None
        return contact.email if contact else None

    def card(self, value: str) -> Any:
        """The card in the account; None where there is none."""
        return self.world.identifier(value)

    def credits(self, email: str) -> int:
        """A customer's balance."""
        contact = self.world.sandbox.world.people.contact_by_email(email)
        assert contact is not None
        return int(contact.credits)

    def requests(self, part: str) -> int:
        """How many requests of that kind have arrived: ``POST /credit-receptions``."""
        return int(self.world.sandbox.requests[part])

    def summary(self, result: RunResult) -> dict[str, Any]:
        """The summary on disk."""
        found: dict[str, Any] = json.loads((result.run_dir / "summary.json").read_text(encoding="utf-8"))
        return found


def column(rows: Iterable[dict[str, str]], name: str) -> list[str]:
    """One column of a report."""
    return [row[name] for row in rows]
