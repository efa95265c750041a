"""What a migration's own run directory knows of its customers' credits: before, asked for, given, in doubt.

What a customer held before stands in the answer of the contacts stage, which no credits of the run can precede.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.endpoints.cells import identity_of
from piggy_batch.errors import SetupError
from piggy_batch.importing.migration.stage_runs import MigrationState
from piggy_batch.importing.migration.stages import FINE, Stage, stage_values
from piggy_batch.models import Status
from piggy_batch.runs.journal_queries import JournalQueries

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.runs.records import RowState


@dataclass(slots=True)
class Customer:
    """One customer of a migration; amounts are whole credits."""

    uuid: str | None = None  # the contact's
    email: str = ""
    before: int | None = None  # the balance that the contacts stage has read; None: it was not shown
    read_at: float | None = None  # when, in seconds since the epoch
    asked: int = 0  # by all rows of the migration's list
    given: int = 0
    in_doubt: int = 0  # sent, and nobody knows whether they were given
    receptions: set[str] = field(default_factory=set)  # UUIDs of those that the run has given

    @property
    def expected(self) -> int | None:
        """The balance once all is given; None: what it was before is not known."""
        return None if self.before is None else self.before + self.asked


def open_migration(run_dir: Path) -> JournalQueries:
    """A migration's own journal, for reading; SetupError where the directory holds none."""
    journal = JournalQueries.open(run_dir) if run_dir.is_dir() else None
    if journal is None or journal.get("operation") != "migrate":
        if journal is not None:
            journal.close()
        raise SetupError(f"{run_dir} holds no migration; name the run directory of piggy-batch migrate")
    return journal


def read_customers(journal: JournalQueries) -> dict[str, Customer]:
    """A migration's customers by the identity of their e-mail address. In memory, one an address."""
    state = MigrationState.of(journal)
    customers: dict[str, Customer] = {}
    by_uuid: dict[str, Customer] = {}
    for _, entry in state.runs[Stage.CONTACTS].entries():
        email = stage_values(Stage.CONTACTS, entry.cells)["email"]
        customer = customers.setdefault(identity_of(email), Customer(email=email))
        kept = entry.kept or {}
        if entry.status in FINE and kept.get("contact_uuid") is not None:
            customer.uuid = str(kept["contact_uuid"])
            customer.before = _whole(kept.get("credit_balance"))
            customer.read_at = entry.finished_at
            by_uuid[customer.uuid] = customer
    for line in state.lines():
        if line.identity is not None and line.entry.status is not Status.INVALID:
            customers.setdefault(line.identity, Customer()).asked += line.credits
    for _, entry in state.runs[Stage.CREDITS].entries():
        values = stage_values(Stage.CREDITS, entry.cells)
        _add(by_uuid.setdefault(values["contact_uuid"], Customer()), entry, int(values["credits"]))
    return customers


def _add(customer: Customer, entry: RowState, credits_: int) -> None:
    if entry.status in FINE:
        customer.given += credits_
        customer.receptions.add(str((entry.kept or {}).get("credit_reception_uuid")))
    elif entry.status is Status.UNKNOWN:
        customer.in_doubt += credits_


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
