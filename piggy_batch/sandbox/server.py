"""The sandbox on a port: one process, one thread, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from piggy_batch.sandbox.announcement import as_lines
from piggy_batch.sandbox.asgi import make_app
from piggy_batch.sandbox.service import HANG_UP, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from starlette.types import ASGIApp, Receive, Scope, Send

    from piggy_batch.sandbox.settings import Settings

_BACKLOG = 4096


class _Connections:
    """The open connections by the peer's address, so that a fault can close the one it strikes."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def opened(self, transport: asyncio.Transport) -> None:
        self._open[_peer(transport)] = transport

    def closed(self, transport: asyncio.Transport) -> None:
        self._open.pop(_peer(transport), None)

    def hang_up(self, peer: tuple[str, int], *, hard: bool) -> None:
        """Closes the connection after what was written; ``hard`` resets it instead."""
        transport = self._open.get(peer)
        if transport is None:
            return
        raw = transport.get_extra_info("socket")
        if hard and raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()


def _peer(transport: asyncio.Transport) -> tuple[str, int]:
    host, port = (transport.get_extra_info("peername") or ("", 0))[:2]
    return str(host), int(port)


class _Server(uvicorn.Server):
    """A server that says where it listens once it does, and ends quietly on SIGINT and SIGTERM."""

    def __init__(self, config: uvicorn.Config, sandbox: Sandbox, announcement: str) -> None:
        super().__init__(config)
        self._sandbox = sandbox
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(self._announcement)
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._sandbox.release_hanging()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As the original, but a signal that was obeyed is not raised a second time."""
        before = {each: signal.signal(each, self._obey) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _obey(self, number: int, frame: FrameType | None) -> None:
        self.handle_exit(number, frame)


Announce = Callable[[Sandbox, str], str]


def serve(settings: Settings, port: int, host: str = "127.0.0.1") -> None:
    """Serves a new sandbox, see :func:`serve_sandbox`; ValueError when the state file is not one of this sandbox."""
    serve_sandbox(Sandbox(settings), port, host)


def serve_sandbox(sandbox: Sandbox, port: int, host: str = "127.0.0.1", announce: Announce = as_lines) -> None:
    """Serves a sandbox until SIGINT or SIGTERM, then writes the state file if there is one, and returns.

    ``port`` 0 takes a free one. Once connections are really accepted, stdout gets, flushed, what ``announce``
    makes of the sandbox and its address: lines that begin with ``PIGGY_BASE_URL=http://HOST:PORT`` and
    ``PIGGY_TOKEN=…``. Raises ``OSError`` when the port cannot be had.
    """
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # a bad body is the client's affair
    connections = _Connections()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, because asyncio sends without delay only then; an answer's body would wait 40 ms otherwise.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
        taken = listening.getsockname()[1]
        config = uvicorn.Config(
            _guarded(make_app(sandbox), connections),
            http=_protocol(connections),
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="critical",
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        address = f"[{host}]" if ":" in host else host
        announcement = announce(sandbox, f"http://{address}:{taken}")
        asyncio.run(_run(_Server(config, sandbox, announcement), sandbox, listening))
    sandbox.save()


async def _run(server: uvicorn.Server, sandbox: Sandbox, listening: socket.socket) -> None:
    saver = asyncio.create_task(_save_now_and_then(sandbox))
    try:
        await server.serve([listening])
    finally:
        saver.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await saver


async def _save_now_and_then(sandbox: Sandbox) -> None:
    """Saves what changed, at most a twentieth of the time: a large world takes longer to write."""
    every_s = sandbox.settings.save_every_s
    saved, pause_s = sandbox.changes, every_s
    while sandbox.settings.state is not None:
        await asyncio.sleep(pause_s)
        if sandbox.changes != saved:
            saved, started = sandbox.changes, time.monotonic()
            try:
                sandbox.save()
            except OSError as error:
                sys.stderr.write(f"the state was not saved: {error}\n")
            pause_s = max(every_s, 20 * (time.monotonic() - started))


def _protocol(connections: _Connections) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol, with its connections on record."""
    base: Any = AutoHTTPProtocol

    class Recorded(base):  # type: ignore[misc] # which class it is depends on the parser that is installed
        def connection_made(self, transport: asyncio.Transport) -> None:
            connections.opened(transport)
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            connections.closed(self.transport)
            super().connection_lost(exc)

    return Recorded


def _guarded(service: ASGIApp, connections: _Connections) -> Any:
    """The application with a way to hang up; a bug of the sandbox's own is printed and answered 500."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if client is not None:
            scope[HANG_UP] = lambda hard: connections.hang_up((client[0], client[1]), hard=hard)
        try:
            await service(scope, receive, send)
        except Exception:
            traceback.print_exc()
            raise

    return app
