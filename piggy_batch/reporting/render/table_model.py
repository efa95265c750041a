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


class CellKind(StrEnum):
    """What a column's cells are; a cell of any kind may be None, which shows nothing."""

    TEXT = "text"  # str; a Label is translated
    COUNT = "count"  # int
    CENTS = "cents"  # int, shown with two decimals
    SHARE = "share"  # int, hundredths of a percent
    DATE = "date"  # date
    MOMENT = "moment"  # aware datetime, in the zone in which it is shown


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A heading and a kind; ``file_only`` columns are left off the page, where they would crowd it out."""

    label: Label
    kind: CellKind
    file_only: bool = False


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Rows are tuples of values in column order; ``rows`` may be asked for more than once."""

    key: str  # names the anchor
    title: Phrase
    sheet: str  # its name in a workbook, at most 31 characters
    note: Phrase | None
    columns: tuple[TableColumn, ...]
    rows: Callable[[], Iterable[tuple[Any, ...]]]
    size: int
    sums: frozenset[int] = frozenset()  # rows that are sums, 0 = first
    headings: frozenset[int] = frozenset()  # rows that only name the group below them
    heat: tuple[int, ...] = ()  # columns whose shares are shaded


def table(
    names: tuple[str, Phrase, str],
    columns: Iterable[TableColumn],
    rows: list[tuple[Any, ...]],
    *,
    note: Phrase | None = None,
    sums: Iterable[int] = (),
    headings: Iterable[int] = (),
    heat: Iterable[int] = (),
) -> ReportTable:
    """A table whose rows are at hand. ``names``: key, title, sheet; ``sums`` count from the end where negative."""
    marks = frozenset(index % len(rows) for index in sums) if rows else frozenset[int]()
    key, title, sheet = names
    return ReportTable(
        key, title, sheet, note, tuple(columns), lambda: rows, len(rows), marks, frozenset(headings), tuple(heat)
    )


def without_empty(shown: ReportTable, optional: Iterable[int]) -> ReportTable:
    """The same table without those of the ``optional`` columns in which every cell is zero."""
    rows = list(shown.rows())
    gone = {index for index in optional if not any(row[index] for row in rows)}
    kept = [index for index in range(len(shown.columns)) if index not in gone]
    return ReportTable(
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


def text(label: str, *, file_only: bool = False) -> TableColumn:
    """A column of text."""
    return TableColumn(Label(label), CellKind.TEXT, file_only)


def count(label: str) -> TableColumn:
    """A column of whole numbers."""
    return TableColumn(Label(label), CellKind.COUNT)


def cents(label: str) -> TableColumn:
    """A column of amounts in cents."""
    return TableColumn(Label(label), CellKind.CENTS)


def share(label: str) -> TableColumn:
    """A column of shares."""
    return TableColumn(Label(label), CellKind.SHARE)


def day(label: str) -> TableColumn:
    """A column of days."""
    return TableColumn(Label(label), CellKind.DATE)


def moment(label: str, *, file_only: bool = False) -> TableColumn:
    """A column of moments."""
    return TableColumn(Label(label), CellKind.MOMENT, file_only)


def shown_cell(value: Any, kind: CellKind, language: Language) -> str:
    """A cell as readers see it."""
    if value is None:
        return ""
    if isinstance(value, str | Phrase):
        return language.say(value)
    match kind:
        case CellKind.CENTS:
            return language.amount(value)
        case CellKind.SHARE:
            return language.share(value)
        case CellKind.COUNT | CellKind.TEXT:
            return language.count(value)
        case CellKind.DATE:
            return value.isoformat() if isinstance(value, date) else ""
        case CellKind.MOMENT:
            return f"{value:%Y-%m-%d %H:%M:%S %Z}" if isinstance(value, datetime) else ""
        case _:
            assert_never(kind)
