"""The room of httpx: requests in, answers or losses out.

Only what cannot have reached the server is called *not sent*; every other exception after the hand-over
to httpx, of whatever kind, is *maybe applied*.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.request import getproxies, proxy_bypass

import httpx

from piggy_batch import __version__
from piggy_batch.client.decoding import MAX_BODY, _content, _reply
from piggy_batch.errors import SetupError
from piggy_batch.models import Answer, Json, Lost, Request

if TYPE_CHECKING:
    from piggy_batch.client.target import Target


PREFIX = "/api/v3/oauth/clients"
CONNECT_SHARE = 0.5  # of --timeout: a stalled connection must be told apart from a stalled answer
KNOWN_URLS = 64  # parsed addresses kept; most requests share a few
KEEP_S = 4.0  # idle connections are closed before a server does it: a request on a dying one is in doubt
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
Transport = Callable[[], httpx.AsyncBaseTransport]


class HttpClient:
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
        on_sent: Callable[[], None] = lambda: None,
    ) -> None:
        self.target = target
        self.timeout_s = timeout_s
        self._wall = wall
        self._on_sent = on_sent
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
                self._on_sent()
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


def _describe(error: BaseException) -> str:
    words = str(error).strip()
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
