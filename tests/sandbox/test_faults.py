"""Every fault in process: what the client sees, and whether the change was made."""

from __future__ import annotations

import asyncio
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from piggy_batch.sandbox import FAULT_KINDS, ConnectionCut, Fault, Sandbox, Settings, make_app, parse_fault

PATH = "/contact-identifiers"
ROW = {"contact_identifier_value": "A"}
HTML = [
    "499-after",
    "firewall-after",
    "redirect-after",
    "502-html",
    "503-html",
    "504-html",
    "200-html",
    "504-after",
    "firewall",
    "firewall-406",
    "redirect",
]
STATUS = {
    "429": 429,
    "429-bare": 429,
    "500": 500,
    "1000": 400,
    "unknown-code": 400,
    "502-html": 502,
    "503": 503,
    "503-retry-after": 503,
    "503-date": 503,
    "503-html": 503,
    "504-html": 504,
    "504-after": 504,
    "200-html": 200,
    "truncated": 200,
    "no-data": 200,
    "empty": 200,
    "unauthorized": 401,
    "forbidden": 403,
    "firewall": 403,
    "firewall-406": 406,
    "7002": 400,
    "7011": 400,
    "60000": 400,
    "60001": 400,
    "redirect": 302,
    "redirect-after": 302,
    "409": 409,
    "409-after": 409,
    "499-after": 499,
    "firewall-after": 403,
    "refusal-cut": 400,
    "replayed": 200,
    "200-other": 200,
    "huge": 200,
    "header-bomb": 200,
    "trickle": 200,
    "no-meta": 200,
    "string-meta": 200,
    "short-page": 200,
    "duplicate-row": 200,
    "repeat-page": 200,
}
CUT = {"late", "reset-before", "reset-after", "reset-body"}
HUNG = {"timeout", "timeout-after"}


async def nothing(_: float) -> None:
    """A sleep that takes no time."""


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_each_fault_answers_and_applies_as_its_help_says(make: Any, kind: str) -> None:
    """Status as listed; the effect is there exactly where the one-line help does not say nothing applied."""
    ask = make(faults=(Fault(kind, times=1, method="POST", size=1000, wait_s=0),), sleep=nothing)
    if kind in CUT | HUNG:
        with pytest.raises(ConnectionCut):
            ask("POST", PATH, json=ROW)
    else:
        reply = ask("POST", PATH, json=ROW)
        assert reply.status_code == STATUS[kind]
        assert reply.headers["content-type"].startswith("text/html" if kind in HTML else "application/json")
    assert ask("GET", "").status_code == 200
    applied = "nothing applied" not in FAULT_KINDS[kind]
    assert ask.state()["effects"] == ({"identifiers.create": 1} if applied else {})
    assert ask.state()["faults_struck"] == {kind: 1}


def test_a_late_request_is_carried_out_when_its_time_has_come(make: Any) -> None:
    """Its connection is closed at once; until wait_s are over nothing shows, then it is there, once."""
    now = [1000.0]
    ask = make(faults=(Fault("late", times=1, method="POST", wait_s=60),), clock=lambda: now[0])
    with pytest.raises(ConnectionCut):
        ask("POST", PATH, json=ROW)
    assert ask("GET", f"{PATH}/find", params={"contact_identifier_value": "A"}).json()["code"] == 60003
    now[0] += 60
    for _ in range(2):
        assert ask("GET", f"{PATH}/find", params={"contact_identifier_value": "A"}).status_code == 200
    assert ask.state()["effects"] == {"identifiers.create": 1}


def test_an_identical_post_gets_the_answer_that_was_given_before(make: Any) -> None:
    """One card, one answer for both; another body is served."""
    ask = make(faults=(Fault("replayed"),))
    programs = [each["uuid"] for each in ask.data("GET", "/giftcard-programs")]
    rows = [{"type": 1, "giftcard_program_uuid": program} for program in (programs[0], programs[0], programs[1])]
    made = [ask("POST", "/giftcards", json=row).json()["data"]["uuid"] for row in rows]
    assert made[0] == made[1] != made[2]
    assert ask.state()["effects"] == {"giftcards.create": 2}


def test_throttle_faults_say_how_long_or_do_not(make: Any) -> None:
    """429 has Retry-After, reset time and no remaining requests; 429-bare has none of them."""
    ask = make(faults=(Fault("429", times=1, wait_s=7), Fault("429-bare", times=1)))
    told, bare = ask("GET", ""), ask("GET", "")
    assert (told.headers["retry-after"], told.headers["x-ratelimit-remaining"]) == ("7", "0")
    assert int(told.headers["x-ratelimit-reset"]) == ask.now + 7
    assert not {"retry-after", "x-ratelimit-reset", "x-ratelimit-remaining"} & set(bare.headers)


def test_maintenance_tells_seconds_or_a_date(make: Any) -> None:
    """Retry-After in both forms, on the sandbox's clock."""
    ask = make(faults=(Fault("503-retry-after", times=1, wait_s=30), Fault("503-date", times=1, wait_s=30)))
    assert ask("GET", "").headers["retry-after"] == "30"
    assert parsedate_to_datetime(ask("GET", "").headers["retry-after"]).timestamp() == ask.now + 30


def test_bodies_of_the_broken_answers(make: Any) -> None:
    """Truncated is no JSON, empty is empty, no-data lacks the key, huge is padded, codes are codes."""
    kinds = ("truncated", "empty", "no-data", "huge", "unknown-code", "redirect")
    ask = make(faults=tuple(Fault(kind, times=1, size=5000, location="http://127.0.0.1:1/x") for kind in kinds))
    replies = {kind: ask("GET", "") for kind in kinds}
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        replies["truncated"].json()
    assert replies["empty"].content == b""
    assert "data" not in replies["no-data"].json()
    assert len(replies["huge"].content) == 5000
    assert replies["unknown-code"].json()["code"] == 99999
    assert replies["redirect"].headers["location"] == "http://127.0.0.1:1/x"


@pytest.mark.parametrize("location", ["https://x.test/", "http://localhost/", "/giftcards", ""])
def test_a_redirect_leaves_this_machine_for_nobody(location: str) -> None:
    """A host name is refused, localhost too: a name may lead anywhere; without one it points to loopback."""
    with pytest.raises(ValueError, match="loopback"):
        Fault("redirect", location=location)
    assert Fault("redirect").location == "http://127.0.0.1:9/"


def test_a_success_only_fault_leaves_refusals_alone(make: Any) -> None:
    """no-data on a refusal is the refusal."""
    assert make(faults=(Fault("no-data"),)).code("GET", "/giftcards/x") == 5001


def test_lists_can_lie(make: Any) -> None:
    """A short page, a row twice, page 1 again, no meta, numbers as text."""
    kinds = ("short-page", "duplicate-row", "repeat-page", "no-meta", "string-meta")
    ask = make(giftcards=20)
    truth = [ask("GET", "/giftcards", params={"limit": 10, "page": page}).json() for page in (1, 2)]
    for kind in kinds:
        ask.sandbox.plan(Fault(kind, times=1))
    bodies = {kind: ask("GET", "/giftcards", params={"limit": 10, "page": 2}).json() for kind in kinds}
    rows = truth[1]["data"]
    assert bodies["short-page"]["data"] == rows[:-1]
    assert bodies["duplicate-row"]["data"] == [rows[0], *rows]
    assert (bodies["repeat-page"]["data"], bodies["repeat-page"]["meta"]) == (truth[0]["data"], truth[1]["meta"])
    assert "meta" not in bodies["no-meta"]
    assert bodies["string-meta"]["meta"] == {"page": "2", "per_page": "10", "last_page": "2", "total": "20"}


def test_no_fault_applies_a_write_twice(make: Any) -> None:
    """A fault of lists has nothing to do with a card that is made; a throttled request stays throttled."""
    ask = make(faults=(Fault("repeat-page"),), limit_per_minute=2)
    program = ask.data("GET", "/giftcard-programs")[0]["uuid"]
    row = {"type": 1, "giftcard_program_uuid": program}
    assert [ask("POST", "/giftcards", json=row).status_code for _ in range(2)] == [200, 429]
    assert ask.state()["effects"] == {"giftcards.create": 1}


def test_a_fault_strikes_what_matches(make: Any) -> None:
    """Method, path, value (decoded, in query or body), a start and an end; other requests pass."""
    fault = Fault("firewall", method="POST", path="identifiers", value="a b/ä", after_n=1, times=1)
    ask = make(faults=(fault,))
    row = {"contact_identifier_value": "a b/ä"}
    assert ask("GET", f"{PATH}/find", params=row).status_code == 400
    assert ask("POST", PATH, json=ROW).status_code == 200
    statuses = [ask("POST", PATH, data=row).status_code for _ in range(3)]
    assert statuses == [200, 403, 400]


def test_values_are_matched_in_queries_forms_and_json(make: Any) -> None:
    """Percent-encoded, form-encoded and JSON-escaped text is found alike."""
    ask = make(faults=(Fault("firewall", value="a b/ä"),))
    row = {"contact_identifier_value": "a b/ä"}
    for rest in ({"params": row}, {"data": row}, {"json": row}):
        assert ask("POST", PATH, **rest).status_code == 403
    escaped = '{"contact_identifier_value":"a b/\\u00e4"}'
    assert ask("POST", PATH, content=escaped, headers={"Content-Type": "application/json"}).status_code == 403


def test_a_share_is_drawn_repeatably(make: Any) -> None:
    """About as many as the share says, the same ones with the same seed."""
    runs = []
    for _ in range(2):
        ask = make(faults=(Fault("500", 0.3),), limit_per_minute=0)
        runs.append([ask("GET", "").status_code for _ in range(100)])
    assert runs[0] == runs[1]
    assert 15 < runs[0].count(500) < 45


def test_faults_are_planned_and_cleared_at_run_time(make: Any) -> None:
    """In process and through the admin routes, which are never faulted; nonsense is refused with the reason."""
    ask = make()
    ask.sandbox.plan(Fault("503"))
    assert ask("GET", "").status_code == 503
    assert ask.admin("DELETE", "faults").status_code == 200
    assert ask("GET", "").status_code == 200
    assert ask.admin("POST", "faults", json={"kind": "500", "times": 1}).status_code == 200
    assert [ask("GET", "").status_code for _ in range(2)] == [500, 200]
    for bad in ({"kind": "nope"}, {"kind": "500", "colour": 1}, {}, {"kind": "500", "share": 2}):
        assert ask.admin("POST", "faults", json=bad).status_code == 400
    assert ask.admin("POST", "faults", content=b"{").status_code == 400


def test_parse_fault_reads_what_a_command_line_gives() -> None:
    """KIND or KIND:SHARE; anything else is a message for people."""
    assert parse_fault("429") == Fault("429")
    assert parse_fault("reset-after:0.1") == Fault("reset-after", 0.1)
    for text in ("nope", "429:x", "429:2", "429:-1", "", "429:"):
        with pytest.raises(ValueError, match="fault"):
            parse_fault(text)


def test_a_hanging_request_ends_when_the_client_gives_up() -> None:
    """The client's own timeout ends it, and the sandbox holds nothing open."""

    async def main() -> None:
        sandbox = Sandbox(Settings(faults=(Fault("timeout-after"),)))
        headers = {"Authorization": "Bearer sandbox"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=make_app(sandbox)), headers=headers) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await client.post("http://x/api/v3/oauth/clients/contact-identifiers", json=ROW)
        assert sandbox.state()["in_flight"] == 0
        assert sandbox.state()["effects"] == {"identifiers.create": 1}

    asyncio.run(main())


def test_latency_is_slept_around_the_change() -> None:
    """Half before and half after, on the injected sleep; requests in flight are counted."""
    slept: list[float] = []
    effects: list[int] = []

    async def main() -> None:
        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            effects.append(len(sandbox.world.people.identifiers))
            await asyncio.sleep(0)

        sandbox = Sandbox(Settings(latency_ms=100, sleep=sleep))
        headers = {"Authorization": "Bearer sandbox"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=make_app(sandbox)), headers=headers) as client:
            await client.post("http://x/api/v3/oauth/clients/contact-identifiers", json=ROW)
            await asyncio.gather(*(client.get("http://x/api/v3/oauth/clients") for _ in range(3)))
        assert sandbox.most_in_flight == 3

    asyncio.run(main())
    assert slept[:2] == [0.05, 0.05]
    assert effects[:2] == [0, 1]


def test_two_creates_of_one_value_at_once() -> None:
    """Exactly one is made, the others are 60006."""

    async def main() -> list[int]:
        sandbox = Sandbox(Settings(latency_ms=5))
        headers = {"Authorization": "Bearer sandbox"}
        url = "http://x/api/v3/oauth/clients/contact-identifiers"
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=make_app(sandbox)), headers=headers) as client:
            replies = await asyncio.gather(*(client.post(url, json=ROW) for _ in range(5)))
        return sorted(reply.status_code for reply in replies)

    assert asyncio.run(main()) == [200, 400, 400, 400, 400]
