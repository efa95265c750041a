"""One worker's transport: when its connection is used again, ways through proxies, and httpx's own face."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib.util
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from piggy_batch.client.connection import Endpoint, Proxy
from piggy_batch.client.transport import HttpTransport, HttpxTransport, open_transport
from tests.support.loopback import HOST, Authority, Scripted, all_of, get, head, ok, post, run, server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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


def test_one_request_at_a_time() -> None:
    """A second one beside it is not sent."""

    async def work() -> None:
        async with server(Scripted([ok(b"1")])) as port:
            transport = HttpTransport(Endpoint(HOST, port))
            found = await asyncio.gather(*[transport.exchange(get()) for _ in range(2)], return_exceptions=True)
            assert [type(one).__name__ for one in found] == ["RawResponse", "PoolTimeout"]
            await transport.aclose()

    run(work())


# --- proxies ------------------------------------------------------------------------------------------------


CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Tunnel:
    """A proxy that answers CONNECT so, and then is the service itself."""

    def __init__(self, authority: Authority, said: bytes, answers: list[bytes]) -> None:
        self._context = authority.server("api.test")
        self._said = said
        self._service = Scripted(answers)
        self.asked = b""

    @property
    def heads(self) -> list[bytes]:
        """What the service was asked, inside TLS."""
        return self._service.heads

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.asked = await head(reader)
        writer.write(self._said)
        await writer.drain()
        if self._said != CONNECTED:
            await reader.read()
            return
        await writer.start_tls(self._context)
        await self._service(reader, writer)


@contextlib.asynccontextmanager
async def tunnelled(tunnel: Tunnel, authority: Authority, user: str = "") -> AsyncIterator[HttpTransport]:
    """A transport through it."""
    async with server(tunnel) as port:
        transport = open_transport(
            httpx.URL("https://api.test"), authority.client(), httpx.Proxy(f"http://{user}{HOST}:{port}")
        )
        assert isinstance(transport, HttpTransport)
        try:
            yield transport
        finally:
            await transport.aclose()


@pytest.mark.parametrize("user", ["", "me:p%40ss@"], ids=["open", "with a password"])
def test_tls_goes_through_a_proxy(user: str) -> None:
    """The proxy is told host and port, and its password; the rest it cannot read."""
    authority = Authority()
    tunnel = Tunnel(authority, CONNECTED, [ok(b"1"), ok(b"2")])

    async def work() -> None:
        async with tunnelled(tunnel, authority, user) as transport:
            assert [answer.body for answer in await all_of(transport, get(), get())] == [b"1", b"2"]

    run(work())
    lines = tunnel.asked.split(b"\r\n")
    assert lines[:2] == [b"CONNECT api.test:443 HTTP/1.1", b"Host: api.test:443"]
    secret = b"Proxy-Authorization: Basic " + base64.b64encode(b"me:p@ss")
    assert (secret in lines) == bool(user)
    assert not [one for one in tunnel.heads if b"Proxy" in one]


@pytest.mark.parametrize(
    ("said", "match"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "HTTP 407"),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nno!", "HTTP 502"),
        (b"HTTP/1.1 200 OK\r\n\r\nSSH-2.0-x\r\n", "more than it was asked"),
        (b"SOCKS?\r\n\r\n", "illegal status line"),
    ],
    ids=["407", "502", "talks", "no proxy"],
)
def test_a_proxy_that_does_not_connect_was_not_sent_through(said: bytes, match: str) -> None:
    """Refused, out of order, or no proxy at all: no byte of the request has left."""
    authority = Authority()
    tunnel = Tunnel(authority, said, [])

    async def work() -> None:
        async with tunnelled(tunnel, authority) as transport:
            with pytest.raises(httpx.ConnectError, match=match):
                await transport.exchange(get(), 5.0)

    run(work())
    assert tunnel.heads == []


def test_a_proxy_that_hangs_is_bounded_by_the_time_for_connecting() -> None:
    """Name, socket, proxy and TLS share one bound."""
    authority = Authority()
    tunnel = Tunnel(authority, b"", [])

    async def work() -> None:
        async with tunnelled(tunnel, authority) as transport:
            with pytest.raises(httpx.ConnectTimeout):
                await transport.exchange(get(), 0.05)

    run(work())


def test_without_tls_a_proxy_is_asked_for_the_whole_address() -> None:
    """It is told its password with each request."""
    service = Scripted([ok(b"1"), ok(b"2")])

    async def work() -> None:
        async with server(service) as port:
            endpoint = Endpoint("api.test", 80, None, Proxy(HOST, port, b"Basic x"))
            await all_of(HttpTransport(endpoint), get("/a"), get("/b"))

    run(work())
    assert [one.split(b"\r\n")[0] for one in service.heads] == [
        b"GET http://api.test:80/a HTTP/1.1",
        b"GET http://api.test:80/b HTTP/1.1",
    ]
    assert all(b"Proxy-Authorization: Basic x\r\n" in one for one in service.heads)


def test_no_repr_shows_a_proxys_password() -> None:
    """Nor does an endpoint's."""
    proxy = Proxy("proxy.test", 3128, b"Basic c2VjcmV0")
    assert "c2VjcmV0" not in f"{proxy} {Endpoint('api.test', 443, None, proxy)!r}"


def test_an_address_of_version_6_is_named_in_brackets() -> None:
    """In CONNECT, and not where it is connected to."""
    transport = open_transport(httpx.URL("http://[::1]:81"), ssl.create_default_context(), None)
    assert isinstance(transport, HttpTransport)
    assert Endpoint("::1", 81).authority == "[::1]:81"
    assert replace(Endpoint("::1", 81), host="api.test").authority == "api.test:81"


def test_a_proxy_spoken_to_over_tls_is_left_to_httpx() -> None:
    """Each request takes a connection of its own, because nobody says what was left on the last one."""
    authority = Authority()
    outer = authority.server(HOST)
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            asked.append(await head(reader))
            writer.write(ok(b"through") + SURPLUS)
            await writer.drain()

    async def work() -> None:
        async with server(serve, ssl=outer) as port:
            context = authority.client()
            through = httpx.Proxy(f"https://{HOST}:{port}", ssl_context=context)
            transport = open_transport(httpx.URL("http://api.test"), context, through)
            assert isinstance(transport, HttpxTransport)
            answers = [await transport.exchange(get(), 5.0) for _ in range(3)]
            assert [answer.body for answer in answers] == [b"through"] * 3
            await transport.aclose()

    run(work())
    assert len(asked) == 3
    assert asked[0].startswith(b"GET http://api.test/things HTTP/1.1")


def test_other_proxies_are_httpx_s_business() -> None:
    """SOCKS, where its module is there; without it httpx says so."""
    context = ssl.create_default_context()
    given = (httpx.URL("https://api.test"), context, httpx.Proxy("socks5://proxy.test:1"))
    if importlib.util.find_spec("socksio"):
        assert isinstance(open_transport(*given), HttpxTransport)
    else:
        with pytest.raises(ImportError, match="socksio"):
            open_transport(*given)


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
