"""What happens beside the client: tills, webshops and the dashboard, as JSON-like events on one account.

There are no rules but that the things named exist; whoever raises a negative balance gets one. Every event is
counted under ``outside``, never under ``effects``. Numbers, moments and flags may be texts, as a table's cells are.
All raise ``ValueError`` for what there is not.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from piggy_batch.sandbox.world.giftcards import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from piggy_batch.sandbox.settings import Churn, Settings
    from piggy_batch.sandbox.world.account import AccountWorld
    from piggy_batch.sandbox.world.contacts import Identifier
    from piggy_batch.sandbox.world.giftcards import Card


Json = Any
Event = dict[str, Any]


def play(world: AccountWorld, events: Iterable[Mapping[str, Json]], now: float) -> Counter[str]:
    """Carries events out in order; how many of each action there were.

    ``at``: when it happens, an ISO moment, else ``now``. ValueError names the first event that cannot be carried
    out; those before it have been.
    """
    played: Counter[str] = Counter()
    for number, event in enumerate(events, 1):
        try:
            carry_out(world, event, _moment(event["at"]) if "at" in event else now)
        except KeyError as error:
            raise ValueError(f"event {number}: lacks {error.args[0]}") from None
        except (ValueError, TypeError) as error:
            raise ValueError(f"event {number}: {error}") from None
        played[str(event.get("action"))] += 1
    return played


def carry_out(world: AccountWorld, event: Mapping[str, Json], now: float) -> Json:
    """Carries one event out; ``what``: giftcard (the default), contact or identifier."""
    match event.get("what", "giftcard"):
        case "giftcard":
            return on_giftcard(world, event, now)
        case "contact":
            return on_contact(world, event, now)
        case "identifier":
            return on_identifier(world, event)
        case other:
            raise ValueError(f"what {other!r} is none of giftcard, contact, identifier")


def _integer(event: Mapping[str, Json], name: str, default: int | None = None) -> int:
    """A whole number; without a default it must be there (KeyError)."""
    value = event[name] if default is None else event.get(name, default)
    try:
        return int(value)
    except (ValueError, TypeError):
        raise ValueError(f"{name} {value!r} is no whole number") from None


def _flag(event: Mapping[str, Json], name: str) -> bool:
    value = str(event.get(name, "")).strip().lower()
    if value not in ("", "true", "1", "yes", "false", "0", "no"):
        raise ValueError(f"{name} {value!r} is neither true nor false")
    return value in ("true", "1", "yes")


def _moment(value: Json) -> float:
    """Seconds since 1970 from such a number or from an ISO moment, UTC unless it says otherwise."""
    if isinstance(value, int | float):
        return float(value)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is no moment; write 2026-11-03T10:00:00+01:00") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def on_identifier(world: AccountWorld, event: Mapping[str, Json]) -> Json:
    """``action``: create, link, unlink, rename, activate, deactivate, delete; ``value``.

    Where the action needs it ``contact_uuid`` or ``email`` (of the holder), and ``name``.
    """
    action, value = str(event.get("action")), str(event.get("value", ""))
    name, holder = str(event.get("name", value)), event.get("contact_uuid")
    if "email" in event:
        known = world.people.contact_by_email(str(event["email"]))
        holder = known.uuid if known else None
    if (holder is None or world.people.contact(holder) is None) and (holder is not None or action == "link"):
        raise ValueError("no such contact")
    identifier = world.people.identifier(value)
    if action == "create":
        if identifier is not None or not value:
            raise ValueError(f"cannot create {value!r}")
        world.people.add_identifier(value, name, holder)
    elif identifier is None:
        raise ValueError(f"no identifier {value!r}")
    else:
        _alter(world, identifier, action, holder, name)
    world.effect_outside(f"identifiers.{action}", value)
    return {"done": action}


def _alter(world: AccountWorld, identifier: Identifier, action: str, holder: str | None, name: str) -> None:
    match action:
        case "link":
            world.people.hold(identifier, holder)
        case "unlink":
            world.people.hold(identifier, None)
        case "rename":
            identifier.name = name
        case "activate" | "deactivate":
            world.people.activate(identifier, active=action == "activate")
        case "delete":
            world.people.remove_identifier(identifier)
        case _:
            raise ValueError(f"unknown action {action}")


def on_contact(world: AccountWorld, event: Mapping[str, Json], now: float) -> Json:
    """``action``: create, delete; ``email``."""
    action, email = event.get("action"), str(event.get("email", ""))
    contact = world.people.contact_by_email(email)
    if action == "create" and contact is None and email:
        contact = world.people.add_contact(email, now)
    elif action == "delete" and contact is not None:
        world.people.remove_contact(contact)
    else:
        raise ValueError(f"cannot {action} {email!r}")
    world.effect_outside(f"contacts.{action}", email)
    return {"done": action, "uuid": contact.uuid}


def on_giftcard(world: AccountWorld, event: Mapping[str, Json], now: float) -> Json:
    """``action``: issue, topup, redeem, expire, delete, activate, deactivate, move.

    All but issue name their card by ``uuid``, ``hash`` or ``card`` (its number, 1 = the first ever made).
    ``issue`` takes ``program`` (a number, default 1; 0 = none), ``hash``, ``physical``, ``expires`` (a moment, or
    null), ``uuid`` and a first ``amount_in_cents``; ``topup`` and ``redeem`` take ``amount_in_cents`` and ``shop``
    (a number); ``expire`` takes ``expires`` and ``sweep`` (a ledger row that takes the balance); ``move`` takes
    ``program``. ``rename-program`` takes ``program`` and ``name``.
    """
    action = str(event.get("action"))
    if action == "rename-program":
        number = _program(world, event)
        world.cards.rename(number, str(event["name"]))
        world.effect_outside("programs.rename", str(number))
        return {"done": action}
    if action == "issue":
        card = _issue(world, event, now)
    else:
        card = _named(world, event)
        _play(world, card, action, event, now)
    world.effect_outside(f"giftcards.{action}", card.uuid)
    return {"done": action, "uuid": card.uuid, "hash": card.hash, "amount_in_cents": card.cents}


def _program(world: AccountWorld, event: Mapping[str, Json], default: int | None = None) -> int:
    number = _integer(event, "program", default)
    if number and number not in world.cards.programs:
        raise ValueError(f"no program {number}")
    return number


def _shop(world: AccountWorld, event: Mapping[str, Json]) -> int:
    number = _integer(event, "shop", 1)
    if number not in world.ledger.shops:
        raise ValueError(f"no shop {number}")
    return number


def _named(world: AccountWorld, event: Mapping[str, Json]) -> Card:
    if "uuid" in event:
        card = world.cards.by_uuid(str(event["uuid"]))
    elif "hash" in event:
        card = world.cards.by_hash(str(event["hash"]))
    elif "card" in event:
        card = world.cards.get(_integer(event, "card"))
    else:
        raise ValueError("names no card; give its uuid, hash or card (a number)")
    if card is None:
        raise ValueError("no such giftcard")
    return card


def _issue(world: AccountWorld, event: Mapping[str, Json], now: float) -> Card:
    program, shop, cents = _program(world, event, 1), _shop(world, event), _integer(event, "amount_in_cents", 0)
    code, physical = event.get("hash"), _flag(event, "physical")
    card = world.cards.add(program, now, code=code, physical=physical, uuid=event.get("uuid"))
    if "expires" in event:
        card.expires = None if event["expires"] is None else int(_moment(event["expires"]))
    if cents:
        world.move(card, shop, cents, now)
    return card


def _play(world: AccountWorld, card: Card, action: str, event: Mapping[str, Json], now: float) -> None:
    match action:
        case "topup":
            world.move(card, _shop(world, event), _integer(event, "amount_in_cents"), now)
        case "redeem":
            world.move(card, _shop(world, event), -_integer(event, "amount_in_cents"), now)
        case "expire":
            card.expires = int(_moment(event.get("expires", now - DAY)))
            world.cards.put(card, card.cents)
            if _flag(event, "sweep") and card.cents:
                world.move(card, _shop(world, event), -card.cents, now, kind="EXPIRED")
        case "delete":
            world.cards.remove(card)
        case "activate" | "deactivate":
            card.active = action == "activate"
            world.cards.put(card, card.cents)
        case "move":
            world.cards.reprogram(card, _program(world, event))
        case _:
            raise ValueError(f"unknown action {action}")


class ListChurn:
    """Carries out the churn switches on the main account. ``page_requests`` counts giftcard list requests."""

    def __init__(self, settings: Settings, world: AccountWorld) -> None:
        self._settings = settings
        self._world = world
        self._random = random.Random(settings.seed ^ 0xC0FFEE)  # noqa: S311 - repeatable, not secret
        self._plan: list[Churn] = []
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
