"""File formats: the only package that knows csv, pyarrow, calamine and xlsxwriter, each loaded when it is used."""

from piggy_batch.files import sha256_of
from piggy_batch.tables.cells import looks_like_formula
from piggy_batch.tables.readers.formats import open_table, read_columns
from piggy_batch.tables.table import Rows, Table, TableInfo
from piggy_batch.tables.writers.base import CsvDialect, OutputColumn
from piggy_batch.tables.writers.formats import FORMATS, Writer, open_writer, warm_up

__all__ = [
    "FORMATS",
    "CsvDialect",
    "OutputColumn",
    "Rows",
    "Table",
    "TableInfo",
    "Writer",
    "looks_like_formula",
    "open_table",
    "open_writer",
    "read_columns",
    "sha256_of",
    "warm_up",
]
