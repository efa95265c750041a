"""A report as one HTML file that needs nothing else: styles, charts and tables are all in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from piggy_batch.files import render_template, write_whole
from piggy_batch.reporting.glossary import definitions
from piggy_batch.reporting.phrases import phrase
from piggy_batch.reporting.render.bar_charts import BarChart, expiry_chart, programs_chart, waterfall_chart
from piggy_batch.reporting.render.first_screen import Fact, facts, grave, heading, minor, to_book, verdict_of
from piggy_batch.reporting.render.language import ENGLISH, Language
from piggy_batch.reporting.render.line_chart import trend_chart
from piggy_batch.reporting.render.report_tables import part_tables, sources_table
from piggy_batch.reporting.render.table_model import CellKind, ReportTable, TableColumn, shown_cell
from piggy_batch.text import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from piggy_batch.reporting.render.line_chart import LineChart
    from piggy_batch.reporting.report import CurrencyPart, Report

_MOST_ROWS = 1_000  # of a list on the page; the other forms hold all
_MOST_FLOWS = 40  # of flows that differ: most belong to cards whose change agrees
_HEAT_STEPS = 8  # shades of a heat map
_MOST_SOURCES = 20  # files that are listed at the end of a page; more are an appendix on paper
_SMALL = 8  # rows up to which a table is kept on one sheet of paper
_LONG = 13  # characters of an amount from which all are set smaller
_WIDE = 7  # columns from which a table is set smaller
_WIDEST = 13  # and still smaller
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,-")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text and the classes that set it."""

    text: str
    style: str


@dataclass(frozen=True, slots=True)
class HtmlRow:
    """Cells, and whether they are a sum or the heading of a group."""

    style: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A table as the page shows it, with its chart."""

    key: str
    title: str
    note: str
    style: str
    chart: BarChart | None
    columns: tuple[Cell, ...]
    rows: tuple[HtmlRow, ...]
    left_out: int  # rows that only the other forms hold


@dataclass(frozen=True, slots=True)
class PagePart:
    """One currency on the page."""

    heading: str  # empty where there is but one
    facts: tuple[tuple[str, str, str], ...]  # name, amount, detail
    is_long: bool  # an amount is so long that all are set smaller
    to_book: str
    trend: LineChart | None
    sections: tuple[Section, ...]


def write_page(report: Report, target: Path, language: Language = ENGLISH) -> None:
    """Put the page at ``target``, whole or not at all."""
    write_whole(target, render(report, language).encode())


def render(report: Report, language: Language = ENGLISH) -> str:
    """The page's HTML."""
    moment = language.moment(report.as_of, report.zone)
    parts = tuple(_part(report, part, language) for part in report.parts)
    values = {
        "language": language,
        "report": report,
        "parts": parts,
        "sources": _section(sources_table(report), None, language),
        "definitions": [(language.say(term), language.say(words)) for term, words in definitions(report)],
        "verdict": verdict_of(report),
        "grave": grave(report, language),
        "minor": minor(report, language),
        "heading": heading(report, language),
        "moment": moment,
        "since": language.moment(report.since, report.zone) if report.since else None,
        "made": language.moment(report.made_at, report.zone),
        "currencies": ", ".join(part.currency.code for part in report.parts),
        "running": _css_text(language.say(phrase("Giftcards as of {moment}", moment=moment))),
        "owner": _css_text(report.account or ""),
    }
    filters = {"say": language.say, "words": lambda text: language.say(phrase(text)), "count": language.count}
    return render_template("piggy_batch.reporting.render", "report.html.j2", values, filters)


def _css_text(text: str) -> str:
    """A text inside a CSS string: everything but plain letters and digits as an escape, which a space ends."""
    return "".join(c if c in _PLAIN else f"\\{ord(c):06x} " for c in text)


def _part(report: Report, part: CurrencyPart, language: Language) -> PagePart:
    heading = language.say(phrase("Amounts in {currency}", currency=part.currency.code))
    found = tuple(_fact(fact, part, language) for fact in facts(report, part, language))
    return PagePart(
        heading=heading if len(report.parts) > 1 else "",
        facts=found,
        is_long=any(len(amount) > _LONG for _, amount, _ in found),
        to_book=to_book(report, part, language),
        trend=trend_chart(part, language),
        sections=tuple(_sections(report, part, language)),
    )


def _fact(fact: Fact, part: CurrencyPart, language: Language) -> tuple[str, str, str]:
    amount = language.money(fact.cents, part.currency, sign=fact.signed)
    return language.say(fact.label), amount, fact.detail


def _sections(report: Report, part: CurrencyPart, language: Language) -> Iterator[Section]:
    for table in part_tables(report, part):
        chart = None
        match table.key.partition("-")[0]:
            case "balances":
                chart = programs_chart(part, language)
            case "expiry":
                chart = expiry_chart(part, language)
            case "roll_forward" if part.movements:
                chart = waterfall_chart(part.movements, language)
            case _:
                pass
        yield _section(table, chart, language)


def _section(table: ReportTable, chart: BarChart | None, language: Language) -> Section:
    most = _MOST_FLOWS if table.key.startswith("flow_differences") else _MOST_ROWS
    places = [index for index, column in enumerate(table.columns) if not column.file_only]
    columns = tuple(Cell(language.say(table.columns[i].label), _style(None, table.columns[i])) for i in places)
    rows = tuple(
        HtmlRow(
            "sum" if number in table.sums else "group" if number in table.headings else "",
            tuple(_cell(row[i], table.columns[i], language, heat=i in table.heat) for i in places),
        )
        for number, row in enumerate(islice(table.rows(), most))
    )
    style = " ".join(
        name
        for name, wanted in (
            ("wide", len(places) >= _WIDE),
            ("widest", len(places) >= _WIDEST),
            ("narrow", len(places) <= 4),
            ("short", len(rows) <= _SMALL),
            ("appendix", table.key == "sources" and len(rows) > _MOST_SOURCES),
        )
        if wanted
    )
    note = language.say(table.note) if table.note else ""
    left_out = max(0, table.size - most)
    return Section(table.key, language.say(table.title), note, style, chart, columns, rows, left_out)


def _cell(value: Any, column: TableColumn, language: Language, *, heat: bool) -> Cell:
    if heat and value is not None:  # whole percents: the shade says as much, and the other forms hold the rest
        shade = f"number heat{min(_HEAT_STEPS, max(0, value) * _HEAT_STEPS // 10_000)}"
        return Cell(language.count((value + 50) // 100), shade)
    text = shown_cell(value, column.kind, language)
    return Cell(text if text.isprintable() else printable_line(text), _style(value, column))


def _style(value: Any, column: TableColumn) -> str:
    """The classes of a cell."""
    if column.kind in (CellKind.TEXT, CellKind.DATE, CellKind.MOMENT):
        return "" if column.kind is CellKind.TEXT else "when"
    return "number negative" if column.kind is CellKind.CENTS and isinstance(value, int) and value < 0 else "number"
