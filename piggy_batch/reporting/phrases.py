"""Words of the program's own, kept apart from data, so that a page can show them in another language."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Label(str):
    """A short text of the program's own, in English; data is plain ``str``."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence: ``template`` is English with ``{names}``; values are data, labels, further phrases, or
    numbers, which are written with thousands."""

    template: str
    values: Mapping[str, str | int | Phrase] = field(default_factory=dict)

    def __str__(self) -> str:
        """In English."""
        shown = {n: f"{value:,}" if isinstance(value, int) else str(value) for n, value in self.values.items()}
        return self.template.format(**shown)


def phrase(template: str, **values: str | int | Phrase) -> Phrase:
    """A sentence with its values."""
    return Phrase(template, values)
