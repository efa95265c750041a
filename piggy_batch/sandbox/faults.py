"""Faults: what can go wrong between a request and its answer, and the plan that says when.

In process a cut connection is a ``ConnectionCut`` raised out of the application. A test that wants httpx's
own errors maps it where the transport is called: nothing of an answer seen, or only part of one, is
``httpx.RemoteProtocolError`` to a client on a socket, so ``except ConnectionCut as cut: raise
httpx.RemoteProtocolError(str(cut)) from cut`` in a transport that wraps ``httpx.ASGITransport`` is faithful.
"""

from __future__ import annotations

import json
import random
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

FAULT_KINDS: dict[str, str] = {
    "429": "too many requests, with Retry-After and X-RateLimit-Reset; nothing applied",
    "429-bare": "too many requests, without any header that says how long; nothing applied",
    "500": "uncoded JSON server error; nothing applied",
    "1000": "the API's own internal error, code 1000 with HTTP 400; nothing applied",
    "unknown-code": "code 99999 with HTTP 400; nothing applied",
    "502-html": "a gateway's HTML page, bad gateway; nothing applied",
    "503": "maintenance, JSON, no Retry-After; nothing applied",
    "503-retry-after": "maintenance, Retry-After in seconds; nothing applied",
    "503-date": "maintenance, Retry-After as an HTTP date; nothing applied",
    "503-html": "a gateway's HTML page, service unavailable; nothing applied",
    "504-html": "a gateway's HTML page, gateway timeout; nothing applied",
    "504-after": "applied, then a gateway's HTML page, gateway timeout",
    "200-html": "an HTML page with status 200; nothing applied",
    "timeout": "no answer until the client leaves; nothing applied",
    "timeout-after": "applied, then no answer until the client leaves",
    "reset-before": "connection closed without an answer; nothing applied",
    "reset-after": "applied, then the connection closed without an answer",
    "reset-body": "applied; headers and half the body, then the connection closed",
    "truncated": "applied; JSON cut in the middle, content length to match",
    "no-data": "applied; success without the key data",
    "empty": "applied; success with an empty body",
    "unauthorized": "401; nothing applied",
    "forbidden": "403, JSON; nothing applied",
    "firewall": "403, an HTML page (give it a value to dislike); nothing applied",
    "firewall-406": "406, an HTML page; nothing applied",
    "7002": "account inactive; nothing applied",
    "7011": "user has no access to this account; nothing applied",
    "60000": "usage limit reached; nothing applied",
    "60001": "credit reception in progress; nothing applied",
    "redirect": "302 to a loopback address; nothing applied",
    "redirect-after": "applied, then 302 to a loopback address",
    "409": "uncoded JSON conflict, 409; nothing applied",
    "409-after": "applied, then an uncoded JSON conflict, 409",
    "499-after": "applied, then 499: a proxy that says that its client has left",
    "firewall-after": "applied, then 403, an HTML page (a firewall that dislikes the answer)",
    "refusal-cut": "applied, then code 1000 with HTTP 400, packed, and the packed bytes cut in the middle",
    "late": "connection closed without an answer; applied wait_s seconds later",
    "replayed": "applied once; identical POSTs get the same answer and are not carried out",
    "200-other": '200 with JSON of another kind, {"success": false}; nothing applied',
    "huge": "applied; success with a body of 50 MB",
    "header-bomb": "applied; success with a megabyte of headers",
    "trickle": "applied; the body one byte a second",
    "short-page": "a list page lacks its last row",
    "duplicate-row": "a list page shows its first row twice",
    "repeat-page": "a list page shows the rows of page 1 under its own meta",
    "no-meta": "a success without the key meta",
    "string-meta": "the numbers in meta as strings",
}


class ConnectionCut(Exception):  # noqa: N818 - names what happened, as the transport's own exceptions do
    """The connection ended here: before an answer, or in the middle of one. Raised in process only."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail, and which requests it strikes: those that match every given condition.

    ``share``: how many of the matching requests it strikes, 0 to 1, drawn with the sandbox's seeded
    generator. ``method``: the HTTP method, exactly. ``path``: text within the path. ``value``: text within
    path, query or body, after percent-decoding. ``after_n``: the first n matching requests are spared.
    ``times``: it strikes at most so often. ``wait_s``: what a Retry-After says, or how late ``late`` is.
    ``location``: where redirects point, always a loopback address: a client that follows it reaches no stranger.
    ``size``: bytes of ``huge``.
    """

    kind: str
    share: float = 1.0
    method: str | None = None
    path: str | None = None
    value: str | None = None
    after_n: int = 0
    times: int | None = None
    wait_s: int = 1
    location: str = "http://127.0.0.1:9/"
    size: int = 50_000_000

    def __post_init__(self) -> None:
        """Refuses what could never strike, and a redirect away from this machine; ValueError."""
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(FAULT_KINDS)}")
        if not 0 <= self.share <= 1:
            raise ValueError(f"share {self.share} of fault {self.kind} is not between 0 and 1")
        if not _is_loopback(self.location):
            raise ValueError(
                f"{self.location} is no loopback address; a redirect points to one, as http://127.0.0.1:9/"
            )


def _is_loopback(url: str) -> bool:
    try:
        return ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False


def parse_fault(text: str) -> Fault:
    """``KIND`` or ``KIND:SHARE`` as a command line gives it.

    Raises ``ValueError`` with a message for people.
    """
    kind, colon, share = text.partition(":")
    if not colon:
        return Fault(kind)
    try:
        number = float(share)
    except ValueError:
        raise ValueError(f"share {share!r} of fault {kind} is not a number between 0 and 1") from None
    return Fault(kind, number)


class _Planned:
    """A fault and how often it has met and struck a request."""

    __slots__ = ("fault", "met", "struck")

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.met = 0
        self.struck = 0


class Plan:
    """Which fault, if any, strikes a request. The first that matches and draws its share wins."""

    def __init__(self, faults: Iterable[Fault], seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._planned = [_Planned(fault) for fault in faults]
        self.struck: dict[str, int] = {}  # kind -> how often it struck

    def add(self, fault: Fault) -> None:
        """Plans one more, after those planned before."""
        self._planned.append(_Planned(fault))

    def clear(self) -> None:
        """No faults from now on; what struck so far stays counted."""
        self._planned.clear()

    def has(self, kind: str) -> bool:
        """Whether a fault of that kind is planned."""
        return any(planned.fault.kind == kind for planned in self._planned)

    def pick(self, method: str, path: str, query: bytes, body: bytes) -> Fault | None:
        """The fault for this request, counted as having struck."""
        for planned in self._planned:
            fault = planned.fault
            if fault.times is not None and planned.struck >= fault.times:
                continue
            if fault.method is not None and fault.method != method:
                continue
            if fault.path is not None and fault.path not in path:
                continue
            if fault.value is not None and fault.value not in _readable(path, query, body):
                continue
            planned.met += 1
            if planned.met <= fault.after_n:
                continue
            if fault.share < 1 and self._random.random() >= fault.share:
                continue
            planned.struck += 1
            self.struck[fault.kind] = self.struck.get(fault.kind, 0) + 1
            return fault
        return None


def _readable(path: str, query: bytes, body: bytes) -> str:
    """Path, query and body as a person would write them, each in every decoding that may apply."""
    text = body.decode("utf-8", "replace")
    if "\\" in text:
        with suppress(ValueError):
            text += "\n" + json.dumps(json.loads(text), ensure_ascii=False)
    return "\n".join((unquote(path), unquote_plus(query.decode("latin-1")), text, unquote_plus(text)))
