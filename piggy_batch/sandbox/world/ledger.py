"""Giftcard transactions: the ledger of one account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.sandbox.settings import Settings
    from piggy_batch.sandbox.world.giftcards import Card, Cards
    from piggy_batch.sandbox.world.ids import Ids

Json = Any


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop; ``number`` counts from 1, ``kind`` is physical, web or on_site (POST, observed)."""

    number: int
    uuid: str
    name: str
    kind: str


@dataclass(slots=True)
class Transaction:
    """Money moved on a card.

    ``old`` rows show no uuids (POST, captured); ``reverses`` is another row's number, or 0.
    """

    number: int
    uuid: str
    card: int  # the card's number
    program: int
    shop: int
    cents: int
    kind: str  # STANDARD or EXPIRED
    created: int
    attributes: Mapping[str, Json]
    old: bool = False
    reverses: int = 0


class Ledger:
    """Every transaction, with the indexes that the list's filters need."""

    def __init__(self, ids: Ids, settings: Settings) -> None:
        self._ids = ids
        kinds = ("physical", "web", "on_site")
        self.shops = {
            number: Shop(number, ids.uuid("s", number), f"Shop {number}", kinds[(number - 1) % 3])
            for number in range(1, max(1, settings.shops) + 1)
        }
        self.rows: list[Transaction] = []  # as they were entered: the row number n stands at n - 1
        self._in_order = True  # entered oldest first; an event may be told afterwards
        self._sorted: list[Transaction] = []
        self._of_card: dict[int, list[Transaction]] = {}

    def seed(self, count: int, cards: Cards) -> None:
        """History of the seeded cards, the oldest tenth without uuids; no balance moves."""
        held = len(cards.order)
        for number in range(1, count + 1 if held else 1):
            card = cards.get(cards.order[(number - 1) * held // count])
            if card is not None:
                row = self.add(card, 1 + number % len(self.shops), card.cents or 1000, card.created)
                row.old = number <= count // 10

    def add(
        self,
        card: Card,
        shop: int,
        cents: int,
        now: float,
        *,
        kind: str = "STANDARD",
        attributes: Mapping[str, Json] | None = None,
        reverses: int = 0,
    ) -> Transaction:
        """A new row at the end. Moving the card's balance is the caller's part."""
        number = len(self.rows) + 1
        uuid = self._ids.uuid("t", number)
        row = Transaction(
            number,
            uuid,
            card.number,
            card.program,
            shop,
            cents,
            kind,
            int(now),
            attributes or {},
            reverses=reverses,
        )
        self._enter(row)
        return row

    def _enter(self, row: Transaction) -> None:
        self._in_order &= not self.rows or self.rows[-1].created <= row.created
        self.rows.append(row)
        self._of_card.setdefault(row.card, []).append(row)

    @property
    def oldest_first(self) -> list[Transaction]:
        """Every row by its time."""
        if self._in_order:
            return self.rows
        if len(self._sorted) != len(self.rows):
            self._sorted = sorted(self.rows, key=lambda row: row.created)
        return self._sorted

    def get(self, uuid: str) -> Transaction | None:
        """The row with this uuid; rows that show none cannot be found."""
        number = self._ids.number("t", uuid)
        if not 0 < number <= len(self.rows) or self.rows[number - 1].old:
            return None
        return self.rows[number - 1]

    def of_card(self, card: int) -> list[Transaction]:
        """The rows of a card (by number), oldest first."""
        return self._of_card.get(card, [])

    def shop(self, uuid: str) -> Shop | None:
        """The shop with this uuid."""
        return self.shops.get(self._ids.number("s", uuid))

    def dump(self) -> Json:
        """Every row as JSON; ``load`` takes them back."""
        return [
            [
                t.number,
                t.uuid,
                t.card,
                t.program,
                t.shop,
                t.cents,
                t.kind,
                t.created,
                t.attributes,
                t.old,
                t.reverses,
            ]
            for t in self.rows
        ]

    def load(self, dumped: Json) -> None:
        """Takes over the rows of a state file."""
        for fields in dumped:
            self._enter(Transaction(*fields))
