"""The cards behind a figure: the sub-ledger that an auditor asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from piggy_batch.reporting.definitions import MOVED, Movement
from piggy_batch.reporting.liability import program_label
from piggy_batch.reporting.movements import CardMovements, behind, moved_cents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from piggy_batch.reporting.cards import Ints
    from piggy_batch.reporting.matching import MatchedCards
    from piggy_batch.reporting.snapshot import Snapshot

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
)


@dataclass(frozen=True, slots=True)
class CardList:
    """One row per card, largest amount first, then by uuid; ``cents`` is its part in the figure, unsigned."""

    kind: str  # one of LISTS
    table: pa.Table  # LIST_COLUMNS; the two of the former program are null where it is the same

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """One tuple per card in the order of LIST_COLUMNS."""
        for batch in self.table.to_batches(max_chunksize=_BATCH):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    def records(self) -> Iterator[dict[str, Any]]:
        """One mapping per card."""
        return (dict(zip(LIST_COLUMNS, row, strict=True)) for row in self.rows())


@dataclass(frozen=True, slots=True)
class HashReader:
    """Printed codes of cards; read only where a list needs them, for their column is as large as the identities."""

    opening: Snapshot
    closing: Snapshot

    def of(self, cards: MatchedCards, chosen: Ints) -> list[str | None]:
        """The code of each chosen card: that of the closing snapshot, else of the opening one; None where unknown."""
        found: list[str | None] = [None] * len(chosen)
        for snapshot, places in ((self.opening, cards.opening_at), (self.closing, cards.closing_at)):
            rows = places[chosen]
            there = np.flatnonzero(rows >= 0)
            if len(there) and "hash" in pq.read_schema(snapshot.path).names:
                column = pq.read_table(snapshot.path, columns=["hash"])["hash"].cast(pa.string())
                for place, text in zip(there.tolist(), column.take(pa.array(rows[there])).to_pylist(), strict=True):
                    found[place] = text
        return found


def card_list(
    cards: MatchedCards, kind: str, moves: CardMovements, names: Mapping[str, str], hashes: HashReader
) -> CardList:
    """The cards behind a movement or behind ``moved``."""
    chosen = np.flatnonzero(behind(cards, kind, moves))
    part = moved_cents(cards) if kind == MOVED else moves.cents[Movement(kind)]
    uuids = pa.array(cards.program_uuids, pa.string())
    labels = pa.array([program_label(uuid, names) for uuid in cards.program_uuids], pa.string())
    now, before = (pa.array(codes[chosen]) for codes in (cards.program, cards.opening_program))
    former = pc.if_else(pc.not_equal(before, now), before, pa.scalar(None, before.type))
    table = pa.table(
        {
            "giftcard_uuid": cards.uuids.take(pa.array(chosen)),
            "program_uuid": uuids.take(now),
            "program_name": labels.take(now),
            "opening_cents": cards.opening_cents[chosen],
            "closing_cents": cards.closing_cents[chosen],
            "cents": part[chosen],
            "hash": pa.array(hashes.of(cards, chosen), pa.string()),
            "from_program_uuid": uuids.take(former),
            "from_program_name": labels.take(former),
        }
    )
    return CardList(kind, table.sort_by([("cents", "descending"), ("giftcard_uuid", "ascending")]))
