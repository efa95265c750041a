"""What any writer wrote, every reader gives back: results of one command are a manifest of the next."""

from __future__ import annotations

import gzip
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table as OdfTable
from odf.table import TableCell, TableRow
from odf.text import P, S

from piggy_batch.errors import SetupError
from piggy_batch.tables import FORMATS, OutputColumn, TableInfo, open_table, open_writer
from piggy_batch.tables.writers.excel import XlsxSink
from piggy_batch.tables.writers.formats import Writer

TRICKY = [
    "007", "1E5", "6.00650E+18", "NA", "null", "nan", "true", "=1+1", '="0012"', "'0012", "http://x.example/?a=b",
    "mailto:a@b.example", "2024-01-02", "12,50", "1.0", " x ", "\u00a0", "\u200b7", '"', '""', "a\nb", "a\r\nb",
    "a\rb", "\ufeffx", "a;b|c\td", "_x0041_", "_x000D_", "é", "日本", "🐷", "#N/A", "@", "+31", "-", "\\", "\x85",
    "\u2028", "\x1f",
]  # fmt: skip
CELLS = st.sampled_from(TRICKY) | st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), max_size=12
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    names = draw(st.lists(st.sampled_from(["card", "naam", "Uuid", "E-mail", "_x"]), min_size=1, unique=True))
    row = st.lists(CELLS | st.just(""), min_size=len(names), max_size=len(names)).filter(any)
    return names, draw(st.lists(row, max_size=8))


def write(path: Path, kind: str, names: list[str], rows: list[list[str]]) -> None:
    with open_writer(path, kind, [OutputColumn(name) for name in names]) as writer:
        writer.write(rows[:3])
        writer.write(rows[3:])


def read(path: Path) -> tuple[list[str], list[list[str]], TableInfo]:
    with open_table(path) as table:
        return list(table.columns), [cells for _, cells in table.rows()], table.facts


def without_controls(text: str) -> str:
    """XML has no control characters; U+FFFE and U+FFFF are none of its characters either."""
    return "".join(c for c in text if (c >= " " or c in "\t\n\r") and c not in "\ufffe\uffff")


@settings(max_examples=120, deadline=None)
@given(tables(), st.sampled_from([kind for kind in FORMATS if kind != "xlsx"]))
def test_every_format_gives_back_what_was_written(table: tuple[list[str], list[list[str]]], kind: str) -> None:
    """CSV, Parquet and JSON Lines hold any text at all, and give the same rows, plain or gz."""
    names, rows = table
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        write(path, kind, names, rows)
        if kind == "jsonl" and not rows:
            return  # without an object there is no header
        assert read(path)[:2] == (names, rows)
        packed = Path(folder) / "packed"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        again = read(packed)
        assert again[:2] == (names, rows)
        assert again[2].compression == "gz"


@settings(max_examples=60, deadline=None)
@given(tables())
def test_a_workbook_gives_back_what_was_written(table: tuple[list[str], list[list[str]]]) -> None:
    """A workbook gives the same rows too, for all text that XML can hold."""
    names, rows = table
    rows = [[without_controls(cell) for cell in row] for row in rows]
    rows = [row for row in rows if any(row)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        write(path, "xlsx", names, rows)
        assert read(path)[:2] == (names, rows)


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8-sig", "utf-16", "utf-16-be"]))
def test_foreign_csv_gives_the_same_rows(table: tuple[list[str], list[list[str]]], delimiter: str, codec: str) -> None:
    """The same text in other delimiters and encodings, every cell quoted, gives the same rows."""
    names, rows = table

    def line(cells: list[str]) -> str:
        return delimiter.join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\r\n"

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        mark = "\ufeff" if codec == "utf-16-be" else ""
        path.write_bytes((mark + "".join(map(line, [names, *rows]))).encode(codec))
        assert read(path)[:2] == (names, rows)


def test_an_ods_sheet_gives_the_same_rows(tmp_path: Path) -> None:
    """Text cells of an ods sheet, with its own ways of writing spaces and line breaks, are the same text."""
    document = OpenDocumentSpreadsheet()
    sheet = OdfTable(name="Blad1")
    for texts in [["card", "naam"], ["007", "a  b"], ["1E5", "a\nb"], ["x", "é"]]:
        row = TableRow()
        for text in texts:
            cell = TableCell(valuetype="string")
            for part in text.split("\n"):
                paragraph = P()
                for piece in part.split("  "):
                    if piece is not part.split("  ")[0]:
                        paragraph.addElement(S(c=2))
                    paragraph.addText(piece)
                cell.addElement(paragraph)
            row.addElement(cell)
        sheet.addElement(row)
    document.spreadsheet.addElement(sheet)
    document.save(tmp_path / "l.ods")
    columns, rows, facts = read(tmp_path / "l.ods")
    assert (columns, facts.format, facts.sheet) == (["card", "naam"], "ods", "Blad1")
    assert [row[0] for row in rows] == ["007", "1E5", "x"]
    assert [row[1] for row in rows] == ["a  b", "a\nb", "é"]


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "xlsx"])
def test_kinds_show_alike_in_every_format(tmp_path: Path, kind: str) -> None:
    """Numbers, truth values and moments read back as the same text from every format, None as blank."""
    columns = [
        OutputColumn("card"),
        OutputColumn("n", "int"),
        OutputColumn("ok", "bool"),
        OutputColumn("at", "timestamp"),
    ]
    moment = datetime(2024, 1, 2, 3, 4, 5, 120_000, tzinfo=UTC)
    with open_writer(tmp_path / "t", kind, columns) as writer:
        writer.write([("007", 12, True, moment), ("008", "13", 0, "2024-01-02T05:04:05+02:00")])
        writer.write([("009", None, None, None), ("010", "", "", "")])
    assert read(tmp_path / "t")[1] == [
        ["007", "12", "true", "2024-01-02T03:04:05.120000Z"],
        ["008", "13", "false", "2024-01-02T03:04:05Z"],
        ["009", "", "", ""],
        ["010", "", "", ""],
    ]


def test_a_workbooks_cells_have_their_columns_type(tmp_path: Path) -> None:
    """Amounts can be summed, moments are dates in UTC, a card number is text; what is no such value, or has more digits
    than a spreadsheet keeps, stays text; the header is frozen and filtered, the last sheet says what is known."""
    columns = [
        OutputColumn("card"),
        OutputColumn("amount_in_cents", "int"),
        OutputColumn("ok", "bool"),
        OutputColumn("at", "timestamp"),
        OutputColumn("found", cell="int"),
    ]
    moment = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    rows = [
        ("007", 1_250, True, moment, "12"),
        ("1E5", "-250", 0, "2024-01-02T05:04:05+02:00", "007x"),
        ("=1+1", 10**15, None, datetime(1850, 1, 1, tzinfo=UTC), ""),
    ]
    with open_writer(tmp_path / "t.xlsx", "xlsx", columns, about=lambda: [("verdict", "=agreed")]) as writer:
        writer.write(rows)
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    sheet = book["rows"]
    cells = [[(cell.data_type, cell.value) for cell in row] for row in sheet.iter_rows(min_row=2)]
    naive = moment.replace(tzinfo=None)
    assert cells == [
        [("s", "007"), ("n", 1_250), ("b", True), ("d", naive), ("n", 12)],
        [("s", "1E5"), ("n", -250), ("b", False), ("d", naive), ("s", "007x")],
        [("s", "=1+1"), ("s", "1000000000000000"), ("n", None), ("s", "1850-01-01T00:00:00Z"), ("n", None)],
    ]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:E4")
    assert [[cell.value for cell in row] for row in book["about"].iter_rows()] == [["verdict", "=agreed"]]
    names, read_back, facts = read(tmp_path / "t.xlsx")
    assert names == [column.name for column in columns]
    assert [row[:3] for row in read_back] == [
        ["007", "1250", "true"],
        ["1E5", "-250", "false"],
        ["=1+1", str(10**15), ""],
    ]
    assert not [note for note in facts.notes if "not read" in note], "the sheet of facts is no table"


@pytest.mark.parametrize(
    ("cell", "is_formula"),
    [
        ("=1+1", True),
        ("@SUM(A1)", True),
        ("+cmd|' /C calc'!A0", True),
        ("-2+3+cmd|x", True),
        ("=", True),
        ("-12.50", False),
        ("+31 (0)20-123 45 67", False),
        ("-", False),
        ("a=1", False),
        ("jan@example.org", False),
        ("", False),
        (-5, False),
    ],
)
def test_csv_keeps_formulas_as_they_are_and_says_so(tmp_path: Path, cell: object, is_formula: bool) -> None:
    """Values are byte-true; where a spreadsheet would run some, a note says how many and that xlsx is safe."""
    with open_writer(tmp_path / "t.csv", "csv", [OutputColumn("a"), OutputColumn("b")]) as writer:
        writer.write([["x", cell], [cell, "y"]])
    told = writer.note or ""
    assert ("2 cells begin like a formula" in told) is is_formula
    assert [row for _, row in open_table(tmp_path / "t.csv").rows()] == [["x", str(cell)], [str(cell), "y"]]
    for kind in ("xlsx", "parquet", "jsonl"):
        with open_writer(tmp_path / f"t.{kind}", kind, [OutputColumn("a")]) as other:
            other.write([[cell]])
        assert other.note is None


def pull_the_plug(target: Path, kind: str) -> None:
    with open_writer(target, kind, [OutputColumn("a")]) as writer:
        writer.write([["1"]])
        raise RuntimeError("plug pulled")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_failed_write_leaves_no_trace(tmp_path: Path, kind: str) -> None:
    """An exception in the block keeps what was there; a clean exit replaces it, private, with nothing beside it."""
    target = tmp_path / "results"
    target.write_text("before")
    with pytest.raises(RuntimeError, match="plug pulled"):
        pull_the_plug(target, kind)
    assert target.read_text() == "before"
    write(target, kind, ["a"], [["1"]])
    assert read(target)[1] == [["1"]]
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_an_impossible_place_is_refused(tmp_path: Path) -> None:
    """A folder that is not there, or a format that is none, ends in one clear line."""
    with pytest.raises(SetupError, match="cannot be written"):
        open_writer(tmp_path / "no" / "f.csv", "csv", [OutputColumn("a")])
    with pytest.raises(SetupError, match="csv, parquet, xlsx, jsonl"):
        open_writer(tmp_path / "f", "xml", [OutputColumn("a")])


def test_a_full_sheet_goes_on_in_the_next_and_is_joined_by_name(tmp_path: Path) -> None:
    """Rows beyond the sheet's limit stand in further sheets, and come back as one table when all are named."""
    columns = [OutputColumn("a"), OutputColumn("b")]
    rows = [[str(n), "x"] for n in range(25)]
    with Writer(tmp_path / "t.xlsx", lambda part: XlsxSink(part, columns, sheet_rows=11)) as writer:
        writer.write(rows)
    assert read(tmp_path / "t.xlsx")[1] == rows[:10]
    with open_table(tmp_path / "t.xlsx", sheet="rows/rows (2)/rows (3)") as table:
        assert [cells for _, cells in table.rows()] == rows
        assert table.facts.notes == ('"rows" and "rows (2)" and "rows (3)" are read as one list',)


def test_a_cell_too_long_for_a_workbook_is_cut_visibly(tmp_path: Path) -> None:
    """A workbook's cell ends at 32,767 characters; a longer one ends in an ellipsis rather than failing a report."""
    with open_writer(tmp_path / "t.xlsx", "xlsx", [OutputColumn("a")]) as writer:
        writer.write([["x" * 32_767]])
        assert writer.note is None
        writer.write([["x" * 40_000]])
    assert writer.note is not None
    assert "t.xlsx: 1 cell is longer than a workbook takes" in writer.note
    (whole,), (cell,) = read(tmp_path / "t.xlsx")[1]
    assert whole == "x" * 32_767
    assert (len(cell), cell[-1]) == (32_767, "…")


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "xlsx"])
def test_other_formats_hold_a_long_cell_whole(tmp_path: Path, kind: str) -> None:
    """And so have nothing to say of it."""
    with open_writer(tmp_path / "t", kind, [OutputColumn("a")]) as writer:
        writer.write([["x" * 40_000]])
    assert writer.note is None
    assert read(tmp_path / "t")[1] == [["x" * 40_000]]


def test_json_lines_are_json(tmp_path: Path) -> None:
    """Each line is one object of all columns."""
    kinds = [OutputColumn("n", "int"), OutputColumn("b", "bool"), OutputColumn("t", "timestamp"), OutputColumn("x")]
    with open_writer(tmp_path / "typed", "jsonl", kinds) as writer:
        writer.write(
            [
                [1, True, datetime(2026, 1, 31, 10, tzinfo=UTC), "1"],
                ["2", "false", "2026-01-31T10:00:00Z", True],
                ["007", "J", "?", None],
            ]
        )
        writer.write([["", "", "", ""]])
    assert [json.loads(line) for line in (tmp_path / "typed").read_text(encoding="utf-8").splitlines()] == [
        {"n": 1, "b": True, "t": "2026-01-31T10:00:00Z", "x": "1"},
        {"n": 2, "b": False, "t": "2026-01-31T10:00:00Z", "x": True},
        {"n": "007", "b": "J", "t": "?", "x": None},
        {"n": None, "b": None, "t": None, "x": ""},
    ]
    write(tmp_path / "t", "jsonl", ["a", "b"], [["1", ""], ["é\n", "x"]])
    lines = (tmp_path / "t").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"a": "1", "b": ""}, {"a": "é\n", "b": "x"}]
