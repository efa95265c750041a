"""Reads one list page by page, in passes, into the staging store, and takes the counts between them.

What is done with it stands in :mod:`piggy_batch.exporting.completeness_proof`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from piggy_batch.client.worker_pool import run_workers
from piggy_batch.errors import HaltError
from piggy_batch.exporting.completeness import (
    CountReading,
    ReadOptions,
    ReadState,
    SeenCounts,
    border_pages,
    is_proven,
    may_be_proven,
    most_look_ups,
    next_page_size,
)
from piggy_batch.exporting.page_queue import PageQueue, StoppableIterator, page_bound
from piggy_batch.exporting.page_reader import PageReader, StoppedError
from piggy_batch.exporting.pages import Page, Refusal, is_past_the_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from piggy_batch.client.session import Session
    from piggy_batch.endpoints.exportable_lists import Listing
    from piggy_batch.exporting.staging import StagingStore
    from piggy_batch.runs.progress import ProgressReporter

BORDER_ROUNDS = 2  # readings of the first and last pages where the count and what was seen differ
FAILED_IN_A_ROW = 20  # unreadable pages after which somebody should look


class ListReader:
    """One list under one set of filters, the ``list_id``-th of its export.

    ``on_more_pages`` is told of pages beyond the planned two passes.
    """

    def __init__(
        self,
        listing: Listing,
        filters: Mapping[str, str],
        list_id: int,
        store: StagingStore,
        session: Session,
        options: ReadOptions,
        progress: ProgressReporter,
        on_more_pages: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.listing = listing
        self.filters = filters
        self.list_id = list_id
        self.state = ReadState.load(store.state(list_id), options.page_size)
        self._store = store
        self._session = session
        self._options = options
        self._progress = progress
        self._on_more_pages = on_more_pages
        self._reader = PageReader(listing, filters, session, options)
        self._failed_in_a_row = 0
        self._items_before = 0
        self._forget_what_is_too_old()

    @property
    def pages(self) -> int:
        """Pages of a pass as far as known; at least 1."""
        return max(1, self.state.first_last or 1)

    @property
    def pages_planned(self) -> int:
        """Pages of all passes as far as planned."""
        return self.pages * max(self.state.number, 1 if self._options.quick else 2)

    @property
    def pages_kept(self) -> int:
        """Pages that are in the store, of all passes."""
        return sum(len(self._store.pages_read(self.list_id, n)) for n in range(1, self.state.number + 1))

    @property
    def held(self) -> int:
        """Objects seen and not known to be deleted."""
        return self._store.count_unseen(self.list_id, self.state.number + 1)

    @property
    def label(self) -> str:
        """What this list is limited to, for messages; empty for everything."""
        return " ".join(value for name, value in self.filters.items() if "[" not in name)

    async def begin(self, *, planned: bool = False) -> None:
        """Read page 1 unless it is there already: it tells how many there are. StoppedError: the run stops."""
        if not self._store.pages_read(self.list_id, self.state.number) and not self.state.landed:
            await self._read([1], planned=planned)
            if why := self.state.unread.pop(1, None):
                raise HaltError(f"page 1 of {self.listing.path} cannot be read: {why}")
        if self.state.first_last is None:
            self.state.first_last = self._store.last_page_range(self.list_id, self.state.number)[0]
            self._save()

    async def read_pass(self) -> None:
        """Read the current pass to its end; where that has landed, the next one. StoppedError: the run stops."""
        if self.state.landed:
            self.state.number, self.state.landed = self.state.number + 1, False
        await self._read_pages_and_look_up()
        self.state.landed = True
        self._save()

    def begin_next_pass(self, *, fits: bool) -> None:
        """Another pass follows; ``fits``: whether the count equalled what was seen."""
        state = self.state
        if not fits:
            state.differed += 1
            state.size = next_page_size(state.differed, self._options.page_size, self.listing.max_size)
            counted = f"the service counts {state.latest.total:,}" if state.latest else "the service tells no total"
            self._session.notify(
                f"{self.label and f'{self.label}: '}{self.held:,} {self.listing.unit} seen, {counted}: pass "
                f"{state.number + 1} follows, with {state.size} a page"
            )
        state.number, state.landed = state.number + 1, False
        if state.number > 2:
            self._on_more_pages(self.pages)

    async def _read_pages_and_look_up(self) -> None:
        state, number = self.state, self.state.number
        state.unread = {}
        await self.begin(planned=True)
        done = self._store.pages_read(self.list_id, number)
        most = self._store.last_page_range(self.list_id, number)[0]
        likely = most or 1
        if number > 1:
            likely = -(-self._store.count_unseen(self.list_id, number + 1) // state.size)
        bound = page_bound(most, likely, first=number == 1)
        await self._read(PageQueue(done, most, likely, bound, self._brought_news), planned=True)
        await self._read_suspects_again()
        if number > 1:
            await self._look_up_unseen()

    async def _read(self, pages: Iterable[int], *, planned: bool = False) -> None:
        """Read pages of the current pass in parallel; what could not be read is in ``state.unread``.

        ``planned``: the progress knows of these pages.
        """
        queue = pages if isinstance(pages, PageQueue) else None
        state = self.state

        async def work(page: int, slot: int) -> None:
            answered = await self._reader.page(page, state.size, slot)
            found = self._refused(page, answered) if isinstance(answered, Refusal) else answered
            if found is None:
                return
            self._failed_in_a_row = 0
            state.unread.pop(page, None)
            session = self._session
            self._store.keep_page(self.list_id, state.number, found, session.clock.wall(), session.tally)
            if queue is not None:
                queue.learn(found)
            if state.number == 1:
                self._progress.note(self.listing.unit, len(found.items))
            if planned:
                self._progress.advance(f"pass {state.number}")

        source = StoppableIterator(self._session.stop, iter(pages))
        await run_workers(source, self._options.concurrency, work, lambda _: self._session.stop.set("error"))
        self._check_stop()
        await self._store.in_thread(self._store.merge)

    def _refused(self, page: int, refusal: Refusal) -> Page | None:
        """What stands for a page that the service refuses: an empty one past the end, else None and a note."""
        least = self._store.last_page_range(self.list_id, self.state.number)[1]
        if is_past_the_end(self.listing, self.label, refusal, page, self.state.size, least):
            return Page(page, self.state.size, (), None, None)
        self.state.unread[page] = refusal.message
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= FAILED_IN_A_ROW:
            self._session.halt(f"{self._failed_in_a_row} pages in a row could not be read, last {refusal.message}")
        return None

    def _brought_news(self) -> bool:
        """Whether the last page of a list without end brought something that was not seen before."""
        if self.state.number > 1:
            return True
        self._store.merge()
        before, self._items_before = self._items_before, self._store.count_items()
        return self._items_before > before

    async def _read_suspects_again(self) -> None:
        """Read once more what may have shown too little; a list whose pages are all short is just like that."""
        number = self.state.number
        suspects = self._store.suspect_pages(self.list_id, number)
        if len(suspects) > max(20, len(self._store.pages_read(self.list_id, number)) // 10):
            suspects = []
        again = sorted({*suspects, *self.state.unread})
        if again:
            self.state.repeated += len(again)
            self._session.notify(f"pass {number}: {len(again):,} pages showed too little and are read again")
            await self._read(again)

    async def _look_up_unseen(self) -> None:
        """Look up what an earlier pass has seen and this one has not, where that costs no more than a pass."""
        number = self.state.number
        left = self._store.count_unseen(self.list_id, number)
        if not left or self.listing.single is None:
            return
        found = f"pass {number}: {left:,} {self.listing.unit} were not seen again"
        if left > most_look_ups(self.pages, last_pass=number >= self._options.max_passes):
            self._session.notify(f"{found}; too many to look up")
            return
        self._session.notify(f"{found} and are looked up")

        async def work(item: tuple[str, str], slot: int) -> None:
            await self._look_up(*item, slot)

        source = StoppableIterator(self._session.stop, self._store.unseen_items(self.list_id, number))
        await run_workers(source, self._options.concurrency, work, lambda _: self._session.stop.set("error"))
        self._check_stop()

    async def _look_up(self, key: str, stored: str, slot: int) -> None:
        """See one object again, or learn that it is deleted; anything else leaves it unseen."""
        found = await self._reader.single(key, stored, slot)
        session, number = self._session, self.state.number
        if found is None:
            return
        if found.deleted:
            self._store.mark_deleted(self.list_id, number, key, session.tally)
        else:
            self._store.mark_seen_again(
                self.list_id, number, key, found.watched, found.body, session.clock.wall(), session.tally
            )

    def is_proven(self, reading: CountReading | None) -> bool:
        """Whether a count that equalled what was seen is proven by what was seen since."""
        return reading is not None and is_proven(reading, self._seen_at(reading))

    async def count(self) -> bool:
        """Take the count, with the first and last pages read again where it differs; whether it fits now.

        A count that fits takes the place of ``state.pending`` unless that one is proven already.
        """
        state = self.state
        for rounds in range(BORDER_ROUNDS + 1):
            reading = state.latest = await self._read_total()
            held = self.held
            if reading is not None and reading.total == held:
                if not self.is_proven(state.pending):
                    state.pending = reading
                return True
            if rounds == BORDER_ROUNDS or reading is None or held > reading.total:
                break
            highest, rows = self._store.highest_page(self.list_id, state.number)
            await self._read(border_pages(reading.total, state.size, highest, grew=rows > 0))
        if state.pending is not None and not may_be_proven(state.pending, self._seen_at(state.pending)):
            state.pending = None
        return False

    async def fits_still(self) -> bool:
        """Whether a count taken once more equals the latest one."""
        latest = self.state.latest
        return latest is not None and await self._reader.total(self.state.size) == latest.total

    async def _read_total(self) -> CountReading | None:
        """What the service counts now; None where it does not tell."""
        total = await self._reader.total(self.state.size)
        return None if total is None else CountReading(self.state.number, total, self._session.clock.wall())

    def _seen_at(self, reading: CountReading) -> SeenCounts:
        return self._store.seen_counts(self.list_id, reading.number)

    def _check_stop(self) -> None:
        if self._session.stop:
            raise StoppedError

    def _save(self) -> None:
        self._store.set_state(self.list_id, asdict(self.state))

    def _forget_what_is_too_old(self) -> None:
        """What an interrupted export read too long ago is read again."""
        state, limit = self.state, self._session.clock.wall() - self._options.max_age_s
        if not self._store.pages_read(self.list_id, 1):
            return
        self._store.merge()
        if any(m is not None and m.at < limit for m in (state.pending, state.latest)):
            self._session.notify("an earlier walk was interrupted longer ago than --max-age: everything is read again")
            self._store.forget_list(self.list_id)
            self.state = ReadState(size=self._options.page_size)
            return
        forgotten = 0 if state.verdict else self._store.forget_pages(self.list_id, state.number, limit)
        if forgotten:
            self._session.notify(f"{forgotten:,} pages read longer ago than --max-age are read again")
            state.landed = False
