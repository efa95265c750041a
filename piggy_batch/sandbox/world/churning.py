"""A list that changes while it is read: cards vanish and appear between page reads."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from piggy_batch.sandbox.settings import Churn, Settings
    from piggy_batch.sandbox.world.account import World


class Churner:
    """Carries out the churn switches on the main account. ``page_requests`` counts giftcard list requests."""

    def __init__(self, settings: Settings, world: World) -> None:
        self._settings = settings
        self._world = world
        self._random = random.Random(settings.seed ^ 0xC0FFEE)  # noqa: S311 - repeatable, not secret
        self._plan = list(settings.churn_plan)
        self.page_requests = 0

    def add(self, churn: Churn) -> None:
        """Plans one more change."""
        self._plan.append(churn)

    def drift(self) -> int:
        """What the switch ``total_drift`` adds to the total of the page about to be read."""
        return self._settings.total_drift * self.page_requests

    def page_was_read(self, now: float) -> None:
        """Called after each answered page: applies what is due."""
        self.page_requests += 1
        cards = self._world.cards
        for _ in range(self._settings.churn):
            if len(cards.order):
                card = cards.get(cards.order[self._random.randrange(len(cards.order))])
                self._delete(card.uuid if card else "")
            self._add(self._random.choice(list(cards.programs)), now)
        for churn in self._plan:
            if churn.after_page_request == self.page_requests:
                for uuid in churn.delete:
                    self._delete(uuid)
                for _ in range(churn.add):
                    self._add(churn.program, now)

    def _delete(self, uuid: str) -> None:
        card = self._world.cards.by_uuid(uuid)
        if card is not None:
            self._world.cards.remove(card)
            self._world.effect_outside("giftcards.delete", uuid)

    def _add(self, program: int, now: float) -> None:
        self._world.effect_outside("giftcards.create", self._world.cards.add(program, now).uuid)
