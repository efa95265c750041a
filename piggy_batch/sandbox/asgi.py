"""The sandbox as an ASGI application: the service, and admin routes under ``/_sandbox``.

These read what the sandbox holds, plan faults at run time and change things beside the client. They
need no token, are never faulted, never throttled and do not count as requests.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from piggy_batch.sandbox.faults import Fault
from piggy_batch.sandbox.world.outside_events import on_contact, on_giftcard, on_identifier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from piggy_batch.sandbox.service import Sandbox
    from piggy_batch.sandbox.world.account import AccountWorld

Json = Any


def make_app(sandbox: Sandbox) -> ASGIApp:
    """The ASGI application: the service, and under ``/_sandbox`` what a test or a person does beside it."""
    admin = admin_app(sandbox)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        inside = scope["type"] != "http" or scope["path"].startswith("/_sandbox")
        await (admin if inside else sandbox.serve)(scope, receive, send)

    return app


def admin_app(sandbox: Sandbox) -> Starlette:
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
            Route("/_sandbox/contacts", _Change(sandbox).contact, methods=["POST"]),
            Route("/_sandbox/giftcards", _Change(sandbox).giftcard, methods=["POST"]),
            Route("/_sandbox/events", _Change(sandbox).events, methods=["POST"]),
        ]
    )


def _lines(rows: Iterable[Json]) -> Response:
    """JSON lines, sent in blocks so that a million rows do not stand in memory at once."""

    async def blocks() -> AsyncIterator[str]:
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

    def _world(self, request: Request) -> AccountWorld:
        """The main account, or the one that ``?account=UUID`` names."""
        uuid = request.query_params.get("account", self._sandbox.settings.account_uuid)
        try:
            return self._sandbox.worlds[uuid]
        except KeyError:
            raise HTTPException(404, f"no account {uuid}") from None

    async def get(self, request: Request) -> Response:
        return JSONResponse(self._sandbox.state() | self._world(request).state())

    async def requests(self, request: Request) -> Response:
        """Arrivals (event loop seconds) with routes, oldest first; the latest ``keep_requests`` of them."""
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
    """What can be changed beside the client."""

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
        """``{"revoke": token}``, ``{"accept": token}`` (of the main account), or both."""
        values = await _json(request)
        if "revoke" in values:
            self._sandbox.revoke(str(values["revoke"]))
        if "accept" in values:
            self._sandbox.accept(str(values["accept"]))
        return JSONResponse({})

    async def identifier(self, request: Request) -> Response:
        """What a till or the dashboard does to a card; see ``outside_events.on_identifier``."""
        return await self._events(request, lambda event: on_identifier(self._sandbox.world, event))

    async def contact(self, request: Request) -> Response:
        """Customers made or deleted elsewhere; see ``outside_events.on_contact``."""
        now = self._sandbox.settings.clock()
        return await self._events(request, lambda event: on_contact(self._sandbox.world, event, now))

    async def giftcard(self, request: Request) -> Response:
        """What webshops and tills do to giftcards; see ``outside_events.on_giftcard``."""
        now = self._sandbox.settings.clock()
        return await self._events(request, lambda event: on_giftcard(self._sandbox.world, event, now))

    async def events(self, request: Request) -> Response:
        """``{"events": [...]}``, or ``{"events": "month"}`` for a made-up month; how many of each action."""
        events = (await _json(request)).get("events")
        if events != "month" and not (isinstance(events, list) and all(isinstance(each, dict) for each in events)):
            raise HTTPException(400, 'events is a list of objects, or "month"')
        try:
            return JSONResponse({"played": self._sandbox.play(events)})
        except ValueError as error:
            raise HTTPException(400, str(error)) from None

    async def _events(self, request: Request, carry_out: Callable[[Mapping[str, Json]], Json]) -> Response:
        """One event, or ``{"events": [...]}`` for many in one go; the answer has the same shape."""
        values = await _json(request)
        try:
            if "events" in values:
                return JSONResponse({"events": [carry_out(event) for event in values["events"]]})
            return JSONResponse(carry_out(values))
        except (ValueError, KeyError, TypeError) as error:
            raise HTTPException(400, f"cannot do that: {error}") from None
