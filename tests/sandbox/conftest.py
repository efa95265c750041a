"""A sandbox in process and a way to ask it, without sockets, threads or waiting."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from piggy_batch.sandbox import Sandbox, Settings, make_app

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = "http://sandbox.test/api/v3/oauth/clients"


class Asker:
    """Asks one sandbox; every call is a whole conversation on an event loop of its own."""

    def __init__(self, **switches: Any) -> None:
        self.now = 1_800_000_000.0
        switches.setdefault("clock", lambda: self.now)
        self.sandbox = Sandbox(Settings(**switches))

    def __call__(self, method: str, path: str, *, token: str | None = "sandbox", **rest: Any) -> httpx.Response:
        url = path if path.startswith("http") else BASE + path
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        headers |= rest.pop("headers", {})

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=make_app(self.sandbox))
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(method, url, headers=headers, **rest)

        return asyncio.run(ask())

    def data(self, method: str, path: str, **rest: Any) -> Any:
        """The data of a success."""
        reply = self(method, path, **rest)
        assert reply.status_code == 200, reply.text
        return reply.json()["data"]

    def code(self, method: str, path: str, **rest: Any) -> int:
        """The code of a refusal, which is always HTTP 400 with the three documented fields."""
        reply = self(method, path, **rest)
        body = reply.json()
        assert reply.status_code == body["status_code"] == 400
        assert isinstance(body["message"], str)
        code = body["code"]
        assert isinstance(code, int)
        return code

    def admin(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """The admin routes, without a token."""
        return self(method, f"http://sandbox.test/_sandbox/{path}", token=None, **rest)

    def state(self) -> Any:
        return self.admin("GET", "state").json()

    def rows(self, path: str) -> list[Any]:
        return [json.loads(line) for line in self.admin("GET", path).text.splitlines()]


@pytest.fixture
def make() -> Callable[..., Asker]:
    """Makes a sandbox with the given switches, and what asks it."""
    return Asker


@pytest.fixture
def ask() -> Asker:
    """A sandbox with a little of everything."""
    return Asker(contacts=5, identifiers=4, giftcards=20, transactions=10)


@pytest.fixture
def contact(ask: Asker) -> Any:
    """The first contact."""
    return ask.data("GET", "/contacts/find-one-by", params={"email": "customer1@example.test"})
