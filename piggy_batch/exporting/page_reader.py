"""Requests about one list, each repeated until it has a usable answer: a page, the total, a single object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piggy_batch.client.retry import backoff_s
from piggy_batch.endpoints.responses import get_path
from piggy_batch.exporting.pages import (
    INVALID,
    ItemReading,
    Page,
    Refusal,
    item_reader,
    parse_count,
    read_page,
    read_single,
    refusal_of,
)
from piggy_batch.models import Answer, Lost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.client.session import Session
    from piggy_batch.endpoints.exportable_lists import Listing
    from piggy_batch.exporting.completeness import ReadOptions
    from piggy_batch.models import Request

CONTENT_TRIES = 3  # for an answer that came whole and cannot be what was asked for


class StoppedError(Exception):
    """The run stops: an interruption or a halt; what was in the air has landed."""


class PageReader:
    """Asks for what a list under one set of filters shows. Every method raises StoppedError where the run stops."""

    def __init__(self, listing: Listing, filters: Mapping[str, str], session: Session, options: ReadOptions) -> None:
        self._listing = listing
        self._filters = filters
        self._session = session
        self._attempts = options.attempts
        self._read_item = item_reader(listing, extra=options.extra)

    async def page(self, number: int, size: int, slot: int) -> Page | Refusal:
        """One page; where it stays flawed, as it came last."""
        request = self._listing.page_request(self._filters, number, size)
        tries = 0
        while True:
            tries += 1
            answer = await self._ask(request, slot)
            found = read_page(self._listing, self._read_item, answer, number, size)
            if isinstance(found, Refusal):
                # A loss, a refusal and what is no JSON have been asked for often enough by the session.
                given_up = isinstance(answer, Lost) or answer.status >= 300 or not answer.is_json
                enough = given_up or tries >= self._attempts
            else:
                endless = number == 1 and found.last_page is None
                enough = not (found.flaw or endless) or tries >= CONTENT_TRIES
            if enough:
                return found
            if await self._session.stop.wait(backoff_s(tries, self._session.rng)):
                raise StoppedError
            self._session.tally.retried += 1

    async def total(self, page_size: int) -> int | None:
        """How many objects the service counts; None where it does not tell. ``page_size``: one that it accepts."""
        size = 1
        for _ in range(CONTENT_TRIES):
            answer = await self._ask(self._listing.page_request(self._filters, 1, size), 0)
            refusal = refusal_of(answer)
            if refusal is None and not isinstance(answer, Lost):
                total = parse_count(get_path(answer.body, "meta.total"))
                if total is not None:
                    return total
            elif refusal is not None and refusal.code == INVALID:
                size = page_size
            elif not isinstance(answer, Lost) and answer.status < 300 and not answer.is_json:
                break  # asked for often enough by the session
        return None

    async def single(self, key: str, stored: str, slot: int) -> ItemReading | None:
        """One object by its key; see :func:`read_single`."""
        answer = await self._ask(self._listing.single_request(key), slot)
        group = self._filters.get(self._listing.group_filter or "")
        return read_single(self._listing, self._read_item, answer, key, stored, group)

    async def _ask(self, request: Request, slot: int) -> Answer:
        answer = await self._session.read(request, slot, self._attempts)
        if answer is None:
            raise StoppedError
        return answer
