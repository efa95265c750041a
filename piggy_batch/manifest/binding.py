"""Rules for manifests: which column feeds which field, what a cell may hold, what a row sends. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.endpoints import Column, Operation
from piggy_batch.endpoints.cells import CellProblem, check_cell
from piggy_batch.errors import SetupError
from piggy_batch.manifest.doctor import ColumnRole, match_columns, suggest
from piggy_batch.manifest.mending import CellMending, Repairs
from piggy_batch.models import Kind
from piggy_batch.text import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_KEPT_FOR_LATER = frozenset({"_run", "_row", "_operation", "_status"})


@dataclass(frozen=True, slots=True)
class Binding:
    """How a manifest's columns feed an operation's fields."""

    operation: Operation
    header: tuple[str, ...]  # the manifest's columns, in order
    column_index: Mapping[str, int]  # field -> index in the header
    constants: Mapping[str, str]  # field -> the same text for every row (--set and defaults)
    extra_constants: Mapping[str, str]  # extra column -> the same text for every row (--set)
    fields: tuple[Column, ...]  # every field that is fed, open columns included
    repairs: Repairs = field(default_factory=Repairs)
    mendings: Mapping[str, CellMending] = field(default_factory=dict)  # field -> what is done to its cells

    def values(self, cells: Sequence[str]) -> dict[str, str]:
        """The row's fields as they are sent. Blank optional cells, also those that mending leaves blank, are left out;
        a short row lacks its missing cells."""
        found = dict(self.constants)
        width = len(cells)
        for name, place in self.column_index.items():
            if place < width and cells[place] != "":
                mending = self.mendings.get(name)
                value = mending.apply(cells[place]) if mending else cells[place]
                if value != "":
                    found[name] = value
        return found

    @property
    def is_mending(self) -> bool:
        """Whether cells may be sent otherwise than they stand in the manifest."""
        return bool(self.mendings)

    def repaired_key(self, cells: Sequence[str]) -> str | None:
        """What is sent for the row's key where a repair has changed it; None: the cell as it stands."""
        key = self.operation.key
        place = self.column_index.get(key)
        if key not in self.mendings or place is None or place >= len(cells):
            return None
        mended = self.mendings[key].apply(cells[place])
        return mended if mended != cells[place] else None

    def column_of(self, name: str) -> str:
        """What the manifest calls a field; the field's own name where no column feeds it."""
        place = self.column_index.get(name)
        return name if place is None else self.header[place]


def bind(
    operation: Operation,
    header: Sequence[str],
    maps: Mapping[str, str],
    constants: Mapping[str, str],
    repairs: Repairs | None = None,
) -> Binding:
    """Match header, ``--map`` and ``--set`` to the operation's fields; SetupError where that fails."""
    known = {c.name: c for c in operation.columns}
    column_index = _places(operation, header, maps)
    fixed, extra_constants = _constants(operation, header, column_index, constants)
    for column in operation.columns:
        if column.default is not None:
            fixed.setdefault(column.name, column.default)
    missing = [c.name for c in operation.columns if c.required and c.name not in column_index and c.name not in fixed]
    if missing:
        raise SetupError(_missing(operation, missing, header))
    for name in _superfluous(operation, maps, column_index, fixed):
        column_index.pop(name, None)
    needed = operation.at_least_one or operation.one_of
    if needed and not any(n in column_index or n in fixed for n in needed):
        raise SetupError(f"{operation.name} needs a column {' or '.join(needed)} (or --set)")
    free = operation.open_columns
    opened = tuple(Column(n, free.help) for n in (*column_index, *fixed) if free is not None and n not in known)
    if free is not None and free.required and not opened:
        raise SetupError(
            f"{operation.name} needs a column {free.prefix}NAME, or --map {free.prefix}NAME=COLUMN; the manifest has "
            f"{_listed(header)}"
        )
    fed = tuple(c for c in operation.columns if c.name in column_index or c.name in fixed)
    repairs = repairs or Repairs()
    mendings = {
        name: mending for name in column_index if (mending := repairs.of(name, role_of(operation, name))) is not None
    }
    return Binding(operation, tuple(header), column_index, fixed, extra_constants, (*fed, *opened), repairs, mendings)


def _superfluous(
    operation: Operation, maps: Mapping[str, str], column_index: Mapping[str, int], fixed: Mapping[str, str]
) -> list[str]:
    """The columns that a manifest has beside the one that feeds ``one_of``: what is asked for comes first."""
    asked = [name for name in operation.one_of if name in maps or name in fixed]
    if len(asked) > 1:
        raise SetupError(f"{operation.name} takes {' or '.join(operation.one_of)}, not both; leave one out")
    there = [*asked, *(name for name in operation.one_of if name in column_index and name not in asked)]
    return there[1:]


def role_of(operation: Operation, name: str) -> ColumnRole:
    """What a field's column holds, for the manifest doctor."""
    if name == "contact_identifier_value":
        return ColumnRole.IDENTIFIER
    if name == "hash":
        return ColumnRole.HASH
    if name.endswith("_uuid"):
        return ColumnRole.UUID
    column = operation.column(name)
    match column.kind if column else Kind.TEXT:
        case Kind.EMAIL:
            return ColumnRole.EMAIL
        case Kind.TEXT | Kind.NAME | Kind.PATH:
            return ColumnRole.TEXT
        case Kind.FLAG | Kind.CENTS | Kind.CREDITS | Kind.BALANCE | Kind.DIGITAL | Kind.DELETION:
            return ColumnRole.VALUE


def refuse_useless(binding: Binding) -> None:
    """SetupError for an option that concerns a field which no column feeds, or which cannot be rounded."""
    repairs = binding.repairs
    for option, names in (("--values", repairs.values), ("--round", repairs.rounding)):
        for name in names:
            if name not in binding.column_index:
                has = ", ".join(binding.column_index)
                raise SetupError(f"{option} {name}: no column of the manifest is read as {name}; read are {has}")
    for name in repairs.rounding:
        column = binding.operation.column(name)
        if column is None or column.kind not in {Kind.CREDITS, Kind.BALANCE}:
            raise SetupError(f"--round {name}: only credits are rounded; an amount of money is never")


def _places(operation: Operation, header: Sequence[str], maps: Mapping[str, str]) -> dict[str, int]:
    """Field to column, for what the manifest itself feeds."""
    known = {c.name for c in operation.columns}
    column_index: dict[str, int] = {}
    for name, source in maps.items():
        if name not in known and not _is_open(operation, name):
            has = ", ".join(c.name for c in operation.columns)
            meant = nearest(name, known)
            raise SetupError(f"--map {name}={source}: {operation.name} has no field {name}{meant}; it has {has}")
        if source not in header:
            meant = nearest(source, header)
            raise SetupError(
                f"--map {name}={source}: the manifest has no column {source!r}{meant}; it has {_listed(header)}"
            )
        if source in _KEPT_FOR_LATER:
            raise SetupError(
                f"--map {name}={source}: by columns of that name the program knows rows of earlier runs; rename it in "
                "the list"
            )
        column_index[name] = header.index(source)
    free = [name for name in header if name not in maps.values() and not name.startswith("_")]
    wanted = [c.name for c in operation.columns if c.name not in column_index]
    for name, source in match_columns(free, wanted).items():
        column_index[name] = header.index(source)
    for name in free:
        if _is_open(operation, name) and name not in column_index:
            column_index[name] = header.index(name)
    return column_index


def _constants(
    operation: Operation, header: Sequence[str], column_index: Mapping[str, int], constants: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """What ``--set`` gives: fields of the operation, and columns that are extra_constants into the results."""
    known = {c.name for c in operation.columns}
    fixed: dict[str, str] = {}
    extra_constants: dict[str, str] = {}
    for name, text in constants.items():
        if name in header:
            raise SetupError(f"--set {name}={text}: the manifest has a column of that name too; drop one of the two")
        if name in column_index:
            raise SetupError(
                f"--set {name}={text}: the manifest's column {header[column_index[name]]!r} is read as {name} already; "
                "drop one of the two"
            )
        if name.startswith("_"):
            raise SetupError(f"--set {name}={text}: names that begin with _ are the program's own")
        if any("\ud800" <= c <= "\udfff" for c in name + text):
            raise SetupError(f"--set {name}={text}: holds bytes that are no text; write it as UTF-8")
        if name in known or _is_open(operation, name):
            if text == "":
                raise SetupError(f"--set {name}=: is blank; give a value, or leave the option out")
            column = operation.column(name)
            problem = check_cell(column.kind, text) if column else None
            if problem:
                raise SetupError(f"--set {name}={text}: {problem}")
            fixed[name] = text
        else:
            extra_constants[name] = text
    return fixed, extra_constants


def _is_open(operation: Operation, name: str) -> bool:
    return operation.open_columns is not None and operation.open_columns.has(name)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(n) for n in names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown


def _missing(operation: Operation, missing: Sequence[str], header: Sequence[str]) -> str:
    lacks = ", ".join(missing)
    best: dict[str, str] = {}  # field -> option; the fields that need not be there too
    for each in suggest(header, [c.name for c in operation.columns]):
        if each.field not in best and each.option.partition("=")[2] not in {o.partition("=")[2] for o in best.values()}:
            best[each.field] = each.option
    hint = f'name the column with --map "{missing[0]}=YOUR COLUMN"'
    if best.keys() & set(missing):
        hint = f"did you mean: {' '.join(best.values())}"
    return f"the manifest has no column {lacks} that {operation.name} needs; it has {_listed(header)}; {hint}"


def check(binding: Binding, values: Mapping[str, str]) -> list[tuple[str | None, CellProblem]]:
    """What is wrong with one row's fields: (field or None, problem), empty where nothing is."""
    problems: list[tuple[str | None, CellProblem]] = []
    operation = binding.operation
    for column in operation.columns:
        text = values.get(column.name)
        if text is None:
            if column.required:
                problems.append((column.name, CellProblem("is blank")))
            continue
        problem = check_cell(column.kind, text)
        if problem:
            problems.append((column.name, problem))
    if operation.at_least_one and not any(n in values for n in operation.at_least_one):
        problems.append((None, CellProblem(f"gives neither {' nor '.join(operation.at_least_one)}")))
    fed = next((c.name for c in binding.fields if c.name in operation.one_of), None)
    if fed is not None and fed not in values:
        problems.append((fed, CellProblem("is blank")))
    free = operation.open_columns
    if free is not None and free.required and not any(map(free.has, values)):
        problems.append((None, CellProblem(f"gives no {free.prefix}NAME")))
    return problems
