"""Two snapshots of 2,000,000 cards: how long a report with its journal entry takes and how much memory it needs.

``prove(scale)`` makes the snapshots, runs the command in a process of its own and returns figures; at scale 1 they must
stay under 60 s and 2 GiB on two cores.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from piggy_batch.reporting.ledger import ACCOUNT_NAMES
from piggy_batch.reporting.snapshot import SCHEMA

FULL = 2_000_000  # cards per snapshot at scale 1
MOST_SECONDS = 60.0
MOST_BYTES = 2 << 30
_PROGRAMS = 40
_OPENING = datetime(2026, 10, 31, 22, 30, tzinfo=UTC)
_CLOSING = datetime(2026, 11, 30, 22, 30, tzinfo=UTC)
_RUN = """
import json, resource, sys, time
from click.testing import CliRunner  # no test double: it only takes the arguments
from piggy_batch.cli.commands.report import report_command
begun = time.perf_counter()
result = CliRunner().invoke(report_command, sys.argv[1:])
taken = time.perf_counter() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
figures = {"exit_code": result.exit_code, "output": result.output[-500:], "seconds": taken, "peak_rss_bytes": peak}
print(json.dumps(figures))
"""


def prove(scale: float) -> dict[str, float | int | bool]:
    """Report on two snapshots of ``scale`` x 2,000,000 cards as HTML, xlsx and JSON; figures, and whether they hold."""
    cards = max(100, int(FULL * scale))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        opening, closing = root / "opening.parquet", root / "closing.parquet"
        known = _account(cards)
        _write(opening, known, _OPENING)
        redeemed = _month(known)
        _write(closing, known, _CLOSING)
        targets = [root / f"report.{suffix}" for suffix in ("html", "xlsx", "json")]
        journal = root / "journal.csv"
        options = [part for target in (*targets, journal) for part in ("--to", str(target))]
        options += [part for name in ACCOUNT_NAMES for part in ("--account", f"{name}=1{len(name):03d}")]
        begun = time.perf_counter()
        run = subprocess.run(
            [sys.executable, "-c", _RUN, str(opening), str(closing), *options, "--expect-closed"],
            capture_output=True,
            text=True,
            check=True,
        )
        wall = time.perf_counter() - begun
        figures = json.loads(run.stdout)
        if figures["exit_code"] != 0:
            raise RuntimeError(figures["output"])
        report = json.loads(targets[-1].read_text())
        with journal.open(newline="") as file:
            booked = [(line["movement"], round(float(line["amount"]) * 100)) for line in csv.DictReader(file)]
    roll = report["roll_forward"]
    correct = roll["redeemed"] == redeemed and roll["residual"] == 0 and not sum(cents for _, cents in booked)
    correct = correct and sum(cents for name, cents in booked if name == "redeemed" and cents > 0) == redeemed
    fast = wall <= MOST_SECONDS and figures["peak_rss_bytes"] <= MOST_BYTES
    return {
        "cards_per_snapshot": cards,
        "wall_s": round(wall, 2),
        "report_s": round(figures["seconds"], 2),
        "peak_rss_mib": figures["peak_rss_bytes"] >> 20,
        "correct": correct,
        "ok": correct and fast,
    }


def _account(cards: int) -> dict[str, np.ndarray]:
    """``cards`` cards as columns: uuids as four random words, balances, programs, expiry in days from the opening."""
    chance = np.random.default_rng(7)
    return {
        "words": chance.integers(0, 1 << 32, size=(cards, 4), dtype=np.uint64),
        "amount": np.where(chance.random(cards) < 0.2, 0, chance.integers(1, 400, cards) * 25).astype(np.int64),
        "program": chance.integers(0, _PROGRAMS, cards).astype(np.int32),
        "active": chance.random(cards) > 0.02,
        "expires_day": np.where(chance.random(cards) < 0.1, 100_000, chance.integers(40, 1500, cards)),
    }


def _month(known: dict[str, np.ndarray]) -> int:
    """Let a month pass: a tenth of the cards is spent from, some are new; returns the cents redeemed."""
    chance = np.random.default_rng(8)
    amount = known["amount"]
    spent = np.where((chance.random(len(amount)) < 0.1) & known["active"], amount // 2, 0)
    known["amount"] = amount - spent
    new = _account(max(1, len(amount) // 50))
    new["words"][:, 0] ^= np.uint64(0xFFFFFFFF)
    for name in known:
        known[name] = np.concatenate([known[name], new[name]])
    return int(spent.sum())


def _uuid(a: int, b: int, c: int, d: int) -> str:
    return f"{a:08x}-{b & 0xFFFF:04x}-4000-8000-{c:08x}{d & 0xFFFF:04x}"


def _write(path: Path, known: dict[str, np.ndarray], moment: datetime) -> None:
    """The account as an export of ``moment`` with a summary that agrees."""
    count = len(known["amount"])
    programs = [f"00000000-0000-4000-8000-{index:012d}" for index in range(_PROGRAMS)]
    names = [f"Program {index}" for index in range(_PROGRAMS)]
    expires = (_OPENING.timestamp() + known["expires_day"] * 86_400).astype(np.int64) * 1_000_000
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as sink:
        for begin in range(0, count, 100_000):
            part = slice(begin, begin + 100_000)
            uuids = [_uuid(*words) for words in known["words"][part].tolist()]
            size = len(uuids)
            never = known["expires_day"][part] == 100_000
            columns = [
                pa.array(uuids),
                pa.array(["DIGITAL"] * size),
                pa.array([uuid[:9] for uuid in uuids]),
                pa.array(known["amount"][part]),
                pa.array(known["active"][part]),
                pa.array([True] * size),
                pa.array(expires[part], mask=never).cast(SCHEMA.field("expiration_date").type),
                pa.array(np.array(programs)[known["program"][part]]),
                pa.array(np.array(names)[known["program"][part]]),
                pa.array([moment] * size, SCHEMA.field("read_at").type),
            ]
            sink.write_table(pa.table(columns, schema=SCHEMA))
    summary = {
        "verdict": "agreed",
        "agreed": True,
        "cards": count,
        "account": "a-1",
        "program_uuids": [],
        "moment": moment.isoformat(),
    }
    path.with_name(f"{path.name}.summary.json").write_text(json.dumps(summary))


if __name__ == "__main__":
    print(json.dumps(prove(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)))
