"""Which page of a list is requested next: iterators that workers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from piggy_batch.client.clock import StopSignal
    from piggy_batch.exporting.pages import Page

T = TypeVar("T")
MAX_PAGES_WITHOUT_NEWS = 100  # pages in a row that are empty or like the one before; more are not asked for
PAGES_WITHOUT_END = 1_000_000  # at most, of a list that tells no last page


def page_bound(last: int | None, likely: int, *, first: bool) -> int:
    """The page beyond which a pass does not grow while it is read, so that a list that lies cannot go on for ever."""
    if last is not None:
        return 2 * last + 100
    return PAGES_WITHOUT_END if first else likely + 5


class PageQueue:
    """Page numbers still to request in one pass. The end moves as answers report ``last_page``, so an iterator
    that was exhausted may go on after :meth:`learn`.

    ``done``: pages not to be asked for; ``last``: the last page as far as known, None: the list tells none;
    ``likely``: pages that what was seen so far would fill; ``bound``: no page beyond it is asked for; ``news``:
    whether the last page of a list that tells no end brought something new.
    """

    def __init__(
        self, done: frozenset[int], last: int | None, likely: int, bound: int, news: Callable[[], bool]
    ) -> None:
        self._done = done
        self._endless = last is None
        self._last = last if last is not None else max(done, default=1) + 1
        self._likely = likely
        self._bound = bound
        self._news = news
        self._next = 1
        self._digest: str | None = None
        self._pages_without_news = 0

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        while self._next <= self._last:
            page = self._next
            self._next += 1
            if page not in self._done:
                return page
        raise StopIteration

    def learn(self, page: Page) -> None:
        """Move the end by what a page tells of the list's length."""
        if page.last_page is not None:
            self._endless = False
            if not page.items and page.number > self._likely:
                # Promised, and empty: no promise of more is believed from here on.
                self._bound = min(self._bound, page.number)
                self._last = min(self._last, page.number)
            self._last = max(self._last, min(page.last_page, self._bound))
            self._check_for_news(page)
        elif self._endless and page.items and self._news() and page.number < self._bound:
            self._last = max(self._last, page.number + 1)

    def _check_for_news(self, page: Page) -> None:
        """A list that promises pages without end and shows nothing on them is not read to its end."""
        digest = page.digest
        self._pages_without_news = self._pages_without_news + 1 if digest in (None, self._digest) else 0
        self._digest = digest or self._digest
        if self._pages_without_news >= MAX_PAGES_WITHOUT_NEWS:
            self._bound = min(self._bound, page.number)
            self._last = min(self._last, page.number)


class StoppableIterator(Generic[T]):
    """An iterator that ends when the run stops."""

    def __init__(self, stop: StopSignal, inner: Iterator[T]) -> None:
        self._stop = stop
        self._inner = inner

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._stop:
            raise StopIteration
        return next(self._inner)
