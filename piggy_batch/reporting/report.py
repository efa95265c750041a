"""A whole report as one value, from snapshots on disk; other modules give it a form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.reporting.card_lists import CardList, HashReader, card_list
from piggy_batch.reporting.cards import Cards, read_cards
from piggy_batch.reporting.companion import Companion, check_companion
from piggy_batch.reporting.dates import as_of, shown
from piggy_batch.reporting.liability import Balance, Liability, liability, totals
from piggy_batch.reporting.matching import match
from piggy_batch.reporting.movements import gross_movements, net_movements
from piggy_batch.reporting.notices import Level, check, note
from piggy_batch.reporting.notices import partial as partial_notice
from piggy_batch.reporting.report_notices import (
    doubles,
    join_notices,
    odd_values,
    partial_marks,
    renamed,
    staleness,
    swept_notice,
)
from piggy_batch.reporting.roll_forward import RollForward, roll_forward
from piggy_batch.reporting.snapshot_store import check_kin
from piggy_batch.reporting.sources import Source, called, read_hashed, snapshot_source, transactions_source
from piggy_batch.reporting.transaction_check import TransactionComparison, compare
from piggy_batch.reporting.transaction_flows import assign
from piggy_batch.reporting.transactions import Transactions, read_transactions

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from piggy_batch.reporting.money import Currency
    from piggy_batch.reporting.notices import Notice
    from piggy_batch.reporting.snapshot import Snapshot
    from piggy_batch.reporting.transactions import WorkbookReader


@dataclass(frozen=True, slots=True)
class TransactionsFile:
    """Transactions to reckon with."""

    path: Path
    read_workbook: WorkbookReader
    accept_partial: bool = False


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
    lists: tuple[str, ...] = ()  # members of LISTS
    transactions: TransactionsFile | None = None
    notices: tuple[Notice, ...] = ()  # about the choice of snapshots


@dataclass(frozen=True, slots=True)
class Point:
    """One snapshot in the trend, at the moment that it speaks for itself."""

    snapshot: Snapshot
    moment: datetime
    total: Balance


@dataclass(frozen=True, slots=True)
class Movements:
    """How opening became closing."""

    opening: Liability
    closing: Liability
    roll: RollForward
    rolls: tuple[RollForward, ...]  # per program
    lists: tuple[CardList, ...]
    comparison: TransactionComparison | None


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
    comparison: TransactionComparison | None
    notices: tuple[Notice, ...]  # the gravest first
    partial: bool  # cards or transactions may be missing from the figures, those of the trend aside

    @property
    def closed(self) -> bool:
        """Whether every roll-forward closes; True where there is none."""
        return not any(roll.residual for roll in ((self.roll,) if self.roll else ()) + self.rolls)

    @property
    def to_check(self) -> bool:
        """Whether a person should look at something before relying on the figures."""
        return any(notice.level is Level.CHECK for notice in self.notices)


def build_report(order: ReportRequest, *, made_at: datetime) -> Report:
    """Read, sum, compare. SetupError where the snapshots cannot be compared or a file is not what it was."""
    _check(order)
    used = [snapshot for snapshot in (order.opening, order.closing) if snapshot]
    notices = [*order.notices, *doubles(used, order.history, order.zone)]
    sources: list[Source] = []
    moves: Movements | None = None
    if order.opening is None:
        cards = _read("closing", order, order.closing, sources, notices)
        liable = liability(cards, moment_for(order.closing, order.as_of, order.zone), order.zone, cards.program_names)
    else:
        moves = _movements(order, order.opening, sources, notices)
        liable = moves.closing
    if order.closing.program_uuids:
        programs = ", ".join(order.closing.program_uuids)
        notices.append(note("the snapshots hold only programs {programs}", programs=programs))
    if not liable.total.all_cards:
        notices.append(check("the closing snapshot holds no cards: an empty account, or a program without cards"))
    partial = any(not source.agreed for source in sources) or any(n.level is Level.PARTIAL for n in notices)
    trend = _trend(order, moves.opening if moves else None, liable, sources, notices)
    marks = partial_marks(used, [p.snapshot for p in trend if p.snapshot not in used])
    return Report(
        made_at=made_at,
        zone=order.zone,
        currency=order.currency,
        closing=liable,
        opening=moves.opening if moves else None,
        roll=moves.roll if moves else None,
        rolls=moves.rolls if moves else (),
        trend=trend,
        sources=tuple(sources),
        lists=moves.lists if moves else (),
        comparison=moves.comparison if moves else None,
        notices=tuple(sorted([*marks, *notices], key=lambda notice: list(Level).index(notice.level))),
        partial=partial,
    )


def moment_for(snapshot: Snapshot, day: date | None, zone: ZoneInfo) -> datetime:
    """The moment that ``snapshot`` stands for when ``day`` is asked for, by default the day it counts for."""
    return as_of(snapshot.moment, day or snapshot.day, zone)


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


def _read(role: str, order: ReportRequest, snapshot: Snapshot, sources: list[Source], notices: list[Notice]) -> Cards:
    """A snapshot's cards; the file joins the sources, and what is odd about it the notices."""
    cards, digest = read_hashed(
        snapshot,
        lambda: read_cards(snapshot, uuids=order.opening is not None, readings=order.transactions is not None),
    )
    sources.append(snapshot_source(role, snapshot, digest))
    day = order.as_of if role == "closing" else order.since
    notices += staleness(snapshot, moment_for(snapshot, day, order.zone), role, order.zone)
    notices += [*odd_values(snapshot, role), *cards.notices]
    return cards


def _movements(order: ReportRequest, snapshot: Snapshot, sources: list[Source], notices: list[Notice]) -> Movements:
    """Everything between ``snapshot``, the opening one, and the closing one."""
    companion, transactions = _transactions(order, snapshot)
    opening = _read("opening", order, snapshot, sources, notices)
    closing = _read("closing", order, order.closing, sources, notices)
    names = {**opening.program_names, **closing.program_names}
    moments = (moment_for(snapshot, order.since, order.zone), moment_for(order.closing, order.as_of, order.zone))
    opened, closed = (
        liability(cards, moment, order.zone, names) for cards, moment in zip((opening, closing), moments, strict=True)
    )
    read = (max(moments[0], snapshot.moment), max(moments[1], order.closing.moment))
    cards = match(opening, closing, moments, read)
    notices += [*renamed(opening, closing), *join_notices(cards)]
    opening, closing = replace(opening, uuids=None), replace(closing, uuids=None)
    moves = net_movements(cards)
    hashes = HashReader(snapshot, order.closing)
    comparison: TransactionComparison | None = None
    if companion and transactions:
        found = assign(transactions.frame, cards, opening, closing, moments)
        comparison = compare(found, cards, moves, names, order.zone, hashes)
        moves = gross_movements(cards, found.flows)
        sources.append(transactions_source(companion, len(transactions.frame)))
        notices += [*companion.notices, *transactions.notices]
    else:
        notices += swept_notice(cards)
    roll, rolls = roll_forward(cards, moves, opened, closed, names)
    lists = tuple(card_list(cards, kind, moves, names, hashes) for kind in order.lists)
    return Movements(opened, closed, roll, rolls, lists, comparison)


def _transactions(order: ReportRequest, opening: Snapshot) -> tuple[Companion | None, Transactions | None]:
    file = order.transactions
    if file is None:
        return None, None
    companion = check_companion(file.path, opening, order.closing, order.zone, accept_partial=file.accept_partial)
    return companion, read_transactions(file.path, file.read_workbook)


def _trend(
    order: ReportRequest,
    opening: Liability | None,
    closing: Liability,
    sources: list[Source],
    notices: list[Notice],
) -> tuple[Point, ...]:
    """Each snapshot as of the moment that it speaks for itself; what was counted already is not read again."""
    counted: dict[tuple[Snapshot, datetime], Liability] = {(order.closing, closing.moment): closing}
    if order.opening is not None and opening is not None:
        counted[order.opening, opening.moment] = opening
    points = []
    for snapshot in order.history:
        try:
            check_kin(snapshot, order.closing)
        except SetupError:
            words = "{snapshot} is of another account or other programs; the trend leaves it out"
            notices.append(check(words, snapshot=called(snapshot)))
            continue
        moment = snapshot.speaks_for(order.zone)
        if known := counted.get((snapshot, moment)):
            points.append(Point(snapshot, moment, known.total))
            continue
        try:
            cards, digest = read_hashed(snapshot, lambda: read_cards(snapshot, groups=False))  # noqa: B023 - called at once
        except SetupError as error:
            words = "PARTIAL, in the trend only: {snapshot} is left out: {why}"
            notices.append(partial_notice(words, snapshot=called(snapshot), why=str(error)))
            continue
        if snapshot not in (order.opening, order.closing):
            sources.append(snapshot_source("trend", snapshot, digest))
        points.append(Point(snapshot, moment, totals(cards, moment)))
    return tuple(points)
