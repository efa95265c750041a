"""Typed formats as text: Parquet, workbooks, JSON Lines."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
from typing import TYPE_CHECKING

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table as OdfTable
from odf.table import TableCell, TableRow
from odf.text import P

from piggy_batch.errors import SetupError
from piggy_batch.tables import open_table
from piggy_batch.tables.cells import cell_text, number_text

if TYPE_CHECKING:
    from pathlib import Path

MIDNIGHT = dt.datetime(2024, 1, 2)  # noqa: DTZ001  a cell's date has no time zone


def rows_of(path: Path, **options: str) -> list[tuple[int, list[str]]]:
    with open_table(path, **options) as table:
        return list(table.rows())


def test_parquet_shows_every_type_as_text(tmp_path: Path) -> None:
    """Whole numbers keep every digit, dates are ISO, null is blank, dictionaries and bytes are their text."""
    moment = dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    table = pa.table(
        {
            "int": pa.array([6006500000000000123, None], pa.int64()),
            "uint": pa.array([2**64 - 1, 7], pa.uint64()),
            "text": ["007", None],
            "large": pa.array(["x", ""], pa.large_string()),
            "dictionary": pa.array(["a", "b"]).dictionary_encode(),
            "bytes": pa.array([b"caf\xc3\xa9", b""]),
            "bool": [True, None],
            "date": [dt.date(2024, 1, 2), None],
            "moment": pa.array([moment, None], pa.timestamp("ns", "UTC")),
            "local": pa.array([MIDNIGHT, None], pa.timestamp("ms")),
            "decimal": pa.array([decimal.Decimal("12.50"), None]),
            "float": [12.0, None],
            "null": pa.nulls(2),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    with open_table(tmp_path / "t.parquet") as opened:
        rows = list(opened.rows())
        assert opened.columns == tuple(table.column_names)
        assert opened.float_columns == {"float"}
        assert opened.facts.format == "parquet"
    assert rows == [
        (2, ["6006500000000000123", "18446744073709551615", "007", "x", "a", "café", "true", "2024-01-02",
             "2024-01-02T03:04:05Z", "2024-01-02T00:00:00", "12.50", "12", ""]),
        (3, ["", "7", "", "", "b", "", "", "", "", "", "", "", ""]),
    ]  # fmt: skip


def test_bytes_of_a_fixed_size_are_their_text_too(tmp_path: Path) -> None:
    """Card numbers as a fixed number of bytes, plain or in a dictionary, are the digits and nothing of Python's."""
    fixed = pa.array([b"0000012345", None], pa.binary(10))
    packed = pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array([b"AB", b"CD"], pa.binary(2)))
    pq.write_table(pa.table({"card": fixed, "packed": packed}), tmp_path / "t.parquet")
    assert rows_of(tmp_path / "t.parquet") == [(2, ["0000012345", "CD"]), (3, ["", "AB"])]


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"1\0"])
def test_bytes_of_a_fixed_size_that_are_no_text_are_refused(tmp_path: Path, raw: bytes) -> None:
    """A raw key of bytes is refused with its column's name, as bytes of any size are."""
    pq.write_table(pa.table({"card": ["1"], "raw": pa.array([raw], pa.binary(2))}), tmp_path / "t.parquet")
    with pytest.raises(SetupError, match=r'column "raw".*leave the column out'):
        rows_of(tmp_path / "t.parquet")


@pytest.mark.parametrize("value", [b"0000012345", bytearray(b"1"), memoryview(b"1"), [1], {"a": 1}, object(), 1j])
def test_what_has_no_text_of_its_own_is_refused(value: object) -> None:
    """A type that nobody thought of never becomes a value that is sent."""
    with pytest.raises(SetupError, match=r'column "x": holds .*, which is no text'):
        cell_text(value, 't, column "x"')


def test_every_type_that_parquet_can_hold_is_text_or_refused(tmp_path: Path) -> None:
    """Durations, times, views, UUIDs: whatever the type, no cell shows how Python writes bytes or objects."""
    moment = dt.timedelta(hours=1)
    kinds: list[pa.Array] = [
        pa.array([moment], pa.duration("s")),
        pa.array([dt.time(1, 2)], pa.time32("s")),
        pa.array([b"0012"], pa.binary_view()),
        pa.array([b"0" * 16], pa.binary(16)),
        pa.array(["0012"], pa.string_view()),
        pa.array([1.5], pa.float32()),
    ]
    if hasattr(pa, "uuid"):
        kinds.append(pa.array([b"0" * 16], pa.uuid()))
    written = 0
    for array in kinds:
        with contextlib.suppress(pa.ArrowNotImplementedError):  # not every version writes views
            pq.write_table(pa.table({"x": array}), tmp_path / f"{array.type}.parquet")
            written += 1
    assert written >= len(kinds) - 2
    for path in tmp_path.glob("*.parquet"):
        text = ""
        with contextlib.suppress(SetupError):
            ((_, (text,)),) = rows_of(path)
        assert not set(text) & set("'<(")


def test_parquet_in_many_batches_counts_rows(tmp_path: Path) -> None:
    """Row numbers go on across batches and row groups; a blank row counts and is none."""
    values = [str(n) if n % 3 else None for n in range(30_000)]
    pq.write_table(pa.table({"a": values}), tmp_path / "t.parquet", row_group_size=7000)
    rows = rows_of(tmp_path / "t.parquet")
    assert rows[:2] == [(3, ["1"]), (4, ["2"])]
    assert rows[-1] == (30_001, ["29999"])


@pytest.mark.parametrize("column", [[[1]], [{"x": 1}]])
def test_parquet_with_nested_columns_is_refused(tmp_path: Path, column: list[object]) -> None:
    """Lists and records are no cells; the column is named."""
    pq.write_table(pa.table({"card": ["1"], "deep": column}), tmp_path / "t.parquet")
    with pytest.raises(SetupError, match='column "deep"'):
        open_table(tmp_path / "t.parquet")


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    """Cut off, garbled, or with two columns of one name: one clear line each."""
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": ["1"] * 100}), path)
    whole = path.read_bytes()
    for content in (whole[:-50], b"PAR1", whole[:-8] + b"\xff\xff\xff\x7fPAR1", b"PAR1" + b"x" * 50 + whole[-8:]):
        path.write_bytes(content)
        with pytest.raises(SetupError, match=r"t\.parquet") as caught:
            rows_of(path)
        assert "\n" not in str(caught.value)
    pq.write_table(pa.table([["1"], ["2"]], names=["a", "a"]), path)
    with pytest.raises(SetupError, match='both called "a"'):
        open_table(path)


def test_workbook_shows_cells_as_a_person_sees_them(tmp_path: Path) -> None:
    """Numbers without .0 or exponent, dates ISO, formulas by their value; lines are the sheet's rows."""
    book = xlsxwriter.Workbook(tmp_path / "t.xlsx")
    sheet = book.add_worksheet("kaarten")
    day = book.add_format({"num_format": "dd-mm-yyyy"})
    minute = book.add_format({"num_format": "dd-mm-yyyy hh:mm"})
    sheet.write_row(2, 1, ["card", "x"])
    sheet.write_row(3, 1, ["007", 12])
    sheet.write_row(4, 1, [6006500000001, 12.5])
    sheet.write_row(6, 1, [6.0065e18, True])
    sheet.write_datetime(7, 1, MIDNIGHT, day)
    sheet.write_datetime(7, 2, MIDNIGHT + dt.timedelta(hours=3, minutes=4), minute)
    sheet.write_formula(8, 1, '="00"&"12"', None, "0012")
    sheet.write_number(8, 2, 0.1 + 0.2)
    book.add_worksheet("tweede")
    book.close()
    with open_table(tmp_path / "t.xlsx") as table:
        assert table.columns == ("card", "x")
        assert table.facts.sheet == "kaarten"
        assert len(table.facts.notes) == 2
        assert list(table.rows()) == [
            (4, ["007", "12"]),
            (5, ["6006500000001", "12.5"]),
            (7, ["6006500000000000000", "true"]),
            (8, ["2024-01-02", "2024-01-02T03:04:00"]),
            (9, ["0012", "0.3"]),
        ]


def test_sheet_is_chosen_by_name_and_hidden_ones_are_passed_over(tmp_path: Path) -> None:
    """The first visible sheet with anything in it, or the one that --sheet names; an unknown one lists the names."""
    book = openpyxl.Workbook()
    book.active.title = "leeg"
    book.create_sheet("geheim").append(["a"])
    book["geheim"].sheet_state = "hidden"
    book.create_sheet("kaarten").append(["card"])
    book["kaarten"].append(["007"])
    book.save(tmp_path / "t.xlsx")
    with open_table(tmp_path / "t.xlsx") as table:
        assert (table.columns, table.facts.sheet) == (("card",), "kaarten")
    with open_table(tmp_path / "t.xlsx", sheet="geheim") as table:
        assert (table.columns, list(table.rows())) == (("a",), [])
    with pytest.raises(SetupError, match='"leeg", "geheim", "kaarten"'):
        open_table(tmp_path / "t.xlsx", sheet="Kaarten")
    with pytest.raises(SetupError, match="is blank"):
        open_table(tmp_path / "t.xlsx", sheet="leeg")
    with pytest.raises(SetupError, match="--encoding does not apply"):
        open_table(tmp_path / "t.xlsx", encoding="utf-8")


def test_zeros_by_cell_format_are_pointed_out(tmp_path: Path) -> None:
    """A format that shows zeros in front cannot be read; the plan says so."""
    book = xlsxwriter.Workbook(tmp_path / "t.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["card"])
    sheet.write_number(1, 0, 12, book.add_format({"num_format": "0000000000000"}))
    book.close()
    with open_table(tmp_path / "t.xlsx") as table:
        assert "zeros in front" in table.facts.notes[0]


@pytest.mark.parametrize(("rows", "step"), [(5, 3), (60_000, 2)])
def test_hidden_rows_are_read_and_pointed_out(tmp_path: Path, rows: int, step: int) -> None:
    """A filter hides rows from a person's eyes, not from the reader: all are read, and the plan says how many."""
    book = xlsxwriter.Workbook(tmp_path / "t.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["card"])
    for number in range(1, rows + 1):
        sheet.write_string(number, 0, f"A-{number}")
        if number % step == 0:
            sheet.set_row(number, None, None, {"hidden": True})
    sheet.set_row(rows + 5, None, None, {"hidden": True})  # nothing is in it
    book.close()
    with open_table(tmp_path / "t.xlsx") as table:
        (note,) = table.facts.notes
        assert len(list(table.rows())) == rows
    assert note.startswith("1 row is hidden in the workbook" if step == 3 else "30,000 rows are hidden in the workbook")


def test_hidden_rows_of_an_ods_sheet_are_pointed_out(tmp_path: Path) -> None:
    """By hand or by a filter."""
    book = OpenDocumentSpreadsheet()
    sheet = OdfTable(name="Blad1")
    for text, visibility in (("card", "visible"), ("A-1", "collapse"), ("A-2", "visible"), ("A-3", "filter")):
        row = TableRow(visibility=visibility)
        cell = TableCell(valuetype="string")
        cell.addElement(P(text=text))
        row.addElement(cell)
        sheet.addElement(row)
    book.spreadsheet.addElement(sheet)
    book.save(tmp_path / "t.ods")
    with open_table(tmp_path / "t.ods") as table:
        assert table.facts.notes == (
            "2 rows are hidden in the workbook, by hand or by a filter; hidden rows are read too",
        )
        assert [cells for _, cells in table.rows()] == [["A-1"], ["A-2"], ["A-3"]]


def test_damaged_workbooks_are_refused(tmp_path: Path) -> None:
    """A workbook that is cut off, garbled or no workbook at all ends in one clear line."""
    path = tmp_path / "t.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["card"])
    book.save(path)
    whole = path.read_bytes()
    for content in (whole[:-100], whole[: len(whole) // 2], b"\xd0\xcf\x11\xe0" + b"x" * 2000):
        path.write_bytes(content)
        with pytest.raises(SetupError, match=r"t\.xlsx"):
            rows_of(path)


@given(st.integers(-(2**53), 2**53))
def test_whole_numbers_show_all_digits(value: int) -> None:
    """A whole number that a double holds exactly shows as itself."""
    assert number_text(float(value)) == str(value) or abs(value) == 2**53


@given(st.floats(-1e300, 1e300))
def test_numbers_never_show_an_exponent(value: float) -> None:
    """No number shows in scientific notation, and the text is the number to fifteen digits."""
    text = number_text(value)
    assert "e" not in text.lower()
    assert float(text) == pytest.approx(value, rel=1e-14, abs=0)


def test_json_lines_keep_literals_and_all_keys(tmp_path: Path) -> None:
    """Numbers keep their literal text; columns are the keys of all lines; lines are the file's."""
    path = tmp_path / "t.jsonl"
    path.write_text('\ufeff{"a": 6.00650E+18, "b": null}\n\n{"c": true, "a": "007"}\n{}\n{"b": 1.0}', encoding="utf-8")
    with open_table(path) as table:
        assert table.columns == ("a", "b", "c")
        assert table.facts.format == "jsonl"
        assert list(table.rows()) == [(1, ["6.00650E+18", "", ""]), (3, ["007", "", "true"]), (5, ["", "1.0", ""])]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"a": [1]}', 'line 2, "a": holds a list'),
        ("[1]", "line 2: is no JSON object"),
        ('{"a": 1, "a": 2}', "line 2: names a key twice"),
        ('{"a": 1', "line 2: is no JSON object"),
        ('{"a": "\\ud800"}', "line 2: is no JSON object"),
        ('{"a": "\\u0000"}', "line 2: is no JSON object"),
        ('{"a": ' + "[" * 100_000, "line 2: is no JSON object"),
    ],
)
def test_json_lines_that_are_no_table_are_refused(tmp_path: Path, line: str, message: str) -> None:
    """Each mistake names its line."""
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(SetupError, match=message) as caught:
        rows_of(path)
    assert "\n" not in str(caught.value)
