"""An account whose every event is known, and its snapshots on disk; independent of the reporting code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from click.testing import Result

from piggy_batch.client.clock import Clock

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.reporting.snapshot import Snapshot
    from piggy_batch.reporting.snapshot_store import Store

Run = Callable[..., Result]  # a command with its arguments

NOW = datetime(2027, 1, 5, 9, 0, tzinfo=UTC)  # when the commands run
OPENING = datetime(2026, 10, 31, 20, 0, tzinfo=UTC)
CLOSING = datetime(2026, 11, 30, 21, 0, tzinfo=UTC)
SCHEMA = pa.schema(
    [
        ("giftcard_uuid", pa.string()),
        ("type", pa.string()),
        ("hash", pa.string()),
        ("amount_in_cents", pa.int64()),
        ("active", pa.bool_()),
        ("upgradeable", pa.bool_()),
        ("expiration_date", pa.timestamp("us", tz="UTC")),
        ("giftcard_program_uuid", pa.string()),
        ("giftcard_program_name", pa.string()),
        ("read_at", pa.timestamp("us", tz="UTC")),
    ]
)


def place(store: Store, parquet: Path, summary: dict[str, Any], **rest: Any) -> Snapshot:
    """Store an export, as of the tests' present."""
    return store.place(parquet, summary, now=NOW, **rest)


class FixedClock(Clock):
    """Stands still at a moment."""

    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self.moment = moment

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self.moment.timestamp()


@dataclass
class Card:
    """One giftcard as the service holds it."""

    uuid: str
    cents: int = 0
    active: bool = True
    expires: datetime | None = None
    program: str = "p-1"
    type: str = "DIGITAL"
    read_at: datetime | None = None


@dataclass
class Account:
    """Cards, program names and what happened, by movement: card → cents."""

    name: str = "a-1"
    programs: dict[str, str] = field(default_factory=lambda: {"p-1": "Vouchers", "p-2": "Christmas"})
    cards: dict[str, Card] = field(default_factory=dict)
    happened: dict[str, dict[str, int]] = field(default_factory=dict)
    transactions: list[dict[str, Any]] = field(default_factory=list)

    def add(self, uuid: str, cents: int = 0, **more: Any) -> Card:
        """A card that was there before the story begins."""
        self.cards[uuid] = Card(uuid, cents, **more)
        return self.cards[uuid]

    def note(self, movement: str, uuid: str, cents: int) -> None:
        """Remember that ``cents`` of a card took part in ``movement``."""
        of = self.happened.setdefault(movement, {})
        of[uuid] = of.get(uuid, 0) + cents

    def rows(self, moment: datetime) -> list[dict[str, Any]]:
        """What an export of ``moment`` writes."""
        return [
            {
                "giftcard_uuid": card.uuid,
                "type": card.type,
                "hash": f"HASH{index:05d}",
                "amount_in_cents": card.cents,
                "active": card.active,
                "upgradeable": True,
                "expiration_date": card.expires,
                "giftcard_program_uuid": card.program,
                "giftcard_program_name": self.programs.get(card.program),
                "read_at": card.read_at or moment + timedelta(seconds=1),
            }
            for index, card in enumerate(self.cards.values())
        ]

    def summary(self, moment: datetime, **changes: Any) -> dict[str, Any]:
        """What an export that agreed says of itself."""
        return {
            "verdict": "agreed",
            "agreed": True,
            "cards": len(self.cards),
            "account": self.name,
            "program_uuids": [],
            "moment": moment.isoformat(),
            "oldest_reading": moment.isoformat(),
            "newest_reading": (moment + timedelta(seconds=5)).isoformat(),
            **changes,
        }

    def export(self, path: Path, moment: datetime, *, rows: list[dict[str, Any]] | None = None, **changes: Any) -> Path:
        """Write a snapshot file with its summary beside it."""
        table = pa.Table.from_pylist(self.rows(moment) if rows is None else rows, schema=SCHEMA)
        pq.write_table(table, path)
        path.with_name(f"{path.name}.summary.json").write_text(json.dumps(self.summary(moment, **changes)))
        return path

    def transact(
        self, card: str | None, cents: int, when: datetime, *, kind: str = "STANDARD", shop: str = "s-1", **more: Any
    ) -> None:
        """Note a transaction without touching the card."""
        number = len(self.transactions) + 1
        self.transactions.append(
            {
                "transaction_id": number,
                "transaction_uuid": f"t-{number}",
                "type": kind,
                "amount_in_cents": cents,
                "giftcard_id": int(card.rpartition("-")[2]) if card else None,
                "giftcard_uuid": card,
                "shop_id": 3,
                "shop_uuid": shop,
                "shop_name": f"Shop {shop}",
                "created_at": when,
                **more,
            }
        )

    def write_transactions(self, path: Path, **changes: Any) -> Path:
        """The noted transactions as a Parquet file, with the summary of an export that agreed after the closing."""
        pq.write_table(pa.Table.from_pylist(self.transactions, schema=_TRANSACTIONS), path)
        write_transactions_summary(path, **{"account": self.name, **changes})
        return path


def write_transactions_summary(path: Path, **changes: Any) -> None:
    """What an export of transactions that agreed an hour after the closing says of itself."""
    summary = {
        "verdict": "agreed",
        "agreed": True,
        "account": "a-1",
        "program_uuids": [],
        "filters": [],
        "moment": (CLOSING + timedelta(hours=1)).isoformat(),
        **changes,
    }
    path.with_name(f"{path.name}.summary.json").write_text(json.dumps(summary))


_TRANSACTIONS = pa.schema(
    [
        ("transaction_id", pa.int64()),
        ("transaction_uuid", pa.string()),
        ("type", pa.string()),
        ("amount_in_cents", pa.int64()),
        ("giftcard_id", pa.int64()),
        ("giftcard_uuid", pa.string()),
        ("shop_id", pa.int64()),
        ("shop_uuid", pa.string()),
        ("shop_name", pa.string()),
        ("created_at", pa.timestamp("us", tz="UTC")),
    ]
)
