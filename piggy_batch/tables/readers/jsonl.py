"""JSON Lines: one object a line, every value as its literal text."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from piggy_batch.errors import SetupError
from piggy_batch.tables.readers.encoding import settle
from piggy_batch.tables.table import MAX_COLUMNS, Rows, Table, TableInfo, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from piggy_batch.tables.readers.source import Source

Pairs = list[tuple[str, Any]]


def open_jsonl(source: Source, *, encoding: str | None) -> Table:
    """JSON Lines as a table. Its columns are the keys of all lines, in the order in which they first occur.

    Numbers keep their literal text (``1E5`` stays so), true and false are themselves,
    null and a missing key are the empty text. SetupError, naming the line, for anything else.
    """
    found = settle(source, encoding)
    columns: dict[str, int] = {}
    for line, pairs in _objects(source, found.codec):
        for key, _ in pairs:
            if columns.setdefault(key, len(columns)) == MAX_COLUMNS:
                raise SetupError(f"{source.where}, line {line}: more than {MAX_COLUMNS:,} different keys")

    def rows() -> Rows:
        width = len(columns)
        for line, pairs in _objects(source, found.codec):
            cells = [""] * width
            for key, value in pairs:
                cells[columns[key]] = value if isinstance(value, str) else _text(value, source.where, line, key)
            if any(cells):
                yield line, cells

    for _ in islice(rows(), 1):  # a mistake in the first row shows at once
        pass
    facts = TableInfo("jsonl", found.codec, compression=source.compression, notes=found.notes)
    return make_table(source.where, list(columns), facts, rows)


class _Nested(list[tuple[str, Any]]):
    """An object, told apart from a JSON array."""


_decode = json.JSONDecoder(
    parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_Nested
).decode  # fmt: skip


def _objects(source: Source, codec: str) -> Iterator[tuple[int, Pairs]]:
    with source.text(codec) as file:
        for line, raw in enumerate(file, start=1):
            text = raw.lstrip("\ufeff") if line == 1 else raw
            if not text.strip():
                continue
            try:
                pairs = _decode(text)
                if "\\u" in text:  # only an escape can smuggle in what is no text
                    _check_text(pairs)
            except (ValueError, RecursionError) as error:
                raise SetupError(f"{source.where}, line {line}: is no JSON object: {error}") from None
            if not isinstance(pairs, _Nested):
                raise SetupError(f"{source.where}, line {line}: is no JSON object; write {{...}} on each line")
            if len({key for key, _ in pairs}) != len(pairs):
                raise SetupError(f"{source.where}, line {line}: names a key twice; keep one of them")
            yield line, pairs


def _check_text(pairs: Pairs) -> None:
    """Raise ValueError for zero characters and lone halves of characters, which no file can hold as text."""
    whole = "".join(f"{key}{value}" for key, value in pairs)
    whole.encode()
    if "\0" in whole:
        raise ValueError("zero characters are no text")


def _text(value: Any, where: str, line: int, key: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    raise SetupError(f'{where}, line {line}, "{key}": holds a list or an object; write plain text or a number')
