"""A report as tables: what every format shows, in one place, so that their figures cannot differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.reporting.dates import shown
from piggy_batch.reporting.definitions import ADDS, BUCKET_LABELS, FLOW_LABELS, MOVED, Basis, Movement
from piggy_batch.reporting.render import table as grid
from piggy_batch.reporting.render.table import cents, count, text
from piggy_batch.reporting.transaction_check import DIFFERENCE_COLUMNS, TransactionComparison, TransactionTotals
from piggy_batch.reporting.transactions import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from piggy_batch.reporting.card_lists import CardList
    from piggy_batch.reporting.liability import Balance, Liability
    from piggy_batch.reporting.report import Report
    from piggy_batch.reporting.roll_forward import RollForward

MOVEMENT_LABELS = {
    Movement.ISSUED: "Issued",
    Movement.TOPPED_UP: "Topped up",
    Movement.REDEEMED: "Redeemed",
    Movement.REVERSED: "Redemptions undone",
    Movement.EXPIRED: "Expired",
    Movement.DEACTIVATED: "Deactivated",
    Movement.REACTIVATED: "Reactivated",
    Movement.VANISHED: "Vanished",
}


def tables(report: Report) -> Iterator[grid.Table]:
    """Every table of ``report``, in the order in which they are read."""
    yield liability_table(report)
    yield _breakdown("by_program", "Balance by program", "Program", report.closing.by_program, report.closing.total)
    yield _breakdown("by_type", "Balance by type", "Type", report.closing.by_type, report.closing.total)
    yield _breakdown("by_state", "Balance by active state", "State", report.closing.by_active, report.closing.total)
    yield expiry_table(report)
    if report.roll and report.opening:
        yield roll_table(report, report.roll, report.opening)
        yield _rolls_table(report.roll, report.rolls)
    yield trend_table(report)
    if report.comparison:
        yield from _transaction_tables(report, report.comparison)
    for chosen in report.lists:
        yield _list_table(chosen)
    yield sources_table(report)


def liability_table(report: Report) -> grid.Table:
    """What is owed, by where it stands."""
    total = report.closing.total
    behind = total.cards + total.expired_cards + total.inactive_cards
    rows = [
        ("Outstanding", total.cards, total.outstanding_cents),
        ("Expired with balance", total.expired_cards, total.expired_cents),
        ("Inactive with balance", total.inactive_cards, total.inactive_cents),
        ("Total balance", behind, total.total_cents),
    ]
    note = f"{total.all_cards:,} cards in all; {total.zero_cards:,} of them hold nothing."
    columns = (text("Where it stands"), count("Cards"), cents("Balance"))
    return grid.table("liability", "Liability", note, columns, rows, emphasized=[-1])


def expiry_table(report: Report) -> grid.Table:
    """The expiry ladder."""
    steps = report.closing.expiry
    rows: list[tuple[Any, ...]] = [(BUCKET_LABELS[step.bucket], step.cards, step.balance_cents) for step in steps]
    rows.append(("Total", sum(s.cards for s in steps), sum(s.balance_cents for s in steps)))
    columns = (text("Expires"), count("Cards"), cents("Balance"))
    note = "Cards with a balance that are outstanding or overdue; cards switched off are left out."
    return grid.table("expiry", "Expiry ladder", note, columns, rows, emphasized=[-1])


def roll_table(report: Report, roll: RollForward, opening: Liability) -> grid.Table:
    """The roll-forward of all programs together, signed."""
    rows: list[tuple[Any, ...]] = [("Opening", opening.total.cards, roll.opening)]
    for movement, label in MOVEMENT_LABELS.items():
        sign = 1 if movement in ADDS else -1
        rows.append((label, roll.cards[movement], sign * roll.movements[movement]))
    if roll.basis is Basis.TRANSACTIONS:
        rows.append(("Without a transaction", roll.unexplained_cards, roll.unexplained))
    rows += [("Residual", "", roll.residual), ("Closing", report.closing.total.cards, roll.closing)]
    note = (
        f"Outstanding from {shown(opening.moment, report.zone)} to {shown(report.closing.moment, report.zone)}. "
        f"{'It closes: the residual is zero.' if report.closed else 'It does not close: see the residual.'} "
        "Issued and vanished count every card, the others those whose balance moved."
    )
    columns = (text("Movement"), count("Cards"), cents("Amount"))
    return grid.table("roll_forward", "Roll-forward", note, columns, rows, emphasized=[0, -1])


def _rolls_table(total: RollForward, rolls: tuple[RollForward, ...]) -> grid.Table:
    columns = (
        text("Program"),
        text("Program UUID", file_only=True),
        cents("Opening"),
        *(cents(label) for label in MOVEMENT_LABELS.values()),
        cents("Without a transaction"),
        cents("Moved"),
        cents("Residual"),
        cents("Closing"),
    )
    rows = [_roll_row(roll) for roll in (*rolls, total)]
    note = "Movements carry their sign: what lowers outstanding is negative."
    return grid.table("roll_by_program", "Roll-forward by program", note, columns, rows, emphasized=[-1], wide=True)


def _roll_row(roll: RollForward) -> tuple[Any, ...]:
    moves = ((1 if movement in ADDS else -1) * roll.movements[movement] for movement in MOVEMENT_LABELS)
    name = "Total" if roll.name == "all" and roll.key is None else roll.name
    return (name, roll.key or "", roll.opening, *moves, roll.unexplained, roll.moved, roll.residual, roll.closing)


def _breakdown(key: str, title: str, what: str, lines: tuple[Balance, ...], total: Balance) -> grid.Table:
    by_program = key == "by_program"
    columns = (
        text(what),
        *((text("Program UUID", file_only=True),) if by_program else ()),
        count("Cards"),
        cents("Outstanding"),
        cents("Average"),
        cents("Expired"),
        cents("Inactive"),
        cents("Total"),
        count("Zero cards"),
    )
    rows: list[tuple[Any, ...]] = [
        (
            "Total" if line is total else line.name,
            *((line.key or "",) if by_program else ()),
            line.cards,
            line.outstanding_cents,
            line.average_cents,
            line.expired_cents,
            line.inactive_cents,
            line.total_cents,
            line.zero_cards,
        )
        for line in (*lines, total)
    ]
    note = "Cards and average are of outstanding balances; expired and inactive balances stand apart."
    return grid.table(key, title, note, columns, rows, emphasized=[-1])


def trend_table(report: Report) -> grid.Table:
    """One line per snapshot."""
    columns = (
        text("Date"),
        text("As of"),
        count("Cards"),
        cents("Outstanding"),
        cents("Expired"),
        cents("Inactive"),
        cents("Total"),
        text("Verdict"),
    )
    rows: list[tuple[Any, ...]] = [
        (
            point.snapshot.day.isoformat(),
            shown(point.moment, report.zone),
            point.total.cards,
            point.total.outstanding_cents,
            point.total.expired_cents,
            point.total.inactive_cents,
            point.total.total_cents,
            verdict(agreed=point.snapshot.agreed, words=point.snapshot.verdict),
        )
        for point in report.trend
    ]
    return grid.table("trend", "Trend", "Each snapshot at its own moment; cards are outstanding ones.", columns, rows)


def verdict(*, agreed: bool | None, words: str) -> str:
    """A snapshot's verdict for a reader, partial ones marked."""
    return words if agreed or agreed is None else f"PARTIAL: {words}"


def _transaction_tables(report: Report, found: TransactionComparison) -> Iterator[grid.Table]:
    note = (
        f"{found.total.transactions:,} transactions lie between the two readings of their cards, {found.outside:,} of "
        f"the file outside. {found.without_card:,} of those inside have no card that is known."
    )
    if found.span:
        first, last = (shown(moment, report.zone) for moment in found.span)
        note += f" The file runs from {first} to {last}; nothing outside that time is compared."
    columns = (
        text("What"),
        cents("Snapshots"),
        cents("Transactions"),
        cents("Difference"),
        count("Cards that differ"),
        cents("More"),
        cents("Less"),
    )
    sides: list[tuple[Any, ...]] = [
        (FLOW_LABELS[s.flow], s.snapshots, s.transactions, s.difference, s.cards, s.more, -s.less) for s in found.lines
    ]
    yield grid.table("transactions", "Snapshots and transactions", note, columns, sides, emphasized=[-1])
    flow_columns = (
        text("Month"),
        text("Shop"),
        text("Shop UUID", file_only=True),
        count("Transactions"),
        cents("Issued"),
        cents("Redeemed"),
        cents("Expired"),
        cents("Reversed"),
        cents("Net"),
    )
    rows: list[tuple[Any, ...]] = [_flow_row(flow) for flow in found.by_shop]
    rows.append(_flow_row(found.total))
    yield grid.table("by_shop", "Transactions by shop and month", "", flow_columns, rows, emphasized=[-1])
    difference_columns = tuple(
        cents(label) if name.endswith("_cents") else count(label) if name == "transactions" else text(label)
        for name, label in zip(DIFFERENCE_COLUMNS, _DIFFERENCE_LABELS, strict=True)
    )
    yield grid.Table(
        "differences",
        "Differences by card",
        f"{len(found.differences):,} cards whose balance changed by another amount than their transactions say.",
        difference_columns,
        found.difference_rows,
        len(found.differences),
        wide=True,
    )
    yield grid.Table(
        "flow_differences",
        "Differences by card and flow",
        f"{len(found.flow_differences):,} flows of cards that snapshots and transactions show differently, none set "
        "off against another. Snapshots show a card's net change, transactions each booking.",
        tuple(
            cents(label) if label in {"Snapshots", "Transactions", "Difference"} else text(label)
            for label in (
                "Giftcard UUID",
                "Hash",
                "Program",
                "Flow",
                "Snapshots",
                "Transactions",
                "Difference",
                "Remark",
            )
        ),
        found.flow_rows,
        len(found.flow_differences),
        wide=True,
    )


_DIFFERENCE_LABELS = (
    "Giftcard UUID",
    "Program",
    "Opening",
    "Closing",
    "By snapshots",
    "By transactions",
    "Difference",
    "Transactions",
    "Remark",
    "Hash",
)


def _flow_row(flow: TransactionTotals) -> tuple[Any, ...]:
    amounts = (flow.effects[effect] for effect in Effect)
    return (
        flow.month or "Total",
        flow.shop_name or "(no shop)",
        flow.shop_uuid,
        flow.transactions,
        *amounts,
        flow.net,
    )


def _list_table(chosen: CardList) -> grid.Table:
    label = chosen.kind.replace("_", " ")
    columns = (
        text("Giftcard UUID"),
        text("Program UUID", file_only=True),
        text("Program"),
        cents("Opening"),
        cents("Closing"),
        cents(label.capitalize()),
        text("Hash"),
        text("From program UUID", file_only=True),
        text("From program", file_only=chosen.kind != MOVED),
    )
    return grid.Table(
        f"cards_{chosen.kind}",
        f"Cards: {label}",
        f"{len(chosen):,} cards.",
        columns,
        chosen.rows,
        len(chosen),
    )


def sources_table(report: Report) -> grid.Table:
    """The files behind the figures."""
    columns = (
        text("Role"),
        text("File"),
        text("Date"),
        text("Taken"),
        text("Cards"),
        text("Verdict"),
        text("Account"),
        text("SHA-256"),
    )
    rows: list[tuple[Any, ...]] = [
        (
            source.role,
            str(source.path),
            source.day.isoformat() if source.day else "",
            shown(source.moment, report.zone) if source.moment else "",
            "" if source.cards is None else f"{source.cards:,}",
            verdict(agreed=source.agreed, words=source.verdict),
            source.account or "",
            source.sha256 or "",
        )
        for source in report.sources
    ]
    return grid.table("sources", "Sources", "The files that the figures come from.", columns, rows, wide=True)
