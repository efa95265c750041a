"""A report as tables: what page, workbook and terminal show, in one place, so that their figures cannot differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.reporting.definitions import ADDS, Basis
from piggy_batch.reporting.phrases import Label, Phrase, phrase
from piggy_batch.reporting.render import table_model
from piggy_batch.reporting.render.card_tables import card_list_table, ledger_table
from piggy_batch.reporting.render.cohort_tables import breakage_table, cohort_table
from piggy_batch.reporting.render.labels import (
    BETWEEN_PROGRAMS,
    BUCKET_LABELS,
    CLOSING,
    MOVEMENT_LABELS,
    OPENING,
    RESIDUAL,
    ROLE_LABELS,
    TOTAL,
    UNEXPLAINED,
    verdict,
)
from piggy_batch.reporting.render.table_model import ReportTable, cents, count, day, moment, text
from piggy_batch.reporting.render.transaction_tables import transaction_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from piggy_batch.reporting.liability import BalanceLine
    from piggy_batch.reporting.report import CurrencyPart, Movements, Report
    from piggy_batch.reporting.roll_forward import RollForward


def tables(report: Report) -> Iterator[ReportTable]:
    """Every table of ``report``, in the order in which they are read; the files behind it last."""
    for part in report.parts:
        yield from part_tables(report, part)
    yield sources_table(report)


def part_tables(report: Report, part: CurrencyPart) -> Iterator[ReportTable]:
    """The tables of one currency."""
    if part.movements:
        yield roll_table(report, part, part.movements)
        yield rolls_table(report, part, part.movements)
    yield balances_table(report, part)
    yield expiry_table(report, part)
    yield trend_table(report, part)
    if part.cohorts:
        yield cohort_table(part, named(report, part, "cohorts", "Cards by month of issue", "Cohorts"))
    if part.breakage:
        yield breakage_table(part.breakage, named(report, part, "breakage", "Breakage (an estimate)", "Breakage"))
    if part.movements and part.movements.comparison:
        yield from transaction_tables(report, part.movements.comparison, lambda *names: named(report, part, *names))
    if part.ledger:
        yield ledger_table(part, named(report, part, "ledger", "Journal entry", "Journal"))
    for chosen in part.lists:
        yield card_list_table(report, chosen, lambda *names: named(report, part, *names))


def named(
    report: Report, part: CurrencyPart, key: str, title: str, sheet: str, words: str = "{title}"
) -> tuple[str, Phrase, str]:
    """A table's key, title and sheet; where there are several currencies they tell which one."""
    if len(report.parts) == 1:
        return key, phrase(words, title=Label(title)), sheet
    code = part.currency.code
    title_with_code = phrase(f"{words}, {{currency}}", title=Label(title), currency=code)
    return f"{key}-{code.lower()}", title_with_code, f"{sheet} {code}"


def roll_table(report: Report, part: CurrencyPart, movements: Movements) -> ReportTable:
    """The roll-forward of all programs together, signed; movements that nothing took part in are left out."""
    roll, opening, closing = movements.roll, movements.opening, part.closing
    rows: list[tuple[Any, ...]] = [(OPENING, opening.total.cards, roll.opening)]
    for movement, label in MOVEMENT_LABELS.items():
        if roll.movements[movement] or roll.cards[movement]:
            sign = 1 if movement in ADDS else -1
            rows.append((label, roll.cards[movement], sign * roll.movements[movement]))
    if roll.unexplained or roll.unexplained_cards:
        rows.append((UNEXPLAINED, roll.unexplained_cards, roll.unexplained))
    if roll.residual:
        rows.append((RESIDUAL, None, roll.residual))
    rows.append((CLOSING, closing.total.cards, roll.closing))
    words = (
        "Outstanding from {begin} to {end}. {closes} {basis} Issued and no longer listed count every card, the others "
        "those whose balance moved."
    )
    note = phrase(
        words,
        begin=opening.moment.astimezone(report.zone),
        end=closing.moment.astimezone(report.zone),
        closes=Label(_OPEN if not movements.closed else _APART if roll.unexplained_cards else _CLOSES),
        basis=Label(_GROSS if roll.basis is Basis.TRANSACTIONS else _NET),
    )
    columns = (text("Movement"), count("Cards"), cents("Amount"))
    names = named(report, part, "roll_forward", "Roll-forward", "Roll-forward")
    return table_model.table(names, columns, rows, note=note, sums=[0, -1])


_CLOSES = "The movements explain the change to the cent."
_APART = "Transactions do not account for the change of every card; what they leave open stands on a line of its own."
_OPEN = "The movements do not explain the change: see the line that is not explained."
_GROSS = "Movements are gross, from transactions: what was put on, spent and taken off, each by itself."
_NET = (
    "Movements are net, from two balances of each card: what was spent between the opening and a card's expiry cannot "
    "be told from what expired on it; transactions show it."
)


def rolls_table(report: Report, part: CurrencyPart, movements: Movements) -> ReportTable:
    """The roll-forward of each program; columns in which nothing moved are left out."""
    columns = (
        text("Program"),
        text("Program UUID", file_only=True),
        cents("Opening"),
        *(cents(label) for label in MOVEMENT_LABELS.values()),
        cents(UNEXPLAINED),
        cents(BETWEEN_PROGRAMS),
        cents(RESIDUAL),
        cents("Closing"),
    )
    rows = [_roll_row(roll) for roll in (*movements.rolls, movements.roll)]
    note = phrase("Movements carry their sign: what lowers outstanding is negative.")
    names = named(report, part, "roll_by_program", "Roll-forward by program", "Roll-forward by program")
    whole = table_model.table(names, columns, rows, note=note, sums=[-1])
    return table_model.without_empty(whole, range(3, len(columns) - 1))


def _roll_row(roll: RollForward) -> tuple[Any, ...]:
    moves = ((1 if movement in ADDS else -1) * roll.movements[movement] for movement in MOVEMENT_LABELS)
    name = TOTAL if roll.name == "all" and roll.key is None else roll.name
    return (name, roll.key or "", roll.opening, *moves, roll.unexplained, roll.moved, roll.residual, roll.closing)


def balances_table(report: Report, part: CurrencyPart) -> ReportTable:
    """All balances, and the same by program, type and state."""
    closing = part.closing
    columns = (
        text("Balances"),
        text("Program UUID", file_only=True),
        count("Cards"),
        cents("Outstanding"),
        cents("Average"),
        cents("Expired"),
        cents("Switched off"),
        cents("Total"),
        count("Zero cards"),
    )
    groups = (
        ("By program", closing.by_program),
        ("By type", closing.by_type),
        ("By state", closing.by_active),
    )
    rows: list[tuple[Any, ...]] = [_balance_row(TOTAL, closing.total)]
    headings = []
    for title, lines in groups:
        if not lines or (len(lines) < 2 and lines is not closing.by_program):
            continue  # it would say the total again
        headings.append(len(rows))
        rows.append((Label(title), *(None for _ in columns[1:])))
        rows += [_balance_row(line.name, line) for line in lines]
    note = phrase(
        "{cards} cards in all, {zero} of them hold nothing. Cards and average are of outstanding balances; expired and "
        "switched-off balances stand apart.",
        cards=closing.total.all_cards,
        zero=closing.total.zero_cards,
    )
    names = named(report, part, "balances", "Balances", "Balances")
    return table_model.table(names, columns, rows, note=note, sums=[0], headings=headings)


def _balance_row(name: str, line: BalanceLine) -> tuple[Any, ...]:
    return (
        name,
        line.key if line.key not in (None, line.name) else "",
        line.cards,
        line.outstanding_cents,
        line.average_cents,
        line.expired_cents,
        line.inactive_cents,
        line.total_cents,
        line.zero_cards,
    )


def expiry_table(report: Report, part: CurrencyPart) -> ReportTable:
    """When balances expire."""
    steps = part.closing.expiry
    rows: list[tuple[Any, ...]] = [(BUCKET_LABELS[step.bucket], step.cards, step.balance_cents) for step in steps]
    rows.append((TOTAL, sum(s.cards for s in steps), sum(s.balance_cents for s in steps)))
    columns = (text("Expires"), count("Cards"), cents("Balance"))
    note = phrase("Cards with a balance that are outstanding or have expired; cards switched off are left out.")
    names = named(report, part, "expiry", "When balances expire", "Expiry")
    return table_model.table(names, columns, rows, note=note, sums=[-1])


def trend_table(report: Report, part: CurrencyPart) -> ReportTable:
    """One line per snapshot."""
    columns = (
        day("Date"),
        count("Cards"),
        cents("Outstanding"),
        cents("Expired"),
        cents("Switched off"),
        cents("Total"),
        moment("As of"),
        moment("Read", file_only=True),
        text("Verdict"),
    )
    rows: list[tuple[Any, ...]] = [
        (
            point.snapshot.day,
            point.total.cards,
            point.total.outstanding_cents,
            point.total.expired_cents,
            point.total.inactive_cents,
            point.total.total_cents,
            point.moment.astimezone(report.zone),
            point.snapshot.moment.astimezone(report.zone),
            verdict(agreed=point.snapshot.agreed, words=point.snapshot.verdict),
        )
        for point in part.trend
    ]
    note = phrase(
        "Each snapshot as of its own moment, or, where it counts for another day, of that day's last moment. Cards are "
        "outstanding ones."
    )
    return table_model.table(named(report, part, "trend", "Snapshots", "Trend"), columns, rows, note=note)


def sources_table(report: Report) -> ReportTable:
    """The files behind the figures."""
    columns = (
        text("Role"),
        text("File"),
        day("Counts for"),
        moment("Read"),
        count("Cards"),
        text("Verdict"),
        text("Account", file_only=True),
        text("SHA-256"),
    )
    rows: list[tuple[Any, ...]] = [
        (
            ROLE_LABELS[source.role],
            str(source.path),
            source.day,
            source.moment and source.moment.astimezone(report.zone),
            source.cards,
            verdict(agreed=source.agreed, words=source.verdict),
            source.account or "",
            source.sha256,
        )
        for source in report.sources
    ]
    names = ("sources", phrase("{title}", title=Label("Files behind the figures")), "Sources")
    note = phrase("Each was hashed when it was read.")
    return table_model.table(names, columns, rows, note=note)
