"""The mended list as a file: what would be sent, under the command's own headers, with what was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.models import Kind as FieldKind
from piggy_batch.models import Status
from piggy_batch.tables import FORMATS, OutputColumn, open_writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from piggy_batch.manifest.binding import Binding
    from piggy_batch.runs.journal_queries import JournalQueries
    from piggy_batch.tables.writers.base import Kind

CHANGED, PROBLEM = "_changed", "_problem"
_BATCH = 2000  # rows a write


def write_mended(
    journal: JournalQueries, binding: Binding, target: Path, *, without: frozenset[int] = frozenset()
) -> tuple[int, int]:
    """Write every row of a loaded manifest as it would be sent; how many rows were changed, and how many are invalid.

    The file needs no option to be read: columns bear the names of fields, constants are columns. Columns that the
    command does not read stay as they are; rows of ``without`` are left out. ``_changed`` says what a cell was before,
    ``_problem`` why a row is invalid. SetupError where something lies at ``target`` already, or its name tells no
    format.
    """
    kind = target.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        raise SetupError(f"--write {target}: name a file that ends in .{', .'.join(FORMATS)}")
    if target.exists():
        raise SetupError(f"--write {target}: something lies there already; name another file")
    layout = _Layout(binding)
    changed = invalid = 0
    batch: list[list[object]] = []
    with open_writer(target, kind, layout.columns(typed=kind == "jsonl")) as writer:
        for entry in journal.all_rows():
            if entry.number in without:
                continue
            cells, changes = layout.row(entry.cells)
            is_invalid = entry.status is Status.INVALID
            batch.append([*cells, changes, entry.message if is_invalid else ""])
            changed += bool(changes)
            invalid += is_invalid
            if len(batch) == _BATCH:
                writer.write(batch)
                batch = []
        writer.write(batch)
    return changed, invalid


class _Layout:
    """Which columns the file has, and how a row fills them."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self._fields = {place: name for name, place in binding.column_index.items()}
        self._constants = list(self._given())
        own = [*self._fields.values(), *(name for name, _ in self._constants)]
        kept = [(place, name) for place, name in enumerate(binding.header) if self._stays(place, name)]
        self._places = [place for place, _ in kept]
        headers = [self._fields.get(place) or self._aside(name, own) for place, name in kept]
        self.names = [*headers, *(name for name, _ in self._constants), CHANGED, PROBLEM]

    def columns(self, *, typed: bool) -> list[OutputColumn]:
        """The columns of the file; ``typed``: with numbers and truth values as such, for a format that has both."""
        return [OutputColumn(name, cell=self._cell(name) if typed else None) for name in self.names]

    def _cell(self, name: str) -> Kind | None:
        column = self._binding.operation.column(name)
        match column.kind if column else FieldKind.TEXT:
            case FieldKind.FLAG:
                return "bool"
            case FieldKind.CENTS | FieldKind.CREDITS | FieldKind.BALANCE:
                return "int"
            case _:
                return None

    def _stays(self, place: int, name: str) -> bool:
        return place in self._fields or not name.startswith("_")

    def _aside(self, name: str, own: list[str]) -> str:
        """The name of a column that is not read: not that of a field, which it would feed."""
        return f"_{name}" if name in own else name

    def _given(self) -> Iterator[tuple[str, str]]:
        """What --set gives every row; defaults need no column."""
        for name, text in self._binding.constants.items():
            column = self._binding.operation.column(name)
            if column is None or column.default != text:
                yield name, text
        yield from self._binding.extra_constants.items()

    def row(self, cells: list[str]) -> tuple[list[str], str]:
        """A row as it would be sent, and what was changed, in words."""
        found: list[str] = []
        changes: list[str] = []
        for place in self._places:
            before = cells[place] if place < len(cells) else ""
            name = self._fields.get(place)
            mending = self._binding.mendings.get(name) if name else None
            after = mending.apply(before) if mending else before
            if after != before:
                changes.append(f"{name}: {before}")
            found.append(after)
        return [*found, *(text for _, text in self._constants)], "; ".join(changes)
