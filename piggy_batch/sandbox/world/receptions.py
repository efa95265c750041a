"""Credit receptions: loyalty credits given to contacts, oldest first (DUMP, LDOC)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from piggy_batch.sandbox.world.contacts import Contact
    from piggy_batch.sandbox.world.ids import Ids

Json = Any


@dataclass(slots=True)
class Reception:
    """Credits given once; negative ones are partial refunds. ``unit_value`` is what was bought, if it was told."""

    uuid: str
    contact: int  # the contact's number
    shop: int
    credits: int
    unit_value: float | None
    identifier: str | None  # the value of the card that was used
    created: int


class ReceptionLedger:
    """Every credit reception of one account."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.rows: list[Reception] = []
        self._made = 0  # with those of a state file that did not keep the rows

    def give(
        self,
        contact: Contact,
        shop: int,
        points: int,
        now: float,
        *,
        unit_value: float | None = None,
        identifier: str | None = None,
    ) -> Reception:
        """Adds credits to a contact's balance, and a row at the end. Callers have checked."""
        contact.credits += points
        self._made += 1
        uuid = self._ids.uuid("r", self._made)
        row = Reception(uuid, contact.number, shop, points, unit_value, identifier, int(now))
        self.rows.append(row)
        return row

    def dump(self) -> Json:
        """Every row as JSON; ``load`` takes them back."""
        return [[r.uuid, r.contact, r.shop, r.credits, r.unit_value, r.identifier, r.created] for r in self.rows]

    def load(self, dumped: Json, made: int) -> None:
        """Takes over the rows of a state file; ``made``: how many were ever given."""
        self.rows = [Reception(*fields) for fields in dumped]
        self._made = made
