"""Parquet written in row groups with a fixed schema; loaded only where Parquet is asked for."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from piggy_batch.tables.writers.base import Kind, OutputColumn, Rows, bool_of, moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_GROUP_ROWS = 50_000  # rows a group: large enough to compress, small enough to hold


class _NoPandas:
    """Finds no pandas."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:  # noqa: ARG004 - the protocol's
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


def _meet_a_value() -> None:
    """Let the library convert its first value. It would load pandas then, in case a frame comes: most of a second and
    50 MiB for a process that has none."""
    if "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.array([""])
    finally:
        sys.meta_path.remove(_NoPandas)


_meet_a_value()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) or value is None else str(value)


def _whole(value: object) -> int | None:
    return None if value is None or value == "" else int(str(value))


_CONVERT: dict[Kind, Callable[[object], object]] = {
    "text": _text, "int": _whole, "bool": bool_of, "timestamp": moment_of,
}  # fmt: skip
_TYPES = {
    "text": pa.string(), "int": pa.int64(), "bool": pa.bool_(), "timestamp": pa.timestamp("us", tz="UTC"),
}  # fmt: skip


_PLAIN: dict[Kind, frozenset[type]] = {
    "text": frozenset({str}), "int": frozenset({int}), "bool": frozenset({bool}), "timestamp": frozenset({datetime}),
}  # fmt: skip


def _plain(kind: Kind, column: Sequence[object]) -> bool:
    """Whether the library takes the values as they are; a moment without a zone is UTC to it as well."""
    return set(map(type, column)) <= _PLAIN[kind] | {type(None)}


class ParquetSink:
    """zstd, one schema from the first row to the last."""

    cut = formulas = 0

    def __init__(self, part: Path, columns: Sequence[OutputColumn]) -> None:
        self._kinds: list[Kind] = [column.kind for column in columns]
        self._schema = pa.schema([(column.name, _TYPES[column.kind]) for column in columns])
        self._batches: list[pa.RecordBatch] = []
        self._rows = 0
        self._writer = pq.ParquetWriter(part, self._schema, compression="zstd")

    def write(self, rows: Rows) -> None:
        # Columns of the library hold a group in a fraction of what rows of Python objects take.
        self._batches.append(self._batch(rows))
        self._rows += len(rows)
        if self._rows >= _GROUP_ROWS:
            self._flush()

    def _batch(self, rows: Rows) -> pa.RecordBatch:
        columns = list(zip(*rows, strict=True)) or [()] * len(self._kinds)
        arrays = [
            pa.array(column if _plain(kind, column) else map(_CONVERT[kind], column), type=type_)
            for kind, column, type_ in zip(self._kinds, columns, self._schema.types, strict=True)
        ]
        return pa.record_batch(arrays, schema=self._schema)

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_batches(self._batches), row_group_size=_GROUP_ROWS)
        self._batches, self._rows = [], 0

    def finish(self) -> None:
        if self._rows:
            self._flush()
        self._writer.close()

    def abandon(self) -> None:
        self._writer.close()
