"""The cards behind each figure: they add up to it, in every form, and samples can be drawn again."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest

from tests.reporting.support import CLOSING, OPENING, Account, Run

if TYPE_CHECKING:
    from pathlib import Path

Figures = Callable[..., dict[str, Any]]
MOVES = ("issued", "topped_up", "redeemed", "reversed", "expired", "deactivated", "reactivated", "vanished")
BALANCES = {"outstanding": "outstanding", "expired_balance": "expired", "inactive_balance": "inactive"}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A month with every movement in it."""
    account = Account()
    for index in range(80):
        expires = CLOSING + timedelta(days=index - 15) if index % 3 else None
        account.add(
            f"c-{index}", 1_000 + index * 7, expires=expires, active=index % 9 != 0, program=f"p-{index % 2 + 1}"
        )
    opening = account.export(tmp_path / "a.parquet", OPENING)
    for index, card in enumerate(list(account.cards.values())):
        match index % 8:
            case 0:
                card.cents -= 300
            case 1:
                card.cents += 500
            case 2:
                card.active = not card.active
            case 3:
                card.program = "p-1"
            case 4 if index > 60:
                del account.cards[card.uuid]
            case _:
                pass
    account.add("c-new", 12_345)
    return opening, account.export(tmp_path / "b.parquet", CLOSING)


def test_parquet_holds_the_cards_behind_every_figure(
    files: tuple[Path, Path], tmp_path: Path, report: Run, figures: Figures
) -> None:
    """SQL over the one file gives back every figure, in total and by program; its metadata has the sources' hashes."""
    target = tmp_path / "cards.parquet"
    assert report(*files, "--to", target).exit_code == 0
    found = figures(*files)
    sums = dict(duckdb.sql(f"SELECT figure, SUM(cents)::BIGINT FROM read_parquet('{target}') GROUP BY ALL").fetchall())
    counts = dict(duckdb.sql(f"SELECT figure, COUNT(*) FROM read_parquet('{target}') GROUP BY ALL").fetchall())
    for figure, state in BALANCES.items():
        assert sums[figure] == found["liability"][f"{state}_cents"]
    assert counts["outstanding"] == found["liability"]["cards"]
    for move in MOVES:
        assert sums.get(move, 0) == found["roll_forward"][move], move
        assert counts.get(move, 0) == found["roll_forward"]["cards"][move], move
    owed = f"FROM read_parquet('{target}') WHERE figure = 'outstanding'"
    by_program = duckdb.sql(f"SELECT program_uuid, SUM(cents)::BIGINT {owed} GROUP BY ALL").fetchall()
    assert dict(by_program) == {
        line["program_uuid"]: line["outstanding_cents"] for line in found["liability"]["by_program"]
    }
    hashes = duckdb.sql(f"SELECT COUNT(*) FROM read_parquet('{target}') WHERE hash IS NULL").fetchall()
    assert hashes == [(0,)]
    about = json.loads(pq.read_schema(target).metadata[b"piggy-batch report"])
    assert [source["sha256"] for source in about["sources"]] == [source["sha256"] for source in found["sources"]]


def test_all_writes_a_sheet_for_each_figure(files: tuple[Path, Path], tmp_path: Path, report: Run) -> None:
    """One workbook with the cards behind every figure, and their sums."""
    target = tmp_path / "cards.xlsx"
    assert report(*files, "--list", "all", "--to", target).exit_code == 0
    book = openpyxl.load_workbook(target)
    sheets = [name for name in book.sheetnames if name.startswith("Cards ")]
    assert len(sheets) == 12
    assert {"Cards expired balance", "Cards switched off balance"} <= set(sheets), "whole words"
    outstanding = [row[-1].value for row in book["Cards outstanding"].iter_rows(min_row=2)]
    assert round(sum(outstanding) * 100) == round(book["Summary"]["B5"].value * 100)
    head = [cell.value for cell in book["Cards between programs"][1]]
    assert {"Giftcard UUID", "Hash", "Program", "From program"} <= set(head)


def test_file_of_cards_leaves_the_other_forms_as_they_are(
    files: tuple[Path, Path], tmp_path: Path, report: Run
) -> None:
    """Cards asked for as Parquet crowd neither page nor CSV nor JSON; --list puts them there."""
    for name, *words in (("alone",), ("with", "--to", tmp_path / "cards.parquet")):
        made = report(
            *files, *words, "--json", *(o for e in ("csv", "html") for o in ("--to", tmp_path / f"{name}.{e}"))
        )
        assert made.exit_code == 0
        (tmp_path / f"{name}.json").write_text(made.stdout)
    for ending in ("csv", "html", "json"):
        alone, beside = ((tmp_path / f"{name}.{ending}").read_text() for name in ("alone", "with"))
        assert re.sub(r"Made .*?\.|\"made_at.*", "", alone) == re.sub(r"Made .*?\.|\"made_at.*", "", beside)
    report(*files, "--list", "issued", "--to", tmp_path / "cards.parquet", "--to", tmp_path / "listed.html")
    assert 'id="cards_issued"' in (tmp_path / "listed.html").read_text()


def test_balances_of_a_single_snapshot_are_listed_too(files: tuple[Path, Path], figures: Figures, report: Run) -> None:
    """What is owed has cards behind it without a second snapshot; movements have none."""
    found = figures(files[1], "--list", "all")
    assert set(found["lists"]) == set(BALANCES)
    listed = sum(card["cents"] for card in found["lists"]["outstanding"])
    assert listed == found["liability"]["outstanding_cents"]
    assert "lists of movements need two snapshots" in report(files[1], "--list", "issued").stderr


def test_sample_is_the_same_for_the_same_seed(files: tuple[Path, Path], figures: Figures, report: Run) -> None:
    """25 cards of the outstanding ones: those whose SHA-256 of seed and UUID is smallest, whoever draws them."""
    whole = [card["giftcard_uuid"] for card in figures(*files, "--list", "outstanding")["lists"]["outstanding"]]
    drawn = figures(*files, "--sample", 25, "--seed", 7)["lists"]["outstanding"]
    ranked = sorted(whole, key=lambda uuid: hashlib.sha256(f"7:{uuid}".encode()).digest())
    assert {card["giftcard_uuid"] for card in drawn} == set(ranked[:25])
    assert drawn == figures(*files, "--sample", 25, "--seed", 7)["lists"]["outstanding"]
    other = figures(*files, "--sample", 25, "--seed", 8)["lists"]["outstanding"]
    assert {card["giftcard_uuid"] for card in other} != set(ranked[:25])
    spent = figures(*files, "--list", "redeemed", "--sample", 3)["lists"]
    assert list(spent) == ["redeemed"]
    assert len(spent["redeemed"]) == 3


def test_page_says_that_a_sample_is_one(files: tuple[Path, Path], tmp_path: Path, report: Run) -> None:
    """How many there are and how they were drawn stands above them."""
    page = tmp_path / "r.html"
    report(*files, "--sample", "5", "--to", page)
    text = page.read_text()
    assert "Cards: Outstanding" in text
    assert "A sample of 5 of " in text
    assert "seed 1: those whose SHA-256 of seed:giftcard_uuid is smallest." in text


def test_every_row_of_a_list_says_how_far_it_is_proven(tmp_path: Path, report: Run) -> None:
    """A CSV of cards from a snapshot that did not agree says PARTIAL in each row."""
    account = Account()
    account.add("c-1", 100)
    path = account.export(tmp_path / "a.parquet", OPENING, agreed=False, verdict="torn")
    result = report(path, "--accept-partial", "--list", "outstanding")
    (row,) = csv.DictReader(result.stdout.splitlines())
    assert (row["giftcard_uuid"], row["verdict"], row["currency"]) == ("c-1", "PARTIAL", "EUR")
