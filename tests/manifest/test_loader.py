"""What loading makes of rows that are not as the header says."""

from __future__ import annotations

import datetime as dt

import openpyxl
import pytest

from piggy_batch.errors import SetupError
from tests.support.world import World, read_csv


def test_ragged_rows_stay_invalid_in_an_errors_file_that_nobody_mended(world: World) -> None:
    """A row whose cells slipped must not become right by being cut or padded: passed again it is refused again."""
    manifest = world.manifest("contact_uuid,contact_identifier_value", [["", "A1"], ["A2"], ["x", "A3", "y"]])
    first = world.run("identifiers create", manifest)
    assert first.exit_code == 2
    errors = first.run_dir / "errors.csv"
    assert [(row["contact_identifier_value"], row["_status"]) for row in read_csv(errors)] == [("", "invalid")] * 2
    assert '"x", "A3", "y"' in read_csv(errors)[1]["_message"]
    again = world.run("identifiers create", errors, run_dir=world.folder / "again")
    assert again.exit_code == 2
    assert len(read_csv(again.run_dir / "errors.csv")) == 2
    assert world.effects == 0


def test_a_row_that_lacks_optional_cells_is_right_and_told(world: World) -> None:
    """Spreadsheets leave out blank cells at the end of a row."""
    manifest = world.manifest("contact_identifier_value,contact_identifier_name,contact_uuid", [["A1"], ["A2", "two"]])
    result = world.run("identifiers create", manifest)
    assert world.statuses(result) == {"done": 2}
    assert world.identifier("A2").name == "two"
    assert any("2 rows lack their last cells" in line for line in world.said.lines)


def test_a_row_that_lacks_its_safeguard_is_invalid(world: World) -> None:
    """Whom a card must belong to is never left out by accident."""
    card = world.identifier("CARD-000001").value
    manifest = world.manifest("contact_identifier_value,expected_contact_uuid", [[card]])
    result = world.run("identifiers delete", manifest)
    assert (result.exit_code, world.effects) == (2, 0)
    assert "has 1 cells where the header has 2" in result.notes[0]


@pytest.mark.parametrize(("end", "codes"), [("", 2), ("\n", 0), ("\r", 0)])
def test_a_short_row_at_which_a_file_may_be_cut_off_is_invalid(world: World, end: str, codes: int) -> None:
    """The last row of a file that does not end with its line may lack more than blank cells."""
    manifest = world.folder / "cards.csv"
    manifest.write_text("contact_identifier_value,contact_uuid\nA1,\nA2" + end, encoding="utf-8", newline="")
    result = world.run("identifiers create", manifest)
    assert result.exit_code == codes


def test_a_ragged_row_is_quoted_whole(world: World) -> None:
    """The message names row and line and shows the cells, so that the row can be found and mended."""
    manifest = world.manifest("contact_identifier_value,contact_uuid", [["A1", "b", "c"]])
    result = world.run("identifiers create", manifest)
    assert 'row 1 (line 2): has 3 cells where the header has 2: "A1", "b", "c"' in result.notes[0]


def test_card_numbers_that_a_workbook_holds_as_dates_are_not_sent_unasked(world: World) -> None:
    """1-2 and 3/5 have become days, and nothing says which cards they were: refused, unless somebody accepts it."""
    book = openpyxl.Workbook()
    for cell in ("contact_identifier_value", dt.date(2026, 2, 1), dt.date(2026, 5, 3)):
        book.active.append([cell])
    manifest = world.folder / "cards.xlsx"
    book.save(manifest)
    with pytest.raises(SetupError, match=r"MD108 looks-like-date.*2026-02-01.*--accept MD108"):
        world.run("identifiers create", manifest)
    assert world.effects == 0
    assert world.run("identifiers create", manifest, accept=frozenset({"MD108"})).exit_code == 0
    assert world.effects == 2
