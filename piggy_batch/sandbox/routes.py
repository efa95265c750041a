"""Which handler answers which path: the routes under the prefix, as SDK and POST name them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from piggy_batch.sandbox.handlers import contacts, giftcards, identifiers, prepaid, receptions, shops, transactions
from piggy_batch.sandbox.http.messages import SandboxReply, ok, plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Send

    from piggy_batch.sandbox.handlers.call import Call, Handler
    from piggy_batch.sandbox.http.throttle import LimitState


PREFIX = "/api/v3/oauth/clients"


def ping(call: Call) -> SandboxReply:
    """GET on the prefix: whose token it is (MAG reads company, id and uuid: observed)."""
    world = call.world
    account = {"company": world.company, "id": world.id, "uuid": world.uuid}
    return ok({name: account[name] for name in call.settings.ping_fields})


ROUTES: dict[str, Handler] = {
    "GET ": ping,
    "GET /contact-identifiers/find": identifiers.find,
    "POST /contact-identifiers": identifiers.create,
    "PUT /contact-identifiers/link": identifiers.link,
    "PUT /contact-identifiers/unlink": identifiers.unlink,
    "PUT /contact-identifiers": identifiers.update,
    "DELETE /contact-identifiers": identifiers.delete,
    "GET /contacts": contacts.listed,
    "POST /contacts": contacts.create,
    "POST /contacts/async": contacts.create,
    "POST /contacts/anonymous": contacts.create_anonymous,
    "GET /contacts/find-one-by": contacts.find,
    "GET /contacts/find-or-create": contacts.find_or_create,
    "GET /contacts/find-or-create/async": contacts.find_or_create_async,
    "GET /contacts/{uuid}": contacts.get,
    "PUT /contacts/{uuid}": contacts.update,
    "POST /contacts/{uuid}/delete": contacts.delete,
    "GET /contacts/{uuid}/contact-identifiers": identifiers.of_contact,
    "GET /contacts/{uuid}/credit-balance": contacts.credit_balance,
    "GET /contacts/{uuid}/prepaid-balance": prepaid.balance,
    "GET /giftcard-programs": giftcards.programs,
    "GET /giftcards": giftcards.listed,
    "POST /giftcards": giftcards.create,
    "GET /giftcards/find-one-by": giftcards.find,
    "GET /giftcards/{uuid}": giftcards.get,
    "POST /giftcards/{uuid}/send-by-email": giftcards.send,
    "GET /giftcard-transactions": transactions.listed,
    "POST /giftcard-transactions": transactions.create,
    "GET /giftcard-transactions/{uuid}": transactions.get,
    "POST /giftcard-transactions/{uuid}/reverse": transactions.reverse,
    "GET /prepaid-transactions": prepaid.listed,
    "POST /prepaid-transactions": prepaid.create,
    "POST /prepaid-transactions/{uuid}/reverse": prepaid.reverse,
    "GET /loyalty-transactions": receptions.listed,
    "POST /credit-receptions": receptions.create,
    "GET /shops": shops.listed,
    "GET /shops/{uuid}": shops.get,
}
_EXACT: dict[tuple[str, str], tuple[str, Handler]] = {}
_SHAPED: dict[tuple[str, str, int, str], tuple[str, Handler]] = {}  # method, head, parts, tail
for _label, _handler in ROUTES.items():
    _method, _path = _label.split(" ", 1)
    if "{uuid}" in _path:
        _parts = _path.split("/")
        _SHAPED[_method, _parts[1], len(_parts), _parts[-1] if len(_parts) > 3 else ""] = (_label, _handler)
    else:
        _EXACT[_method, _path] = (_label, _handler)


def route(method: str, raw_path: str) -> tuple[str, Handler, tuple[str, ...]] | None:
    """The route's label, its handler and the decoded variable parts; None where there is none.

    HEAD is routed as GET, and slashes at the end of a path do not count (the framework's default; 200s captured).
    """
    if not raw_path.startswith(PREFIX):
        return None
    path = raw_path[len(PREFIX) :].rstrip("/")
    method = "GET" if method == "HEAD" else method
    exact = _EXACT.get((method, path))
    if exact is not None:
        return exact[0], exact[1], ()
    parts = path.split("/")
    if len(parts) in (3, 4) and parts[2]:
        shaped = _SHAPED.get((method, parts[1], len(parts), parts[3] if len(parts) > 3 else ""))
        if shaped is not None:
            return shaped[0], shaped[1], (unquote(parts[2]),)
    return None


def allowed(raw_path: str) -> list[str]:
    """The methods that a path answers; none for an unknown path."""
    return [method for method in ("GET", "HEAD", "POST", "PUT", "DELETE") if route(method, raw_path) is not None]


_SEEN_LIVE = (  # on every captured response (POST, observed)
    (b"cache-control", b"no-cache, private"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Authorization"),
)


def no_route(method: str, path: str) -> SandboxReply:
    """404 or 405 without a code, as the framework answers (inferred)."""
    methods = allowed(path)
    if not methods:
        return plain(404, f"The route {path.lstrip('/')} could not be found.")
    text = f"The {method} method is not supported for route {path.lstrip('/')}."
    reply = plain(405, text)
    return SandboxReply(405, reply.body, (*reply.headers, (b"allow", ", ".join(methods).encode())))


def headers(reply: SandboxReply, limit_state: LimitState) -> list[tuple[bytes, bytes]]:
    """The answer's headers with the length, and for the application's own the cache and throttle ones."""
    out = [*reply.headers, (b"content-length", b"%d" % len(reply.body))]
    if reply.gateway:
        return out
    out += _SEEN_LIVE
    if limit_state.limit:
        remaining = 0 if reply.status == 429 else limit_state.remaining
        out.append((b"x-ratelimit-limit", b"%d" % limit_state.limit))
        out.append((b"x-ratelimit-remaining", b"%d" % remaining))
    if not limit_state.allowed and reply.status == 429:
        out.append((b"retry-after", b"%d" % limit_state.wait_s))
        out.append((b"x-ratelimit-reset", b"%d" % limit_state.resets_at))
    return out


async def read_body(receive: Receive) -> bytes:
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
