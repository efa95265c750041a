"""The room of httpx: requests in, answers or losses out.

Only what cannot have reached the server is called *not sent*; every other exception after the hand-over
to httpx, of whatever kind, is *maybe applied*.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import json
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Self
from urllib.request import getproxies, proxy_bypass

import httpx

from piggy_batch import __version__
from piggy_batch.errors import SetupError
from piggy_batch.models import Answer, Json, Lost, Reply, Request

if TYPE_CHECKING:
    from pathlib import Path

PREFIX = "/api/v3/oauth/clients"
MAX_BODY = 32 * 1024 * 1024  # bytes, decoded; a page of 100 heavy contacts is about 1 MB
CONNECT_SHARE = 0.5  # of --timeout: a stalled connection must be told apart from a stalled answer
DEEPEST = 400  # lists and objects inside each other; writing them down fails near 1,000, and real answers have five
KNOWN_URLS = 64  # parsed addresses kept; most requests share a few
TOLD = frozenset({b"date", b"retry-after", b"location", b"x-ratelimit-limit", b"x-ratelimit-remaining"})
KEEP_S = 4.0  # idle connections are closed before a server does it: a request on a dying one is in doubt
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


Transport = Callable[[], httpx.AsyncBaseTransport]


@dataclass(frozen=True, slots=True)
class Target:
    """Which service, as whom. ``repr`` hides the token."""

    base_url: str
    token: str
    ca_file: Path | None = None

    def __repr__(self) -> str:
        return f"Target(base_url={self.base_url!r}, token=…)"

    @property
    def loopback(self) -> bool:
        """Whether the service is on this machine."""
        host = httpx.URL(self.base_url).host
        if host == "localhost":
            return True
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return False


def make_target(base_url: str, token: str, ca_file: Path | None = None) -> Target:
    """Check address and token; SetupError where one cannot be used."""
    try:
        url = httpx.URL(base_url.rstrip("/"))
    except httpx.InvalidURL as error:
        raise SetupError(f"--base-url {base_url!r} is no address: {error}") from None
    if url.scheme not in {"https", "http"} or not url.host:
        raise SetupError(f"--base-url {base_url!r} is no address; write it as https://api.piggy.eu")
    if url.userinfo or url.query or url.fragment:
        raise SetupError("--base-url must be only a scheme, a host and perhaps a port: no user, query or fragment")
    target = Target(str(url).rstrip("/"), token, ca_file)
    if url.scheme != "https" and not target.loopback:
        raise SetupError(f"--base-url {base_url} is not https, so the token could be read on the way; use https")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise SetupError("the token holds characters that no token has; copy it again, without line breaks")
    return target


class Api:
    """One service, one token; each worker sends through a connection of its own (a shared pool is O(n)).

    Requests go straight to httpx's transport: what its client adds (cookies, redirects, authentication, merged
    headers) is not wanted here, and is a fifth of a request's CPU time. ``transport``: made once for each
    connection, for tests. ``departs`` is called as each request is handed over. Close it with ``async with``.
    """

    def __init__(
        self,
        target: Target,
        *,
        timeout_s: float = 30.0,
        transport: Transport | None = None,
        wall: Callable[[], float] = time.time,
        departs: Callable[[], None] = lambda: None,
    ) -> None:
        self.target = target
        self.timeout_s = timeout_s
        self._wall = wall
        self._departs = departs
        self._make = transport or self._connection
        self._transports: dict[int, httpx.AsyncBaseTransport] = {}
        self._ssl: ssl.SSLContext | None = None
        self._prefix = f"{target.base_url}{PREFIX}"
        self._urls: dict[str, httpx.URL] = {}
        self._headers = httpx.Headers(
            {
                "Host": httpx.URL(target.base_url).netloc.decode("ascii"),
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
                "Connection": "keep-alive",
                "User-Agent": f"piggy-batch/{__version__}",
                "Authorization": f"Bearer {target.token}",
            }
        )
        self._headers_with_body = httpx.Headers([*self._headers.raw, (b"Content-Type", b"application/json")])
        connect_s = min(10.0, timeout_s * CONNECT_SHARE)
        # The whole request is bounded by ``send``; httpx's own bounds begin anew with every chunk.
        self._timeouts = httpx.Timeout(None, connect=connect_s, pool=connect_s).as_dict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()

    @property
    def proxy(self) -> str | None:
        """The proxy that the environment asks for, without its password; None: none."""
        found = self._proxy()
        if not found:
            return None
        try:
            return str(httpx.URL(found).copy_with(userinfo=b""))
        except httpx.InvalidURL:
            raise self._bad_proxy() from None

    def _bad_proxy(self) -> SetupError:
        name = httpx.URL(self.target.base_url).scheme.upper()
        return SetupError(
            f"the proxy that {name}_PROXY or ALL_PROXY names cannot be used; name one as http://host:port, or except "
            "the service with NO_PROXY"
        )

    def _proxy(self) -> str | None:
        url = httpx.URL(self.target.base_url)
        if self.target.loopback or proxy_bypass(url.host):
            return None
        known = getproxies()
        found = known.get(url.scheme) or known.get("all")
        return f"http://{found}" if found and "://" not in found else found

    async def send(self, request: Request, slot: int, turn: Callable[[], Awaitable[bool]]) -> Answer | None:
        """Send one request when ``turn`` says so, and wait for the whole answer.

        ``timeout_s`` counts from the departure. None: ``turn`` said no, and nothing has left.
        """
        transport = self._transport(slot)
        try:
            built = self._build(request)
        except (ValueError, httpx.InvalidURL) as error:  # text that no request can hold, as half a surrogate pair
            return Lost(_describe(error), sent=False)
        if not await turn():
            return None
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout_at(started + self.timeout_s):
                self._departs()
                response = await transport.handle_async_request(built)
                content = await _content(response)
        except NOT_SENT as error:
            return Lost(_describe(error), sent=False)
        except TimeoutError:
            return Lost(f"no whole answer within {self.timeout_s:g} s", sent=True)
        except Exception as error:  # noqa: BLE001 - whatever went wrong after the hand-over, it may be applied
            return Lost(_describe(error), sent=True)
        finally:
            if _has_surplus(transport):
                await self._drop(slot)
        if content is None:
            return Lost(f"the answer is larger than {MAX_BODY // 1024 // 1024} MiB", sent=True)
        return _reply(response, content, loop.time() - started, self._wall())

    def _build(self, request: Request) -> httpx.Request:
        body = request.body
        return httpx.Request(
            request.method,
            self._url(request),
            content=None if body is None else _encode(body),
            headers=self._headers if body is None else self._headers_with_body,
            extensions={"timeout": self._timeouts},
        )

    def _url(self, request: Request) -> httpx.URL:
        """The address; those without a query are few, and parsing one is slow."""
        url = self._urls.get(request.path)
        if url is None:
            url = httpx.URL(f"{self._prefix}/{request.path}" if request.path else self._prefix)
            if len(self._urls) < KNOWN_URLS:
                self._urls[request.path] = url
        # Joined as text, because adding ``params`` to an address parses it three times.
        return httpx.URL(f"{url}?{httpx.QueryParams(request.query)}") if request.query else url

    def _transport(self, slot: int) -> httpx.AsyncBaseTransport:
        transport = self._transports.get(slot)
        if transport is None:
            transport = self._transports[slot] = self._make()
        return transport

    async def _drop(self, slot: int) -> None:
        """Close a slot's connection; the next request makes a new one.

        What is surplus belongs to no request (RFC 9112, 9.2), and the next row would take it for its own answer. The
        answer before it stands: nothing was waiting when its request left, and answers come in the order of requests.
        """
        transport = self._transports.pop(slot, None)
        if transport is not None:
            with contextlib.suppress(Exception):  # trouble with closing says nothing of the answer
                await transport.aclose()

    def _connection(self) -> httpx.AsyncHTTPTransport:
        context = self._context()
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_S)
        try:
            return httpx.AsyncHTTPTransport(verify=context, limits=limits, proxy=self._proxy())
        except (ValueError, ImportError, httpx.InvalidURL):  # another kind of proxy, or no address at all
            raise self._bad_proxy() from None

    def _context(self) -> ssl.SSLContext:
        """One context for all connections: making one takes tens of milliseconds."""
        if self._ssl is None:
            try:
                if self.target.ca_file is not None:
                    self._ssl = ssl.create_default_context(cafile=str(self.target.ca_file))
                else:
                    self._ssl = httpx.create_ssl_context(trust_env=True)
            except (OSError, ssl.SSLError) as error:
                raise SetupError(f"--ca-file {self.target.ca_file}: {error}; give a file of PEM certificates") from None
        return self._ssl


def _has_surplus(transport: httpx.AsyncBaseTransport) -> bool:
    """Whether more has come in than the answer that was read.

    httpcore replaces an idle connection whose socket has something to read; what h11, TLS or anyio have taken out of
    the socket already it does not see. None of them has a public way to ask: what is not there counts as empty.
    """
    connections = _reach(transport, "_pool", "connections")
    for connection in connections if isinstance(connections, list) else ():
        while connection is not None and not hasattr(connection, "_h11_state"):
            connection = _reach(connection, "_connection")  # a pool's, and then a proxy's, holds the real one
        trailing = _reach(connection, "_h11_state", "trailing_data")
        if isinstance(trailing, tuple) and any(trailing[:1]):
            return True
        stream = _reach(connection, "_network_stream", "_stream")
        while stream is not None:
            if _reach(stream, "_read_bio", "pending") or _reach(stream, "_protocol", "read_queue"):
                return True
            stream = _reach(stream, "transport_stream")  # what is under TLS
    return False


def _reach(thing: object, *names: str) -> Any:
    for name in names:
        thing = getattr(thing, name, None)
    return thing


def _encode(body: Mapping[str, Json]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


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


def _describe(error: BaseException) -> str:
    words = str(error).strip()
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def read_token(token_file: Path | None) -> str:
    """The token, from ``PIGGY_TOKEN`` or the token file; SetupError where there is none."""
    text = os.environ.get("PIGGY_TOKEN", "").strip()
    if token_file is not None:
        try:
            text = token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise SetupError(f"--token-file {token_file}: {why}") from None
        if not text:
            raise SetupError(f"--token-file {token_file} is empty; put the token in it")
    if not text:
        raise SetupError("no token: set PIGGY_TOKEN, or name a file with --token-file")
    return text
