"""DataFrames in and out: rows as text, never as numbers that lose digits."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piggy_batch.errors import SetupError
from piggy_batch.tables import OutputColumn, open_writer, read_columns
from piggy_batch.text import printable

if TYPE_CHECKING:
    import pandas as pd

WHOLE_NUMBERS = ("_row", "_line", "_attempts", "_http_status", "_code")


def manifest_bytes(frame: pd.DataFrame) -> bytes:
    """A DataFrame as a manifest: every cell as text, missing ones blank.

    SetupError for columns of floats, which have lost zeros or digits of identifiers already, and of what is neither
    text, whole number nor truth value.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise SetupError(f"rows: must be the name of a file or a DataFrame, not a {type(frame).__name__}")
    # By position: two columns of one name are refused by the reading, which says which they are.
    columns = [_cells(str(name), frame.iloc[:, place]) for place, name in enumerate(frame.columns)]
    with tempfile.TemporaryDirectory(prefix="piggy-batch-") as folder:
        path = Path(folder) / "rows.csv"
        with open_writer(path, "csv", [OutputColumn(str(name)) for name in frame.columns]) as writer:
            writer.write(list(zip(*columns, strict=True)))
        return path.read_bytes()


def _cells(name: str, column: pd.Series[Any]) -> list[str]:
    _check_text(name, name)
    found = []
    for value, missing in zip(column, column.isna(), strict=True):
        if missing:
            found.append("")
        elif isinstance(value, str):
            _check_text(name, value)
            found.append(value)
        elif isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
            found.append("true" if value else "false")
        elif isinstance(value, int) or type(value).__name__.startswith(("int", "uint")):
            found.append(str(value))
        else:
            raise SetupError(
                f'column "{name}" holds {type(value).__name__} {value!r}: read the list as text '
                "(dtype=str), so that no zero and no digit is lost"
            )
    return found


def _check_text(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SetupError(
            f'column "{printable(name)}" holds "{printable(text[:50])}": half of a character, which no file can hold; '
            "read the list with its own encoding"
        ) from None


def read_frame(path: Path) -> pd.DataFrame:
    """A report of a run as a DataFrame: text as it is, the program's own counts as whole numbers."""
    import pandas as pd

    frame = pd.DataFrame(read_columns(path), dtype="string")
    for name in WHOLE_NUMBERS:
        if name in frame:
            frame[name] = pd.to_numeric(frame[name].replace("", pd.NA)).astype("Int64")
    return frame


def read_parquet(path: Path) -> pd.DataFrame:
    """A Parquet file with the types that it has; missing values stay missing."""
    import pandas as pd

    return pd.read_parquet(path, dtype_backend="numpy_nullable")
