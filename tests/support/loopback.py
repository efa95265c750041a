"""Raw servers on loopback, and what the program's connection makes of them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import trustme

from piggy_batch.client.connection import Connection, Endpoint, RawRequest, RawResponse, connect
from piggy_batch.client.transport import HttpTransport

HOST = "127.0.0.1"
HANG_S = 20.0  # a test that takes so long hangs

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def run(work: Awaitable[None]) -> None:
    """Run a test's coroutine, for a bounded time."""

    async def bounded() -> None:
        async with asyncio.timeout(HANG_S):
            await work

    asyncio.run(bounded())


def get(target: str = "/things", host: str = "test") -> RawRequest:
    """A request without a body."""
    return RawRequest("GET", target, ((b"Host", host.encode()),))


def post(body: bytes) -> RawRequest:
    """A request with one."""
    return RawRequest("POST", "/things", ((b"Host", b"test"), (b"Content-Length", b"%d" % len(body))), body)


def ok(said: bytes) -> bytes:
    """An answer that says so."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said)


async def head(reader: asyncio.StreamReader) -> bytes:
    """A request's head, as it came."""
    return await reader.readuntil(b"\r\n\r\n")


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that the other side sees an error instead of its end."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()


@contextlib.asynccontextmanager
async def server(serve: Serve, **more: Any) -> AsyncIterator[int]:
    """A server whose connections are served so; its port. At the end connections are cut and handlers end."""
    handlers: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers[task] = writer
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    listening = await asyncio.start_server(guarded, HOST, 0, **more)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for writer in handlers.values():
            writer.transport.abort()
        await asyncio.gather(*handlers, return_exceptions=True)


class Scripted:
    """A server that answers each connection's requests with the given bytes, in turn, and then hangs up."""

    def __init__(self, *connections: list[bytes]) -> None:
        self._connections = list(connections)
        self.heads: list[bytes] = []
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        answers = self._connections[self.connections]
        self.connections += 1
        for answer in answers:
            self.heads.append(await head(reader))
            length = re.search(rb"\r\ncontent-length: (\d+)", self.heads[-1].lower())
            await reader.readexactly(int(length[1]) if length else 0)
            writer.write(answer)
            await writer.drain()


@contextlib.asynccontextmanager
async def connected(
    serve: Serve, client: ssl.SSLContext | None = None, name: str = HOST, **more: Any
) -> AsyncIterator[Connection]:
    """A connection to such a server."""
    async with server(serve, **more) as port:
        connection = await connect(Endpoint(name, port, client), 5.0)
        try:
            yield connection
        finally:
            connection.close()


async def exchange(serve: Serve, request: RawRequest | None = None) -> tuple[RawResponse, bool]:
    """One request to such a server: its answer, and whether the connection may carry another."""
    async with connected(serve) as connection:
        response = await connection.exchange(request or get())
        return response, connection.is_open


def answered(*parts: bytes, request: RawRequest | None = None) -> tuple[RawResponse, bool]:
    """As ``exchange``, the server sending its answer in these parts, each in a segment of its own."""
    found: list[tuple[RawResponse, bool]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.002)

    async def work() -> None:
        found.append(await exchange(serve, request))

    run(work())
    return found[0]


async def all_of(transport: HttpTransport, *requests: RawRequest) -> list[RawResponse]:
    """The answers to requests that follow each other."""
    try:
        return [await transport.exchange(request) for request in requests]
    finally:
        await transport.aclose()


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self) -> None:
        self._authority = trustme.CA()

    def server(self, *names: str) -> ssl.SSLContext:
        """For a server of these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*names).configure_cert(context)
        return context

    def client(self) -> ssl.SSLContext:
        """For a client that trusts it."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        return context
