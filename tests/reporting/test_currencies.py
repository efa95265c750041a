"""Programs in several currencies: amounts stand apart in every form, and nothing is added up across them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.reporting.ledger_judge import OPTIONS
from tests.reporting.support import CLOSING, OPENING, Account, Run

if TYPE_CHECKING:
    from pathlib import Path

Figures = Callable[..., dict[str, Any]]
TWO = ("--currency", "EUR", "--currency", "p-2=GBP")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Two snapshots and transactions of an account whose second program is in pounds."""
    account = Account()
    account.add("c-1", 10_000)
    account.add("c-2", 5_000, program="p-2")
    opening = account.export(tmp_path / "a.parquet", OPENING)
    when = OPENING.replace(day=10, month=11)
    account.cards["c-1"].cents -= 1_000
    account.transact("c-1", -1_000, when)
    account.cards["c-2"].cents -= 200
    account.transact("c-2", -200, when)
    account.add("c-3", 700, program="p-2")
    account.transact("c-3", 700, when)
    account.transact(None, -5, when, giftcard_id=None)
    closing = account.export(tmp_path / "b.parquet", CLOSING)
    return opening, closing, account.write_transactions(tmp_path / "t.parquet")


def test_each_currency_has_figures_of_its_own(files: tuple[Path, Path, Path], figures: Figures) -> None:
    """Balances, movements, trend, transactions and lists of each; transactions without a card stand in the default."""
    opening, closing, moves = files
    found = figures(opening, closing, "--transactions", moves, "--list", "redeemed", *TWO)
    assert found["currency"] is None
    assert "liability" not in found
    euros, pounds = found["currencies"]["EUR"], found["currencies"]["GBP"]
    assert list(found["currencies"]) == ["EUR", "GBP"]
    assert (euros["liability"]["outstanding_cents"], pounds["liability"]["outstanding_cents"]) == (9_000, 5_500)
    assert (euros["roll_forward"]["redeemed"], pounds["roll_forward"]["redeemed"]) == (1_000, 200)
    assert (euros["roll_forward"]["issued"], pounds["roll_forward"]["issued"]) == (0, 700)
    assert [p["outstanding_cents"] for p in pounds["trend"]] == [5_000, 5_500]
    assert [c["giftcard_uuid"] for c in pounds["lists"]["redeemed"]] == ["c-2"]
    assert pounds["lists"]["redeemed"][0]["hash"] == "HASH00001", "the row of the file, not of the currency"
    assert (euros["transactions"]["without_card"], pounds["transactions"]["without_card"]) == (1, 0)
    assert pounds["transactions"]["reconciled"] is True


def test_every_form_keeps_them_apart(files: tuple[Path, Path, Path], tmp_path: Path, report: Run) -> None:
    """Page and workbook have a part for each, CSV and journal a column; the journal of each sums to zero."""
    targets = {name: tmp_path / name for name in ("r.html", "r.xlsx", "r.csv", "journal.csv")}
    options = [part for target in targets.values() for part in ("--to", target)]
    result = report(*files[:2], *options, *OPTIONS, *TWO)
    assert result.exit_code == 0, result.output
    assert "outstanding €90.00 on 1 card" in result.stdout
    assert "outstanding £55.00 on 2 cards" in result.stdout
    page = targets["r.html"].read_text()
    assert page.count('<dl class="facts') == 2
    assert 'id="roll_forward-gbp"' in page
    assert "£145.00" not in page
    book = openpyxl.load_workbook(targets["r.xlsx"])
    assert {"Roll-forward EUR", "Roll-forward GBP"} <= set(book.sheetnames)
    assert "£" in book["Roll-forward GBP"]["C2"].number_format
    rows = list(csv.DictReader(targets["r.csv"].read_text().splitlines()))
    assert {row["currency"] for row in rows} == {"EUR", "GBP"}
    lines = list(csv.DictReader(targets["journal.csv"].read_text().splitlines()))
    for code in ("EUR", "GBP"):
        assert sum(round(float(line["amount"]) * 100) for line in lines if line["currency"] == code) == 0


def test_card_that_changes_currency_is_told(tmp_path: Path, figures: Figures) -> None:
    """It is no longer listed in the one and issued in the other: its amount means something else now."""
    account = Account()
    account.add("c-1", 10_000)
    account.add("c-2", 5_000, program="p-2")
    opening = account.export(tmp_path / "a.parquet", OPENING)
    account.cards["c-1"].program = "p-2"
    found = figures(opening, account.export(tmp_path / "b.parquet", CLOSING), *TWO)
    assert found["currencies"]["EUR"]["roll_forward"]["vanished"] == 10_000
    assert found["currencies"]["GBP"]["roll_forward"]["issued"] == 10_000
    assert any("a card that changed to a program of another currency" in notice for notice in found["notices"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--currency", "p-2=pounds"], '"pounds" is no currency code'),
        (["--currency", "EUR", "--currency", "USD"], "--currency USD: given twice"),
    ],
)
def test_wrong_currencies_are_refused(
    options: list[str], message: str, files: tuple[Path, Path, Path], report: Run
) -> None:
    """One for all programs and one for each other, by three letters."""
    result = report(*files[:2], *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_program_that_is_not_there_is_told(files: tuple[Path, Path, Path], figures: Figures) -> None:
    """A UUID with a typing mistake would leave amounts in the wrong currency."""
    found = figures(*files[:2], "--currency", "p-9=GBP")
    assert found["currency"] == "EUR"
    assert "program p-9, whose currency is GBP, has no cards in these snapshots" in found["notices"]
