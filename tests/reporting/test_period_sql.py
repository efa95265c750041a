"""A store of months in any time zone, closed by month and by quarter: SQL over its files finds the same figures."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from piggy_batch.reporting.snapshot_store import Store
from tests.reporting.ledger_judge import OPTIONS, assert_ledger
from tests.reporting.support import Account, place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENDS = [date(2026, month, day) for month, day in zip(range(6, 12), (30, 31, 31, 30, 31, 30), strict=True)]
PERIODS = {"2026-10": (date(2026, 9, 30), date(2026, 10, 31)), "2026-Q3": (date(2026, 6, 30), date(2026, 9, 30))}
ZONES = ("Europe/Amsterdam", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "UTC")
READ = (-3_600, -1, 0, 1, 300, 12_000)  # seconds from midnight


@pytest.mark.parametrize("zone", ZONES)
def test_periods_equal_sql(zone: str, tmp_path: Path, figures: Callable[..., dict[str, Any]]) -> None:
    """Balances of each program, the trend, opening, closing and the journal, for cards that expire about midnight."""
    read = make_months(tmp_path, ZoneInfo(zone), random.Random(zone))
    store, journal = tmp_path / "store", tmp_path / "journal.csv"
    sums = {day: balances(store, day, zone, moment) for day, moment in read.items()}
    for period, (opening, closing) in PERIODS.items():
        found = figures("--store", store, "--period", period, "--timezone", zone, "--to", journal, *OPTIONS)
        assert_ledger(found, journal)
        roll = found["roll_forward"]
        assert (roll["opening"], roll["closing"], roll["residual"]) == (total(sums[opening]), total(sums[closing]), 0)
        shown = [
            (line["program_uuid"], line["outstanding_cents"], line["expired_cents"], line["inactive_cents"])
            for line in found["liability"]["by_program"]
        ]
        assert sorted(shown) == sorted(sums[closing])
        trend = {point["date"]: point["outstanding_cents"] for point in found["trend"]}
        assert trend == {day.isoformat(): total(sums[day]) for day in ENDS if day <= closing}


def make_months(folder: Path, zone: ZoneInfo, chance: random.Random) -> dict[date, datetime]:
    """A snapshot about midnight after each month; when each was read."""
    account, store, number = Account(), Store(folder / "store", zone), 0
    read = {}
    for day in ENDS:
        midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone)
        moment = (midnight + timedelta(seconds=chance.choice(READ))).astimezone(UTC)
        for card in list(account.cards.values()):
            match chance.randrange(12):
                case 0:
                    card.cents -= chance.randint(0, card.cents)
                case 1:
                    card.cents += chance.randint(1, 10**11)
                case 2:
                    card.active = not card.active
                case 3:
                    card.program = chance.choice(["p-1", "p-2"])
                case 4:
                    del account.cards[card.uuid]
        for _ in range(30):
            about = datetime.combine(chance.choice(ENDS) + timedelta(days=1), datetime.min.time(), zone)
            expires = chance.choice([None, about + timedelta(seconds=chance.choice(READ))])
            account.add(
                f"c-{number}",
                chance.choice([0, chance.randint(1, 50_000)]),
                active=chance.random() > 0.1,
                program=chance.choice(["p-1", "p-2"]),
                expires=expires and expires.astimezone(UTC),
            )
            number += 1
        place(store, account.export(folder / "x.parquet", moment), account.summary(moment), day=day)
        read[day] = moment
    return read


def balances(store: Path, day: date, zone: str, read: datetime) -> list[tuple[Any, ...]]:
    """Program, outstanding, expired and switched off of a day's file: as of its reading on that day, or, where that
    was on another, of the day's last microsecond."""
    judge = duckdb.connect()
    judge.execute(f"SET TimeZone = '{zone}'")
    moment = f"TIMESTAMPTZ '{read.isoformat()}'"
    return judge.execute(
        f"""WITH c AS (SELECT *, CASE WHEN {moment}::DATE = DATE '{day}' THEN {moment}
            ELSE (DATE '{day}' + INTERVAL 1 DAY)::TIMESTAMPTZ - INTERVAL 1 MICROSECOND END AS until
            FROM read_parquet('{store}/date={day}/*.parquet', hive_partitioning = false)),
        s AS (SELECT *, COALESCE(expiration_date <= until, false) AS gone FROM c)
        SELECT giftcard_program_uuid,
            COALESCE(SUM(amount_in_cents) FILTER (NOT gone AND active), 0)::BIGINT,
            COALESCE(SUM(amount_in_cents) FILTER (gone), 0)::BIGINT,
            COALESCE(SUM(amount_in_cents) FILTER (NOT gone AND NOT active), 0)::BIGINT
        FROM s GROUP BY ALL"""
    ).fetchall()


def total(rows: list[tuple[Any, ...]]) -> int:
    """What is outstanding in all programs."""
    return sum(outstanding for _, outstanding, _, _ in rows)
