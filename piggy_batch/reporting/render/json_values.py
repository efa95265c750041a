"""A report as JSON values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from piggy_batch.files import atomic_file
from piggy_batch.reporting.definitions import Movement
from piggy_batch.reporting.glossary import definitions
from piggy_batch.reporting.render.labels import FLOW_LABELS
from piggy_batch.reporting.sub_ledger import LIST_COLUMNS
from piggy_batch.reporting.transaction_check import (
    DIFFERENCE_COLUMNS,
    FLOW_COLUMNS,
    TransactionComparison,
    TransactionTotals,
)
from piggy_batch.reporting.transactions import Effect

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from piggy_batch.models import Json
    from piggy_batch.reporting.cohorts import Breakage, Cohort
    from piggy_batch.reporting.ledger import LedgerLine
    from piggy_batch.reporting.liability import BalanceLine
    from piggy_batch.reporting.report import CurrencyPart, Movements, Report
    from piggy_batch.reporting.roll_forward import RollForward
    from piggy_batch.reporting.sources import SourceFile
    from piggy_batch.reporting.sub_ledger import CardList


def as_json(report: Report) -> dict[str, Json]:
    """The report as JSON values; every amount is an integer number of cents, every instant ISO 8601 in UTC.

    With one currency its figures stand at the top; with several they stand under ``currencies``, by code.
    """
    one = len(report.parts) == 1
    figures: dict[str, Json] = {} if not one else _part(report.parts[0])
    return {
        "as_of": report.as_of.isoformat(),
        "since": _moment(report.since),
        "made_at": report.made_at.isoformat(),
        "timezone": report.zone.key,
        "currency": report.parts[0].currency.code if one else None,
        "partial": report.partial,
        "closed": report.closed if any(part.movements for part in report.parts) else None,
        "notices": [str(notice) for notice in report.notices],
        **figures,
        "currencies": {part.currency.code: _part(part) for part in report.parts} if not one else None,
        "sources": [_source(source) for source in report.sources],
        "definitions": {str(term): str(words) for term, words in definitions(report)},
    }


def write_json(report: Report, target: Path) -> None:
    """Put the report at ``target`` as one JSON object, whole or not at all."""
    with atomic_file(target) as draft, draft.open("w", encoding="utf-8") as file:
        json.dump(as_json(report), file, indent=2, ensure_ascii=False)
        file.write("\n")


def _part(part: CurrencyPart) -> dict[str, Json]:
    closing, moves = part.closing, part.movements
    return {
        "liability": {
            **_balance(closing.total),
            "by_program": [{"program_uuid": b.key, "program_name": b.name, **_balance(b)} for b in closing.by_program],
            "by_type": [{"type": b.name, **_balance(b)} for b in closing.by_type],
            "by_state": [{"active": b.name == "active", **_balance(b)} for b in closing.by_active],
        },
        "expiry": [
            {"bucket": s.bucket.value, "cards": s.cards, "balance_cents": s.balance_cents} for s in closing.expiry
        ],
        "roll_forward": _roll_forward(moves) if moves else None,
        "trend": [
            {
                "date": p.snapshot.day.isoformat(),
                "moment": p.moment.isoformat(),
                **_balance(p.total),
                "agreed": p.snapshot.agreed,
            }
            for p in part.trend
        ],
        "cohorts": [_cohort(cohort) for cohort in part.cohorts],
        "breakage": _breakage(part.breakage) if part.breakage else None,
        "ledger": [_ledger_line(line) for line in part.ledger],
        "lists": {chosen.kind: _cards(chosen) for chosen in part.lists},
        "transactions": _transactions(moves.comparison) if moves and moves.comparison else None,
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _balance(balance: BalanceLine) -> dict[str, Json]:
    return {
        "outstanding_cents": balance.outstanding_cents,
        "cards": balance.cards,
        "average_cents": balance.average_cents,
        "expired_cents": balance.expired_cents,
        "expired_cards": balance.expired_cards,
        "inactive_cents": balance.inactive_cents,
        "inactive_cards": balance.inactive_cards,
        "total_cents": balance.total_cents,
        "zero_balance_cards": balance.zero_cards,
        "all_cards": balance.all_cards,
    }


def _roll(roll: RollForward) -> dict[str, Json]:
    cards = {movement.value: roll.cards[movement] for movement in Movement} | {"unexplained": roll.unexplained_cards}
    return {
        "opening": roll.opening,
        **{movement.value: roll.movements[movement] for movement in Movement},
        "unexplained": roll.unexplained,
        "closing": roll.closing,
        "residual": roll.residual,
        "basis": roll.basis.value,
        "cards": cards,
    }


def _roll_forward(moves: Movements) -> dict[str, Json]:
    programs = [{"program_uuid": r.key, "program_name": r.name, **_roll(r), "moved": r.moved} for r in moves.rolls]
    return {**_roll(moves.roll), "by_program": programs}


def _cohort(cohort: Cohort) -> dict[str, Json]:
    return {
        "month": cohort.month,
        "earlier": cohort.earlier,
        "cards": cohort.cards,
        "issued": cohort.issued,
        "redeemed": cohort.redeemed,
        "expired": cohort.expired,
        "other": cohort.other,
        "outstanding": cohort.outstanding,
        "never_used_cards": cohort.never_used,
        "never_used_issued": cohort.never_used_issued,
        "left": [{"months": months, "percent": share / 100} for months, share in cohort.left],
    }


def _breakage(found: Breakage) -> dict[str, Json]:
    return {
        "method": "share of money put on cards of old enough months that were never used, applied to younger cards",
        "months": found.months,
        "cards": found.cards,
        "never_used_cards": found.never_used,
        "issued": found.issued,
        "never_used_issued": found.never_used_issued,
        "young_outstanding": found.young_outstanding,
        "estimate": found.estimate,
    }


def _ledger_line(line: LedgerLine) -> dict[str, Json]:
    return {
        "date": line.day.isoformat(),
        "account": line.account,
        "movement": line.movement,
        "program_uuid": line.program_uuid or None,
        "program_name": line.program_name,
        "debit_cents": line.debit_cents,
        "credit_cents": line.credit_cents,
        "currency": line.currency.code,
    }


def _cards(chosen: CardList) -> list[Json]:
    expires = LIST_COLUMNS.index("expiration_date")
    return [
        dict(zip(LIST_COLUMNS, (*row[:expires], _moment(row[expires]), *row[expires + 1 :]), strict=True))
        for row in chosen.rows()
    ]


def _totals(totals: TransactionTotals) -> dict[str, Json]:
    amounts = {f"{effect.value}_cents": totals.effects[effect] for effect in Effect}
    return {**amounts, "net_cents": totals.net, "transactions": totals.transactions}


def _transactions(found: TransactionComparison) -> dict[str, Json]:
    return {
        "totals": _totals(found.total),
        "by_shop_and_month": [
            {"month": t.month, "shop_uuid": t.shop_uuid, "shop_name": t.shop_name, **_totals(t)} for t in found.by_shop
        ],
        "side_by_side": [
            {
                "flow": line.flow.value,
                "what": str(FLOW_LABELS[line.flow]),
                "snapshots_cents": line.snapshots,
                "transactions_cents": line.transactions,
                "difference_cents": line.difference,
                "cards_differing": line.cards,
                "more_cents": line.more,
                "less_cents": line.less,
            }
            for line in found.lines
        ],
        "differences": [dict(zip(DIFFERENCE_COLUMNS, row, strict=True)) for row in found.difference_rows()],
        "flow_differences": [dict(zip(FLOW_COLUMNS, row, strict=True)) for row in found.flow_rows()],
        "reconciled": found.reconciled,
        "without_card": found.without_card,
        "without_card_cents": found.without_card_cents,
        "outside_period": found.outside,
    }


def _source(source: SourceFile) -> dict[str, Json]:
    return {
        "role": source.role,
        "path": str(source.path),
        "date": source.day.isoformat() if source.day else None,
        "moment": _moment(source.moment),
        "oldest_reading": _moment(source.readings[0]) if source.readings else None,
        "newest_reading": _moment(source.readings[1]) if source.readings else None,
        "cards": source.cards,
        "verdict": source.verdict,
        "agreed": source.agreed,
        "account": source.account,
        "sha256": source.sha256,
    }
