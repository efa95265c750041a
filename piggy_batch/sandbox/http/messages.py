"""What goes over the wire: parameters in, envelopes and refusals out.

The service takes JSON, form and multipart bodies and query parameters on writes (PROBE, POST, observed; that
all four work everywhere is inferred from the framework, which merges query and body).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.formparsers import MultiPartException
from starlette.requests import Request

from piggy_batch.sandbox.http.error_codes import MESSAGES, UNPUBLISHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import Scope


Json = Any  # a decoded JSON value: None, bool, int, float, str, list or dict
JSON_TYPE = (b"content-type", b"application/json")
HTML_TYPE = (b"content-type", b"text/html; charset=UTF-8")
LONGEST = 255  # characters of a text parameter; a column of the framework's default width (inferred)


def encode(value: Json) -> bytes:
    """The compact, ASCII-only JSON that the service's language writes."""
    return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class SandboxReply:
    """One whole answer. ``headers`` hold the content type; the application adds length, cache and throttle.

    ``gateway`` says that something before the application answered (a proxy, a firewall): no throttle
    headers.
    """

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = (JSON_TYPE,)
    gateway: bool = False


def ok(data: Json, meta: Json = None) -> SandboxReply:
    """The success envelope, HTTP 200. ``meta`` is ``[]`` where it is empty (SEED, POST, observed)."""
    return SandboxReply(200, encode({"data": data, "meta": [] if meta is None else meta}))


def plain(status: int, message: str, **more: Json) -> SandboxReply:
    """An uncoded JSON answer, as the framework gives outside the API's own errors (inferred)."""
    return SandboxReply(status, encode({"message": message, **more}))


def page(status: int, title: str) -> SandboxReply:
    """An HTML page from something in front of the application."""
    text = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return SandboxReply(status, text.encode(), (HTML_TYPE,), gateway=True)


class Refused(Exception):  # noqa: N818 - the service refuses; that is an answer, not a failure of the sandbox
    """A coded API error: HTTP 400 with ``message``, ``code`` and ``status_code`` (DUMP, stated).

    ``errors`` is the bag of field messages that the SDK expects with 1003 (inferred).
    """

    def __init__(self, code: int, errors: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors

    def reply(self) -> SandboxReply:
        """The answer as the client sees it."""
        body: dict[str, Json] = {
            "message": MESSAGES.get(self.code, UNPUBLISHED),
            "code": self.code,
            "status_code": 400,
        }
        if self.errors:
            body["errors"] = self.errors
        return SandboxReply(400, encode(body))


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Json]:
    """Form pairs as a mapping; ``merge_tags[custom.message]=Hi`` becomes a mapping in it (PROBE)."""
    out: dict[str, Json] = {}
    for name, value in pairs:
        stem, bracket, rest = name.partition("[")
        if not bracket or not rest.endswith("]"):
            out[name] = value
            continue
        inner = out.setdefault(stem, {})
        if isinstance(inner, dict):
            inner[rest[:-1] or str(len(inner))] = value
    return out


async def parameters(scope: Scope, body: bytes) -> dict[str, Json]:
    """Query and body merged, the body winning. A body that cannot be read counts as empty (inferred)."""
    query: bytes = scope["query_string"]
    values = nested(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}
    if not body:
        return values
    kind = next((v for k, v in scope["headers"] if k == b"content-type"), b"").lower()
    if kind.startswith(b"multipart/form-data"):
        values.update(await _multipart(scope, body))
    elif kind.startswith(b"application/x-www-form-urlencoded"):
        values.update(nested(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
    else:
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict):
            values.update(parsed)
    return values


async def _multipart(scope: Scope, body: bytes) -> dict[str, Json]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        async with Request(scope, receive).form() as form:
            return nested((name, value) for name, value in form.multi_items() if isinstance(value, str))
    except MultiPartException:
        return {}


def trimmed(value: Json) -> Json:
    """A parameter without spaces around its texts, however deep, as the framework trims by default (inferred)."""
    match value:
        case str():
            return value.strip()
        case dict():
            return {name: trimmed(each) for name, each in value.items()}
        case list():
            return [trimmed(each) for each in value]
        case _:
            return value


_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


class Form:
    """Reads parameters, collects what is wrong with them, and refuses with 1003 and the bag of messages."""

    def __init__(self, values: Mapping[str, Json], *, trim: bool = False) -> None:
        self.values = {name: trimmed(value) for name, value in values.items()} if trim else values
        self.errors: dict[str, list[str]] = {}

    def complain(self, name: str, what: str) -> None:
        """Notes what is wrong with a parameter; ``checked`` then refuses."""
        self.errors.setdefault(name, []).append(f"The {name.replace('_', ' ')} {what}")

    def checked(self) -> None:
        """Raises ``Refused(1003)`` when anything read so far was missing or wrong."""
        if self.errors:
            raise Refused(1003, self.errors)

    def text(self, name: str, *, longest: int = LONGEST) -> str | None:
        """Optional text. Blank counts as absent, as the framework turns it into null (inferred)."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            self.complain(name, "field must be a string.")
            return None
        if len(value) > longest:
            self.complain(name, f"field must not be greater than {longest} characters.")
            return None
        return value

    def need(self, name: str, *, longest: int = LONGEST) -> str:
        """Required text; ``""`` after a complaint, which ``checked`` then raises."""
        value = self.text(name, longest=longest)
        if value is None and name not in self.errors:
            self.complain(name, "field is required.")
        return value or ""

    def integer(self, name: str, *, required: bool = False) -> int | None:
        """A whole number, as a number or as its decimal text."""
        value = self.values.get(name)
        if value is None or value == "":
            if required:
                self.complain(name, "field is required.")
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str):
            digits = value.removeprefix("-")
            if digits.isascii() and digits.isdigit() and len(digits) < 16:
                return int(value)
        self.complain(name, "field must be an integer.")
        return None

    def number(self, name: str) -> float | None:
        """An optional number, fractions included, as a number or as its decimal text."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str) and _DECIMAL.fullmatch(value):
            value = float(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
            return value
        self.complain(name, "field must be a number.")
        return None

    def flag(self, name: str) -> bool | None:
        """A boolean: ``true``/``false``, ``1``/``0``, as JSON or as text (PROBE: forms send 1 and 0)."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if value in (True, 1, "1", "true"):
            return True
        if value in (False, 0, "0", "false"):
            return False
        self.complain(name, "field must be true or false.")
        return None


_COMPARE = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
Fits = Callable[[int], bool]


def within(values: Mapping[str, Any]) -> Fits | None:
    """Whether a creation time (seconds since 1970) fits; None without a filter. 1003 for what is no date."""
    bounds = values.get("created_at")
    if bounds is None:
        return None
    tests = []
    for name, text in bounds.items() if isinstance(bounds, dict) else [("", bounds)]:
        try:
            moment = datetime.fromisoformat(str(text).replace(" ", "+"))
            compare = _COMPARE[name]
        except (ValueError, KeyError):
            raise Refused(1003, {"created_at": ["The created at field is invalid."]}) from None
        tests.append((compare, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))
    return lambda created: all(compare(created, bound) for compare, bound in tests)
