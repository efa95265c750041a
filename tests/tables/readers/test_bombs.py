"""Files made, or damaged, so that reading them would fill the memory: refused in one line, quickly and small."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
from collections import deque
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from piggy_batch.errors import SetupError
from piggy_batch.tables import open_table
from piggy_batch.tables.readers.delimited import MAX_ROW_LINES
from piggy_batch.tables.readers.excel_guard import inspect

if TYPE_CHECKING:
    from pathlib import Path

CONTENT_TYPES = "[Content_Types].xml"
MEMORY = 64 << 20  # bytes that a refusal may take at most


def refused(path: Path, message: str) -> None:
    """The file ends in one line that says so, without taking much memory on the way."""
    tracemalloc.start()
    try:
        _refused(path, message)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


def _refused(path: Path, message: str) -> None:
    with pytest.raises(SetupError, match=message) as caught, open_table(path) as table:
        for _ in table.rows():
            pass
    assert "\n" not in str(caught.value)


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def sheet(*cells: str) -> dict[str, bytes]:
    """The members of a workbook whose one sheet has text in these cells."""
    found = "".join(
        f'<row r="{c.lstrip("ABCDEFX")}"><c r="{c}" t="inlineStr"><is><t>x</t></is></c></row>' for c in cells
    )
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    relation = '<Relationship Id="rId1" Type="{}" Target="{}"/>'
    return {
        CONTENT_TYPES: b"<Types/>",
        "_rels/.rels": f"<Relationships {package}>{relation.format(office + '/officeDocument', 'xl/workbook.xml')}"
        "</Relationships>".encode(),
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{office}"><sheets><sheet name="s" sheetId="1" r:id="rId1"/>'
        "</sheets></workbook>".encode(),
        "xl/_rels/workbook.xml.rels": f"<Relationships {package}>"
        f"{relation.format(office + '/worksheet', 'worksheets/sheet1.xml')}</Relationships>".encode(),
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{found}</sheetData></worksheet>".encode(),
    }


def ods(table: str) -> dict[str, bytes]:
    names = 'xmlns:office="o" xmlns:table="t" xmlns:text="x"'
    body = f"<office:body><office:spreadsheet><table:table table:name='s'>{table}</table:table>"
    return {
        "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": b'<manifest xmlns="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        "content.xml": f"<office:document-content {names}>{body}</office:spreadsheet></office:body>"
        "</office:document-content>".encode(),
    }


def test_a_line_without_end(tmp_path: Path) -> None:
    """A file of one endless line is refused before the line is read whole, packed or not."""
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n")
        for _ in range(200):
            file.write(b"1234567890," * 100_000)
    refused(path, "a line is longer than")
    path.write_bytes(gzip.compress(b"a,b\n" + b"x" * (40 << 20), 1))
    refused(path, "a line is longer than")
    path.write_bytes(("a,b\n" + "é" * (10 << 20)).encode("utf-16"))
    refused(path, "a line is longer than")


def test_a_cell_and_a_row_without_end(tmp_path: Path) -> None:
    """A quote that is never closed ends in an error that names the line where it opens."""
    path = tmp_path / "quote.csv"
    path.write_bytes(b'a,b\n1,2\n3,"' + b"x,y\n" * 500_000)
    refused(path, "line 3: .*quote")
    path.write_bytes(b"a,b\n1,2\n" + b'"x\n",' * (3 * MAX_ROW_LINES))
    refused(path, "line 3: .*quote")


def test_a_gz_that_unpacks_without_end(tmp_path: Path) -> None:
    """A list does not shrink 200 times."""
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", 6) as file:
        for _ in range(70):
            file.write(b"a,b\n" * (1 << 18))
    refused(path, "unpacks to more than")


def test_too_many_columns(tmp_path: Path) -> None:
    """A header of a million columns is refused, in any format."""
    path = tmp_path / "wide"
    path.write_bytes(",".join(f"c{n}" for n in range(1_000_000)).encode() + b"\n")
    refused(path, "a line is longer than")
    path.write_bytes(",".join(f"c{n}" for n in range(20_000)).encode() + b"\n")
    refused(path, "20,000 columns")
    path.write_bytes(b"".join(b'{"c%d": 1}\n' % n for n in range(17_000)))
    refused(path, "different keys")


def test_parquet_with_too_many_columns(tmp_path: Path) -> None:
    """The description of a Parquet file is looked at before its columns are."""
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({f"c{n}": pa.array([], pa.string()) for n in range(17_000)}), path)
    refused(path, "17,000 columns")
    with path.open("wb") as file:
        file.write(b"PAR1")
        file.truncate(200 << 20)
        file.seek(0, 2)
        file.write((100 << 20).to_bytes(4, "little") + b"PAR1")
    refused(path, "its description takes 100 MiB")


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
def test_workbook_that_unpacks_without_end(tmp_path: Path) -> None:
    """A workbook whose parts grow 200-fold is refused before anything loads them."""
    members = sheet("A1") | {"xl/sharedStrings.xml": b"<sst>" + (b"x" * 1_000 + b"<t/>") * 30_000}
    refused(zipped(tmp_path / "b.xlsx", members | {"xl/media/a": bytes(90 << 20)}), "unpacks to far more")


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
@pytest.mark.parametrize("cells", [("A1", "XFD1048576"), ("A1", "ABC1000000")])
def test_workbook_whose_cells_lie_far_apart(tmp_path: Path, cells: tuple[str, ...]) -> None:
    """Two cells at opposite corners span a rectangle that no memory holds."""
    refused(zipped(tmp_path / "b.xlsx", sheet(*cells)), "reach over")


def elsewhere(members: dict[str, bytes], place: str) -> dict[str, bytes]:
    """The same workbook with its sheet in another place of the archive."""
    sheet_xml = members.pop("xl/worksheets/sheet1.xml")
    relations = members["xl/_rels/workbook.xml.rels"].replace(b"worksheets/sheet1.xml", place.encode())
    return members | {"xl/_rels/workbook.xml.rels": relations, "xl/" + place: sheet_xml}


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
@pytest.mark.parametrize("place", ["data/sheet1.xml", "sheet1.bin", "worksheets/SHEET1.TXT"])
def test_workbook_whose_sheet_lies_elsewhere(tmp_path: Path, place: str) -> None:
    """Wherever a relation says that the sheet lies, its reach is looked at before anything loads it."""
    refused(zipped(tmp_path / "b.xlsx", elsewhere(sheet("A1", "XFD1048576"), place)), "reach over")
    with open_table(zipped(tmp_path / "b.xlsx", elsewhere(sheet("A1", "A2"), place))) as table:
        assert list(table.rows()) == [(2, ["x"])]


@pytest.mark.parametrize("spelling", ["r = 'XFD1048576'", "r='XFD1048576'", 'r\n=\n"XFD1048576"'])
def test_workbook_whose_references_are_spelled_otherwise(tmp_path: Path, spelling: str) -> None:
    """White space and single quotes are XML too."""
    members = sheet("A1", "XFD1048576")
    part = "xl/worksheets/sheet1.xml"
    members[part] = members[part].replace(b'<c r="XFD1048576"', f"<c {spelling}".encode())
    refused(zipped(tmp_path / "b.xlsx", members), "reach over")


def test_workbook_whose_cells_have_no_reference(tmp_path: Path) -> None:
    """Cells that stand in their row one after the other reach as far as there are any."""
    members = sheet("A1")
    part = "xl/worksheets/sheet1.xml"
    wide = b'<row r="1048576">' + b"<c><v>1</v></c>" * 1000 + b"</row></sheetData>"
    members[part] = members[part].replace(b"</sheetData>", wide)
    refused(zipped(tmp_path / "b.xlsx", members), "reach over 1,048,576 rows and 1,00")


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
@pytest.mark.parametrize("reference", ["A99999999999", "ZZZZZZZ1", "A" * 400_000 + "1", "a" + "7" * 9_000])
def test_workbook_whose_cells_lie_beyond_any_sheet(tmp_path: Path, reference: str) -> None:
    """However many letters or digits a reference has."""
    members = sheet("A1")
    part = "xl/worksheets/sheet1.xml"
    far = f'<row><c r="{reference}"><v>1</v></c></row></sheetData>'.encode()
    members[part] = members[part].replace(b"</sheetData>", far)
    refused(zipped(tmp_path / "b.xlsx", members), "reach over")


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
def test_a_cell_that_is_longer_than_any_lists(tmp_path: Path) -> None:
    """In every format, before much of it is held."""
    long = "x" * (3 << 20)
    members = sheet("A1")
    part = "xl/worksheets/sheet1.xml"
    members[part] = members[part].replace(b">x<", f">{long}<".encode())
    refused(zipped(tmp_path / "b.xlsx", members), "a cell is longer")
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    for text in (long, '<text:s text:c="16000"/>' * 200, "<text:tab/>x" * (2 << 20)):
        table = f"<table:table-row>{cell.format('card')}</table:table-row><table:table-row>{cell.format(text)}"
        refused(
            zipped(tmp_path / "b.ods", ods(table + "</table:table-row>")), "a cell is longer|takes more than 16 MiB"
        )
    for coded in (True, False):
        pq.write_table(pa.table({"card": ["y", long]}), tmp_path / "b.parquet", use_dictionary=coded)
        refused(tmp_path / "b.parquet", "a cell is longer")


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_in_one_piece(tmp_path: Path, packing: int) -> None:
    """Of bzip2 and LZMA a few bytes come to any number at once: a list in a zip, and a part of a workbook."""
    with zipfile.ZipFile(tmp_path / "b.zip", "w", packing) as archive:
        archive.writestr("cards.csv", "card\n" + "1\n" * 1_000)
    refused(tmp_path / "b.zip", "packed in an unusual way")
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w", packing) as archive:
        for name, content in sheet("A1", "A2").items():
            archive.writestr(name, content)
    refused(tmp_path / "b.xlsx", "packed in an unusual way")


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
def test_parquet_of_a_great_many_rows_that_are_alike(tmp_path: Path) -> None:
    """Millions of rows in a few kilobytes end after the first of them."""
    path = tmp_path / "b.parquet"
    pq.write_table(pa.table({"n": pa.array([True] * 1_100_000)}), path)
    _refused(path, "more than 1,048,576 rows in")
    pq.write_table(pa.table({"n": pa.array([True] * 100_000)}), path)
    with open_table(path) as table:
        assert sum(1 for _ in table.rows()) == 100_000


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
def test_workbook_of_a_great_many_formats(tmp_path: Path) -> None:
    """Each of them long, and each named by a style."""
    numbers = range(164, 164 + 5_000)
    formats = "".join(f'<numFmt numFmtId="{n}" formatCode="{n}{"0" * 20}"/>' for n in numbers)
    styles = "".join(f'<xf numFmtId="{n}"/>' for n in numbers)
    text = f"<styleSheet><numFmts>{formats}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>"
    refused(zipped(tmp_path / "b.xlsx", sheet("A1") | {"xl/styles.xml": text.encode()}), "4,096 number formats")


def test_workbook_full_of_errors(tmp_path: Path) -> None:
    """More damaged cells than anybody mends by hand are told in one line."""
    members = sheet("A1")
    part = "xl/worksheets/sheet1.xml"
    rows = b"".join(b'<row r="%d"><c r="A%d" t="e"><v>#N/A</v></c></row>' % (n, n) for n in range(2, 100_004))
    members[part] = members[part].replace(b"</sheetData>", rows + b"</sheetData>")
    _refused(zipped(tmp_path / "b.xlsx", members), "more than 100,000 cells are errors")


def test_workbook_that_declares_entities(tmp_path: Path) -> None:
    """A document type, by which a few bytes could stand for gigabytes, is refused."""
    members = sheet("A1")
    bomb = b"<!DOCTYPE a [<!ENTITY a 'x'>]>"
    members["xl/workbook.xml"] = bomb + members["xl/workbook.xml"]
    refused(zipped(tmp_path / "b.xlsx", members), "entities")


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
def test_parquet_of_a_great_many_rows_of_nothing(tmp_path: Path) -> None:
    """A few bytes can stand for any number of rows: too many are refused at once, many of nothing are passed over."""
    path = tmp_path / "b.parquet"
    nothing = pa.table({"card": pa.nulls(7_000_000, pa.string())})
    with pq.ParquetWriter(path, nothing.schema) as writer:
        for _ in range(3):
            writer.write_table(nothing)
    refused(path, "21,000,000 rows; at most 20,000,000")
    pq.write_table(nothing, path)
    with open_table(path) as table:
        assert list(table.rows()) == []


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
@pytest.mark.parametrize("coded", [True, False])
def test_parquet_whose_rows_share_one_long_text(tmp_path: Path, coded: bool) -> None:
    """Of a dictionary a few bits name a text of any length: what the rows come to counts, and how much is read at
    once is bounded."""
    path = tmp_path / "b.parquet"
    one = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000, pa.int32()), pa.array(["x" * 600_000]))
    pq.write_table(pa.table({"card": one}), path, compression="zstd", store_schema=coded)
    begun = pa.total_allocated_bytes()
    with open_table(path) as table:
        rows = table.rows()
        next(rows)
        assert pa.total_allocated_bytes() - begun < 4 * MEMORY
        with pytest.raises(SetupError, match=r"come to more than 1,024 MiB of text"):
            deque(rows, maxlen=0)


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
@pytest.mark.parametrize("cell", ['<c r="A{0}" t="s"><v>0</v></c>', "<c r=\"A{0}\" t = 's' ><x:v >0</x:v></c>"])
def test_workbook_whose_cells_share_one_long_text(tmp_path: Path, cell: str) -> None:
    """Each cell names it in a few bytes, and the reader copies it."""
    rows = "".join(f'<row r="{n}">{cell.format(n)}</row>' for n in range(1, 40_001))
    members = sheet("A1")
    place = next(name for name in members if name.startswith("xl/worksheets/"))
    members[place] = f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode()
    members["xl/sharedStrings.xml"] = f"<sst><si><t>{'x' * 30_000}</t></si><si><t>y</t></si></sst>".encode()
    refused(zipped(tmp_path / "b.xlsx", members), "MiB of text; no list does")


def test_workbook_with_one_long_text_among_many_is_read(tmp_path: Path) -> None:
    """Where only one cell names the long one."""
    members = sheet("A1")
    place = next(name for name in members if name.startswith("xl/worksheets/"))
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>{n == 7:d}</v></c></row>' for n in range(1, 40_001))
    members[place] = members[place].replace(
        members[place][members[place].index(b"<sheetData>") : members[place].index(b"</sheetData>")],
        f"<sheetData>{rows}".encode(),
    )
    members["xl/sharedStrings.xml"] = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<si><t>y</t></si><si><t>{'x' * 30_000}</t></si></sst>"
    ).encode()
    inspected = zipped(tmp_path / "b.xlsx", members)
    with inspected.open("rb") as handle:
        assert inspect(handle, "b.xlsx").kind == "xlsx"


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
@pytest.mark.parametrize(("tall", "wide"), [(100_000, 1), (10, 10_000), (1_000, 100)])
def test_ods_that_repeats_a_long_text(tmp_path: Path, tall: int, wide: int) -> None:
    """Few cells, and each of them long."""
    row = (
        f'<table:table-row table:number-rows-repeated="{tall}"><table:table-cell office:value-type="string" '
        f'table:number-columns-repeated="{wide}"><text:p>{"x" * 30_000}</text:p></table:table-cell></table:table-row>'
    )
    refused(zipped(tmp_path / "b.ods", ods(row)), "MiB of text; no list does")


def test_workbook_with_small_reach_is_read(tmp_path: Path) -> None:
    """The same workbook with its cells together is a table."""
    with open_table(zipped(tmp_path / "b.xlsx", sheet("A1", "A2"))) as table:
        assert (table.columns, list(table.rows())) == (("x",), [(2, ["x"])])


@pytest.mark.parametrize(
    "table",
    [
        (
            '<table:table-row table:number-rows-repeated="1000000"><table:table-cell office:value-type="string" '
            'table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell></table:table-row>'
        ),
        (
            '<table:table-row table:number-rows-repeated="900000"><table:table-cell/></table:table-row>'
            '<table:table-row><table:table-cell table:number-columns-repeated="9000"/>'
            '<table:table-cell office:value-type="string">'
            "<text:p>x</text:p></table:table-cell></table:table-row>"
        ),
    ],
)
def test_ods_that_repeats_without_end(tmp_path: Path, table: str) -> None:
    """One element of an ods sheet can stand for a million rows."""
    refused(zipped(tmp_path / "b.ods", ods(table)), "reach over")


def test_ods_with_a_blank_rest_is_read(tmp_path: Path) -> None:
    """The blank rest of a sheet, which is written as one repeated row, does no harm."""
    cell = '<table:table-cell office:value-type="string"><text:p>x</text:p></table:table-cell>'
    rest = '<table:table-cell table:number-columns-repeated="16383"/>'
    row = f"<table:table-row>{cell}{rest}</table:table-row>"
    blank = '<table:table-row table:number-rows-repeated="1048574"><table:table-cell/></table:table-row>'
    with open_table(zipped(tmp_path / "b.ods", ods(row + row + blank))) as table:
        assert list(table.rows()) == [(2, ["x"])]


def test_workbook_that_lies_about_its_size(tmp_path: Path) -> None:
    """A declared size that is not the real one is damage."""
    path = zipped(tmp_path / "b.xlsx", sheet("A1"))
    content = bytearray(path.read_bytes())
    name = b"xl/worksheets/sheet1.xml"
    for signature, offset, size_at in ((b"PK\x01\x02", 46, 24), (b"PK\x03\x04", 30, 22)):
        start = content.find(name, content.find(signature)) - offset
        while content[start : start + 4] != signature:
            start = content.find(name, start + offset + 1) - offset
        content[start + size_at : start + size_at + 4] = (5).to_bytes(4, "little")
    path.write_bytes(bytes(content))
    refused(path, "damaged")


def test_zip_of_a_zip(tmp_path: Path) -> None:
    """A workbook alone in a zip is read; a zip in a zip is not unpacked again and again."""
    inner = zipped(tmp_path / "i.xlsx", sheet("A1", "A2")).read_bytes()
    with open_table(zipped(tmp_path / "o.zip", {"i.xlsx": inner})) as table:
        assert table.facts.compression == "zip"
        assert list(table.rows()) == [(2, ["x"])]
    deep = io.BytesIO()
    with zipfile.ZipFile(deep, "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
    refused(zipped(tmp_path / "o.zip", {"i.zip": deep.getvalue()}), "is no workbook")
