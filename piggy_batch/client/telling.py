"""The api with ``-v``: a line for each request, where it went and how it ended."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from piggy_batch.client.http import HttpClient, TransportFactory
from piggy_batch.models import Answer, Lost, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from piggy_batch.client.target import Target


class TellingApi(HttpClient):
    """As :class:`HttpClient`; ``tell`` gets a line once a request has ended."""

    def __init__(
        self,
        target: Target,
        tell: Callable[[str], None],
        *,
        timeout_s: float,
        transport: TransportFactory | None = None,
        wall: Callable[[], float] = time.time,
        on_sent: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(target, timeout_s=timeout_s, transport=transport, wall=wall, on_sent=on_sent)
        self._say = tell

    async def send(self, request: Request, slot: int, turn: Callable[[], Awaitable[bool]]) -> Answer | None:
        """As :meth:`HttpClient.send`."""
        loop = asyncio.get_running_loop()
        left_at = loop.time()

        async def timed() -> bool:
            nonlocal left_at
            given = await turn()
            left_at = loop.time()
            return given

        answer = await super().send(request, slot, timed)
        if answer is not None:
            self._say(line_of(request, answer, loop.time() - left_at))
        return answer


def line_of(request: Request, answer: Answer, elapsed_s: float) -> str:
    """One request: method, path, status or what was lost, seconds. Of the path only what the service calls its
    own things: no query, and for whatever names a card or a person an ellipsis."""
    path = "/".join(part if _word(part) else "…" for part in request.path.split("/")) if request.path else ""
    ended = answer.reason if isinstance(answer, Lost) else str(answer.status)
    return f"{request.method} /{path} {ended} {elapsed_s:.3f} s"


def _word(part: str) -> bool:
    return part.isascii() and part.islower() and part.replace("-", "").isalpha()
