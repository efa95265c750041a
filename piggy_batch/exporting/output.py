"""From an export's staging store to its file: raw values become typed columns, row by row."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from piggy_batch.tables import OutputColumn, open_writer
from piggy_batch.text import parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from piggy_batch.endpoints.exportable_lists import Field, FieldKind, Listing
    from piggy_batch.models import Json

BATCH = 5_000  # rows a write
_MOST_ODD = 1_000  # odd values that are kept one by one
_RAW_CHARACTERS = 200  # of an odd value
LARGEST = 2**63 - 1  # that a column of whole numbers holds
READ_AT = "read_at"
EXTRA = "extra"


def columns_of(fields: Sequence[Field], *, read_at: bool = True, extra: bool = False) -> tuple[OutputColumn, ...]:
    """The columns of a file."""
    own = [OutputColumn(f.name, f.kind) for f in fields]
    return (*own, *([OutputColumn(READ_AT, "timestamp")] if read_at else []), *([OutputColumn(EXTRA)] if extra else []))


@dataclass(frozen=True, slots=True)
class MisfitValue:
    """A value that does not fit its column, and is blank in the file."""

    key: str  # of the object
    column: str
    raw: str  # what the service sent, as text


class RowBuilder:
    """How a list's stored objects become rows.

    ``keeps_types``: the file's format has numbers and truth values. ``unreadable`` counts the values of a column that
    do not fit it; ``odd`` holds the first of them.
    """

    def __init__(self, listing: Listing, *, extra: bool, keeps_types: bool = False) -> None:
        self.columns = columns_of(listing.fields, extra=extra)
        self.unreadable: Counter[str] = Counter()
        self.odd: list[MisfitValue] = []
        self.count = 0  # rows so far
        self._fields = [(f.name, f.kind) for f in listing.fields]
        self._extra = extra
        self._typed = {f.name for f in listing.fields if f.keeps_type} if keeps_types else set()

    def rows(self, kept: Sequence[tuple[str, float]]) -> list[tuple[object, ...]]:
        """A row for each stored object, made column by column."""
        items = json.loads(f"[{','.join(body for body, _ in kept)}]")
        self.count += len(items)
        given = list(zip(*(values for values, _ in items), strict=True))
        columns: list[Sequence[object]] = [
            self._column(name, kind, values, given[0]) for (name, kind), values in zip(self._fields, given, strict=True)
        ]
        moments = {at: datetime.fromtimestamp(at, UTC) for at in {at for _, at in kept}}
        columns.append([moments[at] for _, at in kept])
        if self._extra:
            columns.append([None if extra is None else json.dumps(extra, ensure_ascii=False) for _, extra in items])
        return list(zip(*columns, strict=True))

    def _column(self, name: str, kind: FieldKind, values: Sequence[Json], keys: Sequence[Json]) -> Sequence[object]:
        """Values as their column holds them. What the service usually sends is not looked at one by one."""
        if name in self._typed:
            return [None if value is None else _typed(value) for value in values]
        types = set(map(type, values)) - {type(None)}
        if kind == "timestamp" and types <= {str}:
            try:
                return list(map(_Moments().__getitem__, values))
            except (ValueError, OverflowError):
                pass
        elif types <= _USUAL[kind] and (kind != "int" or _fit(values)):
            return values
        return [self._value(name, kind, value, key) for value, key in zip(values, keys, strict=True)]

    def _value(self, name: str, kind: FieldKind, value: Json, key: Json) -> object:
        try:
            return None if value is None else _READ[kind](value)
        except (ValueError, TypeError, OverflowError):
            self.unreadable[name] += 1
            if len(self.odd) < _MOST_ODD:
                raw = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                self.odd.append(MisfitValue(str(key), name, raw[:_RAW_CHARACTERS]))
            return None


class _Moments(dict[str | None, datetime | None]):
    """Moments by their text; dates repeat."""

    def __missing__(self, text: str | None) -> datetime | None:
        moment = self[text] = None if text is None else _moment(text)
        return moment


def _fit(values: Sequence[int | None]) -> bool:
    """Whether whole numbers fit their column."""
    numbers = [value for value in values if value is not None]
    return not numbers or (min(numbers) >= -LARGEST - 1 and max(numbers) <= LARGEST)


def cell(kind: FieldKind, value: Json) -> object:
    """A value as its column holds it; None for one that does not fit."""
    try:
        return None if value is None else _READ[kind](value)
    except (ValueError, TypeError, OverflowError):
        return None


def write_rows(
    stored: Iterator[tuple[str, float]],
    to: Path,
    kind: str,
    builder: RowBuilder,
    tell: Callable[[str], None],
    about: Callable[[], Iterable[tuple[str, str]]],
) -> None:
    """Write stored objects, (body, read_at), as rows; the file appears whole or not at all.

    ``tell`` is told what the format does not hold whole; ``about`` stands on a workbook's last sheet.
    """
    with open_writer(to, kind, builder.columns, about=about) as writer:
        while batch := list(islice(stored, BATCH)):
            writer.write(builder.rows(batch))
        if writer.note:
            tell(writer.note)


def _typed(value: Json) -> object:
    return value if isinstance(value, bool | int | float) else _text(value)


def _text(value: Json) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _int(value: Json) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(value)
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError(value)
        value = int(value)
    number = int(value)
    if not -LARGEST - 1 <= number <= LARGEST:
        raise OverflowError(value)
    return number


def _bool(value: Json) -> object:
    found = {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
    if found is None:
        raise ValueError(value)
    return found


def _moment(value: Json) -> datetime | None:
    if not isinstance(value, str):
        raise TypeError(value)
    if value == "":
        return None
    moment = parse_moment(value)
    if moment is None:
        raise ValueError(value)
    return moment


_READ: dict[FieldKind, Callable[[Json], object]] = {"text": _text, "int": _int, "bool": _bool, "timestamp": _moment}
_USUAL: dict[FieldKind, frozenset[type]] = {
    "text": frozenset({str}),
    "int": frozenset({int}),
    "bool": frozenset({bool}),
    "timestamp": frozenset(),
}
