"""What every card contributed to the change of outstanding between two snapshots.

From snapshots alone a card's movement is its net change. With transactions it is gross: what was put on, spent, undone
and taken off, each by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from piggy_batch.reporting.definitions import MOVED, WITHOUT_TRANSACTION, Basis, Movement, State
from piggy_batch.reporting.snapshot_cards import ABSENT, STATES, Flags, Ints
from piggy_batch.reporting.transactions import Effect

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from piggy_batch.reporting.snapshot_pair import MatchedCards

    States = npt.NDArray[np.int8]

_OUT, _EXP, _INA = (STATES.index(state) for state in (State.OUTSTANDING, State.EXPIRED, State.INACTIVE))


@dataclass(frozen=True, slots=True)
class CardMovements:
    """Cents per card: their signed sum and ``unexplained`` are the change of its outstanding balance."""

    basis: Basis
    cents: Mapping[Movement, Ints]  # amounts before their sign
    unexplained: Ints  # signed; what transactions do not account for, zeros where there are none


def net_movements(cards: MatchedCards) -> CardMovements:
    """From the two snapshots alone."""
    cents = change_of(cards.opening_state, cards.closing_state, cards.opening_cents, cards.closing_cents)
    return CardMovements(Basis.SNAPSHOTS, cents, np.zeros_like(cards.opening_cents))


def change_of(was: States, now: States, before: Ints, after: Ints) -> dict[Movement, Ints]:
    """Per card what two states and balances show; one that a snapshot does not hold is ABSENT with 0 cents."""
    new, lapsed = was == ABSENT, (was == _OUT) & (now == _EXP)
    swept = lapsed & (after == 0)
    back = (was != _OUT) & ~new & (now == _OUT)
    seen_twice = ((was == _OUT) & (now != ABSENT) & ~swept) | back
    change = np.where(seen_twice, after - before, 0)
    zero = np.int64(0)
    return {
        Movement.ISSUED: np.where(new, after, zero),
        Movement.TOPPED_UP: np.maximum(change, 0),
        Movement.REDEEMED: np.maximum(-change, 0),
        Movement.REVERSED: np.zeros_like(before),
        Movement.EXPIRED: np.where(swept, before, np.where(lapsed | (new & (now == _EXP)), after, zero)),
        Movement.DEACTIVATED: np.where(((was == _OUT) | new) & (now == _INA), after, zero),
        Movement.REACTIVATED: np.where(back, before, zero),
        Movement.VANISHED: np.where((was == _OUT) & (now == ABSENT), before, zero),
    }


def swept_cards(cards: MatchedCards) -> Flags:
    """Cards that expired between the snapshots and hold nothing now: taken off by the service, or spent before."""
    lapsed = (cards.opening_state == _OUT) & (cards.closing_state == _EXP)
    return np.asarray(lapsed & (cards.closing_cents == 0))


def gross_movements(cards: MatchedCards, flows: Mapping[Effect, Ints]) -> CardMovements:
    """From each card's transactions between its two readings (``flows``: cents per card, above zero).

    Cards that are outstanding in neither snapshot move nothing here, whatever was booked on them.
    """
    was, now = cards.opening_state, cards.closing_state
    before, after = cards.opening_cents, cards.closing_cents
    new = was == ABSENT
    counts = new | (was == _OUT) | (now == _OUT)
    put_on, spent, undone, taken_off = (
        np.where(counts, flows[effect], 0)
        for effect in (Effect.ISSUED, Effect.REDEEMED, Effect.REVERSED, Effect.EXPIRED)
    )
    expected = before + put_on - spent + undone - taken_off  # the balance that the transactions lead to
    gone = counts & (now == ABSENT)
    zero = np.int64(0)
    cents = {
        Movement.ISSUED: np.where(new, put_on, zero),
        Movement.TOPPED_UP: np.where(new, zero, put_on),
        Movement.REDEEMED: spent,
        Movement.REVERSED: undone,
        Movement.EXPIRED: taken_off + np.where(counts & (now == _EXP), after, zero),
        Movement.DEACTIVATED: np.where(counts & (now == _INA), after, zero),
        Movement.REACTIVATED: np.where((was != _OUT) & ~new & (now == _OUT), before, zero),
        Movement.VANISHED: np.where(gone, expected, zero),
    }
    return CardMovements(Basis.TRANSACTIONS, cents, np.where(counts & ~gone, after - expected, zero))


def behind(cards: MatchedCards, kind: str, moved: CardMovements) -> Flags:
    """Which cards stand behind a movement, ``moved`` or ``unexplained``: every new card for issued, every missing one
    for vanished, every one that changed its program for moved, else those that move money."""
    if kind == MOVED:
        return np.not_equal(cards.opening_program, cards.program)
    if kind == WITHOUT_TRANSACTION:
        return np.not_equal(moved.unexplained, 0)
    movement = Movement(kind)
    if movement is Movement.ISSUED:
        return cards.opening_at < 0
    if movement is Movement.VANISHED:
        return cards.closing_at < 0
    return np.not_equal(moved.cents[movement], 0)


def moved_cents(cards: MatchedCards) -> Ints:
    """Opening balance of cards that changed their program while outstanding."""
    changed = (cards.opening_program != cards.program) & (cards.opening_state == _OUT)
    return np.where(changed, cards.opening_cents, 0)
