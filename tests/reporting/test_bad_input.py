"""Input that is wrong, odd or old: each is refused or stated in one clear line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.reporting.support import CLOSING, OPENING, Account, Run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reporting.conftest import Run

Figures = Callable[..., dict[str, Any]]


@pytest.fixture
def account() -> Account:
    """Two cards."""
    made = Account()
    made.add("c-1", 1000)
    made.add("c-2", 2500, program="p-2")
    return made


def refused(result: Any, *words: str) -> None:
    """The command refuses with exit 2 and one line that holds all ``words``."""
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    for word in words:
        assert word in line


def test_snapshot_that_did_not_agree(account: Account, tmp_path: Path, report: Run, figures: Figures) -> None:
    """Refused; with --accept-partial every form of the report says so."""
    path = account.export(tmp_path / "x.parquet", OPENING, agreed=False, verdict="1 card missing")
    refused(report(path), "did not agree (1 card missing)", "--accept-partial")
    found = figures(path, "--accept-partial")
    assert found["partial"] is True
    assert found["notices"][0].startswith("PARTIAL: the snapshot of 2026-10-31 (x.parquet) did not agree")
    page, book = tmp_path / "r.html", tmp_path / "r.xlsx"
    result = report(path, "--accept-partial", "--quiet", "--to", page, "--to", book)
    assert result.stderr.startswith("PARTIAL"), "also when quiet"
    assert "PARTIAL: cards or transactions may be missing from these figures" in page.read_text()
    assert "PARTIAL: 1 card missing" in page.read_text()
    assert "Not to be booked: these figures are not proven." in page.read_text()
    assert "To book as the liability" not in page.read_text()


def test_snapshot_without_a_summary(account: Account, tmp_path: Path, report: Run) -> None:
    """What nobody vouches for is as good as partial."""
    path = account.export(tmp_path / "x.parquet", OPENING)
    path.with_name("x.parquet.summary.json").unlink()
    refused(report(path), "did not agree (no summary)")


def test_older_schema(account: Account, tmp_path: Path, report: Run, figures: Figures) -> None:
    """Without a column that figures need it is refused by name; without others it is reported and said."""
    path = account.export(tmp_path / "x.parquet", OPENING)
    whole = pq.read_table(path)
    pq.write_table(whole.drop_columns(["type", "hash", "upgradeable", "giftcard_program_name", "read_at"]), path)
    found = figures(path)
    assert found["liability"]["total_cents"] == 3500
    assert [line["type"] for line in found["liability"]["by_type"]] == ["UNKNOWN"]
    assert [line["program_name"] for line in found["liability"]["by_program"]] == ["p-2", "p-1"]
    assert any("an older schema, without type, giftcard_program_name" in notice for notice in found["notices"])
    pq.write_table(whole.drop_columns(["active", "expiration_date"]), path)
    refused(report(path), "an older schema, without active, expiration_date")


def test_no_parquet(tmp_path: Path, report: Run) -> None:
    """A CSV, a torn file and a missing one are told apart from a snapshot."""
    (tmp_path / "x.csv").write_text("giftcard_uuid\n")
    refused(report(tmp_path / "x.csv"), "is no Parquet file")
    refused(report(tmp_path / "y.parquet"), "no such file")


def test_two_accounts(account: Account, tmp_path: Path, report: Run) -> None:
    """Two accounts have no roll-forward."""
    opening = account.export(tmp_path / "a.parquet", OPENING)
    closing = account.export(tmp_path / "b.parquet", CLOSING, account="a-2")
    refused(report(opening, closing), "is of account a-2, but", "of a-1")


def test_two_choices_of_programs(account: Account, tmp_path: Path, report: Run) -> None:
    """An export of one program against one of all would show every other card as vanished."""
    opening = account.export(tmp_path / "a.parquet", OPENING)
    closing = account.export(tmp_path / "b.parquet", CLOSING, program_uuids=["p-1"])
    refused(report(opening, closing), "only programs p-1", "every program")


def test_same_moment_twice(account: Account, tmp_path: Path, report: Run) -> None:
    """Two files of one moment make no period; two of one day do."""
    opening = account.export(tmp_path / "a.parquet", OPENING)
    refused(report(opening, account.export(tmp_path / "b.parquet", OPENING)), "a roll-forward needs two moments")
    later = account.export(tmp_path / "c.parquet", OPENING + timedelta(hours=1))
    found = report(opening, later, "--json")
    assert found.exit_code == 0
    assert json.loads(found.stdout)["notices"] == [], "both snapshots of the day are used: none is passed over"


def test_order_of_files_does_not_matter(account: Account, tmp_path: Path, figures: Figures) -> None:
    """The earlier file opens, in whatever order they are given."""
    opening = account.export(tmp_path / "a.parquet", OPENING)
    account.cards["c-1"].cents = 400
    closing = account.export(tmp_path / "b.parquet", CLOSING)
    assert figures(closing, opening)["roll_forward"]["redeemed"] == 600


def test_empty_account(tmp_path: Path, report: Run, figures: Figures) -> None:
    """No cards is a report of zeros in every format, alone, before and after others."""
    empty, full = Account(), Account()
    full.add("c-1", 100)
    nothing = empty.export(tmp_path / "a.parquet", OPENING)
    something = full.export(tmp_path / "b.parquet", CLOSING)
    found = figures(nothing)
    assert found["liability"]["total_cents"] == 0
    assert any("holds no cards" in notice for notice in found["notices"])
    assert figures(nothing, something)["roll_forward"]["issued"] == 100
    again = empty.export(tmp_path / "c.parquet", CLOSING + timedelta(days=1))
    assert figures(something, again, "--list", "vanished")["roll_forward"]["vanished"] == 100
    targets = [part for suffix in ("html", "xlsx", "csv") for part in ("--to", tmp_path / f"r.{suffix}")]
    assert report(nothing, again, *targets).exit_code == 0


def test_negative_amounts(account: Account, tmp_path: Path, report: Run, figures: Figures) -> None:
    """They count as they are, the report says so, the roll-forward closes, and charts can draw them."""
    account.cards["c-2"].cents = -300
    opening = account.export(tmp_path / "a.parquet", OPENING)
    account.cards["c-2"].cents = -800
    closing = account.export(tmp_path / "b.parquet", CLOSING)
    found = figures(opening, closing)
    assert found["liability"]["outstanding_cents"] == 200
    assert found["roll_forward"]["redeemed"] == 500
    assert found["roll_forward"]["residual"] == 0
    assert any("1 card with a negative balance, \N{MINUS SIGN}8.00 in all" in notice for notice in found["notices"])
    assert report(opening, closing, "--to", tmp_path / "r.html").exit_code == 0


def test_expiration_in_9999_and_1970(account: Account, tmp_path: Path, figures: Figures) -> None:
    """Dates at a calendar's ends are counted by what they say, and pointed out."""
    account.cards["c-1"].expires = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    account.cards["c-2"].expires = datetime(1970, 1, 1, tzinfo=UTC)
    found = figures(account.export(tmp_path / "x.parquet", OPENING))
    assert (found["liability"]["outstanding_cents"], found["liability"]["expired_cents"]) == (1000, 2500)
    assert any('1 cards expire in the year 9999; counted as "later"' in notice for notice in found["notices"])
    assert any("1 cards expire before the year 2000; counted as expired" in notice for notice in found["notices"])


def test_program_renamed(account: Account, tmp_path: Path, figures: Figures) -> None:
    """A program is its uuid: nothing is issued or vanishes, the new name is shown and the old one told."""
    opening = account.export(tmp_path / "a.parquet", OPENING)
    account.programs["p-2"] = "Winter"
    found = figures(opening, account.export(tmp_path / "b.parquet", CLOSING))
    assert found["roll_forward"]["issued"] == found["roll_forward"]["vanished"] == 0
    assert [line["program_name"] for line in found["roll_forward"]["by_program"]] == ["Winter", "Vouchers"]
    assert 'program p-2 is now called "Winter"; at opening it was "Christmas"' in found["notices"]


def test_card_moves_between_programs(account: Account, tmp_path: Path, figures: Figures) -> None:
    """Both programs close: the balance leaves one and enters the other; in the total nothing moved."""
    opening = account.export(tmp_path / "a.parquet", OPENING)
    account.cards["c-2"].program = "p-1"
    found = figures(opening, account.export(tmp_path / "b.parquet", CLOSING), "--list", "moved")
    moved = {
        line["program_uuid"]: (line["moved"], line["closing"], line["residual"])
        for line in found["roll_forward"]["by_program"]
    }
    assert moved == {"p-1": (2500, 3500, 0), "p-2": (-2500, 0, 0)}
    (card,) = found["lists"]["moved"]
    assert (card["giftcard_uuid"], card["hash"]) == ("c-2", "HASH00001")
    assert (card["from_program_name"], card["from_program_uuid"]) == ("Christmas", "p-2")
    assert (card["program_name"], card["program_uuid"]) == ("Vouchers", "p-1")


def test_card_listed_twice_leaves_a_residual(account: Account, tmp_path: Path, report: Run, figures: Figures) -> None:
    """Balances count every row, the roll-forward each card once: the residual shows it and --expect-closed fails."""
    opening = account.export(tmp_path / "a.parquet", OPENING)
    rows = account.rows(CLOSING)
    closing = account.export(tmp_path / "b.parquet", CLOSING, rows=[*rows, rows[0]])
    found = figures(opening, closing)
    assert found["roll_forward"]["residual"] == 1000
    assert found["closed"] is False
    assert any("rows of the closing snapshot that repeat a giftcard_uuid: 1" in notice for notice in found["notices"])
    assert report(opening, closing).exit_code == 0
    result = report(opening, closing, "--expect-closed", "--quiet")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "does not close" in result.stderr


def test_missing_values(account: Account, tmp_path: Path, report: Run, figures: Figures) -> None:
    """No amount counts as 0, no state as active, no program as a program of its own; no uuid is refused."""
    rows = account.rows(OPENING)
    rows[0] |= {"amount_in_cents": None, "giftcard_program_uuid": None, "giftcard_program_name": None, "type": None}
    rows[1] |= {"active": None}
    path = account.export(tmp_path / "x.parquet", OPENING, rows=rows)
    found = figures(path)
    assert found["liability"]["outstanding_cents"] == 2500
    assert {line["program_uuid"] for line in found["liability"]["by_program"]} == {None, "p-2"}
    rows[0] |= {"giftcard_uuid": None}
    broken = account.export(tmp_path / "y.parquet", CLOSING, rows=rows)
    refused(report(path, broken), "1 rows without giftcard_uuid")


def test_summary_that_is_no_summary(account: Account, tmp_path: Path, report: Run) -> None:
    """A damaged summary is named."""
    path = account.export(tmp_path / "x.parquet", OPENING)
    path.with_name("x.parquet.summary.json").write_text(json.dumps([]))
    refused(report(path), "x.parquet.summary.json: is no summary of an export")


def test_cards_without_an_amount_make_the_figures_partial(
    account: Account, tmp_path: Path, report: Run, figures: Figures
) -> None:
    """The list is complete and what is owed is not known: no figure is told to be booked."""
    path = account.export(tmp_path / "x.parquet", OPENING)
    whole = pq.read_table(path)
    place = whole.column_names.index("amount_in_cents")
    none = pa.nulls(len(whole), whole.schema.field(place).type)
    pq.write_table(whole.set_column(place, whole.schema.field(place), none), path)
    found = figures(path)
    assert found["partial"] is True
    assert found["notices"][0] == "PARTIAL: x.parquet: 2 cards without an amount; counted as 0"
    page = tmp_path / "r.html"
    report(path, "--quiet", "--to", page)
    assert "Not to be booked: these figures are not proven." in page.read_text()
