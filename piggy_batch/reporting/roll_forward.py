"""How outstanding got from one snapshot to the next: every card's part in it, exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from piggy_batch.reporting.cards import ABSENT, STATES, Cards, Codes, Flags, Ints
from piggy_batch.reporting.definitions import ADDS, MOVED, Movement, State
from piggy_batch.reporting.liability import Liability, program_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

_OUT, _EXP, _INA = (STATES.index(state) for state in (State.OUTSTANDING, State.EXPIRED, State.INACTIVE))


@dataclass(frozen=True, slots=True)
class RollForward:
    """opening ± movements = closing, in cents; movements are amounts before their sign."""

    key: str | None  # a program's uuid; None for the total, and for cards without a program
    name: str
    opening: int
    movements: Mapping[Movement, int]
    moved: int  # net of cards that came from other programs less those that left; 0 in the total
    closing: int
    cards: Mapping[Movement, int]  # cards behind each movement

    @property
    def residual(self) -> int:
        """What the movements do not explain; zero when the roll-forward closes."""
        explained = sum(cents if movement in ADDS else -cents for movement, cents in self.movements.items())
        return self.closing - self.opening - explained - self.moved


@dataclass(frozen=True, slots=True)
class MatchedCards:
    """The cards of two snapshots side by side, one entry per uuid; absent cards hold 0 cents."""

    uuids: Any  # pyarrow array of strings
    opening_at: Ints  # row in the opening snapshot, -1 = absent
    closing_at: Ints
    opening_cents: Ints
    closing_cents: Ints
    opening_state: npt.NDArray[np.int8]
    closing_state: npt.NDArray[np.int8]
    opening_program: Codes  # index into program_uuids; that of the closing where absent
    program: Codes  # that of the closing; of the opening where absent
    program_uuids: tuple[str, ...]
    repeated: tuple[int, int]  # rows of a uuid seen before, in each snapshot


def match(opening: Cards, closing: Cards, opening_moment: datetime, closing_moment: datetime) -> MatchedCards:
    """Join two snapshots by uuid. Of rows that share one, the last is taken and the others are counted."""
    both = pa.chunked_array([*opening.uuids.chunks, *closing.uuids.chunks], type=pa.string()).dictionary_encode()
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in both.chunks] or [np.zeros(0, dtype=np.int32)])
    uuids = both.chunk(both.num_chunks - 1).dictionary if both.num_chunks else pa.array([], pa.string())
    size = len(uuids)
    del both
    opening_at, closing_at = (_rows(part, size) for part in np.split(codes, [len(opening)]))
    programs = tuple(dict.fromkeys((*opening.program_uuids, *closing.program_uuids)))
    place = {uuid: index for index, uuid in enumerate(programs)}
    opening_program = _taken(_recoded(opening, place), opening_at, -1)
    closing_program = _taken(_recoded(closing, place), closing_at, -1)
    return MatchedCards(
        uuids=uuids,
        opening_at=opening_at,
        closing_at=closing_at,
        opening_cents=_taken(opening.amount_cents, opening_at, 0),
        closing_cents=_taken(closing.amount_cents, closing_at, 0),
        opening_state=_taken(opening.state(opening_moment), opening_at, ABSENT),
        closing_state=_taken(closing.state(closing_moment), closing_at, ABSENT),
        opening_program=np.where(opening_at < 0, closing_program, opening_program),
        program=np.where(closing_at < 0, opening_program, closing_program),
        program_uuids=programs,
        repeated=(len(opening) - int((opening_at >= 0).sum()), len(closing) - int((closing_at >= 0).sum())),
    )


def movements(cards: MatchedCards) -> dict[Movement, Ints]:
    """Per card and movement the cents that it accounts for; their signed sum is the change of outstanding."""
    was, now = cards.opening_state, cards.closing_state
    before, after = cards.opening_cents, cards.closing_cents
    new, lapsed = was == ABSENT, (was == _OUT) & (now == _EXP)
    swept = lapsed & (after == 0)
    back = ((was == _EXP) | (was == _INA)) & (now == _OUT)
    seen_twice = (((was == _OUT) & (now != ABSENT)) | back) & ~swept
    change = np.where(seen_twice, after - before, 0)
    zero = np.int64(0)
    return {
        Movement.ISSUED: np.where(new, after, zero),
        Movement.TOPPED_UP: np.maximum(change, 0),
        Movement.REDEEMED: np.maximum(-change, 0),
        Movement.EXPIRED: np.where(swept, before, np.where(lapsed | (new & (now == _EXP)), after, zero)),
        Movement.DEACTIVATED: np.where(((was == _OUT) | new) & (now == _INA), after, zero),
        Movement.REACTIVATED: np.where(back, before, zero),
        Movement.VANISHED: np.where((was == _OUT) & (now == ABSENT), before, zero),
    }


def behind(cards: MatchedCards, kind: str, cents: Mapping[Movement, Ints]) -> Flags:
    """Who stands behind one of LISTS: every card for issued, vanished and moved, else those that move money."""
    if kind == MOVED:
        return np.not_equal(cards.opening_program, cards.program)
    movement = Movement(kind)
    if movement is Movement.ISSUED:
        return cards.opening_at < 0
    if movement is Movement.VANISHED:
        return cards.closing_at < 0
    return np.not_equal(cents[movement], 0)


def roll_forward(
    cards: MatchedCards,
    cents: Mapping[Movement, Ints],
    opening: Liability,
    closing: Liability,
    names: Mapping[str, str],
) -> tuple[RollForward, tuple[RollForward, ...]]:
    """The total and one roll per program, largest closing first.

    Opening and closing are those of the liabilities, summed without the join: so the residual is a check, not
    zero by construction.
    """
    frame = pd.DataFrame({movement.value: values for movement, values in cents.items()}, copy=False)
    counts = pd.DataFrame({movement.value: behind(cards, movement, cents) for movement in Movement}, copy=False)
    sums = frame.groupby(cards.program).sum()
    numbers = counts.groupby(cards.program).sum()
    moved = _moved(cards)
    opened = {line.key or "": line.outstanding_cents for line in opening.by_program}
    closed = {line.key or "": line.outstanding_cents for line in closing.by_program}
    rolls = []
    for code, uuid in enumerate(cards.program_uuids):
        if uuid not in opened and uuid not in closed:
            continue
        rolls.append(
            RollForward(
                key=uuid or None,
                name=program_label(uuid, names),
                opening=opened.get(uuid, 0),
                movements=_cells(sums, code),
                moved=moved.get(code, 0),
                closing=closed.get(uuid, 0),
                cards=_cells(numbers, code),
            )
        )
    rolls.sort(key=lambda roll: (-roll.closing, -roll.opening, roll.name, roll.key or ""))
    total = RollForward(
        key=None,
        name="all",
        opening=opening.total.outstanding_cents,
        movements={m: int(cents[m].sum()) for m in Movement},
        moved=0,
        closing=closing.total.outstanding_cents,
        cards={m: int(counts[m.value].sum()) for m in Movement},
    )
    return total, tuple(rolls)


@dataclass(frozen=True, slots=True)
class CardList:
    """The cards behind one number; ``cents`` is each card's part in it, unsigned."""

    kind: str  # one of LISTS
    frame: pd.DataFrame  # giftcard_uuid, program_uuid, program_name, opening_cents, closing_cents, cents

    def __len__(self) -> int:
        return len(self.frame)

    def rows(self) -> Iterator[tuple[str, str, str, int, int, int]]:
        """One tuple per card in the frame's column order, largest amount first."""
        columns: Sequence[list[Any]] = [self.frame[name].tolist() for name in self.frame.columns]
        return zip(*columns, strict=True)


def card_list(cards: MatchedCards, kind: str, cents: Mapping[Movement, Ints], names: Mapping[str, str]) -> CardList:
    """The cards behind ``kind``, largest amount first, then by uuid."""
    chosen = np.flatnonzero(behind(cards, kind, cents))
    uuids = cards.uuids.take(pa.array(chosen)).to_pylist()
    programs = [cards.program_uuids[code] for code in cards.program[chosen].tolist()]
    part = _moved_cents(cards) if kind == MOVED else cents[Movement(kind)]
    frame = pd.DataFrame(
        {
            "giftcard_uuid": uuids,
            "program_uuid": programs,
            "program_name": [program_label(uuid, names) for uuid in programs],
            "opening_cents": cards.opening_cents[chosen],
            "closing_cents": cards.closing_cents[chosen],
            "cents": part[chosen],
        }
    )
    return CardList(kind, frame.sort_values(["cents", "giftcard_uuid"], ascending=[False, True], ignore_index=True))


def _cells(sums: pd.DataFrame, code: int) -> dict[Movement, int]:
    """One program's row of sums; zeros where it has none."""
    if code not in sums.index:
        return dict.fromkeys(Movement, 0)
    return dict(zip(Movement, map(int, sums.loc[code].to_numpy()), strict=True))


def _rows(codes: npt.NDArray[np.int32], size: int) -> Ints:
    rows = np.full(size, -1, dtype=np.int64)
    rows[codes] = np.arange(len(codes))
    return rows


def _taken(values: npt.NDArray[Any], rows: Ints, absent: int) -> npt.NDArray[Any]:
    """``values`` at ``rows``, and ``absent`` where a row is -1."""
    if not len(values):
        return np.full(len(rows), absent, dtype=values.dtype)
    return np.where(rows < 0, values.dtype.type(absent), values[rows])


def _recoded(cards: Cards, place: Mapping[str, int]) -> Codes:
    return np.array([place[uuid] for uuid in cards.program_uuids], dtype=np.int32)[cards.program]


def _moved_cents(cards: MatchedCards) -> Ints:
    """Opening balance of cards that changed their program while outstanding."""
    changed = (cards.opening_program != cards.program) & (cards.opening_state == _OUT)
    return np.where(changed, cards.opening_cents, 0)


def _moved(cards: MatchedCards) -> dict[int, int]:
    """Per program code, what came in less what left; programs without such cards are left out."""
    cents = _moved_cents(cards)
    chosen = cents != 0
    came = pd.Series(cents[chosen]).groupby(cards.program[chosen]).sum()
    left = pd.Series(cents[chosen]).groupby(cards.opening_program[chosen]).sum()
    return {int(code): int(value) for code, value in came.sub(left, fill_value=0).items()}  # type: ignore[call-overload]  # stubs type index values as hashables
