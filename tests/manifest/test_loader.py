"""What loading makes of rows that are not as the header says."""

from __future__ import annotations

import datetime as dt

import openpyxl
import pytest

from piggy_batch.errors import SetupError
from tests.support.world import World, read_csv


def test_ragged_rows_stay_invalid_in_an_errors_file_that_nobody_mended(world: World) -> None:
    """A row whose cells slipped must not become right by being cut or padded: passed again it is refused again."""
    manifest = world.manifest("contact_identifier_value,contact_uuid", [["A1", ""], ["A2"], ["A3", "x", "y"]])
    first = world.run("identifiers create", manifest)
    assert first.exit_code == 2
    errors = first.run_dir / "errors.csv"
    assert [(row["contact_identifier_value"], row["_status"]) for row in read_csv(errors)] == [("", "invalid")] * 2
    assert '"A3", "x", "y"' in read_csv(errors)[1]["_message"]
    again = world.run("identifiers create", errors, run_dir=world.folder / "again")
    assert again.exit_code == 2
    assert len(read_csv(again.run_dir / "errors.csv")) == 2
    assert world.effects == 0


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
