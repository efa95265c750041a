"""From snapshots on disk to a report: read, match, sum, compare."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.reporting.cohorts import FirstLoads, breakage
from piggy_batch.reporting.dates import as_of, day_of, micros, shown
from piggy_batch.reporting.definitions import BALANCES
from piggy_batch.reporting.ledger import Accounts, ledger_entry
from piggy_batch.reporting.liability import BalanceLine, liability
from piggy_batch.reporting.movements import gross_movements, net_movements
from piggy_batch.reporting.notice import Level, Notice, check, note
from piggy_batch.reporting.phrases import Label
from piggy_batch.reporting.report import CurrencyPart, Movements, Report, ReportRequest
from piggy_batch.reporting.roll_forward import roll_forward
from piggy_batch.reporting.snapshot_cards import SnapshotCards, read_cards
from piggy_batch.reporting.snapshot_notices import (
    doubles,
    join_notices,
    odd_values,
    partial_marks,
    renamed,
    staleness,
    swept_notice,
    unreconciled,
)
from piggy_batch.reporting.snapshot_pair import match
from piggy_batch.reporting.snapshot_store import check_kin
from piggy_batch.reporting.sources import SourceFile, read_hashed, snapshot_source, transactions_source
from piggy_batch.reporting.sub_ledger import CardFacts, CardList, balance_list, movement_list
from piggy_batch.reporting.transaction_check import compare
from piggy_batch.reporting.transaction_flows import assign, rows_of
from piggy_batch.reporting.transaction_scope import check_companion
from piggy_batch.reporting.transactions import Transactions, read_transactions
from piggy_batch.reporting.trend import read_trend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime
    from typing import Any
    from zoneinfo import ZoneInfo

    import pandas as pd

    from piggy_batch.reporting.ledger import LedgerLine
    from piggy_batch.reporting.money import Currencies, Currency
    from piggy_batch.reporting.roll_forward import RollForward
    from piggy_batch.reporting.snapshot import Snapshot

    Groups = Mapping[Currency, Callable[[str], bool] | None]


def build_report(request: ReportRequest, *, made_at: datetime) -> Report:
    """Read, sum, compare. SetupError where the snapshots cannot be compared or a file is not what it was."""
    _check(request)
    return _Builder(request).build(made_at)


def moment_for(snapshot: Snapshot, day: date | None, zone: ZoneInfo) -> datetime:
    """The moment that ``snapshot`` stands for when ``day`` is asked for, by default the day it counts for."""
    return as_of(snapshot.moment, day or snapshot.day, zone)


def _check(request: ReportRequest) -> None:
    opening = request.opening
    if opening is None:
        if request.transactions or request.needs_ledger or set(request.lists) - set(BALANCES):
            raise SetupError(
                "--transactions, a journal and lists of movements need two snapshots: there is nothing before the "
                "closing one"
            )
        return
    check_kin(opening, request.closing)
    begin = moment_for(opening, request.since, request.zone)
    end = moment_for(request.closing, request.as_of, request.zone)
    if begin >= end:
        raise SetupError(
            f"{opening.path} speaks for {shown(begin, request.zone)}, not before {request.closing.path} for "
            f"{shown(end, request.zone)}; a roll-forward needs two moments: name an earlier day with --since, or give "
            "another file"
        )


class _Builder:
    """Gathers sources and notices while the figures are made."""

    def __init__(self, request: ReportRequest) -> None:
        self.request = request
        self.sources: list[SourceFile] = []
        self.notices: list[Notice] = []
        self.transactions: Transactions | None = None
        self.end = moment_for(request.closing, request.as_of, request.zone)
        self.begin = None if request.opening is None else moment_for(request.opening, request.since, request.zone)

    def build(self, made_at: datetime) -> Report:
        request = self.request
        used = [snapshot for snapshot in (request.opening, request.closing) if snapshot]
        self.notices += [*request.notices, *doubles(used, request.history, request.zone)]
        pair = self._read_pair()
        names = {name: label for cards in pair if cards is not None for name, label in cards.program_names.items()}
        groups = self._groups(*pair)
        split = _split(pair, groups)
        others = {currency: _identities(*cards) for currency, cards in split} if len(split) > 1 else {}
        parts = []
        while split:
            currency, cards = split.pop(0)
            parts.append(self._part(currency, cards, names, self._frame(currency, others)))
        self._tell_about(parts)
        incomplete = any(not s.agreed for s in self.sources) or any(n.level is Level.PARTIAL for n in self.notices)
        parts = self._with_trend(parts, groups)
        trend = [point.snapshot for point in parts[0].trend if point.snapshot not in used]
        notices = [*partial_marks(used, trend), *self.notices]
        return Report(
            made_at=made_at,
            zone=request.zone,
            since=self.begin,
            as_of=self.end,
            parts=tuple(parts),
            sources=tuple(self.sources),
            notices=tuple(sorted(notices, key=lambda notice: list(Level).index(notice.level))),
            partial=incomplete,
            lists_shown=request.lists_shown,
        )

    def _read_pair(self) -> list[SnapshotCards | None]:
        """The cards of the opening and the closing snapshot, and the transactions; what is odd joins the notices."""
        request = self.request
        companion = self._read_transactions()
        opening = self._read("opening", request.opening, request.since) if request.opening else None
        closing = self._read("closing", request.closing, request.as_of)
        if companion is not None:
            self.sources.append(companion)
        if opening is not None:
            self.notices += renamed(opening, closing)
        return [opening, closing]

    def _read_transactions(self) -> SourceFile | None:
        request, file = self.request, self.request.transactions
        if file is None or request.opening is None:
            return None
        found = check_companion(
            file.path, request.opening, request.closing, request.zone, accept_partial=file.accept_partial
        )
        self.transactions = read_transactions(file.path, file.read_workbook)
        self.notices += [*found.notices, *self.transactions.notices]
        return transactions_source(found, len(self.transactions.frame))

    def _read(self, role: str, snapshot: Snapshot, day: date | None) -> SnapshotCards:
        """A snapshot's cards; the file joins the sources, and what is odd about it the notices."""
        request = self.request
        uuids = request.opening is not None or bool(request.lists)
        cards, digest = read_hashed(
            snapshot, lambda: read_cards(snapshot, uuids=uuids, readings=request.transactions is not None)
        )
        self.sources.append(snapshot_source(role, snapshot, digest))
        self.notices += staleness(snapshot, moment_for(snapshot, day, request.zone), Label(role), request.zone)
        self.notices += [*odd_values(snapshot, Label(role)), *cards.notices]
        return cards

    def _groups(self, *pair: SnapshotCards | None) -> dict[Currency, Callable[[str], bool] | None]:
        """Which programs each currency has, the default one first; None where there is but one currency."""
        currencies = self.request.currencies
        there = {uuid for cards in pair if cards is not None for uuid in cards.programs_there()}
        for uuid, currency in currencies.by_program.items():
            if uuid not in there:
                words = "program {uuid}, whose currency is {currency}, has no cards in these snapshots"
                self.notices.append(check(words, uuid=uuid, currency=currency.code))
        if not currencies.by_program:
            return {currencies.default: None}
        found = {currencies.of(uuid) for uuid in there} or {currencies.default}
        if len(found) > 1:
            words = (
                "programs have {count} currencies, whose amounts are never added up; a card that changed to a program "
                "of another currency is no longer listed in the one and issued in the other"
            )
            self.notices.append(note(words, count=len(found)))
        ordered = sorted(found, key=lambda currency: (currency != currencies.default, currency.code))
        return {currency: partial(_has, currencies, currency) for currency in ordered}

    def _frame(self, currency: Currency, others: Mapping[Currency, Any]) -> pd.DataFrame | None:
        """The transactions of one currency; those of no known card belong to the default one."""
        if self.transactions is None:
            return None
        if not others:
            return self.transactions.frame
        default = currency == self.request.currencies.default
        return rows_of(self.transactions.frame, currency, others, rest=default)

    def _part(
        self, currency: Currency, cards: list[Any], names: Mapping[str, str], frame: pd.DataFrame | None
    ) -> CurrencyPart:
        """The figures of one currency. ``cards``: those of the opening and the closing snapshot; emptied here."""
        request = self.request
        closing: SnapshotCards = cards.pop()
        opening: SnapshotCards | None = cards.pop()
        liable = liability(closing, self.end, request.zone, names)
        lists = [
            balance_list(request.closing, closing, closing.uuids, kind, self.end, names)
            for kind in request.lists
            if kind in BALANCES
        ]
        if opening is None or request.opening is None or self.begin is None:
            return CurrencyPart(currency, liable, None, self._drawn(lists), ())
        owed = liability(opening, self.begin, request.zone, names)
        read = (max(self.begin, request.opening.moment), max(self.end, request.closing.moment))
        matched = match(opening, closing, (self.begin, self.end), read)
        opening, closing = replace(opening, uuids=None), replace(closing, uuids=None)
        self.notices += join_notices(matched)
        moves, comparison = net_movements(matched), None
        facts = CardFacts((request.opening, opening), (request.closing, closing))
        if frame is None:
            self.notices += swept_notice(matched, currency)
        else:
            found = assign(frame, matched, opening, closing, (self.begin, self.end))
            comparison = compare(found, matched, moves, names, request.zone, facts)
            moves = gross_movements(matched, found.flows)
            self.notices += unreconciled(comparison, currency)
        roll, rolls = roll_forward(matched, moves, owed, liable, names)
        lists += [movement_list(matched, kind, moves, names, facts) for kind in request.lists if kind not in BALANCES]
        lines = self._ledger(rolls, currency) if request.accounts else ()
        return CurrencyPart(currency, liable, Movements(owed, roll, rolls, comparison), self._drawn(lists), lines)

    def _ledger(self, rolls: tuple[RollForward, ...], currency: Currency) -> tuple[LedgerLine, ...]:
        """The journal entry; where nobody insists on it, none but a notice while an account is missing."""
        entry = ledger_entry(rolls, self.request.accounts or Accounts(), day_of(self.end, self.request.zone), currency)
        if self.request.needs_ledger:
            entry.require_accounts()
        if not entry.missing:
            return entry.lines
        words = "no journal entry in {currency}: the accounts name none for {figures}"
        self.notices.append(note(words, currency=currency.code, figures=", ".join(entry.missing)))
        return ()

    def _drawn(self, lists: list[CardList]) -> tuple[CardList, ...]:
        """The lists in the order asked for, as samples where that was asked for."""
        ordered = sorted(lists, key=lambda one: self.request.lists.index(one.kind))
        sample = self.request.sample
        return tuple(one.sample(sample.size, sample.seed) if sample else one for one in ordered)

    def _tell_about(self, parts: list[CurrencyPart]) -> None:
        if self.request.closing.program_uuids:
            programs = ", ".join(self.request.closing.program_uuids)
            self.notices.append(note("the snapshots hold only programs {programs}", programs=programs))
        if not any(part.closing.total.all_cards for part in parts):
            words = "the closing snapshot holds no cards: an empty account, or a program without cards"
            self.notices.append(check(words))

    def _with_trend(self, parts: list[CurrencyPart], groups: Groups) -> list[CurrencyPart]:
        request = self.request
        counted: dict[tuple[Snapshot, datetime], dict[Currency, BalanceLine]] = {
            (request.closing, self.end): {part.currency: part.closing.total for part in parts}
        }
        if request.opening is not None and self.begin is not None:
            counted[request.opening, self.begin] = {
                part.currency: part.movements.opening.total for part in parts if part.movements
            }
        trend = read_trend(
            request.history, request.closing, groups, counted, request.zone, cohorts=request.cohorts and self._loads()
        )
        self.sources += trend.sources
        self.notices += trend.notices
        found = []
        for part in parts:
            cohorts = trend.cohorts(part.currency)
            months = request.breakage_months
            estimate = breakage(cohorts, day_of(self.end, request.zone), months) if cohorts and months else None
            points = tuple(trend.points[part.currency])
            found.append(replace(part, trend=points, cohorts=cohorts, breakage=estimate))
        return found

    def _loads(self) -> FirstLoads | bool:
        """What transactions say of the month of issue; True where there are none."""
        if self.transactions is None:
            return True
        frame, closing = self.transactions.frame, self.request.closing
        last = closing.readings[1] if closing.readings else closing.moment
        return FirstLoads(frame[frame["created_us"] <= micros(last)], self.request.zone)


def _has(currencies: Currencies, currency: Currency, program_uuid: str) -> bool:
    return currencies.of(program_uuid) == currency


def _split(pair: list[SnapshotCards | None], groups: Groups) -> list[tuple[Currency, list[SnapshotCards | None]]]:
    """Opening and closing cards of each currency. ``pair`` is emptied: identities are in memory only once."""
    found = [
        (currency, [cards if belongs is None or cards is None else cards.only(belongs) for cards in pair])
        for currency, belongs in groups.items()
    ]
    pair.clear()
    return found


def _identities(*pair: SnapshotCards | None) -> list[Any]:
    """The uuids of one currency's cards, as pyarrow arrays."""
    return [cards.uuids for cards in pair if cards is not None]
