"""Tables without their contents' meaning: columns of a kind, rows of values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, assert_never

from piggy_batch.reporting.phrases import Label, Phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from piggy_batch.reporting.render.language import Language


class Kind(StrEnum):
    """What a column's cells are; a cell of any kind may be None, which shows nothing."""

    TEXT = "text"  # str; a Label is translated
    COUNT = "count"  # int
    CENTS = "cents"  # int, shown with two decimals
    SHARE = "share"  # int, hundredths of a percent
    DATE = "date"  # date
    MOMENT = "moment"  # aware datetime, in the zone in which it is shown


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and a kind; ``file_only`` columns are left off the page, where they would crowd it out."""

    label: Label
    kind: Kind
    file_only: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows are tuples of values in column order; ``rows`` may be asked for more than once."""

    key: str  # names the anchor
    title: Phrase
    sheet: str  # its name in a workbook, at most 31 characters
    note: Phrase | None
    columns: tuple[Column, ...]
    rows: Callable[[], Iterable[tuple[Any, ...]]]
    size: int
    sums: frozenset[int] = frozenset()  # rows that are sums, 0 = first
    headings: frozenset[int] = frozenset()  # rows that only name the group below them
    heat: tuple[int, ...] = ()  # columns whose shares are shaded


def table(
    names: tuple[str, Phrase, str],
    columns: Iterable[Column],
    rows: list[tuple[Any, ...]],
    *,
    note: Phrase | None = None,
    sums: Iterable[int] = (),
    headings: Iterable[int] = (),
    heat: Iterable[int] = (),
) -> Table:
    """A table whose rows are at hand. ``names``: key, title, sheet; ``sums`` count from the end where negative."""
    marks = frozenset(index % len(rows) for index in sums) if rows else frozenset[int]()
    key, title, sheet = names
    return Table(
        key, title, sheet, note, tuple(columns), lambda: rows, len(rows), marks, frozenset(headings), tuple(heat)
    )


def without_empty(shown: Table, optional: Iterable[int]) -> Table:
    """The same table without those of the ``optional`` columns in which every cell is zero."""
    rows = list(shown.rows())
    gone = {index for index in optional if not any(row[index] for row in rows)}
    kept = [index for index in range(len(shown.columns)) if index not in gone]
    return Table(
        shown.key,
        shown.title,
        shown.sheet,
        shown.note,
        tuple(shown.columns[index] for index in kept),
        lambda: (tuple(row[index] for index in kept) for row in rows),
        shown.size,
        shown.sums,
        shown.headings,
    )


def text(label: str, *, file_only: bool = False) -> Column:
    """A column of text."""
    return Column(Label(label), Kind.TEXT, file_only)


def count(label: str) -> Column:
    """A column of whole numbers."""
    return Column(Label(label), Kind.COUNT)


def cents(label: str) -> Column:
    """A column of amounts in cents."""
    return Column(Label(label), Kind.CENTS)


def share(label: str) -> Column:
    """A column of shares."""
    return Column(Label(label), Kind.SHARE)


def day(label: str) -> Column:
    """A column of days."""
    return Column(Label(label), Kind.DATE)


def moment(label: str, *, file_only: bool = False) -> Column:
    """A column of moments."""
    return Column(Label(label), Kind.MOMENT, file_only)


def shown_cell(value: Any, kind: Kind, language: Language) -> str:
    """A cell as readers see it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return language.say(value)
    match kind:
        case Kind.CENTS:
            return language.amount(value)
        case Kind.SHARE:
            return language.share(value)
        case Kind.COUNT | Kind.TEXT:
            return language.count(value)
        case Kind.DATE:
            return value.isoformat() if isinstance(value, date) else ""
        case Kind.MOMENT:
            return f"{value:%Y-%m-%d %H:%M:%S %Z}" if isinstance(value, datetime) else ""
        case _:
            assert_never(kind)
