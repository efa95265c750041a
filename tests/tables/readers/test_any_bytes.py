"""Whatever bytes a file holds, reading it ends in rows or in one clear line, never in a traceback."""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from piggy_batch.errors import SetupError
from piggy_batch.tables import OutputColumn, open_table, open_writer

CSV = 'card;naam\r\n007;Zoë\r\n"1";"a\nb"\r\n'.encode()


def written(kind: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t"
        with open_writer(path, kind, [OutputColumn("card"), OutputColumn("n", "int")]) as writer:
            writer.write([["007", 1], ["Zoë", None], ["x\ny", 3]])
        return path.read_bytes()


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", content)
    return buffer.getvalue()


ODS = (Path(__file__).parents[2] / "manifest" / "doctor" / "corpus" / "error.ods").read_bytes()
SOUND = [
    CSV, CSV.decode().encode("utf-16"), CSV.decode().encode("cp1252"), gzip.compress(CSV, mtime=0), zipped(CSV),
    written("jsonl"), written("parquet"), written("xlsx"), ODS, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1024),
]  # fmt: skip
PATCHES = st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6), st.integers(0, 8)), max_size=4)


def patched(content: bytes, patches: list[tuple[float, bytes, int]], end: float) -> bytes:
    for place, insert, delete in patches:
        at = int(place * len(content))
        content = content[:at] + insert + content[at + delete :]
    return content[: int(end * len(content)) + 1]


def read(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t"
        path.write_bytes(content)
        complaint = ""
        try:
            with open_table(path) as table:
                for line, cells in table.rows():
                    assert line > 0
                    "".join(cells).encode()
        except SetupError as error:
            complaint = str(error)
        assert "\n" not in complaint


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(SOUND), PATCHES, st.just(1.0) | st.floats(0, 1))
def test_a_damaged_file_ends_in_rows_or_one_line(
    content: bytes, patches: list[tuple[float, bytes, int]], end: float
) -> None:
    """A few bytes changed, added or gone, or the end cut off, in a file of any format."""
    read(patched(content, patches, end))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_noise_ends_in_rows_or_one_line(content: bytes) -> None:
    """Bytes without any meaning."""
    read(content)
