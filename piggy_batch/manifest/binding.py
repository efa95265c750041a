"""Rules for manifests: which column feeds which field, what a cell may hold, what a row sends. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.endpoints import TAG_PREFIX, Column, Look, Operation, segment
from piggy_batch.endpoints.emails import check_email
from piggy_batch.errors import SetupError
from piggy_batch.manifest.doctor import ColumnRole, Fixes, match, suggest
from piggy_batch.models import Json, Kind, Repeat, Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TRUE_WORDS = frozenset({"true", "1", "yes"})
FALSE_WORDS = frozenset({"false", "0", "no"})
_WHOLE = re.compile(r"[1-9][0-9]{0,11}")
_MONEY = re.compile(r"([0-9]{1,9})[.,]([0-9]{2})")
_UNSAFE_IN_PATH = frozenset("/?#\\%")


@dataclass(frozen=True, slots=True)
class Binding:
    """How a manifest's columns feed an operation's fields."""

    operation: Operation
    header: tuple[str, ...]  # the manifest's columns, in order
    places: Mapping[str, int]  # field -> index in the header
    constants: Mapping[str, str]  # field -> the same text for every row (--set and defaults)
    carried: Mapping[str, str]  # extra column -> the same text for every row (--set)
    fields: tuple[Column, ...]  # every field that is fed, merge tags included
    fixes: Fixes = field(default_factory=Fixes)  # repairs of codes, uuids and addresses
    mended: frozenset[str] = frozenset()  # fields that the repairs concern

    def values(self, cells: Sequence[str]) -> dict[str, str]:
        """The row's fields. Blank optional cells are left out; a short row lacks its missing cells."""
        found = dict(self.constants)
        width = len(cells)
        for name, place in self.places.items():
            if place < width and cells[place] != "":
                found[name] = self.fixes.apply(cells[place]) if name in self.mended else cells[place]
        return found

    def sent_value(self, cells: Sequence[str]) -> str | None:
        """What is sent for the row's key where a repair has changed it; None: the cell as it stands."""
        key = self.operation.key
        place = self.places.get(key)
        if key not in self.mended or place is None or place >= len(cells):
            return None
        mended = self.fixes.apply(cells[place])
        return mended if mended != cells[place] else None


def bind(
    operation: Operation,
    header: Sequence[str],
    maps: Mapping[str, str],
    constants: Mapping[str, str],
    fixes: Fixes | None = None,
) -> Binding:
    """Match header, ``--map`` and ``--set`` to the operation's fields; SetupError where that fails."""
    known = {c.name: c for c in operation.columns}
    places = _places(operation, header, maps)
    fixed, carried = _constants(operation, header, places, constants)
    for column in operation.columns:
        if column.default is not None and column.name not in places:
            fixed.setdefault(column.name, column.default)
    missing = [c.name for c in operation.columns if c.required and c.name not in places and c.name not in fixed]
    if missing:
        raise SetupError(_missing(operation, missing, header))
    if operation.at_least_one and not any(n in places or n in fixed for n in operation.at_least_one):
        raise SetupError(f"{operation.name} needs a column {' or '.join(operation.at_least_one)} (or --set)")
    tags = tuple(Column(n, "merge tag") for n in (*places, *fixed) if n not in known)
    fed = tuple(c for c in operation.columns if c.name in places or c.name in fixed)
    fixes = fixes or Fixes()
    mended = frozenset(n for n in places if fixes and role_of(n) is not None)
    return Binding(operation, tuple(header), places, fixed, carried, (*fed, *tags), fixes, mended)


def role_of(field: str) -> ColumnRole | None:
    """What a field's column holds, where the manifest doctor has something to say of it."""
    if field == "contact_identifier_value":
        return ColumnRole.IDENTIFIER
    if field == "hash":
        return ColumnRole.HASH
    if field == "email":
        return ColumnRole.EMAIL
    return ColumnRole.UUID if field.endswith("_uuid") else None


def _places(operation: Operation, header: Sequence[str], maps: Mapping[str, str]) -> dict[str, int]:
    """Field to column, for what the manifest itself feeds."""
    known = {c.name for c in operation.columns}
    places: dict[str, int] = {}
    for name, source in maps.items():
        if name not in known and not _is_tag(operation, name):
            has = ", ".join(c.name for c in operation.columns)
            raise SetupError(f"--map {name}={source}: {operation.name} has no field {name}; it has {has}")
        if source not in header:
            raise SetupError(f"--map {name}={source}: the manifest has no column {source!r}; it has {_listed(header)}")
        places[name] = header.index(source)
    free = [name for name in header if name not in maps.values() and not name.startswith("_")]
    wanted = [c.name for c in operation.columns if c.name not in places]
    for name, source in match(free, wanted).items():
        places[name] = header.index(source)
    for name in free:
        if _is_tag(operation, name) and name not in places:
            places[name] = header.index(name)
    return places


def _constants(
    operation: Operation, header: Sequence[str], places: Mapping[str, int], constants: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """What ``--set`` gives: fields of the operation, and columns that are carried into the results."""
    known = {c.name for c in operation.columns}
    fixed: dict[str, str] = {}
    carried: dict[str, str] = {}
    for name, text in constants.items():
        if name in header:
            raise SetupError(f"--set {name}={text}: the manifest has a column of that name too; drop one of the two")
        if name in places:
            raise SetupError(
                f"--set {name}={text}: the manifest's column {header[places[name]]!r} is read as {name} already; drop "
                "one of the two"
            )
        if name.startswith("_"):
            raise SetupError(f"--set {name}={text}: names that begin with _ are the program's own")
        if any("\ud800" <= c <= "\udfff" for c in name + text):
            raise SetupError(f"--set {name}={text}: holds bytes that are no text; write it as UTF-8")
        if name in known or _is_tag(operation, name):
            if text == "":
                raise SetupError(f"--set {name}=: is blank; give a value, or leave the option out")
            column = operation.column(name)
            problem = check_cell(column.kind, text) if column else None
            if problem:
                raise SetupError(f"--set {name}={text}: {problem}")
            fixed[name] = text
        else:
            carried[name] = text
    return fixed, carried


def _is_tag(operation: Operation, name: str) -> bool:
    return operation.tags and name.startswith(TAG_PREFIX) and len(name) > len(TAG_PREFIX)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(n) for n in names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown


def _missing(operation: Operation, missing: Sequence[str], header: Sequence[str]) -> str:
    lacks = ", ".join(missing)
    hints = " ".join(s.message for s in suggest(header, [c.name for c in operation.columns]) if s.field in missing)
    hint = hints or f'name the column with --map "{missing[0]}=YOUR COLUMN"'
    return f"the manifest has no column {lacks} that {operation.name} needs; it has {_listed(header)}; {hint}"


def check(binding: Binding, values: Mapping[str, str]) -> list[tuple[str | None, str]]:
    """What is wrong with one row's fields: (column or None, message), empty where nothing is."""
    problems: list[tuple[str | None, str]] = []
    operation = binding.operation
    for column in operation.columns:
        text = values.get(column.name)
        if text is None:
            if column.required:
                problems.append((column.name, "is blank"))
            continue
        problem = check_cell(column.kind, text)
        if problem:
            problems.append((column.name, problem))
    if operation.at_least_one and not any(n in values for n in operation.at_least_one):
        problems.append((None, f"gives neither {' nor '.join(operation.at_least_one)}"))
    return problems


def check_cell(kind: Kind, text: str) -> str | None:
    """What is wrong with a cell of that kind, in words that say what to write instead."""
    match kind:
        case Kind.TEXT:
            return "is only white space" if text.isspace() else None
        case Kind.PATH:
            return _check_path(text)
        case Kind.FLAG:
            if text.strip().casefold() in TRUE_WORDS | FALSE_WORDS:
                return None
            return f'"{printable(text)}" is neither true nor false; write true or false'
        case Kind.CENTS | Kind.CREDITS:
            return _check_whole(kind, text)
        case Kind.BALANCE:
            return None if text.strip("0") == "" else _check_whole(kind, text)
        case Kind.DIGITAL:
            return _check_type(text)
        case Kind.EMAIL:
            problem = check_email(text)
            return f'"{printable(text)}" {problem}' if problem else None


def _check_path(text: str) -> str | None:
    bad = sorted({c for c in text if c in _UNSAFE_IN_PATH or unicodedata.category(c).startswith("C")})
    if text.strip() in {"", ".", ".."}:
        return f'"{printable(text)}" cannot stand in an address'
    if bad:
        return f'"{printable(text)}" holds {", ".join(repr(c) for c in bad)}, which cannot stand in an address'
    return None


def _check_whole(kind: Kind, text: str) -> str | None:
    if _WHOLE.fullmatch(text):
        return None
    unit = "cents" if kind is Kind.CENTS else "credits"
    money = _MONEY.fullmatch(text)
    if money and kind is Kind.CENTS:
        return f'"{text}" is not a whole number of cents; write {int(money[1] + money[2])}'
    if text.lstrip("-").strip("0") == "":
        return f'"{printable(text)}" {unit} would move nothing; write a number from 1 up, or leave the row out'
    if text.startswith("-"):
        return f'"{printable(text)}" is negative; this command only adds {unit}'
    return f'"{printable(text)}" is not a whole number of {unit}; write digits only'


def _check_type(text: str) -> str | None:
    word = text.strip().upper()
    if word in {"1", "DIGITAL"}:
        return None
    if word in {"0", "PHYSICAL"}:
        return f'"{printable(text)}" asks for a physical card; the service makes digital ones only (type 1)'
    return f'"{printable(text)}" is no giftcard type; write 1'


def parse_cell(kind: Kind, text: str) -> Json:
    """The value that is sent for a cell that passed :func:`check_cell`."""
    match kind:
        case Kind.TEXT | Kind.PATH:
            return text
        case Kind.FLAG:
            return text.strip().casefold() in TRUE_WORDS
        case Kind.CENTS | Kind.CREDITS | Kind.BALANCE:
            return int(text)
        case Kind.DIGITAL:
            return 1
        case Kind.EMAIL:
            return text.strip()


def build(binding: Binding, values: Mapping[str, str]) -> Request:
    """The request that carries a checked row out. DELETE names its thing in query and body, as the
    vendor's SDK and the documentation disagree on the place."""
    operation = binding.operation
    query: dict[str, str] = {}
    body: dict[str, Json] = dict(operation.fixed)
    for column in operation.columns:
        text = values.get(column.name)
        if text is None or not column.sent or f"{{{column.name}}}" in operation.path:
            continue
        value = parse_cell(column.kind, text)
        body[column.name] = value
        query[column.name] = str(value)
    tags = {n: t for n, t in values.items() if n.startswith(TAG_PREFIX)} if operation.tags else {}
    if tags:
        body["merge_tags"] = tags
    path = fill(operation.path, values)
    match operation.method:
        case "GET":
            return Request("GET", path, query=query)
        case "DELETE":
            return Request("DELETE", path, query=query, body=body)
        case _:
            return Request(operation.method, path, body=body)


def look_request(look: Look, values: Mapping[str, str]) -> Request:
    """The read that shows the row's thing."""
    return Request("GET", look.path, query={look.key: values[look.key]})


def inside_request(look: Look, contact_uuid: str) -> Request | None:
    """The list of one contact's things; None where the look has none or the UUID cannot be sent."""
    if look.inside is None or check_cell(Kind.PATH, contact_uuid) is not None:
        return None
    return Request("GET", fill(look.inside, {"contact_uuid": contact_uuid}))


def fill(path: str, values: Mapping[str, str]) -> str:
    """``path`` with every {column} replaced by the row's percent-encoded cell."""
    if "{" not in path:
        return path
    return re.sub(r"\{(\w+)\}", lambda m: segment(values[m[1]]), path)


def printable(text: str) -> str:
    """``text`` fit for a message: control and invisible characters escaped, long text cut."""
    shown = "".join(
        c if unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029" else c.encode("unicode_escape").decode()
        for c in text[:120]
    )
    return shown + ("…" if len(text) > 120 else "")


def counted(number: int, noun: str, plural: str = "s") -> str:
    """``1 row``, ``2 rows``, ``1,000 addresses``."""
    return f"{number:,} {noun}{'' if number == 1 else plural}"


def repeat_warning(operation: Operation) -> str:
    """What a plan says of a repeat."""
    match operation.repeat:
        case Repeat.SAFE:
            return f"a second identical request {operation.repeat_note} (safe)"
        case Repeat.GUARDED:
            return f"a second identical request {operation.repeat_note} (guarded)"
        case Repeat.ONCE:
            return f"a second identical request {operation.repeat_note} (once: never repeated in doubt)"
