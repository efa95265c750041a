"""The edges of an answer: reading a request's body, unknown routes, the headers of every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piggy_batch.sandbox.http.messages import Reply, plain
from piggy_batch.sandbox.routes import allowed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Send

    from piggy_batch.sandbox.http.throttle import Ticket

_SEEN_LIVE = (  # on every captured response (POST, observed)
    (b"cache-control", b"no-cache, private"),
    (b"access-control-allow-origin", b"*"),
)


async def whole(receive: Receive) -> bytes:
    """The request's body."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


async def trickle(body: bytes, send: Send, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Sends the body one byte a second."""
    for place in range(len(body)):
        await send({"type": "http.response.body", "body": body[place : place + 1], "more_body": True})
        await sleep(1)
    await send({"type": "http.response.body", "body": b""})


def no_route(method: str, path: str) -> Reply:
    """404 or 405 without a code, as the framework answers (inferred)."""
    methods = allowed(path)
    if not methods:
        return plain(404, f"The route {path.lstrip('/')} could not be found.")
    text = f"The {method} method is not supported for route {path.lstrip('/')}."
    reply = plain(405, text)
    return Reply(405, reply.body, (*reply.headers, (b"allow", ", ".join(methods).encode())))


def headers(reply: Reply, ticket: Ticket) -> list[tuple[bytes, bytes]]:
    """The answer's headers with the length, and for the application's own the cache and throttle ones."""
    out = [*reply.headers, (b"content-length", b"%d" % len(reply.body))]
    if reply.gateway:
        return out
    out += _SEEN_LIVE
    if ticket.limit:
        remaining = 0 if reply.status == 429 else ticket.remaining
        out.append((b"x-ratelimit-limit", b"%d" % ticket.limit))
        out.append((b"x-ratelimit-remaining", b"%d" % remaining))
    if not ticket.allowed and reply.status == 429:
        out.append((b"retry-after", b"%d" % ticket.wait_s))
        out.append((b"x-ratelimit-reset", b"%d" % ticket.resets_at))
    return out
