"""A whole report as one value, from snapshots on disk; other modules give it a form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.files import sha256_of
from piggy_batch.reporting.cards import Cards, read_cards
from piggy_batch.reporting.dates import as_of, day_of, distance, shown
from piggy_batch.reporting.liability import Balance, Liability, liability, totals
from piggy_batch.reporting.notices import check, note, partial
from piggy_batch.reporting.roll_forward import (
    CardList,
    MatchedCards,
    RollForward,
    card_list,
    match,
    movements,
    roll_forward,
)
from piggy_batch.reporting.snapshot_store import check_kin
from piggy_batch.reporting.transaction_check import TransactionComparison, reconcile
from piggy_batch.reporting.transactions import read_transactions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from piggy_batch.reporting.money import Currency
    from piggy_batch.reporting.notices import Notice
    from piggy_batch.reporting.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What to report on."""

    closing: Snapshot
    opening: Snapshot | None  # None: no roll-forward
    history: tuple[Snapshot, ...]  # the trend's snapshots, oldest first, closing and opening among them
    zone: ZoneInfo
    currency: Currency
    as_of: date | None = None  # None: what the closing snapshot speaks for
    since: date | None = None  # None: what the opening snapshot speaks for
    lists: tuple[str, ...] = ()  # members of terms.LISTS
    transactions: Path | None = None
    notices: tuple[Notice, ...] = ()  # about the choice of snapshots


@dataclass(frozen=True, slots=True)
class Point:
    """One snapshot in the trend, at the moment that it speaks for itself."""

    snapshot: Snapshot
    moment: datetime
    total: Balance


@dataclass(frozen=True, slots=True)
class Source:
    """A file that the figures come from."""

    role: str  # opening, closing, trend or transactions
    path: Path
    day: date | None  # that it counts for
    moment: datetime | None  # when the service was asked
    readings: tuple[datetime, datetime] | None  # of the first and the last card
    cards: int | None
    verdict: str
    agreed: bool | None
    account: str | None
    sha256: str | None  # of the bytes read


@dataclass(frozen=True, slots=True)
class Report:
    """Every figure of a report; money in integer cents."""

    made_at: datetime
    zone: ZoneInfo
    currency: Currency
    closing: Liability
    opening: Liability | None
    roll: RollForward | None
    rolls: tuple[RollForward, ...]  # per program
    trend: tuple[Point, ...]
    sources: tuple[Source, ...]
    lists: tuple[CardList, ...]
    reconciliation: TransactionComparison | None
    partial: bool  # opening or closing did not prove that it is complete
    notices: tuple[Notice, ...]

    @property
    def closed(self) -> bool:
        """Whether every roll-forward closes; True where there is none."""
        return not any(roll.residual for roll in ((self.roll,) if self.roll else ()) + self.rolls)


def build_report(order: ReportRequest, *, made_at: datetime) -> Report:
    """Read, sum, compare. SetupError where the snapshots cannot be compared or a file is not what it was."""
    _check(order)
    opening_snapshot = order.opening
    sources = [_source("closing", order.closing)]
    closing_moment = moment_for(order.closing, order.as_of, order.zone)
    closing_cards = read_cards(
        order.closing, uuids=opening_snapshot is not None, readings=order.transactions is not None
    )
    notices: list[Notice] = [
        *order.notices,
        *_doubles(order),
        *_staleness(order.closing, closing_moment, "closing", order.zone),
    ]
    notices += closing_cards.notices
    opening: Liability | None = None
    roll: RollForward | None = None
    rolls: tuple[RollForward, ...] = ()
    lists: tuple[CardList, ...] = ()
    comparison: TransactionComparison | None = None
    names: Mapping[str, str] = closing_cards.program_names
    if opening_snapshot is None:
        closing = liability(closing_cards, closing_moment, order.zone, names)
    else:
        sources.insert(0, _source("opening", opening_snapshot))
        opening_moment = moment_for(opening_snapshot, order.since, order.zone)
        notices += _staleness(opening_snapshot, opening_moment, "opening", order.zone)
        opening_cards = read_cards(opening_snapshot, uuids=True, readings=order.transactions is not None)
        names = {**opening_cards.program_names, **names}
        notices += [*opening_cards.notices, *_renamed(opening_cards, closing_cards)]
        opening = liability(opening_cards, opening_moment, order.zone, names)
        closing = liability(closing_cards, closing_moment, order.zone, names)
        cards = match(opening_cards, closing_cards, opening_moment, closing_moment)
        opening_cards, closing_cards = replace(opening_cards, uuids=None), replace(closing_cards, uuids=None)
        cents = movements(cards)
        roll, rolls = roll_forward(cards, cents, opening, closing, names)
        notices += _join_notices(cards)
        lists = tuple(card_list(cards, kind, cents, names) for kind in order.lists)
        if order.transactions:
            moments = (opening_moment, closing_moment)
            read = read_transactions(order.transactions)
            comparison = reconcile(read, cards, opening_cards, closing_cards, moments, roll, names, order.zone)
            notices += comparison.notices
            sources.append(_transactions_source(order.transactions, len(read.frame)))
    if order.closing.program_uuids:
        notices.append(
            note("the snapshots hold only programs {programs}", programs=", ".join(order.closing.program_uuids))
        )
    if not closing.total.all_cards:
        notices.append(check("the closing snapshot holds no cards: an empty account, or a program without cards"))
    trend = _trend(order, opening, closing, notices)
    used = [snapshot for snapshot in (opening_snapshot, order.closing) if snapshot]
    sources += [_noted(p.snapshot) for p in trend if p.snapshot not in used]
    weak = [snapshot for snapshot in used if not snapshot.agreed]
    weak_history = [p.snapshot for p in trend if not p.snapshot.agreed and p.snapshot not in used]
    marks = [
        partial(
            "PARTIAL: {snapshot} did not agree ({verdict}); cards may be missing from these figures",
            snapshot=_called(s),
            verdict=s.verdict,
        )
        for s in weak
    ]
    marks += [
        partial(
            "PARTIAL, in the trend only: {snapshot} did not agree ({verdict})", snapshot=_called(s), verdict=s.verdict
        )
        for s in weak_history
    ]
    return Report(
        made_at=made_at,
        zone=order.zone,
        currency=order.currency,
        closing=closing,
        opening=opening,
        roll=roll,
        rolls=rolls,
        trend=trend,
        sources=tuple(sources),
        lists=lists,
        reconciliation=comparison,
        partial=bool(weak),
        notices=(*marks, *notices),
    )


def _check(order: ReportRequest) -> None:
    opening = order.opening
    if opening is None:
        if order.lists or order.transactions:
            raise SetupError("--list and --transactions need two snapshots: there is nothing before the closing one")
        return
    check_kin(opening, order.closing)
    begin = moment_for(opening, order.since, order.zone)
    end = moment_for(order.closing, order.as_of, order.zone)
    if begin >= end:
        raise SetupError(
            f"{opening.path} speaks for {shown(begin, order.zone)}, not before {order.closing.path} for "
            f"{shown(end, order.zone)}; a roll-forward needs two moments: name an earlier day with --since, or give "
            "another file"
        )


def moment_for(snapshot: Snapshot, day: date | None, zone: ZoneInfo) -> datetime:
    """The moment that ``snapshot`` stands for when ``day`` is asked for, by default the day it counts for."""
    return as_of(snapshot.moment, day or snapshot.day, zone)


def _source(role: str, snapshot: Snapshot) -> Source:
    digest = sha256_of(snapshot.path)
    if snapshot.recorded_sha256 not in (None, digest):
        raise SetupError(
            f"{snapshot.path}: was changed after it was stored (its SHA-256 differs); take it from a backup"
        )
    return replace(_noted(snapshot), role=role, sha256=digest)


def _noted(snapshot: Snapshot) -> Source:
    return Source(
        "trend",
        snapshot.path,
        snapshot.day,
        snapshot.moment,
        snapshot.readings,
        snapshot.cards,
        snapshot.verdict,
        snapshot.agreed,
        snapshot.account_name or snapshot.account,
        snapshot.recorded_sha256,
    )


def _transactions_source(path: Path, rows: int) -> Source:
    verdict = f"{rows:,} transactions"
    return Source("transactions", path, None, None, None, None, verdict, None, None, sha256_of(path))


def _called(snapshot: Snapshot) -> str:
    return f"the snapshot of {snapshot.day} ({snapshot.path.name})"


def _staleness(snapshot: Snapshot, moment: datetime, role: str, zone: ZoneInfo) -> list[Notice]:
    """That the balances were read at another time than the moment for which they stand."""
    day = day_of(moment, zone)
    lag = distance(snapshot.moment, day, zone)
    if not lag:
        return []
    values = {"role": role, "read": shown(snapshot.moment, zone), "day": str(day)}
    if abs(lag) <= timedelta(days=1):
        return [note("the {role} balances of {day} were read on {read}; expiry is reckoned as of {day}", **values)]
    return [
        check(
            "the {role} balances were read on {read}, {days} days from {day}, the day they stand for: what happened "
            "in between is in the wrong period; only expiry is reckoned as of {day}",
            days=max(1, abs(lag).days),
            **values,
        )
    ]


def _doubles(order: ReportRequest) -> list[Notice]:
    return [
        note(
            "{day} has {count} snapshots; the one of {moment} is used",
            day=str(snapshot.day),
            count=count,
            moment=shown(snapshot.moment, order.zone),
        )
        for snapshot in filter(None, (order.opening, order.closing))
        if (count := sum(other.day == snapshot.day for other in order.history)) > 1
    ]


def _renamed(opening: Cards, closing: Cards) -> list[Notice]:
    return [
        note(
            'program {uuid} is now called "{name}"; at opening it was "{before}"',
            uuid=uuid,
            name=name,
            before=opening.program_names[uuid],
        )
        for uuid, name in sorted(closing.program_names.items())
        if opening.program_names.get(uuid, name) != name and len(closing)
    ]


def _join_notices(cards: MatchedCards) -> list[Notice]:
    notes = [
        check(
            "{count} rows of the {role} snapshot repeat a giftcard_uuid; the roll-forward takes each card's last row, "
            "the balances count every row",
            count=count,
            role=which,
        )
        for count, which in zip(cards.repeated, ("opening", "closing"), strict=True)
        if count
    ]
    if count := int((cards.opening_program != cards.program).sum()):
        notes.append(note("{count} cards moved to another program; the column moved shows their balance", count=count))
    return notes


def _trend(
    order: ReportRequest, opening: Liability | None, closing: Liability, notices: list[Notice]
) -> tuple[Point, ...]:
    """Each snapshot as of the moment that it speaks for itself; what was counted already is not read again."""
    counted = {(order.closing, closing.moment): closing}
    if order.opening is not None and opening is not None:
        counted[order.opening, opening.moment] = opening
    points = []
    for snapshot in order.history:
        try:
            check_kin(snapshot, order.closing)
        except SetupError:
            words = "{snapshot} is of another account or other programs; the trend leaves it out"
            notices.append(check(words, snapshot=_called(snapshot)))
            continue
        moment = snapshot.speaks_for(order.zone)
        known = counted.get((snapshot, moment))
        total = known.total if known else totals(read_cards(snapshot, groups=False), moment)
        points.append(Point(snapshot, moment, total))
    return tuple(points)
