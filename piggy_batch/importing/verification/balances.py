"""Rules for the credits of a sign-off: the balance that a customer must have after a migration. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.endpoints.cells import identity_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Customer:
    """One customer of a migration; amounts are whole credits."""

    uuid: str | None = None  # the contact's
    email: str = ""
    before: int | None = None  # the balance that the contacts stage has read; None: it was not shown
    read_at: float | None = None  # when, in seconds since the epoch
    asked: int = 0  # by all rows of the migration's list
    withheld: int = 0  # asked too, but given by earlier migrations, so that the balance before holds them
    given: int = 0
    in_doubt: int = 0  # sent, and nobody knows whether they were given
    receptions: set[str] = field(default_factory=set)  # UUIDs of those that the run has given


@dataclass(frozen=True, slots=True)
class CreditComparison:
    """What a row's credits have come to: a difference, or why they could not be compared; both None: as expected."""

    differs: str | None = None
    unseen: str | None = None


def asks_for_credits(values: Mapping[str, str]) -> bool:
    """Whether a row gives its customer credits; 0 and blank are none."""
    return int(values.get("credits", "0")) > 0


def compare_balance(
    values: Mapping[str, str], customers: Mapping[str, Customer], found: int | None
) -> CreditComparison:
    """A row that asks for credits against the balance that was found: what the migration read before it gave any,
    with all that its list gives the customer."""
    email, asked = values.get("email"), int(values["credits"])
    if email is None:
        return CreditComparison(unseen="credits (the row names no customer)")
    customer = customers.get(identity_of(email))
    if customer is None or customer.asked + customer.withheld < asked:
        listed = "no such customer" if customer is None else f"{customer.asked:,} for this customer"
        return CreditComparison(differs=f'credits expected "{asked}", but the migration\'s own list has {listed}')
    if customer.before is None:
        return CreditComparison(unseen="credits (the balance before the migration is not known)")
    if found is None:
        return CreditComparison(unseen="credits (the service does not show the balance)")
    expected = customer.before + customer.asked
    if found == expected:
        return CreditComparison()
    doubt = f", {customer.in_doubt:,} of them in doubt" if customer.in_doubt else ""
    return CreditComparison(
        differs=f'credits expected "{expected}" ({customer.before:,} before, {customer.asked:,} given{doubt}), found '
        f'"{found}"'
    )
