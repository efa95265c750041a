"""What to propose where a table does not have the columns of a command: another line as its header, another sheet."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.manifest.doctor import match_columns, suggest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.endpoints import Operation
    from piggy_batch.manifest.options import ManifestOptions
    from piggy_batch.tables import Table


def with_proposal(error: SetupError, operation: Operation, table: Table, reading: ManifestOptions) -> SetupError:
    """The error with what looks like the list instead; unchanged where nothing does."""
    proposal = _another_line(operation, table, reading) or _another_sheet(operation, table, reading)
    return SetupError(f"{error}; {proposal}") if proposal else error


def _another_line(operation: Operation, table: Table, reading: ManifestOptions) -> str | None:
    for line, cells in table.preview():
        words = _options(operation, cells, reading)
        if words is not None and line != reading.header_row and _names(cells) != list(table.columns):
            return f"line {line} looks like the header: pass --header-row {line}{words}"
    return None


def _another_sheet(operation: Operation, table: Table, reading: ManifestOptions) -> str | None:
    for sheet in table.facts.others:
        for number, (line, cells) in enumerate(sheet.first):
            words = _options(operation, cells, reading)
            if words is not None:
                at = f" --header-row {line}" if number else ""
                return f'sheet "{sheet.name}" looks like the list: pass --sheet {shlex.quote(sheet.name)}{at}{words}'
    return None


def _names(cells: Sequence[str]) -> list[str]:
    """Cells as the names of a header, without the blank ones at its end."""
    names = [cell.lstrip("\ufeff") for cell in cells]
    while names and not names[-1].strip():
        names.pop()
    return names


def _options(operation: Operation, cells: Sequence[str], reading: ManifestOptions) -> str | None:
    """The mappings with which a row would be the header, each after a space; None where it is none.

    Fields that need not be there are among them, where a column is called so.
    """
    names = _names(cells)
    fields = [column.name for column in operation.columns]
    given = [name for name, column in reading.maps.items() if column in names]
    found = {*match_columns(names, fields), *given, *reading.constants}
    proposed = {suggestion.field: suggestion.column for suggestion in reversed(suggest(names, fields))}
    needed = [column.name for column in operation.columns if column.required and column.default is None]
    if any(name not in found and name not in proposed for name in needed):
        return None
    if not needed and not found and not proposed:
        return None
    maps = {proposed[name]: name for name in needed if name not in found}
    for suggestion in suggest(names, fields):
        if suggestion.field not in {*found, *maps.values()}:
            maps.setdefault(suggestion.column, suggestion.field)
    return "".join(f" --map {shlex.quote(text)}" for text in (f"{name}={column}" for column, name in maps.items()))
