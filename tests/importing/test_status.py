"""``status`` of a run at work: what is under way is not called unknown or rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from piggy_batch.endpoints import find_operation
from piggy_batch.importing.status import describe_run, status_lines
from piggy_batch.runs.directory import default_run_dir
from tests.support.world import working_rows

if TYPE_CHECKING:
    import httpx

    from tests.importing.migration.support import Shop
    from tests.support.world import World


@pytest.mark.parametrize("name", ["identifiers create", "giftcards load"])
def test_rows_whose_answer_is_to_come_are_in_flight(world: World, name: str) -> None:
    """While a request is under way its row is neither unknown nor pending; the counts add up with it."""
    operation = find_operation(name)
    path = world.manifest(*working_rows(world, operation, 6))
    seen: list[dict[str, Any]] = []

    async def hook(request: httpx.Request) -> None:
        if len(world.departures) == 4:
            seen.append(describe_run(default_run_dir(path, operation)))

    world.hook = hook
    assert world.run(operation, path, concurrency=1).exit_code == 0
    (found,) = seen
    counts = {status: number for status, number in found["counts"].items() if number}
    assert found["in_flight"] == 1
    assert counts == {"done": 2, "pending": 3}
    assert f"  {'in flight':<9} {1:>12,}" in status_lines(found)


def test_cards_that_a_later_stage_links_are_not_called_rejected(shop: Shop) -> None:
    """Neither in the bar nor in the status while the migration runs."""
    shop.world.till("create", "A-1")
    path = shop.manifest(["A-1", "ann@example.test"], ["A-2", "bob@example.test"])
    seen: list[dict[str, Any]] = []

    async def hook(request: httpx.Request) -> None:
        if request.method == "PUT":
            seen.append(describe_run(path.with_suffix(".migrate")))

    shop.world.hook = hook
    result = shop.migrate(path)
    assert result.exit_code == 0
    assert shop.world.said.counts["rejected"] == 0
    assert shop.world.said.counts["exists unlinked"] == 1
    create = next(stage for stage in seen[0]["stages"] if stage["operation"] == "identifiers create")
    assert {name: number for name, number in create["counts"].items() if number} == {"done": 1, "exists unlinked": 1}
    link = next(stage for stage in seen[0]["stages"] if stage["operation"] == "identifiers link")
    assert link["counts"].get("unknown", 0) == 0
    assert link["counts"]["in flight"] == 1
