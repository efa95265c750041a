"""CSV as people have it: delimiters, encodings, line ends, quotes; what is shown, and what is refused."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from piggy_batch.errors import SetupError
from piggy_batch.tables import TableInfo, open_table


def read(
    path: Path, content: bytes | str, **options: str
) -> tuple[tuple[str, ...], list[tuple[int, list[str]]], TableInfo]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with open_table(path, **options) as table:
        rows = list(table.rows())
        assert rows == list(table.rows()), "a table can be read again"
        return table.columns, rows, table.facts


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cards.csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_detected_and_shown(file: Path, delimiter: str) -> None:
    """Comma, semicolon, tab and bar are told apart, also where cells hold the others."""
    others = "".join({",", ";", "|"} - {delimiter})
    text = f"card{delimiter}name\n007{delimiter}a{others}b\n008{delimiter}\n"
    columns, rows, facts = read(file, text)
    assert columns == ("card", "name")
    assert rows == [(2, ["007", f"a{others}b"]), (3, ["008", ""])]
    assert facts == TableInfo("csv", "utf-8", delimiter)


def test_delimiter_of_excel_hint_is_obeyed(file: Path) -> None:
    """A first line sep=; names the delimiter and is no header; lines still count from it."""
    columns, rows, facts = read(file, "sep=;\na;b\n1;2\n")
    assert (columns, rows, facts.delimiter) == (("a", "b"), [(3, ["1", "2"])], ";")


@pytest.mark.parametrize(("option", "delimiter"), [("tab", "\t"), ("\\t", "\t"), (";", ";"), ("pipe", "|"), ("#", "#")])
def test_delimiter_option_overrules(file: Path, option: str, delimiter: str) -> None:
    """--delimiter takes a character or its name."""
    columns, rows, _ = read(file, f"a,x{delimiter}b\n1{delimiter}2\n", delimiter=option)
    assert (columns, rows) == (("a,x", "b"), [(2, ["1", "2"])])


@pytest.mark.parametrize("option", ["", ";;", '"', "\n"])
def test_delimiter_option_must_be_one_character(file: Path, option: str) -> None:
    """A delimiter that cannot be one is a usage error."""
    with pytest.raises(SetupError, match="--delimiter"):
        read(file, "a,b\n", delimiter=option)


@pytest.mark.parametrize(
    ("codec", "shown"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encoding_and_line_ends_are_detected(file: Path, codec: str, shown: str, end: str) -> None:
    """Every usual encoding with every line end gives the same rows and line numbers; accents survive."""
    lines = ["card;naam", "007;Zoë", "", '1E5;"a""b', 'c"', " 8 ;NA"]
    columns, rows, facts = read(file, end.join(lines).encode(codec))
    assert columns == ("card", "naam")
    assert rows == [(2, ["007", "Zoë"]), (4, ["1E5", f'a"b{end}c']), (6, [" 8 ", "NA"])]
    assert (facts.encoding, facts.delimiter) == (shown, ";")


def test_bytes_undefined_in_cp1252_are_latin_1(file: Path) -> None:
    """latin-1 is the last resort, and a note tells to look at the accents."""
    _, rows, facts = read(file, b"a,b\n1,\x81\xe9\n")
    assert (rows[0][1][1], facts.encoding) == ("\x81é", "latin-1")
    assert "cp850" in facts.notes[0]


def test_encoding_option_overrules(file: Path) -> None:
    """An old till's cp850 cannot be detected, and can be told."""
    assert read(file, "a,b\n1,é\n".encode("cp850"), encoding="cp850")[1] == [(2, ["1", "é"])]


def test_encoding_option_that_is_wrong_names_the_line(file: Path) -> None:
    """What cannot be decoded as asked is refused whole, before any row is seen."""
    with pytest.raises(SetupError, match=r"line 3: is no utf-8 text"):
        read(file, b"a,b\n1,2\n3,\xe9\n", encoding="utf-8")
    with pytest.raises(SetupError, match="is unknown"):
        read(file, "a\n", encoding="klingon")
    with pytest.raises(SetupError, match="is unknown"):
        read(file, "a\n", encoding="base64")


@pytest.mark.parametrize("rows", [10, 200_000])
def test_encoding_never_changes_in_mid_file(file: Path, rows: int) -> None:
    """A byte at the very end that is no UTF-8 settles the encoding for the first row too, or ends in an error."""
    start = "card,name\n" + "0123456789,x\n" * rows
    assert read(file, start.encode() + b"1,\xe9")[2].encoding == "cp1252"
    with pytest.raises(SetupError, match=f"line {rows + 3}: is not UTF-8 although most"):
        read(file, start.encode() + "1,éé\n".encode() + b"1,\xe9\n")


def test_blank_lines_count_but_are_no_rows(file: Path) -> None:
    """Blank lines, and lines of delimiters only, are passed over; the header may come late."""
    _, rows, _ = read(file, "\n\na;b\n\n1;2\n;\n\n3;4\n")
    assert rows == [(5, ["1", "2"]), (8, ["3", "4"])]


def test_ragged_rows_keep_their_width(file: Path) -> None:
    """The caller can report a row that is too short or too long."""
    assert read(file, "a,b\n1\n1,2,3\n")[1] == [(2, ["1"]), (3, ["1", "2", "3"])]


def test_blank_columns_at_the_end_are_dropped(file: Path) -> None:
    """What spreadsheets leave right of a table is no column; text below it makes its row ragged."""
    columns, rows, _ = read(file, "a,b,,\n1,2,,\n3,4,x,\n,,,\n")
    assert (columns, rows) == (("a", "b"), [(2, ["1", "2"]), (3, ["3", "4", "x", ""])])


def test_blank_name_inside_the_header_gets_one(file: Path) -> None:
    """An index column without a name can be carried on."""
    columns, _, facts = read(file, ",card\n0,007\n")
    assert columns == ("column_1", "card")
    assert "column_1" in facts.notes[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "blank lines"),
        (b"\n\r\n\n", "blank lines"),
        (b"  \n1\n", "no header row"),
        (b"card,card\n1,2\n", 'columns 1 and 2 are both called "card"'),
        (b'a,b\n1,"2\n3,4\n', "line 2: a quote is opened and never closed"),
        (b'a,b\n1,2\n"1"x,2\n', "line 3: text follows a closing quote"),
        (b"a,b\n1,\0\n", "zero bytes"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "zero bytes"),
        (b"<!DOCTYPE html><table><tr><td>card</td></tr></table>", "web page"),
        (b'[{"card": 1}]', "JSON array"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(file: Path, content: bytes, message: str) -> None:
    """Every file that cannot serve ends in one clear line that names it."""
    with pytest.raises(SetupError, match=message) as caught:
        read(file, content)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("cards.csv")


def test_missing_file_and_directory_are_refused(tmp_path: Path) -> None:
    """A path that is no file says so."""
    with pytest.raises(SetupError, match="no such file"):
        open_table(tmp_path / "nothing.csv")
    with pytest.raises(SetupError, match="is a directory"):
        open_table(tmp_path)


def test_option_without_use_is_refused(file: Path) -> None:
    """A sheet of a CSV file is a mistake worth telling."""
    with pytest.raises(SetupError, match="--sheet does not apply"):
        read(file, "a\n1\n", sheet="one")


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def test_gz_and_zip_are_unpacked_on_the_way(file: Path) -> None:
    """A packed list is read as it is, and the plan says how it was packed."""
    text = "card;n\n" + "007;x\n" * 5000
    plain = read(file, text)[1]
    for content, kind in [(gzip.compress(text.encode()), "gz"), (zipped(**{"__MACOSX/x": "", "l.csv": text}), "zip")]:
        _, rows, facts = read(file, content)
        assert (rows, facts.compression) == (plain, kind)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(b"a,b\n1,2\n" * 1000)[:-20], "damaged or cut off"),
        (gzip.compress(b""), "is empty"),
        (zipped(), "damaged|no table|zero bytes|holds 0"),
        (zipped(a="a\n", b="b\n"), "holds 2 files"),
        (zipped(a="a,b\n1,2\n")[:-30], "damaged"),
    ],
    ids=["gz-cut", "gz-of-nothing", "zip-of-nothing", "zip-of-two", "zip-cut"],
)
def test_damaged_packing_is_refused(file: Path, content: bytes, message: str) -> None:
    """A packed file that does not unpack ends in one clear line."""
    with pytest.raises(SetupError, match=message):
        read(file, content)


def test_standard_input_is_kept_in_a_private_file(tmp_path: Path) -> None:
    """- reads standard input into the place given, mode 0600; without a place it is refused."""
    spool = tmp_path / "run" / "manifest.csv"
    with open_table(Path("-"), spool=spool, stdin=io.BytesIO(b"a;b\n1;2\n")) as table:
        assert list(table.rows()) == [(2, ["1", "2"])]
    assert spool.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in spool.parent.iterdir()] == ["manifest.csv"]
    with pytest.raises(SetupError, match="--run-dir"):
        open_table(Path("-"), stdin=io.BytesIO(b"a\n"))
    with pytest.raises(SetupError, match="standard input: the file is empty"):
        open_table(Path("-"), spool=spool, stdin=io.BytesIO(b""))


def test_quotes_across_blocks_and_lines(file: Path) -> None:
    """Long files with newlines inside quotes keep the number of the line on which each row begins."""
    text = "a,b\n" + '"x\n\ny",1\nz,2\n' * 20_000
    rows = read(file, text)[1]
    assert rows[-1] == (1 + 20_000 * 4, ["z", "2"])
    assert [line for line, _ in rows[:4]] == [2, 5, 6, 9]
