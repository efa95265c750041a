"""Requests over one connection at a time, which is made anew where the last one can carry no more.

``open_transport`` chooses: a connection of our own, directly or through an HTTP proxy; httpx's transport for any other
proxy (SOCKS, or one that is itself spoken to over TLS). Of that one's connections nobody can say what has come
unasked, so each carries one request.
"""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Protocol, cast

import httpx

from piggy_batch.client.connection import (
    MAX_BODY,
    TOO_LARGE,
    Connection,
    Endpoint,
    Proxy,
    RawRequest,
    RawResponse,
    connect,
)

if TYPE_CHECKING:
    import ssl

KEEP_S = 4.0  # idle connections are closed before a server does it: a request on a dying one is in doubt


class Transport(Protocol):
    """What the client sends through, one request at a time."""

    async def exchange(self, request: RawRequest, connect_s: float | None) -> RawResponse:
        """Send one request and wait for the whole answer. Errors are httpx's: see ``NOT_SENT`` in the client."""

    async def aclose(self) -> None:
        """Close what is open."""


class HttpTransport(httpx.AsyncBaseTransport):
    """One connection to one service, for one worker."""

    def __init__(self, endpoint: Endpoint, *, keep_s: float = KEEP_S) -> None:
        self._endpoint = endpoint
        self._keep_s = keep_s
        self._connection: Connection | None = None
        self._is_busy = False
        self._through: Proxy | None = endpoint.proxy if endpoint.tls is None else None

    async def exchange(self, request: RawRequest, connect_s: float | None = None) -> RawResponse:
        """Send one request and wait for the whole answer; connecting takes at most ``connect_s``."""
        if self._is_busy:
            raise httpx.PoolTimeout("the connection is in use")
        if self._through is not None:
            target = f"http://{self._endpoint.authority}{request.target}"
            request = request._replace(target=target, headers=(*request.headers, *self._through.headers))
        self._is_busy = True
        try:
            before = self._connection
            connection = await self._ready(connect_s, alone=request.alone)
            response = await connection.exchange(request)
            return response._replace(shared=True) if connection is before else response
        finally:
            self._is_busy = False

    async def _ready(self, connect_s: float | None, *, alone: bool) -> Connection:
        """A connection over which a request may be sent at this moment. ``alone``: a new one."""
        connection = self._connection
        if connection is not None:
            idle_s = asyncio.get_running_loop().time() - connection.idle_since
            if not alone and idle_s < self._keep_s and await connection.is_quiet():
                return connection
            connection.close()
        self._connection = None
        self._connection = await connect(self._endpoint, connect_s)
        return self._connection

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As ``exchange``, in httpx's terms; the whole answer is in memory when it returns."""
        url = request.url
        if _place(url) != (self._endpoint.host, self._endpoint.port, self._endpoint.tls is not None):
            raise httpx.UnsupportedProtocol(f"this connection leads to {self._endpoint.authority} and nowhere else")
        raw = RawRequest(
            request.method, url.raw_path.decode("ascii"), tuple(request.headers.raw), await request.aread()
        )
        response = await self.exchange(raw, request.extensions.get("timeout", {}).get("connect"))
        return httpx.Response(response.status, headers=response.headers, stream=httpx.ByteStream(response.body))

    async def aclose(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            await asyncio.sleep(0)  # in which the loop closes the socket


class HttpxTransport:
    """Any transport of httpx, for requests to the service at ``url``."""

    def __init__(self, transport: httpx.AsyncBaseTransport, url: httpx.URL) -> None:
        self._transport = transport
        self._origin = f"{url.scheme}://{url.netloc.decode('ascii')}"

    async def exchange(self, request: RawRequest, connect_s: float | None) -> RawResponse:
        """Send one request and read the whole answer."""
        response = await self._transport.handle_async_request(
            httpx.Request(
                request.method,
                self._origin + request.target,
                headers=list(request.headers),
                content=request.body or None,
                # The whole request is bounded by who sends it; httpx's own bounds begin anew with every chunk.
                extensions={"timeout": httpx.Timeout(None, connect=connect_s, pool=connect_s).as_dict()},
            )
        )
        body = bytearray()
        try:
            async for chunk in cast("httpx.AsyncByteStream", response.stream):
                body += chunk
                if len(body) > MAX_BODY:
                    raise httpx.RemoteProtocolError(TOO_LARGE)
        finally:
            await response.aclose()
        return RawResponse(response.status_code, response.headers.raw, bytes(body))

    async def aclose(self) -> None:
        """Close what httpx keeps open."""
        await self._transport.aclose()


def open_transport(url: httpx.URL, context: ssl.SSLContext, proxy: httpx.Proxy | None) -> Transport:
    """The transport of one worker to the service at ``url``. ImportError: a SOCKS proxy without its module."""
    if proxy is not None and proxy.url.scheme != "http":
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=0)
        return HttpxTransport(httpx.AsyncHTTPTransport(verify=context, limits=limits, proxy=proxy), url)
    host, port, is_secure = _place(url)
    return HttpTransport(Endpoint(host, port, context if is_secure else None, None if proxy is None else _own(proxy)))


def _own(proxy: httpx.Proxy) -> Proxy:
    host, port, _ = _place(proxy.url)
    if proxy.raw_auth is None:
        return Proxy(host, port)
    return Proxy(host, port, b"Basic " + base64.b64encode(b":".join(proxy.raw_auth)))


def _place(url: httpx.URL) -> tuple[str, int, bool]:
    """Host, port, and whether over TLS."""
    is_secure = url.scheme == "https"
    return url.raw_host.decode("ascii"), url.port or (443 if is_secure else 80), is_secure
