"""What a report's words mean: printed with every report, so that a reader need not ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piggy_batch.reporting.phrases import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from piggy_batch.reporting.report import Report

_ALWAYS = (
    (
        "Complete, proven",
        (
            "The service was asked for its total at one moment, and exactly so many cards were each seen before and "
            "after it. PARTIAL: this was not proven, and cards or transactions may be missing."
        ),
    ),
    (
        "As of",
        (
            "The moment of the closing snapshot; where it counts for another day than the one on which it was read, "
            "the last instant of that day. A card is expired from its expiration date on: one that expires at local "
            "midnight still counts on the day before, and no longer on the day that begins."
        ),
    ),
    (
        "Outstanding",
        (
            "Balance of cards that are switched on and not expired: what is owed to their holders. Under IFRS 15 a "
            "contract liability; under RJ 270 revenue that is not earned yet, shown as received in advance."
        ),
    ),
    ("Expired with balance", "Balance left on cards whose expiration date has passed, whether switched on or not."),
    (
        "Switched off with balance",
        (
            "Balance of cards that are switched off and not expired. Outstanding, expired and switched off add up to "
            "all balances."
        ),
    ),
    ("Cards", "Cards behind an amount: those whose balance is not zero. Cards that hold nothing are counted apart."),
    ("Average", "Outstanding divided by the outstanding cards with a balance, rounded to the cent."),
    (
        "When balances expire",
        (
            "Outstanding balances by calendar days, in the report's time zone, from the day of the figures to the "
            "expiration day. With what has expired they add up to outstanding plus expired."
        ),
    ),
)
_MOVING = (
    (
        "Roll-forward",
        (
            "Opening, plus what was issued, topped up, undone and switched on again, less what was redeemed, expired, "
            "switched off and is no longer listed, is closing; opening and closing are outstanding. What the movements "
            "do not explain stands on a line of its own."
        ),
    ),
    (
        "Switched off, switched on again",
        (
            "Balance of cards that were switched off; or that came back to outstanding because they were switched on "
            "again or their expiration date was put off."
        ),
    ),
    ("No longer listed", "Balance of cards that the service no longer shows. It was never redeemed: find out why."),
    (
        "Between programs",
        (
            "Opening balance of cards that changed their program: it leaves one and enters another. A program is its "
            "UUID, whatever its name is."
        ),
    ),
    (
        "Which movement is revenue",
        (
            "Redeemed is earned when goods are handed over (IFRS 15.106; RJ 270). Expired may be recognised as "
            "breakage when holders can no longer claim it (IFRS 15.B46). Issued and topped up are none: they raise the "
            "liability."
        ),
    ),
)
_NET = (
    (
        "Issued",
        "Balance at closing of cards that were not in the opening snapshot.",
    ),
    (
        "Topped up, redeemed",
        (
            "Rise or fall of the balance of a card seen in both snapshots: the net change between two readings. Money "
            "put on and spent in between does not show; transactions show it."
        ),
    ),
    (
        "Expired",
        (
            "Balance of cards that expired between the snapshots. Where the balance is gone as well, all of it counts "
            "as expired, for the service takes what is left off an expired card; what was spent before cannot be told "
            "from it. So it is with a card that is empty and had expired when it was read, minutes after the day's end."
        ),
    ),
)
_GROSS = (
    ("Issued, topped up", "Money put on cards that were not in the opening snapshot, and on those that were."),
    ("Redeemed", "Money spent: STANDARD transactions below zero, also where they are undone later."),
    (
        "Redemptions undone",
        (
            "A transaction marked as a reversal, or a STANDARD one above zero that exactly undoes the one before it on "
            "the same card in the same shop within 24 hours; later it is money put on. A load undone cannot be told "
            "from a card spent at once, and counts as redeemed."
        ),
    ),
    (
        "Expired",
        (
            "Transactions of type EXPIRED, by which the service takes the balance off an expired card, and what was "
            "still on cards that expired."
        ),
    ),
    (
        "Without a transaction",
        "Change of cards' balances that their transactions do not account for. Every such card is listed.",
    ),
)
_COHORTS = (
    (
        "Month of issue",
        (
            "The month in which a card was first seen in a snapshot, or first loaded where transactions are given. "
            "Cards of the first snapshot may be older than it. Never used: without a single redemption since."
        ),
    ),
)
_LEDGER = (
    (
        "Journal entry",
        (
            "Each movement of each program against its liability: issued raises it (credit) against the account of "
            "issued, redeemed lowers it (debit) against that of redeemed, and so on. Debit and credit are equal; the "
            "lines of the liability add up to closing less opening."
        ),
    ),
)


def definitions(report: Report) -> Iterator[tuple[Label, Label]]:
    """Terms and their meaning, as far as the report uses them."""
    moves = [part.movements for part in report.parts if part.movements]
    groups: list[tuple[tuple[str, str], ...]] = [_ALWAYS]
    if moves:
        groups += [_MOVING, _GROSS if any(each.comparison for each in moves) else _NET]
    if any(part.cohorts for part in report.parts):
        groups.append(_COHORTS)
    if any(part.ledger for part in report.parts):
        groups.append(_LEDGER)
    for group in groups:
        for term, words in group:
            yield Label(term), Label(words)
