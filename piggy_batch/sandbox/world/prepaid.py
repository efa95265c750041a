"""Prepaid transactions: money that a contact holds with a shop, oldest first (DUMP)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from piggy_batch.sandbox.world.contacts import Contact
    from piggy_batch.sandbox.world.ids import Ids

Json = Any


@dataclass(slots=True)
class PrepaidTransaction:
    """Money moved on a contact's prepaid balance; ``balance`` is what it came to, both in cents."""

    number: int
    uuid: str
    contact: int  # the contact's number
    shop: int
    cents: int
    balance: int
    created: int
    identifier: str | None  # the value of the card that was used


class PrepaidLedger:
    """Every prepaid transaction of one account."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.rows: list[PrepaidTransaction] = []

    def move(self, contact: Contact, shop: int, cents: int, now: float, identifier: str | None) -> PrepaidTransaction:
        """Adds ``cents`` (negative: takes) to a contact's balance, and a row at the end. Callers have checked."""
        contact.prepaid_cents += cents
        number = len(self.rows) + 1
        uuid = self._ids.uuid("b", number)
        row = PrepaidTransaction(number, uuid, contact.number, shop, cents, contact.prepaid_cents, int(now), identifier)
        self.rows.append(row)
        return row

    def get(self, uuid: str) -> PrepaidTransaction | None:
        """The row with this uuid."""
        number = self._ids.number("b", uuid)
        return self.rows[number - 1] if 0 < number <= len(self.rows) else None

    def dump(self) -> Json:
        """Every row as JSON; ``load`` takes them back."""
        return [[t.number, t.uuid, t.contact, t.shop, t.cents, t.balance, t.created, t.identifier] for t in self.rows]

    def load(self, dumped: Json) -> None:
        """Takes over the rows of a state file."""
        self.rows = [PrepaidTransaction(*fields) for fields in dumped]
