"""From the bytes and headers of an answer to a reply."""

from __future__ import annotations

import email.utils
import json
import math
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

from piggy_batch.client.compression import decompress
from piggy_batch.client.connection import MAX_BODY
from piggy_batch.models import Json, Reply

if TYPE_CHECKING:
    from piggy_batch.client.connection import RawResponse
    from piggy_batch.client.secret_mask import SecretMask

MAX_VALUES = 500_000  # lists, objects and commas of an answer; a page of 100 heavy contacts has some 50,000 values
MAX_DEPTH = 400  # lists and objects inside each other; writing them down fails near 1,000, and real answers have five
MAX_SHOWN = 20_000  # bytes of a body that is no JSON in which the token is looked for, before it is cut for messages
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+")
# Beside Age and Warning, the headers in which caches tell whether they have answered; only Cache-Status is a standard.
CACHE_HEADERS = (
    b"cache-status",
    b"cf-cache-status",
    b"x-cache",
    b"x-cache-remote",
    b"x-cache-status",
    b"x-fastcgi-cache",
    b"x-litespeed-cache",
    b"x-proxy-cache",
)
# "fwd=stale" was asked anew, and so was a "RefreshHit"
_KEPT = re.compile(r"(?<![a-z=])(?:(?:originshield)?hit|stale|updating)(?![a-z]|=\?0)", re.IGNORECASE)
_STALE = re.compile(r"(?:^|,)\s*11[0-3]\b")  # Warning: of what is stale, or could not be asked anew
HEADERS_READ = frozenset(
    {
        b"age",
        b"content-encoding",
        b"date",
        b"location",
        b"retry-after",
        b"warning",
        b"x-ratelimit-limit",
        b"x-ratelimit-remaining",
        *CACHE_HEADERS,
    }
)


def decode(response: RawResponse, elapsed_s: float, wall_s: float, mask: SecretMask) -> Reply:
    """What an answer says, without the token; ``is_json`` is False where its body is not to be read.

    httpx.DecodingError where its packing is damaged, or hides more than an answer may hold.
    """
    headers = _headers(response)
    packing = ",".join(headers.get(b"content-encoding", ()))
    if packing and not response.body and 200 <= response.status < 300 and response.status != 204:
        raise httpx.DecodingError("the answer is packed, and nothing of it came")
    content = decompress(response.body, packing, MAX_BODY)
    body, is_json = _json(content)
    if is_json and mask.may_be_in(content):
        body = mask.json(body)
    location = _last(headers, b"location")
    now_s = _moment(_last(headers, b"date"), wall_s)
    waits = [wait for text in headers.get(b"retry-after", ()) if (wait := retry_after(text, now_s)) is not None]
    return Reply(
        status=response.status,
        body=body,
        is_json=is_json,
        wait_s=max(waits, default=None),
        location=None if location is None else mask.text(location),
        text="" if is_json else mask.text(_shown(content[:MAX_SHOWN]))[:200],
        limit=_whole(_last(headers, b"x-ratelimit-limit")),
        remaining=_whole(_last(headers, b"x-ratelimit-remaining")),
        elapsed_s=elapsed_s,
        from_cache=_is_from_cache(headers),
        shared=response.shared,
    )


def _shown(content: bytes) -> str:
    """What is no JSON as text, for messages."""
    return content.decode(json.detect_encoding(content), "replace")


def _headers(response: RawResponse) -> dict[bytes, list[str]]:
    """The headers that the program reads, by lower-case name, each as often as it stands there."""
    found: dict[bytes, list[str]] = {}
    for name, value in response.headers:
        lower = name.lower()
        if lower in HEADERS_READ:
            found.setdefault(lower, []).append(value.decode("latin-1"))
    return found


def _last(headers: dict[bytes, list[str]], name: bytes) -> str | None:
    return headers[name][-1] if name in headers else None


def _is_from_cache(headers: dict[bytes, list[str]]) -> bool:
    """Whether a cache says that it has answered, and not the service."""
    if b"age" in headers or any(map(_STALE.search, headers.get(b"warning", ()))):
        return True
    return any(_KEPT.search(text) for name in CACHE_HEADERS for text in headers.get(name, ()))


def _json(content: bytes) -> tuple[Json, bool]:
    """The JSON value, and whether there is one that may be kept."""
    try:
        text = content.decode(json.detect_encoding(content), "surrogatepass")
        nested = text.count("[") + text.count("{")
        # A value takes two characters, but up to sixty bytes of memory.
        if not content or (len(text) > 2 * MAX_VALUES and nested + text.count(",") > MAX_VALUES):
            return None, False
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None, False
    if nested > MAX_DEPTH and _is_deep(body):
        return None, False
    if "\\ud" in text or "\\uD" in text or not (text.isascii() or _is_whole(text)):
        body = _whole_text(body)
    return body, True


def _is_deep(body: Json) -> bool:
    """Whether lists and objects are nested so deep that writing them down may fail where reading did not."""
    level = [body] if type(body) in (dict, list) else []
    for _ in range(MAX_DEPTH):
        # Every value of every page passes here; the decoder makes nothing but these very types.
        level = [
            value
            for item in level
            for value in (item.values() if type(item) is dict else item)
            if type(value) is dict or type(value) is list
        ]
        if not level:
            return False
    return True


def _is_whole(text: str) -> bool:
    """Whether text can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _whole_text(value: Json) -> Json:
    """``value`` with lone surrogates, which no file and no database takes, replaced."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [_whole_text(item) for item in value]
        case dict():
            return {_whole_text(key): _whole_text(item) for key, item in value.items()}
        case _:
            return value


def retry_after(text: str | None, now_s: float) -> float | None:
    """Seconds that a Retry-After header asks for: a number, rounded up, or a date; None where it says nothing."""
    if text is None:
        return None
    text = text.strip()
    if _NUMBER.fullmatch(text):
        seconds = float(text)
        return math.ceil(seconds) if math.isfinite(seconds) else seconds
    moment = _date(text)
    return None if moment is None else max(0.0, moment - now_s)


def _moment(date: str | None, wall_s: float) -> float:
    """The time by the service's own clock where it tells it; else ``wall_s``, by this machine's."""
    moment = _date(date) if date else None
    return wall_s if moment is None else moment


def _date(text: str) -> float | None:
    """Seconds since the epoch of an HTTP date in any of its three forms, or of ISO 8601; None for anything else.

    A date without a zone is UTC, as RFC 9110 has it of the form of ``asctime``.
    """
    for parse in (email.utils.parsedate_to_datetime, datetime.fromisoformat):
        with suppress(ValueError, TypeError, OverflowError):
            moment = parse(text.strip())
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None


def _whole(text: str | None) -> int | None:
    found = (text or "").strip()
    return int(found) if found.isascii() and found.isdigit() and len(found) < 12 else None
