"""Tables of what transactions say, beside what snapshots show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.reporting.definitions import Flow
from piggy_batch.reporting.phrases import Label, Phrase, phrase
from piggy_batch.reporting.render import table_model
from piggy_batch.reporting.render.labels import EFFECT_LABELS, FLOW_LABELS, NO_SHOP, TOTAL
from piggy_batch.reporting.render.table_model import ReportTable, cents, count, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from piggy_batch.reporting.report import Report
    from piggy_batch.reporting.transaction_check import TransactionComparison, TransactionTotals

    Named = Callable[[str, str, str], tuple[str, Phrase, str]]


def transaction_tables(report: Report, found: TransactionComparison, named: Named) -> Iterator[ReportTable]:
    """The comparison, the bookings of each shop, and the cards that differ."""
    yield _comparison_table(report, found, named("transactions", "Snapshots and transactions", "Transactions"))
    yield _shop_table(found, named("by_shop", "Transactions by shop and month", "Transactions by shop"))
    yield _difference_table(found, named("differences", "Differences by card", "Differences by card"))
    yield _flow_table(found, named("flow_differences", "Differences by card and flow", "Differences by flow"))


def _comparison_table(report: Report, found: TransactionComparison, names: tuple[str, Phrase, str]) -> ReportTable:
    first, last = (edge.astimezone(report.zone) for edge in found.span) if found.span else ("-", "-")
    note = phrase(
        "{inside} transactions lie between the two readings of their cards, {outside} of the file outside. {nameless} "
        "of those inside have no card that is known. The first of the file is of {first}, the last of {last}. More and "
        "less are the differences of single cards, never set off against each other.",
        inside=found.total.transactions,
        outside=found.outside,
        nameless=found.without_card,
        first=first,
        last=last,
    )
    columns = (
        text("What"),
        cents("Snapshots"),
        cents("Transactions"),
        cents("Difference"),
        count("Cards that differ"),
        cents("More"),
        cents("Less"),
    )
    rows: list[tuple[Any, ...]] = [
        (FLOW_LABELS[line.flow], line.snapshots, line.transactions, line.difference, line.cards, line.more, -line.less)
        for line in found.lines
    ]
    return table_model.table(names, columns, rows, note=note, sums=[-1])


def _shop_table(found: TransactionComparison, names: tuple[str, Phrase, str]) -> ReportTable:
    columns = (
        text("Month"),
        text("Shop"),
        text("Shop UUID", file_only=True),
        count("Transactions"),
        *(cents(label) for label in EFFECT_LABELS.values()),
        cents("Net"),
    )
    rows = [_shop_row(line) for line in (*found.by_shop, found.total)]
    return table_model.table(names, columns, rows, sums=[-1])


def _shop_row(line: TransactionTotals) -> tuple[Any, ...]:
    shop: str = (line.shop_name or NO_SHOP) if line.month else Label("all shops")
    amounts = (line.effects[effect] for effect in EFFECT_LABELS)
    return (line.month or TOTAL, shop, line.shop_uuid, line.transactions, *amounts, line.net)


def _difference_table(found: TransactionComparison, names: tuple[str, Phrase, str]) -> ReportTable:
    columns = (
        text("Giftcard UUID"),
        text("Program"),
        cents("Opening"),
        cents("Closing"),
        cents("By snapshots"),
        cents("By transactions"),
        cents("Difference"),
        count("Transactions"),
        text("Remark"),
        text("Hash"),
    )
    words = "{count} cards whose balance changed by another amount than their transactions say."
    note = phrase(words, count=len(found.differences))
    key, title, sheet = names
    rows = lambda: (_labelled(row, -2) for row in found.difference_rows())  # noqa: E731 - as short as it gets
    return ReportTable(key, title, sheet, note, columns, rows, len(found.differences))


def _flow_table(found: TransactionComparison, names: tuple[str, Phrase, str]) -> ReportTable:
    columns = (
        text("Giftcard UUID"),
        text("Hash"),
        text("Program"),
        text("Flow"),
        cents("Snapshots"),
        cents("Transactions"),
        cents("Difference"),
        text("Remark"),
    )
    note = phrase(
        "{count} flows of cards that snapshots and transactions show differently. Snapshots show a card's net change, "
        "transactions each booking.",
        count=len(found.flow_differences),
    )
    key, title, sheet = names

    def rows() -> Iterator[tuple[Any, ...]]:
        for row in found.flow_rows():
            yield _labelled((*row[:3], FLOW_LABELS[Flow(row[3])], *row[4:]), -1)

    return ReportTable(key, title, sheet, note, columns, rows, len(found.flow_differences))


def _labelled(row: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    """The row with the remark at ``place`` as words of the program's own."""
    cells = list(row)
    cells[place] = Label(cells[place])
    return tuple(cells)
