"""Cards by month of issue: SQL over the same snapshots finds the same figures."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from piggy_batch.reporting.snapshot_store import Store
from tests.reporting.support import Account, Run, place

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
Figures = Callable[..., dict[str, Any]]
MONTHS = [datetime(2026, month, 28, 20, tzinfo=UTC) for month in (7, 8, 9, 10)]
CHANGES = ("none", "spend", "load", "off", "on", "gone", "sweep", "renew")


@st.composite
def lives(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Cards: in which snapshot each is first seen, with what, and what happens to it before each later one."""
    one = st.fixed_dictionaries(
        {
            "first": st.integers(0, 3),
            "cents": st.integers(0, 50_000),
            "days": st.sampled_from([None, 10, 40, 75, 500]),
            "changes": st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(1, 100)), min_size=3, max_size=3),
        }
    )
    return draw(st.lists(one, min_size=1, max_size=20))


def change(account: Account, uuid: str, kind: str, part: int, moment: datetime) -> None:
    """What happens to a card before a snapshot."""
    card = account.cards.get(uuid)
    if card is None:
        return
    match kind:
        case "spend":
            card.cents -= card.cents * part // 100
        case "load":
            card.cents += part * 100
        case "off" | "on":
            card.active = kind == "on"
        case "gone":
            del account.cards[uuid]
        case "sweep":
            card.cents, card.expires = 0, moment - timedelta(days=1)
        case "renew":
            card.expires = moment + timedelta(days=300)


def build(folder: Path, cast: list[dict[str, Any]]) -> Path:
    """Four snapshots of the cards' lives."""
    account, store = Account(), Store(folder / "store", AMSTERDAM)
    for number, moment in enumerate(MONTHS):
        for index, life in enumerate(cast):
            uuid = f"c-{index}"
            if life["first"] == number:
                expires = None if life["days"] is None else moment + timedelta(days=life["days"])
                account.add(uuid, life["cents"], expires=expires)
            elif life["first"] < number:
                change(account, uuid, *life["changes"][number - 1], moment)
        place(store, account.export(folder / "x.parquet", moment), account.summary(moment))
    return store.root


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cast=lives())
def test_cohorts_equal_sql(cast: list[dict[str, Any]], figures: Figures) -> None:
    """Every card stands in the month in which it was first seen; issued, redeemed, expired and outstanding add up."""
    with tempfile.TemporaryDirectory() as name:
        root = build(Path(name), cast)
        found = figures("--store", root, "--cohorts", "--no-cohorts", "--cohorts")
        for line in found["cohorts"]:
            kept = line["issued"] - line["redeemed"] - line["expired"] + line["other"]
            assert kept == line["outstanding"]
        assert sum(line["outstanding"] for line in found["cohorts"]) == found["liability"]["outstanding_cents"]
        names = ("cards", "issued", "redeemed", "expired", "outstanding", "never_used_cards", "never_used_issued")
        shown = {line["month"]: tuple(line[key] for key in names) for line in found["cohorts"]}
        assert shown == by_sql(root)
        assert [line["earlier"] for line in found["cohorts"]] == [month == "2026-07" for month in shown]


def by_sql(root: Path) -> dict[str, tuple[int, ...]]:
    """The same from SQL: each card's state and balance at each snapshot beside those at the one before."""
    judge = duckdb.connect()
    judge.execute("SET TimeZone = 'UTC'")
    moments = ", ".join(f"({n}, TIMESTAMPTZ '{moment.isoformat()}')" for n, moment in enumerate(MONTHS))
    judge.execute(f"CREATE TABLE m AS SELECT * FROM (VALUES {moments}) AS t(n, moment)")
    judge.execute(
        f"""CREATE VIEW seen AS SELECT giftcard_uuid AS card, n, amount_in_cents AS cents,
        CASE WHEN expiration_date <= moment THEN 'exp' WHEN active THEN 'out' ELSE 'ina' END AS state
        FROM read_parquet('{root}/*/*.parquet', hive_partitioning = true)
        JOIN m ON strftime(moment, '%Y-%m-%d') = date"""
    )
    judge.execute(
        """CREATE VIEW steps AS SELECT card, n, COALESCE(s.state, 'none') AS now, COALESCE(s.cents, 0) AS after,
        COALESCE(LAG(s.state) OVER w, 'none') AS was, COALESCE(LAG(s.cents) OVER w, 0) AS before
        FROM (SELECT DISTINCT card FROM seen) CROSS JOIN m LEFT JOIN seen s USING (card, n)
        WINDOW w AS (PARTITION BY card ORDER BY n)"""
    )
    judge.execute(
        """CREATE VIEW moves AS SELECT card, n, now, after,
        CASE WHEN was = 'none' THEN after
             WHEN was = 'out' AND now IN ('out', 'ina', 'exp') AND NOT (now = 'exp' AND after = 0) THEN
                GREATEST(after - before, 0)
             WHEN was IN ('exp', 'ina') AND now = 'out' THEN GREATEST(after - before, 0) ELSE 0 END AS issued,
        CASE WHEN was = 'out' AND now <> 'none' AND NOT (now = 'exp' AND after = 0) THEN GREATEST(before - after, 0)
             WHEN was IN ('exp', 'ina') AND now = 'out' THEN GREATEST(before - after, 0) ELSE 0 END AS redeemed,
        CASE WHEN was = 'out' AND now = 'exp' THEN CASE WHEN after = 0 THEN before ELSE after END
             WHEN was = 'none' AND now = 'exp' THEN after ELSE 0 END AS expired FROM steps"""
    )
    rows = judge.execute(
        """WITH per AS (SELECT card, SUM(issued) AS issued, SUM(redeemed) AS redeemed, SUM(expired) AS expired,
            SUM(CASE WHEN n = 3 AND now = 'out' THEN after ELSE 0 END) AS outstanding FROM moves GROUP BY card),
        first AS (SELECT card, MIN(n) AS n FROM seen GROUP BY card)
        SELECT strftime(moment, '%Y-%m'), COUNT(*), SUM(issued), SUM(redeemed), SUM(expired), SUM(outstanding),
            COUNT(*) FILTER (redeemed = 0), COALESCE(SUM(issued) FILTER (redeemed = 0), 0)
        FROM per JOIN first USING (card) JOIN m USING (n) GROUP BY 1 ORDER BY 1"""
    ).fetchall()
    return {month: tuple(map(int, values)) for month, *values in rows}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two cards of July, one of them never used, and two of September."""
    nothing, spend = [("none", 1)] * 3, [("none", 1), ("spend", 60), ("none", 1)]
    return build(
        tmp_path,
        [
            {"first": 0, "cents": 10_000, "days": None, "changes": nothing},
            {"first": 0, "cents": 30_000, "days": None, "changes": spend},
            {"first": 2, "cents": 5_000, "days": None, "changes": nothing},
            {"first": 2, "cents": 7_000, "days": None, "changes": nothing},
        ],
    )


def test_what_was_left_month_by_month(store: Path, figures: Figures, report: Run, tmp_path: Path) -> None:
    """The heat map's shares are outstanding in percent of issued after each month; the page shades them."""
    july, september = figures("--store", store)["cohorts"]
    assert [(left["months"], left["percent"]) for left in july["left"]] == [(0, 100), (1, 100), (2, 55), (3, 55)]
    assert [(left["months"], left["percent"]) for left in september["left"]] == [(0, 100), (1, 100)]
    page = tmp_path / "r.html"
    report("--store", store, "--to", page)
    assert "Cards by month of issue" in page.read_text()
    assert 'class="number heat4">55</td>' in page.read_text()


def test_breakage_is_an_estimate_that_has_to_be_asked_for(
    store: Path, figures: Figures, report: Run, tmp_path: Path
) -> None:
    """Of July's 400.00, 100.00 were never used: a quarter of what is outstanding on September's cards. The page gives
    the method; unasked there is none."""
    assert figures("--store", store)["breakage"] is None
    found = figures("--store", store, "--breakage-months", 3)["breakage"]
    assert (found["issued"], found["never_used_issued"], found["young_outstanding"]) == (40_000, 10_000, 12_000)
    assert found["estimate"] == 3_000
    page = tmp_path / "r.html"
    report("--store", store, "--to", page, "--breakage-months", "3")
    assert "An estimate, not a booking. Method: of all cards issued at least 3 months before" in page.read_text()


def test_transactions_tell_the_month_of_issue(tmp_path: Path, figures: Figures) -> None:
    """A card of the first snapshot stands in the month of its first load; where its whole history is in the file, what
    was put on and spent is gross."""
    account, store = Account(), Store(tmp_path / "store", AMSTERDAM)
    account.add("c-1", 3_000)
    account.add("c-2", 4_000)
    account.transact("c-1", 10_000, datetime(2026, 5, 3, tzinfo=UTC))
    account.transact("c-1", -7_000, datetime(2026, 6, 3, tzinfo=UTC))
    for moment in MONTHS:
        place(store, account.export(tmp_path / "x.parquet", moment), account.summary(moment))
    moves = account.write_transactions(tmp_path / "t.parquet")
    found = figures("--store", store.root, "--transactions", moves)["cohorts"]
    assert [(c["month"], c["cards"], c["issued"], c["redeemed"], c["outstanding"]) for c in found] == [
        ("2026-05", 1, 10_000, 7_000, 3_000),
        ("2026-07", 1, 4_000, 0, 4_000),
    ]


def test_cohorts_come_unasked_with_three_snapshots(store: Path, figures: Figures) -> None:
    """Two snapshots tell no history; --cohorts insists, --no-cohorts leaves them out."""
    assert figures("--store", store, "--no-cohorts")["cohorts"] == []
    assert figures("--store", store, "--as-of", "2026-08-28")["cohorts"] == []
    assert len(figures("--store", store, "--as-of", "2026-08-28", "--cohorts")["cohorts"]) == 1
