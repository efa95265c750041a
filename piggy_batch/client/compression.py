"""Answers that come packed, unpacked up to a bound: one network packet may hold a thousand times its size."""

from __future__ import annotations

import zlib

import httpx

ACCEPTED = "gzip, deflate"


def decompress(body: bytes, encoding: str, most: int) -> bytes:
    """``body`` without the packing that ``Content-Encoding`` names. An unknown one leaves it as it is.

    httpx.DecodingError where more than ``most`` bytes come of it, or it is damaged, cut off, packed twice, or followed
    by more.
    """
    names = [name.strip().lower() for name in encoding.split(",")]
    if len(names) > 1:
        raise httpx.DecodingError("the answer is packed more than once")
    if not body or names[0] not in ("gzip", "deflate"):
        return body
    try:
        return _unpack(body, zlib.MAX_WBITS | 16 if names[0] == "gzip" else zlib.MAX_WBITS, most)
    except zlib.error as error:
        if names[0] == "gzip":
            raise httpx.DecodingError(str(error)) from error
    try:
        return _unpack(body, -zlib.MAX_WBITS, most)  # "deflate" without the wrapping that it should have
    except zlib.error as error:
        raise httpx.DecodingError(str(error)) from error


def _unpack(body: bytes, window: int, most: int) -> bytes:
    unpacking = zlib.decompressobj(window)
    found = unpacking.decompress(body, most + 1)
    if len(found) > most:
        raise httpx.DecodingError(f"the answer unpacks to more than {most // 1024 // 1024} MiB")
    if not unpacking.eof:
        raise zlib.error("the packed answer ends in the middle")
    if unpacking.unused_data:
        raise zlib.error("something follows the packed answer")
    return found
