"""What a reader has to know beside the figures: sentences, the values that stand in them, and how grave they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Level(StrEnum):
    """How far a notice touches the figures."""

    PARTIAL = "partial"  # cards or transactions may be missing from them
    CHECK = "check"  # they are complete, and rest on something that a person should look at
    NOTE = "note"  # how they were reckoned


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence. ``template`` is English with ``{names}``; its values are text, or numbers written with thousands."""

    template: str
    values: Mapping[str, str | int] = field(default_factory=dict)
    level: Level = Level.NOTE

    def __str__(self) -> str:
        """In English."""
        shown = {name: value if isinstance(value, str) else f"{value:,}" for name, value in self.values.items()}
        return self.template.format(**shown)


def note(template: str, **values: str | int) -> Notice:
    """How figures were reckoned."""
    return Notice(template, values)


def check(template: str, **values: str | int) -> Notice:
    """What a person should look at."""
    return Notice(template, values, Level.CHECK)


def partial(template: str, **values: str | int) -> Notice:
    """What may be missing; ``template`` begins with PARTIAL."""
    return Notice(template, values, Level.PARTIAL)
