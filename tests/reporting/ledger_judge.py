"""SQL over a journal, held against the roll-forward that it books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

MOVES = ("issued", "topped_up", "redeemed", "reversed", "expired", "deactivated", "reactivated", "vanished")
ADDS = {"issued", "topped_up", "reversed", "reactivated"}
ACCOUNTS = {
    "outstanding": "2210",
    **{name: f"8{n:03d}" for n, name in enumerate(MOVES)},
    "unexplained": "8900",
    "residual": "8999",
}
OPTIONS = [part for name, code in ACCOUNTS.items() for part in ("--account", f"{name}={code}")]


def assert_ledger(figures: dict[str, Any], journal: Path) -> None:
    """Debit equals credit to the cent; the liability's lines are each program's change; every movement is booked."""
    judge = duckdb.connect()
    judge.execute(
        f"""CREATE VIEW j AS SELECT * REPLACE (CAST(debit AS DECIMAL(18, 2)) AS debit,
        CAST(credit AS DECIMAL(18, 2)) AS credit, CAST(amount AS DECIMAL(18, 2)) AS amount)
        FROM read_csv('{journal}', all_varchar = true, header = true)"""
    )
    (sums,) = judge.execute("SELECT COALESCE(SUM(debit), 0), COALESCE(SUM(credit), 0), SUM(amount) FROM j").fetchall()
    assert sums[0] == sums[1]
    assert not sums[2]
    assert judge.execute("SELECT COUNT(*) FROM j WHERE (debit IS NULL) = (credit IS NULL)").fetchone() == (0,)
    roll = figures["roll_forward"]
    changes = judge.execute(
        "SELECT program_uuid, CAST(SUM(-amount) * 100 AS BIGINT) FROM j WHERE account = '2210' GROUP BY ALL"
    ).fetchall()
    wanted = {line["program_uuid"]: line["closing"] - line["opening"] for line in roll["by_program"]}
    assert {uuid or None: cents for uuid, cents in changes} == {
        uuid: cents for uuid, cents in wanted.items() if cents or uuid in {u or None for u, _ in changes}
    }
    for name in (*MOVES, "unexplained", "residual"):
        (booked,) = judge.execute(
            "SELECT COALESCE(CAST(SUM(amount) * 100 AS BIGINT), 0) FROM j WHERE account = ? AND movement = ?",
            [ACCOUNTS[name], name],
        ).fetchone() or (None,)
        sign = -1 if name in MOVES and name not in ADDS else 1
        assert booked == sign * roll[name], name
