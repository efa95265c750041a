"""A lean server for benchmarks: the few answers that are needed, after a fixed latency, on loopback.

It is not the sandbox: on two cores a faithful stand-in costs more CPU for each request than any client, and all
contenders would be measured against its pace. The same server serves every contender.

``python -m tests.bench.server --latency-ms 20`` prints its port, then serves until it is stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import socket
import sys
import time
from urllib.parse import parse_qs, unquote

PREFIX = b"/api/v3/oauth/clients"
PAGE_SIZE = 100  # cards a page at most
_META = '"meta":[]}'
_PING = b'{"data":{"company":"Bench Shop","id":1,"uuid":"b-1"},"meta":[]}'


class Bench:
    """What all connections share: settings, counts, and when requests arrived."""

    def __init__(self, latency_s: float, cards: int) -> None:
        self.latency_s = latency_s
        self.cards = cards
        self.requests = 0
        self.arrivals: list[float] = []  # monotonic seconds, which all processes of the machine share
        self.pages: dict[tuple[int, int], bytes] = {}

    def answer(self, method: bytes, target: bytes, body: bytes) -> bytes:
        """The JSON of one answer."""
        path, _, query = target.partition(b"?")
        if path == b"/_bench":
            found = {"requests": self.requests, "arrivals": self.arrivals}
            self.requests, self.arrivals = 0, []
            return json.dumps(found).encode()
        self.requests += 1
        self.arrivals.append(time.monotonic())
        match method, path.removeprefix(PREFIX).strip(b"/"):
            case b"GET", b"":
                return _PING
            case b"POST", b"contact-identifiers":
                return _identifier(json.loads(body))
            case b"GET", b"contact-identifiers/find":
                value = unquote(query.decode().partition("=")[2])
                return _identifier({"contact_identifier_value": value})
            case b"GET", b"giftcards":
                asked = parse_qs(query.decode())
                return self._page(int(asked.get("page", ["1"])[0]), int(asked.get("limit", ["10"])[0]))
            case b"GET", b"giftcard-programs":
                return b'{"data":[{"id":1,"uuid":"p-1","name":"Program","active":true,"card_count":1}],"meta":[]}'
        return b'{"data":null,"meta":[]}'

    def _page(self, page: int, size: int) -> bytes:
        size = min(size, PAGE_SIZE)
        known = self.pages.get((page, size))
        if known is None:
            first, last = (page - 1) * size, min(page * size, self.cards)
            meta = {"total": self.cards, "page": page, "limit": size, "last_page": -(-self.cards // size)}
            known = json.dumps({"data": [_card(n) for n in range(first, last)], "meta": meta}).encode()
            self.pages[page, size] = known
        return known


def _identifier(asked: dict[str, str]) -> bytes:
    value = asked["contact_identifier_value"]
    contact = asked.get("contact_uuid")
    data = {
        "value": value,
        "name": asked.get("contact_identifier_name", value),
        "active": True,
        "contact": {"uuid": contact, "email": "guest@example.test"} if contact else None,
    }
    return f'{{"data":{json.dumps(data)},{_META}'.encode()


def _card(number: int) -> dict[str, object]:
    return {
        "uuid": f"{number:08x}-0000-4000-8000-{number:012x}",
        "type": "DIGITAL",
        "hash": f"{number:09d}",
        "expiration_date": "2030-01-31T23:59:59+00:00",
        "active": True,
        "upgradeable": True,
        "amount_in_cents": number % 400 * 25,
        "giftcard_program": {"uuid": "p-1", "name": "Program"},
    }


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests are answered in their order."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request that has arrived."""
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end]
            lowered = head.lower()
            at = lowered.find(b"\r\ncontent-length:")
            length = int(lowered[at + 17 :].partition(b"\r\n")[0]) if at >= 0 else 0
            if len(self._data) < end + 4 + length:
                if b"\r\nexpect: 100-continue" in lowered and self._transport:
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body = self._data[end + 4 : end + 4 + length]
            self._data = self._data[end + 4 + length :]
            method, target, _ = head.partition(b"\r\n")[0].split(b" ", 2)
            content = self._bench.answer(method, target, body)
            answer = b"".join(
                (
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n",
                    b"x-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 4999\r\ncontent-length: ",
                    str(len(content)).encode(),
                    b"\r\n\r\n",
                    content,
                )
            )
            latency_s = 0.0 if target == b"/_bench" else self._bench.latency_s
            if latency_s:
                asyncio.get_running_loop().call_later(latency_s, self._send, answer)
            else:
                self._send(answer)

    def _send(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


async def serve(bench: Bench) -> None:
    """Print the port, then serve until cancelled."""
    # Named TCP, because asyncio sends without delay only then.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", 0))
        server = await asyncio.get_running_loop().create_server(lambda: Connection(bench), sock=listening, backlog=1024)
        print(listening.getsockname()[1], flush=True)
        async with server:
            await server.serve_forever()


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency-ms", type=float, default=20.0)
    parser.add_argument("--cards", type=int, default=1000)
    options = parser.parse_args()
    gc.freeze()
    gc.disable()  # nothing here makes cycles; a collection would show up as latency
    try:
        asyncio.run(serve(Bench(options.latency_ms / 1000, options.cards)))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
