"""How outstanding got from one snapshot to the next, in total and for each program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from piggy_batch.reporting.definitions import ADDS, Basis, Movement
from piggy_batch.reporting.liability import Liability, program_label
from piggy_batch.reporting.movements import CardMovements, behind, moved_cents

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.reporting.snapshot_pair import MatchedCards


@dataclass(frozen=True, slots=True)
class RollForward:
    """opening ± movements = closing, in cents; movements are amounts before their sign."""

    key: str | None  # a program's uuid; None for the total, and for cards without a program
    name: str
    basis: Basis
    opening: int
    movements: Mapping[Movement, int]
    unexplained: int  # signed change of cards' balances that their transactions do not account for
    moved: int  # net of cards that came from other programs less those that left; 0 in the total
    closing: int
    cards: Mapping[Movement, int]  # cards behind each movement
    unexplained_cards: int

    @property
    def residual(self) -> int:
        """What the movements do not explain; zero when the roll-forward closes."""
        explained = sum(cents if movement in ADDS else -cents for movement, cents in self.movements.items())
        return self.closing - self.opening - explained - self.unexplained - self.moved


def roll_forward(
    cards: MatchedCards,
    moves: CardMovements,
    opening: Liability,
    closing: Liability,
    names: Mapping[str, str],
) -> tuple[RollForward, tuple[RollForward, ...]]:
    """The total and one roll per program, largest closing first.

    Opening and closing are those of the liabilities, summed without the join: so the residual is a check, not
    zero by construction.
    """
    amounts = {movement.value: moves.cents[movement] for movement in Movement} | {_UNEXPLAINED: moves.unexplained}
    flags = {movement.value: behind(cards, movement, moves) for movement in Movement}
    flags[_UNEXPLAINED] = moves.unexplained != 0
    sums = pd.DataFrame(amounts, copy=False).groupby(cards.program).sum()
    counts = pd.DataFrame(flags, copy=False).groupby(cards.program).sum()
    moved = _moved(cards)
    opened = {line.key or "": line.outstanding_cents for line in opening.by_program}
    closed = {line.key or "": line.outstanding_cents for line in closing.by_program}
    rolls = [
        _roll(
            (uuid or None, program_label(uuid, names), moves.basis),
            (opened.get(uuid, 0), closed.get(uuid, 0)),
            _row(sums, code),
            moved.get(code, 0),
            _row(counts, code),
        )
        for code, uuid in enumerate(cards.program_uuids)
        if uuid in opened or uuid in closed
    ]
    rolls.sort(key=lambda roll: (-roll.closing, -roll.opening, roll.name, roll.key or ""))
    edges = (opening.total.outstanding_cents, closing.total.outstanding_cents)
    total = _roll((None, "all", moves.basis), edges, _totals(sums), 0, _totals(counts))
    return total, tuple(rolls)


_UNEXPLAINED = "unexplained"


def _roll(
    label: tuple[str | None, str, Basis],
    edges: tuple[int, int],
    cents: Mapping[str, int],
    moved: int,
    cards: Mapping[str, int],
) -> RollForward:
    key, name, basis = label
    return RollForward(
        key=key,
        name=name,
        basis=basis,
        opening=edges[0],
        movements={movement: cents.get(movement.value, 0) for movement in Movement},
        unexplained=cents.get(_UNEXPLAINED, 0),
        moved=moved,
        closing=edges[1],
        cards={movement: cards.get(movement.value, 0) for movement in Movement},
        unexplained_cards=cards.get(_UNEXPLAINED, 0),
    )


def _row(sums: pd.DataFrame, code: int) -> dict[str, int]:
    """One program's row of sums; empty where it has none."""
    if code not in sums.index:
        return {}
    return dict(zip(map(str, sums.columns), map(int, sums.loc[[code]].to_numpy()[0].tolist()), strict=True))


def _totals(sums: pd.DataFrame) -> dict[str, int]:
    return dict(zip(map(str, sums.columns), map(int, sums.to_numpy().sum(axis=0).tolist()), strict=True))


def _moved(cards: MatchedCards) -> dict[int, int]:
    """Per program code, what came in less what left; programs without such cards are left out."""
    cents = moved_cents(cards)
    chosen = cents != 0
    came = pd.Series(cents[chosen]).groupby(cards.program[chosen]).sum()
    left = pd.Series(cents[chosen]).groupby(cards.opening_program[chosen]).sum()
    return {int(code): int(value) for code, value in came.sub(left, fill_value=0).items()}  # type: ignore[call-overload]  # stubs type index values as hashables
