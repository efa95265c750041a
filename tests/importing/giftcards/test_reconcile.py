"""giftcards reconcile: rows in doubt are settled as far as a proven list of cards allows, and no further."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from piggy_batch.client.rate_limiter import Rate
from piggy_batch.errors import HaltError, JournalError
from piggy_batch.importing.giftcards.matching_rules import CandidateCard, misfits
from piggy_batch.importing.giftcards.reconcile import ReconcileOptions, reconcile
from piggy_batch.importing.options import RunResult
from piggy_batch.runs.context import ConnectionOptions
from piggy_batch.runs.directory import RunDir
from piggy_batch.runs.journal import Journal
from piggy_batch.sandbox import Churn, Fault, make_app
from tests.importing.giftcards.support import candidates, create, create_from, lose, made, program, settle
from tests.support.world import EPOCH, World, WorldClock, audit, in_virtual_time

DAY = 86_400


def issue(world: World, **event: Any) -> str:
    """Somebody else makes a card in program 1."""
    return str(world.sandbox.outside_event("giftcard", action="issue", **({"program": 1} | event))["uuid"])


def lost(world: World, count: int = 5, rows: int = 2, **given: Any) -> RunResult:
    """A run of which the answers to the first ``rows`` were lost after the cards were made."""
    lose(world, times=rows)
    result = create(world, count, **given)
    world.sandbox.clear_faults()
    return result


def assigned(world: World, result: RunResult) -> dict[str, str]:
    """Rows that a look settled: the card of each."""
    return {row["_row"]: row["giftcard_uuid"] for row in world.rows(result) if row["_proof"] == "look"}


# --- what happens to rows ------------------------------------------------------------------------------


def test_cards_whose_answers_were_lost_are_given_to_their_rows(world: World) -> None:
    """Exclusive, proven, as many as doubts: each row has a card of its own, and all that load needs of it."""
    run = lost(world)
    result = settle(world, run, exclusive=True)
    assert result.exit_code == 0
    rows = world.rows(result)
    assert sorted(row["giftcard_uuid"] for row in rows) == sorted(made(world))
    for row in rows:
        assert row["hash"] == world.sandbox.world.cards.by_uuid(row["giftcard_uuid"]).hash
        assert row["expiration_date"]
    found = [row for row in rows if row["_proof"] == "look"]
    assert len(found) == 2
    assert all("assigned by reconcile --exclusive" in row["_message"] for row in found)
    assert audit(run.run_dir, 5) == {"done": 5}


def test_rows_whose_cards_were_not_made_become_failed_and_are_made_by_the_same_command(world: World) -> None:
    """Some made, some not: the same create makes exactly the missing ones."""
    lose(world, times=2)
    lose(world, "reset-before", times=2)
    run = create(world, 6)
    world.sandbox.clear_faults()
    assert audit(run.run_dir, 6) == {"unknown": 4, "done": 2}
    result = settle(world, run, exclusive=True)
    assert result.exit_code == 0
    assert audit(run.run_dir, 6) == {"done": 4, "failed": 2}
    assert result.summary is not None
    assert result.summary["next"] == "piggy-batch the same"
    again = create(world, 6)
    assert again.exit_code == 0
    assert audit(run.run_dir, 6) == {"done": 6}
    assert len(made(world)) == 6
    assert len({row["giftcard_uuid"] for row in world.rows(again)}) == 6


def test_without_doubts_nothing_is_asked(world: World) -> None:
    """No request, exit 0."""
    run = create(world, 2, baseline=False)
    before = world.state["requests_total"]
    result = settle(world, run)
    assert result.exit_code == 0
    assert result.notes == ("no row is in doubt",)
    assert world.state["requests_total"] == before


def test_rows_sent_when_the_program_was_killed_are_in_doubt_too(world: World) -> None:
    """An intent without an outcome: the card is found or the row becomes failed, as the list says."""
    run = create(world, 3, limit=1)
    journal = Journal.open(run.run_dir)
    assert journal is not None
    journal.begin(world.wall(), "0", threaded=False)

    async def intend() -> None:
        await journal.sent(2, 1, world.wall(), None)
        await journal.sent(3, 1, world.wall(), None)

    in_virtual_time(intend(), world.time)
    journal.close()
    world.sandbox.world.cards.add(1, world.wall())
    result = settle(world, run, exclusive=True)
    assert world.statuses(result) == {"done": 2, "failed": 1}


def test_without_exclusive_cards_are_listed_for_a_person(world: World) -> None:
    """candidates.csv has what tells them apart; nothing is assigned, nothing becomes failed."""
    run = lost(world)
    result = settle(world, run)
    assert result.exit_code == 1
    listed = candidates(result)
    unknown = {row["_row"] for row in world.rows(result, "unknown")}
    assert len(listed) == len(unknown) == 2
    done = {row["giftcard_uuid"] for row in world.rows(result)}
    assert {card["giftcard_uuid"] for card in listed} == set(made(world)) - done
    for card in listed:
        assert card["made_at"].startswith("2027-01-15T08:")
        assert card["giftcard_program_uuid"] == program(world)
    assert (result.run_dir / "candidates.csv").stat().st_mode & 0o777 == 0o600
    assert any("pass --exclusive" in note for note in result.notes)
    assert any(note == "2 rows are still in doubt; look again with: piggy-batch the same" for note in result.notes)


def test_candidates_go_once_they_are_settled(world: World) -> None:
    """A second look, exclusive: the list for a person is no longer true and not there."""
    run = lost(world)
    settle(world, run)
    result = settle(world, run, exclusive=True)
    assert result.exit_code == 0
    assert not (result.run_dir / "candidates.csv").exists()
    assert not list(result.run_dir.glob("reconcile.csv*"))


def test_more_cards_than_rows_show_that_somebody_else_is_at_work(world: World) -> None:
    """Exclusive is contradicted by the list: nothing is assigned, nothing becomes failed."""
    run = lost(world)
    stranger = issue(world)
    result = settle(world, run, exclusive=True)
    assert result.exit_code == 1
    assert assigned(world, result) == {}
    assert stranger in {card["giftcard_uuid"] for card in candidates(result)}
    assert audit(run.run_dir, 5) == {"done": 3, "unknown": 2}


def test_a_card_that_cannot_be_a_rows_shows_it_too(world: World) -> None:
    """As many fitting cards as rows, but one of another kind beside them: nothing is assigned."""
    run = lost(world)
    issue(world, amount_in_cents=1000)
    result = settle(world, run, exclusive=True)
    assert assigned(world, result) == {}
    assert any("1 new cards do not fit" in note for note in result.notes)


def test_fewer_cards_than_rows_are_assigned_to_those_sent_first(world: World) -> None:
    """The rest was not made."""
    lose(world, times=1)
    lose(world, "reset-before", times=1, after_n=1)
    run = create(world, 4, concurrency=1)
    world.sandbox.clear_faults()
    doubts = [row["_row"] for row in world.rows(run, "unknown")]
    result = settle(world, run, exclusive=True)
    assert list(assigned(world, result)) == doubts[:1]
    assert world.statuses(result) == {"done": 3, "failed": 1}


# --- which cards may be a row's ------------------------------------------------------------------------

GOOD = {"amount_in_cents": "0", "active": "true", "upgradeable": "true", "type": "DIGITAL"}


@pytest.mark.parametrize(
    ("cells", "made_s", "fit"),
    [
        ({}, None, True),
        ({}, 1000.0, True),
        ({}, 879.0, False),
        ({}, 1821.0, False),
        ({}, 1819.0, True),
        ({"amount_in_cents": "1"}, None, False),
        ({"amount_in_cents": ""}, None, False),
        ({"active": "false"}, None, False),
        ({"active": ""}, None, False),
        ({"upgradeable": "false"}, None, False),
        ({"type": "PHYSICAL"}, None, False),
        ({"type": ""}, None, True),
    ],
)
def test_the_rules_for_candidates(cells: dict[str, str], made_s: float | None, fit: bool) -> None:
    """Empty, active, upgradeable, digital, and, where the program tells it, of the time of doubt (880 to 1820)."""
    assert bool(misfits(CandidateCard(GOOD | cells, made_s), (880.0, 1820.0))) is not fit


@pytest.mark.parametrize(
    "event",
    [
        {"amount_in_cents": 500},
        {"expires": int(EPOCH) + 30 * DAY},
        {"expires": int(EPOCH) + 2000 * DAY},
        {"physical": True},
        {"program": 3},
    ],
)
def test_foreign_cards_that_do_not_fit_are_no_candidates(world: World, event: dict[str, Any]) -> None:
    """With money on them, of another age, physical: listed with the reason; of another program: not listed."""
    run = lost(world, 3, 1)
    stranger = issue(world, **event)
    listed = {card["giftcard_uuid"]: card["does_not_fit"] for card in candidates(settle(world, run))}
    assert bool(listed.pop(stranger, "")) is ("program" not in event)
    assert set(listed.values()) == {""}


def test_inactive_cards_are_no_candidates(world: World) -> None:
    """A card that somebody has switched off was in somebody's hands."""
    run = lost(world, 3, 1)
    stranger = issue(world)
    world.sandbox.outside_event("giftcard", action="deactivate", uuid=stranger)
    listed = {card["giftcard_uuid"]: card["does_not_fit"] for card in candidates(settle(world, run))}
    assert listed[stranger] == "is not active"


# What makes the cards of a run look like somebody else's: each is how a live service may well be.
CHANGED: dict[str, tuple[str, Callable[[World, Any], None]]] = {
    "not upgradeable": ("not upgradeable", lambda _, card: setattr(card, "upgradeable", False)),
    "loaded at a till": ("holds 500 cents", lambda world, card: world.sandbox.world.move(card, 1, 500, world.wall())),
    "switched off": ("not active", lambda _, card: setattr(card, "active", False)),
    "a clock a day ahead": ("its expiry says made at", lambda _, card: setattr(card, "expires", card.expires + DAY)),
    "expiry rounded to the day": (
        "its expiry says made at",
        lambda _, card: setattr(card, "expires", card.expires // DAY * DAY),
    ),
}


@pytest.mark.hostile("18.1 reconcile fails rows while an unknown card of the program is there")
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("change", CHANGED)
def test_while_the_list_shows_a_new_card_no_row_becomes_failed(world: World, change: str, exclusive: bool) -> None:
    """The cards are there and only look otherwise: the rows stay in doubt, each card is listed with the reason, and
    the same command makes no card again."""
    run = lost(world, 3, 3)
    why, alter = CHANGED[change]
    for uuid in made(world):
        alter(world, world.sandbox.world.cards.by_uuid(uuid))
    world.time.now += 3600
    result = settle(world, run, exclusive=exclusive, settle_after_s=600.0)
    assert (result.exit_code, world.statuses(result)) == (1, {"unknown": 3})
    listed = {card["giftcard_uuid"]: card["does_not_fit"] for card in candidates(result)}
    assert set(listed) == set(made(world))
    assert all(why in reason for reason in listed.values())
    assert any("3 new cards do not fit" in note for note in result.notes)
    create(world, 3)
    assert len(made(world)) == 3


@pytest.mark.hostile("18.1 reconcile fails rows while an unknown card of the program is there")
def test_a_list_without_amounts_makes_no_row_failed(world: World) -> None:
    """The service leaves amount_in_cents out of its list: nobody knows whether the cards are empty."""
    run = lost(world, 3, 3)

    alter_list(world, lambda card: card.pop("amount_in_cents"))
    result = settle(world, run, exclusive=True)
    assert world.statuses(result) == {"unknown": 3}
    assert {card["does_not_fit"] for card in candidates(result)} == {"the list does not show what it holds"}


@pytest.mark.hostile("18.7 one thing is believed for two rows")
def test_a_list_in_capitals_shows_no_card_of_the_run_as_new(world: World) -> None:
    """The card of a row that is done is not given to another, and one that was there before to none."""
    issue(world)
    lose(world, "reset-before", times=1)
    run = create(world, 2)
    world.sandbox.clear_faults()
    world.time.now += 3600
    alter_list(world, lambda card: card.update(uuid=card["uuid"].upper()))
    result = settle(world, run, exclusive=True, settle_after_s=600.0)
    assert world.statuses(result) == {"done": 1, "failed": 1}


def alter_list(world: World, change: Callable[[dict[str, Any]], object]) -> None:
    """Each card of the list that the service gives is changed so."""

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "GET" or not request.url.path.endswith("/giftcards"):
            return None
        answer = await httpx.ASGITransport(app=make_app(world.sandbox)).handle_async_request(request)
        body = json.loads(await answer.aread())
        for card in body["data"]:
            change(card)
        return httpx.Response(200, json=body)

    world.hook = hook


@pytest.mark.hostile("18.1 reconcile fails rows while an unknown card of the program is there")
def test_without_a_baseline_old_cards_keep_rows_from_failing(world: World) -> None:
    """Which cards are new is not known, so a program that holds any proves of no row that it was not carried out."""
    lose(world, "reset-before", times=1)
    run = create(world, 2, baseline=False)
    world.sandbox.clear_faults()
    world.time.now += 3600
    result = settle(world, run, exclusive=True, settle_after_s=600.0)
    assert world.statuses(result) == {"done": 1, "unknown": 1}


def test_cards_of_the_baseline_and_of_the_run_are_no_candidates(world: World) -> None:
    """Empty ones among them included."""
    before = issue(world)
    run = lost(world, 4, 1)
    listed = {card["giftcard_uuid"] for card in candidates(settle(world, run))}
    done = {row["giftcard_uuid"] for row in world.rows(run)}
    assert listed == set(made(world)) - done
    assert before not in listed


def test_age_counts_for_nothing_where_the_programs_cards_do_not_expire(world: World) -> None:
    """Program 2 tells no age: whatever is new and empty is a candidate."""
    run = lost(world, 3, 1, constants={"giftcard_program_uuid": program(world, 2)})
    stranger = issue(world, program=2, expires=int(EPOCH) + 30 * DAY)
    assert stranger in {card["giftcard_uuid"] for card in candidates(settle(world, run))}


def test_age_is_not_judged_where_the_runs_own_cards_refute_the_rule(world: World) -> None:
    """The program's days were changed since: the lost card must not look like a stranger's, and be made again."""
    run = lost(world, 3, 1)
    cards = world.sandbox.world.cards
    cards.programs[1] = replace(cards.programs[1], expiration_days=100)
    result = settle(world, run, exclusive=True)
    assert result.exit_code == 0
    assert len(assigned(world, result)) == 1
    assert len(made(world)) == 3
    assert any("expiry does not tell when a card was made" in note for note in result.notes)


def test_a_card_made_long_after_its_answer_was_given_up_is_a_candidate(world: World) -> None:
    """Within --settle-after a request may still be carried out, an hour later too."""
    lose(world, "reset-before", times=1)
    run = create(world, 2)
    world.sandbox.clear_faults()
    world.time.now += 3000
    late = str(world.sandbox.world.cards.add(1, world.wall()).uuid)
    world.time.now += 3000
    result = settle(world, run, exclusive=True, settle_after_s=3600)
    assert list(assigned(world, result).values()) == [late]


# --- what nothing is concluded from --------------------------------------------------------------------


@pytest.mark.parametrize("baseline", [False, True], ids=["none", "not-agreed"])
def test_without_a_proven_baseline_nothing_is_assigned(world: World, baseline: bool) -> None:
    """What the program held before is not known: its cards may be old ones."""
    if baseline:
        for number in range(1, 60):
            world.sandbox.churn(Churn(after_page_request=number, add=1))
    lose(world, times=1)
    run = create(world, 2, baseline=baseline)
    world.sandbox.clear_faults()
    world.sandbox.churner.__init__(world.sandbox.settings, world.sandbox.world)  # type: ignore[misc]
    result = settle(world, run, exclusive=True)
    assert result.exit_code == 1
    assert assigned(world, result) == {}
    assert any("what the program held before is not known for sure" in note for note in result.notes)


def test_a_list_without_proof_assigns_nothing_and_fails_nothing(world: World) -> None:
    """Cards come and go while it is read: rows stay in doubt."""
    lose(world, times=1)
    lose(world, "reset-before", times=1)
    run = create(world, 3)
    world.sandbox.clear_faults()
    for number in range(1, 60):
        world.sandbox.churn(Churn(after_page_request=number, add=1))
    result = settle(world, run, exclusive=True)
    assert result.exit_code == 1
    assert world.statuses(result) == {"done": 1, "unknown": 2}
    assert any("not proven complete" in note for note in result.notes)


def test_rows_become_failed_only_when_the_list_was_begun_long_enough_after_their_send(world: World) -> None:
    """One second early they stay in doubt, and the note says until when to wait; then they become failed."""
    lose(world, "reset-before", times=2)
    run = create(world, 3)
    world.sandbox.clear_faults()
    world.time.now += 598
    result = settle(world, run, settle_after_s=600)
    assert result.exit_code == 1
    assert world.statuses(result) == {"done": 1, "unknown": 2}
    assert any("2 rows were sent less than 600 s before this list was begun" in note for note in result.notes)
    world.time.now += 5
    assert settle(world, run, settle_after_s=600).exit_code == 0
    assert audit(run.run_dir, 3) == {"done": 1, "failed": 2}


def test_a_list_that_was_broken_off_early_proves_nothing_later(make_world: Callable[..., World]) -> None:
    """Killed at once, gone on with an hour later: pages from before the card landed do not make its row failed."""
    world = make_world(giftcards=900, programs=1)
    lose(world, "reset-before", times=1)
    run = create(world, 2)
    world.sandbox.clear_faults()
    pages = 0

    async def hook(request: httpx.Request) -> None:
        nonlocal pages
        pages += "page=" in str(request.url)
        if pages == 12:
            world.sandbox.plan(Fault("unauthorized"))

    world.hook = hook
    assert settle(world, run, settle_after_s=600).exit_code == 3
    world.hook = None
    world.sandbox.clear_faults()
    world.sandbox.world.cards.add(1, world.wall())
    world.time.now += 3600
    result = settle(world, run, settle_after_s=600, exclusive=True)
    assert world.statuses(result) == {"done": 2}


def test_a_list_that_was_broken_off_goes_on(make_world: Callable[..., World]) -> None:
    """Long enough after the sends, what was read stays read."""
    world = make_world(giftcards=3000, programs=1)
    run = lost(world, 2, 1)
    world.time.now += 3600

    async def hook(request: httpx.Request) -> None:
        if "page=20" in str(request.url):
            world.sandbox.plan(Fault("unauthorized"))

    world.hook = hook
    broken = settle(world, run, exclusive=True)
    assert broken.exit_code == 3
    assert broken.notes[-1] == "go on with: piggy-batch the same"
    world.hook = None
    world.sandbox.clear_faults()
    before = world.state["requests"]["GET /giftcards"]
    assert settle(world, run, exclusive=True).exit_code == 0
    assert world.state["requests"]["GET /giftcards"] - before < 60


class _KilledError(BaseException):
    """The process ends here."""


class _Plug(WorldClock):
    """Kills at the ``nth`` look at the clock: every row and every page has one."""

    def __init__(self, world: World, nth: int) -> None:
        super().__init__(world)
        self._left = nth

    def wall(self) -> float:
        self._left -= 1
        if self._left < 0:
            raise _KilledError
        return super().wall()


def test_killed_again_and_again_it_goes_on(world: World) -> None:
    """One step further each time: at the end every row has one card and every card one row."""
    lose(world, times=3)
    lose(world, "reset-before", times=1)
    run = create(world, 6)
    world.sandbox.clear_faults()
    terms, kills = ReconcileOptions(exclusive=True, settle_after_s=0.0, connection=ConnectionOptions(Rate(0.0))), 0
    while True:
        context = replace(world.context(), clock=_Plug(world, kills))
        try:
            result = in_virtual_time(reconcile(run.run_dir, terms, context), world.time)
        except _KilledError:
            kills += 1
            continue
        break
    assert kills > 6
    assert result.exit_code == 0
    assert audit(run.run_dir, 6) == {"done": 5, "failed": 1}
    given = [row["giftcard_uuid"] for row in world.rows(result) if row["_status"] == "done"]
    assert sorted(given) == sorted(made(world))


def test_rows_answered_with_a_card_are_left_alone(world: World) -> None:
    """The service spells the program in another way: the card is there and known; it is not made again."""
    upper = program(world).upper()

    async def hook(request: httpx.Request) -> None:
        if request.method == "POST":
            body = json.loads(request.content) | {"giftcard_program_uuid": upper.lower()}
            request.stream = httpx.ByteStream(json.dumps(body).encode())

    world.hook = hook
    run = create_from(world, world.manifest("giftcard_program_uuid", [upper] * 2), baseline=False)
    result = settle(world, run, exclusive=True)
    assert result.exit_code == 1
    assert world.statuses(result) == {"unknown": 2}
    assert any("2 rows were answered with a card" in note for note in result.notes)


# --- several programs ----------------------------------------------------------------------------------


def test_each_program_is_settled_on_its_own(world: World) -> None:
    """Two programs in one manifest, a stranger in one: the other's rows are settled all the same."""
    manifest = world.manifest("giftcard_program_uuid", [program(world, 1 + n % 2) for n in range(6)])
    lose(world, times=1, value=program(world, 1))
    lose(world, times=1, value=program(world, 2))
    run = create_from(world, manifest)
    world.sandbox.clear_faults()
    issue(world, program=1)
    result = settle(world, run, exclusive=True)
    assert result.exit_code == 1
    (row,) = world.rows(result, "unknown")
    assert row["giftcard_program_uuid"] == program(world, 1)
    assert {card["giftcard_program_uuid"] for card in candidates(result)} == {program(world, 1)}
    for row in world.rows(result):
        if row["_proof"] == "look":
            assert row["giftcard_program_uuid"] == row["_found_giftcard_program_uuid"] == program(world, 2)


@pytest.mark.parametrize("text", ["", "giftcard_uuid\n", "a,b\n1,2\n", "\0"])
def test_an_edited_baseline_counts_for_nothing(world: World, text: str) -> None:
    """Rows taken out of it would make old cards look new: it is noticed, and nothing is assigned."""
    run = lost(world)
    (run.run_dir / "baseline.csv").write_text(text, encoding="utf-8")
    result = settle(world, run, exclusive=True)
    assert world.statuses(result) == {"done": 3, "unknown": 2}
    assert any("was changed since it was recorded" in note for note in result.notes)


def test_a_card_of_another_program_is_never_assigned(world: World) -> None:
    """A service that ignores the filter lists every program's cards: a new one elsewhere belongs to no row here."""

    async def unfiltered(request: httpx.Request) -> httpx.Response | None:
        if request.method == "GET":
            request.url = request.url.copy_remove_param("giftcard_program_uuid")
        return None

    world.hook = unfiltered
    lose(world, "reset-before", times=1)
    run = create(world, 3)
    world.sandbox.clear_faults()
    issue(world, program=2)
    result = settle(world, run, exclusive=True)
    assert audit(run.run_dir, 3) == {"done": 2, "unknown": 1}
    assert any("of no program of this run" in note for note in result.notes)


# --- refusals ------------------------------------------------------------------------------------------


def test_another_accounts_token_is_refused(make_world: Callable[..., World]) -> None:
    """Its list would show none of the cards: every row would become failed, and be made again."""
    world = make_world(other_tokens={"theirs": ("Other Shop", "5a4db0c5-0000-4000-a000-000000000002")})
    run = lost(world, 2, 1)
    with pytest.raises(JournalError, match=r"belongs to account Sandbox Shop .* token to account Other Shop"):
        settle(world, run, token="theirs", exclusive=True)
    assert audit(run.run_dir, 2) == {"done": 1, "unknown": 1}


def test_a_directory_of_another_command_is_refused_and_left_as_it_is(world: World) -> None:
    """And one without a run, its files untouched."""
    other = world.run("giftcards get", world.manifest("giftcard_uuid", [world.card(1).uuid]))
    with pytest.raises(JournalError, match="holds no begun run of giftcards create"):
        settle(world, other)
    own = world.folder / "own"
    own.mkdir()
    (own / "manifest.csv").write_text("mine\n")
    with pytest.raises(JournalError, match="holds no begun run"):
        settle(world, own)
    assert [path.name for path in own.iterdir()] == ["manifest.csv"]


def test_a_run_that_goes_on_is_not_disturbed(world: World) -> None:
    """In use: exit 4, nothing asked."""
    run = lost(world, 2, 1)
    before = world.state["requests_total"]
    with RunDir(run.run_dir), pytest.raises(JournalError, match="in use by another run"):
        settle(world, run)
    assert world.state["requests_total"] == before


@pytest.mark.parametrize("kind", ["unauthorized", "7002", "500"])
def test_programs_that_cannot_be_listed_end_it_in_one_line(world: World, kind: str) -> None:
    """Exit 3, no row changed."""
    run = lost(world, 2, 1)
    world.sandbox.plan(Fault(kind, path="giftcard-programs"))
    with pytest.raises(HaltError):
        settle(world, run)
    assert audit(run.run_dir, 2) == {"done": 1, "unknown": 1}


def test_a_summary_that_cannot_be_read_is_written_anew(world: World) -> None:
    """The journal is the truth. What lies there is not as the run has written it, and so it stays until it is gone."""
    run = lost(world, 2, 1)
    (run.run_dir / "summary.json").write_text("{")
    assert settle(world, run, exclusive=True).exit_code == 0
    (run.run_dir / "summary.json").unlink()
    assert settle(world, run, exclusive=True).exit_code == 0
    assert audit(run.run_dir, 2) == {"done": 2}


def test_reports_keep_their_format(world: World) -> None:
    """A run with --format xlsx: no file of an earlier state is left beside the new ones."""
    run = lost(world, 2, 1, format="xlsx")
    settle(world, run, exclusive=True)
    assert sorted(path.suffix for path in run.run_dir.glob("results.*")) == [".xlsx"]
    assert not (run.run_dir / "unknown.xlsx").exists()


def test_reconcile_keeps_to_its_rate_and_counts_its_requests(world: World) -> None:
    """Account, programs and list together, all pairs of departures."""
    run = lost(world, 2, 1)
    first = len(world.departures)
    world.time.now += 100
    result = settle(world, run, exclusive=True, rate=2.0)
    times = world.departures[first:]
    assert len(times) >= 5
    for i, at in enumerate(times):
        for j in range(i + 1, len(times)):
            assert j - i + 1 <= 2.0 * (times[j] - at) + 1 + 1e-6
    assert result.summary is not None
    assert result.summary["requests"]["sent"] == world.state["requests_total"]


def test_other_runs_are_told_of_it_by_the_runs_name(world: World) -> None:
    """Not by the name of a file that it works with."""
    run = lost(world, 2, 1)
    slots = world.folder / "slots"
    slots.mkdir()
    names: set[str] = set()

    async def hook(request: httpx.Request) -> None:
        for path in slots.iterdir():
            names.update(entry["name"] for entry in json.loads(path.read_text())["runs"].values())

    world.hook = hook
    context = world.context(shared_rate_dir=slots)
    terms = ReconcileOptions(exclusive=True, settle_after_s=0.0, connection=ConnectionOptions(Rate(5.0)))
    assert in_virtual_time(reconcile(run.run_dir, terms, context), world.time).exit_code == 0
    assert names == {"batch, reconcile"}


def test_the_list_before_the_first_request_shares_under_the_runs_name(world: World) -> None:
    """From its first page on."""
    slots = world.folder / "slots"
    slots.mkdir()
    names: set[str] = set()

    async def hook(request: httpx.Request) -> None:
        for path in slots.iterdir():
            names.update(entry["name"] for entry in json.loads(path.read_text())["runs"].values())

    world.hook = hook
    assert create(world, 2, context={"shared_rate_dir": slots}).exit_code == 0
    assert names == {"batch"}


def test_fifty_foreign_cards_are_assigned_to_nobody(world: World) -> None:
    """Made while the run went on, by somebody whom --exclusive denies."""
    lose(world, share=0.2)
    foreign: set[str] = set()

    async def hook(request: httpx.Request) -> None:
        if request.method == "POST" and len(foreign) < 50:
            foreign.add(issue(world))

    world.hook = hook
    run = create(world, 60)
    world.hook = None
    world.sandbox.clear_faults()
    result = settle(world, run, exclusive=True)
    assert not foreign & {row["giftcard_uuid"] for row in world.rows(result)}
    assert assigned(world, result) == {}
    assert foreign <= {card["giftcard_uuid"] for card in candidates(result)}
