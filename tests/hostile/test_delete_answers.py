"""Answers to a delete that is not carried out, and that a careless reader takes for a success."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, rows_of, statuses
from tests.hostile.service import CUT, Answer

if TYPE_CHECKING:
    from tests.hostile.service import HostileService, Request

pytestmark = pytest.mark.process
BELIEVED = pytest.mark.hostile("18.8 a delete is believed whatever the answer says")
DELETE = ("identifiers", "delete", "--yes", "--rate", "0", "--attempts", "1", "--no-progress")


@BELIEVED
@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {"success": False}),
        Answer(200, {"data": False}),
        Answer(202, {"data": None}),
        Answer(200, b"", {"Content-Encoding": "gzip"}),
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n",
    ],
    ids=["success false", "data false", "accepted", "packed, and cut to nothing", "cut"],
)
def test_a_delete_that_is_not_carried_out(program: Program, service: HostileService, answer: Answer | bytes) -> None:
    """200 with JSON of some other kind, or with nothing that had to come; the cards are there, so no row is done."""

    async def refuse(request: Request) -> Answer | bytes | None:
        return answer if request.method == "DELETE" else None

    service.hook = refuse
    run_dir = program.folder / "gone"
    cards = program.manifest("cards.csv", "contact_identifier_value", ["CARD-000002", "CARD-000004"])
    ended = program.run(*DELETE, cards, "--run-dir", run_dir, url=service.url)
    assert (statuses(run_dir), service.effects["identifiers.delete"]) == ({"unknown": 2}, 0)
    assert ended.code == 1
    assert len(rows_of(run_dir, "unknown")) == 2


@BELIEVED
def test_a_delete_that_is_lost_and_a_look_that_contradicts_itself(program: Program, service: HostileService) -> None:
    """The look is refused as for a card that is not there, and shows the card: it is there."""

    async def contradict(request: Request) -> Answer | None:
        if request.method == "DELETE":
            return CUT
        if request.path.endswith("/find") and service.asked("DELETE", "/contact-identifiers"):
            return Answer(
                400, {"code": 60003, "message": "Not found.", "data": (await service.pass_on(request)).data["data"]}
            )
        return None

    service.hook = contradict
    cards, run_dir = program.manifest("cards.csv", "contact_identifier_value", ["CARD-000002"]), program.folder / "gone"
    program.run(*DELETE, cards, "--run-dir", run_dir, url=service.url)
    assert (statuses(run_dir), service.effects["identifiers.delete"]) == ({"unknown": 1}, 0)
