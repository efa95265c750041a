"""A service, or something before it, that answers one request twice: the second answer is not the next request's.

It comes while that request is under way, from a server that has it already, so that nothing in the time or the order
of the bytes gives it away.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, needed, rows_of
from tests.hostile.service import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.hostile.service import HostileService, Request

pytestmark = pytest.mark.process
REFUSED = Answer(400, {"code": 1003, "message": "Unprocessable Entity", "data": {}})
PACE = ("--run-dir", "batch", "--yes", "--rate", "0", "--concurrency", "1", "--no-progress")
WRITES = ("POST", "DELETE")


def answer_twice(service: HostileService, answers: Sequence[Answer | None]) -> None:
    """To the rows these answers, None for what the sandbox says; and where a connection has carried a row, its answer
    again once the next row's request begins."""
    said: dict[int, Answer] = {}  # by the request's number

    async def answer(request: Request) -> Answer | None:
        if request.method not in WRITES:
            return None
        given = answers[len(said)] or await service.pass_on(request)
        said[request.number] = given
        return given

    def repeat(carried: Sequence[Request], method: str) -> bytes:
        earlier = [said[request.number] for request in carried if request.number in said]
        return earlier[-1].to_bytes() if earlier and method in WRITES else b""

    service.hook, service.interrupt = answer, repeat


def cards(service: HostileService) -> list[str]:
    """Two new giftcards."""
    return [service.sandbox.world.cards.add(1, time.time()).uuid for _ in range(2)]


def mails(program: Program, service: HostileService) -> tuple[str | Path, ...]:
    """Two giftcards to be mailed."""
    contact = service.sandbox.world.people.contacts[1].uuid
    rows = [f"{card},{contact}" for card in cards(service)]
    return "giftcards", "send", program.manifest("mails.csv", "giftcard_uuid,contact_uuid", rows)


def loads(program: Program, service: HostileService) -> tuple[str | Path, ...]:
    """Two giftcards to be loaded."""
    shop = service.sandbox.world.ledger.shops[1].uuid
    rows = [f"{card},500,{shop}" for card in cards(service)]
    return "giftcards", "load", program.manifest("loads.csv", "giftcard_uuid,amount_in_cents,shop_uuid", rows)


def deletions(program: Program, _: HostileService) -> tuple[str | Path, ...]:
    """Two identifiers to be deleted."""
    rows = ["CARD-000002", "CARD-000004"]
    return "identifiers", "delete", program.manifest("gone.csv", "contact_identifier_value", rows)


@pytest.mark.hostile("18.6 an answer that nobody asked for is taken for the next request's")
@pytest.mark.parametrize("command", [mails, deletions])
def test_a_second_success_does_not_make_a_refused_row_done(
    program: Program, service: HostileService, command: Callable[..., tuple[str | Path, ...]]
) -> None:
    """The first row is carried out and the second refused: that is what is said of them, though nothing in an answer
    tells whose it is."""
    words = command(program, service)
    answer_twice(service, [None, REFUSED])
    ended = program.run(*words, *PACE, url=service.url)
    needed(len(service.asked("POST", "")) + len(service.asked("DELETE", "")) == 2, ended)
    done = [row["_row"] for row in rows_of(program.folder / "batch") if row["_status"] == "done"]
    assert (done, ended.code) == (["1"], 1)


@pytest.mark.hostile("18.6 an answer that nobody asked for is taken for the next request's")
def test_a_second_refusal_does_not_make_a_loaded_row_rejected(program: Program, service: HostileService) -> None:
    """The first load is refused and the second is not: who mended the list of what was not carried out, and passed it
    anew, would load the second card twice."""
    words = loads(program, service)
    answer_twice(service, [REFUSED, None])
    program.run(*words, *PACE, url=service.url)
    needed(service.effects["giftcards.load"] == 1)
    assert [row["_row"] for row in rows_of(program.folder / "batch", "errors")] == ["1"]


@pytest.mark.hostile("18.6 an answer that nobody asked for is taken for the next request's")
def test_a_second_refusal_does_not_make_a_created_row_rejected(program: Program, service: HostileService) -> None:
    """Of three cards the first is refused, twice over, and the others are made: nobody reads that they were not."""
    path = program.cards("cards.csv", 3)
    refused: list[bytes] = []

    async def answer(request: Request) -> Answer | None:
        if request.method == "POST" and (not refused or request.body in refused):
            refused.append(request.body)
            return REFUSED
        return None

    service.hook = answer
    service.interrupt = lambda carried, _: REFUSED.to_bytes() if carried and carried[-1].body in refused else b""
    program.run("identifiers", "create", path, *PACE, url=service.url)
    needed(service.effects["identifiers.create"] == 2)
    rows = {row["_row"]: row["_status"] for row in rows_of(program.folder / "batch")}
    assert {number for number, status in rows.items() if status == "rejected"} <= {"1"}
