"""The machine of one list: read it page by page, in several passes, until it is proven complete or may not be.

Pages of a changing list are no snapshot: one object deleted on a page already read and one added at the end
leave every count equal, and an object that slipped from page 8 to page 7 in between was never seen. Counts
alone therefore prove nothing. What does:

    After a pass has landed, one request reads ``total``; call the moment at which the service counts T.
    Let S be the objects seen in answers that had arrived before that request left, and E what exists at T.

    1.  Every object of S existed before T: it was shown.
    2.  If every object of S is also shown by an answer to a request that left after the count had arrived,
        every object of S existed after T as well. An object, once deleted, does not come back under its uuid,
        so it existed throughout, at T too: S is a subset of E.
    3.  If the count is the number of S, then S is a subset of E with as many members as E: S = E.

    Whatever was added after T is no part of E and does not disturb the argument; an object deleted after T
    and before it was seen again does, and so does one that ``gone_codes`` declare gone: when it went is not
    known, so that T proves nothing and a later T is needed. What is assumed: that the service's count and its
    pages speak of the same objects, that both are current, and that a deleted uuid stays deleted. With a
    filter, "exists" reads "is in the program", and coming back is moving away and back.

"Before" and "after" are numbers of passes, not clock times: pass n+1 begins when the count after pass n is on
disk, and a look-up after pass n counts as part of it. Killing the program or setting the clock back therefore
changes nothing. The argument holds for any order of the list, for pages that repeat, overlap or lack rows, and
for answers that lie about ``last_page``: they only make S too small or leave members of S unseen, and then
the count differs or step 2 fails, and the verdict is not "agreed".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from piggy_batch.client.retry import backoff_s
from piggy_batch.client.worker_pool import run_workers
from piggy_batch.endpoints.listings import at
from piggy_batch.errors import HaltError, SetupError
from piggy_batch.exporting.completeness import Completeness, CountReading, ReadOptions, ReadState
from piggy_batch.exporting.page_queue import PageQueue, StoppableIterator
from piggy_batch.exporting.pages import Page, Refusal, encode_items, parse_count, read_page, reader, refusal_of
from piggy_batch.models import Answer, Lost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from piggy_batch.client.session import Session
    from piggy_batch.endpoints.listings import Listing
    from piggy_batch.exporting.staging import StagingStore
    from piggy_batch.models import Json
    from piggy_batch.runs.progress import Progress

INVALID = 1003
CONTENT_TRIES = 3  # for an answer that came whole and cannot be the page asked for
BORDER_ROUNDS = 2  # readings of the first and last pages where count and cards differ
BORDER_PAGES = 50  # that may have been added while a pass was read
FAILED_IN_A_ROW = 20  # unreadable pages after which somebody should look
FLAT_PAGES = 1_000_000  # of a list that tells no last page
STEPS = (0, 3, 7, 11, 17, 19, 23, 29)  # what later passes take off the page size, so that borders fall elsewhere


class StoppedError(Exception):
    """The run stops: an interruption or a halt; what was in the air has landed."""


class ListReader:
    """One list under one set of filters, the ``walk``-th of its export."""

    def __init__(
        self,
        listing: Listing,
        filters: Mapping[str, str],
        walk: int,
        parts: StagingStore,
        session: Session,
        terms: ReadOptions,
        progress: Progress,
        grow: Callable[[int], None] = lambda _: None,  # told of pages beyond the planned two passes
    ) -> None:
        self.listing = listing
        self.filters = filters
        self.walk = walk
        self.state = ReadState.load(parts.state(walk), terms.page_size)
        self._parts = parts
        self._session = session
        self._terms = terms
        self._progress = progress
        self._grow = grow
        self._take = reader(listing, extra=terms.extra)
        self._failed_in_a_row = 0
        self._newest = 0
        self._refresh()

    @property
    def pages(self) -> int:
        """Pages of a pass as far as known; at least 1."""
        return max(1, self.state.first_last or 1)

    @property
    def label(self) -> str:
        """What this walk is limited to, for messages; empty for everything."""
        return " ".join(value for name, value in self.filters.items() if "[" not in name)

    async def begin(self, *, planned: bool = False) -> None:
        """Read page 1 unless it is there already: it tells how many there are. StoppedError: the run stops."""
        if not self._parts.pages_read(self.walk, self.state.number) and not self.state.landed:
            await self._read([1], planned=planned)
            if why := self.state.unread.pop(1, None):
                raise HaltError(f"page 1 of {self.listing.path} cannot be read: {why}")
        if self.state.first_last is None:
            self.state.first_last = self._parts.extent(self.walk, self.state.number)[0]
            self._save()

    async def go(self) -> None:
        """Read and prove; the verdict is in the state. StoppedError: the run stops, go on later."""
        state = self.state
        while state.verdict is None:
            if not state.landed:
                await self._pass()
                state.landed = True
                self._save()
            await self._weigh()
            self._save()

    # --- one pass ------------------------------------------------------------------------------------

    async def _pass(self) -> None:
        state, number = self.state, self.state.number
        state.unread = {}
        await self.begin(planned=True)
        done = self._parts.pages_read(self.walk, number)
        most = self._parts.extent(self.walk, number)[0]
        likely = most or 1
        if number > 1:
            likely = -(-self._parts.unseen(self.walk, number + 1) // state.size)
        await self._read(PageQueue(done, most, likely, self._bound(most, likely), self._brought_news), planned=True)
        await self._mend()
        if number > 1:
            await self._look_up()

    def _bound(self, most: int | None, likely: int) -> int:
        """How many pages a pass may grow to while it is read, so that a list that lies cannot go on for ever."""
        if most is not None:
            return 2 * most + 100
        return FLAT_PAGES if self.state.number == 1 else likely + 5

    async def _read(self, pages: Iterable[int], *, planned: bool = False) -> None:
        """Read pages of the current pass in parallel; what could not be read is in ``state.unread``.

        ``planned``: the progress knows of these pages.
        """
        course = pages if isinstance(pages, PageQueue) else None
        state = self.state

        async def work(page: int, slot: int) -> None:
            answered = await self._fetch(page, slot)
            found = self._refused(page, answered) if isinstance(answered, Refusal) else answered
            if found is None:
                return
            self._failed_in_a_row = 0
            state.unread.pop(page, None)
            session = self._session
            self._parts.keep(self.walk, state.number, found, session.clock.wall(), session.tally)
            if course is not None:
                course.learn(found)
            if state.number == 1:
                self._progress.note(self.listing.unit, len(found.items))
            if planned:
                self._progress.advance(f"pass {state.number}")

        source = StoppableIterator(self._session.stop, iter(pages))
        await run_workers(source, self._terms.concurrency, work, lambda _: self._session.stop.set("error"))
        self._check_stop()
        await self._merge()

    async def _merge(self) -> None:
        if self._parts.threaded:
            await asyncio.to_thread(self._parts.merge)
        else:
            self._parts.merge()

    def _refused(self, page: int, refusal: Refusal) -> Page | None:
        """What stands for a page that the service refuses: an empty one past the end, else None and a note."""
        least = self._parts.extent(self.walk, self.state.number)[1]
        if refusal.code == INVALID and page > 1 and least is not None and page > least:
            return Page(page, self.state.size, (), None, None)
        if refusal.code in self.listing.unknown_codes:
            raise SetupError(
                f"{self.label}: {refusal.message} ({refusal.code}); see what is there: piggy-batch giftcards programs"
            )
        if refusal.code == INVALID and page == 1:
            raise SetupError(
                f"the service refuses {self.listing.size_param}={self.state.size} or another parameter "
                f"({refusal.message}); try --page-size 30"
            )
        self.state.unread[page] = refusal.message
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= FAILED_IN_A_ROW:
            self._session.halt(f"{self._failed_in_a_row} pages in a row could not be read, last {refusal.message}")
        return None

    async def _fetch(self, page: int, slot: int) -> Page | Refusal:
        request = self.listing.page_request(self.filters, page, self.state.size)
        tries = 0
        while True:
            tries += 1
            answer = await self._ask(request, slot)
            found = read_page(self.listing, self._take, answer, page, self.state.size)
            if isinstance(found, Refusal):
                # A loss, a refusal and what is no JSON have been asked for often enough by the courier.
                given_up = isinstance(answer, Lost) or answer.status >= 300 or not answer.is_json
                enough = given_up or tries >= self._terms.attempts
            else:
                endless = page == 1 and found.last_page is None
                enough = not (found.flaw or endless) or tries >= CONTENT_TRIES
            if enough:
                return found
            if await self._session.stop.wait(backoff_s(tries, self._session.rng)):
                raise StoppedError
            self._session.tally.retried += 1

    async def _ask(self, request: Json, slot: int) -> Answer:
        answer = await self._session.read(request, slot, self._terms.attempts)
        if answer is None:
            raise StoppedError
        return answer

    def _brought_news(self) -> bool:
        """Whether the last page of a list without end brought something that was not seen before."""
        if self.state.number > 1:
            return True
        self._parts.merge()
        newest, self._newest = self._newest, self._parts.newest()
        return self._newest > newest

    async def _mend(self) -> None:
        """Read once more what may have shown too little; a list whose pages are all short is just like that."""
        number = self.state.number
        suspects = self._parts.suspects(self.walk, number)
        if len(suspects) > max(20, len(self._parts.pages_read(self.walk, number)) // 10):
            suspects = []
        again = sorted({*suspects, *self.state.unread})
        if again:
            self.state.repeated += len(again)
            self._session.notify(f"pass {number}: {len(again):,} pages showed too little and are read again")
            await self._read(again)

    # --- look-ups --------------------------------------------------------------------------------------

    async def _look_up(self) -> None:
        """Look up what an earlier pass has seen and this one has not, where that costs no more than a pass."""
        number, last = self.state.number, self.state.number >= self._terms.max_passes
        left = self._parts.unseen(self.walk, number)
        if not left or self.listing.single is None:
            return
        most = 10 * self.pages + 1000 if last else max(50, self.pages)
        if left > most:
            self._session.notify(
                f"pass {number}: {left:,} {self.listing.unit} were not seen again; too many to look up"
            )
            return
        self._session.notify(f"pass {number}: {left:,} {self.listing.unit} were not seen again and are looked up")

        async def work(straggler: tuple[str, str], slot: int) -> None:
            await self._settle(*straggler, slot)

        source = StoppableIterator(self._session.stop, self._parts.stragglers(self.walk, number))
        await run_workers(source, self._terms.concurrency, work, lambda _: self._session.stop.set("error"))
        self._check_stop()

    async def _settle(self, key: str, body: str, slot: int) -> None:
        """See one object again, or learn that it is gone; anything else leaves it unseen."""
        answer = await self._ask(self.listing.single_request(key), slot)
        session, number = self._session, self.state.number
        refusal = refusal_of(answer)
        if refusal is not None or isinstance(answer, Lost):
            if refusal is not None and refusal.code in self.listing.gone_codes:
                self._parts.gone(self.walk, number, key, session.tally)
            return
        item = answer.body["data"]
        taken = self._take(item)
        if taken is None or taken[0] != key:
            return
        wanted = self.filters.get(self.listing.group_filter or "")
        if wanted is not None and self.listing.group is not None:
            group = at(item, self.listing.group)
            if group is None:
                return  # the documented short form does not say; only the list itself can
            if group != wanted:
                self._parts.gone(self.walk, number, key, session.tally)
                return
        _, watched, values, _ = taken
        old, extra = json.loads(body)
        shown = [
            new if _has(item, f.path) else before
            for f, new, before in zip(self.listing.fields, values, old, strict=True)
        ]
        text = encode_items([(key, watched, shown, extra)])[0]
        self._parts.again(self.walk, number, key, watched, text, session.clock.wall(), session.tally)

    # --- the proof -------------------------------------------------------------------------------------

    async def _weigh(self) -> None:
        """Whether a count is proven by now; else take one, and say what comes next."""
        state, terms = self.state, self._terms
        if state.pending is not None and self._proven(state.pending):
            state.verdict, state.upto = Completeness.AGREED, state.pending.number
            return
        fits = await self._count()
        held = self._parts.unseen(self.walk, state.number + 1)
        if fits and (held == 0 or terms.quick):
            state.verdict = Completeness.COUNTS_AGREE if held else Completeness.AGREED
            state.upto = state.number
            return
        blind = state.latest is None and state.number > 1  # without a count there is no proof, however often
        if terms.quick or blind or state.number >= terms.max_passes:
            state.verdict = Completeness.COUNTS_DIFFER if terms.quick else Completeness.NOT_AGREED
            return
        if not fits:
            state.differed += 1
            size = self._terms.page_size
            step = STEPS[state.differed % len(STEPS)]
            state.size = max(1, size - step) if size > 2 * step else min(self.listing.max_size, size + step)
        state.number += 1
        state.landed = False
        if not fits:
            seen = f"{held:,} {self.listing.unit} seen, {self._total_words()}"
            self._session.notify(f"{seen}: pass {state.number} follows, with {state.size} a page")
        if state.number > 2:
            self._grow(self.pages)

    def _proven(self, moment: CountReading) -> bool:
        counts = self._parts.counts(self.walk, moment.number)
        return counts.held == counts.again == moment.total

    async def _count(self) -> bool:
        """Take the count, with the first and last pages read again where it differs; whether it fits now."""
        state = self.state
        for rounds in range(BORDER_ROUNDS + 1):
            moment = state.latest = await self._moment()
            held = self._parts.unseen(self.walk, state.number + 1)
            if moment is not None and moment.total == held:
                state.pending = moment
                return True
            if rounds == BORDER_ROUNDS or moment is None or held > moment.total:
                break
            known, rows = self._parts.last_page(self.walk, state.number)
            now = -(-moment.total // state.size)
            added = range(known + 1, min(now, known + BORDER_PAGES) + 1) if rows else ()
            await self._read(sorted({1, max(1, min(known, now)), *added}))
        if state.pending is not None and not self._open(state.pending):
            state.pending = None
        return False

    def _open(self, moment: CountReading) -> bool:
        """Whether a count may still be proven: nothing of what was seen then is known to be gone."""
        counts = self._parts.counts(self.walk, moment.number)
        return counts.held == moment.total == counts.again + counts.left

    async def _moment(self) -> CountReading | None:
        """One request for ``total``; None where the service tells none."""
        size = 1
        for _ in range(CONTENT_TRIES):
            answer = await self._ask(self.listing.page_request(self.filters, 1, size), 0)
            refusal = refusal_of(answer)
            if refusal is None and not isinstance(answer, Lost):
                total = parse_count(at(answer.body, "meta.total"))
                if total is not None:
                    return CountReading(self.state.number, total, self._session.clock.wall())
            elif refusal is not None and refusal.code == INVALID:
                size = self.state.size
            elif not isinstance(answer, Lost) and answer.status < 300 and not answer.is_json:
                break  # asked for often enough by the courier
        return None

    # --- small things ------------------------------------------------------------------------------------

    def _total_words(self) -> str:
        latest = self.state.latest
        return "the service tells no total" if latest is None else f"the service counts {latest.total:,}"

    def _check_stop(self) -> None:
        if self._session.stop:
            raise StoppedError

    def _save(self) -> None:
        self._parts.set_state(self.walk, asdict(self.state))

    def _refresh(self) -> None:
        """What an interrupted walk read too long ago is read again."""
        state, limit = self.state, self._session.clock.wall() - self._terms.max_age_s
        if not self._parts.pages_read(self.walk, 1):
            return
        self._parts.merge()
        old = [m for m in (state.pending, state.latest) if m is not None and m.at < limit]
        if old:
            self._session.notify("an earlier walk was interrupted longer ago than --max-age: everything is read again")
            self._parts.forget_walk(self.walk)
            self.state = ReadState(size=self._terms.page_size)
            return
        forgotten = 0 if state.verdict else self._parts.forget_pages(self.walk, state.number, limit)
        if forgotten:
            self._session.notify(f"{forgotten:,} pages read longer ago than --max-age are read again")
            state.landed = False


def _has(item: Json, path: str) -> bool:
    """Whether an object has something at a path, be it null."""
    *heads, last = path.split(".")
    for part in heads:
        item = item.get(part) if isinstance(item, Mapping) else None
    return isinstance(item, Mapping) and last in item
