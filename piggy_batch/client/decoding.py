"""From the bytes and headers of an answer to a reply."""

from __future__ import annotations

import email.utils
import json
from typing import TYPE_CHECKING

from piggy_batch.models import Json, Reply

if TYPE_CHECKING:
    import httpx


MAX_BODY = 32 * 1024 * 1024  # bytes, decoded; a page of 100 heavy contacts is about 1 MB
DEEPEST = 400  # lists and objects inside each other; writing them down fails near 1,000, and real answers have five
TOLD = frozenset({b"date", b"retry-after", b"location", b"x-ratelimit-limit", b"x-ratelimit-remaining"})


async def _content(response: httpx.Response) -> bytes | None:
    """The whole body, decoded; None where it is larger than any answer may be."""
    chunks: list[bytes] = []
    size = 0
    if "," in response.headers.get("content-encoding", ""):  # a few bytes may unpack to any number at once
        await response.aclose()
        raise ValueError("the answer is packed more than once")
    try:
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > MAX_BODY:
                return None
            chunks.append(chunk)
    finally:
        await response.aclose()
    return b"".join(chunks)


def _reply(response: httpx.Response, content: bytes, elapsed_s: float, wall_s: float) -> Reply:
    try:
        text = content.decode(json.detect_encoding(content), "surrogatepass")
        body = json.loads(text) if content else None
        is_json = bool(content)
        if "\\ud" in text or "\\uD" in text or not (text.isascii() or _is_whole(text)):
            body = _whole_text(body)
        if text.count("[") + text.count("{") > DEEPEST and _is_deep(body):
            body, is_json = None, False
    except (ValueError, RecursionError):
        body, is_json = None, False
    headers = _told(response)
    return Reply(
        status=response.status_code,
        body=body,
        is_json=is_json,
        wait_s=retry_after(headers.get(b"retry-after"), _moment(headers.get(b"date"), wall_s)),
        location=headers.get(b"location"),
        text="" if is_json else content[:200].decode("utf-8", "replace"),
        limit=_whole(headers.get(b"x-ratelimit-limit")),
        remaining=_whole(headers.get(b"x-ratelimit-remaining")),
        elapsed_s=elapsed_s,
    )


def _told(response: httpx.Response) -> dict[bytes, str]:
    """The headers that the program reads, by lower-case name."""
    found = ((name.lower(), value) for name, value in response.headers.raw)
    return {name: value.decode("latin-1") for name, value in found if name in TOLD}


def _is_deep(body: Json) -> bool:
    """Whether lists and objects are nested so deep that writing them down may fail where reading did not."""
    level = [body] if type(body) in (dict, list) else []
    for _ in range(DEEPEST):
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
    """Seconds that a Retry-After header asks for: a number or an HTTP date; None where it says nothing."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now_s)
    except (ValueError, TypeError, OverflowError):
        return None


def _moment(date: str | None, wall_s: float) -> float:
    """The time by the service's own clock where it tells it; else ``wall_s``, by this machine's."""
    try:
        return email.utils.parsedate_to_datetime(date).timestamp() if date else wall_s
    except (ValueError, TypeError, OverflowError):
        return wall_s


def _whole(text: str | None) -> int | None:
    found = (text or "").strip()
    return int(found) if found.isascii() and found.isdigit() and len(found) < 12 else None
