"""A migration that stops, for whatever reason, goes on by the same command and does nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from piggy_batch.client.clock import StopSignal
from piggy_batch.client.rate_limiter import RateLimiter
from piggy_batch.errors import JournalError, SetupError
from piggy_batch.sandbox import Fault
from tests.importing.migration.support import Shop
from tests.support.world import Wire, WorldClock

ROWS = (
    ["A-1", "ann@example.test", "Ann", "", "10"],
    ["A-2", "ann@example.test", "", "false"],
    ["U-1", "bob@example.test", "", "false", "20"],
    ["N-1"],
)


class Killed(BaseException):
    """The process ends here."""


def prepare(shop: Shop) -> Any:
    """A manifest that needs every stage."""
    shop.world.till("create", "U-1")
    return shop.manifest(*ROWS)


def plug(shop: Shop, number: int, *, applied: bool) -> None:
    """Kill the program at its request of that number, before or after the service has carried it out."""
    seen = 0

    async def hook(request: httpx.Request) -> httpx.Response | None:
        nonlocal seen
        seen += 1
        if seen != number:
            return None
        if applied:
            shop.world.hook = None
            await Wire(shop.world).handle_async_request(request)
        raise Killed

    shop.world.hook = hook


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("first", [1, 6, 11, 16])
def test_killed_at_any_request(make_shop: Callable[..., Shop], first: int, applied: bool) -> None:
    """Killed at one request after another, the migration ends as if nothing had happened, but for credits in
    doubt, which are never sent again."""
    shop = make_shop()
    path = prepare(shop)
    for number in range(first, first + 5):
        plug(shop, number, applied=applied)
        try:
            shop.migrate(path, concurrency=1)
        except Killed:
            pass
        else:
            break
    shop.world.hook = None
    result = shop.migrate(path, concurrency=1)
    statuses = shop.statuses(result)
    assert set(statuses) <= {"done", "already", "unknown"}
    assert [shop.holder(v) for v in ("A-1", "A-2", "U-1", "N-1")] == [
        "ann@example.test",
        "ann@example.test",
        "bob@example.test",
        None,
    ]
    assert shop.card("A-1").name == "Ann"
    assert not shop.card("A-2").active
    assert not shop.card("U-1").active
    for row, status in zip(shop.rows(result), statuses, strict=True):
        if status == "unknown":
            assert row["_credits_status"] == "unknown"
    assert max(shop.world.times("credits.create").values(), default=0) <= 1
    assert max(shop.world.times("identifiers.create").values()) == 1


def test_a_finished_migration_sends_nothing_more(shop: Shop) -> None:
    """The same command again asks only whose token it is."""
    path = prepare(shop)
    first = shop.migrate(path)
    before = dict(shop.world.sandbox.requests)
    again = shop.migrate(path)
    assert (first.exit_code, again.exit_code) == (0, 0)
    after = dict(shop.world.sandbox.requests)
    assert {k: after[k] - before.get(k, 0) for k in after if after[k] != before.get(k, 0)} == {"GET ": 1}
    assert shop.rows(first) == shop.rows(again)


def test_a_pilot_whose_rows_the_full_run_skips(shop: Shop) -> None:
    """--limit takes so many rows through every stage; the full run takes the others only."""
    path = prepare(shop)
    pilot = shop.migrate(path, limit=2)
    assert pilot.exit_code == 0
    assert shop.statuses(pilot) == ["done", "done", "pending", "pending"]
    assert pilot.summary is not None
    assert pilot.summary["next"]
    full = shop.migrate(path)
    assert shop.statuses(full) == ["done"] * 4
    assert max(shop.world.times("credits.create").values()) == 1
    assert shop.requests("GET /contacts/find-or-create") == 2


def test_rows_that_failed_are_taken_again_and_go_on(make_shop: Callable[..., Shop]) -> None:
    """A contact that could not be had blocks only its own rows; the next invocation takes them through."""
    shop = make_shop(faults=(Fault("502-html", value="ann@example.test", path="find-or-create", times=5),))
    path = prepare(shop)
    first = shop.migrate(path)
    assert first.exit_code == 1
    assert shop.statuses(first)[2:] == ["done", "done"]
    assert set(shop.statuses(first)[:2]) <= {"failed", "unknown"}
    assert first.summary is not None
    assert first.summary["next"]
    second = shop.migrate(path)
    assert shop.statuses(second) == ["done"] * 4
    assert shop.summary(second)["stages"]["create"]["parts"] == 2


def test_another_manifest_or_other_options_are_refused(shop: Shop) -> None:
    """A run directory belongs to its manifest and to the options that change what is sent."""
    path = prepare(shop)
    shop.migrate(path)
    with pytest.raises(JournalError, match=r"was started with --shop .*, this command without --shop"):
        shop.migrate(path, shop=None)
    shop.manifest(["X-1"])
    with pytest.raises(JournalError, match="a changed manifest is a new run"):
        shop.migrate(path)


def test_it_asks_before_it_starts(shop: Shop) -> None:
    """Without a terminal --yes is needed; on one, no means that nothing is sent."""
    path = prepare(shop)
    with pytest.raises(SetupError, match="pass --yes"):
        shop.migrate(path, yes=False)
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    with pytest.raises(SetupError, match="not confirmed; nothing was sent"):
        shop.migrate(path, yes=False, context={"confirm": no})
    assert asked == ["migrate: start?"]
    assert shop.world.effects == 0
    assert not (shop.folder / "cards.migrate").exists()


def test_a_dry_run_sends_no_write(shop: Shop) -> None:
    """The plan names requests for each stage and how long they take, and leaves nothing behind."""
    result = shop.migrate(prepare(shop), dry_run=True, rate=2.0)
    plan = "\n".join(result.plan)
    assert "stage 1, contacts find-or-create: 2 requests" in plan
    assert "stage 2, identifiers create: 4 requests" in plan
    assert "stage 4, identifiers update: 4 requests, a look before each row" in plan
    assert "stage 5, credits create: 2 requests" in plan
    assert "requests: 12, rate 2 a second, at least 6.0s" in plan
    assert "--against-account" in plan
    assert shop.world.effects == 0
    assert not (shop.folder / "cards.migrate").exists()


def test_a_halt_in_one_stage_ends_the_pipeline(make_shop: Callable[..., Shop]) -> None:
    """A revoked token halts; what was done stays, and a good token of the same account goes on."""
    shop = make_shop(faults=(Fault("unauthorized", method="POST", times=1),))
    path = prepare(shop)
    halted = shop.migrate(path)
    assert halted.exit_code == 3
    assert "pending" in shop.statuses(halted)
    assert any(note.startswith("halted: ") for note in halted.notes)
    assert shop.migrate(path).exit_code == 0


def test_lost_answers_at_every_stage(make_shop: Callable[..., Shop]) -> None:
    """Answers lost after the service has acted: nothing is done twice, and credits in doubt stay unknown."""
    shop = make_shop(
        faults=(Fault("reset-after", method="POST", share=0.5), Fault("reset-after", method="PUT", share=0.5))
    )
    shop.world.till("create", "U-1")
    rows = [[f"A-{n}", f"a{n}@example.test", f"Card {n}", "false" if n % 3 == 0 else "", str(n)] for n in range(1, 25)]
    result = shop.migrate(shop.manifest(["U-1", "bob@example.test"], *rows))
    assert set(shop.statuses(result)) <= {"done", "unknown"}
    assert "unknown" in shop.statuses(result)
    assert all(r["_credits_status"] == "unknown" for r in shop.rows(result, "unknown"))
    assert max(shop.world.times("credits.create").values()) == 1
    assert shop.summary(result)["next"] is None


@pytest.mark.parametrize("stage", ["find-or-create", "contact-identifiers", "credit-receptions"])
def test_an_interrupt_lands_what_flies_and_goes_on_later(shop: Shop, stage: str) -> None:
    """A stop in any stage ends the pipeline with 130, and the same command finishes."""
    path = prepare(shop)
    limiter = RateLimiter(0.0, WorldClock(shop.world), StopSignal())

    async def interrupt(request: httpx.Request) -> httpx.Response | None:
        if stage in str(request.url):
            limiter.stop.set("interrupted")
        return None

    shop.world.hook = interrupt
    result = shop.migrate(path, concurrency=1, context={"limiter": limiter})
    assert result.exit_code == 130
    assert any(note.startswith("interrupted: ") for note in result.notes)
    shop.world.hook = None
    assert shop.migrate(path).exit_code == 0
    assert max(shop.world.times("credits.create").values()) == 1


def test_max_duration_ends_softly(shop: Shop) -> None:
    """What is left is pending, and the same command goes on."""
    path = prepare(shop)
    result = shop.migrate(path, rate=1.0, max_duration_s=5.0)
    assert result.exit_code == 1
    assert "pending" in shop.statuses(result)
    assert any("--max-duration is over" in note for note in result.notes)
    assert shop.migrate(path).exit_code == 0


def test_cards_of_nobody_are_no_errors_to_max_errors(shop: Shop) -> None:
    """A list full of cards that wait to be linked does not halt; refusals do."""
    rows = [[f"A-{n}", f"a{n}@example.test"] for n in range(6)]
    for value, _ in rows:
        shop.world.till("create", value)
    assert shop.migrate(shop.manifest(*rows), max_errors=2).exit_code == 0
    for number in range(6):
        shop.world.till("create", f"B-{number}", email="customer1@example.test")
    halted = shop.migrate(
        shop.manifest(*[[f"B-{n}", "customer2@example.test"] for n in range(6)], name="b.csv"),
        max_errors=2,
        concurrency=1,
    )
    assert halted.exit_code == 3
    assert shop.statuses(halted).count("rejected") == 2
