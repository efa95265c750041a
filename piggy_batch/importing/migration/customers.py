"""What a migration's own run directory knows of its customers' credits: before, asked for, given, in doubt.

What a customer held before stands in the answer of the contacts stage, which no credits of the run can precede.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from piggy_batch.endpoints.cells import identity_of
from piggy_batch.errors import SetupError
from piggy_batch.importing.migration.stage_runs import MigrationState
from piggy_batch.importing.migration.stages import FINE, Stage, stage_values
from piggy_batch.importing.verification.balances import Customer
from piggy_batch.models import Status
from piggy_batch.runs.journal_file import guarded
from piggy_batch.runs.journal_queries import JournalQueries

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.importing.options import ImportOptions
    from piggy_batch.runs.records import RowState


def open_migration(run_dir: Path) -> JournalQueries:
    """A migration's own journal, for reading; SetupError where the directory holds none, JournalError where it is
    damaged."""
    with guarded(run_dir):
        return _open(run_dir)


def _open(run_dir: Path) -> JournalQueries:
    journal = JournalQueries.open(run_dir) if run_dir.is_dir() else None
    if journal is None or journal.get("operation") != "migrate":
        if journal is not None:
            journal.close()
        raise SetupError(f"{run_dir} holds no migration; name the run directory of piggy-batch migrate")
    return journal


def read_customers(journal: JournalQueries) -> dict[str, Customer]:
    """A migration's customers by the identity of their e-mail address. In memory, one an address.

    JournalError where it is damaged.
    """
    with guarded(journal.directory):
        return _customers(journal)


def _customers(journal: JournalQueries) -> dict[str, Customer]:
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
            customer = customers.setdefault(line.identity, Customer())
            fate = line.fates.get(Stage.CREDITS)
            if not line.withheld:
                customer.asked += line.credits
            elif fate is not None and fate.status is not Status.REJECTED:
                customer.withheld += line.credits
    for _, entry in state.runs[Stage.CREDITS].entries():
        values = stage_values(Stage.CREDITS, entry.cells)
        _add(by_uuid.setdefault(values["contact_uuid"], Customer()), entry, int(values["credits"]))
    return customers


def compare_with(options: ImportOptions, run_dir: Path | None) -> ImportOptions:
    """A verification's options with the migration whose credits it compares; the run belongs to it. None: with none."""
    bound = replace(options.reading, extra={**options.reading.extra, "--migration": run_dir and str(run_dir.resolve())})
    if run_dir is None:
        return replace(options, reading=bound)
    with closing(open_migration(run_dir)) as journal:
        customers = read_customers(journal)
    return replace(options, reading=bound, execution=replace(options.execution, customers=customers))


def _add(customer: Customer, entry: RowState, credits_: int) -> None:
    if entry.status in FINE:
        customer.given += credits_
        customer.receptions.add(str((entry.kept or {}).get("credit_reception_uuid")))
    elif entry.status is Status.UNKNOWN:
        customer.in_doubt += credits_


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
