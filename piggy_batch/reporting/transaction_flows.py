"""Which transactions belong to which card between its two readings, and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from piggy_batch.reporting.dates import from_micros, micros
from piggy_batch.reporting.transactions import EFFECTS, Effect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pandas as pd

    from piggy_batch.reporting.money import Currency
    from piggy_batch.reporting.snapshot_cards import Flags, Ints, SnapshotCards
    from piggy_batch.reporting.snapshot_pair import MatchedCards

_ALWAYS = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class CardTransactions:
    """The transactions between each card's two readings."""

    chosen: pd.DataFrame  # as Transactions.frame
    card: Ints  # per row the card's place in the matched cards, -1 where it is in neither snapshot or unknown
    flows: Mapping[Effect, Ints]  # per card, cents above zero; reversed as balances changed
    counts: Ints  # transactions per card
    outside: int  # rows of the file that lie outside
    span: tuple[datetime, datetime] | None  # first and last transaction of the file


def rows_of(
    frame: pd.DataFrame, currency: Currency, cards: Mapping[Currency, Sequence[Any]], *, rest: bool
) -> pd.DataFrame:
    """The transactions of one currency's cards; with ``rest`` also those of cards in none.

    ``cards``: the uuids of each currency's cards, in one or more arrays.
    """
    uuids = _uuids(frame)

    def known(wanted: Currency) -> Flags:
        found = np.zeros(len(frame), dtype=bool)
        for chunks in cards[wanted]:
            found |= np.asarray(pc.is_in(uuids, value_set=chunks.combine_chunks()).to_numpy(zero_copy_only=False))
        return found

    mine = ~np.logical_or.reduce([known(other) for other in cards if other != currency]) if rest else known(currency)
    return frame.loc[mine]


def assign(
    frame: pd.DataFrame,
    cards: MatchedCards,
    opening: SnapshotCards,
    closing: SnapshotCards,
    moments: tuple[datetime, datetime],
) -> CardTransactions:
    """Give each card the transactions between its two readings.

    A card's own reading times bound its period, so that a purchase during an export is on the right side. A card that
    is new at closing has all its transactions counted; where no card is known ``moments`` bound.
    """
    card = _card_codes(frame, cards)
    inside = _inside(frame["created_us"].to_numpy(), card, cards, opening, closing, moments)
    chosen, card = frame[inside], card[inside]
    known = card >= 0
    cents, effect = chosen["cents"].to_numpy(), chosen["effect"].to_numpy()
    flows = {}
    for code, name in enumerate(EFFECTS):
        sums = np.zeros(len(cards.opening_cents), dtype=np.int64)
        mine = known & (effect == code)
        np.add.at(sums, card[mine], cents[mine])
        flows[name] = -sums if name in (Effect.REDEEMED, Effect.EXPIRED) else sums
    counts = np.bincount(card[known], minlength=len(cards.opening_cents))
    return CardTransactions(chosen, card, flows, counts, len(frame) - len(chosen), _span(frame))


def _span(frame: pd.DataFrame) -> tuple[datetime, datetime] | None:
    if frame.empty:
        return None
    return from_micros(int(frame["created_us"].iloc[0])), from_micros(int(frame["created_us"].iloc[-1]))


def _card_codes(frame: pd.DataFrame, cards: MatchedCards) -> Ints:
    uuids = _uuids(frame)
    return np.asarray(
        pc.fill_null(pc.index_in(uuids, value_set=cards.uuids, skip_nulls=True), -1).to_numpy(zero_copy_only=False),
        dtype=np.int64,
    )


def _uuids(frame: pd.DataFrame) -> Any:
    texts = [value if isinstance(value, str) else None for value in frame["giftcard_uuid"].tolist()]
    return pa.array(texts, pa.string())


def _inside(
    created: Any,
    card: Ints,
    cards: MatchedCards,
    opening: SnapshotCards,
    closing: SnapshotCards,
    moments: tuple[datetime, datetime],
) -> Flags:
    """Which transactions lie after the card's opening reading and not after its closing one."""
    begin, end = (np.full(len(card), micros(moment)) for moment in moments)
    known = np.flatnonzero(card >= 0)
    rows = cards.opening_at[card[known]]
    begin[known] = _ALWAYS
    there = rows >= 0
    begin[known[there]] = micros(moments[0]) if opening.read_us is None else opening.read_us[rows[there]]
    rows = cards.closing_at[card[known]]
    there = rows >= 0
    if closing.read_us is not None:
        end[known[there]] = closing.read_us[rows[there]]
    inside: Flags = (created > begin) & (created <= end)
    return inside
