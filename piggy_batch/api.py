"""The room of httpx: requests in, answers or losses out.

Only what cannot have reached the server is called *not sent*; every other exception after the hand-over
to httpx, of whatever kind, is *maybe applied*.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self
from urllib.request import getproxies, proxy_bypass

import httpx

from piggy_batch import __version__
from piggy_batch.errors import SetupError
from piggy_batch.model import Answer, Json, Lost, Reply, Request

if TYPE_CHECKING:
    from pathlib import Path

PREFIX = "/api/v3/oauth/clients"
MAX_BODY = 32 * 1024 * 1024  # bytes, decoded; a page of 100 heavy contacts is about 1 MB
CONNECT_SHARE = 0.5  # of --timeout: a stalled connection must be told apart from a stalled answer
KEEP_S = 4.0  # idle connections are closed before a server does it: a request on a dying one is in doubt
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


Transport = Callable[[], httpx.AsyncBaseTransport]


@dataclass(frozen=True, slots=True)
class Target:
    """Which service, as whom. ``repr`` hides the token."""

    base_url: str
    token: str
    ca_file: Path | None = None

    def __repr__(self) -> str:
        return f"Target(base_url={self.base_url!r}, token=…)"

    @property
    def loopback(self) -> bool:
        """Whether the service is on this machine."""
        host = httpx.URL(self.base_url).host
        if host == "localhost":
            return True
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return False


def make_target(base_url: str, token: str, ca_file: Path | None = None) -> Target:
    """Check address and token; SetupError where one cannot be used."""
    try:
        url = httpx.URL(base_url.rstrip("/"))
    except httpx.InvalidURL as error:
        raise SetupError(f"--base-url {base_url!r} is no address: {error}") from None
    if url.scheme not in {"https", "http"} or not url.host:
        raise SetupError(f"--base-url {base_url!r} is no address; write it as https://api.piggy.eu")
    if url.userinfo or url.query or url.fragment:
        raise SetupError("--base-url must be only a scheme, a host and perhaps a port: no user, query or fragment")
    target = Target(str(url).rstrip("/"), token, ca_file)
    if url.scheme != "https" and not target.loopback:
        raise SetupError(f"--base-url {base_url} is not https, so the token could be read on the way; use https")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise SetupError("the token holds characters that no token has; copy it again, without line breaks")
    return target


class _NoTurnError(Exception):
    """The run stops before this request's turn came."""


class _Paced(httpx.AsyncBaseTransport):
    """Waits for the request's turn as the very last thing before the connection gets it."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.extensions["depart"]()
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


class Api:
    """One service, one token; each worker sends through a connection of its own (a shared pool is O(n)).

    ``transport``: made once for each connection, for tests. Close it with ``async with``.
    """

    def __init__(
        self,
        target: Target,
        *,
        timeout_s: float = 30.0,
        transport: Transport | None = None,
    ) -> None:
        self.target = target
        self.timeout_s = timeout_s
        self._transport = transport
        self._clients: dict[int, httpx.AsyncClient] = {}
        self._ssl: ssl.SSLContext | None = None
        self._headers = {
            "Authorization": f"Bearer {target.token}",
            "Accept": "application/json",
            "User-Agent": f"piggy-batch/{__version__}",
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    @property
    def proxy(self) -> str | None:
        """The proxy that the environment asks for, without its password; None: none."""
        found = self._proxy()
        return str(httpx.URL(found).copy_with(userinfo=b"")) if found else None

    def _proxy(self) -> str | None:
        url = httpx.URL(self.target.base_url)
        if self.target.loopback or proxy_bypass(url.host):
            return None
        known = getproxies()
        return known.get(url.scheme) or known.get("all")

    async def send(self, request: Request, slot: int, turn: Callable[[], Awaitable[bool]]) -> Answer | None:
        """Send one request when ``turn`` says so, and wait for the whole answer.

        ``timeout_s`` counts from the departure. None: ``turn`` said no, and nothing has left.
        """
        client = self._client(slot)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(None) as bound:

                async def depart() -> None:
                    nonlocal started
                    if not await turn():
                        raise _NoTurnError  # noqa: TRY301 - it has to travel through httpx
                    started = loop.time()
                    bound.reschedule(started + self.timeout_s)

                reply = await self._exchange(client, request, depart)
        except _NoTurnError:
            return None
        except NOT_SENT as error:
            return Lost(_describe(error), sent=False)
        except TimeoutError:
            return Lost(f"no whole answer within {self.timeout_s:g} s", sent=True)
        except Exception as error:  # noqa: BLE001 - whatever went wrong after the hand-over, it may be applied
            return Lost(_describe(error), sent=True)
        return replace(reply, elapsed_s=loop.time() - started) if isinstance(reply, Reply) else reply

    async def _exchange(
        self, client: httpx.AsyncClient, request: Request, depart: Callable[[], Awaitable[None]]
    ) -> Answer:
        url = f"{self.target.base_url}{PREFIX}" + (f"/{request.path}" if request.path else "")
        built = client.build_request(
            request.method,
            url,
            params=request.query or None,
            content=None if request.body is None else _encode(request.body),
            headers=None if request.body is None else {"Content-Type": "application/json"},
            extensions={"depart": depart},
        )
        response = await client.send(built, stream=True)
        try:
            chunks, size = [], 0
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > MAX_BODY:
                    return Lost(f"the answer is larger than {MAX_BODY // 1024 // 1024} MiB", sent=True)
                chunks.append(chunk)
        finally:
            await response.aclose()
        return _reply(response.status_code, response.headers, b"".join(chunks))

    def _client(self, slot: int) -> httpx.AsyncClient:
        client = self._clients.get(slot)
        if client is None:
            client = self._clients[slot] = self._open()
        return client

    def _open(self) -> httpx.AsyncClient:
        connect_s = min(10.0, self.timeout_s * CONNECT_SHARE)
        client = httpx.AsyncClient(
            headers=self._headers,
            timeout=httpx.Timeout(None, connect=connect_s, pool=connect_s),
            follow_redirects=False,
            trust_env=False,  # proxies are chosen here, and nothing is read from .netrc
            transport=_Paced(self._transport() if self._transport else self._connection()),
        )
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return client

    def _connection(self) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(
            verify=self._context(),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_S),
            proxy=self._proxy(),
        )

    def _context(self) -> ssl.SSLContext:
        """One context for all connections: making one takes tens of milliseconds."""
        if self._ssl is None:
            try:
                if self.target.ca_file is not None:
                    self._ssl = ssl.create_default_context(cafile=str(self.target.ca_file))
                else:
                    self._ssl = httpx.create_ssl_context(trust_env=True)
            except (OSError, ssl.SSLError) as error:
                raise SetupError(f"--ca-file {self.target.ca_file}: {error}; give a file of PEM certificates") from None
        return self._ssl


def _encode(body: Mapping[str, Json]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _reply(status: int, headers: httpx.Headers, content: bytes) -> Reply:
    try:
        body = json.loads(content) if content else None
        is_json = bool(content)
    except (ValueError, RecursionError):
        body, is_json = None, False
    return Reply(
        status=status,
        body=body,
        is_json=is_json,
        wait_s=retry_after(headers.get("retry-after"), time.time()),
        location=headers.get("location"),
        text="" if is_json else content[:200].decode("utf-8", "replace"),
        limit=_whole(headers.get("x-ratelimit-limit")),
        remaining=_whole(headers.get("x-ratelimit-remaining")),
    )


def retry_after(text: str | None, now_s: float) -> float | None:
    """Seconds that a Retry-After header asks for: a number or an HTTP date; None where it says nothing."""
    if text is None:
        return None
    text = text.strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now_s)
    except (ValueError, TypeError, OverflowError):
        return None


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.strip().isdigit() and len(text) < 12 else None


def _describe(error: BaseException) -> str:
    words = str(error).strip()
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def read_token(token_file: Path | None) -> str:
    """The token, from ``PIGGY_TOKEN`` or the token file; SetupError where there is none."""
    text = os.environ.get("PIGGY_TOKEN", "").strip()
    if token_file is not None:
        try:
            text = token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise SetupError(f"--token-file {token_file}: {why}") from None
        if not text:
            raise SetupError(f"--token-file {token_file} is empty; put the token in it")
    if not text:
        raise SetupError("no token: set PIGGY_TOKEN, or name a file with --token-file")
    return text
