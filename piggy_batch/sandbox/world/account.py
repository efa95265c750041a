"""The world of one account: what it holds, and every effect that requests have had on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from piggy_batch.sandbox.world.attributes import attributes_of
from piggy_batch.sandbox.world.contacts import ContactStore
from piggy_batch.sandbox.world.giftcards import Cards
from piggy_batch.sandbox.world.ids import Ids
from piggy_batch.sandbox.world.ledger import Ledger
from piggy_batch.sandbox.world.prepaid import PrepaidLedger
from piggy_batch.sandbox.world.receptions import ReceptionLedger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.sandbox.settings import Settings
    from piggy_batch.sandbox.world.contacts import Contact
    from piggy_batch.sandbox.world.giftcards import Card
    from piggy_batch.sandbox.world.ledger import Transaction


Json = Any


class AccountWorld:
    """One account. ``main``: the account of the settings, with their seed and sizes; others start empty.

    ``dumped``: what a state file holds for it, in place of the sizes.
    """

    def __init__(self, settings: Settings, company: str, uuid: str, *, main: bool, dumped: Json = None) -> None:
        other = 0 if main else crc32(uuid.encode())
        self.settings = settings
        self.company = company
        self.uuid = uuid
        self.id = 1 + other
        self.ids = Ids(settings.seed ^ other, bare=settings.bare_uuids)
        self.effects = Effects()
        self.outside = Effects()  # changes made behind the client's back
        self.changes = 0  # goes up with every change, so that a saver knows when to write
        self.queued: list[tuple[float, Contact]] = []  # deletions, and when they happen
        self.people = ContactStore(self.ids, fold_case=settings.fold_case)
        seeded = dumped["cards"]["seeded"] if dumped else settings.giftcards if main else 0
        self.cards = Cards(self.ids, settings, seeded)
        self.ledger = Ledger(self.ids, settings)
        self.attributes = attributes_of(settings.attributes)
        self.prepaid = PrepaidLedger(self.ids)
        self.receptions = ReceptionLedger(self.ids)
        if dumped:
            self.people.load(dumped["people"])
            self.queued = [(moment, self.people.contacts[number]) for moment, number in dumped["queued"]]
            self.cards.load(dumped["cards"])
            self.ledger.load(dumped["ledger"])
            self.effects.load(dumped["effects"])
            self.outside.load(dumped["outside"])
            self.prepaid.load(dumped.get("prepaid", ()))  # absent from files written before it was kept
            self.receptions.load(dumped.get("receptions", ()), self.effects.totals.get("credits.create", 0))
        elif main:
            self.people.seed(settings.contacts, settings.identifiers, settings.ties)
            self.ledger.seed(settings.transactions, self.cards)

    def settle(self, now: float) -> None:
        """Carries out what was queued for up to ``now``."""
        due = [contact for moment, contact in self.queued if moment <= now]
        if due:
            self.queued = [entry for entry in self.queued if entry[0] > now]
            for contact in due:
                self.people.remove_contact(contact)
            self.changes += 1

    def effect(self, kind: str, key: str) -> None:
        """Records that a request changed something."""
        self.changes += 1
        self.effects.count(kind, key)

    def effect_outside(self, kind: str, key: str) -> None:
        """Records that a till, the dashboard or a test changed something."""
        self.changes += 1
        self.outside.count(kind, key)

    def state(self) -> Json:
        """Counts of what it holds, and of every effect applied."""
        people, cards = self.people, self.cards
        return {
            "account": {"company": self.company, "id": self.id, "uuid": self.uuid},
            "contacts": len(people.contacts),
            "identifiers": len(people.identifiers),
            "identifiers_linked": people.linked,
            "identifiers_unlinked": len(people.identifiers) - people.linked,
            "identifiers_inactive": people.inactive,
            "giftcards": len(cards.order),
            "balance_cents": cards.balance,
            "transactions": len(self.ledger.rows),
            "mails": self.effects.totals.get("giftcards.send", 0),
            "credits": sum(contact.credits for contact in people.contacts.values()),
            "prepaid_cents": sum(contact.prepaid_cents for contact in people.contacts.values()),
            "effects": self.effects.totals,
            "max_per_key": self.effects.peaks,
            "outside": self.outside.totals,
        }

    def dump(self) -> Json:
        """Everything as JSON; the constructor takes it back."""
        return {
            "people": self.people.dump(),
            "queued": [[moment, contact.number] for moment, contact in self.queued],
            "cards": self.cards.dump(),
            "ledger": self.ledger.dump(),
            "effects": self.effects.dump(),
            "outside": self.outside.dump(),
            "prepaid": self.prepaid.dump(),
            "receptions": self.receptions.dump(),
        }

    def card_uuid(self, number: int) -> str | None:
        """The uuid of a card by its number, also after it vanished where the number gives it."""
        card = self.cards.get(number)
        return card.uuid if card else self.ids.uuid("g", number)

    def move(
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
        """Adds ``cents`` (negative: takes) to a card and writes the ledger's row.

        No rules; callers have checked.
        """
        self.cards.put(card, card.cents + cents)
        return self.ledger.add(card, shop, cents, now, kind=kind, attributes=attributes, reverses=reverses)


class Effects:
    """Counts changes made through the API, per kind, and per kind and key.

    An update that changes nothing is not an effect. Mails, transactions, credits and cards always are.
    """

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}
        self.keys: dict[str, dict[str, int]] = {}
        self.peaks: dict[str, int] = {}  # kind -> the largest number of times it hit one key

    def count(self, kind: str, key: str) -> None:
        """One more change of a kind to a key: a value, a card's uuid, a contact's e-mail or uuid."""
        self.totals[kind] = self.totals.get(kind, 0) + 1
        keys = self.keys.setdefault(kind, {})
        times = keys[key] = keys.get(key, 0) + 1
        if times > self.peaks.get(kind, 0):
            self.peaks[kind] = times

    def dump(self) -> Json:
        """The counts as JSON; ``load`` takes them back."""
        return self.keys

    def load(self, keys: Json) -> None:
        """Takes over counts from a state file."""
        self.keys = {kind: dict(of) for kind, of in keys.items()}
        self.totals = {kind: sum(of.values()) for kind, of in self.keys.items()}
        self.peaks = {kind: max(of.values(), default=0) for kind, of in self.keys.items()}
