"""A report as JSON values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from piggy_batch.files import atomic_file
from piggy_batch.reporting.definitions import DEFINITIONS, FLOW_LABELS, TRANSACTION_DEFINITIONS, Movement
from piggy_batch.reporting.transaction_check import (
    DIFFERENCE_COLUMNS,
    FLOW_COLUMNS,
    TransactionComparison,
    TransactionTotals,
)
from piggy_batch.reporting.transactions import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from piggy_batch.models import Json
    from piggy_batch.reporting.liability import Balance
    from piggy_batch.reporting.report import Report
    from piggy_batch.reporting.roll_forward import RollForward
    from piggy_batch.reporting.sources import Source


def as_json(report: Report) -> dict[str, Json]:
    """The report as JSON values; every amount is an integer number of cents, every instant ISO 8601 in UTC."""
    closing = report.closing
    return {
        "as_of": closing.moment.isoformat(),
        "since": report.opening.moment.isoformat() if report.opening else None,
        "made_at": report.made_at.isoformat(),
        "timezone": report.zone.key,
        "currency": report.currency.code,
        "partial": report.partial,
        "closed": report.closed if report.roll else None,
        "notices": [str(notice) for notice in report.notices],
        "liability": {
            **_balance(closing.total),
            "by_program": [{"program_uuid": b.key, "program_name": b.name, **_balance(b)} for b in closing.by_program],
            "by_type": [{"type": b.name, **_balance(b)} for b in closing.by_type],
            "by_state": [{"active": b.name == "active", **_balance(b)} for b in closing.by_active],
        },
        "expiry": [
            {"bucket": s.bucket.value, "cards": s.cards, "balance_cents": s.balance_cents} for s in closing.expiry
        ],
        "roll_forward": _roll_forward(report.roll, report.rolls) if report.roll else None,
        "trend": [
            {
                "date": p.snapshot.day.isoformat(),
                "moment": p.moment.isoformat(),
                **_balance(p.total),
                "agreed": p.snapshot.agreed,
            }
            for p in report.trend
        ],
        "lists": {chosen.kind: list(chosen.records()) for chosen in report.lists},
        "transactions": _transactions(report.comparison) if report.comparison else None,
        "sources": [_source(source) for source in report.sources],
        "definitions": dict(DEFINITIONS + (TRANSACTION_DEFINITIONS if report.comparison else ())),
    }


def write_json(report: Report, target: Path) -> None:
    """Put the report at ``target`` as one JSON object, whole or not at all."""
    with atomic_file(target) as draft, draft.open("w", encoding="utf-8") as file:
        json.dump(as_json(report), file, indent=2, ensure_ascii=False)
        file.write("\n")


def _balance(balance: Balance) -> dict[str, Json]:
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
    return {
        "opening": roll.opening,
        **{movement.value: roll.movements[movement] for movement in Movement},
        "unexplained": roll.unexplained,
        "closing": roll.closing,
        "residual": roll.residual,
        "basis": roll.basis.value,
        "cards": {movement.value: roll.cards[movement] for movement in Movement}
        | {"unexplained": roll.unexplained_cards},
    }


def _roll_forward(total: RollForward, rolls: Iterable[RollForward]) -> dict[str, Json]:
    programs = [{"program_uuid": r.key, "program_name": r.name, **_roll(r), "moved": r.moved} for r in rolls]
    return {**_roll(total), "by_program": programs}


def _flow(flow: TransactionTotals) -> dict[str, Json]:
    amounts = {f"{effect.value}_cents": flow.effects[effect] for effect in Effect}
    return {**amounts, "net_cents": flow.net, "transactions": flow.transactions}


def _transactions(found: TransactionComparison) -> dict[str, Json]:
    return {
        "totals": _flow(found.total),
        "by_shop_and_month": [
            {"month": f.month, "shop_uuid": f.shop_uuid, "shop_name": f.shop_name, **_flow(f)} for f in found.by_shop
        ],
        "side_by_side": [
            {
                "flow": side.flow.value,
                "what": FLOW_LABELS[side.flow],
                "snapshots_cents": side.snapshots,
                "transactions_cents": side.transactions,
                "difference_cents": side.difference,
                "cards_differing": side.cards,
                "more_cents": side.more,
                "less_cents": side.less,
            }
            for side in found.lines
        ],
        "differences": [dict(zip(DIFFERENCE_COLUMNS, row, strict=True)) for row in found.difference_rows()],
        "flow_differences": [dict(zip(FLOW_COLUMNS, row, strict=True)) for row in found.flow_rows()],
        "reconciled": found.reconciled,
        "without_card": found.without_card,
        "without_card_cents": found.without_card_cents,
        "outside_period": found.outside,
    }


def _source(source: Source) -> dict[str, Json]:
    return {
        "role": source.role,
        "path": str(source.path),
        "date": source.day.isoformat() if source.day else None,
        "moment": source.moment.isoformat() if source.moment else None,
        "oldest_reading": source.readings[0].isoformat() if source.readings else None,
        "newest_reading": source.readings[1].isoformat() if source.readings else None,
        "cards": source.cards,
        "verdict": source.verdict,
        "agreed": source.agreed,
        "account": source.account,
        "sha256": source.sha256,
    }
