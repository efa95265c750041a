"""What snapshots say and what transactions say, side by side and card by card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from piggy_batch.reporting.cards import ABSENT, Cards, Flags, Ints
from piggy_batch.reporting.dates import from_micros, micros
from piggy_batch.reporting.definitions import Movement
from piggy_batch.reporting.liability import program_label
from piggy_batch.reporting.transactions import EFFECTS, Effect, Transactions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from piggy_batch.reporting.notices import Notice
    from piggy_batch.reporting.roll_forward import MatchedCards, RollForward

_ALWAYS = np.iinfo(np.int64).min


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
    """One line of the comparison, cents."""

    what: str
    snapshots: int
    transactions: int

    @property
    def difference(self) -> int:
        return self.transactions - self.snapshots


@dataclass(frozen=True, slots=True)
class TransactionComparison:
    """Everything a report says about transactions between two snapshots."""

    total: TransactionTotals
    flows: tuple[TransactionTotals, ...]  # per month and shop, in order
    sides: tuple[ComparisonLine, ...]
    differences: pd.DataFrame  # one row per card whose two changes differ, largest first; columns DIFFERENCE_COLUMNS
    without_card: int  # transactions in the period that no card could be found for
    without_card_cents: int
    outside: int  # transactions in the file that lie outside the period
    span: tuple[datetime, datetime] | None  # first and last transaction of the file
    notices: tuple[Notice, ...]

    def difference_rows(self) -> Iterator[tuple[Any, ...]]:
        """One tuple per card in the order of DIFFERENCE_COLUMNS."""
        return zip(*(self.differences[name].tolist() for name in DIFFERENCE_COLUMNS), strict=True)


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
)


def reconcile(
    transactions: Transactions,
    cards: MatchedCards,
    opening: Cards,
    closing: Cards,
    moments: tuple[datetime, datetime],
    roll: RollForward,
    names: Mapping[str, str],
    zone: ZoneInfo,
) -> TransactionComparison:
    """Compare the change of every card's balance with its transactions between its two readings.

    A card's own reading times bound its period, so that a purchase during the walk of an export is on the
    right side. A card that is new at closing has all its transactions counted; where no card is known the
    snapshots' moments bound.
    """
    frame = transactions.frame
    card = _card_codes(frame, cards)
    inside = _inside(frame["created_us"].to_numpy(), card, cards, opening, closing, moments)
    chosen = frame[inside]
    card = card[inside]
    nameless = chosen["giftcard_uuid"].isna().to_numpy()
    total = _flow(chosen, "", "", "all shops")
    net = int((cards.closing_cents - cards.opening_cents).sum())
    return TransactionComparison(
        total=total,
        flows=_flows(chosen, zone),
        sides=(
            ComparisonLine(
                "put on cards (issued + topped up)",
                roll.movements[Movement.ISSUED] + roll.movements[Movement.TOPPED_UP],
                total.effects[Effect.ISSUED],
            ),
            ComparisonLine(
                "spent (redeemed less reversed)",
                roll.movements[Movement.REDEEMED],
                total.effects[Effect.REDEEMED] - total.effects[Effect.REVERSED],
            ),
            ComparisonLine("expired", roll.movements[Movement.EXPIRED], total.effects[Effect.EXPIRED]),
            ComparisonLine("net change of all balances", net, total.net),
        ),
        differences=_differences(chosen, card, cards, names),
        without_card=int(nameless.sum()),
        without_card_cents=int(chosen["cents"].to_numpy()[nameless].sum()),
        outside=len(frame) - len(chosen),
        span=_span(frame),
        notices=transactions.notices,
    )


def _span(frame: pd.DataFrame) -> tuple[datetime, datetime] | None:
    if frame.empty:
        return None
    return from_micros(int(frame["created_us"].iloc[0])), from_micros(int(frame["created_us"].iloc[-1]))


def _card_codes(frame: pd.DataFrame, cards: MatchedCards) -> Ints:
    """Per transaction the card's place in ``cards``, -1 where it is in neither snapshot or unknown."""
    uuids = pa.array(
        [value if isinstance(value, str) else None for value in frame["giftcard_uuid"].tolist()], pa.string()
    )
    return np.asarray(
        pc.fill_null(pc.index_in(uuids, value_set=cards.uuids, skip_nulls=True), -1).to_numpy(zero_copy_only=False),
        dtype=np.int64,
    )


def _inside(
    created: Any,
    card: Ints,
    cards: MatchedCards,
    opening: Cards,
    closing: Cards,
    moments: tuple[datetime, datetime],
) -> Flags:
    """Which transactions lie after the card's opening reading and not after its closing one."""
    begin, end = (np.full(len(card), micros(moment)) for moment in moments)
    known = np.flatnonzero(card >= 0)
    rows = cards.opening_at[card[known]]
    begin[known] = _ALWAYS
    there = rows >= 0
    begin[known[there]] = micros(moments[0]) if opening.read_us is None else opening.read_us[rows[there]]
    rows = cards.closing_at[card[known]]
    there = rows >= 0
    if closing.read_us is not None:
        end[known[there]] = closing.read_us[rows[there]]
    inside: Flags = (created > begin) & (created <= end)
    return inside


def _flow(frame: pd.DataFrame, month: str, shop_uuid: str, shop_name: str) -> TransactionTotals:
    sums = frame.groupby("effect")["cents"].sum().to_dict()
    cents = {effect: int(sums.get(code, 0)) for code, effect in enumerate(EFFECTS)}
    for effect in (Effect.REDEEMED, Effect.EXPIRED):
        cents[effect] = -cents[effect]
    return TransactionTotals(month, shop_uuid, shop_name, cents, len(frame))


def _flows(frame: pd.DataFrame, zone: ZoneInfo) -> tuple[TransactionTotals, ...]:
    created = pd.to_datetime(frame["created_us"], unit="us", utc=True).dt.tz_convert(zone)
    months = created.dt.strftime("%Y-%m")
    flows = [
        _flow(
            group,
            str(month),
            str(shop),
            next((name for name in reversed(group["shop_name"].tolist()) if name), str(shop)),
        )
        for (month, shop), group in frame.groupby([months, frame["shop_uuid"]], sort=True)
    ]
    return tuple(flows)


def _differences(frame: pd.DataFrame, card: Ints, cards: MatchedCards, names: Mapping[str, str]) -> pd.DataFrame:
    known = card >= 0
    changes = np.zeros(len(cards.opening_cents), dtype=np.int64)
    counts = np.zeros_like(changes)
    np.add.at(changes, card[known], frame["cents"].to_numpy()[known])
    np.add.at(counts, card[known], 1)
    seen = cards.closing_cents - cards.opening_cents
    chosen = np.flatnonzero(seen != changes)
    programs = [cards.program_uuids[code] for code in cards.program[chosen].tolist()]
    remarks = np.select(
        [cards.closing_state[chosen] == ABSENT, counts[chosen] == 0, cards.opening_state[chosen] == ABSENT],
        ["vanished from the list", "no transaction", "new card"],
        "amounts differ",
    )
    listed = pd.DataFrame(
        {
            "giftcard_uuid": cards.uuids.take(pa.array(chosen)).to_pylist(),
            "program_name": [program_label(uuid, names) for uuid in programs],
            "opening_cents": cards.opening_cents[chosen],
            "closing_cents": cards.closing_cents[chosen],
            "snapshot_change_cents": seen[chosen],
            "transaction_change_cents": changes[chosen],
            "difference_cents": changes[chosen] - seen[chosen],
            "transactions": counts[chosen],
            "remark": remarks.tolist(),
        }
    )
    strange = _strangers(frame, ~known)
    both = pd.concat([listed, strange], ignore_index=True) if len(strange) else listed
    order = both["difference_cents"].abs().sort_values(ascending=False, kind="stable").index
    return both.loc[order].reset_index(drop=True)


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
        }
    )
