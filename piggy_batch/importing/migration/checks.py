"""What only a migration asks of its manifest: one balance a customer, and what is odd about his addresses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from piggy_batch.endpoints.cells import identity_of
from piggy_batch.manifest.reasons import joined
from piggy_batch.models import Problem, Status
from piggy_batch.text import counted, printable

if TYPE_CHECKING:
    from piggy_batch.manifest.options import LoadedManifest
    from piggy_batch.runs.journal import Journal

_SECOND = "gives credits to a customer to whom an earlier row gives some"
MANY_CARDS = 10  # on one address: more is a family, a shop's own address, or a mistake


@dataclass(frozen=True, slots=True)
class Checked:
    """The manifest with a migration's own findings."""

    loaded: LoadedManifest
    gives: bool  # whether any row brings credits


@dataclass(slots=True)
class _Customer:
    spelling: str  # the first
    cards: int = 0
    spellings: int = 1
    credits_at: tuple[int, int] | None = None  # row and line of the first balance


def check_customers(journal: Journal, loaded: LoadedManifest, *, per_card: bool) -> Checked:
    """Mark balances without a customer, and a customer's second balance unless ``per_card``, invalid."""
    customers: dict[str, _Customer] = {}
    problems: list[Problem] = []
    alone = 0
    gives = False
    column = loaded.binding.column_of("credits")
    for entry in journal.queries.all_rows():
        if entry.status is Status.INVALID:
            continue
        values = loaded.binding.values(entry.cells)
        brings = int(values.get("credits", "0")) > 0
        gives = gives or brings
        email = values.get("email")
        if email is None:
            alone += 1
            if brings:
                problems.append(
                    Problem(entry.number, entry.line, column, "need an e-mail: credits belong to a customer")
                )
            continue
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
    invalid = journal.queries.counts()[Status.INVALID]
    return Checked(replace(loaded, reasons=joined(loaded.reasons, problems), invalid=invalid, warnings=warnings), gives)


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
