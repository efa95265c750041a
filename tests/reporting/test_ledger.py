"""The journal entry: which account takes what, and what is asked for before one is written."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.reporting.ledger_judge import OPTIONS, assert_ledger
from tests.reporting.support import CLOSING, OPENING, Account, Run

if TYPE_CHECKING:
    from pathlib import Path

Figures = Callable[..., dict[str, Any]]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A month in which a card is issued, one is spent from and one moves to another program."""
    account = Account()
    account.add("c-1", 10_000)
    account.add("c-2", 5_001, program="p-2")
    opening = account.export(tmp_path / "a.parquet", OPENING)
    account.cards["c-1"].cents -= 2_550
    account.cards["c-2"].program = "p-1"
    account.add("c-3", 2_500, program="p-2")
    return opening, account.export(tmp_path / "b.parquet", CLOSING)


def rows(path: Path) -> list[dict[str, str]]:
    """The lines of a journal."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_movement_is_two_lines_with_whole_cents(
    files: tuple[Path, Path], tmp_path: Path, report: Run, figures: Figures
) -> None:
    """Issued: debit the account of issued, credit the liability; redeemed the other way; a card that moves changes
    liabilities only. A program may have an account of its own."""
    journal = tmp_path / "journal.csv"
    options = ["--account", "outstanding=2210", "--account", "p-2:outstanding=2211"]
    options += ["--account", "issued=1100", "--account", "redeemed=8010"]
    assert report(*files, "--to", journal, *options).exit_code == 0
    lines = [(r["date"], r["account"], r["debit"], r["credit"], r["amount"], r["movement"]) for r in rows(journal)]
    assert lines == [
        ("2026-11-30", "2210", "25.50", "", "25.50", "redeemed"),
        ("2026-11-30", "8010", "", "25.50", "-25.50", "redeemed"),
        ("2026-11-30", "2210", "", "50.01", "-50.01", "moved"),
        ("2026-11-30", "2211", "", "25.00", "-25.00", "issued"),
        ("2026-11-30", "1100", "25.00", "", "25.00", "issued"),
        ("2026-11-30", "2211", "50.01", "", "50.01", "moved"),
    ]
    assert rows(journal)[0]["description"] == "Giftcards: Redeemed, Vouchers"
    named = tmp_path / "2026-11-journal.csv"
    assert report(*files, "--to", named, *OPTIONS).exit_code == 0
    assert_ledger(figures(*files), named)


def test_same_lines_stand_on_page_and_sheet(files: tuple[Path, Path], tmp_path: Path, report: Run) -> None:
    """With accounts the page and the workbook have the entry too, with its sums."""
    page, book = tmp_path / "r.html", tmp_path / "r.xlsx"
    report(*files, "--to", page, "--to", book, *OPTIONS)
    assert "Journal entry" in page.read_text()
    sheet = openpyxl.load_workbook(book)["Journal"]
    cells = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert sum(row[3] or 0 for row in cells[:-1]) == pytest.approx(cells[-1][3])
    assert cells[-1][3] == cells[-1][4]


def test_dutch_page_and_journal_call_movements_in_dutch(files: tuple[Path, Path], tmp_path: Path, report: Run) -> None:
    """Descriptions are for people; the other columns are the same in every language."""
    page, dutch, english = tmp_path / "r.html", tmp_path / "nl-journal.csv", tmp_path / "journal.csv"
    report(*files, *OPTIONS, "--lang", "nl", "--to", page, "--to", dutch)
    report(*files, *OPTIONS, "--to", english)
    assert "Cadeaukaarten: Ingewisseld, " in page.read_text()
    assert "Giftcards: " not in page.read_text()
    told, said = rows(dutch), rows(english)
    assert any(row["description"].startswith("Cadeaukaarten: Uitgegeven, ") for row in told)
    assert [row | {"description": ""} for row in told] == [row | {"description": ""} for row in said]


def test_missing_account_is_named_before_anything_is_written(
    files: tuple[Path, Path], tmp_path: Path, report: Run
) -> None:
    """The journal needs an account for each figure that is not zero, and no other; without a journal it is a note."""
    journal, page = tmp_path / "journal.csv", tmp_path / "r.html"
    result = report(*files, "--to", journal, "--account", "outstanding=2210", "--account", "issued=1100")
    assert result.exit_code == 2
    assert "the journal has no account for redeemed; name them with --account redeemed=…" in result.stderr
    assert not journal.exists()
    told = report(*files, "--to", page, "--account", "outstanding=2210")
    assert told.exit_code == 0
    assert "no journal entry in EUR: the accounts name none for redeemed, issued" in told.stderr


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("turnover=8000", '"turnover" is no figure of the journal; there are outstanding, issued'),
        ("issued=", "names no account"),
    ],
)
def test_wrong_accounts_are_refused(option: str, message: str, files: tuple[Path, Path], report: Run) -> None:
    """A figure that does not exist would be left out of the books without a word."""
    result = report(*files, "--account", option)
    assert result.exit_code == 2
    assert message in result.stderr
    twice = report(*files, "--account", "issued=1", "--account", "issued=2")
    assert "--account issued: given twice" in twice.stderr


def test_partial_entry_says_so_in_every_line(tmp_path: Path, report: Run) -> None:
    """Whoever imports the lines sees that they are not proven."""
    account = Account()
    account.add("c-1", 10_000)
    opening = account.export(tmp_path / "a.parquet", OPENING)
    account.cards["c-1"].cents -= 100
    closing = account.export(tmp_path / "b.parquet", CLOSING, agreed=False, verdict="1 missing")
    journal = tmp_path / "journal.csv"
    assert report(opening, closing, "--accept-partial", "--to", journal, *OPTIONS).exit_code == 0
    assert all(row["description"].startswith("PARTIAL: ") for row in rows(journal))
