"""The gross roll-forward is what SQL finds in transactions and snapshots, whatever happened to the cards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reporting.ledger_judge import OPTIONS, assert_ledger
from tests.reporting.support import CLOSING, OPENING, Account

MOVES = ("load", "spend", "undo", "sweep")
FATES = ("none", "expire", "deactivate", "reactivate", "vanish", "silent")


@st.composite
def casts(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Cards: whether they are new, their balance at first, what is booked on them, and how they end."""
    one = st.fixed_dictionaries(
        {
            "new": st.booleans(),
            "cents": st.integers(0, 90_000),
            "program": st.sampled_from(["p-1", "p-2"]),
            "active": st.booleans(),
            "moves": st.lists(st.tuples(st.sampled_from(MOVES), st.integers(1, 40_000)), max_size=4),
            "fate": st.sampled_from(FATES),
        }
    )
    return draw(st.lists(one, min_size=1, max_size=25))


def live(account: Account, uuid: str, life: dict[str, Any]) -> None:
    """What happens to a card between the snapshots, booked as the service books it, but for ``silent``."""
    if life["new"]:
        account.add(uuid, 0, program=life["program"])
    card = account.cards[uuid]
    when = OPENING + timedelta(hours=int(uuid[2:]) + 1)
    for kind, cents in life["moves"]:
        when += timedelta(minutes=10)
        match kind:
            case "load":
                book(account, uuid, cents, when, shop="s-2")
            case "spend":
                book(account, uuid, -min(cents, card.cents), when)
            case "undo":
                spent = min(cents, card.cents)
                book(account, uuid, -spent, when)
                book(account, uuid, spent, when + timedelta(minutes=1))
            case "sweep":
                book(account, uuid, -card.cents, when, kind="EXPIRED")
    match life["fate"]:
        case "expire":
            card.expires = CLOSING - timedelta(days=1)
        case "deactivate":
            card.active = False
        case "reactivate":
            card.active = True
        case "silent":
            card.cents += 77
        case "vanish":
            del account.cards[uuid]


def book(account: Account, uuid: str, cents: int, when: Any, **more: Any) -> None:
    """A transaction and its effect; nothing is booked for nothing."""
    if cents:
        account.cards[uuid].cents += cents
        account.transact(uuid, cents, when, **more)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cast=casts())
def test_gross_roll_forward_equals_sql(cast: list[dict[str, Any]], figures: Callable[..., dict[str, Any]]) -> None:
    """It closes for every program, its flows are the sums of the bookings, and what no booking explains is apart."""
    account = Account()
    with tempfile.TemporaryDirectory() as folder:
        for number, life in enumerate(cast):
            if not life["new"]:
                account.add(f"c-{number}", life["cents"], program=life["program"], active=life["active"])
        opening = account.export(Path(folder, "opening.parquet"), OPENING)
        for number, life in enumerate(cast):
            live(account, f"c-{number}", life)
        closing = account.export(Path(folder, "closing.parquet"), CLOSING)
        moves = account.write_transactions(Path(folder, "moves.parquet"))
        journal = Path(folder, "journal.csv")
        found = figures(opening, closing, "--transactions", moves, "--to", journal, *OPTIONS)
        assert_ledger(found, journal)
        for line in (found["roll_forward"], *found["roll_forward"]["by_program"]):
            added = sum(line[name] for name in ("issued", "topped_up", "reversed", "reactivated"))
            taken = sum(line[name] for name in ("redeemed", "expired", "deactivated", "vanished"))
            assert line["residual"] == 0
            assert line["opening"] + added - taken + line["unexplained"] + line.get("moved", 0) == line["closing"]
        assert_equals_sql(found, opening, closing, moves)


def assert_equals_sql(found: dict[str, Any], opening: Path, closing: Path, moves: Path) -> None:
    """Compare with what DuckDB makes of the three files; a reversal is the row after its opposite in the same shop."""
    judge = duckdb.connect()
    judge.execute("SET TimeZone = 'UTC'")
    for name, path, moment in (("o", opening, OPENING), ("c", closing, CLOSING)):
        judge.execute(
            f"CREATE VIEW {name} AS SELECT *, (active AND (expiration_date IS NULL OR expiration_date > TIMESTAMPTZ "
            f"'{moment.isoformat()}')) AS out FROM read_parquet('{path}')"
        )
    judge.execute(
        f"""CREATE VIEW t AS SELECT giftcard_uuid, amount_in_cents AS cents,
        CASE WHEN type = 'EXPIRED' THEN 'expired'
        WHEN cents > 0 AND LAG(cents) OVER w = -cents AND LAG(shop_uuid) OVER w = shop_uuid
            AND LAG(type) OVER w = 'STANDARD' THEN 'reversed'
        WHEN cents < 0 THEN 'redeemed' ELSE 'issued' END AS effect FROM read_parquet('{moves}')
        WINDOW w AS (PARTITION BY giftcard_uuid ORDER BY created_at, transaction_id)"""
    )
    judge.execute(
        """CREATE VIEW per AS SELECT giftcard_uuid, SUM(cents) FILTER (effect = 'issued') AS put,
        -SUM(cents) FILTER (effect = 'redeemed') AS spent, SUM(cents) FILTER (effect = 'reversed') AS undone,
        -SUM(cents) FILTER (effect = 'expired') AS taken FROM t GROUP BY ALL"""
    )
    rows = judge.execute(
        """SELECT COALESCE(c.giftcard_program_uuid, o.giftcard_program_uuid) AS program,
        SUM(put) FILTER (o.out IS NULL), SUM(put) FILTER (o.out IS NOT NULL), SUM(spent), SUM(undone),
        SUM(COALESCE(taken, 0) + CASE WHEN c.expiration_date <= TIMESTAMPTZ '2026-11-30 21:00:00+00'
            THEN c.amount_in_cents ELSE 0 END),
        SUM(c.amount_in_cents - COALESCE(o.amount_in_cents, 0) - COALESCE(put, 0) + COALESCE(spent, 0)
            - COALESCE(undone, 0) + COALESCE(taken, 0))
        FROM o FULL JOIN c USING (giftcard_uuid) LEFT JOIN per USING (giftcard_uuid)
        WHERE o.out IS NULL OR o.out OR c.out GROUP BY ALL"""
    ).fetchall()
    expected = {program: [int(value or 0) for value in values] for program, *values in rows}
    names = ("issued", "topped_up", "redeemed", "reversed", "expired", "unexplained")
    shown = {line["program_uuid"]: [line[name] for name in names] for line in found["roll_forward"]["by_program"]}
    assert {program: values for program, values in shown.items() if any(values)} == {
        program: values for program, values in expected.items() if any(values)
    }
    assert found["transactions"]["reconciled"] is (
        judge.execute(
            """SELECT COUNT(*) FROM o FULL JOIN c USING (giftcard_uuid) FULL JOIN per USING (giftcard_uuid)
            WHERE COALESCE(c.amount_in_cents, 0) - COALESCE(o.amount_in_cents, 0) <> COALESCE(put, 0)
            - COALESCE(spent, 0) + COALESCE(undone, 0) - COALESCE(taken, 0)"""
        ).fetchone()
        == (0,)
    )
