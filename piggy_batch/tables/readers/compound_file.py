"""The container of old office files: a small file system of sectors, of which one stream is wanted."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from typing import BinaryIO

MAX_STREAM = 256 << 20  # bytes; an old workbook takes no more
_LAST = 0xFFFFFFFA  # from here on a number is no sector but a sign
_ROOT = 5
_ENTRY = 128
_MINI_CUTOFF = 4096


def read_stream(handle: BinaryIO, names: tuple[str, ...], where: str) -> bytes:
    """The first stream that has one of these names. SetupError where there is none, or the container is damaged."""
    handle.seek(0)
    data = handle.read(MAX_STREAM + 1)
    if len(data) > MAX_STREAM:
        raise SetupError(f"{where}: is larger than {MAX_STREAM >> 20} MiB; save it as xlsx or CSV UTF-8")
    try:
        return _Container(data).stream(names)
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise SetupError(f"{where}: the workbook is damaged ({error}); save it as xlsx or CSV UTF-8") from None


class _Container:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._size = 1 << struct.unpack_from("<H", data, 30)[0]
        if not 128 <= self._size <= 1 << 16:
            raise ValueError("its sectors have an impossible size")
        self._fat = self._read_fat()
        directory = self._chain(struct.unpack_from("<I", data, 48)[0])
        self._entries = [directory[at : at + _ENTRY] for at in range(0, len(directory) - _ENTRY + 1, _ENTRY)]

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        return self._data[start : start + self._size]

    def _numbers(self, sector: bytes) -> tuple[int, ...]:
        return struct.unpack(f"<{len(sector) // 4}I", sector[: len(sector) // 4 * 4])

    def _read_fat(self) -> list[int]:
        """Which sector follows which, from the sectors that hold the table."""
        places = list(struct.unpack_from("<109I", self._data, 76))
        further = struct.unpack_from("<I", self._data, 68)[0]
        seen = set()
        while further < _LAST and further not in seen:
            seen.add(further)
            *more, further = self._numbers(self._sector(further))
            places += more
        fat: list[int] = []
        for place in places:
            if place < _LAST:
                fat += self._numbers(self._sector(place))
        return fat

    def _chain(self, first: int) -> bytes:
        found, seen = [], set()
        while first < _LAST:
            if first in seen:
                raise ValueError("its sectors go in a circle")
            seen.add(first)
            found.append(self._sector(first))
            first = self._fat[first]
        return b"".join(found)

    def stream(self, names: tuple[str, ...]) -> bytes:
        """The bytes of the stream."""
        root = next(entry for entry in self._entries if entry[66] == _ROOT)
        for name in names:
            for entry in self._entries:
                size = struct.unpack_from("<H", entry, 64)[0]
                if entry[: max(0, size - 2)].decode("utf-16-le") == name:
                    return self._content(entry, root)
        raise ValueError("it holds no workbook")

    def _content(self, entry: bytes, root: bytes) -> bytes:
        first, size = struct.unpack_from("<II", entry, 116)
        if size >= _MINI_CUTOFF:
            return self._chain(first)[:size]
        small = self._chain(struct.unpack_from("<I", root, 116)[0])
        follows = self._numbers(self._chain(struct.unpack_from("<I", self._data, 60)[0]))
        width = 1 << struct.unpack_from("<H", self._data, 32)[0]
        found, seen = [], set()
        while first < _LAST and first not in seen:
            seen.add(first)
            found.append(small[first * width : (first + 1) * width])
            first = follows[first]
        return b"".join(found)[:size]
