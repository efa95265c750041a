"""What each fault does to an answer. Faults of the connection itself are carried out by the application."""

from __future__ import annotations

import gzip
import json
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from piggy_batch.sandbox.http.messages import JSON_TYPE, Refused, SandboxReply, encode, page, plain

if TYPE_CHECKING:
    from piggy_batch.sandbox.faults import Fault

Json = Any
CODED = {"1000": 1000, "unknown-code": 99999, "7002": 7002, "7011": 7011, "60000": 60000, "60001": 60001}

FIXED = {
    "429-bare": SandboxReply(429, plain(429, "Too Many Attempts.").body, gateway=True),
    "500": plain(500, "Server Error"),
    "503": plain(503, "Service Unavailable"),
    "502-html": page(502, "502 Bad Gateway"),
    "503-html": page(503, "503 Service Temporarily Unavailable"),
    "504-html": page(504, "504 Gateway Time-out"),
    "200-html": page(200, "Just a moment..."),
    "unauthorized": plain(401, "Unauthenticated."),
    "forbidden": plain(403, "This action is unauthorized."),
    "firewall": page(403, "403 Forbidden"),
    "firewall-406": page(406, "Not Acceptable!"),
    "409": plain(409, "Conflict"),
    "200-other": SandboxReply(200, encode({"success": False})),
}
AFTER = {  # in place of the answer to what was applied
    "504-after": page(504, "504 Gateway Time-out"),
    "409-after": plain(409, "Conflict"),
    "499-after": page(499, "499 Client Closed Request"),
    "firewall-after": page(403, "403 Forbidden"),
}


def replacement(fault: Fault, now: float) -> SandboxReply | None:
    """The answer in place of the real one, nothing applied; None for faults that let it be applied."""
    if fault.kind in CODED:
        return Refused(CODED[fault.kind]).reply()
    if fault.kind in FIXED:
        return FIXED[fault.kind]
    wait = str(fault.wait_s).encode()
    match fault.kind:
        case "429":
            resets = (b"x-ratelimit-reset", str(int(now) + fault.wait_s).encode())
            return _with(FIXED["429-bare"], (b"retry-after", wait), resets)
        case "503-retry-after":
            return _with(FIXED["503"], (b"retry-after", wait))
        case "503-date":
            date = formatdate(int(now) + fault.wait_s, usegmt=True).encode()
            return _with(FIXED["503"], (b"retry-after", date))
        case "redirect":
            return _redirect(fault)
        case _:
            return None


def _redirect(fault: Fault) -> SandboxReply:
    moved = page(302, "302 Found")
    return SandboxReply(302, moved.body, (*moved.headers, (b"location", fault.location.encode())), gateway=True)


def _cut_refusal() -> SandboxReply:
    """A refusal that may have been carried out, packed: what arrives of it does not show its code."""
    packed = gzip.compress(Refused(1000).reply().body, mtime=0)
    return SandboxReply(400, packed[: len(packed) // 2], (JSON_TYPE, (b"content-encoding", b"gzip")))


def _with(reply: SandboxReply, *headers: tuple[bytes, bytes]) -> SandboxReply:
    """The application's own answer with more headers."""
    return SandboxReply(reply.status, reply.body, (*reply.headers, *headers))


def altered(fault: Fault, reply: SandboxReply, first_page: SandboxReply | None) -> SandboxReply:
    """The real answer, applied, with the fault's mark on it.

    Refusals pass unspoiled where only a success can be.
    """
    if fault.kind in AFTER:
        return AFTER[fault.kind]
    match fault.kind:
        case "redirect-after":
            return _redirect(fault)
        case "refusal-cut":
            return _cut_refusal()
        case "truncated":
            return SandboxReply(reply.status, reply.body[: max(1, len(reply.body) // 2)], reply.headers)
        case "header-bomb":
            bomb = tuple((f"x-bomb-{n}".encode(), b"x" * 8000) for n in range(128))
            return SandboxReply(reply.status, reply.body, reply.headers + bomb)
        case "huge":
            pad = b" " * max(0, fault.size - len(reply.body))
            return SandboxReply(reply.status, reply.body + pad, reply.headers)
        case _ if reply.status != 200:
            return reply
        case "empty":
            return SandboxReply(200, b"", reply.headers)
        case "no-data" | "no-meta" | "string-meta" | "short-page" | "duplicate-row" | "repeat-page":
            return SandboxReply(200, encode(_edited(fault.kind, json.loads(reply.body), first_page)), reply.headers)
        case _:
            return reply


def _edited(kind: str, body: dict[str, Json], first_page: SandboxReply | None) -> dict[str, Json]:
    rows, meta = body.get("data"), body.get("meta")
    match kind:
        case "no-data":
            body.pop("data", None)
        case "no-meta":
            body.pop("meta", None)
        case "string-meta" if isinstance(meta, dict):
            body["meta"] = {name: str(value) for name, value in meta.items()}
        case "short-page" if isinstance(rows, list) and rows:
            body["data"] = rows[:-1]
        case "duplicate-row" if isinstance(rows, list) and rows:
            body["data"] = [rows[0], *rows]
        case "repeat-page" if isinstance(rows, list) and first_page is not None:
            body["data"] = json.loads(first_page.body).get("data", rows)
        case _:
            pass
    return body
