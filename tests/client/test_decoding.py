"""From the bytes and headers of an answer to what it says."""

from __future__ import annotations

import gzip
import json
import tracemalloc

import httpx
import pytest

from piggy_batch.client.connection import MAX_BODY, RawResponse
from piggy_batch.client.decoding import MAX_VALUES, decode
from piggy_batch.client.secret_mask import SecretMask
from piggy_batch.models import Reply

MIB = 1 << 20


def answer(body: bytes, *headers: tuple[bytes, bytes]) -> Reply:
    """What an answer with such a body says."""
    return decode(RawResponse(200, list(headers), body), 0.5, 0.0, SecretMask("none"))


def packed(body: bytes) -> Reply:
    """As ``answer``, the body on its way in gzip."""
    return answer(gzip.compress(body), (b"Content-Encoding", b"gzip"))


def test_a_packed_answer_says_what_it_would_say_unpacked() -> None:
    """The headers that count are read whatever their case."""
    body = json.dumps({"data": ["é", 1]}).encode()
    assert packed(body) == answer(body)
    assert packed(body).body == {"data": ["é", 1]}


def test_the_header_may_come_twice() -> None:
    """Then it names two packings, which no answer needs."""
    once = (b"content-encoding", b"gzip")
    with pytest.raises(httpx.DecodingError, match="more than once"):
        answer(gzip.compress(gzip.compress(b"{}")), once, once)


def test_another_header_that_comes_twice_counts_once() -> None:
    """As a proxy that adds its own leaves it: the last one."""
    assert answer(b"{}", (b"Retry-After", b"7"), (b"retry-after", b"9")).wait_s == 9


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
@pytest.mark.parametrize(
    "unit", [b"[],", b'{"":1},', b"1.5,", b'"ab",', b"[[[[]]]],", b'{"a":{}},'], ids=lambda unit: unit.decode()
)
def test_a_small_answer_that_would_fill_the_memory_is_not_read(unit: bytes) -> None:
    """Thirty kilobytes on the wire unpack to the bound, and as values would take thirty times as much again."""
    body = b"[" + unit * ((MAX_BODY - 2 - len(unit)) // len(unit)) + unit[:-1] + b"]"
    small = gzip.compress(body)
    assert len(small) < 150_000
    tracemalloc.start()
    found = answer(small, (b"Content-Encoding", b"gzip"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.body, found.is_json) == (None, False)
    assert peak < 100 * MIB


def test_a_large_page_is_read() -> None:
    """Ten times as much as a page of 100 heavy contacts."""
    body = {"data": [{f"field_{n}": "x" * 60 for n in range(100)} for _ in range(1_000)]}
    text = json.dumps(body).encode()
    assert len(text) > 5 * MIB
    assert packed(text).body == body


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
def test_a_long_list_of_small_values_is_read_up_to_a_bound() -> None:
    """Below it every value is there."""
    assert len(answer(json.dumps([1] * (MAX_VALUES - 10)).encode()).body) == MAX_VALUES - 10
    assert not answer(json.dumps([1] * (MAX_VALUES + 10)).encode()).is_json
