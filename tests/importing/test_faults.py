"""Every fault on every operation, in virtual time; the sandbox's own effect counts are the judge."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trustme

from piggy_batch.client.http import HttpClient
from piggy_batch.client.target import Target
from piggy_batch.client.transport import HttpTransport, open_transport
from piggy_batch.endpoints import CATALOGUE, PING, Operation
from piggy_batch.models import Lost, Repeat, Reply, Request
from piggy_batch.sandbox import FAULT_KINDS, Fault, make_app
from tests.support.world import World, audit, in_virtual_time, working_rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

ROWS = 5
HALTS = {"unauthorized", "7002", "7011", "60000", "redirect", "redirect-after"}
# What may end in `rejected`: a look has shown that nothing was applied, or it was refused itself and nothing was sent.
REFUSES = {"unknown-code", "forbidden", "firewall", "firewall-after", "firewall-406", "409", "409-after"}
# What reaches the client's side as an exception: name -> (exception, whether the service has applied it before).
CUTS: dict[str, tuple[type[httpx.TransportError], bool]] = {
    "refused": (httpx.ConnectError, False),
    "connect timeout": (httpx.ConnectTimeout, False),
    "no connection": (httpx.PoolTimeout, False),
    "read timeout": (httpx.ReadTimeout, True),
    "write error": (httpx.WriteError, False),
    "read error": (httpx.ReadError, True),
    "protocol error": (httpx.RemoteProtocolError, True),
    "proxy error": (httpx.ProxyError, False),
}


def law(world: World, operation: Operation, run_dir: Path) -> dict[str, int]:
    """Counts add up; nothing was done twice; what is done was done, what is neither done nor unknown was not."""
    counts = audit(run_dir, ROWS)
    for kind, peak in world.state["max_per_key"].items():
        assert peak <= 1, f"{kind} happened {peak} times to one key"
    if operation.repeat is Repeat.SAFE:
        assert world.effects == 0
    else:
        done = counts.get("done", 0)
        assert done <= world.effects + world.state["outside"].get("any", 0) <= done + counts.get("unknown", 0)
    return counts


def go_on(world: World, operation: Operation, path: Path, before: dict[str, int]) -> dict[str, int]:
    """The same command again, in good health: everything settles, and a once row in doubt is not touched."""
    again = world.run(operation, path)
    after = law(world, operation, again.run_dir)
    open_ones = {"pending", "failed"} | (set() if operation.repeat is Repeat.ONCE else {"unknown"})
    assert not open_ones & set(after)
    if operation.repeat is Repeat.ONCE:
        assert after.get("unknown", 0) == before.get("unknown", 0)
    assert again.exit_code == (0 if set(after) <= {"done", "already", "absent"} else 1)
    assert again.summary is not None
    assert again.summary["next"] is None
    return after


@pytest.mark.parametrize("kind", FAULT_KINDS)
@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda o: o.slug)
def test_nothing_is_lost_and_nothing_done_twice(world: World, operation: Operation, kind: str) -> None:
    """Half of all requests fail so: statuses, effects and exit code are right, and the same command finishes."""
    path = world.manifest(*working_rows(world, operation, ROWS))
    if kind == "huge":
        world.sandbox.plan(Fault(kind, after_n=3, times=1, size=34_000_000))
    else:
        world.sandbox.plan(Fault(kind, 0.5, after_n=1))
    first = world.run(operation, path, concurrency=3, attempts=3, max_wait_s=300.0)
    before = law(world, operation, first.run_dir)
    struck = bool(world.sandbox.faults.struck)
    if kind in HALTS:
        assert first.exit_code == (3 if struck else 0)
        assert set(before) <= {"done", "pending"} | ({"unknown"} if operation.repeat is not Repeat.SAFE else set())
    elif kind not in REFUSES:
        assert "rejected" not in before
        good = set(before) <= {"done", "already", "absent"}
        assert first.exit_code in ({0} if good else {1, 3})
    assert first.summary is not None
    if first.exit_code == 3:
        assert first.summary["next"]
    world.sandbox.clear_faults()
    go_on(world, operation, path, before)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda o: o.slug)
def test_every_other_connection_fails(world: World, operation: Operation, cut: str) -> None:
    """Connections that fail on the way, before or after the service acted: nothing lost, nothing twice."""
    path = world.manifest(*working_rows(world, operation, ROWS))
    error, applied = CUTS[cut]
    inner = httpx.ASGITransport(app=make_app(world.sandbox))
    count = 0

    async def hook(request: httpx.Request) -> httpx.Response | None:
        nonlocal count
        count += 1
        if count % 2:
            return None
        if applied:
            await inner.handle_async_request(request)
        raise error("")

    world.hook = hook
    first = world.run(operation, path, concurrency=3, attempts=3, max_wait_s=300.0)
    before = law(world, operation, first.run_dir)
    assert "rejected" not in before
    if not applied and cut not in ("write error", "proxy error"):
        assert "unknown" not in before
    world.hook = None
    go_on(world, operation, path, before)


def test_maintenance_of_an_hour_costs_no_row(world: World) -> None:
    """503 for an hour, then well again: every row done, no attempt used."""

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if 2 < world.time.now < 3602:
            return httpx.Response(503, json={"message": "Service Unavailable"})
        return None

    world.hook = hook
    path = world.manifest("contact_identifier_value", [[f"A-{n}"] for n in range(60)])
    result = world.run("identifiers create", path, rate=10.0, max_wait_s=7200.0, attempts=1)
    assert audit(result.run_dir, 60) == {"done": 60}
    assert 3600 < world.time.now < 3800


@pytest.mark.parametrize("shift", [-3600.0, 3600.0])
def test_a_clock_that_jumps_changes_nothing(world: World, shift: float) -> None:
    """The machine's clock jumps an hour in mid-run: waits, counts and times stay sound."""

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if world.time.now > 1:
            world.shift = shift
        return None

    world.hook = hook
    world.sandbox.plan(Fault("429", method="POST", after_n=10, times=3, wait_s=5))
    path = world.manifest("contact_identifier_value", [[f"A-{n}"] for n in range(40)])
    result = world.run("identifiers create", path, rate=10.0)
    assert audit(result.run_dir, 40) == {"done": 40}
    assert world.time.now < 40
    assert result.summary is not None
    assert result.summary["elapsed_s"] >= 0


# --- real sockets on loopback ------------------------------------------------------------------------

Serve = "Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]"


async def _turn() -> bool:
    return True


async def _ask(url: str, *, timeout_s: float = 2.0, ca_file: Path | None = None, request: Request = PING) -> Any:
    async with HttpClient(Target(url, "sandbox", ca_file), timeout_s=timeout_s) as client:
        return await client.send(request, 0, _turn)


@contextlib.asynccontextmanager
async def _server(serve: Callable[[Any, Any], Awaitable[None]], **more: Any) -> AsyncIterator[int]:
    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0, **more)
    try:
        yield server.sockets[0].getsockname()[1]
        await asyncio.sleep(0.05)  # so that a handler sees its client leave
    finally:
        server.close()
        await server.wait_closed()


def _over_socket(serve: Callable[[Any, Any], Awaitable[None]], **given: Any) -> Any:
    async def work() -> Any:
        async with _server(serve) as port:
            return await _ask(f"http://127.0.0.1:{port}", **given)

    return asyncio.run(work())


async def _head(reader: Any) -> None:
    await reader.readuntil(b"\r\n\r\n")


@pytest.mark.process
def test_connection_refused_was_not_sent() -> None:
    """Nobody listens: not sent."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = asyncio.run(_ask(f"http://127.0.0.1:{unused.getsockname()[1]}"))
    assert isinstance(answer, Lost)
    assert not answer.sent
    assert "ConnectError" in answer.reason


class _NoNames(asyncio.SelectorEventLoop):
    """A loop that cannot resolve any name."""

    async def getaddrinfo(self, *_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


@pytest.mark.process
def test_a_name_that_does_not_resolve_was_not_sent() -> None:
    """DNS failure: not sent, and the reason says so."""
    with asyncio.Runner(loop_factory=_NoNames) as runner:
        answer = runner.run(_ask("https://api.piggy.invalid"))
    assert isinstance(answer, Lost)
    assert not answer.sent
    assert "name resolution" in answer.reason


@pytest.mark.process
@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_that_is_not_trusted_stops_before_anything_is_sent(tmp_path: Path, trusted: bool) -> None:
    """TLS: an unknown authority is not sent; with --ca-file the same server answers."""
    authority, stranger = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    (authority if trusted else stranger).cert_pem.write_to_path(str(ca_file))
    seen = []

    async def serve(reader: Any, writer: Any) -> None:
        await _head(reader)
        seen.append(1)
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"data":{}}')
        await writer.drain()

    async def work() -> Any:
        async with _server(serve, ssl=context) as port:
            return await _ask(f"https://127.0.0.1:{port}", ca_file=ca_file)

    answer = asyncio.run(work())
    if trusted:
        assert isinstance(answer, Reply)
    else:
        assert isinstance(answer, Lost)
        assert not answer.sent
        assert seen == []


def _answer(said: str, size: int = 0) -> bytes:
    """An answer with that data, padded to so many bytes."""
    body = b'{"data":"%s"}' % said.encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    if size:
        body += b" " * (
            size - len(body) - len(head % (size - 100))
        )  # the length has as many digits as the size less 100
    return head % len(body) + body


class _Twice:
    """A service on a real socket that says something beside each connection's first answer."""

    def __init__(self, first: bytes, *, late: bool = False, apart: bool = False) -> None:
        self._first = first
        self._parts = [first, _answer("surplus")] if apart else [first + _answer("surplus")]
        self._late = late
        self.requests = 0
        self.connections = 0
        self.read = asyncio.Event()  # the program has read the first answer
        self.said = asyncio.Event()  # what nobody asked for is on its way

    async def serve(self, reader: Any, writer: Any) -> None:
        self.connections += 1
        for number in (1, 2):
            await _head(reader)
            self.requests += 1
            if self.requests > 1:
                writer.write(_answer(f"own {self.connections} {number}"))
            elif not self._late:
                for part in self._parts:
                    writer.write(part)
            else:
                writer.write(self._first)
                await self.read.wait()
                writer.write(_answer("surplus"))
                await writer.drain()
                self.said.set()


def _secured(tmp_path: Path, tls: bool) -> tuple[str, Path | None, dict[str, Any]]:
    """Scheme, --ca-file and the server's options."""
    if not tls:
        return "http", None, {}
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 0  # the answer's records are the first that come after the handshake
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return "https", tmp_path / "ca.pem", {"ssl": context}


@pytest.mark.hostile("18.6 an answer that nobody asked for is taken for the next request's")
@pytest.mark.process
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("apart", [False, True], ids=["one write", "two writes"])
@pytest.mark.parametrize("size", [0, 16_384, 32_768, 65_448, 65_536, 131_072])
def test_a_second_answer_is_nobodys(tmp_path: Path, tls: bool, size: int, apart: bool) -> None:
    """Two answers at once: the first is believed, the second is not the next request's, which goes out once.

    The sizes end the first answer where a TLS record or a read of the socket ends.
    """
    scheme, ca_file, more = _secured(tmp_path, tls)

    async def work() -> None:
        service = _Twice(_answer("first", size), apart=apart)
        async with (
            _server(service.serve, **more) as port,
            HttpClient(Target(f"{scheme}://127.0.0.1:{port}", "sandbox", ca_file), timeout_s=5.0) as client,
        ):
            answers = [await client.send(PING, 0, _turn) for _ in range(3)]
        assert [a.body["data"] for a in answers if isinstance(a, Reply)] == ["first", "own 2 1", "own 2 2"]
        assert (service.requests, service.connections) == (3, 2)

    asyncio.run(work())


@pytest.mark.hostile("18.6 an answer that nobody asked for is taken for the next request's")
@pytest.mark.process
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_what_comes_between_two_requests_is_nobodys(tmp_path: Path, tls: bool) -> None:
    """An answer that nobody asked for, there before the next request leaves: that one takes a new connection."""
    scheme, ca_file, more = _secured(tmp_path, tls)

    async def work() -> None:
        service = _Twice(_answer("first"), late=True)
        async with (
            _server(service.serve, **more) as port,
            HttpClient(Target(f"{scheme}://127.0.0.1:{port}", "sandbox", ca_file), timeout_s=5.0) as client,
        ):
            answers = [await client.send(PING, 0, _turn)]
            service.read.set()
            await service.said.wait()
            answers.append(await client.send(PING, 0, _turn))
        assert [a.body["data"] for a in answers if isinstance(a, Reply)] == ["first", "own 2 1"]
        assert (service.requests, service.connections) == (2, 2)

    asyncio.run(work())


@pytest.mark.hostile("18.6 an answer that nobody asked for is taken for the next request's")
@pytest.mark.process
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tunnel"])
@pytest.mark.parametrize("apart", [False, True], ids=["one write", "two writes"])
def test_a_second_answer_through_a_proxy_is_nobodys(tmp_path: Path, tls: bool, apart: bool) -> None:
    """With a tunnel and without: what the service says too much is seen behind the proxy too."""
    scheme, ca_file, more = _secured(tmp_path, tls)

    async def work() -> None:
        service = _Twice(_answer("first", 16_384), apart=apart)

        async def serve(reader: Any, writer: Any) -> None:
            if tls:
                await _head(reader)  # CONNECT
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                await writer.start_tls(more["ssl"])
            await service.serve(reader, writer)

        async with _server(serve) as port:

            def through() -> httpx.AsyncBaseTransport:
                context = ssl.create_default_context(cafile=ca_file)
                proxy = httpx.Proxy(f"http://127.0.0.1:{port}")
                own = open_transport(httpx.URL(f"{scheme}://127.0.0.1:1"), context, proxy)
                assert isinstance(own, HttpTransport)
                return own

            async with HttpClient(
                Target(f"{scheme}://127.0.0.1:1", "sandbox"), timeout_s=5.0, transport=through
            ) as client:
                answers = [await client.send(PING, 0, _turn) for _ in range(3)]
        assert [a.body["data"] for a in answers if isinstance(a, Reply)] == ["first", "own 2 1", "own 2 2"]
        assert (service.requests, service.connections) == (3, 2)

    asyncio.run(work())


@pytest.mark.process
def test_an_ordinary_answer_leaves_its_connection_open(tmp_path: Path) -> None:
    """Without surplus the next request goes over the same connection, over TLS too."""
    scheme, ca_file, more = _secured(tmp_path, tls=True)
    connections = 0

    async def serve(reader: Any, writer: Any) -> None:
        nonlocal connections
        connections += 1
        for number in range(5):
            await _head(reader)
            writer.write(_answer(str(number), 0 if number % 2 else 70_000))

    async def work() -> None:
        async with (
            _server(serve, **more) as port,
            HttpClient(Target(f"{scheme}://127.0.0.1:{port}", "sandbox", ca_file), timeout_s=5.0) as client,
        ):
            answers = [await client.send(PING, 0, _turn) for _ in range(5)]
        assert [a.body["data"] for a in answers if isinstance(a, Reply)] == list("01234")
        assert connections == 1

    asyncio.run(work())


@pytest.mark.process
def test_a_full_backlog_times_out_and_was_not_sent() -> None:
    """A server that accepts no connection: connect timeout, not sent."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        answer = asyncio.run(_ask(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=1.0))
    assert isinstance(answer, Lost)
    assert not answer.sent


@pytest.mark.process
@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", b"HTTP/1.1 2"])
@pytest.mark.parametrize("hard", [True, False])
def test_a_connection_closed_after_the_request_may_have_been_applied(said: bytes, hard: bool) -> None:
    """Closed or reset before, in, or in the middle of an answer: sent, whatever the program thinks of it."""

    async def serve(reader: Any, writer: Any) -> None:
        await _head(reader)
        writer.write(said)
        await writer.drain()
        if hard:
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            writer.transport.abort()

    answer = _over_socket(serve)
    assert isinstance(answer, Lost)
    assert answer.sent


@pytest.mark.process
def test_an_answer_that_trickles_is_bounded_by_the_timeout() -> None:
    """A byte now and then does not restart the clock: the whole request is bounded."""

    async def serve(reader: Any, writer: Any) -> None:
        await _head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        for _ in range(100):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    answer = _over_socket(serve, timeout_s=0.4)
    assert isinstance(answer, Lost)
    assert answer.sent
    assert "0.4 s" in answer.reason


@pytest.mark.process
def test_a_body_of_fifty_megabytes_and_a_bomb_of_headers_are_refused() -> None:
    """Neither is read to the end; both may have been applied."""

    async def huge(reader: Any, writer: Any) -> None:
        await _head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        for _ in range(50):
            writer.write(b" " * 1_000_000)
            await writer.drain()

    async def bomb(reader: Any, writer: Any) -> None:
        await _head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n" + b"X-Bomb: 0123456789\r\n" * 60_000 + b"\r\n")
        await writer.drain()

    for serve in (huge, bomb):
        answer = _over_socket(serve, timeout_s=10.0)
        assert isinstance(answer, Lost)
        assert answer.sent


@pytest.mark.process
def test_redirects_are_not_followed_and_cookies_not_kept() -> None:
    """A redirect is an answer; what a server sets as cookie is never sent back."""
    heads = []

    async def serve(reader: Any, writer: Any) -> None:
        for _ in range(2):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(
                b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"
            )
            await writer.drain()

    async def work() -> Any:
        async with (
            _server(serve) as port,
            HttpClient(Target(f"http://127.0.0.1:{port}", "sandbox"), timeout_s=5) as client,
        ):
            return await client.send(PING, 0, _turn), await client.send(PING, 0, _turn)

    first, second = asyncio.run(work())
    assert (first.status, first.location, second.status) == (302, "/elsewhere", 302)
    assert len(heads) == 2
    assert not any(b"cookie" in head.lower() for head in heads)


def test_virtual_time_finds_a_hang() -> None:
    """The harness itself: a wait that nothing ends is reported, not waited for."""

    async def forever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(BaseException, match="nothing is ready"):
        in_virtual_time(forever())
