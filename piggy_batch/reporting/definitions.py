"""The closed sets of a report."""

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


MOVED = "moved"  # a card that changed its program; it moves money between programs, never in the total

BALANCES = {  # lists of cards by where their balance stands at closing
    "outstanding": State.OUTSTANDING,
    "expired_balance": State.EXPIRED,
    "inactive_balance": State.INACTIVE,
}

MOVEMENT_LISTS = (*(movement.value for movement in Movement), MOVED)
LISTS = (*BALANCES, *MOVEMENT_LISTS)  # the figures behind which cards stand
WITHOUT_TRANSACTION = "unexplained"  # a change that transactions do not account for: a list where there are any


class ExpiryBucket(StrEnum):
    """Time to expiry, in local calendar days from the as-of day."""

    OVERDUE = "overdue"
    DAYS_30 = "<=30"
    DAYS_60 = "31-60"
    DAYS_90 = "61-90"
    DAYS_180 = "91-180"
    DAYS_365 = "181-365"
    LATER = "later"
    NEVER = "never"


BUCKET_UPPER_DAYS = (30, 60, 90, 180, 365)  # last day of each bucket between overdue and later
