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


@pytest.mark.parametrize("order", [(7, 9), (9, 7)])
def test_of_two_waits_the_longer_is_kept(order: tuple[int, int]) -> None:
    """As a proxy that adds its own leaves them; another header that comes twice counts as it stands last."""
    waits = [(b"Retry-After", b"%d" % wait_s) for wait_s in order]
    assert answer(b"{}", *waits, (b"retry-after", b"soon")).wait_s == 9
    assert answer(b"{}", (b"X-RateLimit-Limit", b"1"), (b"x-ratelimit-limit", b"2")).limit == 2


@pytest.mark.hostile("18.8 a delete is believed whatever the answer says")
def test_an_answer_of_which_nothing_came_is_not_empty() -> None:
    """A packed one has a body, unless its status says that there is none."""
    packing = (b"Content-Encoding", b"gzip")
    with pytest.raises(httpx.DecodingError, match="nothing of it came"):
        answer(b"", packing)
    for status in (204, 304, 429):
        assert decode(RawResponse(status, [packing], b""), 0.5, 0.0, SecretMask("none")).status == status


@pytest.mark.hostile("18.15 several programs agree at different moments, or by a cache's word")
@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("Age", "0", True),
        ("X-Cache", "HIT", True),
        ("X-Cache", "Hit from cloudfront", True),
        ("X-Cache", "TCP_MEM_HIT from a23-45", True),
        ("X-Cache", "MISS, HIT", True),
        ("X-Cache", "OriginShieldHit from cloudfront", True),
        ("X-Cache", "RefreshHit from cloudfront", False),  # the service was asked whether it still holds
        ("X-Cache", "Miss from cloudfront", False),
        ("X-Cache-Status", "STALE", True),
        ("X-Cache-Status", "UPDATING", True),
        ("X-Cache-Status", "BYPASS", False),
        ("CF-Cache-Status", "HIT", True),
        ("CF-Cache-Status", "DYNAMIC", False),
        ("Cache-Status", "gateway; hit; ttl=30", True),
        ("Cache-Status", "gateway; fwd=stale; stored", False),
        ("Cache-Status", "gateway; hit=?0; fwd=miss", False),
        ("Warning", '110 - "Response is stale"', True),
        ("Warning", '111 gateway "Revalidation failed"', True),
        ("Warning", '214 gateway "Transformation applied", 110 - "Response is stale"', True),
        ("Warning", '214 gateway "Transformation applied"', False),
        ("X-Powered-By", "white-hit", False),
    ],
)
def test_a_cache_is_known_by_what_it_says(name: str, value: str, kept: bool) -> None:
    """In the standard headers, and in those of its own that the common ones write."""
    assert answer(b"{}", (name.encode(), value.encode())).from_cache is kept


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
