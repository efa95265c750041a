"""Transactions beside snapshots: what they did, by shop and month, and which cards differ."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from piggy_batch.endpoints.exportable_lists import TRANSACTIONS
from piggy_batch.exporting.output import columns_of
from piggy_batch.tables import open_writer
from tests.reporting.support import CLOSING, OPENING, Account, Run, write_transactions_summary

if TYPE_CHECKING:
    from pathlib import Path

Figures = Callable[..., dict[str, Any]]
NOVEMBER = datetime(2026, 11, 10, 9, tzinfo=UTC)


class Month:
    """An account at opening; the test plays the month and asks for the reconciliation."""

    def __init__(self, folder: Path, figures: Figures) -> None:
        self.account, self.folder, self.figures = Account(), folder, figures
        for number in range(1, 6):
            self.account.add(f"c-{number}", 10_000)
        self.opening = self.account.export(folder / "a.parquet", OPENING)

    def close(self, transactions: Path | None = None) -> dict[str, Any]:
        """Export the closing snapshot and reconcile; the JSON's ``transactions`` and ``notices``."""
        closing = self.account.export(self.folder / "b.parquet", CLOSING)
        path = transactions or self.account.write_transactions(self.folder / "t.parquet")
        found = self.figures(self.opening, closing, "--transactions", path)
        return {**found["transactions"], "notices": found["notices"], "sources": found["sources"]}


@pytest.fixture
def month(tmp_path: Path, figures: Figures) -> Month:
    """Five cards with 100.00 each, nothing has happened."""
    return Month(tmp_path, figures)


def test_everything_agrees(month: Month) -> None:
    """Loads, purchases, an expiry sweep and a reversal: both sides say the same and no card differs."""
    account = month.account
    account.add("c-6", 5_000)
    account.transact("c-6", 5_000, NOVEMBER)
    account.cards["c-1"].cents -= 1_500
    account.transact("c-1", -1_500, NOVEMBER, shop="s-2")
    account.cards["c-2"].cents, account.cards["c-2"].expires = 0, NOVEMBER
    account.transact("c-2", -10_000, NOVEMBER, kind="EXPIRED")
    account.transact("c-3", -700, NOVEMBER)
    account.transact("c-3", 700, NOVEMBER + timedelta(hours=1))
    found = month.close()
    assert found["differences"] == []
    assert [side["difference_cents"] for side in found["side_by_side"]] == [0, 0, 0, 0]
    totals = found["totals"]
    assert (totals["issued_cents"], totals["redeemed_cents"], totals["expired_cents"], totals["reversed_cents"]) == (
        5_000,
        2_200,
        10_000,
        700,
    )
    assert totals["net_cents"] == -6_500


def test_shops_and_months_are_local(month: Month) -> None:
    """A purchase of 23:30 UTC on 31 October belongs to November in Amsterdam; flows come per month and shop."""
    month.account.transact("c-1", -100, datetime(2026, 10, 31, 23, 30, tzinfo=UTC), shop="s-1")
    month.account.transact("c-1", -200, datetime(2026, 10, 31, 22, 30, tzinfo=UTC), shop="s-1")
    month.account.transact("c-2", -300, NOVEMBER, shop="s-2")
    flows = month.close()["by_shop_and_month"]
    assert [(f["month"], f["shop_uuid"], f["shop_name"], f["redeemed_cents"], f["transactions"]) for f in flows] == [
        ("2026-10", "s-1", "Shop s-1", 200, 1),
        ("2026-11", "s-1", "Shop s-1", 100, 1),
        ("2026-11", "s-2", "Shop s-2", 300, 1),
    ]


def test_differences_are_listed_card_by_card(month: Month) -> None:
    """A change without a transaction, one without a change, a vanished card and a stranger: each has a line."""
    account = month.account
    account.cards["c-1"].cents -= 400
    account.transact("c-2", -250, NOVEMBER)
    del account.cards["c-3"]
    account.transact("c-99", 125, NOVEMBER)
    found = month.close()
    listed = {d["giftcard_uuid"]: (d["difference_cents"], d["remark"]) for d in found["differences"]}
    assert listed == {
        "c-3": (10_000, "no longer listed"),
        "c-1": (400, "no transaction"),
        "c-2": (-250, "amounts differ"),
        "c-99": (125, "in neither snapshot"),
    }
    assert [d["giftcard_uuid"] for d in found["differences"]] == ["c-3", "c-1", "c-2", "c-99"], "largest first"


def test_reading_times_bound_each_card(month: Month) -> None:
    """A purchase after a card's reading belongs to the next period, one during the walk before it to this."""
    account = month.account
    account.cards["c-1"].read_at = CLOSING + timedelta(minutes=10)
    account.cards["c-1"].cents -= 300
    account.transact("c-1", -300, CLOSING + timedelta(minutes=5))
    account.transact("c-2", -900, CLOSING + timedelta(minutes=5))
    account.transact("c-4", -900, OPENING - timedelta(days=1))
    found = month.close()
    assert found["differences"] == []
    assert found["outside_period"] == 2


def test_duplicates_count_once(month: Month) -> None:
    """A row that a shifting list gave twice counts once, and it is said."""
    month.account.cards["c-1"].cents -= 300
    month.account.transact("c-1", -300, NOVEMBER)
    month.account.transactions.append(dict(month.account.transactions[0]))
    found = month.close()
    assert found["totals"]["redeemed_cents"] == 300
    assert "t.parquet: 1 transactions stood in the file more than once; each counts once" in found["notices"]


def test_old_rows_without_uuids(month: Month) -> None:
    """A null card uuid is found by the card's id in a newer row, else the row counts in totals but for no card."""
    account = month.account
    account.cards["c-1"].cents -= 500
    account.transact("c-1", -200, NOVEMBER, transaction_uuid=None, giftcard_uuid=None)
    account.transact("c-1", -300, NOVEMBER + timedelta(hours=2))
    account.transact(None, -50, NOVEMBER, transaction_uuid=None, giftcard_id=77)
    found = month.close()
    assert found["differences"] == []
    assert (found["without_card"], found["without_card_cents"]) == (1, -50)
    assert found["totals"]["redeemed_cents"] == 550
    assert any(
        "2 old rows without a card uuid; 1 found by their card id, 1 stay without" in n for n in found["notices"]
    )


def test_roll_forward_is_gross_where_transactions_are_given(month: Month, report: Run) -> None:
    """Issued 100 and spent 60 is not issued 40; a card spent before it expired did not expire with its money; each flow
    in which snapshots and transactions differ is listed, whether or not the card's change agrees."""
    account = month.account
    account.add("c-6", 4_000)
    account.transact("c-6", 10_000, NOVEMBER)
    account.transact("c-6", -6_000, NOVEMBER + timedelta(hours=2))
    account.cards["c-1"].cents, account.cards["c-1"].expires = 0, NOVEMBER + timedelta(days=9)
    account.transact("c-1", -10_000, NOVEMBER)
    account.cards["c-2"].cents, account.cards["c-2"].expires = 2_500, NOVEMBER + timedelta(days=9)
    account.transact("c-2", -7_500, NOVEMBER)
    account.transact("c-3", -700, NOVEMBER)
    account.transact("c-3", 700, NOVEMBER + timedelta(hours=1))
    found = month.close()
    roll = month.figures(
        month.opening, month.folder / "b.parquet", "--transactions", month.folder / "t.parquet", "--list", "redeemed"
    )["roll_forward"]
    assert roll["basis"] == "transactions"
    assert (roll["issued"], roll["redeemed"], roll["reversed"], roll["expired"]) == (10_000, 24_200, 700, 2_500)
    assert (roll["unexplained"], roll["residual"], roll["closing"]) == (0, 0, 34_000)
    net = month.figures(month.opening, month.folder / "b.parquet")
    assert net["roll_forward"]["basis"] == "snapshots"
    assert (net["roll_forward"]["issued"], net["roll_forward"]["expired"]) == (4_000, 12_500)
    assert any("1 card expired between the snapshots, with nothing left now" in notice for notice in net["notices"])
    assert found["differences"] == []
    assert found["reconciled"] is True
    assert {(d["giftcard_uuid"], d["flow"]): d["difference_cents"] for d in found["flow_differences"]} == {
        ("c-6", "put_on"): 6_000,
        ("c-6", "spent"): 6_000,
        ("c-1", "expired"): -10_000,
        ("c-1", "spent"): 10_000,
        ("c-2", "expired"): -2_500,
    }
    spent = next(side for side in found["side_by_side"] if side["flow"] == "spent")
    assert (spent["more_cents"], spent["less_cents"], spent["cards_differing"]) == (16_000, 0, 2)
    files = [month.opening, month.folder / "b.parquet", "--transactions", month.folder / "t.parquet"]
    page = month.folder / "r.html"
    assert report(*files, "--expect-reconciled", "--expect-closed", "--quiet", "--to", page).exit_code == 0
    told = re.search(r"<dt>Redeemed less undone</dt><dd><span class=\"value\">(.*?)</span>", page.read_text())
    assert told
    assert told[1] == "€235.00", "242.00 redeemed, of which 7.00 was undone"


def test_page_shows_what_is_open_before_what_agrees(month: Month, report: Run) -> None:
    """Cards loaded and spent from differ in their flows and agree in their change: few of them stand on the page, after
    those that are open; workbook and JSON hold all."""
    for number in range(100, 160):
        month.account.add(f"c-{number}", 4_000)
        month.account.transact(f"c-{number}", 10_000, NOVEMBER)
        month.account.transact(f"c-{number}", -6_000, NOVEMBER + timedelta(hours=2))
    month.account.cards["c-1"].cents -= 5
    flows = month.close()["flow_differences"]
    assert (len(flows), flows[0]["giftcard_uuid"], flows[0]["remark"]) == (121, "c-1", "no transaction")
    page, book = month.folder / "r.html", month.folder / "r.xlsx"
    files = [month.opening, month.folder / "b.parquet", "--transactions", month.folder / "t.parquet"]
    report(*files, "--to", page, "--to", book)
    assert "81 more rows are in the workbook and the JSON of this report." in page.read_text()
    assert openpyxl.load_workbook(book)["Differences by flow"].max_row == 122


def test_change_without_a_transaction_is_neither_issued_nor_redeemed(month: Month, report: Run) -> None:
    """It stands on a line of its own, so that the roll-forward closes and the exit code tells."""
    month.account.cards["c-1"].cents -= 400
    month.account.cards["c-2"].cents += 250
    month.close()
    files = [month.opening, month.folder / "b.parquet", "--transactions", month.folder / "t.parquet"]
    roll = month.figures(*files)["roll_forward"]
    assert (roll["redeemed"], roll["topped_up"], roll["unexplained"], roll["residual"]) == (0, 0, -150, 0)
    assert roll["cards"]["unexplained"] == 2
    result = report(*files, "--expect-reconciled", "--quiet")
    assert result.exit_code == 1
    assert "transactions do not account for every card" in result.stderr
    cards, book = month.folder / "cards.parquet", month.folder / "cards.xlsx"
    report(*files, "--list", "all", "--to", cards, "--to", book)
    listed = [row for row in pq.read_table(cards).to_pylist() if row["figure"] == "unexplained"]
    assert {row["giftcard_uuid"]: row["cents"] for row in listed} == {"c-1": -400, "c-2": 250}
    assert openpyxl.load_workbook(book)["Cards without transaction"].max_row == 3
    refused(report(*files[:2], "--list", "unexplained"), "--list unexplained: compares with transactions")
    page = month.folder / "r.html"
    told = report(*files, "--to", page)
    assert "2 cards in EUR changed by another amount than transactions say" in told.stderr
    assert 'class="verdict warn"' in page.read_text(), "such a month is not green"


def test_reconciliation_needs_transactions(month: Month, report: Run) -> None:
    """--expect-reconciled alone would promise what nobody looked at."""
    month.close()
    refused(report(month.opening, month.folder / "b.parquet", "--expect-reconciled"), "--transactions FILE")


def test_same_amount_two_weeks_later_is_no_reversal(month: Month) -> None:
    """A till undoes a purchase within the day; later the same amount in the same shop is money put on again."""
    account = month.account
    account.transact("c-1", -700, NOVEMBER)
    account.transact("c-1", 700, NOVEMBER + timedelta(days=15))
    account.transact("c-2", -700, NOVEMBER)
    account.transact("c-2", 700, NOVEMBER + timedelta(hours=24))
    totals = month.close()["totals"]
    assert (totals["issued_cents"], totals["redeemed_cents"], totals["reversed_cents"]) == (700, 1_400, 700)


def test_load_after_a_purchase_elsewhere_is_no_reversal(month: Month) -> None:
    """Only what exactly undoes the row before, on the same card in the same shop, is reversed; and only once."""
    account = month.account
    account.transact("c-1", -700, NOVEMBER, shop="s-1")
    account.transact("c-1", 700, NOVEMBER + timedelta(hours=1), shop="s-2")
    account.transact("c-2", -700, NOVEMBER)
    account.transact("c-2", 600, NOVEMBER + timedelta(hours=1))
    account.cards["c-2"].cents -= 100
    totals = month.close()["totals"]
    assert (totals["issued_cents"], totals["reversed_cents"]) == (1_300, 0)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "xlsx"])
def test_other_formats_say_the_same(suffix: str, month: Month) -> None:
    """The API's own nested rows as JSON lines, a flat CSV and a workbook are read as well as Parquet."""
    month.account.cards["c-1"].cents -= 300
    month.account.transact("c-1", -300, NOVEMBER)
    month.account.transact(None, -40, NOVEMBER, giftcard_id=None, transaction_uuid=None)
    path = month.folder / f"t.{suffix}"
    rows = [{**row, "created_at": row["created_at"].isoformat()} for row in month.account.transactions]
    if suffix == "csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif suffix == "xlsx":
        with open_writer(path, "xlsx", columns_of(TRANSACTIONS.fields, read_at=False)) as out:
            out.write([[row.get(f.name) for f in TRANSACTIONS.fields] for row in month.account.transactions])
    else:
        path.write_text("".join(json.dumps(_nested(row)) + "\n" for row in rows))
    write_transactions_summary(path)
    found = month.close(path)
    assert found["differences"] == []
    assert (found["totals"]["redeemed_cents"], found["without_card_cents"]) == (340, -40)
    assert found["sources"][-1]["role"] == "transactions"


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the API gives it."""
    return {
        "id": row["transaction_id"],
        "uuid": row["transaction_uuid"],
        "amount_in_cents": row["amount_in_cents"],
        "type": row["type"],
        "settled": False,
        "card": {"id": row["giftcard_id"], "uuid": row["giftcard_uuid"]},
        "shop": {"id": row["shop_id"], "uuid": row["shop_uuid"], "name": row["shop_name"]},
        "settlements": [],
        "created_at": row["created_at"],
    }


def refused(result: Any, *words: str) -> None:
    """The command refuses with exit 2 and one line that holds all ``words``."""
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"agreed": False, "verdict": "2 pages missing"}, "did not agree (2 pages missing)"),
        ({"account": "a-2"}, "is of account a-2, but"),
        ({"filters": [{"shop_uuid": "s-1"}]}, "holds only shops s-1, but cards are spent in every shop"),
        ({"filters": [{"giftcard_program_uuid": "p-1"}]}, "holds only programs p-1, but"),
        (
            {"filters": [{"created_at[gte]": "2026-11-01T00:00:00+00:00"}]},
            "begins on 2026-11-01 01:00:00 CET, after",
        ),
        ({"filters": [{"created_at[lt]": "2026-11-30T00:00:00+00:00"}]}, "ends on 2026-11-30 01:00:00 CET, before the"),
        (
            {"moment": "2026-11-30T12:00:00+00:00"},
            "ends on 2026-11-30 13:00:00 CET, before the closing",
        ),
        ({"sha256": "00"}, "was changed after it was exported"),
    ],
)
def test_companion_that_does_not_belong_is_refused(
    changes: dict[str, Any], words: str, month: Month, report: Run
) -> None:
    """Another account, a part of the programs, shops or time, other bytes, no proof: one line, and nothing is made."""
    month.close()
    path = month.account.write_transactions(month.folder / "t.parquet", **changes)
    refused(report(month.opening, month.folder / "b.parquet", "--transactions", path), words)


def test_period_that_covers_both_readings_is_taken(month: Month) -> None:
    """Bounds outside the two readings cut nothing off."""
    month.account.transact("c-1", -300, NOVEMBER)
    month.account.cards["c-1"].cents -= 300
    bounds = {"created_at[gte]": "2026-10-01T00:00:00+00:00", "created_at[lt]": "2026-12-31T00:00:00+00:00"}
    path = month.account.write_transactions(month.folder / "t.parquet", filters=[bounds])
    assert month.close(path)["differences"] == []


def test_transactions_that_are_not_proven_make_every_form_partial(month: Month, report: Run) -> None:
    """Without a summary they need --accept-partial; then page, workbook, JSON, CSV, log and exit code say PARTIAL."""
    month.account.cards["c-1"].cents -= 300
    month.account.transact("c-1", -300, NOVEMBER)
    month.close()
    path = month.folder / "t.parquet"
    path.with_name("t.parquet.summary.json").unlink()
    files = [month.opening, month.folder / "b.parquet", "--transactions", path]
    refused(report(*files), "did not agree (no summary)", "--accept-partial")
    targets = {suffix: month.folder / f"r.{suffix}" for suffix in ("html", "xlsx", "json", "csv")}
    options = [part for target in targets.values() for part in ("--to", target)]
    result = report(*files, "--accept-partial", *options)
    assert result.stdout.startswith("PARTIAL: ")
    assert "PARTIAL: t.parquet did not agree (no summary); transactions may be missing" in result.stderr
    assert 'class="verdict bad"' in targets["html"].read_text()
    assert json.loads(targets["json"].read_text())["partial"] is True
    rows = list(csv.DictReader(targets["csv"].read_text().splitlines()))
    assert {row["verdict"] for row in rows} == {"PARTIAL"}
    cells = [cell.value for row in openpyxl.load_workbook(targets["xlsx"])["Summary"].iter_rows() for cell in row]
    assert any(str(cell).startswith("PARTIAL: t.parquet") for cell in cells)
    assert report(*files, "--accept-partial", "--expect-reconciled", "--quiet").exit_code == 1


def test_row_without_a_time_blocks_nothing(month: Month) -> None:
    """An unreadable date in an export is a blank: the row is left out, named, and the figures are partial."""
    month.account.cards["c-1"].cents -= 300
    month.account.transact("c-1", -300, NOVEMBER)
    month.account.transact("c-2", -100, NOVEMBER, created_at=None)
    found = month.close()
    assert found["totals"]["redeemed_cents"] == 300
    words = "PARTIAL: t.parquet: 1 transactions without a time or an amount are left out (id 2)"
    assert words in found["notices"]


def test_no_transactions(month: Month) -> None:
    """An empty file is a reconciliation with every change listed."""
    month.account.cards["c-1"].cents -= 300
    assert [d["remark"] for d in month.close()["differences"]] == ["no transaction"]


def test_every_format_takes_them(month: Month, report: Run) -> None:
    """HTML, xlsx and CSV hold the comparison, the flows and the differences."""
    month.account.cards["c-1"].cents -= 300
    month.account.transact("c-2", -100, NOVEMBER)
    month.close()
    page, book, table = (month.folder / name for name in ("r.html", "r.xlsx", "r.csv"))
    result = report(
        month.opening,
        month.folder / "b.parquet",
        "--transactions",
        month.folder / "t.parquet",
        "--to",
        page,
        "--to",
        book,
        "--to",
        table,
    )
    assert "cards that differ from transactions: 2" in result.stdout
    assert "Differences by card" in page.read_text()
    assert "transactions,2026-11,,,Shop s-1: redeemed,,100" in table.read_text()


def test_unusable_files_are_named(month: Month, report: Run, tmp_path: Path) -> None:
    """A missing file, another kind of file and a file of something else end with exit 2 and one line."""
    month.close()
    closing = month.folder / "b.parquet"
    (tmp_path / "t.txt").write_text("")
    other = tmp_path / "o.parquet"
    pq.write_table(pq.read_table(closing).drop_columns(["amount_in_cents"]), other)
    write_transactions_summary(tmp_path / "t.txt")
    write_transactions_summary(other)
    for path, words in (
        (tmp_path / "none.csv", "no such file"),
        (tmp_path / "t.txt", ".parquet, .csv, .jsonl, .ndjson, .xlsx"),
        (other, "amount_in_cents and created_at missing"),
    ):
        result = report(month.opening, closing, "--transactions", path)
        assert result.exit_code == 2
        assert words in result.stderr
    alone = report(closing, "--transactions", other)
    assert "need two snapshots" in alone.stderr
