"""How far a walk through a list has come, and what it may end in: values that are kept between runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from piggy_batch.models import Json


class Completeness(StrEnum):
    """What an export knows about its completeness."""

    AGREED = "agreed"  # proven: exactly what existed at one moment
    COUNTS_AGREE = "counts agree"  # read once; as many as the service counts
    COUNTS_DIFFER = "counts differ"  # read once; more or fewer than the service counts
    NOT_AGREED = "not agreed"  # no proof within the passes allowed
    UNFINISHED = "unfinished"  # stopped on the way; the same command goes on


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How lists are walked."""

    page_size: int = 100
    concurrency: int = 8
    quick: bool = False  # one pass, no proof
    max_passes: int = 4
    max_age_s: float = 6 * 3600  # what an interrupted walk read longer ago is read again
    attempts: int = 5  # tries for a request that gets no usable answer
    extra: bool = False  # keep what no column shows


@dataclass(frozen=True, slots=True)
class CountReading:
    """A count taken after pass ``number`` had landed."""

    number: int
    total: int
    at: float  # seconds since the epoch, when the answer came; a label, never compared


@dataclass(slots=True)
class ReadState:
    """How far a walk has come; kept in the store after each step."""

    number: int = 1  # of the pass
    size: int = 0  # its page size
    landed: bool = False  # the pass's pages and look-ups
    first_last: int | None = None  # pages that the list had when the walk began
    pending: CountReading | None = None  # a count that equalled what was seen, not refuted so far
    latest: CountReading | None = None
    differed: int = 0  # passes after which the count differed
    verdict: Completeness | None = None
    upto: int | None = None  # proven: what was first seen up to this pass
    unread: dict[int, str] = field(default_factory=dict)  # pages of the last pass that could not be read, and why
    repeated: int = 0  # pages that showed too little and were read again

    @classmethod
    def load(cls, kept: Mapping[str, Json], size: int) -> Self:
        """From the store; a walk not begun starts with that page size."""
        state = cls(size=size)
        for name, value in kept.items():
            if name in ("pending", "latest") and value is not None:
                value = CountReading(**value)
            if name == "verdict" and value is not None:
                value = Completeness(value)
            if name == "unread":
                value = {int(page): why for page, why in value.items()}
            setattr(state, name, value)
        return state


def overall(verdicts: Sequence[Completeness | None]) -> Completeness:
    """The verdict on several walks: that of the weakest."""
    order = (
        Completeness.UNFINISHED,
        Completeness.NOT_AGREED,
        Completeness.COUNTS_DIFFER,
        Completeness.COUNTS_AGREE,
        Completeness.AGREED,
    )
    return min((v or Completeness.UNFINISHED for v in verdicts), key=order.index, default=Completeness.UNFINISHED)


def explain(state: ReadState, unit: str, held: int) -> str:
    """The verdict on one list as a sentence. ``unit``: what it lists; ``held``: how many were read and not deleted."""
    latest, passes = state.latest, f"{state.number} passes" if state.number > 1 else "one pass"
    counted = latest.total if latest else None
    match state.verdict:
        case Completeness.AGREED:
            moment = state.pending or latest
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
            pass
    unread = ""
    if state.unread:
        pages = ", ".join(f"{page:,}" for page in sorted(state.unread)[:10])
        unread = f"; pages that could not be read: {pages} ({next(iter(state.unread.values()))})"
    if counted is None:
        return f"{held:,} {unit} in {passes}, but the service tells no total to compare them with{unread}"
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
