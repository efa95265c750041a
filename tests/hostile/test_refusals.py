"""Refusals of what was carried out, or may be: no row is called not carried out, and none is made twice."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, needed, rows_of, statuses
from tests.hostile.service import CUT, Answer

if TYPE_CHECKING:
    from tests.hostile.service import HostileService, Request

pytestmark = pytest.mark.process
CALLED = pytest.mark.hostile("18.13 a row is called not carried out, and was")
COMMON = ("--yes", "--rate", "0", "--no-progress", "--concurrency", "1")


@CALLED
def test_a_send_that_lands_after_its_repeat_was_refused(program: Program, service: HostileService) -> None:
    """A request is lost on the way, the repeat is refused, a look shows no card; then the first one lands."""
    sent: list[Request] = []

    async def hook(request: Request) -> Answer | None:
        if request.method != "POST":
            return None
        sent.append(request)
        return CUT if len(sent) == 1 else Answer(422, {"message": "not now", "code": 99999})

    service.hook = hook
    cards, run_dir = program.cards("cards.csv", 1), program.folder / "run"
    words = ("identifiers", "create", cards, *COMMON, "--attempts", "3", "--run-dir", run_dir)
    program.run(*words, url=service.url)
    needed(len(sent) >= 2, sent)  # a refusal over a connection that others use is asked for once more
    service.hook = None
    service.do(service.pass_on(sent[0]))
    needed(service.effects["identifiers.create"] == 1)
    assert (statuses(run_dir), rows_of(run_dir, "errors")) == ({"unknown": 1}, [])
    again = program.run(*words, url=service.url)
    assert (again.code, statuses(run_dir), service.effects["identifiers.create"]) == (0, {"done": 1}, 1)


@CALLED
@pytest.mark.parametrize("status", [302, 401, 409, 421, 429, 499])
def test_a_card_that_was_made_behind_a_refusal(program: Program, service: HostileService, status: int) -> None:
    """A giftcard is made, and what stands between answers without a code of the service, or the service with that of
    "perhaps carried out": it is not made again, nor by a rerun."""
    body = {"message": "no", "code": 1000} if status in (401, 429) else {"message": "no"}

    async def hook(request: Request) -> Answer | None:
        if request.method != "POST" or len(service.asked("POST", "/giftcards")) > 1:
            return None
        await service.pass_on(request)
        return Answer(status, body, {"Location": "http://127.0.0.1:9/"} if status < 400 else {})

    service.hook = hook
    run_dir = program.folder / "run"
    cards = program.manifest("vouchers.csv", "giftcard_program_uuid", [service.uuid_of_program()])
    words = ("giftcards", "create", cards, *COMMON, "--no-baseline", "--run-dir", run_dir)
    program.run(*words, url=service.url)
    needed(service.effects["giftcards.create"] >= 1)
    service.hook = None
    program.run(*words, url=service.url)
    assert (statuses(run_dir), service.effects["giftcards.create"]) == ({"unknown": 1}, 1)


WRITES = {
    "create": ("POST", "contact_identifier_value", "NEW-1", "NEW-2"),
    "link": ("PUT", "contact_identifier_value,contact_uuid", "CARD-000001,{contact}", "CARD-000003,{contact}"),
    "update": ("PUT", "contact_identifier_value,contact_identifier_name", "CARD-000001,gold", "CARD-000003,gold"),
}


@CALLED
@pytest.mark.parametrize("verb", WRITES)
def test_a_change_that_was_made_behind_a_refusal(program: Program, service: HostileService, verb: str) -> None:
    """409 without a code of the service, once it has answered well: a look shows that the change was made."""
    method, header, *rows = WRITES[verb]
    seen = 0

    async def hook(request: Request) -> Answer | None:
        nonlocal seen
        seen += request.method == method
        if request.method != method or seen == 1:
            return None
        await service.pass_on(request)
        return Answer(409, {"message": "Conflict"})

    service.hook = hook
    contact = service.sandbox.world.people.contacts[1].uuid
    cards = program.manifest("cards.csv", header, (row.format(contact=contact) for row in rows))
    run_dir = program.folder / "run"
    ended = program.run("identifiers", verb, cards, *COMMON, "--run-dir", run_dir, url=service.url)
    needed(service.effects[f"identifiers.{verb}"] == 2)
    assert (statuses(run_dir), rows_of(run_dir, "errors")) == ({"done": 2}, [])
    assert ended.code == 0


@CALLED
def test_a_change_that_was_made_behind_a_cut_refusal(program: Program, service: HostileService) -> None:
    """The service's own "perhaps carried out" (1000), packed and cut: what is left of it shows nothing."""
    said = json.dumps({"message": "Internal error.", "code": 1000}).encode()
    seen = 0

    async def hook(request: Request) -> Answer | None:
        nonlocal seen
        seen += request.method == "POST"
        if request.method != "POST" or seen == 1:
            return None
        await service.pass_on(request)
        return Answer(400, gzip.compress(said)[:11], {"Content-Encoding": "gzip", "Content-Type": "application/json"})

    service.hook = hook
    cards, run_dir = program.cards("cards.csv", 2), program.folder / "run"
    ended = program.run("identifiers", "create", cards, *COMMON, "--run-dir", run_dir, url=service.url)
    needed(service.effects["identifiers.create"] == 2)
    assert (ended.code, statuses(run_dir), rows_of(run_dir, "errors")) == (0, {"done": 2}, [])


@CALLED
def test_undo_knows_a_card_that_was_made_behind_a_redirect(program: Program, service: HostileService) -> None:
    """The card is made, the answer is a redirect; the rerun finds it there. It is this run's own, so undo names it."""

    async def hook(request: Request) -> Answer | None:
        if request.method != "POST":
            return None
        await service.pass_on(request)
        return Answer(308, b"", {"Location": "http://127.0.0.1:9/"})

    service.hook = hook
    cards, run_dir = program.cards("cards.csv", 1), program.folder / "run"
    words = ("identifiers", "create", cards, *COMMON, "--run-dir", run_dir)
    needed(program.run(*words, url=service.url).code == 3)
    service.hook = None
    program.run(*words, url=service.url)
    needed(service.times("identifiers.create") == {"HOST-001": 1})
    program.run("undo", run_dir)
    undo = "".join(path.read_text(encoding="utf-8-sig") for path in run_dir.glob("undo-*.csv"))
    assert ("HOST-001" in undo, statuses(run_dir)) == (True, {"done": 1})
