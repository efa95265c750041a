"""A rich account: forty programs with names long and odd, sixty ends of months, billions in the largest program."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from piggy_batch.reporting.snapshot_store import Store
from tests.reporting.support import NOW, Account, place

if TYPE_CHECKING:
    from pathlib import Path

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MONTHS, PROGRAMS = 60, 40
NAMES = {
    "p-00": "Cadeaukaart",
    "p-01": "A giftcard whose marketing department could not agree on a shorter name for it, 2019 edition",
    "p-02": "贈り物 🎁 ギフトカード",
    "p-03": '=HYPERLINK("http://example.test","click")',
    "p-04": "<b>Fijne feestdagen</b> & meer",
    "p-05": "بطاقة هدية",
    "p-06": "line\nbreak\tand\u202eturned",
}


def ends_of_months(count: int) -> list[date]:
    """The last days of the ``count`` months up to December 2026."""
    found, first = [], date(2027, 1, 1)
    for _ in range(count):
        last = first - timedelta(days=1)
        found.append(last)
        first = last.replace(day=1)
    return found[::-1]


def make_store(folder: Path, months: int = MONTHS, cards_a_month: int = 30) -> Path:
    """A store with a snapshot five past midnight after each month; returns its folder."""
    chance = random.Random(11)
    names = {f"p-{n:02d}": NAMES.get(f"p-{n:02d}", f"Program {n}") for n in range(PROGRAMS)}
    account, store = Account(name="Bloem & Blad B.V.", programs=names), Store(folder / "store", AMSTERDAM)
    number = 0
    for day in ends_of_months(months):
        moment = datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM) + timedelta(days=1, minutes=5)
        moment = datetime.combine(day + timedelta(days=1), datetime.min.time(), AMSTERDAM) + timedelta(minutes=5)
        for card in account.cards.values():
            if chance.random() < 0.12:
                card.cents -= chance.randint(0, card.cents) if card.cents else 0
            if chance.random() < 0.01:
                card.cents += chance.randint(1, 40) * 250
            if chance.random() < 0.003:
                card.active = not card.active
            if card.expires and card.expires <= moment and chance.random() < 0.8:
                card.cents = 0
        for _ in range(cards_a_month):
            program = f"p-{min(chance.randrange(PROGRAMS), chance.randrange(PROGRAMS)):02d}"
            large = 40_000 if program == "p-00" else 1
            life = chance.choice([180, 365, 730, None])
            expires = None if life is None else (moment + timedelta(days=life)).astimezone(UTC)
            account.add(f"c-{number}", chance.randint(4, 400) * 250 * large, program=program, expires=expires)
            number += 1
        utc = moment.astimezone(UTC)
        path = account.export(folder / "x.parquet", utc)
        place(store, path, account.summary(utc, account={"uuid": "a-1", "company": account.name}), day=day)
    return store.root


if __name__ == "__main__":
    import sys
    from pathlib import Path

    print(NOW, make_store(Path(sys.argv[1])))
