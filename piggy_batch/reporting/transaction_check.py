"""What snapshots say and what transactions say, side by side, card by card and flow by flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from piggy_batch.reporting.definitions import Flow, Movement, State
from piggy_batch.reporting.liability import program_label
from piggy_batch.reporting.snapshot_cards import ABSENT, STATES, Flags, Ints
from piggy_batch.reporting.transactions import EFFECTS, Effect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from piggy_batch.reporting.movements import CardMovements
    from piggy_batch.reporting.snapshot_pair import MatchedCards
    from piggy_batch.reporting.sub_ledger import CardFacts
    from piggy_batch.reporting.transaction_flows import CardTransactions

_EXPIRED = STATES.index(State.EXPIRED)
_EXPLAINED = (_AGREES, _KEPT) = ("the card's change agrees", "expired, the balance is still on the card")
DIFFERENCE_COLUMNS = (
    "giftcard_uuid",
    "program_name",
    "opening_cents",
    "closing_cents",
    "snapshot_change_cents",
    "transaction_change_cents",
    "difference_cents",
    "transactions",
    "remark",
    "hash",
)
FLOW_COLUMNS = (
    "giftcard_uuid",
    "hash",
    "program_name",
    "flow",
    "snapshot_cents",
    "transaction_cents",
    "difference_cents",
    "remark",
)


@dataclass(frozen=True, slots=True)
class TransactionTotals:
    """Transactions of one shop in one month, or all of them; cents, positive but for ``reversed``'s sign."""

    month: str  # YYYY-MM in the report's time zone; empty for all
    shop_uuid: str
    shop_name: str
    effects: Mapping[Effect, int]  # reversed: as balances changed, so a redemption undone is above zero
    transactions: int

    @property
    def net(self) -> int:
        """The change of balances."""
        took = self.effects[Effect.REDEEMED] + self.effects[Effect.EXPIRED]
        return self.effects[Effect.ISSUED] + self.effects[Effect.REVERSED] - took


@dataclass(frozen=True, slots=True)
class ComparisonLine:
    """One flow by snapshots and by transactions, cents; ``more`` and ``less`` are never set off against each other."""

    flow: Flow
    snapshots: int
    transactions: int
    cards: int  # that differ
    more: int  # by which transactions exceed snapshots, over the cards where they do
    less: int  # by which they fall short, above zero

    @property
    def difference(self) -> int:
        return self.transactions - self.snapshots


@dataclass(frozen=True, slots=True)
class TransactionComparison:
    """Everything a report says about transactions between two snapshots."""

    total: TransactionTotals
    by_shop: tuple[TransactionTotals, ...]  # per month and shop, in order
    lines: tuple[ComparisonLine, ...]
    differences: pd.DataFrame  # a row per card whose two changes differ, largest first; columns DIFFERENCE_COLUMNS
    flow_differences: pd.DataFrame  # a row per card and flow that differ; those of cards whose change agrees last
    without_card: int  # transactions in the period that no card could be found for
    without_card_cents: int
    outside: int  # transactions in the file that lie outside the period
    span: tuple[datetime, datetime] | None  # first and last transaction of the file

    @property
    def reconciled(self) -> bool:
        """Whether transactions account for the change of every card's balance."""
        return not len(self.differences) and not self.without_card

    def difference_rows(self) -> Iterator[tuple[Any, ...]]:
        """One tuple per card in the order of DIFFERENCE_COLUMNS."""
        return zip(*(self.differences[name].tolist() for name in DIFFERENCE_COLUMNS), strict=True)

    def flow_rows(self) -> Iterator[tuple[Any, ...]]:
        """One tuple per card and flow in the order of FLOW_COLUMNS."""
        return zip(*(self.flow_differences[name].tolist() for name in FLOW_COLUMNS), strict=True)


def compare(
    found: CardTransactions,
    cards: MatchedCards,
    net: CardMovements,
    names: Mapping[str, str],
    zone: ZoneInfo,
    facts: CardFacts,
) -> TransactionComparison:
    """Compare the change of every card's balance, and each of its flows, with its transactions."""
    chosen = found.chosen
    nameless = chosen["giftcard_uuid"].isna().to_numpy()
    total = _totals(chosen, "", "", "all shops")
    sides = _sides(found, cards, net)
    return TransactionComparison(
        total=total,
        by_shop=_by_shop(chosen, zone),
        lines=tuple(_line(flow, *sides[flow], total) for flow in Flow),
        differences=_differences(found, cards, names, facts),
        flow_differences=_flow_differences(found, cards, sides, names, facts),
        without_card=int(nameless.sum()),
        without_card_cents=int(chosen["cents"].to_numpy()[nameless].sum()),
        outside=found.outside,
        span=found.span,
    )


def _totals(frame: pd.DataFrame, month: str, shop_uuid: str, shop_name: str) -> TransactionTotals:
    sums = frame.groupby("effect")["cents"].sum().to_dict()
    cents = {effect: int(sums.get(code, 0)) for code, effect in enumerate(EFFECTS)}
    for effect in (Effect.REDEEMED, Effect.EXPIRED):
        cents[effect] = -cents[effect]
    return TransactionTotals(month, shop_uuid, shop_name, cents, len(frame))


def _by_shop(frame: pd.DataFrame, zone: ZoneInfo) -> tuple[TransactionTotals, ...]:
    created = pd.to_datetime(frame["created_us"], unit="us", utc=True).dt.tz_convert(zone)
    months = created.dt.strftime("%Y-%m")
    totals = [
        _totals(
            group,
            str(month),
            str(shop),
            next((name for name in reversed(group["shop_name"].tolist()) if name), str(shop)),
        )
        for (month, shop), group in frame.groupby([months, frame["shop_uuid"]], sort=True)
    ]
    return tuple(totals)


def _sides(found: CardTransactions, cards: MatchedCards, net: CardMovements) -> dict[Flow, tuple[Ints, Ints]]:
    """Per flow and card, what the snapshots show and what the transactions say."""
    flows, cents = found.flows, net.cents
    spent = flows[Effect.REDEEMED] - flows[Effect.REVERSED]
    change = flows[Effect.ISSUED] - spent - flows[Effect.EXPIRED]
    return {
        Flow.PUT_ON: (cents[Movement.ISSUED] + cents[Movement.TOPPED_UP], flows[Effect.ISSUED]),
        Flow.SPENT: (cents[Movement.REDEEMED], spent),
        Flow.EXPIRED: (cents[Movement.EXPIRED], flows[Effect.EXPIRED]),
        Flow.NET: (cards.closing_cents - cards.opening_cents, change),
    }


def _line(flow: Flow, snapshots: Ints, transactions: Ints, total: TransactionTotals) -> ComparisonLine:
    """The transactions of cards in neither snapshot, or of none, stand in the sum; differences are of known cards."""
    gap = transactions - snapshots
    sums = {
        Flow.PUT_ON: total.effects[Effect.ISSUED],
        Flow.SPENT: total.effects[Effect.REDEEMED] - total.effects[Effect.REVERSED],
        Flow.EXPIRED: total.effects[Effect.EXPIRED],
        Flow.NET: total.net,
    }
    more, less = int(gap[gap > 0].sum()), -int(gap[gap < 0].sum())
    return ComparisonLine(flow, int(snapshots.sum()), sums[flow], int((gap != 0).sum()), more, less)


def _differences(
    found: CardTransactions, cards: MatchedCards, names: Mapping[str, str], facts: CardFacts
) -> pd.DataFrame:
    flows = found.flows
    changes = flows[Effect.ISSUED] - flows[Effect.REDEEMED] + flows[Effect.REVERSED] - flows[Effect.EXPIRED]
    seen = cards.closing_cents - cards.opening_cents
    chosen = np.flatnonzero(seen != changes)
    listed = pd.DataFrame(
        {
            "giftcard_uuid": cards.uuids.take(pa.array(chosen)).to_pylist(),
            "program_name": _program_names(cards, chosen, names),
            "opening_cents": cards.opening_cents[chosen],
            "closing_cents": cards.closing_cents[chosen],
            "snapshot_change_cents": seen[chosen],
            "transaction_change_cents": changes[chosen],
            "difference_cents": changes[chosen] - seen[chosen],
            "transactions": found.counts[chosen],
            "remark": _remarks(found, cards, chosen).tolist(),
            "hash": facts.hashes(cards, chosen),
        }
    )
    strange = _strangers(found.chosen, found.card < 0)
    both = pd.concat([listed, strange], ignore_index=True) if len(strange) else listed
    order = both["difference_cents"].abs().sort_values(ascending=False, kind="stable").index
    return both.loc[order].reset_index(drop=True)


def _remarks(found: CardTransactions, cards: MatchedCards, chosen: Ints) -> Any:
    return np.select(
        [
            cards.closing_state[chosen] == ABSENT,
            found.counts[chosen] == 0,
            cards.opening_state[chosen] == ABSENT,
        ],
        ["no longer listed", "no transaction", "new card"],
        "amounts differ",
    )


def _flow_differences(
    found: CardTransactions,
    cards: MatchedCards,
    sides: Mapping[Flow, tuple[Ints, Ints]],
    names: Mapping[str, str],
    facts: CardFacts,
) -> pd.DataFrame:
    agrees = sides[Flow.NET][0] == sides[Flow.NET][1]
    parts = []
    for flow in (Flow.PUT_ON, Flow.SPENT, Flow.EXPIRED):
        snapshots, transactions = sides[flow]
        chosen = np.flatnonzero(snapshots != transactions)
        remarks = np.where(agrees[chosen], _AGREES, _remarks(found, cards, chosen))
        if flow is Flow.EXPIRED:
            kept = (cards.closing_state[chosen] == _EXPIRED) & (cards.closing_cents[chosen] != 0)
            remarks = np.where(agrees[chosen] & kept, _KEPT, remarks)
        parts.append(
            pd.DataFrame(
                {
                    "giftcard_uuid": cards.uuids.take(pa.array(chosen)).to_pylist(),
                    "hash": facts.hashes(cards, chosen),
                    "program_name": _program_names(cards, chosen, names),
                    "flow": flow.value,
                    "snapshot_cents": snapshots[chosen],
                    "transaction_cents": transactions[chosen],
                    "difference_cents": transactions[chosen] - snapshots[chosen],
                    "remark": remarks.tolist(),
                }
            )
        )
    both = pd.concat(parts, ignore_index=True)
    order = np.lexsort((-both["difference_cents"].abs().to_numpy(), both["remark"].isin(_EXPLAINED).to_numpy()))
    return both.loc[order].reset_index(drop=True)


def _program_names(cards: MatchedCards, chosen: Ints, names: Mapping[str, str]) -> list[str]:
    return [program_label(cards.program_uuids[code], names) for code in cards.program[chosen].tolist()]


def _strangers(frame: pd.DataFrame, unknown: Flags) -> pd.DataFrame:
    """Cards with transactions that neither snapshot holds, where they do not cancel out."""
    sums = frame[unknown].dropna(subset=["giftcard_uuid"]).groupby("giftcard_uuid")["cents"].agg(["sum", "size"])
    sums = sums[sums["sum"] != 0]
    change = sums["sum"].to_numpy()
    zero = np.zeros(len(sums), dtype=np.int64)
    return pd.DataFrame(
        {
            "giftcard_uuid": sums.index.tolist(),
            "program_name": ["" for _ in change],
            "opening_cents": zero,
            "closing_cents": zero,
            "snapshot_change_cents": zero,
            "transaction_change_cents": change,
            "difference_cents": change,
            "transactions": sums["size"].to_numpy(),
            "remark": ["in neither snapshot" for _ in change],
            "hash": [None for _ in change],
        }
    )
