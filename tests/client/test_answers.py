"""The program's own connection: where an answer begins and ends, with TLS and without."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import socket
import ssl

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piggy_batch.client.connection import MAX_BODY, MAX_HEAD, MAX_INTERIM, Endpoint, RawRequest, connect
from tests.support.loopback import HOST, Authority, Scripted, answered, connected, exchange, get, head, ok, run, server

pytestmark = pytest.mark.process


@pytest.mark.parametrize("status", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
def test_interim_answers_are_passed_over(status: bytes) -> None:
    """In the same segment or before: the answer is the one behind them."""
    interim = b"HTTP/1.1 " + status + b"\r\nLink: </x>\r\n\r\n"
    for parts in ([interim + interim + ok(b"real")], [interim, interim, ok(b"real")]):
        response, is_open = answered(*parts)
        assert (response.status, response.body, is_open) == (200, b"real", True)


def test_interim_answers_without_end_and_a_change_of_protocol_are_refused() -> None:
    """Neither is an answer."""
    for said in (b"HTTP/1.1 103 Early Hints\r\n\r\n" * (MAX_INTERIM + 1), b"HTTP/1.1 101 Switching Protocols\r\n\r\n"):
        with pytest.raises(httpx.RemoteProtocolError):
            answered(said + ok(b"late"))


# --- the ways in which an answer ends -----------------------------------------------------------------------

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    "length": (ok(b"body"), b"body", True),
    "chunked": (CHUNKED + b"2\r\nbo\r\n2;x=y\r\ndy\r\n0\r\nTrailer: 1\r\n\r\n", b"body", True),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b"", True),
    "closed": (b"HTTP/1.1 200 OK\r\n\r\nbody", b"body", False),
    "connection: close": (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody", b"body", False),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody", b"body", False),
}


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("step", [1, 10_000], ids=["bytewise", "at once"])
def test_every_way_in_which_an_answer_ends_is_known(kind: str, step: int) -> None:
    """By length, by chunks, by its kind, or with the connection, which then carries no other request."""
    said, body, stays = ANSWERS[kind]
    response, is_open = answered(*(said[i : i + step] for i in range(0, len(said), step)))
    assert response.body == body
    assert is_open == stays


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(ANSWERS)), st.lists(st.integers(0, 120), max_size=6))
def test_it_does_not_matter_where_an_answer_is_cut(kind: str, cuts: list[int]) -> None:
    """Segments end anywhere, in a number or between two line ends."""
    said, body, stays = ANSWERS[kind]
    edges = [0, *sorted(cuts), len(said)]
    response, is_open = answered(*(said[a:b] for a, b in itertools.pairwise(edges) if a < b))
    assert (response.body, is_open) == (body, stays)


def test_an_answer_to_head_has_no_body() -> None:
    """Whatever its length says."""
    request = RawRequest("HEAD", "/things", ((b"Host", b"test"),))
    response, is_open = answered(ok(b"12345")[:-5], request=request)
    assert (response.body, is_open) == (b"", True)


def test_a_packed_answer_is_handed_on_as_it_came() -> None:
    """Whoever unpacks it bounds what comes of it."""
    packed = gzip.compress(b"body" * 100)
    response, _ = answered(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    )
    assert response.body == packed
    assert (b"Content-Encoding", b"gzip") in response.headers


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"2\r\nbodyXX",
        b"HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Bomb: " + b"x" * 2 * MAX_HEAD,
        CHUNKED + b"0\r\nX-Bomb: " + b"x" * 2 * MAX_HEAD,
    ],
    ids=lambda said: repr(said[:40]),
)
def test_what_is_no_answer_leaves_the_request_in_doubt(said: bytes) -> None:
    """Another protocol, a length that is none, chunks that do not add up, heads without end."""
    with pytest.raises(httpx.RemoteProtocolError):
        answered(said)


@pytest.mark.parametrize("framing", ["length", "chunked", "closed"])
def test_a_body_is_read_up_to_a_bound(framing: str) -> None:
    """However it is delimited."""
    opening = {
        "length": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * MAX_BODY),
        "chunked": CHUNKED + b"%x\r\n" % (2 * MAX_BODY),
        "closed": b"HTTP/1.1 200 OK\r\n\r\n",
    }
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await head(reader)
        writer.write(opening[framing])
        for _ in range(2 * MAX_BODY // 1_000_000):
            writer.write(b" " * 1_000_000)
            await writer.drain()
            sent += 1_000_000

    async def work() -> None:
        with pytest.raises(httpx.RemoteProtocolError, match="larger than 32 MiB"):
            await exchange(serve)

    run(work())
    assert sent < 1.5 * MAX_BODY


# --- TLS ----------------------------------------------------------------------------------------------------


def test_tls_names_the_server_and_checks_its_certificate() -> None:
    """The name goes out as SNI; a certificate for another name, or of a stranger, is not sent to."""
    names: list[str | None] = []
    authority, stranger = Authority(), Authority()
    context = authority.server("localhost")
    context.sni_callback = lambda _socket, name, _context: names.append(name)

    async def work() -> None:
        service = Scripted([ok(b"secret")], [], [])
        async with connected(service, authority.client(), "localhost", ssl=context) as connection:
            assert (await connection.exchange(get())).body == b"secret"
        async with server(service, ssl=context) as port:
            for endpoint in (Endpoint(HOST, port, authority.client()), Endpoint("localhost", port, stranger.client())):
                with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                    await connect(endpoint, 5.0)
        assert len(service.heads) == 1

    run(work())
    assert names == ["localhost", None, "localhost"]


@pytest.mark.parametrize("ordered", [True, False], ids=["said so", "cut off"])
def test_over_tls_an_answer_that_ends_with_the_connection_needs_the_servers_own_word(ordered: bool) -> None:
    """Anybody on the way can cut a connection, and what is left looks like a whole answer."""
    authority = Authority()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await writer.start_tls(authority.server(HOST))
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n[1, 2")
        await writer.drain()
        if ordered:
            writer.close()
        else:
            writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
            await reader.read()

    async def work() -> None:
        async with server(serve) as port:
            connection = await connect(Endpoint(HOST, port, authority.client()), 5.0)
            if ordered:
                assert (await connection.exchange(get())).body == b"[1, 2"
            else:
                with pytest.raises(httpx.ReadError):
                    await connection.exchange(get())
            assert not connection.is_open

    run(work())


def test_a_server_that_speaks_first_is_not_asked() -> None:
    """Words that come with the end of the handshake: nothing has been sent, and nothing is."""
    context = Authority()
    service = context.server(HOST)
    service.maximum_version = ssl.TLSVersion.TLSv1_2  # the server's handshake ends last, so its words go with it

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        engine = service.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                engine.do_handshake()
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await reader.read(65_536))
            else:
                break
        engine.write(ok(b"nobody's"))
        writer.write(outgoing.read())
        assert await reader.read() == b""

    async def work() -> None:
        async with server(serve) as port:
            with pytest.raises(httpx.ConnectError, match="before it was asked"):
                await connect(Endpoint(HOST, port, context.client()), 5.0)

    run(work())
