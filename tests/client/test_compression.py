"""Packed answers: what comes of them, and how much at most."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import httpx
import pytest

from piggy_batch.client.compression import decompress

BODY = b'{"data": [1, 2, 3]}' * 50
RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(BODY)),
        (" GZip", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", RAW.compress(BODY) + RAW.flush()),
        ("", BODY),
        ("identity", BODY),
        ("x-unknown", BODY),
    ],
    ids=["gzip", "spelt otherwise", "deflate", "bare deflate", "none", "identity", "unknown"],
)
def test_a_packed_answer_becomes_what_it_was(encoding: str, packed: bytes) -> None:
    """gzip, both kinds of deflate; what is not known is left alone."""
    assert decompress(packed, encoding, 10_000) == BODY


def test_an_answer_without_body_is_not_unpacked() -> None:
    """Whatever its headers say: a 204 has none."""
    assert decompress(b"", "gzip", 10) == b""


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_packed_answer_that_is_cut_or_damaged_is_an_error(encoding: str) -> None:
    """The beginning of a body is no body."""
    packed = gzip.compress(BODY) if encoding == "gzip" else zlib.compress(BODY)
    for damaged in (packed[:-9], packed[:4], b"\x00" * 10, BODY):
        with pytest.raises(httpx.DecodingError):
            decompress(damaged, encoding, 10_000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_packed_answer_that_is_followed_by_more_is_an_error(encoding: str) -> None:
    """The first of two bodies is half an answer."""
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    for more in (pack(BODY), b"\0", BODY):
        with pytest.raises(httpx.DecodingError):
            decompress(pack(b"") + more, encoding, 10_000)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate,gzip", "gzip,"])
def test_an_answer_packed_twice_is_not_unpacked(encoding: str) -> None:
    """A gzip of a gzip of zeros would unpack to a million times its size."""
    with pytest.raises(httpx.DecodingError, match="more than once"):
        decompress(gzip.compress(gzip.compress(BODY)), encoding, 10_000)


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
def test_a_bomb_costs_no_more_than_the_bound() -> None:
    """A gibibyte of zeros in a megabyte: given up at the bound, in a small multiple of its memory."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1 << 10)) + packer.flush()
    tracemalloc.start()
    with pytest.raises(httpx.DecodingError, match="more than 1 MiB"):
        decompress(bomb, "gzip", 1 << 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 << 20
    assert decompress(gzip.compress(bytes(1 << 20)), "gzip", 1 << 20) == bytes(1 << 20)
