"""A report as an Excel workbook: one sheet per table, money as money, dates as dates, text never a formula."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import xlsxwriter

from piggy_batch.files import LibraryFile, atomic_file
from piggy_batch.reporting.dates import shown
from piggy_batch.reporting.glossary import definitions
from piggy_batch.reporting.phrases import Phrase
from piggy_batch.reporting.render.first_screen import facts, grave, heading, minor, to_book, verdict_of
from piggy_batch.reporting.render.language import ENGLISH
from piggy_batch.reporting.render.report_tables import part_tables, sources_table
from piggy_batch.reporting.render.table_model import CellKind, ReportTable, shown_cell
from piggy_batch.text import printable_line

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.reporting.money import Currency
    from piggy_batch.reporting.report import Report

_ROWS_A_SHEET = 1_000_000  # a spreadsheet ends at 1,048,576
_CELL_CHARACTERS = 32_767  # the longest text a cell takes
_SHEET_CHARACTERS = 31  # the longest name of a sheet
_LOOKED_AT = 200  # rows by which a column's width is chosen
_WIDTHS = {
    CellKind.TEXT: (9, 48),
    CellKind.COUNT: (9, 16),
    CellKind.CENTS: (14, 26),
    CellKind.SHARE: (7, 9),
    CellKind.DATE: (12, 12),
}
_WIDTHS[CellKind.MOMENT] = (20, 20)
_STYLES: dict[str, dict[str, object]] = {
    "sum": {"bold": True, "top": 1},
    "group": {"bold": True, "font_color": "#565E6B"},
}


def write_workbook(report: Report, target: Path) -> None:
    """Put the workbook at ``target``, whole or not at all; amounts are in units of the currency."""
    with atomic_file(target) as draft:
        file = LibraryFile(draft)
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "tmpdir": file.scratch,
        }
        book = xlsxwriter.Workbook(file, options)
        try:
            book.set_properties({"title": "Giftcards", "created": report.made_at.replace(tzinfo=None)})
            _Workbook(book, report).write()
        except BaseException:
            file.abandon(book.close)
            raise
        file.finish(book.close)


class _Workbook:
    """The sheets, in the order in which they are read."""

    def __init__(self, book: Any, report: Report) -> None:
        self._book = book
        self._report = report
        self._footer = f"&L{_printed(report.account or '')}&C{_printed(shown(report.as_of, report.zone))}&R&P / &N"
        self._bold = self._format(bold=True, valign="top", num_format="@")
        self._wrap = self._format(text_wrap=True, valign="top", num_format="@")
        self._header = self._format(bold=True, bottom=1, text_wrap=True, valign="top", bg_color="#E9EDF4")
        self._header_right = self._format(
            bold=True, bottom=1, text_wrap=True, valign="top", bg_color="#E9EDF4", align="right"
        )
        self._detail = self._format(indent=1, num_format="@")
        self._title = self._format(bold=True, font_size=14)
        self._formats: dict[tuple[str, CellKind, str], Any] = {}

    def _format(self, **look: object) -> Any:
        return self._book.add_format(look)

    def write(self) -> None:
        self._summary()
        for part in self._report.parts:
            for table in part_tables(self._report, part):
                self._sheets(table, part.currency)
        self._about()

    def _cell_format(self, currency: Currency, kind: CellKind, style: str) -> Any:
        """How a cell of a kind looks; ``style`` is sum, group or empty."""
        key = (currency.code, kind, style)
        if key not in self._formats:
            symbol = currency.symbol.strip()
            codes = {
                CellKind.TEXT: "@",
                CellKind.COUNT: "#,##0",
                CellKind.CENTS: f'"{symbol}"\u00a0#,##0.00;[Red]-"{symbol}"\u00a0#,##0.00',
                CellKind.SHARE: "0.0%",
                CellKind.DATE: "yyyy-mm-dd",
                CellKind.MOMENT: "yyyy-mm-dd hh:mm:ss",
            }
            self._formats[key] = self._format(num_format=codes[kind], **_STYLES.get(style, {}))
        return self._formats[key]

    def _sheet(self, name: str, *, landscape: bool) -> Any:
        sheet = self._book.add_worksheet(name)
        sheet.set_paper(9)  # A4
        if landscape:
            sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(self._footer)
        return sheet

    def _summary(self) -> None:
        """The first screen, and what has to be known before anything is read."""
        report = self._report
        sheet = self._sheet("Summary", landscape=False)
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 22)
        sheet.set_column(2, 2, 48)
        sheet.freeze_panes(3, 0)
        sheet.write_string(0, 0, printable_line(heading(report, ENGLISH)), self._title)
        sheet.write_string(1, 0, verdict_of(report).words, self._bold)
        since = f", since {shown(report.since, report.zone)}" if report.since else ""
        sheet.write_string(2, 0, f"as of {shown(report.as_of, report.zone)}{since}")
        row = 4
        for part in report.parts:
            if len(report.parts) > 1:
                sheet.write_string(row, 0, f"Amounts in {part.currency.code}", self._bold)
                row += 1
            for fact in facts(report, part, ENGLISH):
                sheet.write_string(row, 0, ENGLISH.say(fact.label), self._bold)
                sheet.write_number(row, 1, fact.cents / 100, self._cell_format(part.currency, CellKind.CENTS, ""))
                sheet.write_string(row, 2, fact.detail, self._detail)
                row += 1
            sheet.write_string(row, 0, "To book", self._bold)
            sheet.merge_range(row, 1, row, 2, "", self._wrap)
            sheet.write_string(row, 1, to_book(report, part, ENGLISH), self._wrap)
            sheet.set_row(row, 62)
            row += 2
        for notice in grave(report, ENGLISH):
            sheet.write_string(row, 0, "Check first", self._bold)
            sheet.merge_range(row, 1, row, 2, "", self._wrap)
            sheet.write_string(row, 1, notice[:_CELL_CHARACTERS], self._wrap)
            sheet.set_row(row, 15 * (1 + len(notice) // 90))
            row += 1
        sheet.print_area(0, 0, row, 2)

    def _sheets(self, table: ReportTable, currency: Currency) -> None:
        """One sheet, or as many as the rows need."""
        rows = iter(enumerate(table.rows()))
        number = 1
        while True:
            suffix = "" if number == 1 else f" ({number})"
            sheet = self._sheet(
                table.sheet[: _SHEET_CHARACTERS - len(suffix)] + suffix, landscape=len(table.columns) > 5
            )
            self._head(sheet, table)
            last = 0
            for last, (index, row) in enumerate(islice(rows, _ROWS_A_SHEET), start=1):
                style = "sum" if index in table.sums else "group" if index in table.headings else ""
                self._row(sheet, last, row, table, currency, style)
            filtered = last - 1 if table.size - 1 in table.sums and number * _ROWS_A_SHEET >= table.size else last
            if filtered > 0:  # the sum below them stays in sight
                sheet.autofilter(0, 0, filtered, len(table.columns) - 1)
            for column in table.heat:
                scale = {"type": "2_color_scale", "min_color": "#FFFFFF", "max_color": "#87A7DF"}
                sheet.conditional_format(1, column, max(1, last), column, scale)
            sheet.print_area(0, 0, last, len(table.columns) - 1)
            if number * _ROWS_A_SHEET >= table.size:
                return
            number += 1

    def _head(self, sheet: Any, table: ReportTable) -> None:
        looked_at = list(islice(table.rows(), _LOOKED_AT))
        for index, column in enumerate(table.columns):
            least, most = _WIDTHS[column.kind]
            texts = [shown_cell(row[index], column.kind, ENGLISH) for row in looked_at]
            longest = max(map(len, (*texts, str(column.label)[:12])), default=0)
            room = longest * 1.15 + (5 if column.kind is CellKind.CENTS else 2)  # bold digits, the currency's sign
            sheet.set_column(index, index, min(max(room, least), most))
            is_number = column.kind in (CellKind.COUNT, CellKind.CENTS, CellKind.SHARE)
            sheet.write_string(0, index, column.label, self._header_right if is_number else self._header)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        sheet.set_header(f"&L&B{_printed(str(table.title))}")

    def _row(
        self, sheet: Any, place: int, row: tuple[Any, ...], table: ReportTable, currency: Currency, style: str
    ) -> None:
        for index, (value, column) in enumerate(zip(row, table.columns, strict=True)):
            look = self._cell_format(currency, column.kind, style)
            if value is None:
                if style:
                    sheet.write_blank(place, index, None, look)
            elif isinstance(value, str | Phrase):
                value = str(value)
                text = value if value.isprintable() else printable_line(value)
                sheet.write_string(place, index, text[:_CELL_CHARACTERS], look)
            elif column.kind is CellKind.CENTS:
                sheet.write_number(place, index, value / 100, look)
            elif column.kind is CellKind.SHARE:
                sheet.write_number(place, index, value / 10_000, look)
            elif column.kind is CellKind.DATE:
                sheet.write_datetime(place, index, value, look)
            elif column.kind is CellKind.MOMENT:
                # A spreadsheet rounds the last instant of a day up to the next one.
                sheet.write_datetime(place, index, value.replace(tzinfo=None, microsecond=0), look)
            else:
                sheet.write_number(place, index, value, look)

    def _about(self) -> None:
        """How the figures were reckoned, what the words mean, and which files they come from."""
        report = self._report
        sheet = self._sheet("Definitions and sources", landscape=True)
        table = sources_table(report)
        for index, width in enumerate((26, 60, 13, 20, 12, 26, 18, 68)):
            sheet.set_column(index, index, width)
        sheet.freeze_panes(1, 0)
        sheet.write_string(0, 0, "Definitions and sources", self._title)
        lines = [
            ("Made", shown(report.made_at, report.zone)),
            ("Time zone", f"{report.zone.key}; all days and times in this workbook"),
            ("Currency", ", ".join(part.currency.code for part in report.parts)),
            *(("Note", notice) for notice in minor(report, ENGLISH)),
            *((str(term), str(words)) for term, words in definitions(report)),
        ]
        row = 2
        for name, words in lines:
            sheet.write_string(row, 0, name, self._bold)
            sheet.merge_range(row, 1, row, 6, "", self._wrap)
            sheet.write_string(row, 1, words[:_CELL_CHARACTERS], self._wrap)
            sheet.set_row(row, 15 * (1 + len(words) // 140))
            row += 1
        row += 1
        for index, column in enumerate(table.columns):
            sheet.write_string(row, index, column.label, self._header)
        for number, cells in enumerate(table.rows(), start=row + 1):
            self._row(sheet, number, cells, table, report.parts[0].currency, "")
        sheet.print_area(0, 0, row + table.size, len(table.columns) - 1)


def _printed(text: str) -> str:
    """A text in a page's head or foot, where an ampersand begins a code."""
    return text.replace("&", "&&")[:200]
