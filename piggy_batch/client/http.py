"""Requests in, answers or losses out.

Only what cannot have reached the server is called *not sent*; every other exception after the hand-over to the
transport, of whatever kind, is *maybe applied*.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Self
from urllib.request import getproxies, proxy_bypass

import httpx

from piggy_batch import __version__
from piggy_batch.client.compression import ACCEPTED
from piggy_batch.client.connection import RawRequest
from piggy_batch.client.decoding import decode
from piggy_batch.client.secret_mask import SecretMask
from piggy_batch.client.transport import HttpTransport, HttpxTransport, Transport, open_transport
from piggy_batch.errors import SetupError
from piggy_batch.models import Answer, Json, Lost, Request

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.client.target import Target


PREFIX = "/api/v3/oauth/clients"
CONNECT_SHARE = 0.5  # of --timeout: a stalled connection must be told apart from a stalled answer
KNOWN_PATHS = 64  # checked paths kept; most requests share a few
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
NO_FILES = (errno.EMFILE, errno.ENFILE)  # this program's limit is reached, or the machine's
LATE_S = 0.05  # by which a timer is late where the program stood still, or had no processor
STALL_S = 1.0  # from which on that is told
GRACE_S = 2.0  # in which an answer that came meanwhile is read
CHECK_S = 0.001  # before the end of a request's time
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
TransportFactory = Callable[[], httpx.AsyncBaseTransport]


class HttpClient:
    """One service, one token; each worker sends through a connection of its own (a shared pool is O(n)), or through a
    new one for each request that must be alone on it.

    What httpx's client adds (cookies, redirects, authentication, merged headers) is not wanted here. ``transport``:
    made once for each connection, for tests. ``on_sent`` is called as each request is handed over, ``on_response``
    with each request, what became of it and the seconds that took, ``on_stall`` where this program stood still so long
    that answers may have come meanwhile, with the seconds at least. Close it with ``async with``.
    """

    def __init__(
        self,
        target: Target,
        *,
        timeout_s: float = 30.0,
        transport: TransportFactory | None = None,
        wall: Callable[[], float] = time.time,
        on_sent: Callable[[], None] = lambda: None,
        on_response: Callable[[Request, Answer, float], None] = lambda *_: None,
        on_stall: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.target = target
        self.timeout_s = timeout_s
        self._connect_s = min(10.0, timeout_s * CONNECT_SHARE)
        self._wall = wall
        self._on_sent = on_sent
        self._on_response = on_response
        self._on_stall = on_stall
        self._stall_told_until = float("-inf")
        self._factory = transport
        self._transports: dict[int, Transport] = {}
        self._ssl: ssl.SSLContext | None = None
        self._mask = SecretMask(target.token)
        self._base = httpx.URL(target.base_url)
        self._paths: dict[str, str] = {}
        self._headers = (
            (b"Host", self._base.netloc),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", ACCEPTED.encode()),
            (b"Cache-Control", b"no-cache"),
            (b"Connection", b"keep-alive"),
            (b"User-Agent", f"piggy-batch/{__version__}".encode()),
            (b"Authorization", f"Bearer {target.token}".encode()),
        )
        self._headers_with_body = (*self._headers, (b"Content-Type", b"application/json"))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; what is sent later makes new ones."""
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
        name = self._base.scheme.upper()
        return SetupError(
            f"the proxy that {name}_PROXY or ALL_PROXY names cannot be used; name one as http://host:port, or except "
            "the service with NO_PROXY"
        )

    def _proxy(self) -> str | None:
        url = self._base
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
        answer = await self._exchange(transport, built, loop, started)
        self._on_response(request, answer, loop.time() - started)
        return answer

    async def _exchange(
        self, transport: Transport, built: RawRequest, loop: asyncio.AbstractEventLoop, started: float
    ) -> Answer:
        deadline = started + self.timeout_s
        try:
            async with asyncio.timeout_at(deadline) as bound:
                check = loop.call_at(deadline - CHECK_S, self._spare_after_stall, loop, deadline, bound)
                try:
                    self._on_sent()
                    response = await transport.exchange(built, self._connect_s)
                finally:
                    check.cancel()
            return decode(response, loop.time() - started, self._wall(), self._mask)
        except NOT_SENT as error:
            return Lost(self._mask.text(_describe(error)), sent=False, is_local=_lacks_files(error))
        except TimeoutError:
            return Lost(f"no whole answer within {self.timeout_s:g} s", sent=True)
        except Exception as error:  # noqa: BLE001 - whatever went wrong after the hand-over, it may be applied
            return Lost(self._mask.text(_describe(error)), sent=True)

    def _spare_after_stall(self, loop: asyncio.AbstractEventLoop, deadline: float, bound: asyncio.Timeout) -> None:
        """Just before a request's time is over: where this program stood still, by SIGSTOP or because the machine
        slept, the answer may have come meanwhile, and gets a moment to be read."""
        now = loop.time()
        late_s = now - deadline
        if late_s < LATE_S:
            return
        bound.reschedule(now + GRACE_S)
        if late_s >= STALL_S and now >= self._stall_told_until:
            self._stall_told_until = now + GRACE_S
            self._on_stall(late_s)

    def _build(self, request: Request) -> RawRequest:
        target = self._path(request.path)
        if request.query:
            target += f"?{httpx.QueryParams(request.query)}"
        if request.body is None:
            return RawRequest(request.method, target, self._headers, alone=request.alone)
        body = _encode(request.body)
        headers = (*self._headers_with_body, (b"Content-Length", b"%d" % len(body)))
        return RawRequest(request.method, target, headers, body, request.alone)

    def _path(self, path: str) -> str:
        """The path below the service's host, as it goes over the wire; checking one is slow, and they are few."""
        found = self._paths.get(path)
        if found is None:
            below = f"{PREFIX}/{path}" if path else PREFIX
            found = httpx.URL(f"{self.target.base_url}{below}").raw_path.decode("ascii")
            if len(self._paths) < KNOWN_PATHS:
                self._paths[path] = found
        return found

    def _transport(self, slot: int) -> Transport:
        transport = self._transports.get(slot)
        if transport is None:
            transport = self._transports[slot] = self._open_transport()
        return transport

    def _open_transport(self) -> Transport:
        if self._factory is not None:
            given = self._factory()
            return given if isinstance(given, HttpTransport) else HttpxTransport(given, self._base)
        context = self._context()
        try:
            found = self._proxy()
            return open_transport(self._base, context, httpx.Proxy(found) if found else None)
        except (ValueError, ImportError, httpx.InvalidURL):  # another kind of proxy, or no address at all
            raise self._bad_proxy() from None

    def _context(self) -> ssl.SSLContext:
        """One context for all connections: making one takes tens of milliseconds."""
        if self._ssl is None and self._base.scheme == "http":  # a service on this machine, without a proxy
            self._ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self._ssl is None:
            try:
                if self.target.ca_file is not None:
                    self._ssl = ssl.create_default_context(cafile=str(self.target.ca_file))
                else:
                    self._ssl = httpx.create_ssl_context(trust_env=True)
                self._ssl.set_alpn_protocols(["http/1.1"])
            except (OSError, ssl.SSLError) as error:
                raise _bad_certificates(self.target.ca_file, error) from None
        return self._ssl


def _bad_certificates(ca_file: Path | None, error: OSError) -> SetupError:
    """Names what named the certificates that cannot be read."""
    named = os.environ.get("SSL_CERT_FILE")
    if ca_file is not None and not os.access(ca_file, os.F_OK):  # not repeated: it may be a token in the wrong place
        return SetupError("--ca-file: there is no such file; give a file of PEM certificates")
    if ca_file is not None:
        return SetupError(f"--ca-file {ca_file}: {error}; give a file of PEM certificates")
    if named:
        return SetupError(f"SSL_CERT_FILE={named}: {error}; give a file of PEM certificates, or unset SSL_CERT_FILE")
    return SetupError(f"the certificates that this machine trusts cannot be read: {error}; name some with --ca-file")


def _lacks_files(error: BaseException) -> bool:
    """Whether a connection failed because this program may open no more files, or the machine has no more.

    Asked of the machine too: a look-up of a name that fails for this reason names another.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in NO_FILES:
            return True
        cause = cause.__cause__
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as found:
        return found.errno in NO_FILES
    return False


def _encode(body: Mapping[str, Json]) -> bytes:
    return _JSON.encode(body).encode("utf-8", "surrogatepass")


def describe_exchange(request: Request, answer: Answer, elapsed_s: float) -> str:
    """One request: method, path, status or what was lost, seconds. Of the path only what the service calls its
    own things: no query, and an ellipsis for whatever names a card or a person."""
    path = "/".join(part if _word(part) else "…" for part in request.path.split("/")) if request.path else ""
    ended = answer.reason if isinstance(answer, Lost) else str(answer.status)
    return f"{request.method} /{path} {ended} {elapsed_s:.3f} s"


def _word(part: str) -> bool:
    return part.isascii() and part.islower() and part.replace("-", "").isalpha()


def _describe(error: BaseException) -> str:
    words = str(error).strip()
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
