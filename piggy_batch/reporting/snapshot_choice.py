"""Which snapshots of a store open and close a report, and what to know about that choice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from shlex import quote
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.reporting.dates import day_of, distance, shown, start_of
from piggy_batch.reporting.notice import Notice, check, note
from piggy_batch.reporting.periods import require_over

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from piggy_batch.reporting.periods import Period
    from piggy_batch.reporting.snapshot import Snapshot

_TAKE = "take one with: piggy-batch giftcards snapshot --store DIR"


@dataclass(frozen=True, slots=True)
class Choice:
    """The snapshots of a report."""

    closing: Snapshot
    opening: Snapshot | None  # None: nothing earlier, so no roll-forward
    history: tuple[Snapshot, ...]  # everything up to the closing, oldest first
    notices: tuple[Notice, ...] = ()


def choose(
    snapshots: Sequence[Snapshot], *, as_of: date | None, since: date | None, now: datetime, zone: ZoneInfo
) -> Choice:
    """Closing: the last snapshot on or before ``as_of``, else the last. Opening: the last on or before ``since``,
    else the last of an earlier day than the closing's.

    SetupError where there is none, both are the same, or ``as_of`` has not begun at ``now``.
    """
    today = day_of(now, zone)
    if as_of is not None and as_of > today:
        raise SetupError(f"--as-of {as_of}: has not begun, today is {today} in {zone.key}; name today or a day before")
    known, notices = _without_future(snapshots, today)
    closing = _last(known, as_of, "--as-of")
    history = tuple(known[: known.index(closing) + 1])
    if since is not None:
        opening = _last(known, since, "--since")
        if opening not in history[:-1]:
            raise SetupError(
                f"--since {since} and the as-of day lead to {opening.path.name} and {closing.path.name}; "
                f"choose a --since before {closing.day}"
            )
        return Choice(closing, opening, history, tuple(notices))
    earlier = [snapshot for snapshot in history if snapshot.day < closing.day]
    if not earlier:
        return Choice(closing, None, history, tuple(notices))
    return Choice(closing, earlier[-1], history, (*notices, *_mid_month(earlier[-1], closing)))


def choose_period(snapshots: Sequence[Snapshot], period: Period, *, now: datetime, zone: ZoneInfo) -> Choice:
    """The snapshots that count for the day before ``period`` and for its last day: of several for one day the one read
    nearest to the day's end.

    SetupError where the period is not over at ``now`` or has no such snapshot.
    """
    require_over(period, day_of(now, zone))
    known, notices = _without_future(snapshots, day_of(now, zone))
    opening = _closing_of(known, period.opening_day, period, "opening", zone)
    closing = _closing_of(known, period.last, period, "closing", zone)
    return Choice(closing, opening, tuple(known[: known.index(closing) + 1]), tuple(notices))


def closing_snapshot(snapshots: Sequence[Snapshot], day: date, zone: ZoneInfo) -> Snapshot | None:
    """Of the snapshots that count for ``day`` the one read nearest to its end, one that agreed before others."""
    end = start_of(day + timedelta(days=1), zone)
    of_day = [snapshot for snapshot in snapshots if snapshot.day == day]
    return min(of_day, key=lambda snapshot: (not snapshot.agreed, abs(snapshot.moment - end)), default=None)


def _closing_of(known: Sequence[Snapshot], day: date, period: Period, role: str, zone: ZoneInfo) -> Snapshot:
    found = closing_snapshot(known, day, zone)
    if found is not None:
        return found
    near = min(known, key=lambda s: abs(distance(s.moment, day, zone)), default=None)
    if near is None:
        raise SetupError(f"the store holds no snapshot; {_TAKE}")
    raise SetupError(
        f"--period {period.name}: no snapshot counts for {day}, its {role}; the nearest was read on "
        f"{shown(near.moment, zone)}. To let it stand for that day, which every report will say: "
        f"piggy-batch giftcards snapshot --store {quote(str(near.path.parent.parent))} --from {quote(str(near.path))} "
        f"--date {day}"
    )


def _without_future(snapshots: Sequence[Snapshot], today: date) -> tuple[list[Snapshot], list[Notice]]:
    """Snapshots that count for no day after ``today``, and a notice for each of the others."""
    if not snapshots:
        raise SetupError(f"the store holds no snapshot; {_TAKE}")
    known = [snapshot for snapshot in snapshots if snapshot.day <= today]
    if not known:
        raise SetupError(f"{snapshots[0].path}: counts for a day in the future, and so do all others; {_TAKE}")
    late = [snapshot for snapshot in snapshots if snapshot.day > today]
    return known, [
        check("{file} counts for {day}, a day in the future, and is left out", file=s.path.name, day=s.day)
        for s in late
    ]


def _last(snapshots: Sequence[Snapshot], day: date | None, option: str) -> Snapshot:
    if day is None:
        return snapshots[-1]
    until = [snapshot for snapshot in snapshots if snapshot.day <= day]
    if not until:
        raise SetupError(f"{option} {day}: no snapshot on or before that day; the first is of {snapshots[0].day}")
    return until[-1]


def _mid_month(opening: Snapshot, closing: Snapshot) -> list[Notice]:
    """A default opening that is no month's end is named: the movements are not those of a month."""
    if opening.day.day == 1 or (opening.day + timedelta(days=1)).day == 1:
        return []
    return [
        note(
            "opening is the snapshot before, of {opening}, which is no end of a month: the movements are those of "
            "{days} days. For a whole month use --period {month}",
            opening=opening.day,
            days=(closing.day - opening.day).days,
            month=f"{closing.day:%Y-%m}",
        )
    ]
