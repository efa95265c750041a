"""The closed sets of a report and the definitions that it prints."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a card's balance stands at a moment: exactly one of these."""

    OUTSTANDING = "outstanding"  # active and not expired: owed to whoever holds the card
    EXPIRED = "expired"  # past its expiration date, active or not
    INACTIVE = "inactive"  # not expired, but switched off


class Movement(StrEnum):
    """Why outstanding changed between two snapshots; amounts are positive, ``ADDS`` gives the sign."""

    ISSUED = "issued"  # first seen: its balance at closing
    TOPPED_UP = "topped_up"  # seen before, balance rose
    REDEEMED = "redeemed"  # seen before, balance fell
    REVERSED = "reversed"  # a redemption undone; only transactions show it
    EXPIRED = "expired"  # its expiration date passed
    DEACTIVATED = "deactivated"  # switched off
    REACTIVATED = "reactivated"  # switched on again, or its expiry was put off
    VANISHED = "vanished"  # no longer in the list


ADDS = frozenset({Movement.ISSUED, Movement.TOPPED_UP, Movement.REVERSED, Movement.REACTIVATED})


class Basis(StrEnum):
    """What a roll-forward is reckoned from."""

    SNAPSHOTS = "snapshots"  # net: two balances of each card
    TRANSACTIONS = "transactions"  # gross: everything booked on each card in between


class Flow(StrEnum):
    """What snapshots and transactions can be compared by."""

    PUT_ON = "put_on"  # issued and topped up
    SPENT = "spent"  # redeemed less reversed
    EXPIRED = "expired"
    NET = "net"  # the change of all balances


FLOW_LABELS = {
    Flow.PUT_ON: "put on cards (issued + topped up)",
    Flow.SPENT: "spent (redeemed less reversed)",
    Flow.EXPIRED: "expired",
    Flow.NET: "net change of all balances",
}

MOVED = "moved"  # a card that changed its program; it moves money between programs, never in the total

LISTS = (*(movement.value for movement in Movement), MOVED)


class ExpiryBucket(StrEnum):
    """One step of the expiry ladder, in local calendar days from the as-of day."""

    OVERDUE = "overdue"
    DAYS_30 = "<=30"
    DAYS_60 = "31-60"
    DAYS_90 = "61-90"
    DAYS_180 = "91-180"
    DAYS_365 = "181-365"
    LATER = "later"
    NEVER = "never"


BUCKET_UPPER_DAYS = (30, 60, 90, 180, 365)  # last day of each bucket between overdue and later

BUCKET_LABELS = {
    ExpiryBucket.OVERDUE: "overdue",
    ExpiryBucket.DAYS_30: "≤ 30 days",
    ExpiryBucket.DAYS_60: "31\u201360 days",
    ExpiryBucket.DAYS_90: "61\u201390 days",
    ExpiryBucket.DAYS_180: "91\u2013180 days",
    ExpiryBucket.DAYS_365: "181\u2013365 days",
    ExpiryBucket.LATER: "later",
    ExpiryBucket.NEVER: "never",
}

DEFINITIONS = (
    (
        "As-of moment",
        (
            "The moment of the closing snapshot; with an as-of day other than the snapshot's own, the last "
            "instant of that day. A card is expired from its expiration date on: a card that expires at local midnight "
            "still counts on the day before, and no longer on the day that begins."
        ),
    ),
    ("Outstanding", "Balance of cards that are active and not expired at the as-of moment."),
    (
        "Expired with balance",
        "Balance left on cards whose expiration date has passed, whether active or not.",
    ),
    (
        "Inactive with balance",
        (
            "Balance on cards that are switched off and not expired. "
            "Outstanding, expired and inactive add up to the total balance."
        ),
    ),
    (
        "Cards",
        "Cards behind an amount: those whose balance is not zero. Zero-balance cards are counted apart.",
    ),
    ("Average", "Outstanding divided by the outstanding cards with a balance, rounded to the cent."),
    (
        "Expiry ladder",
        (
            "Outstanding balances by calendar days, in the report's time zone, from the as-of day to the "
            "expiration day. Overdue is expired with balance; so the buckets add up to outstanding plus expired."
        ),
    ),
    (
        "Roll-forward",
        (
            "Opening + issued + topped up \u2212 redeemed \u2212 expired \u2212 deactivated + reactivated "
            "\u2212 vanished = closing; opening and closing are outstanding. The residual is closing less that sum, "
            "and zero when it closes."
        ),
    ),
    ("Issued", "Balance at closing of cards that were not in the opening snapshot."),
    (
        "Topped up, redeemed",
        (
            "Rise or fall of the balance of a card seen in both snapshots: the net change between "
            "two moments. Money put on and spent in between does not show; transactions show it."
        ),
    ),
    (
        "Expired",
        (
            "Balance of cards that expired between the snapshots. Where the balance is gone as well, all of it "
            "counts as expired: the service takes what is left off an expired card."
        ),
    ),
    (
        "Deactivated, reactivated",
        (
            "Balance of cards that were switched off, or that came back to outstanding because "
            "they were switched on again or their expiration date was put off."
        ),
    ),
    ("Vanished", "Opening balance of cards that are no longer in the list."),
    (
        "Moved",
        (
            "Opening balance of cards that changed their program: leaves one program and enters another. "
            "A program is its uuid, whatever its name is."
        ),
    ),
)

TRANSACTION_DEFINITIONS = (
    ("Transactions: issued", "Money put on cards: STANDARD rows above zero, first loads and top-ups alike."),
    ("Transactions: redeemed", "Money spent: STANDARD rows below zero."),
    (
        "Transactions: expired",
        "Rows of type EXPIRED, by which the service takes the balance off an expired card.",
    ),
    (
        "Transactions: reversed",
        (
            "Redemptions undone: a row marked as a reversal, or a STANDARD row above zero that exactly undoes the row "
            "before it on the same card in the same shop within 24 hours; later it is money put on. A load undone "
            "cannot be told from a card spent at once, and counts as redeemed."
        ),
    ),
    (
        "Differences",
        (
            "Per card, the change of balance between its two readings against the sum of its transactions "
            "in between; every card where they differ is listed."
        ),
    ),
)
