"""The back door under ``/_sandbox``: audits, faults at run time, and changes behind the client's back.

Its routes need no token, are never faulted, never throttled and do not count as requests.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from piggy_batch.sandbox.cards import DAY, Card
from piggy_batch.sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from starlette.requests import Request

    from piggy_batch.sandbox.app import Sandbox
    from piggy_batch.sandbox.people import Identifier
    from piggy_batch.sandbox.world import World

Json = Any


def back_door(sandbox: Sandbox) -> Starlette:
    """The Starlette application with every ``/_sandbox`` route."""
    return Starlette(
        routes=[
            Route("/_sandbox/state", _State(sandbox).get, methods=["GET"]),
            Route("/_sandbox/requests", _State(sandbox).requests, methods=["GET"]),
            Route("/_sandbox/identifiers", _State(sandbox).identifiers, methods=["GET"]),
            Route("/_sandbox/giftcards", _State(sandbox).giftcards, methods=["GET"]),
            Route("/_sandbox/contacts", _State(sandbox).contacts, methods=["GET"]),
            Route("/_sandbox/transactions", _State(sandbox).transactions, methods=["GET"]),
            Route("/_sandbox/faults", _Change(sandbox).plan, methods=["POST"]),
            Route("/_sandbox/faults", _Change(sandbox).clear, methods=["DELETE"]),
            Route("/_sandbox/latency", _Change(sandbox).latency, methods=["POST"]),
            Route("/_sandbox/tokens", _Change(sandbox).token, methods=["POST"]),
            Route("/_sandbox/identifiers", _Change(sandbox).identifier, methods=["POST"]),
            Route("/_sandbox/giftcards", _Change(sandbox).giftcard, methods=["POST"]),
        ]
    )


def _lines(rows: Iterable[Json]) -> Response:
    """JSON lines, sent in blocks so that a million rows do not stand in memory at once."""

    async def blocks() -> AsyncIterator[str]:  # noqa: RUF029 - Starlette runs plain iterators in threads
        block: list[str] = []
        for row in rows:
            block.append(json.dumps(row))
            if len(block) == 1000:
                yield "\n".join(block) + "\n"
                block.clear()
        if block:
            yield "\n".join(block) + "\n"

    return StreamingResponse(blocks(), media_type="application/x-ndjson")


async def _json(request: Request) -> dict[str, Json]:
    try:
        values = json.loads(await request.body() or b"{}")
    except ValueError:
        raise HTTPException(400, "the body is not JSON") from None
    if not isinstance(values, dict):
        raise HTTPException(400, "the body is not a JSON object")
    return values


class _State:
    """What can be read."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def _world(self, request: Request) -> World:
        """The main account, or the one that ``?account=UUID`` names."""
        uuid = request.query_params.get("account", self._sandbox.settings.account_uuid)
        try:
            return self._sandbox.worlds[uuid]
        except KeyError:
            raise HTTPException(404, f"no account {uuid}") from None

    async def get(self, request: Request) -> Response:
        return JSONResponse(self._sandbox.state() | self._world(request).state())

    async def requests(self, request: Request) -> Response:
        """Arrival times (event loop seconds) with routes, oldest first; the latest ``keep_requests`` of them."""
        rows = list(self._sandbox.arrivals)
        del request
        return JSONResponse([{"at": at, "route": label} for at, label in rows])

    async def identifiers(self, request: Request) -> Response:
        return _lines(list(self._world(request).people.identifier_rows()))

    async def contacts(self, request: Request) -> Response:
        return _lines(list(self._world(request).people.contact_rows()))

    async def giftcards(self, request: Request) -> Response:
        return _lines(self._world(request).cards.rows())

    async def transactions(self, request: Request) -> Response:
        world = self._world(request)
        return _lines(
            {
                "uuid": row.uuid,
                "card_uuid": world.card_uuid(row.card),
                "amount_in_cents": row.cents,
                "type": row.kind,
                "shop_uuid": world.ledger.shops[row.shop].uuid,
                "created": row.created,
            }
            for row in world.ledger.rows
        )


class _Change:
    """What can be changed behind the client's back."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def plan(self, request: Request) -> Response:
        """One fault, as the fields of ``Fault``."""
        values = await _json(request)
        known = {each.name for each in fields(Fault)}
        if "kind" not in values or not values.keys() <= known:
            raise HTTPException(400, f"a fault has kind, and any of {', '.join(sorted(known))}")
        try:
            self._sandbox.plan(Fault(**values))
        except (ValueError, TypeError) as error:
            raise HTTPException(400, str(error)) from None
        return JSONResponse({"planned": values})

    async def clear(self, request: Request) -> Response:
        del request
        self._sandbox.clear_faults()
        return JSONResponse({"planned": None})

    async def latency(self, request: Request) -> Response:
        """``{"ms": number}``: from the next request on."""
        self._sandbox.latency_s = float((await _json(request)).get("ms", 0)) / 1000
        return JSONResponse({"ms": self._sandbox.latency_s * 1000})

    async def token(self, request: Request) -> Response:
        """``{"revoke": token}``."""
        self._sandbox.revoke(str((await _json(request)).get("revoke", "")))
        return PlainTextResponse("")

    async def identifier(self, request: Request) -> Response:
        """What a till or the dashboard does: ``{"action": create|link|unlink|rename|activate|deactivate|delete,
        "value": text, "contact_uuid": uuid or "email": address, "name": text}``. No rules but existence."""
        values = await _json(request)
        world = self._sandbox.world
        action, value = values.get("action"), str(values.get("value", ""))
        identifier = world.people.identifier(value)
        holder = values.get("contact_uuid")
        if "email" in values:
            known = world.people.contact_by_email(str(values["email"]))
            holder = known.uuid if known else None
        if action == "create" and identifier is None:
            world.people.add_identifier(value, str(values.get("name", value)), holder)
        elif identifier is None or not _alter(
            world, identifier, str(action), holder, str(values.get("name", value))
        ):
            raise HTTPException(400, f"cannot {action} {value!r}")
        world.effect_outside(f"identifiers.{action}", value)
        return JSONResponse({"done": action})

    async def giftcard(self, request: Request) -> Response:
        """What webshops and tills do: ``{"action": issue|redeem|topup|expire|delete|deactivate|activate|reverse,
        "uuid": uuid, "amount_in_cents": int, "hash": text, "physical": bool, "program": number, "shop": number,
        "expires": Unix time}``. ``issue`` makes a card (with its first balance); no rules but existence."""
        values = await _json(request)
        try:
            card = _play(self._sandbox, values)
        except (ValueError, KeyError, TypeError) as error:
            raise HTTPException(400, f"cannot do that: {error}") from None
        self._sandbox.world.effect_outside(f"giftcards.{values['action']}", card.uuid)
        return JSONResponse({"uuid": card.uuid, "hash": card.hash, "amount_in_cents": card.cents})


def _alter(world: World, identifier: Identifier, action: str, holder: str | None, name: str) -> bool:
    match action:
        case "link":
            if holder is None:
                return False
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
            return False
    return True


def _play(sandbox: Sandbox, values: dict[str, Json]) -> Card:
    """One event on a giftcard; raises ``ValueError`` for what there is not."""
    world, now = sandbox.world, sandbox.settings.clock()
    action, shop, cents = (
        values.get("action"),
        int(values.get("shop", 1)),
        int(values.get("amount_in_cents", 0)),
    )
    if shop not in world.ledger.shops:
        raise ValueError(f"no shop {shop}")
    if action == "issue":
        physical = bool(values.get("physical", False))
        card = world.cards.add(int(values.get("program", 1)), now, code=values.get("hash"), physical=physical)
        if "expires" in values:
            card.expires = values["expires"]
        if cents:
            world.move(card, shop, cents, now)
        return card
    found = world.cards.by_uuid(str(values.get("uuid", "")))
    if found is None:
        raise ValueError("no such giftcard")
    match action:
        case "topup":
            world.move(found, shop, cents, now)
        case "redeem":
            world.move(found, shop, -cents, now)
        case "expire":
            found.expires = int(values.get("expires", now - DAY))
            if values.get("sweep", False) and found.cents:
                world.move(found, shop, -found.cents, now, kind="EXPIRED")
            world.cards.put(found, found.cents)
        case "delete":
            world.cards.remove(found)
        case "activate" | "deactivate":
            found.active = action == "activate"
            world.cards.put(found, found.cents)
        case _:
            raise ValueError(f"unknown action {action}")
    return found
