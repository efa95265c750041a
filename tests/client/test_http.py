"""The room of httpx: what counts as not sent, what an answer becomes, what never leaves."""

from __future__ import annotations

import gzip
import math
import os
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piggy_batch.client.decoding import retry_after
from piggy_batch.client.http import HttpClient
from piggy_batch.client.target import Target, make_target, read_token
from piggy_batch.endpoints import PING
from piggy_batch.errors import SetupError
from piggy_batch.models import Lost, Reply, Request
from tests.support.world import in_virtual_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

NEVER_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"}


def _tree(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


class _Answers(httpx.AsyncBaseTransport):
    def __init__(self, answer: Callable[[httpx.Request], Any]) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        found = self._answer(request)
        if isinstance(found, BaseException):
            raise found
        assert isinstance(found, httpx.Response)
        return found


class _Stream(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


async def _turn() -> bool:
    return True


def ask(answer: Callable[[httpx.Request], Any], request: Request = PING, token: str = "sandbox") -> Any:
    """One request through a transport that answers so."""

    async def work() -> Any:
        async with HttpClient(Target("http://sandbox.test", token), transport=lambda: _Answers(answer)) as client:
            return await client.send(request, 0, _turn)

    return in_virtual_time(work())


@pytest.mark.parametrize("kind", sorted(set(_tree(httpx.RequestError)), key=lambda k: k.__name__))
def test_every_error_of_httpx_is_either_certainly_not_sent_or_perhaps_applied(kind: type[httpx.RequestError]) -> None:
    """Only errors from before the request can have reached the server are "not sent"; a new class is "perhaps"."""
    answer = ask(lambda _: kind(""))
    assert isinstance(answer, Lost)
    assert answer.sent == (kind.__name__ not in NEVER_SENT)
    assert kind.__name__ in answer.reason


@pytest.mark.parametrize("error", [ValueError("x"), OSError(5, "io"), RuntimeError(), httpx.InvalidURL("x")])
def test_any_other_error_after_the_hand_over_is_perhaps_applied(error: Exception) -> None:
    """Whatever goes wrong after httpx has the request: it may have been applied."""
    answer = ask(lambda _: error)
    assert isinstance(answer, Lost)
    assert answer.sent


def test_an_answer_packed_twice_is_not_unpacked() -> None:
    """A gzip of a gzip of zeros would fill the memory from one network packet; the answer counts as lost."""
    packed = gzip.compress(gzip.compress(b"0" * 100_000))
    answer = ask(lambda _: httpx.Response(200, headers={"content-encoding": "gzip, gzip"}, stream=_Stream(packed)))
    assert isinstance(answer, Lost)
    assert answer.sent
    assert "packed more than once" in answer.reason


def test_no_turn_means_that_nothing_leaves() -> None:
    """Where the pacer says no, the transport is never asked."""
    seen: list[httpx.Request] = []

    async def no() -> bool:
        return False

    async def work() -> Any:
        async with HttpClient(Target("http://sandbox.test", "t"), transport=lambda: _Answers(seen.append)) as client:
            return await client.send(PING, 0, no)

    assert in_virtual_time(work()) is None
    assert seen == []


def test_values_are_encoded_and_bodies_are_json() -> None:
    """Any text survives in query and body; the token goes into its header only."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"data": None})

    value = "a b&c=d/é+%?#"
    ask(answer, Request("DELETE", "contact-identifiers", {"v": value}, {"v": value}), token="secret-token")
    (request,) = seen
    assert request.url.params["v"] == value
    assert request.content == f'{{"v":"{value}"}}'.encode()
    assert request.headers["authorization"] == "Bearer secret-token"
    assert "secret-token" not in str(request.url)


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=20), min_size=1, max_size=3))
def test_any_text_in_a_query_arrives_as_it_is(query: dict[str, str]) -> None:
    """And the address is the one that httpx makes of it."""
    seen: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(200, json={"data": None})

    ask(answer, Request("GET", "contact-identifiers/find", query, None))
    assert dict(seen[0].params) == query
    assert seen[0] == httpx.URL(seen[0].copy_with(query=None), params=query)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "1.2"}, 2.0),
        ({"Retry-After": ".5"}, 1.0),
        ({"Retry-After": "1."}, 1.0),
        ({"Retry-After": "."}, None),
        ({"Retry-After": "9" * 400}, math.inf),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "\u00b2"}, None),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT", "Date": "Fri, 31 Dec 1999 23:59:29 GMT"}, 30.0),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT", "Date": "nonsense"}, 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_services_own_clock(headers: dict[str, str], wait_s: float) -> None:
    """A date counts from the answer's own Date, so a wrong clock on this machine does not matter."""
    raw = [(k.encode(), v.encode("latin-1")) for k, v in headers.items()]
    answer = ask(lambda _: httpx.Response(429, headers=raw, json={}))
    assert isinstance(answer, Reply)
    assert answer.wait_s == wait_s


@pytest.mark.parametrize(
    "date",
    [
        "Thu Jan  1 00:01:40 1970",
        "Thursday, 01-Jan-70 00:01:40 GMT",
        "Thu, 01 Jan 1970 00:01:40",
        "Thu, 01 Jan 1970 00:01:40 -0000",
        "1970-01-01T00:01:40",
        "1970-01-01T01:01:40+01:00",
    ],
)
def test_a_date_without_a_zone_is_utc(monkeypatch: pytest.MonkeyPatch, date: str) -> None:
    """Whatever the zone of this machine: in Los Angeles the wait is not eight hours longer."""
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    try:
        assert retry_after(date, 40.0) == 60.0
        told = {"Date": date, "Retry-After": "Thu, 01 Jan 1970 00:02:00 GMT"}
        late = ask(lambda _: httpx.Response(429, headers=told))
        assert isinstance(late, Reply)
        assert late.wait_s == 20.0
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.hostile("18.15 several programs agree at different moments, or by a cache's word")
def test_every_request_asks_for_what_is_so_now() -> None:
    """A cache on the way is told not to answer, and an answer of one is known by its Age."""
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, headers={"Age": "0"} if len(seen) > 1 else {}, json={"data": []})

    fresh, old = ask(answer), ask(answer)
    assert isinstance(fresh, Reply)
    assert isinstance(old, Reply)
    assert [headers["cache-control"] for headers in seen] == ["no-cache", "no-cache"]
    assert (fresh.from_cache, old.from_cache) == (False, True)


def test_a_date_without_the_services_clock_counts_from_this_machines() -> None:
    """Without a Date header the machine's clock has to do."""
    assert retry_after("Thu, 01 Jan 1970 00:01:40 GMT", 40.0) == 60.0


@pytest.mark.parametrize("limit", ["5000", "many", "\u00b2", "9" * 30])
def test_strange_throttle_headers_do_not_cost_an_answer(limit: str) -> None:
    """A header that is no number is no reason to doubt a success."""
    answer = ask(lambda _: httpx.Response(200, headers=[(b"x-ratelimit-limit", limit.encode("latin-1"))], json={}))
    assert isinstance(answer, Reply)
    assert answer.limit == (5000 if limit == "5000" else None)


@pytest.mark.parametrize("body", [b'{"a": 1', b"[" * 100_000, b"\xff\xfe", b"<html>", b"9" * 10_000])
def test_what_is_no_json_is_an_answer_without_body(body: bytes) -> None:
    """Truncated, nested to death, not UTF-8, HTML, a number of ten thousand digits: no JSON, no crash."""
    answer = ask(lambda _: httpx.Response(200, content=body))
    assert isinstance(answer, Reply)
    assert (answer.body, answer.is_json) == (None, False)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.piggy.eu",
        "ftp://api.piggy.eu",
        "api.piggy.eu",
        "",
        "https://",
        "https://user:pw@api.piggy.eu",
        "https://api.piggy.eu?x=1",
        "https://api.piggy.eu#x",
        "http://127.0.0.1.evil.example",
        "http://[::2]",
    ],
)
def test_an_address_that_is_not_safe_is_refused(url: str) -> None:
    """Not https and not loopback, no address, or with user, query, fragment: refused before the token is used."""
    with pytest.raises(SetupError) as caught:
        make_target(url, "secret-token")
    assert "secret-token" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://api.piggy.eu/", "http://127.0.0.1:8765", "http://localhost:1", "http://[::1]:81"]
)
def test_https_and_loopback_are_fine(url: str) -> None:
    """https anywhere, http on this machine."""
    assert make_target(url, "t").base_url == url.rstrip("/")


@pytest.mark.parametrize("token", ["a b", "a\nb", "é", "a\x00"])
def test_a_token_with_characters_that_no_token_has_is_refused(token: str) -> None:
    """A line break or blank in a token is a copying mistake; the message does not show it."""
    with pytest.raises(SetupError) as caught:
        make_target("https://api.piggy.eu", token)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "token", ['"secret"', "'secret'", "`secret`", "\u201csecret\u201d", "\u201esecret\u201c", '"secret']
)
def test_a_token_in_quotes_is_named_as_such(token: str) -> None:
    """Quotes that a shell or an editor has kept are said to be the matter, and the token is not shown."""
    with pytest.raises(SetupError, match="in quotes") as caught:
        make_target("https://api.piggy.eu", token)
    assert "secret" not in str(caught.value)


def test_a_token_file_of_an_editor_that_marks_utf_8(tmp_path: Path) -> None:
    """The mark before the token, and the line end behind it, are not part of it."""
    path = tmp_path / "token"
    path.write_bytes(b"\xef\xbb\xbfsecret\r\n")
    assert read_token(path) == "secret"


def test_the_token_is_in_no_repr() -> None:
    """Target and Api do not show it."""
    target = Target("https://api.piggy.eu", "secret-token")
    assert "secret-token" not in f"{target!r} {target} {HttpClient(target)!r}"


def test_the_token_file_is_read_and_an_empty_one_refused(tmp_path: Path) -> None:
    """The file wins over the environment; nothing in it is a setup error that names it."""
    assert "PIGGY_TOKEN" not in os.environ
    path = tmp_path / "token"
    path.write_text(" abc\n")
    assert read_token(path) == "abc"
    path.write_text("\n")
    with pytest.raises(SetupError, match="empty"):
        read_token(path)
    with pytest.raises(SetupError, match="No such file"):
        read_token(tmp_path / "missing")
    with pytest.raises(SetupError, match="no token"):
        read_token(None)
