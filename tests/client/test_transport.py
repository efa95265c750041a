"""One worker's transport: when its connection is used again, and httpx's own face."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from piggy_batch.client.connection import Endpoint, RawRequest
from piggy_batch.client.transport import HttpTransport
from tests.support.loopback import HANG_S, HOST, Authority, Scripted, all_of, get, ok, post, run, server

if TYPE_CHECKING:
    pass

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.process

SURPLUS = ok(b"nobody's")


def bodies(service: Scripted, count: int, **given: Any) -> list[bytes]:
    """What so many requests in a row get from such a server."""
    found: list[bytes] = []

    async def work() -> None:
        async with server(service) as port:
            answers = await all_of(HttpTransport(Endpoint(HOST, port), **given), *[get()] * count)
            found.extend(answer.body for answer in answers)

    run(work())
    return found


# --- when a connection is used again ------------------------------------------------------------------------


def test_requests_share_a_connection() -> None:
    """As long as nothing speaks against it."""
    service = Scripted([ok(b"1"), ok(b"2"), ok(b"3")])
    assert bodies(service, 3) == [b"1", b"2", b"3"]
    assert service.connections == 1


@pytest.mark.parametrize(
    "first",
    [
        ok(b"1") + SURPLUS,
        ok(b"1") + b"\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1",
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n" + SURPLUS,
    ],
    ids=["a second answer", "two bytes", "connection: close", "HTTP/1.0", "behind chunks"],
)
def test_a_connection_that_said_too_much_or_ends_is_not_used_again(first: bytes) -> None:
    """The answer before stands; the next request goes out once, over a new connection."""
    service = Scripted([first], [ok(b"2"), ok(b"3")])
    assert bodies(service, 3) == [b"1", b"2", b"3"]
    assert (service.connections, len(service.heads)) == (2, 3)


def test_a_request_that_must_be_alone_has_a_new_connection() -> None:
    """Whatever the one before it carried; the next request may follow on the new one, and its answer tells so."""
    service = Scripted([ok(b"1")], [ok(b"2"), ok(b"3")], [ok(b"4")])
    found: list[tuple[bytes, bool]] = []

    async def work() -> None:
        async with server(service) as port:
            alone = post(b"x")._replace(alone=True)
            answers = await all_of(HttpTransport(Endpoint(HOST, port)), get(), alone, get(), alone)
            found.extend((answer.body, answer.shared) for answer in answers)

    run(work())
    assert found == [(b"1", False), (b"2", False), (b"3", True), (b"4", False)]
    assert (service.connections, len(service.heads)) == (3, 4)


def test_a_connection_closed_while_idle_is_replaced_and_nothing_is_sent_twice() -> None:
    """The server hangs up after each answer without saying so."""
    service = Scripted([ok(b"1")], [ok(b"2")], [ok(b"3")])
    answers: list[bytes] = []

    async def work() -> None:
        async with server(service) as port:
            transport = HttpTransport(Endpoint(HOST, port))
            for _ in range(3):
                answers.append((await transport.exchange(get())).body)
                await asyncio.sleep(0.01)
            await transport.aclose()

    run(work())
    assert answers == [b"1", b"2", b"3"]
    assert len(service.heads) == 3


@pytest.mark.parametrize("keep_s", [0.0, 60.0])
def test_a_connection_is_kept_for_a_time(keep_s: float) -> None:
    """After that a server may be about to close it."""
    service = Scripted(*([[ok(b"1"), ok(b"2")]] if keep_s else [[ok(b"1")], [ok(b"2")]]))
    assert bodies(service, 2, keep_s=keep_s) == [b"1", b"2"]
    assert service.connections == (1 if keep_s else 2)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_tls_itself_has_to_say_costs_no_connection(version: ssl.TLSVersion) -> None:
    """Session tickets come after the handshake, in the version of today with the first answer or later."""
    authority = Authority()
    context = authority.server(HOST)
    context.maximum_version = context.minimum_version = version
    service = Scripted([ok(b"1"), ok(b"2" * 100_000), ok(b"3")])

    async def work() -> None:
        async with server(service, ssl=context) as port:
            transport = HttpTransport(Endpoint(HOST, port, authority.client()))
            answers = await all_of(transport, *[post(b"x" * 70_000)] * 3)
        assert [len(answer.body) for answer in answers] == [1, 100_000, 1]

    run(work())
    assert service.connections == 1


def test_a_failed_request_leaves_the_transport_fit_for_the_next() -> None:
    """Lost, refused, cancelled: the next request makes its own connection."""
    service = Scripted([b"nonsense\r\n\r\n"], [b""], [ok(b"fine")])

    async def work() -> None:
        async with server(service) as port:
            transport = HttpTransport(Endpoint(HOST, port))
            for _ in range(2):
                with pytest.raises(httpx.RemoteProtocolError):
                    await transport.exchange(get())
            assert (await transport.exchange(get())).body == b"fine"
            await transport.aclose()

    run(work())


@pytest.mark.parametrize(
    "request_",
    [
        RawRequest("GET", "/a b", ((b"Host", b"test"),)),
        RawRequest("GET", "/", ((b"Host", b"test"), (b"X", b"a\r\nY: b"))),
        RawRequest("POST", "/", ((b"Host", b"test"), (b"Content-Length", b"9")), b"12345"),
    ],
    ids=["target", "header", "length"],
)
def test_a_request_that_cannot_be_written_was_not_sent(request_: RawRequest) -> None:
    """Nothing of it leaves, and the next one is not hindered."""
    service = Scripted([ok(b"not asked for")], [ok(b"fine")])

    async def work() -> None:
        async with server(service) as port:
            transport = HttpTransport(Endpoint(HOST, port))
            with pytest.raises(httpx.ConnectError, match="cannot be written"):
                await transport.exchange(request_)
            assert (await transport.exchange(get())).body == b"fine"
            await transport.aclose()

    run(work())
    assert len(service.heads) == 1


def test_one_request_at_a_time() -> None:
    """A second one beside it is not sent."""

    async def work() -> None:
        async with server(Scripted([ok(b"1")])) as port:
            transport = HttpTransport(Endpoint(HOST, port))
            found = await asyncio.gather(*[transport.exchange(get()) for _ in range(2)], return_exceptions=True)
            assert [type(one).__name__ for one in found] == ["RawResponse", "PoolTimeout"]
            await transport.aclose()

    run(work())


# --- as httpx sees it ----------------------------------------------------------------------------------------


def test_httpx_gets_the_same_answers_from_it_as_from_its_own() -> None:
    """Status, headers, body, and the request on the wire."""
    packed = b"HTTP/1.1 404 Not Found\r\nX-One: 1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
    seen: list[tuple[object, ...]] = []

    async def work() -> None:
        for own in (True, False):
            service = Scripted([packed, ok(b"2")])
            async with server(service) as port:
                transport = HttpTransport(Endpoint(HOST, port)) if own else None
                async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}:{port}") as client:
                    answers = [await client.post("/x", params={"a": "b c"}, json={"q": 1}), await client.get("/y")]
                    heads = [one.replace(b"%d" % port, b"PORT") for one in service.heads]
                    seen.append((heads, [(a.status_code, a.headers.raw, a.content) for a in answers]))
                    if own:
                        with pytest.raises(httpx.UnsupportedProtocol, match="nowhere else"):
                            await client.get("http://elsewhere.test/")

    run(work())
    assert seen[0] == seen[1]


NO_STACK = """
import asyncio, sys
from piggy_batch.client.http import HttpClient
from piggy_batch.client.target import Target
from piggy_batch.endpoints import PING

async def turn():
    return True

async def serve(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 11\\r\\n\\r\\n{\\"data\\":1} ")
    await writer.drain()
    writer.close()

async def work():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, HttpClient(Target(url, "token")) as client:
        answer = await client.send(PING, 0, turn)
    print(answer.status, sorted({"anyio", "trio"} & set(sys.modules)))

asyncio.run(work())
"""


@pytest.mark.hostile("18.20 a guard rests on private parts of a library that an upgrade takes away")
def test_a_request_needs_nothing_of_httpx_s_network_stack() -> None:
    """Neither anyio nor what it probes for is loaded where a connection of the program's own does."""
    done = subprocess.run(
        [sys.executable, "-c", NO_STACK], capture_output=True, text=True, timeout=HANG_S, check=False, cwd=ROOT
    )
    assert (done.stdout, done.stderr) == ("200 []\n", "")
