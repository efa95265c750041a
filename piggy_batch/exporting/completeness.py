"""How far a walk through a list has come, and what it may end in: values that are kept between runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.models import Json


class Verdict(StrEnum):
    """What an export knows about its completeness."""

    AGREED = "agreed"  # proven: exactly what existed at one moment
    COUNTS_AGREE = "counts agree"  # read once; as many as the service counts
    COUNTS_DIFFER = "counts differ"  # read once; more or fewer than the service counts
    NOT_AGREED = "not agreed"  # no proof within the passes allowed
    UNFINISHED = "unfinished"  # stopped on the way; the same command goes on


@dataclass(frozen=True, slots=True)
class Terms:
    """How lists are walked."""

    page_size: int = 100
    concurrency: int = 8
    quick: bool = False  # one pass, no proof
    max_passes: int = 4
    max_age_s: float = 6 * 3600  # what an interrupted walk read longer ago is read again
    attempts: int = 5  # tries for a request that gets no usable answer
    extra: bool = False  # keep what no column shows


@dataclass(frozen=True, slots=True)
class Moment:
    """A count taken after pass ``number`` had landed."""

    number: int
    total: int
    at: float  # seconds since the epoch, when the answer came; a label, never compared


@dataclass(slots=True)
class State:
    """How far a walk has come; kept in the store after each step."""

    number: int = 1  # of the pass
    size: int = 0  # its page size
    landed: bool = False  # the pass's pages and look-ups
    first_last: int | None = None  # pages that the list had when the walk began
    pending: Moment | None = None  # a count that equalled what was seen, not refuted so far
    latest: Moment | None = None
    differed: int = 0  # passes after which the count differed
    verdict: Verdict | None = None
    upto: int | None = None  # proven: what was first seen up to this pass
    unread: dict[int, str] = field(default_factory=dict)  # pages of the last pass that could not be read, and why
    repeated: int = 0  # pages that showed too little and were read again

    @classmethod
    def load(cls, kept: Mapping[str, Json], size: int) -> Self:
        """From the store; a walk not begun starts with that page size."""
        state = cls(size=size)
        for name, value in kept.items():
            if name in ("pending", "latest") and value is not None:
                value = Moment(**value)
            if name == "verdict" and value is not None:
                value = Verdict(value)
            if name == "unread":
                value = {int(page): why for page, why in value.items()}
            setattr(state, name, value)
        return state
