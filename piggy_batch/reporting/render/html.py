"""A report as one HTML file that needs nothing else: styles, charts and tables are all in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from piggy_batch.files import render_template, write_whole
from piggy_batch.reporting.dates import shown
from piggy_batch.reporting.definitions import DEFINITIONS, TRANSACTION_DEFINITIONS
from piggy_batch.reporting.render.charts import Chart, expiry_chart, programs_chart, trend_chart, waterfall_chart
from piggy_batch.reporting.render.plain_text import shown_cell
from piggy_batch.reporting.render.table import Column, Kind, Table
from piggy_batch.reporting.render.tables import tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from piggy_batch.reporting.report import Report

_MOST_ROWS = 1_000  # of a list on the page; the other formats hold all
_CHARTS = {
    "by_program": programs_chart,
    "expiry": expiry_chart,
    "roll_forward": waterfall_chart,
    "trend": trend_chart,
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text and the classes that set it."""

    text: str
    style: str


@dataclass(frozen=True, slots=True)
class Section:
    """A table as the page shows it, with its chart."""

    key: str
    title: str
    note: str
    wide: bool
    chart: Chart | None
    columns: tuple[Column, ...]
    rows: tuple[tuple[bool, tuple[Cell, ...]], ...]  # whether the row is a sum, its cells
    left_out: int  # rows that only the other formats hold


def write_page(report: Report, target: Path) -> None:
    """Put the page at ``target``, whole or not at all."""
    write_whole(target, render(report).encode())


def render(report: Report) -> str:
    """The page's HTML."""
    total, money = report.closing.total, report.currency.full
    values = {
        "report": report,
        "sections": tuple(_sections(report)),
        "definitions": DEFINITIONS + (TRANSACTION_DEFINITIONS if report.comparison else ()),
        "moment": shown(report.closing.moment, report.zone),
        "since": shown(report.opening.moment, report.zone) if report.opening else None,
        "made": shown(report.made_at, report.zone),
        "account": next((source.account for source in report.sources if source.account), None),
        "facts": (
            (
                "Outstanding",
                money(total.outstanding_cents),
                f"{total.cards:,} cards, on average {money(total.average_cents)}",
            ),
            ("Expired with balance", money(total.expired_cents), f"{total.expired_cards:,} cards"),
            ("Inactive with balance", money(total.inactive_cents), f"{total.inactive_cards:,} cards"),
            (
                "Total balance",
                money(total.total_cents),
                f"{total.all_cards:,} cards, {total.zero_cards:,} hold nothing",
            ),
        ),
        "verdict": _verdict(report),
    }
    return render_template("piggy_batch.reporting.render", "report.html.j2", values)


def _verdict(report: Report) -> tuple[str, str]:
    """A style and a sentence on how far the figures can be relied on."""
    if report.partial:
        return "bad", "Partial: a file behind these figures did not prove that it is complete."
    if not report.closed:
        return "bad", "The roll-forward does not close: see its residual."
    if report.to_check:
        return "warn", "Complete, proven; but see what is to be checked first."
    if report.roll:
        return "good", "Opening and closing snapshot agreed, and the roll-forward closes."
    return "good", "The snapshot behind these figures agreed."


def _sections(report: Report) -> Iterator[Section]:
    for table in tables(report):
        make = _CHARTS.get(table.key)
        yield _section(table, make(report) if make else None)


def _section(table: Table, chart: Chart | None) -> Section:
    shown_columns = [index for index, column in enumerate(table.columns) if not column.file_only]
    rows = tuple(
        (index in table.emphasized, tuple(_cell(row[i], table.columns[i]) for i in shown_columns))
        for index, row in enumerate(islice(table.rows(), _MOST_ROWS))
    )
    columns = tuple(table.columns[index] for index in shown_columns)
    left_out = max(0, table.size - _MOST_ROWS)
    return Section(table.key, table.title, table.note, table.wide, chart, columns, rows, left_out)


def _cell(value: Any, column: Column) -> Cell:
    negative = column.kind is Kind.CENTS and not isinstance(value, str) and value < 0
    style = "" if column.kind is Kind.TEXT else "number negative" if negative else "number"
    return Cell(shown_cell(value, column.kind), style)
