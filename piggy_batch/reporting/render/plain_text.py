"""A report as CSV and as text for a terminal or a log."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any, TextIO

from piggy_batch.files import atomic_file
from piggy_batch.reporting.card_lists import LIST_COLUMNS
from piggy_batch.reporting.dates import day_of, shown
from piggy_batch.reporting.definitions import Basis, Movement
from piggy_batch.reporting.money import plain
from piggy_batch.reporting.render.table import Kind, Table
from piggy_batch.reporting.render.tables import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from piggy_batch.reporting.liability import Balance, Liability
    from piggy_batch.reporting.report import Report
    from piggy_batch.reporting.roll_forward import RollForward

_CSV_COLUMNS = ("section", "date", "program_uuid", "program_name", "item", "cards", "cents", "verdict")


def write_csv(report: Report, target: Path) -> None:
    """Put the report at ``target`` as one CSV, whole or not at all; see ``csv_rows``."""
    with atomic_file(target) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        write_csv_to(report, file)


def write_csv_to(report: Report, file: TextIO) -> None:
    """Write the CSV to an open text file."""
    csv.writer(file, lineterminator="\n").writerows(csv_rows(report))


def csv_rows(report: Report) -> Iterator[tuple[Any, ...]]:
    """A header and one row per figure; where card lists were asked for, one row per listed card instead.

    Every row ends with the verdict, so that no part of the file can be taken for more than it is.
    """
    verdict = "PARTIAL" if report.partial else "complete, proven"
    if report.lists:
        yield ("list", *LIST_COLUMNS, "verdict")
        for chosen in report.lists:
            yield from ((chosen.kind, *row, verdict) for row in chosen.rows())
        return
    yield _CSV_COLUMNS
    yield from ((*figure, verdict) for figure in _figures(report))


def _figures(report: Report) -> Iterator[tuple[Any, ...]]:
    day = day_of(report.closing.moment, report.zone).isoformat()
    yield from _liability_rows(report.closing, day)
    for name, roll in (("roll_forward", report.roll), *(("roll_forward_by_program", roll) for roll in report.rolls)):
        if roll:
            whose = ("", "") if name == "roll_forward" else (roll.key or "", roll.name)
            yield from ((name, day, *whose, *figure) for figure in _roll_rows(roll))
    for point in report.trend:
        when = point.snapshot.day.isoformat()
        yield from (("trend", when, "", "", *figure) for figure in _balance_rows(point.total))
    for flow in report.comparison.by_shop if report.comparison else ():
        for effect, cents in flow.effects.items():
            yield "transactions", flow.month, "", "", f"{flow.shop_name}: {effect}", "", cents


def _liability_rows(closing: Liability, day: str) -> Iterator[tuple[Any, ...]]:
    yield from (("liability", day, "", "", *figure) for figure in _balance_rows(closing.total))
    for line in closing.by_program:
        yield from (("by_program", day, line.key or "", line.name, *figure) for figure in _balance_rows(line))
    for section, lines in (("by_type", closing.by_type), ("by_state", closing.by_active)):
        for line in lines:
            for item, cards, cents in _balance_rows(line):
                yield section, day, "", "", f"{line.name}: {item}", cards, cents
    for step in closing.expiry:
        yield "expiry", day, "", "", step.bucket.value, step.cards, step.balance_cents


def as_text(report: Report) -> str:
    """The report's tables for a terminal, but for lists of cards and sources."""
    out = StringIO()
    print(
        f"Giftcards as of {shown(report.closing.moment, report.zone)}, amounts in {report.currency.code}",
        file=out,
    )
    for notice in report.notices:
        print(f"! {notice}", file=out)
    for table in tables(report):
        if table.key not in {"sources", "differences", "flow_differences"} and not table.key.startswith("cards_"):
            print(f"\n{table.title}", file=out)
            out.writelines(f"  {line}\n" for line in _lines(table))
    return out.getvalue()


def one_line(report: Report) -> str:
    """The report in one line, for a log."""
    total, money = report.closing.total, report.currency.full
    parts = [
        (
            f"{day_of(report.closing.moment, report.zone)}: outstanding {money(total.outstanding_cents)} "
            f"on {total.cards:,} cards"
        ),
        f"expired with balance {money(total.expired_cents)}",
        f"inactive {money(total.inactive_cents)}",
    ]
    if report.roll and report.opening:
        change = report.roll.closing - report.roll.opening
        since = day_of(report.opening.moment, report.zone)
        parts.append(f"since {since} {'+' if change >= 0 else ''}{money(change)}")
        parts.append("closes" if report.closed else f"residual {money(report.roll.residual)}")
    if report.comparison:
        parts.append(f"{len(report.comparison.differences):,} cards differ from transactions")
    return ("PARTIAL: " if report.partial else "") + "; ".join(parts)


def shown_cell(value: Any, kind: Kind) -> str:
    """A cell as readers see it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return plain(value) if kind is Kind.CENTS else f"{value:,}"


def _lines(table: Table) -> Iterator[str]:
    shown_columns = [index for index, column in enumerate(table.columns) if not column.file_only]
    header = [table.columns[index].label for index in shown_columns]
    body = [[shown_cell(row[i], table.columns[i].kind) for i in shown_columns] for row in table.rows()]
    widths = [max(map(len, cells)) for cells in zip(header, *body, strict=True)]
    right = [table.columns[index].kind is not Kind.TEXT for index in shown_columns]
    for cells in (header, *body):
        pairs = zip(cells, widths, right, strict=True)
        yield "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in pairs
        ).rstrip()


def _balance_rows(balance: Balance) -> Iterable[tuple[str, int, int]]:
    behind = balance.cards + balance.expired_cards + balance.inactive_cards
    return (
        ("outstanding", balance.cards, balance.outstanding_cents),
        ("expired", balance.expired_cards, balance.expired_cents),
        ("inactive", balance.inactive_cards, balance.inactive_cents),
        ("total", behind, balance.total_cents),
        ("zero_balance", balance.zero_cards, 0),
    )


def _roll_rows(roll: RollForward) -> Iterator[tuple[str, int | str, int]]:
    yield "opening", "", roll.opening
    yield from ((movement.value, roll.cards[movement], roll.movements[movement]) for movement in Movement)
    if roll.basis is Basis.TRANSACTIONS:
        yield "unexplained", roll.unexplained_cards, roll.unexplained
    if roll.moved:
        yield "moved", "", roll.moved
    yield "closing", "", roll.closing
    yield "residual", "", roll.residual
