"""Answers to a delete that is not carried out, and that a careless reader takes for a success."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, rows_of, statuses
from tests.hostile.service import Answer

if TYPE_CHECKING:
    from tests.hostile.service import HostileService, Request

pytestmark = pytest.mark.process
BELIEVED = pytest.mark.hostile("18.8 a delete is believed whatever the answer says")
DELETE = ("identifiers", "delete", "--yes", "--rate", "0", "--attempts", "1", "--no-progress")


@BELIEVED
@pytest.mark.parametrize(
    "body",
    [{"success": False}, {"data": False}, {"data": {"deleted": 0}, "meta": {}}],
    ids=["success false", "data false", "deleted 0"],
)
def test_a_delete_that_is_not_carried_out(program: Program, service: HostileService, body: object) -> None:
    """200 with JSON of some other kind; the cards are still there, so no row is done."""

    async def refuse(request: Request) -> Answer | None:
        return Answer(200, body) if request.method == "DELETE" else None

    service.hook = refuse
    run_dir = program.folder / "gone"
    cards = program.manifest("cards.csv", "contact_identifier_value", ["CARD-000002", "CARD-000004"])
    ended = program.run(*DELETE, cards, "--run-dir", run_dir, url=service.url)
    assert (statuses(run_dir), service.effects["identifiers.delete"]) == ({"unknown": 2}, 0)
    assert ended.code == 1
    assert len(rows_of(run_dir, "unknown")) == 2
