"""Successes that are none: a write that is not carried out, and an answer that a careless reader takes for a yes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, needed, statuses
from tests.hostile.service import Answer, HostileService

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.service import Request

pytestmark = pytest.mark.process
WRITES = {
    "identifiers link": ("contact_identifier_value,contact_uuid", "CARD-000001,{contact}"),
    "identifiers update": ("contact_identifier_value,contact_identifier_name", "CARD-000001,gold"),
    "contacts create": ("email", "new@customer.test"),
    "giftcards create": ("giftcard_program_uuid", "{program}"),
}


@pytest.mark.hostile("18.8 a delete is believed whatever the answer says")
@pytest.mark.parametrize(
    ("name", "status", "change"),
    [
        ("identifiers link", 200, lambda data: {"data": {"value": data["value"]}}),  # not who holds it now
        ("identifiers update", 200, lambda data: {"data": data, "success": "false"}),
        ("contacts create", 200, lambda data: {"data": {**data, "email": "somebody@else.test"}}),
        ("giftcards create", 202, lambda data: {"data": data}),  # accepted, to be done later
        ("giftcards create", 200, lambda data: {"data": data, "statusCode": 502, "message": "Bad Gateway"}),
    ],
)
def test_a_write_that_is_not_carried_out(
    program: Program,
    service: HostileService,
    make_service: Callable[..., HostileService],
    name: str,
    status: int,
    change: Callable[[dict[str, object]], object],
) -> None:
    """The answer would be in order but for one thing; nothing was changed, and no row is done."""
    twin = make_service()  # tells what the answer would be

    async def pretend(request: Request) -> Answer | None:
        if request.method == "GET":
            return None
        return Answer(status, change(json.loads((await twin.pass_on(request)).body)["data"]))

    service.hook = pretend
    header, row = WRITES[name]
    contact = service.sandbox.world.people.contacts[1].uuid
    rows = [row.format(contact=contact, program=service.uuid_of_program())]
    manifest, run_dir = program.manifest("rows.csv", header, rows), program.folder / "run"
    words = ("--yes", "--rate", "0", "--attempts", "1", "--no-progress", "--run-dir", run_dir)
    program.run(*name.split(), manifest, *words, url=service.url)
    needed(sum(twin.effects.values()) == 1, twin.effects)
    assert (statuses(run_dir), dict(service.effects)) == ({"unknown": 1}, {})
