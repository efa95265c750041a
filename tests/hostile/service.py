"""A service on loopback that answers as a test wants: the sandbox, and before it whatever the test puts in its way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.client import responses as phrases
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx

from piggy_batch.sandbox import ConnectionCut, Sandbox, Settings, make_app
from tests.support.processes import TOKEN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

T = TypeVar("T")
HOST = "127.0.0.1"
HOP = {"connection", "content-length", "transfer-encoding", "host"}  # of one connection only


@dataclass(frozen=True)
class Request:
    """A request as it arrived. ``number``: which one of all it is, 1 = the first."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    number: int

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The last value of each parameter."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def data(self) -> Any:
        """The body's JSON; empty where there is none."""
        return json.loads(self.body) if self.body else {}

    def asks(self, method: str, end: str) -> bool:
        """Whether it is of this method, to a path that ends so."""
        return self.method == method and self.path.endswith(end)


@dataclass(frozen=True)
class Answer:
    """An answer. ``body``: bytes as they are, anything else as JSON."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Any:
        """The JSON that it holds."""
        return json.loads(self.body) if isinstance(self.body, bytes) else self.body

    def to_bytes(self) -> bytes:
        """As it goes out."""
        raw = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        kind = {} if isinstance(self.body, bytes) else {"content-type": "application/json"}
        headers = kind | {k.lower(): v for k, v in self.headers.items()} | {"content-length": str(len(raw))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} {phrases.get(self.status, 'Other')}\r\n{lines}\r\n".encode() + raw


CUT = Answer(0)  # close the connection without a word


class HostileService:
    """Serves in a thread until it is closed. ``settings``: switches of the sandbox.

    ``hook`` is asked first, for each request: an :class:`Answer`, raw bytes, :data:`CUT`, or None to let the sandbox
    answer. It may call :meth:`pass_on` itself, and lose or change what comes. ``interrupt`` is asked once the head of a
    request is there, with the requests that its connection has carried and the method; what it returns is said at once.
    """

    def __init__(self, **settings: Any) -> None:
        defaults: dict[str, Any] = {"token": TOKEN, "limit_per_minute": 0, "contacts": 10, "identifiers": 20}
        self.sandbox = Sandbox(Settings(**(defaults | settings)))
        self.hook: Callable[[Request], Awaitable[Answer | bytes | None]] | None = None
        self.interrupt: Callable[[Sequence[Request], str], bytes] = lambda _carried, _method: b""
        self.requests: list[Request] = []
        self._serving: set[asyncio.Task[None] | None] = set()
        self._inner = httpx.ASGITransport(app=make_app(self.sandbox))
        self._loop = asyncio.new_event_loop()
        self._listening = socket.create_server((HOST, 0), backlog=512)
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Cut all connections and stop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine where the service runs."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def pass_on(self, request: Request) -> Answer:
        """What the sandbox answers."""
        headers = {k: v for k, v in request.headers.items() if k not in HOP}
        sent = httpx.Request(request.method, self.url + request.target, headers=headers, content=request.body)
        try:
            answer = await self._inner.handle_async_request(sent)
        except ConnectionCut:
            return CUT
        kept = {k: v for k, v in answer.headers.items() if k not in HOP}
        return Answer(answer.status_code, await answer.aread(), kept)

    # --- what it counts

    @property
    def effects(self) -> Counter[str]:
        """How many changes were made, by kind."""
        return Counter(self.sandbox.world.effects.totals)

    def times(self, kind: str) -> dict[str, int]:
        """How often each key was changed so."""
        return dict(self.sandbox.world.effects.keys.get(kind, {}))

    def asked(self, method: str, end: str) -> list[Request]:
        """The requests of this method whose path ends so."""
        return [request for request in self.requests if request.asks(method, end)]

    def uuid_of_program(self, number: int = 1) -> str:
        """Of a giftcard program, 1 = the first."""
        return str(self.sandbox.world.cards.programs[number].uuid)

    # --- how it serves

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connection, sock=self._listening))
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())  # the loop keeps none of them alive
        try:
            carried: list[Request] = []
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._exchange(reader, writer, carried):
                    pass
        finally:
            writer.close()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, carried: list[Request]
    ) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
        method, target = head[0].split()[:2]
        writer.write(self.interrupt(carried, method))
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Request(method, target, headers, body, len(self.requests) + 1)
        self.requests.append(request)
        carried.append(request)
        answer = await self.hook(request) if self.hook is not None else None
        if answer is None:
            answer = await self.pass_on(request)
        if answer is CUT:
            return False
        writer.write(answer if isinstance(answer, bytes) else answer.to_bytes())
        await writer.drain()
        return not (isinstance(answer, bytes) and b"\r\nConnection: close\r\n" in answer)
