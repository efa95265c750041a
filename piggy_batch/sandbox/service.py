"""The service: it admits a request, authenticates and routes it, strikes it with faults, and answers.

A plain ASGI callable, as lean as can be; the admin routes beside it are Starlette's (:mod:`asgi`).
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from piggy_batch.sandbox.fault_effects import altered, replacement
from piggy_batch.sandbox.faults import ConnectionCut, Fault, Plan
from piggy_batch.sandbox.handlers.call import Call
from piggy_batch.sandbox.http.messages import Form, Refused, SandboxReply, parameters, plain
from piggy_batch.sandbox.http.throttle import Throttle
from piggy_batch.sandbox.http.tokens import TokenGrant, Tokens
from piggy_batch.sandbox.routes import headers, no_route, read_body, route, trickle
from piggy_batch.sandbox.world.account import AccountWorld
from piggy_batch.sandbox.world.month import month_of_events
from piggy_batch.sandbox.world.outside_events import ListChurn, carry_out, play
from piggy_batch.sandbox.world.state_file import read_state, write_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import Message, Receive, Scope, Send

    from piggy_batch.sandbox.handlers.call import Handler
    from piggy_batch.sandbox.http.throttle import LimitState
    from piggy_batch.sandbox.settings import Churn, Settings

Json = Any
HANG_UP = "sandbox.hang_up"  # scope key under which a server puts what really closes the connection
KEPT_ARRIVALS = 100_000  # arrivals that ``/_sandbox/requests`` remembers
_LONG_LIST = "GET /giftcards"
_HANGS = ("timeout", "timeout-after")


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A request that has been read and counted, not yet authenticated."""

    scope: Scope
    body: bytes
    header: bytes | None  # Authorization
    limit_state: LimitState
    serial: int  # 1 = the first request of this sandbox
    found: tuple[str, Handler, tuple[str, ...]] | None


class Sandbox:
    """One sandbox: its worlds, its faults and its application.

    ``serve`` answers, as ASGI has it; it starts no thread and no background task, so it runs under a virtual
    clock. ``world`` is the main account's; ``worlds`` maps account uuids. ``requests`` and ``statuses`` count
    what came and went; ``arrivals`` holds (event loop time in seconds, route) of the latest requests.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.latency_s = settings.latency_ms / 1000
        self.tokens = Tokens(settings)
        self.throttle = Throttle(settings.limit_per_minute)
        self.faults = Plan(settings.faults, settings.seed)
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.arrivals: deque[tuple[float, str]] = deque(maxlen=KEPT_ARRIVALS)
        self.in_flight = 0
        self.most_in_flight = 0
        held = read_state(settings)
        companies = {uuid: company for company, uuid in settings.other_tokens.values()}
        companies[settings.account_uuid] = settings.company
        self.worlds = {
            uuid: AccountWorld(settings, company, uuid, main=uuid == settings.account_uuid, dumped=held.get(uuid))
            for uuid, company in companies.items()
        }
        self.world = self.worlds[settings.account_uuid]
        self.churner = ListChurn(settings, self.world)
        self._serial = 0
        self._hanging: set[asyncio.Future[None]] = set()
        self._late: list[tuple[float, _Arrived]] = []  # when requests whose connections were closed are carried out
        self._answers: dict[tuple[str, bytes, bytes], SandboxReply] = {}  # to POSTs, kept while ``replayed`` is planned

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of the service, as ASGI has it."""
        self._serial += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._answer(scope, receive, send, self._serial)
        finally:
            self.in_flight -= 1

    # At run time

    def plan(self, fault: Fault) -> None:
        """Adds a fault, from the next request on."""
        self.faults.add(fault)

    def clear_faults(self) -> None:
        """No faults from now on."""
        self.faults.clear()

    def play(self, events: Iterable[Mapping[str, Json]] | Literal["month"]) -> Counter[str]:
        """What tills, webshops and the dashboard do, in order: events, or a made-up month of them.

        How many of each action there were; ValueError, see :func:`outside_events.play`.
        """
        if isinstance(events, str):
            events = month_of_events(self.world, self.settings.seed)
        return play(self.world, events, self.settings.clock())

    def outside_event(self, what: Literal["identifier", "contact", "giftcard"], **event: Json) -> Json:
        """One event beside the client, now; its fields are those of the functions of ``outside_events``."""
        return carry_out(self.world, {"what": what, **event}, self.settings.clock())

    def churn(self, churn: Churn) -> None:
        """Plans a change of the giftcard list between two page reads."""
        self.churner.add(churn)

    def revoke(self, token: str) -> None:
        """The token is refused (401) from now on."""
        self.tokens.grants.pop(token, None)

    def accept(self, token: str) -> None:
        """The token is good for the main account from now on, as after a rotation."""
        self.tokens.grants[token] = TokenGrant(self.settings.account_uuid)

    def release_hanging(self) -> None:
        """Ends every request that a fault keeps hanging."""
        for patience in self._hanging:
            patience.cancel()

    def save(self) -> None:
        """Writes the state file, whole or not at all. Without one in the settings it does nothing."""
        write_state(self.settings, self.worlds)

    @property
    def changes(self) -> int:
        """Goes up with every change of any world."""
        return sum(world.changes for world in self.worlds.values())

    def state(self) -> Json:
        """What ``GET /_sandbox/state`` answers."""
        return self.world.state() | {
            "requests": dict(self.requests),
            "requests_total": self._serial,
            "statuses": dict(self.statuses),
            "faults_struck": self.faults.struck,
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
        }

    # One request

    async def _answer(self, scope: Scope, receive: Receive, send: Send, serial: int) -> None:
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        path, method = raw.decode("latin-1"), scope["method"]
        found = route(method, path)
        label = found[0] if found else f"{method} unrouted"
        self.requests[label] += 1
        self.arrivals.append((asyncio.get_running_loop().time(), label))
        body = await read_body(receive)
        await self._carry_out_late()
        fault = self.faults.pick(method, path, scope["query_string"], body)
        now = self.settings.clock()
        if self.latency_s:
            await self.settings.sleep(self.latency_s / 2)
        header = next((value for name, value in scope["headers"] if name == b"authorization"), None)
        limit_state = self.throttle.admit(header.decode("latin-1") if header else "anybody", now)
        if fault and fault.kind in ("reset-before", "timeout"):
            await self._break(scope, receive, fault)
            return
        arrived = _Arrived(scope, body, header, limit_state, serial, found)
        if fault and fault.kind == "late":
            self._late.append((now + fault.wait_s, arrived))
            await self._break(scope, receive, fault)
            return
        same = (method, scope["query_string"] + raw, body)
        reply = replacement(fault, now) if fault else None
        if fault and fault.kind == "replayed":
            reply = self._answers.get(same)
        if reply is None:
            reply = await self._apply(arrived)
            if method == "POST" and reply.status == 200 and self.faults.has("replayed"):
                self._answers[same] = reply
            if fault and limit_state.allowed:
                first_page = None
                if fault.kind == "repeat-page" and method == "GET":
                    first_page = await self._apply(arrived, {"page": 1})
                reply = altered(fault, reply, first_page)
        if self.latency_s:
            await self.settings.sleep(self.latency_s / 2)
        if fault and fault.kind in ("reset-after", "timeout-after"):
            await self._break(scope, receive, fault)
            return
        self.statuses[str(reply.status)] += 1
        await send({"type": "http.response.start", "status": reply.status, "headers": headers(reply, limit_state)})
        if method == "HEAD":
            await send({"type": "http.response.body", "body": b""})
        elif fault and fault.kind == "reset-body":
            await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
            await self._break(scope, receive, fault)
        elif fault and fault.kind == "trickle":
            await trickle(reply.body, send, self.settings.sleep)
        else:
            await send({"type": "http.response.body", "body": reply.body})

    async def _carry_out_late(self) -> None:
        """Carries out what a client has given up and whose time has come."""
        now = self.settings.clock()
        due = [arrived for moment, arrived in self._late if moment <= now]
        if due:
            self._late = [entry for entry in self._late if entry[0] > now]
            for arrived in due:
                await self._apply(arrived)

    async def _apply(self, arrived: _Arrived, override: dict[str, Json] | None = None) -> SandboxReply:
        """The answer of a service in good health, what it changes applied. ``override``: other parameters."""
        if not arrived.limit_state.allowed:
            return plain(429, "Too Many Attempts.")
        scope, settings, now = arrived.scope, self.settings, self.settings.clock()
        values = await parameters(scope, arrived.body) | (override or {})
        path: str = scope["path"]
        if path.rstrip("/") == "/oauth/token" and scope["method"] == "POST":
            return self.tokens.issue(values, now)
        if arrived.found is None:
            return no_route(scope["method"], path)
        grant = self.tokens.grant(arrived.header, now)
        if grant is None:
            return self.tokens.refusal()
        label, handler, args = arrived.found
        if not grant.contacts and " /contacts" in label:
            return plain(403, "This action is unauthorized.")
        world = self.worlds[grant.account]
        world.settle(now)
        listing = label == _LONG_LIST and override is None and world is self.world
        drift = self.churner.drift() if listing else 0
        try:
            reply = handler(
                Call(world, settings, Form(values, trim=settings.trim_values), args, now, arrived.serial, drift)
            )
        except Refused as refused:
            return refused.reply()
        if listing:
            self.churner.page_was_read(now)
        return reply

    async def _break(self, scope: Scope, receive: Receive, fault: Fault) -> None:
        """Ends the connection without a (whole) answer.

        At once, or for faults that hang when the client has left or ``hang_s`` seconds are over.
        """
        self.statuses["hung" if fault.kind in _HANGS else "cut"] += 1
        if fault.kind in _HANGS and await self._left(receive):
            return
        hang_up: Callable[[bool], None] | None = scope.get(HANG_UP)
        if hang_up is None:
            raise ConnectionCut(f"fault {fault.kind}: the connection was cut")
        hang_up(self.settings.hard_reset)
        await self._left(receive)

    async def _left(self, receive: Receive) -> bool:
        """Waits until the client has left; False when ``hang_s`` went by first, or ``release_hanging`` was called."""

        async def leave() -> None:
            message: Message = {}
            while message.get("type") != "http.disconnect":
                message = await receive()

        leaving = asyncio.ensure_future(leave())
        patience = asyncio.ensure_future(self.settings.sleep(self.settings.hang_s))
        self._hanging.add(patience)
        try:
            await asyncio.wait((leaving, patience), return_when=asyncio.FIRST_COMPLETED)
            return leaving.done()
        finally:
            self._hanging.discard(patience)
            leaving.cancel()
            patience.cancel()
            await asyncio.gather(leaving, patience, return_exceptions=True)
