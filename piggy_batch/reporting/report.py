"""A whole report as one value, from snapshots on disk; other modules give it a form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.files import sha256_of
from piggy_batch.reporting.cards import Cards, read_cards
from piggy_batch.reporting.dates import as_of, day_of, shown
from piggy_batch.reporting.liability import Balance, Liability, liability, totals
from piggy_batch.reporting.roll_forward import CardList, Matched, RollForward, card_list, match, movements, roll_forward
from piggy_batch.reporting.snapshot_store import check_kin
from piggy_batch.reporting.transaction_check import TransactionComparison, reconcile
from piggy_batch.reporting.transactions import read_transactions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from piggy_batch.reporting.money import Currency
    from piggy_batch.reporting.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What to report on."""

    closing: Snapshot
    opening: Snapshot | None  # None: no roll-forward
    history: tuple[Snapshot, ...]  # the trend's snapshots, oldest first, closing and opening among them
    zone: ZoneInfo
    currency: Currency
    as_of: date | None = None  # None: the closing snapshot's own moment
    since: date | None = None  # None: the opening snapshot's own moment
    lists: tuple[str, ...] = ()  # members of terms.LISTS
    transactions: Path | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One snapshot in the trend, at its own moment; opening and closing at the report's."""

    snapshot: Snapshot
    moment: datetime
    total: Balance


@dataclass(frozen=True, slots=True)
class Source:
    """A file that the figures come from."""

    role: str  # opening, closing, trend or transactions
    path: Path
    day: date | None
    moment: datetime | None
    cards: int | None
    verdict: str
    agreed: bool | None
    account: str | None
    sha256: str | None  # of the bytes read; for the trend as noted when stored


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
    notices: tuple[str, ...]

    @property
    def closed(self) -> bool:
        """Whether every roll-forward closes; True where there is none."""
        return not any(roll.residual for roll in ((self.roll,) if self.roll else ()) + self.rolls)


def build_report(order: ReportRequest, *, made_at: datetime) -> Report:
    """Read, sum, compare. SetupError where the snapshots cannot be compared or a file is not what it was."""
    _check(order)
    opening_snapshot = order.opening
    sources = [_source("closing", order.closing)]
    closing_moment = as_of(order.closing.moment, order.as_of, order.zone)
    closing_cards = read_cards(
        order.closing, uuids=opening_snapshot is not None, readings=order.transactions is not None
    )
    notices = [*_staleness(order, closing_moment), *closing_cards.notices]
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
        opening_moment = as_of(opening_snapshot.moment, order.since, order.zone)
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
        notices.append(f"the snapshots hold only programs {', '.join(order.closing.program_uuids)}")
    if not closing.total.all_cards:
        notices.append("the closing snapshot holds no cards: an empty account, or a program without cards")
    trend = _trend(order, opening, closing, notices)
    used = [snapshot for snapshot in (opening_snapshot, order.closing) if snapshot]
    sources += [_noted(p.snapshot) for p in trend if p.snapshot not in used]
    weak = [snapshot for snapshot in used if not snapshot.agreed]
    weak_history = [p.snapshot for p in trend if not p.snapshot.agreed and p.snapshot not in used]
    marks = [
        f"PARTIAL: {_called(s)} did not agree ({s.verdict}); cards may be missing from these figures" for s in weak
    ]
    marks += [f"PARTIAL, in the trend only: {_called(s)} did not agree ({s.verdict})" for s in weak_history]
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
    begin = as_of(opening.moment, order.since, order.zone)
    end = as_of(order.closing.moment, order.as_of, order.zone)
    if begin >= end:
        raise SetupError(
            f"{opening.path} is of {shown(begin, order.zone)}, not before {order.closing.path} of "
            f"{shown(end, order.zone)}; a roll-forward needs two moments"
        )


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
        snapshot.cards,
        snapshot.verdict,
        snapshot.agreed,
        snapshot.account_name or snapshot.account,
        snapshot.recorded_sha256,
    )


def _transactions_source(path: Path, rows: int) -> Source:
    return Source("transactions", path, None, None, None, f"{rows:,} transactions", None, None, sha256_of(path))


def _called(snapshot: Snapshot) -> str:
    return f"the snapshot of {snapshot.day} ({snapshot.path.name})"


def _staleness(order: ReportRequest, moment: datetime) -> list[str]:
    lag = (day_of(moment, order.zone) - order.closing.day).days
    notes = []
    if lag:
        notes.append(
            f"balances were read on {order.closing.day}, {abs(lag)} days from the as-of day; "
            "only expiry is reckoned as of that day"
        )
    notes += [
        f"{snapshot.day} has {count} snapshots; the one of {shown(snapshot.moment, order.zone)} is used"
        for snapshot in filter(None, (order.opening, order.closing))
        if (count := sum(other.day == snapshot.day for other in order.history)) > 1
    ]
    return list(dict.fromkeys(notes))


def _renamed(opening: Cards, closing: Cards) -> list[str]:
    return [
        f'program {uuid} is now called "{name}"; at opening it was "{opening.program_names[uuid]}"'
        for uuid, name in sorted(closing.program_names.items())
        if opening.program_names.get(uuid, name) != name and len(closing)
    ]


def _join_notices(cards: Matched) -> list[str]:
    notes = [
        f"{count:,} rows of the {which} snapshot repeat a giftcard_uuid; the roll-forward takes each card's last row, "
        "the balances count every row"
        for count, which in zip(cards.repeated, ("opening", "closing"), strict=True)
        if count
    ]
    if count := int((cards.opening_program != cards.program).sum()):
        notes.append(f"{count:,} cards moved to another program; the column moved shows their balance")
    return notes


def _trend(
    order: ReportRequest, opening: Liability | None, closing: Liability, notices: list[str]
) -> tuple[Point, ...]:
    points = []
    for snapshot in order.history:
        try:
            check_kin(snapshot, order.closing)
        except SetupError:
            notices.append(f"{_called(snapshot)} is of another account or other programs; the trend leaves it out")
            continue
        if snapshot == order.closing:
            points.append(Point(snapshot, closing.moment, closing.total))
        elif opening is not None and snapshot == order.opening:
            points.append(Point(snapshot, opening.moment, opening.total))
        else:
            points.append(Point(snapshot, snapshot.moment, totals(read_cards(snapshot, groups=False), snapshot.moment)))
    return tuple(points)


def history(snapshots: Sequence[Snapshot], closing: Snapshot) -> tuple[Snapshot, ...]:
    """The snapshots up to and including ``closing``."""
    return tuple(snapshots[: list(snapshots).index(closing) + 1])
