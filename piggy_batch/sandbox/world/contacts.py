"""Contacts and their identifiers: the part of an account that a loyalty migration touches."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from piggy_batch.sandbox.world.ids import Ids

Json = Any
SEEDED_FROM = 1_761_955_200  # 2025-11-01: the moment at which the seeded past begins


@dataclass(slots=True)
class Contact:
    """A customer. ``number`` counts from 1 and never comes back; ``created`` is in seconds since 1970.

    ``attributes`` holds the values that are not blank, as text.
    """

    number: int
    uuid: str
    email: str
    created: int
    credits: int = 0
    anonymous: bool = False
    prepaid_cents: int = 0
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Identifier:
    """A card, or whatever stands for a customer.

    ``contact`` is a contact's uuid, or None while it is unlinked.
    """

    value: str
    name: str
    active: bool
    contact: str | None


class ContactStore:
    """The contacts and identifiers of one account, with the indexes that answers need."""

    def __init__(self, ids: Ids, *, fold_case: bool) -> None:
        self._ids = ids
        self._fold = fold_case
        self._next = 1
        self.order: list[int] = []  # contact numbers, oldest first
        self.contacts: dict[int, Contact] = {}
        self._by_email: dict[str, int] = {}
        self.identifiers: dict[str, Identifier] = {}
        self._held: dict[str, list[str]] = {}  # contact uuid -> keys of its identifiers, first one the default
        self.linked = 0
        self.inactive = 0

    # Contacts

    def seed(self, contacts: int, identifiers: int, ties: int) -> None:
        """Customers ``customer1@example.test``… and cards ``CARD-000001``…, every second card linked."""
        for number in range(1, contacts + 1):
            self.add_contact(f"customer{number}@example.test", SEEDED_FROM + (number - 1) // ties * 60)
        for number in range(1, identifiers + 1):
            holder = self.contacts[(number // 2 - 1) % contacts + 1].uuid if contacts and number % 2 == 0 else None
            value = f"CARD-{number:06d}"
            self.add_identifier(value, value, holder)

    def add_contact(self, email: str, now: float, *, anonymous: bool = False) -> Contact:
        """A new contact at the end of the list. The caller has made sure that the e-mail is free."""
        number = self._next
        self._next += 1
        contact = Contact(number, self._ids.uuid("c", number), email, int(now), anonymous=anonymous)
        self._put(contact)
        return contact

    def _put(self, contact: Contact) -> None:
        self.contacts[contact.number] = contact
        self.order.append(contact.number)
        self._by_email[contact.email.lower()] = contact.number

    def contact(self, uuid: str) -> Contact | None:
        """The contact with this uuid."""
        return self.contacts.get(self._ids.number("c", uuid))

    def contact_by_email(self, email: str) -> Contact | None:
        """The contact with this address; addresses are one whatever their case (inferred)."""
        return self.contacts.get(self._by_email.get(email.lower(), 0))

    def remove_contact(self, contact: Contact) -> None:
        """The contact goes, its identifiers stay, unlinked (inferred: no source says so)."""
        if self.contacts.pop(contact.number, None) is None:
            return
        del self.order[bisect_left(self.order, contact.number)]
        del self._by_email[contact.email.lower()]
        for key in self._held.pop(contact.uuid, []):
            self.identifiers[key].contact = None
            self.linked -= 1

    # Identifiers

    def key(self, value: str) -> str:
        """What makes a value unique: itself, or without case where the switch says so."""
        return value.casefold() if self._fold else value

    def identifier(self, value: str) -> Identifier | None:
        """The identifier that a value names."""
        return self.identifiers.get(self.key(value))

    def add_identifier(self, value: str, name: str, contact: str | None, *, active: bool = True) -> Identifier:
        """A new identifier. The caller has made sure that the value is free and the contact exists."""
        made = Identifier(value, name, active, None)
        self.identifiers[self.key(value)] = made
        self.inactive += not active
        if contact is not None:
            self.hold(made, contact)
        return made

    def hold(self, identifier: Identifier, contact: str | None) -> None:
        """Gives the identifier to a contact (by uuid), or to nobody."""
        key = self.key(identifier.value)
        if identifier.contact is not None:
            held = self._held[identifier.contact]
            held.remove(key)
            if not held:
                del self._held[identifier.contact]
            self.linked -= 1
        identifier.contact = contact
        if contact is not None:
            self._held.setdefault(contact, []).append(key)
            self.linked += 1

    def activate(self, identifier: Identifier, *, active: bool) -> None:
        """Switches the identifier on or off."""
        self.inactive += identifier.active - active
        identifier.active = active

    def remove_identifier(self, identifier: Identifier) -> None:
        """The identifier goes; its value is free again (inferred)."""
        self.hold(identifier, None)
        self.inactive -= not identifier.active
        del self.identifiers[self.key(identifier.value)]

    def held_by(self, contact: str) -> list[Identifier]:
        """The identifiers of a contact (by uuid), oldest link first."""
        return [self.identifiers[key] for key in self._held.get(contact, [])]

    # Dumps

    def identifier_rows(self) -> Iterator[Json]:
        """Every identifier as a JSON object."""
        for each in self.identifiers.values():
            yield {
                "value": each.value,
                "name": each.name,
                "active": each.active,
                "contact_uuid": each.contact,
            }

    def contact_rows(self) -> Iterator[Json]:
        """Every contact as a JSON object."""
        for number in self.order:
            each = self.contacts[number]
            values = [held.value for held in self.held_by(each.uuid)]
            yield {
                "uuid": each.uuid,
                "email": each.email,
                "credits": each.credits,
                "prepaid_cents": each.prepaid_cents,
                "attributes": each.attributes,
                "identifiers": values,
            }

    def dump(self) -> Json:
        """Everything as JSON; ``load`` takes it back."""
        people = (self.contacts[number] for number in self.order)
        return {
            "next": self._next,
            "contacts": [
                [c.number, c.uuid, c.email, c.created, c.credits, c.anonymous, c.prepaid_cents, c.attributes]
                for c in people
            ],
            "identifiers": [[i.value, i.name, i.active] for i in self.identifiers.values()],
            "held": {uuid: [self.identifiers[key].value for key in keys] for uuid, keys in self._held.items()},
        }

    def load(self, dumped: Json) -> None:
        """Takes over what a state file holds, in place of any seeds."""
        self._next = dumped["next"]
        for fields in dumped["contacts"]:  # six fields in files written before contacts held more
            self._put(Contact(*fields))
        for value, name, active in dumped["identifiers"]:
            self.add_identifier(value, name, None, active=active)
        for uuid, values in dumped["held"].items():
            for value in values:
                self.hold(self.identifiers[self.key(value)], uuid)
