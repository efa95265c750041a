"""The cards of two snapshots side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from piggy_batch.reporting.dates import micros
from piggy_batch.reporting.definitions import State
from piggy_batch.reporting.snapshot_cards import ABSENT, STATES, Codes, Ints, SnapshotCards

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_EXPIRED = STATES.index(State.EXPIRED)


@dataclass(frozen=True, slots=True)
class MatchedCards:
    """One entry per uuid that either snapshot holds; cards that one does not hold have 0 cents there."""

    uuids: Any  # pyarrow array of strings
    opening_at: Ints  # row in the opening snapshot, -1 = absent
    closing_at: Ints
    opening_cents: Ints
    closing_cents: Ints
    opening_state: npt.NDArray[np.int8]  # index into STATES, or ABSENT
    closing_state: npt.NDArray[np.int8]
    opening_program: Codes  # index into program_uuids; that of the closing where absent
    program: Codes  # that of the closing; of the opening where absent
    program_uuids: tuple[str, ...]
    repeated: tuple[int, int]  # rows of a uuid seen before, in each snapshot


def match(
    opening: SnapshotCards,
    closing: SnapshotCards,
    moments: tuple[datetime, datetime],
    read: tuple[datetime, datetime] | None = None,
) -> MatchedCards:
    """Join two snapshots by uuid, each as it stands at its moment. Of rows that share one, the last is taken and the
    others are counted.

    ``read``: when they were read, where that is later. A card that had expired by then and holds nothing counts as
    expired: its balance was taken off, and not spent.
    """
    opening_state, closing_state = (
        state_when_read(cards, moment, late)
        for cards, moment, late in zip((opening, closing), moments, read or moments, strict=True)
    )
    both = pa.chunked_array([*opening.uuids.chunks, *closing.uuids.chunks], type=pa.string()).dictionary_encode()
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in both.chunks] or [np.zeros(0, dtype=np.int32)])
    uuids = both.chunk(both.num_chunks - 1).dictionary if both.num_chunks else pa.array([], pa.string())
    size = len(uuids)
    del both
    opening_at, closing_at = (_rows(part, size) for part in np.split(codes, [len(opening)]))
    programs = tuple(dict.fromkeys((*opening.program_uuids, *closing.program_uuids)))
    place = {uuid: index for index, uuid in enumerate(programs)}
    opening_program = taken(_recoded(opening, place), opening_at, -1)
    closing_program = taken(_recoded(closing, place), closing_at, -1)
    return MatchedCards(
        uuids=uuids,
        opening_at=opening_at,
        closing_at=closing_at,
        opening_cents=taken(opening.amount_cents, opening_at, 0),
        closing_cents=taken(closing.amount_cents, closing_at, 0),
        opening_state=taken(opening_state, opening_at, ABSENT),
        closing_state=taken(closing_state, closing_at, ABSENT),
        opening_program=np.where(opening_at < 0, closing_program, opening_program),
        program=np.where(closing_at < 0, opening_program, closing_program),
        program_uuids=programs,
        repeated=(len(opening) - int((opening_at >= 0).sum()), len(closing) - int((closing_at >= 0).sum())),
    )


def state_when_read(cards: SnapshotCards, moment: datetime, read: datetime) -> npt.NDArray[np.int8]:
    """Per card its state at ``moment``; one that had expired when it was read, and holds nothing, is expired."""
    state = cards.state(moment)
    return np.where((cards.amount_cents == 0) & (cards.expires_us <= micros(read)), np.int8(_EXPIRED), state)


def taken(values: npt.NDArray[Any], rows: Ints, absent: int) -> npt.NDArray[Any]:
    """``values`` at ``rows``, and ``absent`` where a row is -1."""
    if not len(values):
        return np.full(len(rows), absent, dtype=values.dtype)
    return np.where(rows < 0, values.dtype.type(absent), values[rows])


def _rows(codes: npt.NDArray[np.int32], size: int) -> Ints:
    rows = np.full(size, -1, dtype=np.int64)
    rows[codes] = np.arange(len(codes))
    return rows


def _recoded(cards: SnapshotCards, place: Mapping[str, int]) -> Codes:
    return np.array([place[uuid] for uuid in cards.program_uuids], dtype=np.int32)[cards.program]
