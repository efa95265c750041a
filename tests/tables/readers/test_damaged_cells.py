"""Cells of workbooks that hold no value, or show more than they hold, in every kind of workbook and of writer."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import CoveredTableCell, TableCell, TableRow
from odf.table import Table as OdfTable
from odf.text import LineBreak, P, S, Tab

from piggy_batch.errors import SetupError
from piggy_batch.tables import open_table
from piggy_batch.tables.cells import COVERED, NO_RESULT, FormattedText
from piggy_batch.tables.readers.number_formats import parse_format

CORPUS = Path(__file__).parents[2] / "manifest" / "doctor" / "corpus"


def cells_of(path: Path, **options: Any) -> list[list[str]]:
    """The rows under the header."""
    with open_table(path, **options) as table:
        return [cells for _, cells in table.rows()]


def changed(path: Path, member: str, *pairs: tuple[str, str]) -> Path:
    """The workbook with texts of one of its members replaced."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for old, new in pairs:
        assert old.encode() in members[member], old
        members[member] = members[member].replace(old.encode(), new.encode())
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def formulas(path: Path, values: list[Any]) -> Path:
    """A column of texts and one of formulas with these stored results."""
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["card", "credits"])
    for number, value in enumerate(values, start=1):
        sheet.write_string(number, 0, f"A-{number}")
        sheet.write_formula(number, 1, "=A1*2", None, value)
    book.close()
    return path


SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"
CALCULATED = ('<calcPr calcId="124519" fullCalcOnLoad="1"/>', '<calcPr calcId="191029"/>')
UNKNOWN = ('<calcPr calcId="124519" fullCalcOnLoad="1"/>', "")


@pytest.mark.parametrize(
    ("values", "calculation", "seen"),
    [
        ([0, 0], None, [NO_RESULT, NO_RESULT]),
        ([0, 5], None, [NO_RESULT, "5"]),
        (["", 5], None, [NO_RESULT, "5"]),
        ([0, 0], CALCULATED, ["0", "0"]),
        (["", 5], CALCULATED, [NO_RESULT, "5"]),
        ([0, 0], UNKNOWN, [NO_RESULT, NO_RESULT]),
        ([0, 5], UNKNOWN, ["0", "5"]),
        (["#N/A", "#BEZUG!"], CALCULATED, ["#N/A", "#BEZUG!"]),
    ],
)
def test_a_stored_result_is_believed_where_somebody_calculated(
    tmp_path: Path, values: list[Any], calculation: tuple[str, str] | None, seen: list[str]
) -> None:
    """0, and no value, may be what a writer puts that cannot calculate; a spreadsheet program's 0 is a result."""
    path = formulas(tmp_path / "t.xlsx", values)
    if calculation:
        changed(path, BOOK, calculation)
    assert [row[1] for row in cells_of(path)] == seen


def test_a_text_of_no_length_is_a_result(tmp_path: Path) -> None:
    """A formula that a spreadsheet program has calculated to nothing leaves a blank cell."""
    path = changed(formulas(tmp_path / "t.xlsx", ["gone", "x"]), BOOK, CALCULATED)
    assert [row[1] for row in cells_of(changed(path, SHEET, ("<v>gone</v>", "<v></v>")))] == ["", "x"]


def test_an_array_formula_fills_cells_that_nobody_calculated(tmp_path: Path) -> None:
    """A formula over several cells: each has its default, none is a number of the list."""
    book = xlsxwriter.Workbook(tmp_path / "t.xlsx")
    sheet = book.add_worksheet()
    sheet.write_column(0, 0, ["card", "A-1", "A-2", "A-3", "A-4"])
    sheet.write_string(0, 1, "credits")
    sheet.write_array_formula("B2:B4", "{=D2:D4*100}")
    sheet.write_number(4, 1, 0)
    book.close()
    assert [row[1] for row in cells_of(tmp_path / "t.xlsx")] == [NO_RESULT, NO_RESULT, NO_RESULT, "0"]


def test_a_row_of_nothing_but_a_lost_cell_stays(tmp_path: Path) -> None:
    """In the middle, at the end, and beyond where the library sees anything."""
    book = openpyxl.Workbook()
    for text in ("card", "A-1", None, "A-3", None, None):
        book.active.append([text, None])
    book.active["A3"] = "=B9"
    book.active["B6"] = "=B9"
    book.active["B1"] = "x"
    book.save(tmp_path / "t.xlsx")
    with open_table(tmp_path / "t.xlsx") as table:
        assert list(table.rows()) == [(2, ["A-1", ""]), (3, [NO_RESULT, ""]), (4, ["A-3", ""]), (6, ["", NO_RESULT])]


def test_cells_without_references_are_counted_as_the_library_counts_them(tmp_path: Path) -> None:
    """Some writers leave references out; marks fall into the same places."""
    book = openpyxl.Workbook()
    for row in (["card", "x", "y"], ["A-1", "=B9", "z"], ["A-2", "b", "=B9"]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    references = [(f' r="{column}{row}"', "") for row in (1, 2, 3) for column in "ABC"]
    path = changed(tmp_path / "t.xlsx", SHEET, *references)
    assert cells_of(path) == [["A-1", NO_RESULT, "z"], ["A-2", "b", NO_RESULT]]


def test_another_prefix_and_other_quotes_are_xml_too(tmp_path: Path) -> None:
    """An error is an error however the XML is written."""
    book = openpyxl.Workbook()
    book.active.append(["card", "x"])
    book.active.append(["A-1", "#N/A"])
    book.active["B2"].data_type = "e"
    book.save(tmp_path / "t.xlsx")
    path = changed(tmp_path / "t.xlsx", SHEET, ('t="e"', "t = 'e'"))
    assert cells_of(path) == [["A-1", "#N/A"]]


def test_merged_cells_cover_blank_ones_only(tmp_path: Path) -> None:
    """Over rows and over columns; a merged cell without a value covers nothing."""
    book = openpyxl.Workbook()
    for row in (["card", "a", "b"], ["A-1", "x", None], ["A-2", None, None], ["A-3", None, None], ["A-4", "y", None]):
        book.active.append(row)
    for merged in ("B2:B3", "C2:C4", "B5:C5"):
        book.active.merge_cells(merged)
    book.save(tmp_path / "t.xlsx")
    assert cells_of(tmp_path / "t.xlsx") == [
        ["A-1", "x", ""],
        ["A-2", COVERED, ""],
        ["A-3", "", ""],
        ["A-4", "y", COVERED],
    ]


@pytest.mark.parametrize("name", ["damaged.xls", "damaged.ods", "damaged.xlsx"])
def test_what_a_spreadsheet_program_saves_is_the_same_in_every_format(name: str) -> None:
    """Errors, a merged cell, formats that show more: xls, ods and xlsx of one sheet."""
    rows = [cell for (cell,) in cells_of(CORPUS / name)]
    assert rows == ["KA-1", "#N/A", "#DIV/0!", "KA-M", COVERED, "12", "345", "KA-9"]
    assert [cell.shown for cell in rows if isinstance(cell, FormattedText)] == ["KA-00012", "0000-0345"]
    assert [cell for (cell,) in cells_of(CORPUS / name, formats=True)][5:7] == ["KA-00012", "0000-0345"]


def test_an_old_workbook_of_a_writer_that_cannot_calculate() -> None:
    """A formula without result in xls, an error, a format, and the rows under a merged cell."""
    rows = [cell for (cell,) in cells_of(CORPUS / "not-calculated.xls")]
    assert rows == ["KA-1", NO_RESULT, "#N/A", "12", "KA-5", COVERED]


def test_a_cut_off_old_workbook_is_refused(tmp_path: Path) -> None:
    """Wherever it ends: one line, no traceback."""
    whole = (CORPUS / "damaged.xls").read_bytes()
    path = tmp_path / "t.xls"
    for size in (8, 80, 511, 600, 1500, 3000, len(whole) - 1):
        path.write_bytes(whole[:size])
        with contextlib.suppress(SetupError):
            assert len(cells_of(path)) <= 8


def ods(path: Path, rows: list[list[Any]]) -> Path:
    """A sheet of elements."""
    book = OpenDocumentSpreadsheet()
    sheet = OdfTable(name="Blad1")
    for row in rows:
        line = TableRow()
        for cell in row:
            line.addElement(cell if not isinstance(cell, str) else text(cell))
        sheet.addElement(line)
    book.spreadsheet.addElement(sheet)
    book.save(path)
    return path


def text(*parts: Any, **attributes: Any) -> TableCell:
    """A cell of one paragraph."""
    cell = TableCell(valuetype="string", **attributes)
    paragraph = P()
    for part in parts:
        paragraph.addText(part) if isinstance(part, str) else paragraph.addElement(part)
    cell.addElement(paragraph)
    return cell


def test_an_ods_cell_keeps_what_stands_in_it(tmp_path: Path) -> None:
    """Tabs, line breaks, spaces, several paragraphs."""
    several = text("a")
    several.addElement(P(text="b"))
    cells = [text("1", Tab(), "2"), text("1", LineBreak(), "2"), text("1", S(c=3), "2"), several]
    assert cells_of(ods(tmp_path / "t.ods", [["card"], *([cell] for cell in cells)])) == [
        ["1\t2"],
        ["1\n2"],
        ["1   2"],
        ["a\nb"],
    ]


def test_ods_formulas_without_result_and_zeros_of_nobody(tmp_path: Path) -> None:
    """No value, and a column of formulas that are all 0 in a file that no spreadsheet program saved."""
    zero = {"valuetype": "float", "value": "0", "formula": "of:=[.A1]*2"}
    rows = [
        [text("card"), text("a"), text("b"), text("c")],
        [text("A-1"), TableCell(formula="of:=[.A1]"), TableCell(**zero), TableCell(**zero)],
        [text("A-2"), text("x"), TableCell(**zero), TableCell(**(zero | {"value": "4"}))],
    ]
    assert cells_of(ods(tmp_path / "t.ods", rows)) == [
        ["A-1", NO_RESULT, NO_RESULT, "0"],
        ["A-2", "x", NO_RESULT, "4"],
    ]


def test_an_ods_error_that_is_stored_as_a_number(tmp_path: Path) -> None:
    """Beside the error that is shown, some programs store a 0; a column too narrow for its number shows no error."""
    shown = ["#N/A", "#DEEL/0!", "Err:502", "###", "#12"]
    cells = [text_of_number(each) for each in shown]
    rows = cells_of(ods(tmp_path / "t.ods", [["card"], *([cell] for cell in cells)]))
    assert [cell for (cell,) in rows] == ["#N/A", "#DEEL/0!", "Err:502", "12", "12"]
    assert [cell.shown for (cell,) in rows if isinstance(cell, FormattedText)] == ["#12"]


def text_of_number(shown: str) -> TableCell:
    """A number that a sheet shows so."""
    cell = TableCell(valuetype="float", value="12")
    cell.addElement(P(text=shown))
    return cell


def test_ods_cells_under_a_merged_one(tmp_path: Path) -> None:
    """Over two rows; repeated rows count."""
    rows = [
        ["card", "owner"],
        [text("A-1"), text("u", numberrowsspanned="2", numbercolumnsspanned="1")],
        [text("A-2"), CoveredTableCell()],
        [text("A-3"), TableCell()],
    ]
    assert cells_of(ods(tmp_path / "t.ods", rows)) == [["A-1", "u"], ["A-2", COVERED], ["A-3", ""]]


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("00000", "12", "00012"),
        ('"KA-"General', "12", "KA-12"),
        ("00000", "12345", None),
        ("0000-0000", "345", "0000-0345"),
        ('"KA-"000000', "7", "KA-000007"),
        ("000 000", "1234", "001 234"),
        ("[Red]0000;-0000", "7", "0007"),
        ("(000) 000-0000", "123", "(000) 000-0123"),
        ('"KA-"@', "7", "KA-7"),
        ("0", "7", None),
        ("#,##0", "1234567", None),
        ("0.00", "7", None),
        ("General", "7", None),
        ("@", "7", None),
        ("yyyy-mm-dd", "45000", None),
        ("0%", "7", None),
        ('_-* #,##0_-;-* #,##0_-;_-* "-"_-', "7", None),
    ],
)
def test_what_a_number_format_adds(code: str, value: str, shown: str | None) -> None:
    """Zeros and signs that change how a card number reads; decimals, thousands and dates do not."""
    found = parse_format(code)
    assert (found.show(value) if found else None) == shown


def test_sheets_are_joined_only_when_they_are_one_list(tmp_path: Path) -> None:
    """Two sheets of another header, a sheet twice, a sheet that is not there."""
    book = openpyxl.Workbook()
    book.active.title = "a"
    book.active.append(["card"])
    book.active.append(["1"])
    book.create_sheet("b").append(["code"])
    book.create_sheet("c").append(["card"])
    book["c"].append(["2"])
    book.save(tmp_path / "t.xlsx")
    assert cells_of(tmp_path / "t.xlsx", sheet="a/c") == [["1"], ["2"]]
    for sheet, said in (("a/b", "another header"), ("a/a", "twice"), ("a/d", 'no sheet "d"')):
        with pytest.raises(SetupError, match=said):
            cells_of(tmp_path / "t.xlsx", sheet=sheet)


def test_a_cell_without_a_style_has_the_first_one(tmp_path: Path) -> None:
    """Writers leave the number of the default style out, also where its format shows zeros."""
    book = openpyxl.Workbook()
    for value in ("card", 12):
        book.active.append([value])
    book.active["A2"].number_format = "00000"
    book.save(tmp_path / "t.xlsx")
    styles = "xl/styles.xml"
    path = changed(
        tmp_path / "t.xlsx", styles, ('<cellXfs count="2"><xf numFmtId="0"', '<cellXfs count="2"><xf numFmtId="164"')
    )
    ((cell,),) = cells_of(changed(path, SHEET, (' s="1"', "")))
    assert isinstance(cell, FormattedText)
    assert cell.shown == "00012"


def test_an_error_that_the_library_does_not_know_is_named(tmp_path: Path) -> None:
    """Nothing of the workbook is read, and the message says what to look for."""
    book = openpyxl.Workbook()
    for value in ("card", "#SPILL!"):
        book.active.append([value])
    book.active["A2"].data_type = "e"
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(SetupError, match="a cell holds the error #SPILL!"):
        cells_of(tmp_path / "t.xlsx")


def test_hidden_and_blank_sheets_are_named(tmp_path: Path) -> None:
    """The list may stand on a sheet that somebody has hidden: it is not read, and not passed over in silence."""
    book = openpyxl.Workbook()
    for name in ("Oud", "Kaarten", "Leeg"):
        sheet = book.create_sheet(name)
        sheet.append(["card"] if name != "Leeg" else [])
    book["Oud"].sheet_state = "hidden"
    del book["Sheet"]
    book.active = 1
    book.save(tmp_path / "t.xlsx")
    with open_table(tmp_path / "t.xlsx") as table:
        assert table.facts.sheet == "Kaarten"
        assert table.facts.notes == ('2 sheets more, blank or hidden, not read: "Oud", "Leeg"',)
