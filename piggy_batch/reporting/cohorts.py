"""Cards by the month in which they were issued: what was put on them, what became of it, and what was never used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from piggy_batch.reporting.definitions import Movement, State
from piggy_batch.reporting.movements import change_of
from piggy_batch.reporting.snapshot_cards import ABSENT, STATES
from piggy_batch.reporting.snapshot_pair import state_when_read
from piggy_batch.reporting.transactions import EFFECTS, Effect

if TYPE_CHECKING:
    from datetime import date, datetime
    from typing import Any
    from zoneinfo import ZoneInfo

    import numpy.typing as npt

    from piggy_batch.reporting.snapshot_cards import Ints, SnapshotCards

_OUT = STATES.index(State.OUTSTANDING)


@dataclass(frozen=True, slots=True)
class Cohort:
    """The cards of one month. issued - redeemed - expired + other = outstanding."""

    month: str  # YYYY-MM
    earlier: bool  # cards of the first snapshot: issued in that month or before it
    cards: int
    issued: int  # put on them to date, cents
    redeemed: int  # less what was undone
    expired: int
    other: int  # switched on, less switched off and no longer listed
    outstanding: int
    never_used: int  # cards without a redemption so far
    never_used_issued: int  # cents put on those
    left: tuple[
        tuple[int, int], ...
    ]  # (months since the month of issue, outstanding then in hundredths of a percent of issued)

    @property
    def amounts(self) -> dict[str, int]:
        """The cents of each column, by name."""
        return {
            "issued": self.issued,
            "redeemed": self.redeemed,
            "expired": self.expired,
            "other": self.other,
            "outstanding": self.outstanding,
        }

    @property
    def share(self) -> int | None:
        """Outstanding in hundredths of a percent of what was issued; None where nothing was."""
        return share_of(self.outstanding, self.issued)


@dataclass(frozen=True, slots=True)
class Breakage:
    """An estimate from cohorts that are old enough: how much is never used. Never booked by itself."""

    months: int  # a cohort is old enough after so many
    cards: int  # of those cohorts
    never_used: int
    issued: int
    never_used_issued: int
    young_outstanding: int  # of the cohorts that are not old enough

    @property
    def share(self) -> int | None:
        """Never used, in hundredths of a percent of what was put on cards."""
        return share_of(self.never_used_issued, self.issued)

    @property
    def estimate(self) -> int:
        """The same share of what is outstanding on younger cards, cents."""
        return self.young_outstanding * self.never_used_issued // self.issued if self.issued else 0


def share_of(part: int, whole: int) -> int | None:
    """``part`` in hundredths of a percent of ``whole``, rounded; None where there is no whole."""
    return round(part * 10_000 / whole) if whole > 0 else None


def breakage(cohorts: tuple[Cohort, ...], closing: date, months: int) -> Breakage:
    """What cohorts of at least ``months`` full months say."""
    now = closing.year * 12 + closing.month
    old = [c for c in cohorts if now - _month_number(c.month) >= months]
    young = [c for c in cohorts if now - _month_number(c.month) < months]
    return Breakage(
        months=months,
        cards=sum(c.cards for c in old),
        never_used=sum(c.never_used for c in old),
        issued=sum(c.issued for c in old),
        never_used_issued=sum(c.never_used_issued for c in old),
        young_outstanding=sum(c.outstanding for c in young),
    )


class CohortFold:
    """Follows every card through snapshots in order of time; arrays hold one entry per card seen so far."""

    def __init__(self, issues: FirstLoads | None = None) -> None:
        self._issues = issues
        self._known: Any = pa.array([], pa.string())
        self._cohort = np.zeros(0, dtype=np.int64)  # months since the year 0
        self._cents = np.zeros(0, dtype=np.int64)
        self._state = np.zeros(0, dtype=np.int8)
        self._issued, self._redeemed, self._expired = (np.zeros(0, dtype=np.int64) for _ in range(3))
        self._earliest: int | None = None
        self._left: dict[int, dict[int, int]] = {}  # month → cohort → outstanding at its last snapshot

    def add(self, cards: SnapshotCards, day: date, moment: datetime, read: datetime) -> None:
        """The next snapshot; ``cards`` with their uuids."""
        month = day.year * 12 + day.month - 1
        if self._earliest is None:
            self._earliest = month
        places = self._place(cards, month)
        cents = np.zeros(len(self._cents), dtype=np.int64)
        state = np.full(len(self._cents), ABSENT, dtype=np.int8)
        cents[places] = cards.amount_cents
        state[places] = state_when_read(cards, moment, read)
        moves = change_of(self._state, state, self._cents, cents)
        self._issued += moves[Movement.ISSUED] + moves[Movement.TOPPED_UP]
        self._redeemed += moves[Movement.REDEEMED]
        self._expired += moves[Movement.EXPIRED]
        self._cents, self._state = cents, state
        out = state == _OUT
        sums = pd.Series(cents[out]).groupby(self._cohort[out]).sum()
        self._left[month] = dict(zip(sums.index.tolist(), map(int, sums.tolist()), strict=True))

    def _place(self, cards: SnapshotCards, month: int) -> Ints:
        """Each card's place among the known ones; new ones are added."""
        places = pc.fill_null(pc.index_in(cards.uuids, value_set=self._known), -1)
        found = np.asarray(places.to_numpy(), dtype=np.int64)
        new = np.flatnonzero(found < 0)
        if len(new):
            fresh = cards.uuids.take(pa.array(new)).combine_chunks().dictionary_encode()
            fresh = fresh.chunk(0) if isinstance(fresh, pa.ChunkedArray) else fresh
            size = len(self._known)
            found[new] = size + fresh.indices.to_numpy().astype(np.int64)
            self._known = pa.concat_arrays([_flat(self._known), _flat(fresh.dictionary)])
            added = len(fresh.dictionary)
            months = np.full(added, month) if self._issues is None else self._issues.months(fresh.dictionary, month)
            self._cohort = np.concatenate([self._cohort, months])
            self._state = np.concatenate([self._state, np.full(added, ABSENT, dtype=np.int8)])
            self._cents, self._issued, self._redeemed, self._expired = (
                np.concatenate([values, np.zeros(added, dtype=np.int64)])
                for values in (self._cents, self._issued, self._redeemed, self._expired)
            )
        return found

    def result(self) -> tuple[Cohort, ...]:
        """The cohorts, oldest first."""
        if self._issues is not None:
            self._issues.overrule(self._known, self._cents, self._issued, self._redeemed, self._expired)
        out = self._state == _OUT
        unused = self._redeemed == 0
        frame = pd.DataFrame(
            {
                "cards": np.ones(len(self._cohort), dtype=np.int64),
                "issued": self._issued,
                "redeemed": self._redeemed,
                "expired": self._expired,
                "outstanding": np.where(out, self._cents, 0),
                "never_used": unused.astype(np.int64),
                "never_used_issued": np.where(unused, self._issued, 0),
            },
            copy=False,
        )
        sums = frame.groupby(self._cohort).sum()
        return tuple(
            self._cohort_of(int(month), dict(zip(sums.columns, map(int, values), strict=True)))
            for month, values in zip(sums.index.tolist(), sums.to_numpy().tolist(), strict=True)
        )

    def _cohort_of(self, month: int, sums: dict[str, int]) -> Cohort:
        left = tuple(
            (at - month, share)
            for at, outstanding in sorted(self._left.items())
            if at >= month and (share := share_of(outstanding.get(month, 0), sums["issued"])) is not None
        )
        explained = sums["issued"] - sums["redeemed"] - sums["expired"]
        return Cohort(
            month=f"{month // 12:04d}-{month % 12 + 1:02d}",
            earlier=month == self._earliest and self._issues is None,
            other=sums["outstanding"] - explained,
            left=left,
            **sums,
        )


class FirstLoads:
    """What transactions say of cards: the month of the first money put on, and, for cards whose whole history the
    file holds, what was put on, spent and taken off."""

    def __init__(self, frame: pd.DataFrame, zone: ZoneInfo) -> None:
        rows = frame.dropna(subset=["giftcard_uuid"])
        uuids = pa.array(rows["giftcard_uuid"].tolist(), pa.string()).dictionary_encode()
        code = uuids.indices.to_numpy()
        self._uuids = uuids.dictionary
        size = len(self._uuids)
        cents, effect = rows["cents"].to_numpy(), rows["effect"].to_numpy()
        self._sums = np.zeros((len(EFFECTS), size), dtype=np.int64)
        np.add.at(self._sums, (effect, code), cents)
        local = pd.to_datetime(rows["created_us"], unit="us", utc=True).dt.tz_convert(zone)
        months = (local.dt.year * 12 + local.dt.month - 1).to_numpy().astype(np.int64)
        self._first = np.full(size, np.iinfo(np.int64).max)
        put_on = effect == EFFECTS.index(Effect.ISSUED)
        np.minimum.at(self._first, code[put_on], months[put_on])

    def months(self, uuids: Any, seen: int) -> Ints:
        """Per card the month of its first load where that is known and not after ``seen``, else ``seen``."""
        at = self._places(uuids)
        if not len(self._first):
            return np.full(len(at), seen)
        return np.where(at >= 0, np.minimum(self._first[np.maximum(at, 0)], seen), seen)

    def overrule(self, known: Any, cents: Ints, issued: Ints, redeemed: Ints, expired: Ints) -> None:
        """Gross figures in place of net ones, for cards whose transactions add up to their balance."""
        at = self._places(known)
        there = np.flatnonzero(at >= 0)
        there = there[self._sums[:, at[there]].sum(axis=0) == cents[there]]
        mine = {effect: self._sums[EFFECTS.index(effect)][at[there]] for effect in EFFECTS}
        issued[there] = mine[Effect.ISSUED]
        redeemed[there] = -mine[Effect.REDEEMED] - mine[Effect.REVERSED]
        expired[there] = -mine[Effect.EXPIRED]

    def _places(self, uuids: Any) -> npt.NDArray[np.int64]:
        found = pc.fill_null(pc.index_in(uuids, value_set=self._uuids), -1)
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def _flat(array: Any) -> Any:
    return array.cast(pa.string())


def _month_number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:])
