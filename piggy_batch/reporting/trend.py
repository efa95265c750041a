"""All snapshots up to the closing one: their balances in order of time, and what became of each month's cards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.reporting.cohorts import CohortFold, FirstLoads
from piggy_batch.reporting.liability import BalanceLine, totals
from piggy_batch.reporting.notice import check, partial
from piggy_batch.reporting.snapshot_cards import SnapshotCards, read_cards
from piggy_batch.reporting.snapshot_store import check_kin
from piggy_batch.reporting.sources import SourceFile, called, read_hashed, snapshot_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from piggy_batch.reporting.cohorts import Cohort
    from piggy_batch.reporting.money import Currency
    from piggy_batch.reporting.notice import Notice
    from piggy_batch.reporting.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Point:
    """One snapshot in the trend, at the moment that it speaks for itself."""

    snapshot: Snapshot
    moment: datetime
    total: BalanceLine


@dataclass(slots=True)
class Trend:
    """What the history shows, in each currency."""

    points: dict[Currency, list[Point]]
    folds: dict[Currency, CohortFold]
    sources: list[SourceFile] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def cohorts(self, currency: Currency) -> tuple[Cohort, ...]:
        """The cohorts of one currency; empty where they were not asked for."""
        fold = self.folds.get(currency)
        return fold.result() if fold else ()


def read_trend(
    history: Sequence[Snapshot],
    closing: Snapshot,
    groups: Mapping[Currency, Callable[[str], bool] | None],
    counted: Mapping[tuple[Snapshot, datetime], Mapping[Currency, BalanceLine]],
    zone: ZoneInfo,
    *,
    cohorts: FirstLoads | bool,
) -> Trend:
    """Read each snapshot, as of the moment that it speaks for itself.

    ``groups``: which programs each currency has; None: all. ``counted``: balances that are known already; their files
    are read again only for ``cohorts``. A snapshot of another account, or of a changed file, is left out and named.
    """
    trend = Trend(points={currency: [] for currency in groups}, folds={})
    if cohorts:
        trend.folds = {
            currency: CohortFold(cohorts if isinstance(cohorts, FirstLoads) else None) for currency in groups
        }
    for snapshot in _one_a_moment(history):
        try:
            check_kin(snapshot, closing)
        except SetupError:
            words = "{snapshot} is of another account or other programs; the trend leaves it out"
            trend.notices.append(check(words, snapshot=called(snapshot)))
            continue
        moment = snapshot.speaks_for(zone)
        known = counted.get((snapshot, moment))
        if known is not None and not cohorts:
            for currency, total in known.items():
                trend.points[currency].append(Point(snapshot, moment, total))
            continue
        try:
            _add(trend, snapshot, moment, groups, is_used=any(snapshot == used for used, _ in counted))
        except SetupError as error:
            words = "PARTIAL, in the trend only: {snapshot} is left out: {why}"
            trend.notices.append(partial(words, snapshot=called(snapshot), why=str(error)))
    return trend


def _add(
    trend: Trend,
    snapshot: Snapshot,
    moment: datetime,
    groups: Mapping[Currency, Callable[[str], bool] | None],
    *,
    is_used: bool,
) -> None:
    def read() -> SnapshotCards:
        return read_cards(snapshot, uuids=bool(trend.folds), groups=len(groups) > 1)

    cards, digest = read_hashed(snapshot, read)
    if not is_used:
        trend.sources.append(snapshot_source("trend", snapshot, digest))
    for currency, programs in groups.items():
        mine = cards if programs is None else cards.only(programs)
        trend.points[currency].append(Point(snapshot, moment, totals(mine, moment)))
        if fold := trend.folds.get(currency):
            fold.add(mine, snapshot.day, moment, max(moment, snapshot.moment))


def _one_a_moment(history: Sequence[Snapshot]) -> list[Snapshot]:
    """Of files that hold the same reading, stored for several days, only the last: it is one snapshot."""
    last = {snapshot.moment: snapshot for snapshot in history}
    return [snapshot for snapshot in history if last[snapshot.moment] is snapshot]
