"""A report as CSV and as text for a terminal or a log.

CSV holds values as they are, byte for byte; a spreadsheet may take a program's name for a formula. The workbook cannot.
"""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any, TextIO
from unicodedata import combining, east_asian_width

from piggy_batch.files import atomic_file
from piggy_batch.reporting.dates import day_of, shown
from piggy_batch.reporting.definitions import Basis, Movement
from piggy_batch.reporting.render.card_tables import description
from piggy_batch.reporting.render.first_screen import heading
from piggy_batch.reporting.render.labels import PARTIAL, PROVEN
from piggy_batch.reporting.render.language import ENGLISH
from piggy_batch.reporting.render.report_tables import part_tables
from piggy_batch.reporting.render.table_model import CellKind, ReportTable, shown_cell
from piggy_batch.reporting.sub_ledger import LIST_COLUMNS
from piggy_batch.text import counted, printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from piggy_batch.reporting.liability import BalanceLine
    from piggy_batch.reporting.render.language import Language
    from piggy_batch.reporting.report import CurrencyPart, Report
    from piggy_batch.reporting.roll_forward import RollForward

_CSV_COLUMNS = ("section", "date", "program_uuid", "program_name", "item", "cards", "cents", "currency", "verdict")
_LEDGER_COLUMNS = (
    "date",
    "account",
    "description",
    "debit",
    "credit",
    "amount",
    "currency",
    "program_uuid",
    "program_name",
    "movement",
)
NOTICE = "! "  # begins the line of a notice
_FILES_ONLY = ("differences", "flow_differences", "cards_", "ledger")  # tables that a terminal is not filled with


def write_csv(report: Report, target: Path) -> None:
    """Put the report at ``target`` as one CSV, whole or not at all; see ``csv_rows``."""
    with atomic_file(target) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        write_csv_to(report, file)


def write_csv_to(report: Report, file: TextIO) -> None:
    """Write the CSV to an open text file."""
    csv.writer(file, lineterminator="\n").writerows(csv_rows(report))


def write_ledger(report: Report, target: Path, language: Language = ENGLISH) -> None:
    """Put the journal entry at ``target`` as CSV, whole or not at all: amounts with a point and two decimals, only
    descriptions in ``language``."""
    with atomic_file(target) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(ledger_rows(report, language))


def ledger_rows(report: Report, language: Language = ENGLISH) -> Iterator[tuple[str, ...]]:
    """A header and one row per line; one of debit and credit is blank, ``amount`` is debit less credit."""
    yield _LEDGER_COLUMNS
    mark = f"{language.say(PARTIAL)}: " if report.partial else ""
    for line in (line for part in report.parts for line in part.ledger):
        yield (
            line.day.isoformat(),
            line.account,
            f"{mark}{language.say(description(line))}",
            _decimal(line.debit_cents) if line.debit_cents else "",
            _decimal(line.credit_cents) if line.credit_cents else "",
            _decimal(line.amount_cents),
            line.currency.code,
            line.program_uuid,
            line.program_name,
            line.movement,
        )


def _decimal(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def csv_rows(report: Report) -> Iterator[tuple[Any, ...]]:
    """A header and one row per figure; where card lists were asked for, one row per listed card instead.

    Every row ends with the verdict, so that no part of the file can be taken for more than it is.
    """
    verdict = PARTIAL if report.partial else PROVEN
    if any(part.lists for part in report.parts):
        yield ("list", *LIST_COLUMNS, "currency", "verdict")
        for part in report.parts:
            for chosen in part.lists:
                for *cells, expires in chosen.rows():
                    at = expires.isoformat() if expires else None
                    yield (chosen.kind, *cells, at, part.currency.code, verdict)
        return
    yield _CSV_COLUMNS
    for part in report.parts:
        yield from ((*figure, part.currency.code, verdict) for figure in _figures(report, part))


def _figures(report: Report, part: CurrencyPart) -> Iterator[tuple[Any, ...]]:
    day = day_of(report.as_of, report.zone).isoformat()
    yield from _liability_rows(part, day)
    if moves := part.movements:
        yield from (("roll_forward", day, "", "", *figure) for figure in _roll_rows(moves.roll))
        for roll in moves.rolls:
            whose = (roll.key or "", roll.name)
            yield from (("roll_forward_by_program", day, *whose, *figure) for figure in _roll_rows(roll))
    for point in part.trend:
        when = point.snapshot.day.isoformat()
        yield from (("trend", when, "", "", *figure) for figure in _balance_rows(point.total))
    for cohort in part.cohorts:
        for item, cents in cohort.amounts.items():
            yield "cohorts", cohort.month, "", "", item, cohort.cards, cents
    for totals in moves.comparison.by_shop if moves and moves.comparison else ():
        for effect, cents in totals.effects.items():
            yield "transactions", totals.month, "", "", f"{totals.shop_name}: {effect}", "", cents


def _liability_rows(part: CurrencyPart, day: str) -> Iterator[tuple[Any, ...]]:
    closing = part.closing
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
    """The report's tables for a terminal, but for single cards, the journal and sources."""
    out = StringIO()
    codes = ", ".join(part.currency.code for part in report.parts)
    about = f"{printable_line(heading(report, ENGLISH))}, as of {shown(report.as_of, report.zone)}"
    print(f"{about}, amounts in {codes}", file=out)
    for notice in report.notices:
        print(f"{NOTICE}{notice}", file=out)
    for part in report.parts:
        for table in part_tables(report, part):
            if not table.key.startswith(_FILES_ONLY):
                print(f"\n{table.title}", file=out)
                out.writelines(f"  {line}\n" for line in _lines(table))
    return out.getvalue()


def one_line(report: Report) -> str:
    """The report in one line, for a log."""
    lines = "; ".join(_in_words(report, part) for part in report.parts)
    return f"{PARTIAL if report.partial else PROVEN}: {day_of(report.as_of, report.zone)}: {lines}"


def _in_words(report: Report, part: CurrencyPart) -> str:
    total = part.closing.total

    def money(cents: int, *, sign: bool = False) -> str:
        return ENGLISH.money(cents, part.currency, sign=sign)

    words = [
        f"outstanding {money(total.outstanding_cents)} on {counted(total.cards, 'card')}",
        f"expired with balance {money(total.expired_cents)}",
        f"switched off {money(total.inactive_cents)}",
    ]
    if moves := part.movements:
        since = day_of(moves.opening.moment, report.zone)
        words.append(f"since {since} {money(moves.roll.closing - moves.roll.opening, sign=True)}")
        words.append("closes" if moves.closed else f"not explained {money(moves.roll.residual)}")
        if moves.comparison:
            words.append(f"cards that differ from transactions: {len(moves.comparison.differences):,}")
    return "; ".join(words)


def _lines(table: ReportTable) -> Iterator[str]:
    shown_columns = [index for index, column in enumerate(table.columns) if not column.file_only]
    header = [str(table.columns[index].label) for index in shown_columns]
    body = [
        [printable_line(shown_cell(row[i], table.columns[i].kind, ENGLISH)) for i in shown_columns]
        for row in table.rows()
    ]
    widths = [max(map(_columns_of, cells)) for cells in zip(header, *body, strict=True)]
    right = [table.columns[index].kind in (CellKind.COUNT, CellKind.CENTS, CellKind.SHARE) for index in shown_columns]
    for cells in (header, *body):
        padded = []
        for cell, width, to_right in zip(cells, widths, right, strict=True):
            room = " " * (width - _columns_of(cell))
            padded.append(room + cell if to_right else cell + room)
        yield "  ".join(padded).rstrip()


def _columns_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _balance_rows(balance: BalanceLine) -> Iterable[tuple[str, int, int]]:
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
