"""Tables of single lines: cards behind a figure, and the journal entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.reporting.phrases import Label, Phrase, number_of_cards, phrase
from piggy_batch.reporting.render.labels import BETWEEN_PROGRAMS, LIST_LABELS, MOVEMENT_LABELS, RESIDUAL, UNEXPLAINED
from piggy_batch.reporting.render.table_model import ReportTable, cents, day, moment, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from piggy_batch.reporting.ledger import LedgerLine
    from piggy_batch.reporting.report import CurrencyPart, Report
    from piggy_batch.reporting.sub_ledger import CardList

_BOOKED = {movement.value: label for movement, label in MOVEMENT_LABELS.items()} | {
    "moved": BETWEEN_PROGRAMS,
    "unexplained": UNEXPLAINED,
    "residual": RESIDUAL,
}


def card_list_table(report: Report, chosen: CardList, named: Callable[..., tuple[str, Phrase, str]]) -> ReportTable:
    """The cards behind one figure."""
    label = LIST_LABELS[chosen.kind]
    words = f"Cards {label.lower()}".replace(" with ", " ").replace(" a ", " ")[:26]  # a currency has room after them
    key, title, sheet = named(f"cards_{chosen.kind}", label, words, "Cards: {title}")
    columns = (
        text("Giftcard UUID"),
        text("Hash"),
        text("Program"),
        text("Program UUID", file_only=True),
        text("From program", file_only=chosen.kind != "moved"),
        text("From program UUID", file_only=True),
        text("Type", file_only=True),
        text("Active", file_only=True),
        moment("Expires", file_only=True),
        cents("Opening"),
        cents("Closing"),
        cents(label),
    )
    if chosen.seed is None:
        note = phrase("{cards}.", cards=number_of_cards(chosen.behind))
    else:
        note = phrase(
            "A sample of {size} of {count} cards, seed {seed}: those whose SHA-256 of seed:giftcard_uuid is smallest.",
            size=len(chosen),
            count=chosen.behind,
            seed=str(chosen.seed),
        )
    return ReportTable(key, title, sheet, note, columns, lambda: _card_rows(report, chosen), len(chosen))


def _card_rows(report: Report, chosen: CardList) -> Iterator[tuple[Any, ...]]:
    for row in chosen.rows():
        uuid, program_uuid, program, opening, closing, part, code, from_uuid, from_name, kind, active, expires = row
        yield (
            uuid,
            code,
            program,
            program_uuid,
            from_name,
            from_uuid,
            kind,
            Label("yes") if active else Label("no"),
            expires and expires.astimezone(report.zone),
            opening,
            closing,
            part,
        )


def ledger_table(part: CurrencyPart, names: tuple[str, Phrase, str]) -> ReportTable:
    """The journal entry, with its sums."""
    columns = (
        day("Date"),
        text("Account"),
        text("Description"),
        cents("Debit"),
        cents("Credit"),
        text("Program UUID", file_only=True),
    )
    rows: list[tuple[Any, ...]] = [
        (
            line.day,
            line.account,
            description(line),
            line.debit_cents or None,
            line.credit_cents or None,
            line.program_uuid,
        )
        for line in part.ledger
    ]
    rows.append(
        (
            None,
            "",
            Label("Total"),
            sum(line.debit_cents for line in part.ledger),
            sum(line.credit_cents for line in part.ledger),
            "",
        )
    )
    note = phrase("Every movement of every program against its liability. Debit and credit are equal.")
    key, title, sheet = names
    return ReportTable(key, title, sheet, note, columns, lambda: rows, len(rows), frozenset({len(rows) - 1}))


def description(line: LedgerLine) -> Phrase:
    """What a line of the journal says: the movement and the program."""
    return phrase("Giftcards: {movement}, {program}", movement=_BOOKED[line.movement], program=line.program_name)
