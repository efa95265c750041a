"""Taking a run back: what somebody has changed since stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, needed

if TYPE_CHECKING:
    from tests.hostile.service import HostileService

pytestmark = pytest.mark.process
COMMON = ("--yes", "--rate", "0", "--no-progress")


@pytest.mark.hostile("18.16 undo overwrites a later change of name")
@pytest.mark.parametrize("later", ["platinum", "GOLD"])
@pytest.mark.parametrize(
    ("verb", "back", "value"), [("update", "update", "CARD-000002"), ("create", "delete", "NEW-1")]
)
def test_a_name_that_was_given_since_stays(
    program: Program, service: HostileService, verb: str, back: str, value: str, later: str
) -> None:
    """A card is named by a run, then at a till; undo takes back what the run has done, and this it has not."""
    cards = program.manifest("names.csv", "contact_identifier_value,contact_identifier_name", [f"{value},gold"])
    run_dir = program.folder / "run"
    needed(program.run("identifiers", verb, cards, *COMMON, "--run-dir", run_dir, url=service.url).code == 0)
    people = service.sandbox.world.people
    needed(people.identifier(value).name == "gold")
    people.identifier(value).name = later
    needed(program.run("undo", run_dir, url=service.url).code == 0)
    (undo,) = run_dir.glob("undo-*.csv")
    program.run("identifiers", back, undo, *COMMON, "--run-dir", program.folder / "back", url=service.url)
    card = people.identifier(value)
    assert card is not None
    assert card.name == later
