"""Whatever is no value is sent in no field of no command, whichever format it comes in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table as OdfTable
from odf.table import TableCell, TableRow
from odf.text import P

from piggy_batch.endpoints import CATALOGUE, Operation
from piggy_batch.errors import SetupError
from piggy_batch.models import Kind
from tests.support.world import WRITES, World, cell, working_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAMAGED = ["Zo\ufffd", '"some text"', '="some text"', "=VLOOKUP(A2;B:C;2)"]
Grid = list[list[str]]
WORDS = [
    "NULL",
    "nan",
    "NaN",
    "None",
    "undefined",
    "\\N",
    "<NA>",
    "n.v.t.",
    "#NV",
    "#WERT!",
    "#BEZUG!",
    "#VALEUR!",
    "#N/A",
]


def columns_of(operation: Operation) -> list[str]:
    """The fields that a manifest of the operation may feed, merge tags among them; one of those that exclude others."""
    names = [c.name for c in operation.columns if c.name not in operation.one_of[1:]]
    free = operation.open_columns
    return [*names, *([f"{free.prefix}name"] if free is not None else [])]


FIELDS = [
    pytest.param(operation, name, id=f"{operation.slug}-{name}")
    for operation in WRITES
    if not operation.hidden
    for name in columns_of(operation)
]


def grid(world: World, operation: Operation, name: str, rows: int = 3) -> tuple[Grid, int]:
    """Header and rows of which every one would work, with a column for the field; and where it stands."""
    header, cells = working_rows(world, operation, rows)
    names = header.split(",")
    if name not in names:
        names.append(name)
        for number, row in enumerate(cells, start=1):
            row.append(value_of(world, operation, name, number))
    return [names, *cells], names.index(name)


def value_of(world: World, operation: Operation, name: str, number: int) -> str:
    """What the field may hold."""
    column = operation.column(name)
    if column and column.kind is Kind.DELETION:
        return "DEFAULT"
    try:
        return cell(world, operation, name, number)
    except KeyError:  # a text like any other
        return f"customer{number}@example.test" if column and column.kind is Kind.EMAIL else "some text"


def write_csv(path: Path, table: Grid, at: int, value: str) -> Path:
    table[2][at] = value
    lines = [";".join(row) for row in table]
    path.with_suffix(".csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path.with_suffix(".csv")


def write_jsonl(path: Path, table: Grid, at: int, value: str) -> Path:
    table[2][at] = value
    lines = [json.dumps(dict(zip(table[0], row, strict=True))) for row in table[1:]]
    path.with_suffix(".jsonl").write_text("\n".join(lines), encoding="utf-8")
    return path.with_suffix(".jsonl")


def write_parquet(path: Path, table: Grid, at: int, value: str) -> Path:
    table[2][at] = value
    columns = list(zip(*table[1:], strict=True))
    pq.write_table(pa.table(dict(zip(table[0], columns, strict=True))), path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def write_error(path: Path, table: Grid, at: int, value: str) -> Path:
    """A workbook with an error cell."""
    book = openpyxl.Workbook()
    for row in table:
        book.active.append(row)
    book.active.cell(3, at + 1).value = value
    book.active.cell(3, at + 1).data_type = "e"
    book.save(path.with_suffix(".xlsx"))
    return path.with_suffix(".xlsx")


def write_formula(path: Path, table: Grid, at: int, value: str) -> Path:
    """A workbook with a formula that nobody has calculated."""
    book = openpyxl.Workbook()
    for row in table:
        book.active.append(row)
    book.active.cell(3, at + 1).value = "=CONCATENATE(Z1,Z2)"
    book.save(path.with_suffix(".xlsx"))
    return path.with_suffix(".xlsx")


def write_zero(path: Path, table: Grid, at: int, value: str) -> Path:
    """A workbook with a formula that its writer stored as 0."""
    book = xlsxwriter.Workbook(path.with_suffix(".xlsx"))
    sheet = book.add_worksheet()
    for number, row in enumerate(table):
        for column, text in enumerate(row):
            sheet.write_string(number, column, text)
    sheet.write_formula(2, at, "=Z1*100")
    book.close()
    return path.with_suffix(".xlsx")


def write_merged(path: Path, table: Grid, at: int, value: str) -> Path:
    """A workbook whose cells of one column are merged over all rows."""
    book = openpyxl.Workbook()
    for row in table:
        book.active.append(row)
    book.active.merge_cells(start_row=2, end_row=4, start_column=at + 1, end_column=at + 1)
    book.save(path.with_suffix(".xlsx"))
    return path.with_suffix(".xlsx")


def write_ods(path: Path, table: Grid, at: int, value: str) -> Path:
    """An OpenDocument sheet with an error as a spreadsheet program saves it, its result an empty text."""
    book = OpenDocumentSpreadsheet()
    sheet = OdfTable(name="Blad1")
    for number, row in enumerate(table):
        line = TableRow()
        for column, text in enumerate(row):
            is_error = (number, column) == (2, at)
            made = (
                TableCell(valuetype="string", formula="of:=VLOOKUP(1;[.A1];1)")
                if is_error
                else TableCell(valuetype="string")
            )
            made.addElement(P(text=value if is_error else text))
            line.addElement(made)
        sheet.addElement(line)
    book.spreadsheet.addElement(sheet)
    book.save(path.with_suffix(".ods"))
    return path.with_suffix(".ods")


TEXTS = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}
BOOKS = {"error": write_error, "formula": write_formula, "zero": write_zero, "merged": write_merged, "ods": write_ods}


def refused(world: World, operation: Operation, manifest: Path) -> bool:
    """Whether nothing was sent, and the command says so by its exit code."""
    before = world.effects
    try:
        code = world.run(operation, manifest, run_dir=world.folder / "run").exit_code
    except SetupError:
        code = 2
    return code == 2 and world.effects == before


@pytest.mark.parametrize("book", BOOKS)
@pytest.mark.parametrize(("operation", "name"), FIELDS)
def test_a_cell_without_its_value_stops_the_list(world: World, operation: Operation, name: str, book: str) -> None:
    """An error, a formula without result, a default of 0, a covered cell: in any field, nothing is sent."""
    make: Callable[[Path, Grid, int, str], Path] = BOOKS[book]
    table, at = grid(world, operation, name)
    assert refused(world, operation, make(world.folder / "list", table, at, "#N/A"))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(("operation", "name"), FIELDS)
def test_what_is_no_value_stops_the_list(world: World, operation: Operation, name: str, text: str) -> None:
    """Words for nothing, errors in any language, a lost character, quotes, a formula: in any field, nothing is sent."""
    make: Callable[[Path, Grid, int, str], Path] = TEXTS[text]
    table, at = grid(world, operation, name)
    sent = [
        word
        for word in (*WORDS, *(DAMAGED if text == "jsonl" else ()))
        if not refused(world, operation, make(world.folder / "list", [list(row) for row in table], at, word))
    ]
    assert sent == []


@pytest.mark.parametrize("rows", [1, 3, 49, 50])
@pytest.mark.parametrize("footer", ["Totaal", "Summe: 50", "Sous-total", "Grand total", "Gegenereerd door Kassa Pro"])
@pytest.mark.parametrize(("operation", "name"), [p for p in FIELDS if p.values[1] == p.values[0].key])
def test_a_footer_stops_the_list_at_any_size(
    world: World, operation: Operation, name: str, footer: str, rows: int
) -> None:
    """A total under a list of one row, or of fifty, is no card."""
    table, at = grid(world, operation, name, 1)
    first = table[1]
    if at is not None and operation.column(name).kind is Kind.EMAIL:
        more = [[*first[:at], f"person{n}@example.test", *first[at + 1 :]] for n in range(rows - 1)]
    else:
        more = [[*first[:at], f"{n:08d}-0000-4000-8000-000000000000", *first[at + 1 :]] for n in range(rows - 1)]
    table += more
    table.append([footer if place == at else "" for place in range(len(first))])
    assert refused(world, operation, write_jsonl_all(world.folder / "list", table))


def write_jsonl_all(path: Path, table: Grid) -> Path:
    lines = [json.dumps(dict(zip(table[0], row, strict=True))) for row in table[1:]]
    path.with_suffix(".jsonl").write_text("\n".join(lines), encoding="utf-8")
    return path.with_suffix(".jsonl")


def test_every_command_that_changes_anything_is_tried() -> None:
    """No write of the catalogue is left out here."""
    tried = {param.values[0].name for param in FIELDS}
    assert tried == {o.name for o in CATALOGUE if o.repeat.value != "safe" and not o.hidden}


@pytest.mark.parametrize(("operation", "name"), FIELDS)
def test_the_same_list_unspoiled_is_taken(world: World, operation: Operation, name: str) -> None:
    """What stops the lists of this module is the spoiled cell and nothing else."""
    table, at = grid(world, operation, name)
    assert not refused(world, operation, write_jsonl(world.folder / "list", table, at, table[2][at]))
