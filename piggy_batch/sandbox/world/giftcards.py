"""Giftcards and their programs, compact: a seeded card is computed from its number until it is changed."""

from __future__ import annotations

import random
from array import array
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from piggy_batch.sandbox.world.contacts import SEEDED_FROM
from piggy_batch.sandbox.world.ids import mix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from piggy_batch.sandbox.settings import Settings
    from piggy_batch.sandbox.world.ids import Ids

Json = Any
DAY = 86_400
_SPAN = 300 * DAY  # the seeded past in which cards were made
_PERIOD = 997  # seeded cards repeat their traits with this period, so that their sum needs no walk
MOST_CENTS = 51_000  # a card's maximum in every program, as captured (POST)
_DAYS = (394, None, 730)  # expiration_days of the programs, in turn; 394 was captured (POST)


@dataclass(frozen=True, slots=True)
class Program:
    """A giftcard program; ``number`` counts from 1. Amounts in cents, None = no bound."""

    number: int
    uuid: str
    name: str
    expiration_days: int | None
    max_cents: int | None
    reincrementable: bool


@dataclass(slots=True)
class Card:
    """A giftcard.

    ``program`` is a program's number, 0 = none; times in seconds since 1970, ``expires`` None = never.
    """

    number: int
    uuid: str
    hash: str
    physical: bool
    program: int
    cents: int
    active: bool
    upgradeable: bool
    expires: int | None
    created: int


class Cards:
    """The giftcards of one account in the order in which they were made, whole and per program."""

    def __init__(self, ids: Ids, settings: Settings, seeded: int) -> None:
        self._ids = ids
        self._seeded = seeded
        self._ties = max(1, settings.ties)
        self._fold_hash = settings.hash_case == "fold"
        count = max(1, settings.programs)
        self.programs = {number: self._program(number, settings) for number in range(1, count + 1)}
        self.order = array("q", range(1, seeded + 1))
        self._of = {number: array("q", range(number, seeded + 1, count)) for number in self.programs}
        self._next = seeded + 1
        self._gone: set[int] = set()
        self._kept: dict[int, Card] = {}  # cards that differ from what their number says
        self._by_uuid: dict[str, int] = {}  # only uuids and hashes that no number gives
        self._by_hash: dict[str, int] = {}
        groups = max(1, seeded // self._ties)
        self._step = max(1, _SPAN // groups)  # seconds between two groups of equal created_at
        self._traits = _traits(settings.seed)
        rounds, rest = divmod(seeded, _PERIOD)
        cents = [trait[0] for trait in self._traits]
        # Card number n has the traits at n % period, so one full round holds each trait once.
        self.balance = rounds * sum(cents) + sum(cents[n % _PERIOD] for n in range(1, rest + 1))

    def _program(self, number: int, settings: Settings) -> Program:
        last = number > max(1, settings.programs) - settings.reincrementable_programs
        days = _DAYS[(number - 1) % len(_DAYS)]
        return Program(number, self._ids.uuid("p", number), f"Program {number}", days, MOST_CENTS, last)

    def program(self, uuid: str) -> Program | None:
        """The program with this uuid."""
        return self.programs.get(self._ids.number("p", uuid))

    def rename(self, program: int, name: str) -> None:
        """Another name for a program (by number); its uuid stays."""
        self.programs[program] = replace(self.programs[program], name=name)

    def count(self, program: int) -> int:
        """How many cards a program holds."""
        return len(self._of[program])

    def _seed_card(self, number: int) -> Card:
        cents, physical, active, upgradeable = self._traits[number % _PERIOD]
        program = (number - 1) % len(self.programs) + 1
        created = SEEDED_FROM + (number - 1) // self._ties * self._step
        days = self.programs[program].expiration_days
        expires = None if days is None else created + days * DAY
        uuid, code = self._ids.uuid("g", number), self._ids.hash(number)
        return Card(number, uuid, code, physical, program, cents, active, upgradeable, expires, created)

    def get(self, number: int) -> Card | None:
        """The card with this number. A change to it counts only once ``put`` has taken it."""
        if not 0 < number < self._next or number in self._gone:
            return None
        return self._kept.get(number) or self._seed_card(number)

    def by_uuid(self, uuid: str) -> Card | None:
        """The card with this uuid."""
        return self.get(self._by_uuid.get(uuid) or self._ids.number("g", uuid))

    def by_hash(self, code: str) -> Card | None:
        """The card with this hash; case counts unless the switch ``hash_case`` says otherwise."""
        number = self._by_hash.get(code.upper() if self._fold_hash else code)
        card = self.get(number or self._ids.number_of_hash(code.upper() if self._fold_hash else code))
        matches = card is not None and (card.hash == code or (self._fold_hash and card.hash.upper() == code.upper()))
        return card if matches else None

    def add(
        self,
        program: int,
        now: float,
        *,
        code: str | None = None,
        physical: bool = False,
        uuid: str | None = None,
    ) -> Card:
        """A new, active card of 0 cents that expires after the program's days (SEED; expiry inferred)."""
        number = self._next
        self._next += 1
        days = self.programs[program].expiration_days if program else None
        expires = None if days is None else int(now) + days * DAY
        made = Card(
            number=number,
            uuid=uuid or self._ids.uuid("g", number),
            hash=code or self._ids.hash(number),
            physical=physical,
            program=program,
            cents=0,
            active=True,
            upgradeable=True,
            expires=expires,
            created=int(now),
        )
        self._enter(made)
        return made

    def _enter(self, card: Card) -> None:
        self.order.append(card.number)
        if card.program:
            self._of[card.program].append(card.number)
        self._keep(card)

    def _keep(self, card: Card) -> None:
        self._kept[card.number] = card
        if card.hash != self._ids.hash(card.number):
            self._by_hash[card.hash.upper() if self._fold_hash else card.hash] = card.number
        if card.uuid != self._ids.uuid("g", card.number):
            self._by_uuid[card.uuid] = card.number

    def put(self, card: Card, cents: int) -> None:
        """Takes a changed card; ``cents`` becomes its balance (the old one is still in ``card``)."""
        self.balance += cents - card.cents
        card.cents = cents
        self._keep(card)

    def reprogram(self, card: Card, program: int) -> None:
        """The card moves to another program (by number); its place in the list is that of its age."""
        of = self._of[program]
        if card.program:
            old = self._of[card.program]
            del old[bisect_left(old, card.number)]
        of.insert(bisect_left(of, card.number), card.number)
        card.program = program
        self._keep(card)

    def remove(self, card: Card) -> None:
        """The card vanishes from lists and look-ups."""
        self._gone.add(card.number)
        self._kept.pop(card.number, None)
        self._by_hash.pop(card.hash.upper() if self._fold_hash else card.hash, None)
        self._by_uuid.pop(card.uuid, None)
        self.balance -= card.cents
        del self.order[bisect_left(self.order, card.number)]
        if card.program:
            of = self._of[card.program]
            del of[bisect_left(of, card.number)]

    def _created(self, number: int) -> int:
        kept = self._kept.get(number)
        return kept.created if kept else SEEDED_FROM + (number - 1) // self._ties * self._step

    def page(self, program: int, start: int, size: int, scramble: int | None) -> tuple[list[Card], int]:
        """Cards ``start``… (from 0) of a program (0 = all), and how many there are.

        With ``scramble`` neighbours of one creation time come in an order that the number decides.
        """
        numbers = self._of[program] if program else self.order
        total = len(numbers)
        stop = min(total, start + size)
        if start >= stop:
            return [], total
        chosen = list(numbers[start:stop])
        if scramble is not None:
            chosen = self._scrambled(numbers, start, stop, scramble)
        cards = (self.get(number) for number in chosen)
        return [card for card in cards if card is not None], total

    def _scrambled(self, numbers: array[int], start: int, stop: int, scramble: int) -> list[int]:
        low, high = start, stop
        first, last = self._created(numbers[start]), self._created(numbers[stop - 1])
        while low > 0 and self._created(numbers[low - 1]) == first:
            low -= 1
        while high < len(numbers) and self._created(numbers[high]) == last:
            high += 1
        near = sorted(numbers[low:high], key=lambda number: (self._created(number), mix(number ^ mix(scramble))))
        return near[start - low : stop - low]

    def rows(self) -> Iterator[Json]:
        """Every card as a JSON object."""
        for number in self.order[:]:  # a copy: requests may come between two blocks of a dump
            card = self.get(number)
            if card is not None:
                uuid = self.programs[card.program].uuid if card.program else None
                yield {
                    "uuid": card.uuid,
                    "hash": card.hash,
                    "type": "PHYSICAL" if card.physical else "DIGITAL",
                    "giftcard_program_uuid": uuid,
                    "amount_in_cents": card.cents,
                    "active": card.active,
                    "upgradeable": card.upgradeable,
                    "expires": card.expires,
                    "created": card.created,
                }

    def dump(self) -> Json:
        """What differs from the seed, as JSON; ``load`` takes it back."""
        kept = [
            [
                c.number,
                c.uuid,
                c.hash,
                c.physical,
                c.program,
                c.cents,
                c.active,
                c.upgradeable,
                c.expires,
                c.created,
            ]
            for c in self._kept.values()
        ]
        names = {str(number): program.name for number, program in self.programs.items()}
        return {"names": names, "seeded": self._seeded, "next": self._next, "gone": sorted(self._gone), "kept": kept}

    def load(self, dumped: Json) -> None:
        """Takes over what a state file holds, on top of the same seeds."""
        for number, name in dumped["names"].items():
            self.rename(int(number), name)
        gone = set(dumped["gone"])
        for number in sorted(number for number in gone if number <= self._seeded):
            card = self.get(number)
            if card is not None:
                self.remove(card)
        self._next = dumped["next"]
        self._gone = gone
        for fields in sorted(dumped["kept"]):
            card = Card(*fields)
            if card.number > self._seeded:
                self.balance += card.cents
                self._enter(card)
            else:
                before = self._seed_card(card.number)
                self.balance += card.cents - before.cents
                self._keep(card)


def _traits(seed: int) -> list[tuple[int, bool, bool, bool]]:
    """Cents, physical, active, upgradeable of a period of seeded cards; one never loaded is upgradeable."""
    draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
    out = []
    for _ in range(_PERIOD):
        cents = draw.choice((0, 0, 1000, 1500, 2500, 2500, 5000, 10_000, draw.randrange(1, 10_000)))
        physical, active = draw.random() < 0.2, draw.random() < 0.97
        out.append((cents, physical, active, cents == 0 or draw.random() < 0.1))
    return out
