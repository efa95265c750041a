"""One row command from manifest to reports: binding, resuming, limits, piles, exit codes."""

from __future__ import annotations

import asyncio
import csv
import errno
import json
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pyarrow.parquet as pq
import pytest

from piggy_batch.endpoints import find_operation
from piggy_batch.errors import HaltError, JournalError, PiggyBatchError, SetupError
from piggy_batch.runs.directory import RunDir
from piggy_batch.runs.journal import Journal
from piggy_batch.runs.journal_file import NAME
from piggy_batch.runs.lock import LOCK, RunLock
from piggy_batch.sandbox import Fault
from tests.support.open_files import no_more_files
from tests.support.world import World, audit, in_virtual_time, read_csv, working_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VALUE = "contact_identifier_value"


def numbered(world: World, rows: int, name: str = "cards.csv") -> Path:
    """A manifest of new cards."""
    return world.manifest(VALUE, [[f"A-{n}"] for n in range(rows)], name)


def refused(world: World, operation: str, path: Path, **given: Any) -> PiggyBatchError:
    """The error of a run that must not start; nothing was sent but perhaps a ping."""
    before = world.state["requests_total"]
    with pytest.raises(PiggyBatchError) as caught:
        world.run(operation, path, **given)
    assert world.state["requests_total"] <= before + 1
    return caught.value


# --- binding -----------------------------------------------------------------------------------------


def test_another_operation_on_a_run_directory_is_refused(world: World) -> None:
    """Both operations are named, exit 4."""
    path = numbered(world, 2)
    world.run("identifiers create", path)
    error = refused(world, "identifiers delete", path, run_dir=world.folder / "cards.identifiers-create")
    assert error.exit_code == 4
    assert "identifiers create" in str(error)
    assert "identifiers delete" in str(error)


def test_a_changed_manifest_is_refused(world: World) -> None:
    """A run belongs to the manifest's content: one more row is another run, exit 4."""
    path = numbered(world, 2)
    world.run("identifiers create", path)
    numbered(world, 3)
    error = refused(world, "identifiers create", path)
    assert error.exit_code == 4
    assert "sha256" in str(error)


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("--map", {"maps": {VALUE: "card"}}),
        ("--set", {"constants": {"note": "x"}}),
        ("--delimiter", {"delimiter": ","}),
        ("--encoding", {"encoding": "utf-8"}),
    ],
)
def test_options_that_change_what_is_sent_are_bound(world: World, option: str, given: dict[str, Any]) -> None:
    """A differing option is refused, naming what the run was started with and what it is now."""
    path = world.manifest(f"{VALUE},card", [["A-1", "B-1"]])
    world.run("identifiers create", path)
    error = refused(world, "identifiers create", path, **given)
    assert error.exit_code == 4
    assert option in str(error)
    assert "without" in str(error)


@pytest.mark.parametrize(
    ("header", "row", "given", "said"),
    [
        ("card", ["A-1"], {VALUE: ""}, "is blank"),
        (f"{VALUE},card", ["A-1", "x"], {"contact_uuid": ""}, "is blank"),
        (f"{VALUE},Contact UUID", ["A-1", ""], {"contact_uuid": "c-1"}, "'Contact UUID' is read as contact_uuid"),
        (VALUE, ["A-1"], {"contact_identifier_name": "caf\udce9"}, "no text"),
    ],
)
def test_a_set_that_would_send_something_else_than_meant_is_refused(
    world: World, header: str, row: list[str], given: dict[str, str], said: str
) -> None:
    """A blank value, one beside a column that feeds the field already, half a character: exit 2."""
    error = refused(world, "identifiers create", world.manifest(header, [row]), constants=given)
    assert error.exit_code == 2
    assert said in str(error)


@pytest.mark.parametrize("moved", [True, False])
def test_a_run_whose_directory_goes_away_sends_nothing_more(world: World, moved: bool) -> None:
    """Removed or renamed while the run goes on: it halts at once, exit 4, and leaves what came in its place alone."""
    path = numbered(world, 20)
    home = world.folder / "cards.identifiers-create"

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and b"A-3" in request.content:
            home.rename(world.folder / "elsewhere") if moved else shutil.rmtree(home)
            home.mkdir()
            (home / LOCK).touch()
        return None

    world.hook = hook
    with pytest.raises(JournalError, match="removed, moved or replaced"):
        world.run("identifiers create", path, concurrency=1)
    assert world.effects == 4
    assert [entry.name for entry in home.iterdir()] == [LOCK]


def test_rows_that_a_stray_quote_hides_are_pointed_at(world: World) -> None:
    """Two rows inside one quoted cell: the plan says where to look."""
    path = world.folder / "cards.csv"
    path.write_text(f'{VALUE},note\nA-1,"x\nA-2,y\nA-3,z"\nA-4,q\n', encoding="utf-8")
    plan = " ".join(world.run("identifiers create", path, dry_run=True).plan)
    assert "1 row with a line break inside a quoted cell, the first row 1 (line 2)" in plan
    numbered(world, 3)
    assert "line break" not in " ".join(world.run("identifiers create", path, dry_run=True).plan)


def test_one_card_for_all_rows_is_a_repeat(world: World) -> None:
    """--set giftcard_uuid with two rows would load one card twice: the second row is invalid."""
    shop = world.sandbox.world.ledger.shops[1].uuid
    path = world.manifest("amount_in_cents,shop_uuid", [["100", shop], ["100", shop]])
    constants = {"giftcard_uuid": world.loadable(1).uuid}
    result = world.run("giftcards load", path, constants=constants)
    assert result.exit_code == 2
    assert world.effects == 0
    assert any("the same as in row 1" in note for note in result.notes)
    path.write_text(path.read_text(encoding="utf-8").replace("100", "101"), encoding="utf-8")
    assert world.run("giftcards load", path, constants=constants, limit=1, allow_repeats=True).exit_code == 0


def test_a_file_name_that_is_no_text_ends_no_run(world: World) -> None:
    """A manifest with bytes that are no UTF-8 in its name: the summary is written all the same."""
    path = numbered(world, 1).rename(world.folder / "caf\udce9.csv")
    result = world.run("identifiers create", path)
    assert audit(result.run_dir, 1) == {"done": 1}


def test_a_token_of_another_account_is_refused_and_both_are_named(make_world: Callable[..., World]) -> None:
    """The account that ping answers is bound; exit 4."""
    world = make_world(
        other_tokens={"other": ("Other Shop", "account-2"), "rotated": ("Sandbox Shop", "account-1")},
        account_uuid="account-1",
    )
    path = numbered(world, 2)
    world.run("identifiers create", path, limit=1)
    error = refused(world, "identifiers create", path, token="other")
    assert error.exit_code == 4
    assert "Sandbox Shop (account-1)" in str(error)
    assert "Other Shop (account-2)" in str(error)
    assert world.statuses(world.run("identifiers create", path, token="rotated")) == {"done": 2}


@pytest.mark.parametrize("fields", [("company",), (), ("id",)])
def test_an_account_without_uuid_is_bound_all_the_same(
    make_world: Callable[..., World], fields: tuple[str, ...]
) -> None:
    """By its id, or by a salted fingerprint of the token; the token itself is nowhere."""
    world = make_world(ping_fields=fields, other_tokens={"other": ("Other Shop", "account-2")})
    path = numbered(world, 2)
    world.run("identifiers create", path, limit=1)
    assert refused(world, "identifiers create", path, token="other").exit_code == 4
    assert world.statuses(world.run("identifiers create", path)) == {"done": 2}


def test_pace_limits_and_format_may_change(world: World) -> None:
    """They do not belong to the run; what the old format wrote goes."""
    path = numbered(world, 3)
    world.run("identifiers create", path, limit=1, rate=5.0)
    result = world.run("identifiers create", path, format="parquet", rate=0.0, concurrency=2)
    assert pq.read_table(result.run_dir / "results.parquet")["_status"].to_pylist() == ["done"] * 3
    assert not (result.run_dir / "results.csv").exists()
    assert not (result.run_dir / "remaining.csv").exists()


def test_before_the_first_request_a_directory_is_checked_afresh(world: World) -> None:
    """A run that was refused or dry binds nothing: the mended manifest runs in the same place."""
    path = world.manifest(VALUE, [["A-1"], ["A-1"]])
    assert world.run("identifiers create", path).exit_code == 2
    assert world.run("identifiers create", numbered(world, 2), dry_run=True).exit_code == 0
    assert world.run("identifiers create", numbered(world, 3)).exit_code == 0


# --- what stays out of the world ---------------------------------------------------------------------


def test_invalid_rows_stop_the_run_before_anything_is_sent(world: World) -> None:
    """All problems at once, with row and line; errors lists them; exit 2; not even a ping."""
    path = world.manifest(f"{VALUE},contact_uuid", [["A-1", "c"], ["", "c"], ["A-1", "d"], [" ", ""]])
    result = world.run("identifiers create", path)
    assert result.exit_code == 2
    assert world.state["requests_total"] == 0
    text = "\n".join(result.notes)
    assert "row 2 (line 3), contact_identifier_value: is blank" in text
    assert "row 3 (line 4), contact_identifier_value: the same as in row 1 (line 2)" in text
    assert [row["_row"] for row in world.rows(result, "errors")] == ["2", "3", "4"]


def test_skip_invalid_runs_the_others_and_errors_is_a_manifest(world: World) -> None:
    """--skip-invalid: exit 1; the mended errors file is a manifest of its own."""
    path = world.manifest(f"{VALUE},note", [["A-1", "x"], ["", "y"]])
    result = world.run("identifiers create", path, skip_invalid=True)
    assert (result.exit_code, audit(result.run_dir, 2)) == (1, {"done": 1, "invalid": 1})
    errors = result.run_dir / "errors.csv"
    rows = read_csv(errors)
    rows[0][VALUE] = "A-2"
    with errors.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    again = world.run("identifiers create", errors)
    assert again.exit_code == 0
    assert list(world.last(again))[:2] == [VALUE, "note"]
    assert world.times("identifiers.create") == {"A-1": 1, "A-2": 1}


def test_a_dry_run_sends_no_write_and_leaves_nothing(world: World) -> None:
    """The plan names account, rows, requests and what a repeat would do; the folder is as before."""
    path = numbered(world, 100)
    result = world.run("identifiers create", path, dry_run=True, rate=5.0)
    plan = "\n".join(result.plan)
    for part in ("Sandbox Shop", "100 rows", "requests: 100", "20s", "60006", "automations"):
        assert part in plan
    assert list(world.folder.iterdir()) == [path]
    assert world.state["requests_total"] == 1


def test_a_header_without_rows_is_done_at_once(world: World) -> None:
    """Exit 0, and an empty results file."""
    result = world.run("identifiers create", world.manifest(VALUE, []))
    assert result.exit_code == 0
    assert world.rows(result) == []


@pytest.mark.parametrize("name", ["nothing.csv", "no/such/folder/cards.csv"])
def test_a_missing_manifest_leaves_no_directory_behind(world: World, name: str) -> None:
    """A mistyped name: exit 2, and nothing is made."""
    assert refused(world, "identifiers create", world.folder / name).exit_code == 2
    assert list(world.folder.iterdir()) == []


@pytest.mark.parametrize("text", ["", "\n\n", f"{VALUE},{VALUE}\n1,2\n", "card\n1\n"])
def test_a_file_that_is_no_manifest_is_refused(world: World, text: str) -> None:
    """Empty, no header, two columns of one name, the required column missing: exit 2, nothing left behind."""
    path = world.folder / "cards.csv"
    path.write_text(text)
    assert refused(world, "identifiers create", path).exit_code == 2
    assert list(world.folder.iterdir()) == [path]


def test_a_ragged_row_is_invalid_and_named(world: World) -> None:
    """A row of another width than the header is never sent."""
    path = world.folder / "cards.csv"
    path.write_text(f"contact_uuid,{VALUE}\nA-1\nA-2,x,y\n")
    result = world.run("identifiers create", path)
    assert result.exit_code == 2
    assert "row 1 (line 2): has 1 cells where the header has 2" in "\n".join(result.notes)


@pytest.mark.parametrize("confirm", [None, lambda _: False])
def test_without_yes_or_a_nod_nothing_is_sent(world: World, confirm: Any) -> None:
    """identifiers delete asks; nobody there or no: exit 2, nothing sent."""
    path = world.manifest(VALUE, [["CARD-000002"]])
    error = refused(world, "identifiers delete", path, yes=False, context={"confirm": confirm})
    assert error.exit_code == 2
    assert world.effects == 0


def test_the_first_ping_gives_up_after_three_tries(world: World) -> None:
    """Nobody answers: exit 3, nothing sent, nothing left behind."""
    world.sandbox.plan(Fault("reset-before"))
    path = numbered(world, 1)
    with pytest.raises(HaltError, match="3 tries"):
        world.run("identifiers create", path)
    assert world.state["requests_total"] == 3
    assert list(world.folder.iterdir()) == [path]


def test_a_large_list_says_that_it_is_being_checked(world: World) -> None:
    """Seconds of silence would look like a hang; a small one needs no such line."""
    for rows, told in ((1, False), (200, True)):
        path = world.manifest(f"{VALUE},note", [[f"A-{n}", "x" * 110_000] for n in range(rows)], f"{rows}.csv")
        world.run("identifiers create", path, dry_run=True)
        assert any("checking every row of" in line for line in world.said.lines) is told


@pytest.mark.parametrize("status", [429, 503])
def test_the_first_ping_comes_back_when_the_service_says_so(world: World, status: int) -> None:
    """Retry-After is kept, is said, and is no try; what lies beyond --max-wait ends the run."""
    answers = [httpx.Response(status, headers={"Retry-After": "40"}, json={}) for _ in range(4)]

    async def busy(_: httpx.Request) -> httpx.Response | None:
        return answers.pop() if answers else None

    world.hook = busy
    path = numbered(world, 1)
    with pytest.raises(HaltError, match="it asks to wait 40 s more, longer than --max-wait 100 s"):
        world.run("identifiers create", path, max_wait_s=100.0)
    assert world.departures == pytest.approx([0.0, 40.0, 80.0])
    assert world.run("identifiers create", path).exit_code == 0
    assert any("waiting 40 s, as asked" in line for line in world.said.lines)


@pytest.mark.parametrize("kind", ["unauthorized", "forbidden", "redirect", "firewall-406", "7002"])
def test_a_service_that_refuses_the_ping_is_not_asked_twice(world: World, kind: str) -> None:
    """Wrong token, no rights, redirect, wrong address: exit 3 after one ping."""
    world.sandbox.plan(Fault(kind))
    with pytest.raises(HaltError):
        world.run("identifiers create", numbered(world, 1))
    assert world.state["requests_total"] == 1


def test_a_web_page_is_no_account(world: World) -> None:
    """A captive portal answers 200 to everything: not taken for the service."""
    world.sandbox.plan(Fault("200-html"))
    with pytest.raises(HaltError):
        world.run("identifiers create", numbered(world, 1))


# --- going on ----------------------------------------------------------------------------------------


def test_a_limit_is_a_pilot_and_the_same_command_goes_on(world: World) -> None:
    """--limit takes so many, pending ones first; its exit code speaks of these."""
    path = numbered(world, 5)
    first = world.run("identifiers create", path, limit=2, concurrency=1)
    assert (first.exit_code, audit(first.run_dir, 5)) == (0, {"done": 2, "pending": 3})
    assert first.summary is not None
    assert first.summary["next"] == "piggy-batch the same"
    second = world.run("identifiers create", path)
    assert (second.exit_code, audit(second.run_dir, 5)) == (0, {"done": 5})
    assert second.summary is not None
    assert second.summary["invocations"] == 2
    third = world.run("identifiers create", path)
    assert (third.exit_code, world.effects) == (0, 5)


def test_rejected_rows_are_taken_only_when_asked(world: World) -> None:
    """--retry-rejected."""
    world.sandbox.plan(Fault("unknown-code", method="POST", times=1))
    path = numbered(world, 1)
    assert world.statuses(world.run("identifiers create", path)) == {"rejected": 1}
    assert world.statuses(world.run("identifiers create", path)) == {"rejected": 1}
    assert world.statuses(world.run("identifiers create", path, retry_rejected=True)) == {"done": 1}


@pytest.mark.parametrize(("given", "most"), [({"max_errors": 5}, 5), ({"max_errors_percent": 10.0}, 100)])
def test_too_many_errors_halt(world: World, given: dict[str, Any], most: int) -> None:
    """--max-errors N, and N% from the 100th row on: exit 3, the rest pending."""
    world.sandbox.plan(Fault("unknown-code", method="POST"))
    path = numbered(world, 300)
    result = world.run("identifiers create", path, concurrency=1, **given)
    assert (result.exit_code, audit(result.run_dir, 300)) == (3, {"rejected": most, "pending": 300 - most})


def test_an_interruption_puts_waiting_rows_back(world: World) -> None:
    """The first Ctrl-C: what is in the air lands, the rest is pending, exit 130, the same command goes on."""
    path = numbered(world, 50)
    stops: list[Any] = []

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if world.time.now > 3 and not stops[0]:
            stops[0].set("interrupted")
        return None

    from piggy_batch.client.clock import StopSignal
    from piggy_batch.client.rate_limiter import RateLimiter
    from tests.support.world import WorldClock

    stop = StopSignal()
    stops.append(stop)
    world.hook = hook
    result = world.run("identifiers create", path, context={"limiter": RateLimiter(5.0, WorldClock(world), stop)})
    counts = audit(result.run_dir, 50)
    assert result.exit_code == 130
    assert set(counts) == {"done", "pending"}
    assert counts["done"] == world.effects
    world.hook = None
    assert audit(world.run("identifiers create", path).run_dir, 50) == {"done": 50}


def test_a_once_command_refuses_its_own_results(world: World) -> None:
    """A manifest whose rows say that this command carried them out: exit 2 without --again; row named."""
    program = world.sandbox.world.cards.programs[1].uuid
    first = world.run("giftcards create", world.manifest("giftcard_program_uuid", [[program], [program]]))
    results = first.run_dir / "results.csv"
    error = refused(world, "giftcards create", results)
    assert error.exit_code == 2
    assert "row 1 (line 2)" in str(error)
    assert "--again" in str(error)
    assert world.run("giftcards create", results, again=True).exit_code == 0
    assert world.effects == 4


def test_a_once_command_refuses_an_earlier_run_beside_the_manifest(world: World) -> None:
    """Another run directory of this manifest's name: exit 2 without --again."""
    program = world.sandbox.world.cards.programs[1].uuid
    path = world.manifest("giftcard_program_uuid", [[program]])
    world.run("giftcards create", path)
    error = refused(world, "giftcards create", path, run_dir=world.folder / "elsewhere")
    assert error.exit_code == 2
    assert "--again" in str(error)


def test_results_of_one_command_feed_the_next(world: World) -> None:
    """contact_uuid found by find goes into unlink's expected holder by --map; names and cells stay."""
    path = world.manifest(f"{VALUE},note", [["CARD-000002", "=1+1"], ["CARD-000004", "007"]])
    found = world.run("identifiers find", path)
    again = world.run(
        "identifiers unlink", found.run_dir / "results.csv", maps={"expected_contact_uuid": "contact_uuid"}
    )
    assert audit(again.run_dir, 2) == {"done": 2}
    assert [row["note"] for row in world.rows(again)] == ["=1+1", "007"]
    assert not any(name.startswith("_found__") for name in world.rows(again)[0])


# --- directories -------------------------------------------------------------------------------------


def test_files_are_private(world: World) -> None:
    """0600 for files, 0700 for the directory."""
    world.sandbox.plan(Fault("unknown-code", method="POST", times=1))
    result = world.run("identifiers create", numbered(world, 3))
    assert result.run_dir.stat().st_mode & 0o777 == 0o700
    for path in result.run_dir.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path.name


def test_a_directory_in_use_is_refused(world: World) -> None:
    """Exit 4, and what to do."""
    path = numbered(world, 1)
    with RunDir(world.folder / "cards.identifiers-create"):
        error = refused(world, "identifiers create", path)
    assert error.exit_code == 4
    assert "in use" in str(error)


def test_a_copied_once_run_needs_adopt(world: World) -> None:
    """A copy of a once run might go on beside the original: exit 4 without --adopt."""
    program = world.sandbox.world.cards.programs[1].uuid
    path = world.manifest("giftcard_program_uuid", [[program], [program]])
    first = world.run("giftcards create", path, limit=1)
    copy = world.folder / "copy"
    shutil.copytree(first.run_dir, copy)
    error = refused(world, "giftcards create", path, run_dir=copy, again=True)
    assert error.exit_code == 4
    assert "--adopt" in str(error)
    assert world.run("giftcards create", path, run_dir=copy, again=True, adopt=True).exit_code == 0


@pytest.mark.parametrize(("schema", "word"), [(0, "an older"), (99, "a newer")])
def test_a_journal_of_another_version_is_refused(world: World, schema: int, word: str) -> None:
    """Exit 4, saying which."""
    path = numbered(world, 1)
    result = world.run("identifiers create", path)
    journal = Journal.open(result.run_dir)
    assert journal is not None
    journal.set("schema", schema)
    journal.close()
    error = refused(world, "identifiers create", path)
    assert error.exit_code == 4
    assert word in str(error)


def test_a_journal_that_was_never_finished_is_made_anew(world: World) -> None:
    """Killed between its tables and its version: the same command starts afresh."""
    path = numbered(world, 1)
    run_dir = world.folder / "cards.identifiers-create"
    run_dir.mkdir()
    journal = Journal.create(run_dir)
    journal._db.execute("DELETE FROM meta")
    journal.close()
    assert world.run("identifiers create", path).exit_code == 0


@pytest.mark.parametrize("damage", [b"", b"no database at all, but long enough to be read as one" * 100])
def test_a_damaged_journal_is_one_clear_line(world: World, damage: bytes) -> None:
    """Not a database: exit 4; an empty file is a journal that was never made."""
    path = numbered(world, 1)
    run_dir = world.folder / "cards.identifiers-create"
    run_dir.mkdir()
    (run_dir / NAME).write_bytes(damage)
    if damage:
        assert refused(world, "identifiers create", path).exit_code == 4
    else:
        assert world.run("identifiers create", path).exit_code == 0


def test_pages_of_a_journal_that_turn_bad_are_one_clear_line(world: World) -> None:
    """Damage in the middle of a bound journal: JournalError, no traceback of SQLite's."""
    path = numbered(world, 3000)
    result = world.run("identifiers create", path, limit=5)
    file = result.run_dir / NAME
    whole = bytearray(file.read_bytes())
    for start in range(4096 * 2, len(whole), 4096):
        whole[start : start + 64] = b"\xff" * 64
    file.write_bytes(bytes(whole))
    assert refused(world, "identifiers create", path).exit_code == 4


@pytest.mark.parametrize("place", ["/proc/self", "/proc/nothing"])
def test_a_directory_that_cannot_be_written_is_refused(world: World, place: str) -> None:
    """Read-only: exit 4, --run-dir proposed."""
    from pathlib import Path

    error = refused(world, "identifiers create", numbered(world, 1), run_dir=Path(place))
    assert error.exit_code == 4
    assert "--run-dir" in str(error)


@pytest.mark.parametrize("lets_in", [True, False])
def test_a_file_system_without_working_locks_is_refused(folder: Path, lets_in: bool) -> None:
    """Locks that everybody gets, or that nobody can take: exit 4, --run-dir proposed."""

    def flock(handle: int, operation: int) -> None:
        if not lets_in:
            raise OSError(37, "No locks available")

    with pytest.raises(JournalError, match=r"without working locks.*--run-dir"):
        RunLock(folder, flock).take()


def test_a_lock_file_that_was_cleared_away_in_between_is_taken_anew(folder: Path) -> None:
    """Two runs never hold one directory: a lock on a file that no longer has its name counts for nothing."""
    removed = False

    def flock(handle: int, operation: int) -> None:
        nonlocal removed
        import fcntl

        if not removed:
            removed = True
            (folder / LOCK).unlink()
        fcntl.flock(handle, operation)

    first = RunLock(folder, flock)
    first.take()
    with pytest.raises(JournalError, match="in use"):
        RunLock(folder).take()
    first.release()


def test_the_summary_says_all_that_was_promised(world: World) -> None:
    """The keys of summary.json."""
    result = world.run("identifiers create", numbered(world, 2))
    summary = json.loads((result.run_dir / "summary.json").read_text())
    promised = (
        "operation manifest account base_url rows counts requests rate started_at finished_at elapsed_s exit_code next"
    )
    assert set(promised.split()) <= set(summary)
    assert set(summary["manifest"]) >= {"path", "sha256"}
    assert set(summary["requests"]) >= {"sent", "retried", "throttled"}
    assert summary["requests"]["sent"] == world.state["requests_total"]
    assert summary["next"] is None


def test_virtual_runs_need_no_real_time() -> None:
    """The harness itself: a day passes at once."""
    import asyncio

    in_virtual_time(asyncio.sleep(86400))


def test_a_setup_error_is_exit_2() -> None:
    """Errors carry their exit codes."""
    assert (SetupError.exit_code, HaltError.exit_code, JournalError.exit_code) == (2, 3, 4)


def test_a_run_tells_which_cells_a_workbook_does_not_hold_whole(world: World) -> None:
    """Results and each pile with such cells are named; the same command writes them whole in another format."""
    long = "y" * 40_000
    world.till("create", "A-2", contact_uuid=world.contact(1))
    path = world.manifest("contact_identifier_value,x", [["A-1", long], ["A-2", long], ["A-3", "short"]])
    result = world.run("identifiers create", path, format="xlsx")
    told = [note for note in result.notes if "cut" in note]
    assert len(told) == 2
    assert "results.xlsx: 2 cells are longer than a workbook takes" in told[0]
    assert "errors.xlsx: 1 cell is longer" in told[1]
    again = world.run("identifiers create", path, format="csv")
    assert not [note for note in again.notes if "cut" in note]
    assert [row["x"] for row in world.rows(again)] == [long, long, "short"]


def test_invalid_rows_in_a_workbook_tell_of_cut_cells_too(world: World) -> None:
    """Nothing is sent; who mends errors.xlsx and passes it again must know that a cell of it is not whole."""
    path = world.manifest("contact_identifier_value,x", [["A-1", ""], ["A-1", "y" * 40_000]])
    result = world.run("identifiers create", path, format="xlsx")
    assert result.exit_code == 2
    assert "errors.xlsx: 1 cell is longer" in result.notes[-1]


# --- a machine that opens no more files --------------------------------------------------------------


@pytest.mark.hostile("18.also few file handles, a failing disk, a program that was stopped")
def test_a_machine_that_opens_no_more_connections_is_no_outage(world: World) -> None:
    """The run halts at once and says what helps; no ping asks whether the service is there, no row is in doubt."""

    async def full(_: httpx.Request) -> httpx.Response | None:
        if len(world.departures) > 4:
            raise httpx.ConnectError("all connection attempts failed") from OSError(errno.EMFILE, "Too many open files")
        return None

    world.hook = full
    path = numbered(world, 8)
    result = world.run("identifiers create", path, concurrency=1)
    assert result.exit_code == 3
    assert world.statuses(result) == {"done": 3, "pending": 5}
    assert len(world.departures) == 5
    halt = next(line for line in world.said.lines if line.startswith("halt:"))
    assert "opens no more files" in halt
    assert "lower --concurrency" in halt
    assert not any("outage" in line for line in world.said.lines)
    world.hook = None
    assert world.statuses(world.run("identifiers create", path)) == {"done": 8}


def test_the_first_request_that_gets_no_connection_says_why(world: World) -> None:
    """A name whose look-up fails for want of files fails with other words; the machine is asked."""

    async def full(_: httpx.Request) -> httpx.Response | None:
        stack.enter_context(no_more_files())
        raise httpx.ConnectError("[Errno -3] Temporary failure in name resolution")

    world.hook = full
    path = numbered(world, 1)
    with ExitStack() as stack, pytest.raises(HaltError, match=r"opens no more files .*nothing was sent"):
        world.run("identifiers create", path)


@pytest.mark.hostile("18.14 exit 2 after something was sent")
def test_reports_that_cannot_be_written_after_sending_are_exit_4(world: World) -> None:
    """Exit 2 says that nothing was sent. The same command writes them once there is room."""
    stack = ExitStack()

    async def last(_: httpx.Request) -> httpx.Response | None:
        if len(world.departures) == 4:
            stack.enter_context(no_more_files())
        return None

    world.hook = last
    path = numbered(world, 3)
    with stack, pytest.raises(JournalError, match="Too many open files") as failed:
        world.run("identifiers create", path, concurrency=1)
    assert (failed.value.exit_code, failed.value.goes_on) == (4, True)
    assert world.statuses(world.run("identifiers create", path)) == {"done": 3}
    assert world.effects == 3


def test_an_answer_that_came_while_the_program_stood_still_counts(world: World) -> None:
    """Stopped for minutes with a request under way: it is carried out once, known, and told; nothing is in doubt."""

    async def stop(_: httpx.Request) -> httpx.Response | None:
        if len(world.departures) == 3:
            world.time.now += 300
            for _ in range(3):  # the loop wakes up with the answer and every timer at once
                await asyncio.sleep(0)
        return None

    world.hook = stop
    path = world.manifest(*working_rows(world, find_operation("giftcards load"), 3))
    result = world.run("giftcards load", path, concurrency=1)
    assert world.statuses(result) == {"done": 3}
    assert sum("stood still for 270 s or more" in line for line in world.said.lines) == 1


def test_an_answer_that_never_came_is_not_waited_for_again(world: World) -> None:
    """After a stall the request has two seconds more, and is then lost as any other."""

    async def stop(_: httpx.Request) -> httpx.Response | None:
        if len(world.departures) == 2:
            world.time.now += 300
            await asyncio.sleep(600)
        return None

    world.hook = stop
    result = world.run("identifiers create", numbered(world, 1), attempts=2)
    assert world.statuses(result) == {"done": 1}
    assert world.time.now < 310


def test_columns_named_as_the_program_s_own_are_told_apart(world: World) -> None:
    """A mapped column stays under its name, and the program's own goes aside; one by which it knows rows is refused."""
    path = world.manifest("_code,_message", [["A-1", "Gold"], ["CARD-000002", "Gold"]])
    maps = {"contact_identifier_value": "_code", "contact_identifier_name": "_message"}
    result = world.run("identifiers create", path, maps=maps)
    (rejected,) = world.rows(result, "errors")
    assert (rejected["_code"], rejected["_message"], rejected["_found_code"]) == ("CARD-000002", "Gold", "60006")
    assert world.run("identifiers create", result.run_dir / "errors.csv", maps=maps).exit_code == 1
    with pytest.raises(SetupError, match="rename it in the list"):
        world.run(
            "identifiers create", world.manifest("_row", ["A-1"], "row.csv"), maps={"contact_identifier_value": "_row"}
        )


def test_the_end_says_why_rows_were_refused(world: World) -> None:
    """By the service's code, the most frequent first, each with the message of its first row."""
    world.till("create", "HELD", email="customer1@example.test")
    rows = [("GONE-1", world.contact(2)), ("HELD", world.contact(2)), ("GONE-2", world.contact(2))]
    result = world.run("identifiers link", world.manifest("contact_identifier_value,contact_uuid", rows))
    first, second, *_ = result.notes
    assert first == "rejected: 2 rows as row 1: Contact identifier not found."
    assert second.startswith("rejected: 1 row as row 2: Contact identifier is already linked.; it exists, held by ")
    assert second.endswith(" …")
