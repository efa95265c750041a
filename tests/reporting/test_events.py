"""The roll-forward names exactly the events that happened, and SQL over the same files finds the same figures."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reporting.ledger_judge import OPTIONS, assert_ledger
from tests.reporting.support import CLOSING, OPENING, Account

if TYPE_CHECKING:
    from collections.abc import Callable

ALL = ("issued", "topped_up", "redeemed", "expired", "deactivated", "reactivated", "vanished", "moved")
DURING = OPENING + timedelta(days=12)
STORIES = (
    "nothing",
    "redeem",
    "redeem all",
    "top up",
    "expire",
    "expire and sweep",
    "deactivate",
    "reactivate",
    "vanish",
    "issue",
    "issue empty",
    "issue and deactivate",
    "issue and expire",
    "put expiry off",
    "move",
    "move and redeem",
    "redeem and deactivate",
    "redeem and expire",
    "stay expired",
    "stay inactive",
    "sweep long expired",
)


@st.composite
def casts(draw: st.DrawFn) -> list[tuple[str, int, int, str, int]]:
    """Cards to be: story, balance, share of it that moves, program, days to live."""
    one = st.tuples(
        st.sampled_from(STORIES),
        st.integers(2, 500_000),
        st.integers(1, 99),
        st.sampled_from(["p-1", "p-2"]),
        st.sampled_from([None, 45, 60, 61, 91, 122, 200, 395, 396, 2_000, 2_900_000]),
    )
    return draw(st.lists(one, min_size=1, max_size=40))


def begin(account: Account, uuid: str, story: str, cents: int, program: str, life: int | None) -> None:
    """Put a card into the account as it stands at opening."""
    if story.startswith("issue"):
        return
    expires: datetime | None = None if life is None else OPENING + timedelta(days=life)
    if "expire" in story and story != "stay expired":
        expires = DURING
    if story in {"stay expired", "put expiry off", "sweep long expired"}:
        expires = OPENING - timedelta(days=3)
    account.add(uuid, cents, expires=expires, program=program, active=story not in {"reactivate", "stay inactive"})


def play(account: Account, uuid: str, story: str, cents: int, part: int, program: str) -> None:
    """Let the card's story happen between the snapshots and note what a report has to say of it."""
    some = max(1, cents * part // 100)
    if story.startswith("issue"):
        amount = 0 if story == "issue empty" else cents
        expires = DURING if story == "issue and expire" else CLOSING + timedelta(days=400)
        account.add(uuid, amount, program=program, expires=expires, active=story != "issue and deactivate")
        account.note("issued", uuid, amount)
        if story == "issue and deactivate":
            account.note("deactivated", uuid, cents)
        if story == "issue and expire":
            account.note("expired", uuid, cents)
        return
    card = account.cards[uuid]
    if "move" in story:
        card.program = "p-2" if program == "p-1" else "p-1"
        account.note("moved", uuid, cents)
    if "redeem" in story:
        some = cents if story == "redeem all" else min(some, cents - 1)
        card.cents -= some
        account.note("redeemed", uuid, some)
    match story:
        case "top up":
            card.cents += some
            account.note("topped_up", uuid, some)
        case "expire and sweep":
            card.cents = 0
            account.note("expired", uuid, cents)
        case "expire" | "redeem and expire":
            account.note("expired", uuid, card.cents)
        case "deactivate" | "redeem and deactivate":
            card.active = False
            account.note("deactivated", uuid, card.cents)
        case "reactivate":
            card.active = True
            account.note("reactivated", uuid, cents)
        case "put expiry off":
            card.expires = CLOSING + timedelta(days=365)
            account.note("reactivated", uuid, cents)
        case "sweep long expired":
            card.cents = 0
        case "vanish":
            del account.cards[uuid]
            account.note("vanished", uuid, cents)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cast=casts())
def test_report_names_exactly_what_happened(cast: list[Any], figures: Callable[..., dict[str, Any]]) -> None:
    """Every event stands in its list with its card and amount, nothing else does, and the roll-forward closes."""
    account = Account()
    with tempfile.TemporaryDirectory() as folder:
        for index, (story, cents, _, program, life) in enumerate(cast):
            begin(account, f"c-{index}", story, cents, program, life)
        opening = account.export(Path(folder, "opening.parquet"), OPENING)
        for index, (story, cents, part, program, _) in enumerate(cast):
            play(account, f"c-{index}", story, cents, part, program)
        closing = account.export(Path(folder, "closing.parquet"), CLOSING)
        journal = Path(folder, "journal.csv")
        found = figures(
            opening, closing, *(option for kind in ALL for option in ("--list", kind)), "--to", journal, *OPTIONS
        )
        assert_ledger(found, journal)
        listed = {
            kind: {card["giftcard_uuid"]: card["cents"] for card in cards}
            for kind, cards in found["lists"].items()
            if cards
        }
        assert listed == account.happened
        roll = found["roll_forward"]
        for kind in ALL[:-1]:
            assert roll[kind] == sum(account.happened.get(kind, {}).values())
            assert roll["cards"][kind] == len(account.happened.get(kind, {}))
        for line in (roll, *roll["by_program"]):
            added = line["issued"] + line["topped_up"] + line["reactivated"] + line.get("moved", 0)
            taken = line["redeemed"] + line["expired"] + line["deactivated"] + line["vanished"]
            assert line["opening"] + added - taken == line["closing"]
            assert line["residual"] == 0
        assert_equals_sql(found, opening, closing)


def assert_equals_sql(found: dict[str, Any], opening: Path, closing: Path) -> None:
    """Compare with figures that DuckDB computes from the same Parquet."""
    judge = duckdb.connect()
    judge.execute("SET TimeZone = 'UTC'")
    for name, path, moment in (("o", opening, OPENING), ("c", closing, CLOSING)):
        judge.execute(
            f"CREATE VIEW {name} AS SELECT *, CASE WHEN expiration_date <= TIMESTAMPTZ '{moment.isoformat()}' "
            f"THEN 'expired' WHEN active THEN 'outstanding' ELSE 'inactive' END AS state FROM read_parquet('{path}')"
        )
    sums = "SUM(amount_in_cents) FILTER (state = 'outstanding'), SUM(amount_in_cents) FILTER (state = 'expired'), \
        SUM(amount_in_cents) FILTER (state = 'inactive'), SUM(amount_in_cents), \
        COUNT(*) FILTER (state = 'outstanding' AND amount_in_cents <> 0)"
    keys = ("outstanding_cents", "expired_cents", "inactive_cents", "total_cents", "cards")
    liability = found["liability"]
    (row,) = judge.execute(f"SELECT {sums} FROM c").fetchall()
    assert [liability[key] for key in keys] == [value or 0 for value in row]
    by_program = judge.execute(f"SELECT giftcard_program_uuid, {sums} FROM c GROUP BY ALL").fetchall()
    assert {line["program_uuid"]: [line[key] for key in keys] for line in liability["by_program"]} == {
        uuid: [value or 0 for value in values] for uuid, *values in by_program
    }
    today = "DATE '2026-11-30'"
    day = "(expiration_date AT TIME ZONE 'Europe/Amsterdam')::DATE"
    ladder = judge.execute(
        f"SELECT CASE WHEN state = 'expired' THEN 'overdue' WHEN expiration_date IS NULL THEN 'never' "
        f"WHEN {day} - {today} <= 30 THEN '<=30' WHEN {day} - {today} <= 60 THEN '31-60' WHEN {day} - {today} <= 90 "
        f"THEN '61-90' WHEN {day} - {today} <= 180 THEN '91-180' WHEN {day} - {today} <= 365 THEN '181-365' "
        "ELSE 'later' END AS rung, COUNT(*) FILTER (amount_in_cents <> 0), SUM(amount_in_cents) FROM c "
        "WHERE state <> 'inactive' GROUP BY ALL"
    ).fetchall()
    expected = {rung: (cards, cents) for rung, cards, cents in ladder}
    for step in found["expiry"]:
        assert (step["cards"], step["balance_cents"]) == expected.get(step["bucket"], (0, 0))
    (flows,) = judge.execute(
        """SELECT
        SUM(CASE WHEN o.state = 'outstanding' THEN o.amount_in_cents END),
        SUM(CASE WHEN o.giftcard_uuid IS NULL THEN c.amount_in_cents END),
        SUM(CASE WHEN o.state = 'outstanding' AND c.giftcard_uuid IS NULL THEN o.amount_in_cents END),
        SUM(CASE WHEN c.state = 'outstanding' THEN c.amount_in_cents END),
        SUM(CASE WHEN c.state = 'outstanding' AND o.state <> 'outstanding' THEN o.amount_in_cents END)
        FROM o FULL JOIN c USING (giftcard_uuid)"""
    ).fetchall()
    roll = found["roll_forward"]
    named = [roll[key] for key in ("opening", "issued", "vanished", "closing", "reactivated")]
    assert named == [value or 0 for value in flows]
