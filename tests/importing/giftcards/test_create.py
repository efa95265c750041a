"""giftcards create: cards without a list of their own, never made twice, and what the program held before."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from piggy_batch.cli.progress_display import ProgressDisplay
from piggy_batch.client.rate_limiter import Rate
from piggy_batch.endpoints import find_operation
from piggy_batch.errors import JournalError, SetupError
from piggy_batch.importing.giftcards.baseline import BASELINE
from piggy_batch.importing.options import ImportOptions
from piggy_batch.importing.runner import run
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.runs.context import ConnectionOptions
from piggy_batch.runs.generated_manifest import counted_manifest
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.sandbox import Churn, Fault
from tests.importing.giftcards.support import create, create_from, lose, made, program, settle
from tests.support.world import World, audit, in_virtual_time, read_csv

# --- --count -----------------------------------------------------------------------------------------


def test_count_makes_its_own_manifest_in_the_run_directory(world: World) -> None:
    """Numbered rows, readable by their owner only."""
    result = create(world, 3)
    assert result.exit_code == 0
    manifest = result.run_dir / "manifest.csv"
    assert manifest.read_text() == "card\n1\n2\n3\n"
    assert manifest.stat().st_mode & 0o777 == 0o600
    assert len(made(world)) == 3


def test_results_carry_what_load_and_send_need(world: World) -> None:
    """uuid, hash, url and expiry of each card, and the amount that was set; never an amount of 0."""
    result = create(world, 2, constants={"amount_in_cents": "2500"})
    for row in world.rows(result):
        card = world.sandbox.world.cards.by_uuid(row["giftcard_uuid"])
        assert row["hash"] == card.hash
        assert row["url"].endswith(card.hash)
        assert row["expiration_date"].startswith("20")
        assert row["amount_in_cents"] == "2500"
        assert row["_status"] == "done"


def test_the_same_count_goes_on_with_the_run(world: World) -> None:
    """A pilot of two, then the rest: five cards, not seven."""
    assert create(world, 5, limit=2).exit_code == 0
    assert len(made(world)) == 2
    assert create(world, 5).exit_code == 0
    assert len(made(world)) == 5
    assert create(world, 5).exit_code == 0
    assert len(made(world)) == 5


def test_another_count_is_refused_once_cards_are_made(world: World) -> None:
    """A run keeps its rows."""
    create(world, 2)
    with pytest.raises(JournalError, match=r"not the manifest of --count 3; use the same count, or another --run-dir"):
        create(world, 3)
    assert len(made(world)) == 2


def test_another_count_is_taken_while_nothing_was_sent(world: World) -> None:
    """What a first try left behind, as one without a token does, binds nobody."""
    counted_manifest(world.folder / "batch", 500)
    assert create(world, 3).exit_code == 0
    assert len(made(world)) == 3


@pytest.mark.parametrize("text", ["giftcard_uuid,amount_in_cents\nx,100\n", "card\n1\n3\n", "card\n", ""])
def test_a_manifest_of_somebody_elses_is_neither_replaced_nor_removed(world: World, text: str) -> None:
    """A file that happens to have the name stays, whatever is run in its directory."""
    run_dir = world.folder / "batch"
    run_dir.mkdir()
    own = run_dir / "manifest.csv"
    own.write_text(text)
    with pytest.raises(JournalError, match="is not the manifest of --count 3"):
        counted_manifest(run_dir, 3)
    with pytest.raises(SetupError):
        world.run("giftcards load", own, run_dir=run_dir)
    assert own.read_text() == text


def test_a_dry_run_leaves_nothing_behind(world: World) -> None:
    """No directory, no manifest, no card."""
    result = create(world, 3, dry_run=True)
    assert result.exit_code == 0
    assert not (world.folder / "batch").exists()
    assert made(world) == []


def test_a_directory_that_cannot_be_made_is_one_line(world: World) -> None:
    """The parent is a file."""
    (world.folder / "file").write_text("")
    with pytest.raises(JournalError, match="name another --run-dir"):
        counted_manifest(world.folder / "file" / "batch", 3)


# --- what is asked for ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["0", "PHYSICAL", "physical"])
def test_physical_cards_are_invalid_with_the_reason(world: World, kind: str) -> None:
    """The service makes digital ones only; nothing is sent."""
    manifest = world.manifest("giftcard_program_uuid,type", [(program(world), "1"), (program(world), kind)])
    result = create_from(world, manifest)
    assert result.exit_code == 2
    assert "row 2 (line 3), type: " in result.notes[0]
    assert "asks for a physical card; the service makes digital ones only (type 1)" in result.notes[0]
    assert [row["_status"] for row in world.rows(result, "errors")] == ["invalid"]
    assert made(world) == []


def test_type_is_sent_as_a_number(world: World) -> None:
    """Whatever a row says, DIGITAL as in the answers included."""
    bodies: list[object] = []

    async def hook(request: httpx.Request) -> None:
        if request.method == "POST":
            bodies.append(json.loads(request.content))

    world.hook = hook
    manifest = world.manifest("giftcard_program_uuid,type", [(program(world), t) for t in ("1", "DIGITAL", "")])
    assert create_from(world, manifest).exit_code == 0
    assert bodies == [{"giftcard_program_uuid": program(world), "type": 1}] * 3


def test_setting_a_physical_type_is_refused(world: World) -> None:
    """For all rows at once, before anything is read from the service."""
    with pytest.raises(SetupError, match="asks for a physical card"):
        create(world, 2, constants={"type": "0"})


# --- never twice ---------------------------------------------------------------------------------------


@pytest.mark.hostile("18.7 one thing is believed for two rows")
def test_one_card_for_several_rows_is_done_for_one_of_them_only(world: World) -> None:
    """Something between joins identical requests and gives one answer to all: one row is done, the others are in
    doubt and name it, and their cards are not passed on to the next command."""
    world.sandbox.plan(Fault("replayed"))
    result = create(world, 9, concurrency=3)
    assert (result.exit_code, world.statuses(result)) == (1, {"done": 1, "unknown": 8})
    (card,) = made(world)
    (done,) = [row["_row"] for row in world.rows(result) if row["giftcard_uuid"]]
    for row in world.rows(result, "unknown"):
        assert row["_message"] == (
            f"the answer names {card}, which row {done} has made: it is not the answer to this row"
        )
    world.sandbox.clear_faults()
    assert world.statuses(settle(world, result, exclusive=True)) == {"done": 1, "failed": 8}
    assert world.statuses(create(world, 9)) == {"done": 9}
    assert len(made(world)) == 9


@pytest.mark.hostile("18.7 one thing is believed for two rows")
def test_one_card_in_capitals_and_in_small_letters_is_one(world: World) -> None:
    """Whatever stands between may write it otherwise."""
    program_uuid, posts = program(world), 0

    async def hook(request: httpx.Request) -> httpx.Response | None:
        nonlocal posts
        if request.method != "POST":
            return None
        posts += 1
        uuid = "AbCd-1" if posts == 1 else "aBcD-1"
        return httpx.Response(200, json={"data": {"uuid": uuid, "giftcard_program": {"uuid": program_uuid}}})

    world.hook = hook
    assert world.statuses(create(world, 2, concurrency=1)) == {"done": 1, "unknown": 1}


@pytest.mark.hostile("18.7 one thing is believed for two rows")
def test_a_card_of_an_earlier_invocation_is_known(world: World) -> None:
    """The pilot's answer comes again for the rows after it, in a new process."""
    world.sandbox.plan(Fault("replayed"))
    create(world, 3, limit=1)
    result = create(world, 3)
    assert world.statuses(result) == {"done": 1, "unknown": 2}


@pytest.mark.hostile("18.7 one thing is believed for two rows")
def test_a_card_that_was_there_before_the_run_is_not_new(world: World) -> None:
    """A cache in front of the service answers with what it knows from yesterday."""
    old = create(world, 1, run_dir=world.folder / "yesterday")
    (card,) = made(world)

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST":
            return None
        program_of = {"uuid": program(world), "name": "Vouchers"}
        return httpx.Response(200, json={"data": {"uuid": card, "hash": "X", "giftcard_program": program_of}})

    world.hook = hook
    result = create(world, 2)
    assert world.statuses(old) == {"done": 1}
    assert world.statuses(result) == {"unknown": 2}
    assert "was there before this run" in world.rows(result)[0]["_message"]


@pytest.mark.hostile("18.7 one thing is believed for two rows")
def test_a_journal_of_an_earlier_version_learns_what_its_rows_have_made(world: World) -> None:
    """Without the table of things made, as versions before wrote it: the cards of its rows are known all the same."""
    world.sandbox.plan(Fault("replayed"))
    first = create(world, 3, limit=1, baseline=False)
    with contextlib.closing(sqlite3.connect(first.run_dir / "journal.sqlite")) as db, db:
        db.execute("DROP TABLE made")
    assert world.statuses(create(world, 3, baseline=False)) == {"done": 1, "unknown": 2}


@pytest.mark.parametrize(
    "kind",
    [
        "reset-after",
        "timeout-after",
        "truncated",
        "no-data",
        "empty",
        "504-after",
        "500",
        "1000",
        "503",
        "reset-before",
    ],
)
def test_a_request_of_unknown_fate_is_never_repeated(world: World, kind: str) -> None:
    """One request for the row, however often the command runs; the row says when it was sent and what was lost."""
    lose(world, kind, times=1)
    result = create(world, 1, baseline=False)
    assert result.exit_code == 1
    world.sandbox.clear_faults()
    for _ in range(3):
        create(world, 1, baseline=False)
    assert world.state["requests"]["POST /giftcards"] == 1
    assert len(made(world)) <= 1
    (row,) = world.rows(result, "unknown")
    assert row["_sent_at"].startswith("2027-01-15T08:00:0")
    assert row["_message"].startswith("sent, no usable answer: ")
    assert len(row["_message"]) > len("sent, no usable answer: ")
    assert row["_attempts"] == ("" if kind == "503" else "1")  # maintenance is no try of the row
    assert audit(result.run_dir, 1) == {"unknown": 1}


def test_rows_in_doubt_name_the_command_that_looks_for_their_cards(world: World) -> None:
    """giftcards reconcile, with this run's directory."""
    lose(world, times=1)
    result = create(world, 2)
    assert f"piggy-batch giftcards reconcile {result.run_dir}" in " ".join(result.notes)


def test_a_throttled_request_is_repeated(world: World) -> None:
    """429 says that nothing was made."""
    lose(world, "429", times=3)
    result = create(world, 3)
    assert result.exit_code == 0
    assert len(made(world)) == 3


def test_an_answer_for_another_program_is_unknown_and_keeps_the_card(world: World) -> None:
    """The service folds case: the card is there, and its uuid in the results, but it is not called done."""
    upper = program(world).upper()
    world.hook = _as_lower_case
    result = create_from(world, world.manifest("giftcard_program_uuid", [upper]), baseline=False)
    (row,) = world.rows(result, "unknown")
    assert row["giftcard_uuid"] == made(world)[0]
    assert "answered, but not for what was asked" in row["_message"]


async def _as_lower_case(request: httpx.Request) -> None:
    if request.method == "POST":
        body = json.loads(request.content)
        body["giftcard_program_uuid"] = body["giftcard_program_uuid"].lower()
        request.stream = httpx.ByteStream(json.dumps(body).encode())


def test_a_second_run_of_the_manifest_needs_again(world: World) -> None:
    """An earlier run beside it, under whatever directory, is named."""
    manifest = world.manifest("giftcard_program_uuid", [program(world)] * 2)
    create_from(world, manifest)
    with pytest.raises(SetupError, match=r"cards\.giftcards-create holds an earlier run .* pass --again"):
        create_from(world, manifest, run_dir=world.folder / "other")
    assert create_from(world, manifest, run_dir=world.folder / "other", again=True).exit_code == 0
    assert len(made(world)) == 4


def test_rows_that_say_they_were_carried_out_need_again(world: World) -> None:
    """The results of create are no manifest for create."""
    result = create(world, 2)
    with pytest.raises(SetupError, match=r"row 1 \(line 2\) says that giftcards create ended done for it already"):
        create_from(world, _copied(world, result.run_dir / "results.csv"))
    assert len(made(world)) == 2


@pytest.mark.parametrize(
    ("status", "refused"),
    [("done", True), ("unknown", True), ("failed", True), ("pending", True), ("rejected", False), ("invalid", False)],
)
def test_only_rows_surely_not_carried_out_are_taken_up(world: World, status: str, refused: bool) -> None:
    """Of this command's own rows; another command's say nothing."""
    manifest = world.manifest(
        "giftcard_program_uuid,_operation,_status", [(program(world), "giftcards create", status)], "mended.csv"
    )
    if refused:
        with pytest.raises(SetupError, match="pass --again"):
            create_from(world, manifest)
    else:
        assert create_from(world, manifest).exit_code == 0
    other = world.manifest(
        "giftcard_program_uuid,_operation,_status", [(program(world), "giftcards load", status)], "o.csv"
    )
    assert create_from(world, other).exit_code == 0


def _copied(world: World, path: Path) -> Path:
    copy = world.folder / "copied.csv"
    copy.write_bytes(path.read_bytes())
    return copy


# --- what the program held before --------------------------------------------------------------------


def test_the_baseline_is_there_before_the_first_request(world: World) -> None:
    """Proven, private, and of this program only."""
    seen: list[bool] = []

    async def hook(request: httpx.Request) -> None:
        if request.method == "POST":
            seen.append((world.folder / "batch" / BASELINE).exists())

    world.hook = hook
    result = create(world, 2)
    assert seen == [True, True]
    path = result.run_dir / BASELINE
    assert path.stat().st_mode & 0o777 == 0o600
    rows = read_csv(path)
    assert rows
    assert {row["giftcard_program_uuid"] for row in rows} == {program(world)}
    assert not set(made(world)) & {row["giftcard_uuid"] for row in rows}
    assert _fact(result.run_dir)["agreed"] is True


def test_the_baseline_is_taken_once(world: World) -> None:
    """A resumed run keeps what was before its first request."""
    create(world, 3, limit=1)
    before = (world.folder / "batch" / BASELINE).read_bytes()
    create(world, 3)
    assert (world.folder / "batch" / BASELINE).read_bytes() == before


def test_a_baseline_without_proof_is_said_and_remembered(world: World) -> None:
    """The service counts one card more than it shows: the run goes on, and says what that means."""
    for number in range(1, 40):
        world.sandbox.churn(Churn(after_page_request=number, add=1))
    result = create(world, 2)
    assert result.exit_code == 0
    assert _fact(result.run_dir)["agreed"] is False
    assert any("could not be proven complete" in line for line in world.said.lines)


def test_without_baseline_no_list_is_read(world: World) -> None:
    """--no-baseline: no request but the ping and the rows."""
    result = create(world, 2, baseline=False)
    assert "GET /giftcards" not in world.state["requests"]
    assert not (result.run_dir / BASELINE).exists()


def test_an_interrupted_baseline_sends_nothing_and_says_how_to_go_on(world: World) -> None:
    """The service does not answer the list: exit 3, no card; the same command begins a list of its own."""
    world.sandbox.plan(Fault("503", method="GET", path="giftcards"))
    result = create(world, 2)
    assert result.exit_code == 3
    assert made(world) == []
    assert result.notes[-1] == "go on with: piggy-batch the same"
    assert any("--no-baseline" in note for note in result.notes)
    world.sandbox.clear_faults()
    stranger = world.sandbox.outside_event("giftcard", action="issue", program=1)["uuid"]
    again = create(world, 2)
    assert again.exit_code == 0
    assert stranger in {row["giftcard_uuid"] for row in read_csv(again.run_dir / BASELINE)}


def test_a_baseline_broken_off_on_its_way_begins_anew(make_world: Callable[..., World]) -> None:
    """What was read before the break does not count: cards made by others meanwhile are no candidates."""
    world = make_world(giftcards=900, programs=1)
    pages = 0

    async def hook(request: httpx.Request) -> None:
        nonlocal pages
        if request.method == "GET" and "page=" in str(request.url):
            pages += 1
            if pages == 4:
                world.sandbox.plan(Fault("unauthorized"))

    world.hook = hook
    assert create(world, 2).exit_code == 3
    world.hook = None
    world.sandbox.clear_faults()
    stranger = world.sandbox.outside_event("giftcard", action="issue", program=1)["uuid"]
    result = create(world, 2)
    assert result.exit_code == 0
    assert stranger in {row["giftcard_uuid"] for row in read_csv(result.run_dir / BASELINE)}
    assert _fact(result.run_dir)["begun_at"] >= 1_800_000_000


def test_without_a_row_to_send_no_list_is_read(world: World) -> None:
    """All rows invalid and skipped: nothing to look for."""
    manifest = world.manifest("giftcard_program_uuid,type", [(program(world), "0")])
    result = create_from(world, manifest, skip_invalid=True)
    assert world.statuses(result) == {"invalid": 1}
    assert "GET /giftcards" not in world.state["requests"]


def test_an_unknown_program_stops_before_the_first_request(world: World) -> None:
    """A typing error in --set makes no card and says where programs are listed."""
    with pytest.raises(SetupError, match="see what is there: piggy-batch giftcards programs"):
        create(world, 2, constants={"giftcard_program_uuid": "00000000-0000-4000-8000-000000000000"})
    assert made(world) == []


def test_the_list_is_said_in_the_plan(world: World) -> None:
    """A large program takes many requests: the plan says what comes first."""
    result = create(world, 2, dry_run=True)
    assert any(line.startswith("before: the cards that the program holds already are listed") for line in result.plan)


def test_requests_of_the_list_are_counted(world: World) -> None:
    """The summary's requests are all that the service saw."""
    result = create(world, 3)
    assert result.summary is not None
    assert result.summary["requests"]["sent"] == world.state["requests_total"]


def test_list_and_rows_keep_to_one_rate(world: World) -> None:
    """All pairs of departures, those of the list included."""
    create(world, 10, rate=5.0)
    assert len(world.departures) > 14
    _keeps(world.departures, 5.0)


def test_the_log_is_in_the_run_directory(world: World) -> None:
    """run.log holds what happened from the list on."""
    with ProgressDisplay("rows", bar=False, quiet=True) as display:
        context = world.context()
        run_dir = world.folder / "batch"
        options = ImportOptions(
            run_dir=run_dir,
            connection=ConnectionOptions(Rate(0.0)),
            yes=True,
            baseline=True,
            reading=ManifestOptions(constants={"giftcard_program_uuid": program(world)}),
        )
        manifest = counted_manifest(run_dir, 2)
        work = run(find_operation("giftcards create"), manifest, options, replace(context, progress=display))
        assert in_virtual_time(work, world.time).exit_code == 0
    log = run_dir / "run.log"
    assert log.stat().st_mode & 0o777 == 0o600
    assert "before the first request" in log.read_text()


def test_max_duration_over_the_list_too(world: World) -> None:
    """A nightly window that ends while the list is read: exit 1, nothing sent, and the command that goes on."""
    world.sandbox.latency_s = 60.0
    result = create(world, 2, max_duration_s=90.0, timeout_s=600.0)
    assert result.exit_code == 1
    assert made(world) == []
    assert result.notes == (
        "--max-duration is over before the first request; nothing was sent",
        "go on with: piggy-batch the same",
    )


def _fact(run_dir: Path) -> dict[str, object]:
    journal = JournalQueries.open(run_dir)
    assert journal is not None
    try:
        fact: dict[str, object] = journal.get("baseline")
        return fact
    finally:
        journal.close()


def _keeps(departures: list[float], rate: float) -> None:
    for i, first in enumerate(departures):
        for j in range(i + 1, len(departures)):
            assert j - i + 1 <= rate * (departures[j] - first) + 1 + 1e-6
