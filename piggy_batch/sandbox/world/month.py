"""A month of a shop's giftcards, made up: what is sold, topped up, spent and what runs out."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from piggy_batch.sandbox.world.account import AccountWorld
    from piggy_batch.sandbox.world.outside_events import Event

AMOUNTS = (1000, 1500, 2500, 2500, 5000, 10_000)  # cents
SHARE_SOLD, SHARE_SPENT, SHARE_TOPPED_UP, SHARE_RUN_OUT = 0.08, 0.15, 0.03, 0.02  # of the cards that there are


def month_of_events(world: AccountWorld, seed: int) -> Iterator[Event]:
    """Events for :func:`play`, drawn from the cards that there are now; another month after each call.

    Cards with money are spent whole or in part or run out with what is left; physical ones are topped up; new ones
    are sold in every program.
    """
    draw = random.Random(f"{seed} {len(world.ledger.rows)}")  # noqa: S311 - repeatable, not secret
    held = [number for number in world.cards.order if (card := world.cards.get(number)) and card.active]
    with_money = [number for number in held if (card := world.cards.get(number)) and card.cents > 0]
    draw.shuffle(with_money)
    size, shops = max(20, len(held)), list(world.ledger.shops)
    spent, run_out = round(size * SHARE_SPENT), round(size * SHARE_RUN_OUT)
    for number in with_money[:spent]:
        card = world.cards.get(number)
        cents = card.cents if card else 0
        part = cents if draw.random() < 0.6 else draw.randrange(1, cents + 1)
        yield {"action": "redeem", "card": number, "amount_in_cents": part, "shop": draw.choice(shops)}
    for number in with_money[spent : spent + run_out]:
        yield {"action": "expire", "card": number, "sweep": True}
    rest = [n for n in with_money[spent + run_out :] if (card := world.cards.get(n)) and card.physical]
    for number in rest[: round(size * SHARE_TOPPED_UP)]:
        yield {"action": "topup", "card": number, "amount_in_cents": draw.choice(AMOUNTS), "shop": draw.choice(shops)}
    for _ in range(round(size * SHARE_SOLD)):
        program = draw.choice(list(world.cards.programs))
        yield {"action": "issue", "program": program, "amount_in_cents": draw.choice(AMOUNTS)}
