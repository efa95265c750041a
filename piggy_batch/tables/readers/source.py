"""The bytes of a file: plain, gz, or the one member of a zip; read in chunks, never whole."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import shutil
import struct
import sys
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from piggy_batch.errors import SetupError
from piggy_batch.files import UNFINISHED, atomic_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


CHUNK = 1 << 20
MAX_CELL = 2 << 20  # characters; a longer text is no cell of any list
BOMB_FLOOR = 64 << 20  # smaller than this unpacked, no ratio is dangerous
BOMB_RATIO = 200  # card lists shrink 3 to 50 times
PACKINGS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})  # those that unpack piece by piece
DAMAGE = (  # all that the libraries raise for packing that is not sound
    EOFError, OSError, ValueError, RuntimeError, NotImplementedError, struct.error,
    zlib.error, lzma.LZMAError, zipfile.BadZipFile,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """A readable file. ``where`` is how messages call it; ``member`` is set for a zip."""

    path: Path
    where: str
    compression: str | None = None
    member: str | None = None

    def open(self) -> BinaryIO:
        """The unpacked bytes from the start; the caller closes."""
        if self.compression == "gz":
            return cast("BinaryIO", gzip.open(self.path, "rb"))
        if self.compression == "zip" and self.member is not None:
            return cast("BinaryIO", _Member(self.path, self.member))
        return self.path.open("rb")

    def text(self, encoding: str) -> io.TextIOWrapper:
        """The text from the start, line ends as they are; the caller closes."""
        return io.TextIOWrapper(self.open(), encoding=encoding, newline="")

    def head(self, size: int = 1 << 16) -> bytes:
        """The first unpacked bytes, fewer than ``size`` only where the file is shorter."""
        try:
            with self.open() as file:
                return file.read(size)
        except DAMAGE as error:
            raise self.damaged(error) from None

    def tail(self, size: int) -> bytes:
        """The last unpacked bytes."""
        if self.compression is None:
            with self.path.open("rb") as file:
                file.seek(-min(size, file.seek(0, os.SEEK_END)), os.SEEK_END)
                return file.read(size)
        tail = b""
        for chunk in self.chunks():
            tail = (tail + chunk)[-size:]
        return tail

    def chunks(self) -> Iterator[bytes]:
        """The unpacked bytes in pieces; SetupError where the packing is damaged or a bomb."""
        packed = self.path.stat().st_size
        unpacked = 0
        try:
            with self.open() as file:
                while chunk := file.read(CHUNK):
                    unpacked += len(chunk)
                    if self.compression and unpacked > max(BOMB_FLOOR, packed * BOMB_RATIO):
                        raise SetupError(
                            f"{self.where}: unpacks to more than {BOMB_RATIO} times its size; no list does; "
                            "unpack it yourself if you trust it"
                        )
                    yield chunk
        except DAMAGE as error:
            raise self.damaged(error) from None

    def damaged(self, error: Exception) -> SetupError:
        """The error for packing that does not unpack."""
        kind = self.compression
        if kind is None:
            return SetupError(f"{self.where}: cannot be read ({error}); check its place and permissions")
        return SetupError(f"{self.where}: the {kind} file is damaged or cut off ({error}); get it again")


class _Member(io.RawIOBase):
    """One member of a zip file as a stream that closes the archive with it."""

    def __init__(self, path: Path, member: str) -> None:
        self._archive = zipfile.ZipFile(path)
        self._file: IO[bytes] = self._archive.open(member)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(size)

    def read1(self, size: int = -1, /) -> bytes:
        return self._file.read(CHUNK if size < 0 else size)

    def close(self) -> None:
        self._file.close()
        self._archive.close()
        super().close()


def open_source(path: Path, *, spool: Path | None = None, stdin: BinaryIO | None = None) -> Source:
    """The file at ``path``, unpacked where it is gz or a zip of one file; ``-`` is stdin, kept in ``spool``.

    Raises SetupError for what is missing, unreadable, empty, or a zip of several files. A zip that is a
    workbook stays packed.
    """
    where = path.name or str(path)
    if str(path) == "-":
        if spool is None:
            raise SetupError("a manifest from standard input needs a place to be kept; pass --run-dir DIR")
        _keep(sys.stdin.buffer if stdin is None else stdin, spool)
        path, where = spool, "standard input"
    try:
        if path.is_dir():
            raise SetupError(f"{path}: is a directory; name the file")
        if not path.exists():
            raise SetupError(f"{path}: no such file; check the name")
        if not path.is_file():
            raise SetupError(f"{path}: is no regular file; pass - to read from standard input")
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise SetupError(f"{path}: cannot be read: {error.strerror}; check its permissions") from None
    if not head:
        raise SetupError(f"{where}: the file is empty; it needs a header row at least")
    if head.startswith(b"\x1f\x8b"):
        return Source(path, where, "gz")
    if head == b"PK\x03\x04":
        member = _only_member(path, where)
        return Source(path, where, "zip", member) if member else Source(path, where)
    return Source(path, where)


def _only_member(path: Path, where: str) -> str | None:
    """The name of the one file in a zip; None for a workbook, which is a zip of many."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if "[Content_Types].xml" in names or "content.xml" in names:
                return None
            files = [m for m in members if not m.is_dir() and not _is_litter(m.filename)]
            if len(files) != 1:
                raise SetupError(f"{where}: the zip holds {len(files)} files; it must hold exactly one")
            if files[0].flag_bits & 1:
                raise SetupError(f"{where}: the zip asks for a password; unpack it first")
            refuse_packing(files[0], where)
            with archive.open(files[0]):
                return files[0].filename
    except DAMAGE as error:
        raise SetupError(f"{where}: the zip file is damaged or unusual ({error}); unpack it first") from None


def refuse_packing(member: zipfile.ZipInfo, where: str) -> None:
    """SetupError where a few bytes of a member may unpack to any number at once, as with bzip2 and LZMA."""
    if member.compress_type not in PACKINGS:
        raise SetupError(
            f"{where}: is packed in an unusual way; unpack it first, or pack it as zip programs do by default"
        )


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1] in {".DS_Store", "Thumbs.db"}


def _keep(stream: BinaryIO, spool: Path) -> None:
    """Copy a stream into a private file of a run directory, whole or not at all."""
    spool.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with atomic_file(spool, drafts=spool.parent / UNFINISHED) as draft, draft.open("wb") as out:
        shutil.copyfileobj(stream, out, CHUNK)


def unpacked(source: Source) -> BinaryIO:
    """The whole file, able to seek; what was packed lies in a nameless temporary file."""
    if source.compression is None:
        return source.open()
    file = tempfile.TemporaryFile()  # noqa: SIM115  handed to the caller, who closes it
    for chunk in source.chunks():
        file.write(chunk)
    file.seek(0)
    return cast("BinaryIO", file)
