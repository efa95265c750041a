"""What only a migration asks of its manifest: one balance a customer, and what is odd about his addresses."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from piggy_batch.endpoints.cells import identity_of
from piggy_batch.errors import SetupError
from piggy_batch.manifest.describe import overlooked
from piggy_batch.manifest.invalid_reasons import joined
from piggy_batch.models import Problem, Status
from piggy_batch.text import counted, printable

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from piggy_batch.manifest.binding import Binding
    from piggy_batch.manifest.doctor import Suggestion
    from piggy_batch.manifest.options import LoadedManifest
    from piggy_batch.runs.journal import Journal

_NOBODY = "need an e-mail: credits belong to a customer"
_RULE = "blank them, or make such cards without their credits with --hold-credits"
_SECOND = "gives credits to a customer to whom an earlier row gives some"
MISSED = ("email", "credits", "contact_identifier_active")
MANY_CARDS = 10  # on one address: more is a family, a shop's own address, or a mistake


@dataclass(frozen=True, slots=True)
class CheckedMigration:
    """The manifest with a migration's own findings."""

    loaded: LoadedManifest
    gives: bool  # whether any row brings credits


@dataclass(slots=True)
class _Customer:
    spelling: str  # the first
    cards: int = 0
    spellings: int = 1
    credits_at: tuple[int, int] | None = None  # row and line of the first balance


def overlooked_fields(binding: Binding, ignored: Collection[str]) -> list[Suggestion]:
    """Columns that are not used and look like a customer's address, a balance or a state: what a migration brings over
    once, and nobody misses before it is too late."""
    return overlooked(binding, MISSED, ignored)


def refuse_overlooked(binding: Binding, manifest: Path, ignored: Collection[str]) -> None:
    """SetupError where such a column is neither mapped nor ignored on purpose."""
    found = overlooked_fields(binding, ignored)
    if found:
        words = ", ".join(f'"{each.column}" looks like {each.field} ({each.option})' for each in found)
        names = " ".join(f"--ignore-column {shlex.quote(each.column)}" for each in found)
        raise SetupError(f"{manifest}: not used: {words}; map them, or leave them out on purpose with {names}")


def check_customers(
    journal: Journal, loaded: LoadedManifest, *, per_card: bool, hold_credits: bool = False
) -> CheckedMigration:
    """Mark balances without a customer invalid, unless ``hold_credits`` leaves only the balance out, and a customer's
    second balance unless ``per_card``."""
    customers: dict[str, _Customer] = {}
    problems: list[Problem] = []
    alone = held = 0
    gives = False
    column = loaded.binding.column_of("credits")
    for entry in journal.queries.all_rows():
        if entry.status is Status.INVALID:
            continue
        values = loaded.binding.values(entry.cells)
        brings = int(values.get("credits", "0")) > 0
        email = values.get("email")
        if email is None:
            alone += 1
            if brings and hold_credits:
                held += 1
            elif brings:
                problems.append(Problem(entry.number, entry.line, column, f"{_NOBODY}; {_RULE}", _NOBODY))
            continue
        gives = gives or brings
        spelling = email.strip()
        customer = customers.setdefault(identity_of(email), _Customer(spelling))
        customer.cards += 1
        customer.spellings += spelling != customer.spelling
        if brings and customer.credits_at is None:
            customer.credits_at = (entry.number, entry.line)
        elif brings and customer.credits_at is not None and not per_card:
            problems.append(Problem(entry.number, entry.line, column, _second(customer), _SECOND))
    journal.invalidate((p.row, p.with_column) for p in problems)
    warnings = (*loaded.warnings, *_warnings(customers, alone))
    if held:
        rows = counted(held, "row")
        warnings += (f"{rows} with credits and without e-mail: cards only, credits are held back (--hold-credits)",)
    invalid = journal.queries.counts()[Status.INVALID]
    return CheckedMigration(
        replace(loaded, reasons=joined(loaded.reasons, problems), invalid=invalid, warnings=warnings), gives
    )


def _second(customer: _Customer) -> str:
    row, line = customer.credits_at or (0, 0)
    return (
        f'row {row} (line {line}) gives credits to "{printable(customer.spelling)}" already; a balance that stands '
        "on each of a customer's cards would be given twice: blank it here, or pass --credits-per-card"
    )


def _warnings(customers: dict[str, _Customer], alone: int) -> list[str]:
    found = []
    if alone:
        found.append(f"{counted(alone, 'row')} without e-mail: a card is created, linked to nobody")
    spelled = [c for c in customers.values() if c.spellings > 1]
    if spelled:
        found.append(
            f"{counted(len(spelled), 'e-mail address', 'es')} spelled in several ways, as "
            f'"{printable(spelled[0].spelling)}"; space and case make no other customer, and the first spelling is sent'
        )
    many = [c for c in customers.values() if c.cards > MANY_CARDS]
    if many:
        most = max(many, key=lambda c: c.cards)
        found.append(
            f"{counted(len(many), 'e-mail address', 'es')} with more than {MANY_CARDS} cards; the most, "
            f'{most.cards:,}, has "{printable(most.spelling)}"'
        )
    return found
