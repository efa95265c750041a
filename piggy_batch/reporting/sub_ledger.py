"""The cards behind each figure: the sub-ledger that an auditor asks for, and samples of it that can be drawn again."""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from piggy_batch.reporting.definitions import BALANCES, MOVED, WITHOUT_TRANSACTION, Movement
from piggy_batch.reporting.liability import program_label
from piggy_batch.reporting.movements import CardMovements, behind, moved_cents
from piggy_batch.reporting.snapshot import INSTANT
from piggy_batch.reporting.snapshot_cards import NEVER, STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from piggy_batch.reporting.snapshot import Snapshot
    from piggy_batch.reporting.snapshot_cards import Ints, SnapshotCards
    from piggy_batch.reporting.snapshot_pair import MatchedCards

_BATCH = 50_000  # rows turned into Python objects at a time
LIST_COLUMNS = (
    "giftcard_uuid",
    "program_uuid",
    "program_name",
    "opening_cents",
    "closing_cents",
    "cents",
    "hash",
    "from_program_uuid",
    "from_program_name",
    "type",
    "active",
    "expiration_date",
)


@dataclass(frozen=True, slots=True)
class CardList:
    """One row per card, largest amount first, then by uuid; ``cents`` is its part in the figure, unsigned."""

    kind: str  # one of LISTS
    table: (
        pa.Table
    )  # LIST_COLUMNS; the opening balance is null in lists of balances, the former program where it is the same
    behind: int  # cards behind the figure; more than rows where a sample was drawn
    seed: int | None = None  # of the sample; None: every card

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """One tuple per card in the order of LIST_COLUMNS; the expiration date is a datetime in UTC."""
        for batch in self.table.to_batches(max_chunksize=_BATCH):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    def sample(self, size: int, seed: int) -> CardList:
        """At most ``size`` cards, each as likely as any other, and the same ones for the same cards and seed: those
        whose SHA-256 of ``seed:giftcard_uuid`` is smallest."""

        def rank(place: tuple[int, str]) -> bytes:
            return hashlib.sha256(f"{seed}:{place[1]}".encode()).digest()

        uuids = self.table["giftcard_uuid"].to_pylist()
        chosen = sorted(place for place, _ in heapq.nsmallest(size, enumerate(uuids), key=rank))
        return replace(self, table=self.table.take(pa.array(chosen, pa.int64())), seed=seed)


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What lists tell of a card beside its amounts, from the snapshot that knows it last.

    Printed codes are read from the files only when a list needs them: their column is as large as the identities.
    """

    opening: tuple[Snapshot, SnapshotCards] | None
    closing: tuple[Snapshot, SnapshotCards]

    def hashes(self, cards: MatchedCards, chosen: Ints) -> list[str | None]:
        """The code of each chosen card: that of the closing snapshot, else of the opening one; None where unknown."""
        found: list[str | None] = [None] * len(chosen)
        sides = ((self.opening, cards.opening_at), (self.closing, cards.closing_at))
        for side, places in ((side, places) for side, places in sides if side is not None):
            rows = places[chosen]
            there = np.flatnonzero(rows >= 0)
            texts = _hashes(*side, rows[there])
            for place, text in zip(there.tolist(), texts, strict=True):
                found[place] = text
        return found

    def columns(self, cards: MatchedCards, chosen: Ints) -> dict[str, Any]:
        """Type, state and expiration of each chosen card."""
        opening = self.opening[1] if self.opening else self.closing[1]
        before, after = cards.opening_at[chosen], cards.closing_at[chosen]
        of_closing = after >= 0
        types = tuple(dict.fromkeys((*opening.types, *self.closing[1].types)))
        places = {name: place for place, name in enumerate(types)}

        def last(was: Any, now: Any) -> Any:
            late = now[np.maximum(after, 0)] if len(now) else np.zeros(len(after), dtype=was.dtype)
            early = was[np.maximum(before, 0)] if len(was) else late
            return np.where(of_closing, late, early)

        codes = [np.array([places[name] for name in c.types])[c.type] for c in (opening, self.closing[1])]
        expires = last(opening.expires_us, self.closing[1].expires_us)
        return {
            "type": pa.array(types, pa.string()).take(pa.array(last(*codes))),
            "active": pa.array(last(opening.active, self.closing[1].active)),
            "expiration_date": _instants(expires),
        }


def _hashes(snapshot: Snapshot, cards: SnapshotCards, rows: Ints) -> list[str | None]:
    if not len(rows) or "hash" not in pq.read_schema(snapshot.path).names:
        return [None] * len(rows)
    column = pq.read_table(snapshot.path, columns=["hash"])["hash"].cast(pa.string())
    found: list[str | None] = column.take(pa.array(cards.in_file(rows))).to_pylist()
    return found


def _instants(micros: Ints) -> Any:
    return pa.array(np.where(micros == NEVER, 0, micros), pa.int64(), mask=micros == NEVER).cast(INSTANT)


def movement_list(
    cards: MatchedCards, kind: str, moves: CardMovements, names: Mapping[str, str], facts: CardFacts
) -> CardList:
    """The cards behind a movement, ``moved`` or ``unexplained``."""
    chosen = np.flatnonzero(behind(cards, kind, moves))
    if kind == MOVED:
        part = moved_cents(cards)
    else:
        part = moves.unexplained if kind == WITHOUT_TRANSACTION else moves.cents[Movement(kind)]
    now, before = (pa.array(codes[chosen]) for codes in (cards.program, cards.opening_program))
    uuids, labels = _programs(cards.program_uuids, names)
    former = pc.if_else(pc.not_equal(before, now), before, pa.scalar(None, before.type))
    columns = {
        "giftcard_uuid": cards.uuids.take(pa.array(chosen)),
        "program_uuid": uuids.take(now),
        "program_name": labels.take(now),
        "opening_cents": pa.array(cards.opening_cents[chosen]),
        "closing_cents": pa.array(cards.closing_cents[chosen]),
        "cents": part[chosen],
        "hash": pa.array(facts.hashes(cards, chosen), pa.string()),
        "from_program_uuid": uuids.take(former),
        "from_program_name": labels.take(former),
        **facts.columns(cards, chosen),
    }
    return _list(kind, columns)


def balance_list(
    snapshot: Snapshot, cards: SnapshotCards, uuids: Any, kind: str, moment: datetime, names: Mapping[str, str]
) -> CardList:
    """The cards whose balance stands in one state at closing, but for those that hold nothing; one row per row of the
    snapshot. ``uuids``: of all ``cards``."""
    state = STATES.index(BALANCES[kind])
    chosen = np.flatnonzero((cards.state(moment) == state) & (cards.amount_cents != 0))
    codes = pa.array(cards.program[chosen])
    program_uuids, labels = _programs(cards.program_uuids, names)
    amounts = pa.array(cards.amount_cents[chosen])
    nothing = pa.nulls(len(chosen), pa.string())
    columns = {
        "giftcard_uuid": uuids.take(pa.array(chosen)),
        "program_uuid": program_uuids.take(codes),
        "program_name": labels.take(codes),
        "opening_cents": pa.nulls(len(chosen), pa.int64()),
        "closing_cents": amounts,
        "cents": amounts,
        "hash": pa.array(_hashes(snapshot, cards, chosen), pa.string()),
        "from_program_uuid": nothing,
        "from_program_name": nothing,
        "type": pa.array(cards.types, pa.string()).take(pa.array(cards.type[chosen])),
        "active": pa.array(cards.active[chosen]),
        "expiration_date": _instants(cards.expires_us[chosen]),
    }
    return _list(kind, columns)


def _programs(program_uuids: tuple[str, ...], names: Mapping[str, str]) -> tuple[Any, Any]:
    labels = [program_label(uuid, names) for uuid in program_uuids]
    return pa.array(program_uuids, pa.string()), pa.array(labels, pa.string())


def _list(kind: str, columns: Mapping[str, Any]) -> CardList:
    table = pa.table(columns).select(LIST_COLUMNS)
    ordered = table.sort_by([("cents", "descending"), ("giftcard_uuid", "ascending")])
    return CardList(kind, ordered, behind=len(ordered))
