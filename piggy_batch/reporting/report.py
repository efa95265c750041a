"""What a report is asked for, and what it is: figures as values, which other modules compute and give a form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from piggy_batch.reporting.notice import Level

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from piggy_batch.reporting.cohorts import Breakage, Cohort
    from piggy_batch.reporting.ledger import Accounts, LedgerLine
    from piggy_batch.reporting.liability import Liability
    from piggy_batch.reporting.money import Currencies, Currency
    from piggy_batch.reporting.notice import Notice
    from piggy_batch.reporting.roll_forward import RollForward
    from piggy_batch.reporting.snapshot import Snapshot
    from piggy_batch.reporting.sources import SourceFile
    from piggy_batch.reporting.sub_ledger import CardList
    from piggy_batch.reporting.transaction_check import TransactionComparison
    from piggy_batch.reporting.transactions import WorkbookReader
    from piggy_batch.reporting.trend import Point


@dataclass(frozen=True, slots=True)
class TransactionsFile:
    """Transactions to reckon with."""

    path: Path
    read_workbook: WorkbookReader
    accept_partial: bool = False


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """How many cards to draw from each list, and which draw."""

    size: int
    seed: int


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What to report on."""

    closing: Snapshot
    opening: Snapshot | None  # None: no roll-forward
    history: tuple[Snapshot, ...]  # the trend's snapshots, oldest first, closing and opening among them
    zone: ZoneInfo
    currencies: Currencies
    as_of: date | None = None  # None: what the closing snapshot speaks for
    since: date | None = None  # None: what the opening snapshot speaks for
    lists: tuple[str, ...] = ()  # members of LISTS
    lists_shown: bool = True  # False: only for a file of cards
    sample: SampleRequest | None = None  # None: lists are whole
    transactions: TransactionsFile | None = None
    accounts: Accounts | None = None  # None: no ledger lines
    needs_ledger: bool = False  # without an account for every line there is no report
    cohorts: bool = False
    breakage_months: int | None = None  # None: no estimate
    notices: tuple[Notice, ...] = ()  # about the choice of snapshots


@dataclass(frozen=True, slots=True)
class Movements:
    """How opening became closing."""

    opening: Liability
    roll: RollForward
    rolls: tuple[RollForward, ...]  # per program
    comparison: TransactionComparison | None

    @property
    def closed(self) -> bool:
        """Whether the movements explain the change, in total and for each program."""
        return not any(roll.residual for roll in (self.roll, *self.rolls))


@dataclass(frozen=True, slots=True)
class CurrencyPart:
    """All figures in one currency: amounts of several are never added up. Money in integer cents."""

    currency: Currency
    closing: Liability
    movements: Movements | None
    lists: tuple[CardList, ...]
    ledger: tuple[LedgerLine, ...]
    trend: tuple[Point, ...] = ()
    cohorts: tuple[Cohort, ...] = ()
    breakage: Breakage | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Every figure of a report."""

    made_at: datetime
    zone: ZoneInfo
    since: datetime | None  # the moment of the opening figures
    as_of: datetime  # that of the closing figures
    parts: tuple[CurrencyPart, ...]  # one for each currency, the default one first
    sources: tuple[SourceFile, ...]
    notices: tuple[Notice, ...]  # the gravest first
    partial: bool  # cards or transactions may be missing from the figures, those of the trend aside
    lists_shown: bool = True  # False: the lists of cards are for a file of cards only

    def for_readers(self) -> Report:
        """The report without lists that only a file of cards is to hold."""
        if self.lists_shown:
            return self
        return replace(self, parts=tuple(replace(part, lists=()) for part in self.parts), lists_shown=True)

    @property
    def closed(self) -> bool:
        """Whether every roll-forward closes; True where there is none."""
        return all(part.movements is None or part.movements.closed for part in self.parts)

    @property
    def reconciled(self) -> bool:
        """Whether transactions account for the change of every card's balance; False where there are none."""
        found = [part.movements.comparison for part in self.parts if part.movements]
        return bool(found) and not self.partial and all(c is not None and c.reconciled for c in found)

    @property
    def to_check(self) -> bool:
        """Whether a person should look at something before relying on the figures."""
        return any(notice.level is Level.CHECK for notice in self.notices)

    @property
    def account(self) -> str | None:
        """What the account is called, as far as the files say."""
        return next((source.account for source in self.sources if source.account), None)
