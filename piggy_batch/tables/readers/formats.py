"""Which reader a file needs, by what is in it rather than by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.tables.readers.delimited import open_csv
from piggy_batch.tables.readers.source import open_source
from piggy_batch.tables.table import without_last

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from piggy_batch.tables.readers.source import Source
    from piggy_batch.tables.table import Table

_WORKBOOK = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # a zip that is no single file; the container of .xls
_MARKUP = ("<!doctype", "<html", "<table", "<?xml", "<meta", "<head")


def open_table(
    path: Path,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    header_row: int | None = None,
    drop_last: int = 0,
    formats: bool = False,
    spool: Path | None = None,
    stdin: BinaryIO | None = None,
) -> Table:
    """A file as a table of text; a context manager.

    CSV with any of ``, ; tab |``, JSON Lines, Parquet, xlsx, xls and ods; plain, gz, or alone in a zip; told
    apart by content. ``-`` is standard input, kept in the file ``spool``. ``delimiter``, ``encoding`` and
    ``sheet`` overrule what is detected. ``header_row`` is the line whose cells name the columns, what stands above
    is left out; ``drop_last`` leaves rows out at the end; ``formats`` shows numbers as a workbook shows them. Raises
    SetupError, one line of where, what and what next, for a file that is missing, empty, without header, damaged, not
    a table, has two columns of one name, or would not fit in memory.
    """
    source = open_source(path, spool=spool, stdin=stdin)
    table = _open(source, delimiter, encoding, sheet, header_row, formats=formats)
    if not drop_last:
        return table
    try:
        return without_last(table, drop_last, source.where)
    except BaseException:
        table.close()
        raise


def _open(
    source: Source,
    delimiter: str | None,
    encoding: str | None,
    sheet: str | None,
    header_row: int | None,
    *,
    formats: bool,
) -> Table:
    head = source.head()
    if not head:
        raise SetupError(f"{source.where}: the file is empty; it needs a header row at least")
    if head.startswith(b"PAR1"):
        _refuse(source, delimiter=delimiter, encoding=encoding, sheet=sheet, header_row=header_row)
        from piggy_batch.tables.readers.parquet import open_parquet

        return open_parquet(source)
    if head.startswith(_WORKBOOK):
        _refuse(source, delimiter=delimiter, encoding=encoding)
        from piggy_batch.tables.readers.excel import open_workbook

        return open_workbook(source, sheet=sheet, header_row=header_row, formats=formats)
    _refuse(source, sheet=sheet)
    start = head.replace(b"\0", b"").decode("latin-1").lstrip("\ufeff\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if start.startswith(_MARKUP):
        raise SetupError(f"{source.where}: is a web page or XML, not a table; save it as CSV UTF-8 or xlsx")
    if start.startswith("{"):
        _refuse(source, delimiter=delimiter, header_row=header_row)
        from piggy_batch.tables.readers.jsonl import open_jsonl

        return open_jsonl(source, encoding=encoding)
    if start.startswith(("[{", "[\r", "[\n", "[ ")):
        raise SetupError(f"{source.where}: is one JSON array; write JSON Lines instead, one object a line")
    return open_csv(source, delimiter=delimiter, encoding=encoding, header_row=header_row)


def read_columns(path: Path) -> dict[str, list[str]]:
    """A whole table in memory, as columns of text; cells that are not there are blank."""
    with open_table(path) as table:
        rows = [cells + [""] * (len(table.columns) - len(cells)) for _, cells in table.rows()]
        return {name: [cells[index] for cells in rows] for index, name in enumerate(table.columns)}


def _refuse(source: Source, **options: str | int | None) -> None:
    """An option that this format has no use for hides a mistake."""
    for name, value in options.items():
        if value is not None:
            raise SetupError(
                f"{source.where}: --{name.replace('_', '-')} does not apply to this kind of file; leave it out"
            )
