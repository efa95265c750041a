"""The names by which readers know a report's figures, in one place for tables, charts and files."""

from __future__ import annotations

from piggy_batch.reporting.definitions import BALANCES, MOVED, WITHOUT_TRANSACTION, ExpiryBucket, Flow, Movement
from piggy_batch.reporting.phrases import Label
from piggy_batch.reporting.transactions import Effect

MOVEMENT_LABELS = {
    Movement.ISSUED: Label("Issued"),
    Movement.TOPPED_UP: Label("Topped up"),
    Movement.REDEEMED: Label("Redeemed"),
    Movement.REVERSED: Label("Redemptions undone"),
    Movement.EXPIRED: Label("Expired"),
    Movement.DEACTIVATED: Label("Switched off"),
    Movement.REACTIVATED: Label("Switched on again"),
    Movement.VANISHED: Label("No longer listed"),
}
OPENING, CLOSING = Label("Opening"), Label("Closing")
BETWEEN_PROGRAMS = Label("Between programs")
UNEXPLAINED = Label("Without a transaction")
RESIDUAL = Label("Not explained")
TOTAL = Label("Total")
NO_SHOP = Label("(no shop)")

BUCKET_LABELS = {
    ExpiryBucket.OVERDUE: Label("expired"),
    ExpiryBucket.DAYS_30: Label("within 30 days"),
    ExpiryBucket.DAYS_60: Label("31\N{EN DASH}60 days"),
    ExpiryBucket.DAYS_90: Label("61\N{EN DASH}90 days"),
    ExpiryBucket.DAYS_180: Label("91\N{EN DASH}180 days"),
    ExpiryBucket.DAYS_365: Label("181\N{EN DASH}365 days"),
    ExpiryBucket.LATER: Label("later"),
    ExpiryBucket.NEVER: Label("never"),
}
FLOW_LABELS = {
    Flow.PUT_ON: Label("put on cards (issued + topped up)"),
    Flow.SPENT: Label("spent (redeemed less undone)"),
    Flow.EXPIRED: Label("expired"),
    Flow.NET: Label("net change of all balances"),
}
EFFECT_LABELS = {
    Effect.ISSUED: Label("Put on cards"),
    Effect.REDEEMED: Label("Redeemed"),
    Effect.EXPIRED: Label("Expired"),
    Effect.REVERSED: Label("Redemptions undone"),
}
LIST_LABELS = {
    **dict(
        zip(
            BALANCES,
            (Label("Outstanding"), Label("Expired with balance"), Label("Switched off with balance")),
            strict=True,
        )
    ),
    **{movement.value: label for movement, label in MOVEMENT_LABELS.items()},
    MOVED: BETWEEN_PROGRAMS,
    WITHOUT_TRANSACTION: UNEXPLAINED,
}
ROLE_LABELS = {role: Label(role) for role in ("opening", "closing", "trend", "transactions")}
PROVEN, PARTIAL = Label("complete, proven"), Label("PARTIAL")


def verdict(*, agreed: bool | None, words: str) -> str:
    """A file's verdict for a reader."""
    return PROVEN if agreed else f"{PARTIAL}: {words}"
