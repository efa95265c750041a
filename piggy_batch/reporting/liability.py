"""What is owed at a moment: balances by state, program, type and time to expiry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from piggy_batch.reporting.dates import day_of, micros, start_of
from piggy_batch.reporting.definitions import BUCKET_UPPER_DAYS, ExpiryBucket, State
from piggy_batch.reporting.money import average
from piggy_batch.reporting.phrases import Label
from piggy_batch.reporting.snapshot_cards import NEVER, STATES, Codes, SnapshotCards

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from zoneinfo import ZoneInfo

BUCKETS = tuple(ExpiryBucket)


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One line of liability. ``cards`` counts a state's cards whose balance is not zero."""

    key: str | None  # what the line is about: a program's uuid, a type; None for cards without one
    name: str
    outstanding_cents: int
    cards: int  # outstanding, with a balance
    expired_cents: int
    expired_cards: int
    inactive_cents: int
    inactive_cards: int
    zero_cards: int  # of any state
    all_cards: int

    @property
    def total_cents(self) -> int:
        return self.outstanding_cents + self.expired_cents + self.inactive_cents

    @property
    def average_cents(self) -> int:
        """Outstanding per card behind it, whole cents."""
        return average(self.outstanding_cents, self.cards)


@dataclass(frozen=True, slots=True)
class ExpiryLine:
    """The balances that expire within one bucket."""

    bucket: ExpiryBucket
    cards: int  # with a balance
    balance_cents: int


@dataclass(frozen=True, slots=True)
class Liability:
    """All that is owed at ``moment``; every breakdown adds up to ``total``."""

    moment: datetime
    total: BalanceLine
    by_program: tuple[BalanceLine, ...]  # most outstanding first
    by_type: tuple[BalanceLine, ...]
    by_active: tuple[BalanceLine, ...]
    expiry: tuple[ExpiryLine, ...]  # one per bucket, in order


def liability(cards: SnapshotCards, moment: datetime, zone: ZoneInfo, names: Mapping[str, str]) -> Liability:
    """Sum ``cards`` as they stand at ``moment``; ``names`` maps program uuids to names."""
    state = cards.state(moment)
    bucket = expiry_buckets(cards, moment, zone)
    frame = pd.DataFrame(
        {
            "program": cards.program,
            "type": cards.type,
            "active": cards.active,
            "state": state,
            "bucket": bucket,
            "cents": cards.amount_cents,
            "behind": cards.amount_cents != 0,
        },
        copy=False,
    )
    cube = (
        frame.groupby(["program", "type", "active", "state", "bucket"], sort=False)
        .agg(cents=("cents", "sum"), behind=("behind", "sum"), cards=("cents", "size"))
        .reset_index()
    )
    return Liability(
        moment=moment,
        total=_balance(cube, None, "all"),
        by_program=_lines(cube, "program", lambda code: _program(cards.program_uuids[code], names)),
        by_type=_lines(cube, "type", lambda code: (cards.types[code], cards.types[code])),
        by_active=_lines(
            cube, "active", lambda flag: ("active", Label("active")) if flag else ("inactive", Label("inactive"))
        ),
        expiry=_expiry(cube),
    )


def totals(cards: SnapshotCards, moment: datetime) -> BalanceLine:
    """The line over all cards alone."""
    state = cards.state(moment)
    frame = pd.DataFrame({"state": state, "cents": cards.amount_cents, "behind": cards.amount_cents != 0}, copy=False)
    cube = frame.groupby("state").agg(cents=("cents", "sum"), behind=("behind", "sum"), cards=("cents", "size"))
    return _balance(cube.reset_index(), None, "all")


def program_label(uuid: str, names: Mapping[str, str]) -> str:
    """What to call a program: its name, else its uuid."""
    return names.get(uuid) or uuid or Label("(no program)")


def _program(uuid: str, names: Mapping[str, str]) -> tuple[str | None, str]:
    return uuid or None, program_label(uuid, names)


def expiry_buckets(cards: SnapshotCards, moment: datetime, zone: ZoneInfo) -> Codes:
    """Per card, the index into BUCKETS.

    A bucket ends where the local day after its last one begins, as an exact instant: no calendar arithmetic per
    card.
    """
    today = day_of(moment, zone)
    borders = [micros(start_of(today + timedelta(days=days + 1), zone)) for days in BUCKET_UPPER_DAYS]
    ahead = np.searchsorted(np.array(borders), cards.expires_us, side="right") + BUCKETS.index(ExpiryBucket.DAYS_30)
    ahead[cards.expires_us <= micros(moment)] = BUCKETS.index(ExpiryBucket.OVERDUE)
    ahead[cards.expires_us == NEVER] = BUCKETS.index(ExpiryBucket.NEVER)
    return ahead.astype(np.int32)


def _balance(cube: pd.DataFrame, key: str | None, name: str) -> BalanceLine:
    cents = {state: int(cube["cents"][cube["state"] == code].sum()) for code, state in enumerate(STATES)}
    behind = {state: int(cube["behind"][cube["state"] == code].sum()) for code, state in enumerate(STATES)}
    every = int(cube["cards"].sum())
    return BalanceLine(
        key=key,
        name=name,
        outstanding_cents=cents[State.OUTSTANDING],
        cards=behind[State.OUTSTANDING],
        expired_cents=cents[State.EXPIRED],
        expired_cards=behind[State.EXPIRED],
        inactive_cents=cents[State.INACTIVE],
        inactive_cards=behind[State.INACTIVE],
        zero_cards=every - sum(behind.values()),
        all_cards=every,
    )


def _lines(cube: pd.DataFrame, column: str, label: Callable[[int], tuple[str | None, str]]) -> tuple[BalanceLine, ...]:
    lines = []
    for code in cube[column].unique().tolist():
        key, name = label(code)
        lines.append(_balance(cube[cube[column] == code], key, name))
    return tuple(
        sorted(lines, key=lambda line: (-line.outstanding_cents, -line.total_cents, line.name, line.key or ""))
    )


def _expiry(cube: pd.DataFrame) -> tuple[ExpiryLine, ...]:
    """Balances per bucket of cards that are outstanding or expired; switched-off cards stand on no bucket."""
    owed = cube[cube["state"] != STATES.index(State.INACTIVE)]
    sums = owed.groupby("bucket")[["behind", "cents"]].sum()
    cents, behind = sums["cents"].to_dict(), sums["behind"].to_dict()
    return tuple(
        ExpiryLine(bucket, int(behind.get(code, 0)), int(cents.get(code, 0))) for code, bucket in enumerate(BUCKETS)
    )
