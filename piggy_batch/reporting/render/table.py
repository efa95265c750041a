"""Tables without their contents' meaning: columns of a kind, rows of text and int."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Kind(StrEnum):
    """What a column's cells are."""

    TEXT = "text"
    COUNT = "count"  # int
    CENTS = "cents"  # int, shown with two decimals


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and a kind; ``file_only`` columns are left off the page, where they would crowd it out."""

    label: str
    kind: Kind
    file_only: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows are tuples of text and int in column order; ``rows`` may be asked for more than once."""

    key: str  # names the sheet and the anchor
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: Callable[[], Iterable[tuple[Any, ...]]]
    size: int
    emphasized: frozenset[int] = frozenset()  # rows that are sums, 0 = first
    wide: bool = False  # needs a landscape page


def table(
    key: str,
    title: str,
    note: str,
    columns: Iterable[Column],
    rows: list[tuple[Any, ...]],
    *,
    emphasized: Iterable[int] = (),
    wide: bool = False,
) -> Table:
    """A table whose rows are at hand; ``emphasized`` counts from the end where it is negative."""
    marks = frozenset(index % len(rows) for index in emphasized) if rows else frozenset[int]()
    return Table(key, title, note, tuple(columns), lambda: rows, len(rows), marks, wide)


def text(label: str, *, file_only: bool = False) -> Column:
    """A column of text."""
    return Column(label, Kind.TEXT, file_only)


def count(label: str) -> Column:
    """A column of whole numbers."""
    return Column(label, Kind.COUNT)


def cents(label: str) -> Column:
    """A column of amounts in cents."""
    return Column(label, Kind.CENTS)
