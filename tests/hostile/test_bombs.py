"""Small files and answers that would fill the memory, or take for ever: told in one line, within a bound of both."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.hostile.program import Ended, Program, needed, statuses
from tests.hostile.service import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hostile.service import HostileService

pytestmark = pytest.mark.process
BOMB = pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
BOUND_S = 10.0
ADDRESSES_KIB = 2 << 20  # of address space, so that a bomb takes the program and not the machine
MIB = 1 << 20
MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
unit = 1 if sys.platform == "darwin" else 1024
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit, file=sys.stderr)
sys.exit(code if code >= 0 else 128 - code)
"""


@dataclass(frozen=True)
class Measured:
    """How an invocation ended, and how much memory it had at most; None: not in time."""

    ended: Ended | None
    peak: int = 0

    @property
    def is_refusal(self) -> bool:
        """Exit 2, in one line that is no traceback."""
        return self.ended is not None and self.ended.code == 2 and len(self.ended.err.splitlines()) == 1


def measured(program: Program, *words: str | Path, url: str = "", **environ: str | None) -> Measured:
    """One invocation under bounds of address space and time."""
    limits = ("bash", "-c", f'ulimit -v {ADDRESSES_KIB}; exec "$@"', "bash", sys.executable, "-c", MEASURED)
    process = program.start(*words, url=url, prefix=limits, **environ)
    try:
        ended = program.end(process, BOUND_S)
    except subprocess.TimeoutExpired:
        return Measured(None)
    *err, last = ended.err.splitlines()
    needed(last.startswith("peak "), ended)
    return Measured(Ended(ended.code, ended.out, "\n".join(err)), int(last.removeprefix("peak ")))


def checked(program: Program, path: Path) -> Measured:
    """What ``check`` says of a list."""
    return measured(program, "check", path, "--for", "identifiers create")


def workbook(path: Path, place: str, row: int = 1_048_576, column: str = "XFD") -> Path:
    """Two cells, the second far from the first, of a sheet that lies at this place of the archive."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    cell = '<row r="{0}"><c r="{1}{0}" t="inlineStr"><is><t>x</t></is></c></row>'
    cells = cell.format(1, "A") + cell.format(row, column)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        relation = (
            f'<Relationships {package}><Relationship Id="rId1" Type="{office}/{{}}" Target="{{}}"/></Relationships>'
        )
        archive.writestr("_rels/.rels", relation.format("officeDocument", "xl/workbook.xml"))
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {main} xmlns:r="{office}"><sheets><sheet name="s" sheetId="1" r:id="rId1"/></sheets>'
            "</workbook>",
        )
        archive.writestr("xl/_rels/workbook.xml.rels", relation.format("worksheet", place))
        archive.writestr(f"xl/{place}", f"<worksheet {main}><sheetData>{cells}</sheetData></worksheet>")
    return path


@BOMB
def test_a_sheet_that_lies_elsewhere(program: Program) -> None:
    """Two kilobytes of workbook ask for half a terabyte."""
    found = checked(program, workbook(program.folder / "cards.xlsx", "data/sheet1.xml"))
    assert found.is_refusal, found.ended


def spaces(path: Path) -> Path:
    """An OpenDocument sheet with a cell of nine hundred million spaces."""
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    rows = (cell.format("contact_identifier_value"), cell.format("a" + '<text:s text:c="30000"/>' * 30_000 + "b"))
    table = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr(
            "content.xml",
            '<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet>'
            f"<table:table table:name='s'>{table}</table:table>"
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return path


def long_texts(path: Path) -> Path:
    """Thirty cells that share one text of thirty million letters."""
    one = pa.DictionaryArray.from_arrays(pa.array([0] * 30, pa.int32()), pa.array(["x" * 30_000_000]))
    pq.write_table(pa.table({"contact_identifier_value": one}), path, compression="zstd")
    return path


@BOMB
@pytest.mark.parametrize(
    "make",
    [
        lambda folder: workbook(folder / "cards.xlsx", "worksheets/sheet1.xml", 99_999_999_999, "A"),
        lambda folder: spaces(folder / "cards.ods"),
        lambda folder: long_texts(folder / "cards.parquet"),
    ],
    ids=["a row far away", "a cell of spaces", "long texts"],
)
def test_a_small_list_that_comes_to_gigabytes(program: Program, make: Callable[[Path], Path]) -> None:
    """Refused in one line, with little memory."""
    path = make(program.folder)
    needed(path.stat().st_size < 100_000)
    found = checked(program, path)
    assert found.ended is not None, "it reads for ever"
    assert found.is_refusal, found.ended
    assert found.peak < 300 * MIB


@BOMB
def test_a_number_of_zeros(program: Program) -> None:
    """Four thousand of them are a finding, or none; never a traceback."""
    found = checked(program, program.manifest("cards.csv", "contact_identifier_value", ["0" * 4_000] * 30))
    assert found.ended is not None
    assert "Traceback" not in found.ended.err
    assert found.ended.code in (0, 1)


@BOMB
def test_rows_of_nothing(program: Program) -> None:
    """A few hundred kilobytes of Parquet are fifty million rows without a card."""
    path = program.folder / "cards.parquet"
    nothing = pa.table({"contact_identifier_value": pa.nulls(5_000_000, pa.string())})
    with pq.ParquetWriter(path, nothing.schema) as writer:
        for _ in range(10):
            writer.write_table(nothing)
    found = checked(program, path)
    assert found.ended is not None, "it reads for ever"
    assert found.is_refusal


@BOMB
def test_a_token_file_without_end(program: Program) -> None:
    """It is read up to a bound."""
    found = measured(program, "ping", "--token-file", "/dev/zero", "--base-url", "http://127.0.0.1:9", PIGGY_TOKEN=None)
    assert found.is_refusal, found.ended


@BOMB
def test_a_small_packed_answer(program: Program, service: HostileService) -> None:
    """Ten kilobytes on the wire are a third of a gigabyte as values: memory is bounded, and the rows are in doubt."""
    unit = b"[],"
    body = b'{"data":[' + unit * (10 * MIB // len(unit)) + b"[]]}"
    packed = Answer(200, gzip.compress(body), {"content-type": "application/json", "content-encoding": "gzip"})

    async def hook(request: Request) -> Answer | None:
        return packed if request.method == "POST" else None

    service.hook = hook
    rows = (f"{service.uuid_of_program()},{number}" for number in range(2))
    path = program.manifest("cards.csv", "giftcard_program_uuid,order", rows)
    words = (
        "giftcards",
        "create",
        "--no-baseline",
        "--yes",
        "--rate",
        "0",
        "--no-progress",
        "--concurrency",
        "2",
        path,
    )
    found = measured(program, *words, url=service.url)
    needed(len(service.asked("POST", "/giftcards")) == 2)
    assert found.ended is not None, "it reads for ever"
    assert found.peak < 200 * MIB
    assert statuses(program.folder / "cards.giftcards-create") == {"unknown": 2}
