"""What a report's reader has to know about the snapshots behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from piggy_batch.reporting.dates import day_of, distance
from piggy_batch.reporting.movements import swept_cards
from piggy_batch.reporting.notice import check, note, partial
from piggy_batch.reporting.phrases import Amount, Label, Value, number_of_cards
from piggy_batch.reporting.snapshot import find_summary
from piggy_batch.reporting.sources import called

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from piggy_batch.reporting.money import Currency
    from piggy_batch.reporting.notice import Notice
    from piggy_batch.reporting.snapshot import Snapshot
    from piggy_batch.reporting.snapshot_cards import SnapshotCards
    from piggy_batch.reporting.snapshot_pair import MatchedCards
    from piggy_batch.reporting.transaction_check import TransactionComparison


_MOST_ODD = 20  # values told one by one
_MEANING: dict[str, str] = {
    "expiration_date": Label("never expiring"),
    "amount_in_cents": "0",
    "active": Label("active"),
}


def partial_marks(used: Iterable[Snapshot], trend: Iterable[Snapshot]) -> list[Notice]:
    """Every snapshot that is not proven complete; those of the trend touch no other figure."""
    words = "PARTIAL: {snapshot} did not agree ({verdict}); cards may be missing from these figures"
    marks = [partial(words, snapshot=called(s), verdict=s.verdict) for s in used if not s.agreed]
    words = "PARTIAL, in the trend only: {snapshot} did not agree ({verdict})"
    return marks + [partial(words, snapshot=called(s), verdict=s.verdict) for s in trend if not s.agreed]


def staleness(snapshot: Snapshot, moment: datetime, role: Label, zone: ZoneInfo) -> list[Notice]:
    """That the balances were read at another time than the moment for which they stand."""
    day = day_of(moment, zone)
    lag = distance(snapshot.moment, day, zone)
    if not lag:
        return []
    values: dict[str, Value] = {"role": role, "read": snapshot.moment.astimezone(zone), "day": day}
    if abs(lag) <= timedelta(days=1):
        return [note("the {role} balances of {day} were read on {read}; expiry is reckoned as of {day}", **values)]
    return [
        check(
            "the {role} balances were read on {read}, {days} days from {day}, the day they stand for: what happened "
            "in between is in the wrong period; only expiry is reckoned as of {day}",
            days=max(1, abs(lag).days),
            **values,
        )
    ]


def odd_values(snapshot: Snapshot, role: Label) -> list[Notice]:
    """Values that an export could not read: each by itself with its card and its text, the rest as a number."""
    words = 'the {role} snapshot: card {card} has {column} "{raw}", which cannot be read; taken as {meaning}'
    found = [
        check(
            words,
            role=role,
            card=odd.giftcard_uuid,
            column=odd.column,
            raw=odd.raw,
            meaning=_MEANING.get(odd.column, Label("unknown")),
        )
        for odd in snapshot.odd[:_MOST_ODD]
    ]
    if rest := snapshot.odd_count - len(found):
        words = "the {role} snapshot: {count} more values could not be read; {file} lists them"
        file = find_summary(snapshot.path) or snapshot.path
        found.append(check(words, role=role, count=rest, file=file.name))
    return found


def doubles(used: Iterable[Snapshot], history: Iterable[Snapshot], zone: ZoneInfo) -> list[Notice]:
    """Days of which there are several snapshots, and not all of them are used."""
    known, chosen = tuple(history), tuple(used)
    return [
        note(
            "{day} has {count} snapshots; the one of {moment} is used",
            day=snapshot.day,
            count=count,
            moment=snapshot.moment.astimezone(zone),
        )
        for snapshot in chosen
        if (count := sum(other.day == snapshot.day for other in known)) > sum(s.day == snapshot.day for s in chosen)
    ]


def swept_notice(cards: MatchedCards, currency: Currency) -> list[Notice]:
    """Without transactions nobody can tell whether a card was spent before it expired."""
    swept = swept_cards(cards)
    cents = int(cards.opening_cents[swept].sum())
    if not cents:
        return []
    words = (
        "{cards} expired between the snapshots, with nothing left now; what was on them at opening, {amount}, counts "
        "as expired. What was spent between the opening and the expiry cannot be told apart from it: "
        "--transactions shows it"
    )
    count = int((swept & (cards.opening_cents != 0)).sum())
    return [note(words, cards=number_of_cards(count), amount=Amount(cents, currency))]


def unreconciled(comparison: TransactionComparison, currency: Currency) -> list[Notice]:
    """That transactions do not account for every card."""
    found = []
    if count := len(comparison.differences):
        words = "{cards} in {currency} changed by another amount than transactions say: see the differences by card"
        found.append(check(words, cards=number_of_cards(count), currency=currency.code))
    if count := comparison.without_card:
        words = "transactions between the two readings without a card that is known: {count}, {amount} in all"
        amount = Amount(comparison.without_card_cents, currency)
        found.append(check(words, count=count, amount=amount))
    return found


def renamed(opening: SnapshotCards, closing: SnapshotCards) -> list[Notice]:
    """Programs whose name changed."""
    return [
        note(
            'program {uuid} is now called "{name}"; at opening it was "{before}"',
            uuid=uuid,
            name=name,
            before=opening.program_names[uuid],
        )
        for uuid, name in sorted(closing.program_names.items())
        if opening.program_names.get(uuid, name) != name and len(closing)
    ]


def join_notices(cards: MatchedCards) -> list[Notice]:
    """What is odd about the two snapshots side by side."""
    notes = [
        check(
            "rows of the {role} snapshot that repeat a giftcard_uuid: {count}; the roll-forward takes each card's last "
            "row, the balances count every row",
            count=count,
            role=which,
        )
        for count, which in zip(cards.repeated, (Label("opening"), Label("closing")), strict=True)
        if count
    ]
    if count := int((cards.opening_program != cards.program).sum()):
        notes.append(note("{cards} moved to another program: see between programs", cards=number_of_cards(count)))
    return notes
