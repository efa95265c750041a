"""Which handler answers which path: the routes under the prefix, as SDK and POST name them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from piggy_batch.sandbox.handlers import contacts, giftcards, identifiers, transactions
from piggy_batch.sandbox.http.messages import ok

if TYPE_CHECKING:
    from piggy_batch.sandbox.handlers.call import Call, Handler
    from piggy_batch.sandbox.http.messages import Reply

PREFIX = "/api/v3/oauth/clients"


def ping(call: Call) -> Reply:
    """GET on the prefix: whose token it is (MAG reads company, id and uuid: observed)."""
    world = call.world
    account = {"company": world.company, "id": world.id, "uuid": world.uuid}
    return ok({name: account[name] for name in call.settings.ping_fields})


_TABLE: dict[str, Handler] = {
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
    "POST /contacts/{uuid}/delete": contacts.delete,
    "GET /contacts/{uuid}/contact-identifiers": identifiers.of_contact,
    "GET /contacts/{uuid}/credit-balance": contacts.credit_balance,
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
    "GET /shops": transactions.shops,
    "GET /shops/{uuid}": transactions.shop,
    "POST /credit-receptions": transactions.receive_credits,
}

_EXACT: dict[tuple[str, str], tuple[str, Handler]] = {}
_SHAPED: dict[tuple[str, str, int, str], tuple[str, Handler]] = {}  # method, head, parts, tail
for _label, _handler in _TABLE.items():
    _method, _path = _label.split(" ", 1)
    if "{uuid}" in _path:
        _parts = _path.split("/")
        _SHAPED[_method, _parts[1], len(_parts), _parts[-1] if len(_parts) > 3 else ""] = (_label, _handler)
    else:
        _EXACT[_method, _path] = (_label, _handler)


def route(method: str, raw_path: str) -> tuple[str, Handler, tuple[str, ...]] | None:
    """The route's label, its handler and the decoded variable parts; None where there is none."""
    if not raw_path.startswith(PREFIX):
        return None
    path = raw_path[len(PREFIX) :]
    if path == "/":
        path = ""
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
    return [method for method in ("GET", "POST", "PUT", "DELETE") if route(method, raw_path) is not None]
