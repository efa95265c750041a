"""Parquet read in batches, every cell as text; loaded only for a Parquet file, for the library is heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from piggy_batch.errors import SetupError
from piggy_batch.tables.cells import cell_text
from piggy_batch.tables.readers.source import MAX_CELL, unpacked
from piggy_batch.tables.table import MAX_COLUMNS, Rows, Table, TableInfo, make_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from piggy_batch.tables.readers.source import Source

MAX_FOOTER = 64 << 20  # bytes; describes tens of thousands of columns already
MAX_ROWS = 20_000_000  # a few bytes can stand for many more
ALIKE_ROWS = 1 << 20  # as many as a sheet holds; more must differ in something, and so take room:
ROWS_A_BYTE = 8  # at most
MAX_RATIO = 1000  # unpacked to packed, of one column's chunk
_RATIO_FLOOR = 256 << 20
_BATCH_ROWS = 8192
_BATCH_BYTES = 64 << 20  # of text; a few bytes of a dictionary can stand for a long text in every row
MAX_TEXT = 1 << 30  # bytes that the rows of a file come to, or so many times its size:
TEXT_RATIO = 200


def open_parquet(source: Source) -> Table:
    """A Parquet file as a table of text.

    Whole numbers become their decimal text, dates ISO text, booleans true and false, null the empty text.
    Columns of floats are named in ``float_columns``. SetupError for nested columns, and for a file whose
    description is larger than any manifest's.
    """
    handle = unpacked(source)
    try:
        _check_footer(handle, source.where)
        file = pq.ParquetFile(
            handle,
            thrift_container_size_limit=200_000,
            thrift_string_size_limit=MAX_FOOTER,
            buffer_size=1 << 20,
        )
        _check_size(file, source.where)
        size = handle.seek(0, 2)
        return _table(file, source, _batch_rows(handle, file, source.where), size, handle.close)
    except (pa.ArrowException, OSError, ValueError) as error:
        handle.close()
        raise SetupError(f"{source.where}: is no sound Parquet: {_one_line(error)}; write it again") from None
    except SetupError:
        handle.close()
        raise


def _table(file: Any, source: Source, batch_rows: int, size: int, release: Callable[[], None]) -> Table:
    schema = file.schema_arrow

    def rows() -> Rows:
        return _rows(file, source.where, batch_rows, size)

    floats = frozenset(field.name for field in schema if pa.types.is_floating(field.type))
    facts = TableInfo("parquet", compression=source.compression)
    return make_table(source.where, schema.names, facts, rows, float_columns=floats, release=release)


def _check_footer(handle: BinaryIO, where: str) -> None:
    """Look at the size of the description before anything parses it."""
    size = handle.seek(0, 2)
    if size < 12:
        raise SetupError(f"{where}: the Parquet file is cut off; get it again")
    handle.seek(size - 8)
    end = handle.read(8)
    footer = int.from_bytes(end[:4], "little")
    if end[4:] != b"PAR1" or footer > size:
        raise SetupError(f"{where}: the Parquet file is cut off or encrypted; get it again")
    if footer > MAX_FOOTER:
        raise SetupError(f"{where}: its description takes {footer >> 20} MiB; keep only the columns needed")
    handle.seek(0)


def _check_size(file: Any, where: str) -> None:
    for field in file.schema_arrow:
        if pa.types.is_nested(field.type):
            raise SetupError(f'{where}, column "{field.name}": holds lists or records; leave it out')
        if pa.types.is_duration(field.type) and field.type.unit == "ns":
            raise SetupError(f'{where}, column "{field.name}": holds durations in nanoseconds, no text; leave it out')
    metadata = file.metadata
    if metadata.num_rows > MAX_ROWS:
        raise SetupError(f"{where}: {metadata.num_rows:,} rows; at most {MAX_ROWS:,} are read: split the list")
    if metadata.num_columns > MAX_COLUMNS:
        raise SetupError(f"{where}: {metadata.num_columns:,} columns; at most {MAX_COLUMNS:,} are read")
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            size = chunk.total_uncompressed_size
            if size > max(_RATIO_FLOOR, chunk.total_compressed_size * MAX_RATIO):
                raise SetupError(f"{where}: column {chunk.path_in_schema} grows {MAX_RATIO}-fold; no list does")


def _batch_rows(handle: BinaryIO, file: Any, where: str) -> int:
    """How many rows can be read at once, whatever the longest texts are that their dictionaries hold."""
    names = file.schema_arrow.names
    texts = [field.name for field in file.schema_arrow if _holds_text(field.type)]
    coded = pq.ParquetFile(handle, read_dictionary=texts, buffer_size=1 << 20)
    longest = dict.fromkeys(texts, 0)
    for group in range(file.metadata.num_row_groups):
        chunks = (file.metadata.row_group(group).column(names.index(name)) for name in texts)
        named = [n for n, c in zip(texts, chunks, strict=True) if any("DICTIONARY" in e for e in c.encodings)]
        for batch in coded.iter_batches(batch_size=1, row_groups=[group], columns=named) if named else ():
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                if pa.types.is_dictionary(column.type) and len(column.dictionary):
                    found = pc.max(pc.binary_length(column.dictionary)).as_py() or 0
                    longest[name] = max(longest[name], found)
            break
    handle.seek(0)
    for name, length in longest.items():
        _check_cell(length, f'{where}, column "{name}"')
    row = sum(longest.values())
    if row > _BATCH_BYTES:
        raise SetupError(f"{where}: a row may take {row >> 20:,} MiB; no list does")
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(1, row)))


def _rows(file: Any, where: str, batch_rows: int, size: int) -> Rows:
    """``size``: of the file in bytes. SetupError where its rows come to so much more that no list does."""
    line, taken, kept = 1, 0, 0
    most, most_rows = max(MAX_TEXT, size * TEXT_RATIO), max(ALIKE_ROWS, size * ROWS_A_BYTE)
    names = file.schema_arrow.names
    try:
        for batch in file.iter_batches(batch_size=batch_rows):
            taken += sum(map(_size_of, batch.columns))
            if taken > most:
                raise SetupError(f"{where}: its rows come to more than {most >> 20:,} MiB of text; no list does")
            if all(column.null_count == batch.num_rows for column in batch.columns):
                line += batch.num_rows
                continue
            kept += batch.num_rows
            if kept > most_rows:
                raise SetupError(
                    f"{where}: more than {most_rows:,} rows in {size >> 10:,} KiB, so they are alike; split the list"
                )
            texts = [_texts(batch.column(index), f'{where}, column "{name}"', line) for index, name in enumerate(names)]
            for cells in zip(*texts, strict=True):
                line += 1
                if any(cells):
                    yield line, list(cells)
    except (pa.ArrowException, OSError) as error:
        raise SetupError(f"{where}, row {line}: cannot be read as Parquet: {_one_line(error)}") from None


def _size_of(array: Any) -> int:
    """How many bytes a column's values take, each counted where it stands."""
    if not pa.types.is_dictionary(array.type) or not _holds_text(array.type):
        return int(array.nbytes)
    return int(pc.sum(pc.binary_length(array.dictionary).take(array.indices)).as_py() or 0)


def _texts(array: Any, where: str, line: int) -> list[str]:
    """One column of a batch as text; ``line`` is that of the row before."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    try:
        if _is_bytes(kind) or _is_text(kind):
            if pa.types.is_fixed_size_binary(kind):
                array = array.cast(pa.binary())
            array = array.cast(pa.large_string())
            _check_cell(pc.max(pc.binary_length(array)).as_py() or 0, where)
            data = array.buffers()[2]  # may hold more than the array: then the slower search decides
            if data is not None and b"\0" in data.to_pybytes() and pc.any(pc.match_substring(array, "\0")).as_py():
                raise SetupError(f"{where}: holds zero bytes and so is no text; leave the column out")
        elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
            array = array.cast(pa.string())
        else:
            return [cell_text(value, where) for value in _values(array, kind, where, line)]
        texts: list[str] = array.fill_null("").to_pylist()
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise SetupError(f"{where}: is no text: {_one_line(error)}; leave the column out") from None
    return texts


def _check_cell(length: int, where: str) -> None:
    if length > MAX_CELL:
        raise SetupError(f"{where}: a cell is longer than {MAX_CELL:,} characters; no list's is")


def _holds_text(kind: Any) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return _is_text(kind) or _is_bytes(kind)


def _is_bytes(kind: Any) -> bool:
    types = pa.types
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _values(array: Any, kind: Any, where: str, line: int) -> list[Any]:
    """The values as Python has them; SetupError, naming the row, for a moment or a day that no calendar has."""
    if pa.types.is_timestamp(kind) and kind.unit == "ns":  # finer than a microsecond has no Python type
        array = array.cast(pa.timestamp("us", tz=kind.tz), safe=False)
    try:
        values: list[Any] = array.to_pylist()
    except (OverflowError, ValueError):
        row = next((row for row, value in enumerate(array, start=line + 1) if not _has_value(value)), line + 1)
        raise SetupError(
            f"{where}, line {row}: holds a {kind} that no calendar has; mend it, or leave the column out"
        ) from None
    return values


def _has_value(scalar: Any) -> bool:
    try:
        scalar.as_py()
    except (OverflowError, ValueError):
        return False
    return True


def _one_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
