"""The program's own connection, byte by byte: what counts as not sent, and what as nobody's answer."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
from collections.abc import Awaitable, Callable

import httpx
import pytest

from piggy_batch.client.connection import Connection, Endpoint, connect
from tests.support.loopback import HOST, Scripted, connected, exchange, get, head, ok, post, reset, run, server

pytestmark = pytest.mark.process

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout)


# --- the phases -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hard", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize(
    "after", ["half the head", "half the body", "all of it", "part of the answer's head", "part of the answer's body"]
)
def test_a_connection_that_ends_once_a_byte_was_written_leaves_the_request_in_doubt(after: str, hard: bool) -> None:
    """However little of it the server has read: it may have been applied."""
    said = {"part of the answer's head": b"HTTP/1.1 200 O", "part of the answer's body": ok(b"12345")[:-1]}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if after == "half the head":
            await reader.readexactly(10)
        else:
            await head(reader)
            await reader.readexactly(500_000 if after == "half the body" else 1_000_000)
        writer.write(said.get(after, b""))
        await writer.drain()
        if hard:
            reset(writer)

    async def work() -> None:
        with pytest.raises(httpx.TransportError) as caught:
            await exchange(serve, post(b"x" * 1_000_000))
        assert not isinstance(caught.value, NOT_SENT)
        assert str(caught.value)

    run(work())


def test_a_success_that_ends_before_its_body_is_no_answer() -> None:
    """Where nothing but the connection's end says that it is whole, and nothing has come: it may have been cut."""

    def serving(said: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await head(reader)
            writer.write(said)
            await writer.drain()

        return serve

    async def work() -> None:
        for status in (b"200 OK", b"201 Created"):
            with pytest.raises(httpx.RemoteProtocolError, match="before the answer's body"):
                await exchange(serving(b"HTTP/1.1 %s\r\n\r\n" % status), get())
        for said in (b"200 OK\r\n\r\n{}", b"204 No Content\r\n\r\n", b"302 Found\r\n\r\n"):
            found, _ = await exchange(serving(b"HTTP/1.1 " + said), get())
            assert found.status == int(said[:3])

    run(work())


@pytest.mark.parametrize("hard", [False, True], ids=["closed", "reset"])
def test_a_connection_that_ended_before_a_request_is_not_written_to(hard: bool) -> None:
    """It is seen just before, so nothing is in doubt."""

    async def work() -> None:
        is_connected, has_ended = asyncio.Event(), asyncio.Event()

        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await is_connected.wait()
            if hard:
                reset(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            has_ended.set()

        async with connected(serve) as connection:
            assert await connection.is_quiet()
            is_connected.set()
            await has_ended.wait()
            assert not await connection.is_quiet()
            assert not connection.is_open

    run(work())


def test_the_end_of_a_connection_is_seen_before_the_loop_has_read_it() -> None:
    """The socket itself is asked at the last moment."""

    async def work() -> None:
        with socket.create_server((HOST, 0)) as listening:
            connection = await connect(Endpoint(HOST, listening.getsockname()[1]), 5.0)
            peer, _ = listening.accept()
            assert await connection.is_quiet()
            peer.close()
            assert connection.is_open  # the loop has not turned since
            assert not await connection.is_quiet()
            connection.close()

    run(work())


def test_nobody_listening_and_no_such_name_are_not_sent() -> None:
    """Refused, and a name that no DNS label can hold."""

    async def work() -> None:
        with socket.socket() as unused:
            unused.bind((HOST, 0))
            with pytest.raises(httpx.ConnectError):
                await connect(Endpoint(HOST, unused.getsockname()[1]), 5.0)
        with pytest.raises(httpx.ConnectError):
            await connect(Endpoint("a" * 70, 80), 5.0)

    run(work())


def test_the_second_address_of_a_name_is_tried() -> None:
    """``localhost`` is two addresses on most machines, and the server listens on one."""

    async def work() -> None:
        async with server(Scripted([ok(b"here")])) as port:
            connection = await connect(Endpoint("localhost", port), 5.0)
            assert (await connection.exchange(get())).body == b"here"
            connection.close()

    run(work())


@pytest.mark.parametrize("ending", ["closed", "reset", "garbage", "stalls"])
def test_an_end_in_the_middle_of_the_tls_handshake_is_not_sent(ending: str) -> None:
    """No application byte has gone out."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(5))
        if ending == "reset":
            reset(writer)
        elif ending == "garbage":
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
        elif ending == "stalls":
            await reader.read()

    async def work() -> None:
        async with server(serve) as port:
            with pytest.raises(httpx.ConnectTimeout if ending == "stalls" else httpx.ConnectError) as caught:
                await connect(Endpoint(HOST, port, ssl.create_default_context()), 0.3 if ending == "stalls" else 5.0)
            assert str(caught.value)

    run(work())
    assert seen[0].startswith(b"\x16\x03")


def test_cancelling_a_request_closes_its_connection() -> None:
    """An answer that comes later is not the next request's."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await head(reader)
        assert await reader.read() == b""
        gone.set()

    async def work() -> None:
        async with connected(serve) as connection:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await connection.exchange(get())
            assert not connection.is_open
            with pytest.raises(httpx.ConnectError):
                await connection.exchange(get())
            await gone.wait()

    run(work())


class Interrupted(asyncio.Transport):
    """A socket whose writer is interrupted, as by Ctrl-C."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Whether anything has left, nobody knows."""
        raise KeyboardInterrupt

    def abort(self) -> None:
        """Nothing is left to close."""


def test_ctrl_c_in_the_middle_of_writing_leaves_a_closed_connection_and_no_complaint() -> None:
    """It may come between any two steps; nobody is left then to hear how the request ended."""
    complaints: list[object] = []

    async def work() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        with socket.socket() as unused:
            connection = Connection()
            connection.connection_made(Interrupted({"socket": unused}))
            exchanging = connection.exchange(get())
            with pytest.raises(KeyboardInterrupt):
                exchanging.send(None)
            assert not connection.is_open
            connection.connection_lost(None)
            gc.collect()

    run(work())
    assert complaints == []


# --- answers that nobody asked for ------------------------------------------------------------------------


@pytest.mark.parametrize("buffered", [True, False], ids=["not all written", "not all acknowledged"])
def test_an_answer_that_comes_before_the_request_is_there_is_not_its_own(buffered: bool) -> None:
    """The server's machine has not even got the whole request: in doubt, and the connection is closed."""
    body = b"x" * (20_000_000 if buffered else 200_000)

    async def work() -> None:
        with socket.create_server((HOST, 0)) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection = await connect(Endpoint(HOST, listening.getsockname()[1]), 5.0)
            peer, _ = listening.accept()
            with peer:
                exchanging = asyncio.ensure_future(connection.exchange(post(body)))
                await asyncio.sleep(0.01)
                peer.sendall(ok(b"another's"))
                with pytest.raises(httpx.RemoteProtocolError, match="before the whole request"):
                    await exchanging
            assert not connection.is_open

    run(work())


def test_a_large_request_that_is_read_at_leisure_gets_its_answer() -> None:
    """The guard against early answers does not hit an ordinary one."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        for _ in range(100):
            await reader.readexactly(30_000)
            await asyncio.sleep(0)
        writer.write(ok(b"got it"))

    async def work() -> None:
        response, is_open = await exchange(serve, post(b"x" * 3_000_000))
        assert (response.body, is_open) == (b"got it", True)

    run(work())
