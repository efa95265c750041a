"""A report as an Excel workbook: one sheet per table, numbers as numbers, text never a formula."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import xlsxwriter

from piggy_batch.files import atomic_file
from piggy_batch.reporting.dates import shown
from piggy_batch.reporting.definitions import DEFINITIONS, TRANSACTION_DEFINITIONS
from piggy_batch.reporting.render.table import Kind, Table
from piggy_batch.reporting.render.tables import tables

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.reporting.report import Report

_ROWS_A_SHEET = 1_000_000  # Excel ends at 1,048,576
_CELL_CHARACTERS = 32_767  # the longest text a cell takes
_SHEET_NAMES = {
    "liability": "Liability",
    "by_program": "By program",
    "by_type": "By type",
    "by_state": "By state",
    "expiry": "Expiry",
    "roll_forward": "Roll-forward",
    "roll_by_program": "Roll-forward by program",
    "trend": "Trend",
    "transactions": "Snapshots vs transactions",
    "by_shop": "Transactions by shop",
    "differences": "Differences by card",
    "flow_differences": "Differences by flow",
    "sources": "Sources",
}


def write_workbook(report: Report, target: Path) -> None:
    """Put the workbook at ``target``, whole or not at all; amounts are in units of the currency."""
    with atomic_file(target) as draft:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        book = xlsxwriter.Workbook(str(draft), options)
        book.set_properties({"title": "Giftcards", "created": report.made_at.replace(tzinfo=None)})
        formats = _formats(book, report)
        _about(book, report, formats)
        for table in tables(report):
            _sheets(book, table, formats)
        book.close()


def _formats(book: Any, report: Report) -> dict[str, Any]:
    symbol = report.currency.symbol.strip()
    money = f'"{symbol}"\u00a0#,##0.00;[Red]-"{symbol}"\u00a0#,##0.00'
    looks: dict[str, dict[str, object]] = {
        Kind.TEXT: {"num_format": "@"},
        Kind.COUNT: {"num_format": "#,##0"},
        Kind.CENTS: {"num_format": money},
    }
    formats: dict[str, Any] = {kind: book.add_format(look) for kind, look in looks.items()}
    formats |= {f"{kind} sum": book.add_format({**look, "bold": True, "top": 1}) for kind, look in looks.items()}
    formats["header"] = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    formats["wrap"] = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    formats["bold"] = book.add_format({"bold": True, "valign": "top", "num_format": "@"})
    return formats


def _about(book: Any, report: Report, formats: dict[str, Any]) -> None:
    sheet = book.add_worksheet("About")
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 110)
    facts = [
        ("Giftcards", "What is owed, what moved, what will expire"),
        ("As of", shown(report.closing.moment, report.zone)),
        ("Since", shown(report.opening.moment, report.zone) if report.opening else "no earlier snapshot"),
        ("Made", shown(report.made_at, report.zone)),
        ("Time zone", report.zone.key),
        ("Currency", report.currency.code),
        *(("Notice", str(notice)) for notice in report.notices),
        *DEFINITIONS,
        *(TRANSACTION_DEFINITIONS if report.comparison else ()),
    ]
    sheet.freeze_panes(1, 0)
    for row, (label, words) in enumerate(facts):
        sheet.write_string(row, 0, label, formats["bold"])
        sheet.write_string(row, 1, words[:_CELL_CHARACTERS], formats["wrap"])


def _sheets(book: Any, table: Table, formats: dict[str, Any]) -> None:
    """One sheet, or as many as the rows need."""
    rows = iter(enumerate(table.rows()))
    name = _SHEET_NAMES.get(table.key, table.title.replace(":", ""))
    number = 1
    while True:
        sheet = book.add_worksheet(name if number == 1 else f"{name} ({number})")
        _head(sheet, table, formats)
        for place, (index, row) in enumerate(islice(rows, _ROWS_A_SHEET), start=1):
            _row(sheet, place, row, table, formats, bold=index in table.emphasized)
        if number * _ROWS_A_SHEET >= table.size:
            return
        number += 1


def _head(sheet: Any, table: Table, formats: dict[str, Any]) -> None:
    for index, column in enumerate(table.columns):
        width = 16 if column.kind is not Kind.TEXT else 38 if index < 2 else 24
        sheet.set_column(index, index, width)
        sheet.write_string(0, index, column.label, formats["header"])
    sheet.freeze_panes(1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _row(sheet: Any, place: int, row: tuple[Any, ...], table: Table, formats: dict[str, Any], *, bold: bool) -> None:
    for index, (value, column) in enumerate(zip(row, table.columns, strict=True)):
        look = formats[f"{column.kind} sum" if bold else column.kind]
        if value is None:
            continue
        if isinstance(value, str):
            sheet.write_string(place, index, value[:_CELL_CHARACTERS], look)
        else:
            sheet.write_number(place, index, value / 100 if column.kind is Kind.CENTS else value, look)
