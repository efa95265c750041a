"""One HTTP/1.1 connection, on asyncio's sockets and h11: every byte out or in passes through here.

*Not sent* means that no byte of the request was given to the socket (over TLS: no application byte). Until then every
error is ``httpx.ConnectError`` or ``httpx.ConnectTimeout``; from then on it is another of httpx's, and the request may
have been applied. Nothing is sent twice.

What a server says without being asked is nobody's answer, and its connection is closed for good. It is noticed behind
an answer, in the same segment or a later one; while the connection is idle; just before the next request is written;
and where an answer begins before the server's machine has acknowledged the whole request (on Linux; elsewhere: before
the socket has taken it). What cannot be noticed: bytes that nobody asked for which leave the server after the request
has reached its machine. They are taken for the answer, unless the request is the first that the connection carries:
then nobody else's answer can come over it.
"""

from __future__ import annotations

import asyncio
import fcntl
import functools
import select
import ssl
import struct
import termios
from dataclasses import dataclass
from typing import NamedTuple, cast

import h11
import httpx

from piggy_batch.client.tls import TlsEngine

MAX_HEAD = 100 * 1024  # bytes of an answer's status line and headers
MAX_BODY = 32 * 1024 * 1024  # bytes of an answer's body, as it comes and unpacked; a page of 100 contacts is about 1 MB
TOO_LARGE = f"the answer is larger than {MAX_BODY // 1024 // 1024} MiB"
MAX_INTERIM = 100  # answers of the 1xx kind before the real one
SECOND_ADDRESS_S = 0.25  # after which the next address of a name is tried beside the first (RFC 8305)
KNOWN_HEADS = 64  # request heads kept; the rows of an import share a few

RawHeaders = tuple[tuple[bytes, bytes], ...]


class RawRequest(NamedTuple):
    """One request as it goes over the wire; the headers are complete, Host and Content-Length too."""

    method: str
    target: str  # path and query, percent-encoded
    headers: RawHeaders
    body: bytes = b""
    alone: bool = False  # over a connection that has carried no other


class RawResponse(NamedTuple):
    """One answer, whole; ``body`` is as it came, perhaps packed."""

    status: int
    headers: list[tuple[bytes, bytes]]  # names in any case
    body: bytes
    shared: bool = False  # it came over a connection that had carried another request before


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy, spoken to without TLS. ``authorization`` is a whole header value."""

    host: str
    port: int
    authorization: bytes | None = None

    def __repr__(self) -> str:
        return f"Proxy(host={self.host!r}, port={self.port})"

    @property
    def headers(self) -> RawHeaders:
        """What only the proxy is told."""
        return ((b"Proxy-Authorization", self.authorization),) if self.authorization else ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a connection leads. ``tls`` None: without TLS."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    proxy: Proxy | None = None

    @property
    def authority(self) -> str:
        """Host and port, as CONNECT names them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


async def connect(endpoint: Endpoint, timeout_s: float | None) -> Connection:
    """A connection on which nothing has been sent yet. ConnectError, ConnectTimeout."""
    try:
        async with asyncio.timeout(timeout_s):
            return await _connect(endpoint)
    except TimeoutError as error:
        raise httpx.ConnectTimeout(str(error) or f"no connection within {timeout_s:g} s") from None
    except (OSError, ValueError, httpx.TransportError) as error:  # ValueError: a name that no DNS label can hold
        raise httpx.ConnectError(_words(error)) from error


async def _connect(endpoint: Endpoint) -> Connection:
    nearest = endpoint.proxy or endpoint
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        Connection, nearest.host, nearest.port, happy_eyeballs_delay=SECOND_ADDRESS_S
    )
    try:
        if endpoint.tls is not None:
            if endpoint.proxy is not None:
                await connection.tunnel(endpoint.authority, endpoint.proxy)
            await connection.secure(endpoint.tls, endpoint.host)
        is_quiet = await connection.is_quiet()
    except BaseException:
        connection.abort()
        raise
    if not is_quiet:
        connection.abort()
        raise httpx.ConnectError("the server spoke or hung up before it was asked")
    return connection


class Connection(asyncio.Protocol):
    """For one request at a time. ``is_open``: another may be sent, if ``is_quiet`` says so just before."""

    def __init__(self) -> None:
        self.is_open = False
        self.idle_since = 0.0  # the loop's time
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._socket = -1  # the descriptor; closed once ``is_open`` is False
        self._readable = select.poll()
        self._tls: TlsEngine | None = None
        self._parser = h11.Connection(h11.CLIENT, MAX_HEAD)
        self._more: asyncio.Future[None] | None = None  # bytes for the TLS handshake
        self._answer: asyncio.Future[RawResponse] | None = None
        self._is_first = True  # the next bytes are the first since the request
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._interim = 0

    # --- what is asked of it

    async def tunnel(self, authority: str, proxy: Proxy) -> None:
        """Have the proxy connect to the service; what follows goes there."""
        headers = ((b"Host", authority.encode()), *proxy.headers)
        response = await self.exchange(RawRequest("CONNECT", authority, headers))
        if not 200 <= response.status < 300:
            advice = "; name its user and password in HTTPS_PROXY" if response.status == 407 else ""
            raise httpx.ConnectError(f"the proxy does not connect to {authority}: HTTP {response.status}{advice}")
        if not self.is_open:
            raise httpx.ConnectError("the proxy said more than it was asked")

    async def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Begin TLS; the server has to show a certificate for ``host``."""
        tls = self._tls = TlsEngine(context, host)
        try:
            while not tls.handshake():
                if not self.is_open:
                    raise httpx.ConnectError("the connection was closed during the TLS handshake")
                self._transport.write(tls.outgoing())
                self._more = self._loop.create_future()
                await self._more
        finally:
            self._more = None
            self._transport.write(tls.outgoing())  # the end of the handshake, or why there is none
        self._receive(tls.decrypt())  # what came with the end of the handshake

    async def is_quiet(self) -> bool:
        """Whether a request may be written, now: the connection is open, and nothing has come unasked."""
        if self.is_open and self._readable.poll(0):
            # The loop reads it first: over TLS it may be a session ticket. It asks the sockets once a turn, and in
            # that turn this task may come before them.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return self.is_open and not self._readable.poll(0)
        return self.is_open

    async def exchange(self, request: RawRequest) -> RawResponse:
        """Send a request and wait for the whole answer. Where that does not come, the connection is closed."""
        if not self.is_open:
            raise httpx.ConnectError("the connection is closed")
        data = self._encode(request)
        answer: asyncio.Future[RawResponse] = self._loop.create_future()
        try:
            self._answer = answer
            self._is_first = True
            self._transport.write(data)  # from here on the request may be applied
            return await answer
        finally:
            self._answer = None
            if not answer.done() or answer.cancelled():  # whoever asked was interrupted
                answer.cancel()
                self.abort()

    def close(self) -> None:
        """Close it, in order where that takes no waiting."""
        if self.is_open and self._tls is not None:
            self._transport.write(self._tls.farewell())
        self.is_open = False
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def abort(self) -> None:
        """Close it at once."""
        self.is_open = False
        self._transport.abort()

    def _encode(self, request: RawRequest) -> bytes:
        parser = self._parser
        try:
            data = parser.send(_head(request.method, request.target, request.headers))
            if request.body:
                data += parser.send(h11.Data(request.body))
            data += parser.send(h11.EndOfMessage())
            return data if self._tls is None else self._tls.encrypt(data)
        except (h11.LocalProtocolError, ssl.SSLError) as error:
            self.abort()
            raise httpx.ConnectError(f"the request cannot be written: {_words(error)}") from error

    # --- what asyncio tells it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._socket = transport.get_extra_info("socket").fileno()
        self._readable.register(self._socket, select.POLLIN)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Bytes have come over the socket."""
        tls = self._tls
        if tls is None:
            self._receive(data)
            return
        tls.feed(data)
        if self._more is not None:
            if not self._more.done():
                self._more.set_result(None)
            return
        try:
            self._receive(tls.decrypt())
        except ssl.SSLError as error:
            self._fail(httpx.ReadError(str(error)))
            return
        self._transport.write(tls.outgoing())
        if tls.is_closed:
            self._end()

    def eof_received(self) -> None:
        """The server sends nothing more."""
        if self._tls is None:
            self._end()
        else:
            self.data_received(b"")  # TLS tells an end that the server meant from one that somebody else made

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is closed."""
        self._fail(httpx.ReadError("the connection is closed" if error is None else _words(error)))

    # --- what comes in

    def _receive(self, data: bytes) -> None:
        answer = self._answer
        if not data:
            return
        if answer is None or answer.done():
            self.abort()  # nobody asked
        elif self._is_first and (self._transport.get_write_buffer_size() or _unacknowledged(self._socket)):
            self._fail(httpx.RemoteProtocolError("an answer came before the whole request was there: it is another's"))
        else:
            self._is_first = False
            self._parser.receive_data(data)
            self._parse(answer)

    def _end(self) -> None:
        """Nothing more comes. An answer may end so."""
        answer = self._answer
        if answer is None or answer.done():
            self.close()
        elif self._is_first:
            self._fail(httpx.RemoteProtocolError("the server closed the connection without an answer"))
        elif not self._body and 200 <= self._status < 300:  # only this end would say that the answer is whole
            self._fail(httpx.RemoteProtocolError("the server closed the connection before the answer's body"))
        else:
            self._parser.receive_data(b"")
            self._parse(answer)
            self.close()

    def _parse(self, answer: asyncio.Future[RawResponse]) -> None:
        wrong = ""
        try:
            while not wrong and (event := self._parser.next_event()) is not h11.NEED_DATA:
                match event:
                    case h11.Data():
                        self._body += event.data
                        if len(self._body) > MAX_BODY:
                            wrong = TOO_LARGE
                    case h11.Response():
                        self._status, self._headers = event.status_code, event.headers.raw_items()
                    case h11.InformationalResponse():
                        self._interim += 1
                        if self._interim > MAX_INTERIM:
                            wrong = f"more than {MAX_INTERIM} interim answers"
                    case _:  # the end of the answer; one to CONNECT has none, but the parser pauses
                        answer.set_result(RawResponse(self._status, self._headers, bytes(self._body)))
                        self._prepare_next()
                        return
        except h11.RemoteProtocolError as error:
            wrong = str(error)
        if wrong:
            self._fail(httpx.RemoteProtocolError(wrong))

    def _prepare_next(self) -> None:
        parser = self._parser
        self._body, self._interim = bytearray(), 0
        self.idle_since = self._loop.time()
        if parser.trailing_data[0]:
            self.abort()  # nobody asked; the answer before it stands, for nothing was waiting when its request left
        elif parser.our_state is h11.DONE and parser.their_state is h11.DONE:
            parser.start_next_cycle()
        elif parser.our_state is h11.SWITCHED_PROTOCOL:
            self._parser = h11.Connection(h11.CLIENT, MAX_HEAD)
        else:
            self.close()

    def _fail(self, error: httpx.TransportError) -> None:
        self.abort()
        for waiting in (self._more, self._answer):
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)
                waiting.exception()  # seen: after Ctrl-C nobody waits for it any more


@functools.lru_cache(KNOWN_HEADS)
def _head(method: str, target: str, headers: RawHeaders) -> h11.Request:
    """The head of a request; checking one costs more than sending it."""
    return h11.Request(method=method, target=target, headers=list(headers))


def _unacknowledged(descriptor: int) -> int:
    """How many sent bytes the other machine has not acknowledged. Every segment that it sends acknowledges all that it
    has got, so the first one of a true answer leaves none. 0 where the system does not tell."""
    try:
        return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)))[0])
    except OSError:
        return 0


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
