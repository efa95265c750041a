"""Ways through a proxy: what it is told, and what counts as not sent where it does not connect."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib.util
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from piggy_batch.client.connection import Endpoint, Proxy
from piggy_batch.client.transport import HttpTransport, HttpxTransport, open_transport
from tests.support.loopback import HOST, Authority, Scripted, all_of, get, head, ok, run, server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.process


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
            writer.write(ok(b"through") + ok(b"nobody's"))
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
