"""When a list counts as read completely: how far reading has come, the decisions, and the verdict in words. Pure.

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

Several lists (one for each program) have to be proven at one moment: an object that moves from one to another
between two moments may be in none of them. No request counts two lists at once, so after a pass each list i is
counted at some T(i), and all but the last are counted once more at T'(i), in any order after all T(i). Let M be the
moment of the last list's count, so that T(i) <= M <= T'(i), and let both counts of each list equal S(i). By the
argument above S(i) is what list i held at T(i) and at T'(i), and S(i) was in it throughout, at M too. An object
that list i held at M and that is not in S(i) has therefore come after T(i) and left before T'(i), seconds later.
That no object does both is assumed; then the lists together held exactly their S(i) at M.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from piggy_batch.models import Json

BORDER_PAGES = 50  # that may have been added while a pass was read
SIZE_STEPS = (0, 3, 7, 11, 17, 19, 23, 29)  # what later passes take off the page size, so that borders fall elsewhere


class Completeness(StrEnum):
    """What an export knows about its completeness."""

    AGREED = "agreed"  # proven: exactly what existed at one moment
    COUNTS_AGREE = "counts agree"  # read once; as many as the service counts
    COUNTS_DIFFER = "counts differ"  # read once; more or fewer than the service counts
    AGREED_APART = "agreed apart"  # several lists, each proven, but at moments of their own
    NOT_AGREED = "not agreed"  # no proof within the passes allowed
    UNFINISHED = "unfinished"  # stopped on the way; the same command goes on


GOOD = frozenset({Completeness.AGREED, Completeness.COUNTS_AGREE})


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How lists are read."""

    page_size: int = 100
    concurrency: int = 8
    quick: bool = False  # one pass, no proof
    max_passes: int = 4
    max_age_s: float = 6 * 3600  # what an interrupted export read longer ago is read again
    attempts: int = 5  # tries for a request that gets no usable answer
    extra: bool = False  # keep what no column shows


@dataclass(frozen=True, slots=True)
class CountReading:
    """A count taken after pass ``number`` had landed."""

    number: int
    total: int
    at: float  # seconds since the epoch, when the answer came; a label, never compared


@dataclass(frozen=True, slots=True)
class SeenCounts:
    """What the proof looks at, for the objects first seen in or before a pass."""

    held: int  # seen until then and not known to be deleted at that time
    seen_again: int  # of these, seen again in a later pass
    unseen: int  # of these, not seen again and not known to be deleted


@dataclass(slots=True)
class ReadState:
    """How far the reading of one list has come; kept in the store after each step."""

    number: int = 1  # of the pass
    size: int = 0  # its page size
    landed: bool = False  # the pass's pages and look-ups
    first_last: int | None = None  # pages that the list had when reading began
    pending: CountReading | None = None  # a count that equalled what was seen, not refuted so far
    shared: CountReading | None = None  # the count of the latest pass after which all lists' counts fitted
    latest: CountReading | None = None
    differed: int = 0  # passes after which the count differed
    verdict: Completeness | None = None
    upto: int | None = None  # proven: what was first seen up to this pass
    unread: dict[int, str] = field(default_factory=dict)  # pages of the last pass that could not be read, and why
    repeated: int = 0  # pages that showed too little and were read again

    @classmethod
    def load(cls, kept: Mapping[str, Json], size: int) -> Self:
        """From the store; a list not begun starts with that page size."""
        state = cls(size=size)
        for name, value in kept.items():
            if name in ("pending", "shared", "latest") and value is not None:
                value = CountReading(**value)
            if name == "verdict" and value is not None:
                value = Completeness(value)
            if name == "unread":
                value = {int(page): why for page, why in value.items()}
            setattr(state, name, value)
        return state

    @property
    def moment(self) -> CountReading | None:
        """The count that the verdict speaks of."""
        return (self.pending or self.latest) if self.verdict is Completeness.AGREED else self.latest

    @property
    def uncounted(self) -> bool:
        """Whether the service tells no total, so that no further pass can prove anything."""
        return self.latest is None and self.number > 1


# --- decisions ---------------------------------------------------------------------------------------


def is_proven(reading: CountReading, seen: SeenCounts) -> bool:
    """Whether a count that equalled what was seen is proven: all of it has been seen again since."""
    return seen.held == seen.seen_again == reading.total


def may_be_proven(reading: CountReading, seen: SeenCounts) -> bool:
    """Whether a count may still be proven: nothing of what was seen then is known to be deleted."""
    return seen.held == reading.total == seen.seen_again + seen.unseen


def another_pass_helps(states: Sequence[ReadState], proven: Sequence[bool], options: ReadOptions) -> bool:
    """Whether lists whose counts are taken and that are not proven together should be read once more.

    ``proven``: which of them are proven on their own.
    """
    if options.quick or any(state.number >= options.max_passes for state in states):
        return False
    hopeless = [state.uncounted for state in states]
    return not any(hopeless) or not all(own or without for own, without in zip(proven, hopeless, strict=True))


def verdict_of(state: ReadState, *, proven: bool, quick: bool) -> Completeness:
    """The verdict on one list that is not read again. ``proven``: it is, on its own."""
    if proven:
        return Completeness.AGREED
    if quick:
        fits = state.pending is not None and state.pending == state.latest
        return Completeness.COUNTS_AGREE if fits else Completeness.COUNTS_DIFFER
    return Completeness.NOT_AGREED


def next_page_size(differed: int, size: int, largest: int) -> int:
    """The page size of the pass after the ``differed``-th count that did not fit, of a list asked for by ``size``."""
    step = SIZE_STEPS[differed % len(SIZE_STEPS)]
    return max(1, size - step) if size > 2 * step else min(largest, size + step)


def most_look_ups(pages: int, *, last_pass: bool) -> int:
    """How many single objects are worth a look-up each instead of another pass of so many pages."""
    return 10 * pages + 1000 if last_pass else max(50, pages)


def border_pages(total: int, size: int, last_page: int, *, grew: bool) -> list[int]:
    """The pages to read again where the service counts more than was seen: the first, the last, and those added.

    ``last_page``: the highest page read; ``grew``: it had rows, so that further pages may have been added behind it.
    """
    now = -(-total // size)
    added = range(last_page + 1, min(now, last_page + BORDER_PAGES) + 1) if grew else ()
    return sorted({1, max(1, min(last_page, now)), *added})


def overall(states: Sequence[ReadState]) -> Completeness:
    """The verdict on all lists of an export: that of the weakest."""
    order = (
        Completeness.UNFINISHED,
        Completeness.NOT_AGREED,
        Completeness.COUNTS_DIFFER,
        Completeness.COUNTS_AGREE,
        Completeness.AGREED,
    )
    verdicts = [state.verdict or Completeness.UNFINISHED for state in states]
    weakest = min(verdicts, key=order.index, default=Completeness.UNFINISHED)
    # A list alone has no other to be together with: one moment at which it is proven is enough.
    together = len(states) == 1 or all(state.shared is not None and state.pending == state.shared for state in states)
    return Completeness.AGREED_APART if weakest is Completeness.AGREED and not together else weakest


# --- words -------------------------------------------------------------------------------------------


def explain(state: ReadState, unit: str, held: int) -> str:
    """The verdict on one list as a sentence. ``unit``: what it lists; ``held``: how many were read and not deleted."""
    moment = state.moment
    match state.verdict:
        case Completeness.AGREED:
            return (
                f"these are exactly the {moment.total if moment else 0:,} {unit} that existed at "
                f"{_clock(moment.at) if moment else '?'}: as many as the service counted then, each shown before and "
                "after"
            )
        case Completeness.COUNTS_AGREE:
            return (
                f"{held:,} {unit} were read and the service counts as many; that is no proof: one deleted and one "
                "added while reading look the same. Without --quick it is proven"
            )
        case Completeness.UNFINISHED | None:
            return f"{held:,} {unit} read so far"
        case _:
            return _explain_doubt(state, unit, held)


def _explain_doubt(state: ReadState, unit: str, held: int) -> str:
    """What is missing, or why nothing is proven."""
    passes = f"{state.number} passes" if state.number > 1 else "one pass"
    unread = ""
    if state.unread:
        pages = ", ".join(f"{page:,}" for page in sorted(state.unread)[:10])
        unread = f"; pages that could not be read: {pages} ({next(iter(state.unread.values()))})"
    if state.latest is None:
        return f"{held:,} {unit} in {passes}, but the service tells no total to compare them with{unread}"
    counted = state.latest.total
    if held < counted:
        return f"{held:,} {unit} in {passes}, the service counts {counted:,}: {counted - held:,} are missing{unread}"
    if held > counted:
        extra = held - counted
        return (
            f"{held:,} {unit} in {passes}, the service counts {counted:,}: {extra:,} more than that, deleted while "
            f"reading or not counted{unread}"
        )
    return (
        f"{held:,} {unit} in {passes}, and the service counts as many, but the list changed during every pass, so that "
        f"nothing proves that they are the same{unread}"
    )


def _clock(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
