"""What a reader has to know beside the figures, and how grave it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from piggy_batch.reporting.phrases import Phrase, Value


class Level(StrEnum):
    """How far a notice touches the figures."""

    PARTIAL = "partial"  # cards or transactions may be missing from them
    CHECK = "check"  # they are complete, and rest on something that a person should look at
    NOTE = "note"  # how they were reckoned


@dataclass(frozen=True, slots=True)
class Notice(Phrase):
    """A sentence beside the figures."""

    level: Level = Level.NOTE


def note(template: str, **values: Value) -> Notice:
    """How figures were reckoned."""
    return Notice(template, values)


def check(template: str, **values: Value) -> Notice:
    """What a person should look at."""
    return Notice(template, values, Level.CHECK)


def partial(template: str, **values: Value) -> Notice:
    """What may be missing; ``template`` begins with PARTIAL."""
    return Notice(template, values, Level.PARTIAL)
