"""The room of files: the only place that knows csv, pyarrow, calamine and xlsxwriter; they load on use."""

from piggy_batch.tables.facts import Facts, Rows, Table
from piggy_batch.tables.reading import open_table
from piggy_batch.tables.source import sha256_of
from piggy_batch.tables.writing import FORMATS, Out, Writer, open_writer, warm_up

__all__ = ["FORMATS", "Facts", "Out", "Rows", "Table", "Writer", "open_table", "open_writer", "sha256_of", "warm_up"]
