"""Twins: a once command for a manifest that another run has carried out, or is about to."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from piggy_batch.client.account import REHEARSAL
from piggy_batch.endpoints import find_operation
from piggy_batch.errors import JournalError, SetupError
from piggy_batch.importing.options import RunResult
from piggy_batch.importing.resume import load_manifest_into
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.manifest.rows_digest import rows_digest
from piggy_batch.runs.directory import RunDir
from piggy_batch.runs.duplicate_guard import DuplicateRunGuard
from piggy_batch.runs.generated_manifest import counted_manifest
from piggy_batch.runs.journal_file import NAME
from piggy_batch.sandbox import Settings
from piggy_batch.tables import OutputColumn, open_writer
from tests.support.processes import finish, serving, start
from tests.support.world import World, in_virtual_time, read_csv, working_rows

if TYPE_CHECKING:
    from collections.abc import Callable

CREATE = find_operation("giftcards create")
ROWS = 3
LIVE = "7c1e0000-0000-4000-a000-000000000001"  # an account that is none of rehearsals


def cards(world: World) -> Path:
    """Cards to be made, in a folder that holds nothing else."""
    (world.folder / "lists").mkdir()
    return world.manifest(*working_rows(world, CREATE, ROWS), name="lists/cards.csv")


@pytest.fixture
def manifest(world: World) -> Path:
    """Cards to be made in the account of the sandbox."""
    return cards(world)


def made(world: World) -> int:
    """How many cards the service has made."""
    return int(world.state["effects"].get("giftcards.create", 0))


def claimed(world: World, manifest: Path, run_dir: Path, records: Path | None = None) -> None:
    """Leave what a kill leaves between the claim and the first request."""
    account = {"id": world.sandbox.settings.account_uuid, "company": "Sandbox Shop"}
    with RunDir(run_dir) as directory:
        journal, loaded = load_manifest_into(directory, CREATE, manifest, ManifestOptions())
        journal.set("account", account)
        journal.set("base_url", world.target().base_url)
        guard = DuplicateRunGuard(CREATE, manifest, journal, records)
        guard.identify(account, world.target(), rows_digest(journal.queries, loaded.binding))
        guard.claim(again=False)
        journal.close()


def test_a_run_under_another_name_is_found(world: World, manifest: Path) -> None:
    """Beside the manifest or beside the run directory: exit 2, and no file is put into the other directory."""
    first = world.run(CREATE, manifest, run_dir=world.folder / "a")
    before = sorted(first.run_dir.iterdir())
    with pytest.raises(SetupError, match=r"a holds an earlier run of giftcards create .* pass --again"):
        world.run(CREATE, manifest, run_dir=world.folder / "b")
    assert not (world.folder / "b").exists()
    assert sorted(first.run_dir.iterdir()) == before
    first.run_dir.rename(manifest.parent / "elsewhere")
    with pytest.raises(SetupError, match="elsewhere holds an earlier run"):
        world.run(CREATE, manifest, dry_run=True)
    assert made(world) == ROWS
    assert world.run(CREATE, manifest, again=True).exit_code == 0


def test_a_renamed_directory_is_found(world: World, manifest: Path) -> None:
    """Its name says nothing; the manifest and the operation do. Going on there is the way."""
    first = world.run(CREATE, manifest, limit=1)
    moved = first.run_dir.rename(manifest.parent / "old")
    with pytest.raises(SetupError, match=r"go on with --run-dir .*old"):
        world.run(CREATE, manifest)
    assert world.run(CREATE, manifest, run_dir=moved, adopt=True).exit_code == 0
    assert made(world) == ROWS


def test_a_run_that_was_insisted_on_goes_on_without(world: World, manifest: Path) -> None:
    """--again begins it; what is left of it is no second run of the first one's rows."""
    assert world.run(CREATE, manifest).exit_code == 0
    assert world.run(CREATE, manifest, run_dir=world.folder / "b", again=True, limit=1).exit_code == 0
    assert world.run(CREATE, manifest, run_dir=world.folder / "b").exit_code == 0
    assert made(world) == 2 * ROWS
    with pytest.raises(SetupError, match="holds an earlier run"):
        world.run(CREATE, manifest, run_dir=world.folder / "c")


@pytest.mark.parametrize("again", [True, False])
def test_a_run_that_has_come_to_its_end_says_so(world: World, manifest: Path, again: bool) -> None:
    """Whoever wants the list carried out once more would take the counts for what was done now."""
    world.run(CREATE, manifest)
    result = world.run(CREATE, manifest, again=again)
    assert (result.exit_code, made(world)) == (0, ROWS)
    words = rf"nothing was sent: .* earlier .* of {ROWS} rows; .* pass --again and another --run-dir"
    assert re.search(words, result.notes[-1])


@pytest.mark.parametrize(("command", "how"), [("create", "carry them out"), ("verify", "look at them")])
def test_what_was_said_before_is_not_taken_for_news(world: World, command: str, how: str) -> None:
    """The cards are gone meanwhile: the same command sends nothing, and says whose words it repeats."""
    path = world.manifest("contact_identifier_value", ["A-1", "A-2"])
    world.run("identifiers create", path, run_dir=world.folder / "made")
    first = world.run(f"identifiers {command}", path, run_dir=world.folder / "a")
    assert first.notes == ()
    sent = world.state["requests"]
    again = world.run(f"identifiers {command}", path, run_dir=world.folder / "a")
    assert {name: n for name, n in world.state["requests"].items() if "identifiers" in name} == {
        name: n for name, n in sent.items() if "identifiers" in name
    }
    assert again.notes[-1].startswith("nothing was sent: this says what earlier invocations, since ")
    assert again.notes[-1].endswith(f"of 2 rows; to {how} anew, name another --run-dir")


def test_a_run_anywhere_is_found_in_the_record(make_world: Callable[..., World]) -> None:
    """Manifest and run directory lie in other folders, and the first directory is gone: the record knows the run."""
    world = make_world(account_uuid=LIVE)
    manifest = cards(world)
    context = {"registry_dir": world.folder / "state"}
    first = world.run(CREATE, manifest, run_dir=world.folder / "far" / "a", context=context)
    copy = world.folder / "copy.csv"
    shutil.copy(manifest, copy)
    for _ in range(2):
        with pytest.raises(SetupError, match=r"began in .*far/a .* pass --again"):
            world.run(CREATE, copy, context=context)
        shutil.rmtree(first.run_dir, ignore_errors=True)
    assert made(world) == ROWS
    assert world.run(CREATE, copy, context=context, again=True).exit_code == 0
    assert world.run(CREATE, copy, context=context).exit_code == 0  # that run again: nothing is left to do
    assert made(world) == 2 * ROWS


@pytest.mark.parametrize("records", [True, False])
def test_of_two_at_once_one_goes_on(world: World, manifest: Path, records: bool) -> None:
    """Both are checked before either has sent anything; one is carried out, the other refused with exit 2."""
    context = {"registry_dir": world.folder / "state"} if records else {}

    async def both() -> list[RunResult | BaseException]:
        return await asyncio.gather(
            *(world.run_async(CREATE, manifest, run_dir=world.folder / name, context=context) for name in "ab"),
            return_exceptions=True,
        )

    ends = in_virtual_time(both(), world.time)
    assert sorted(type(end) for end in ends if isinstance(end, Exception)) == [SetupError]
    assert made(world) == ROWS


def test_a_claim_counts_while_its_run_lives(world: World, manifest: Path) -> None:
    """A run that is about to send holds its directory; one that was killed before it sent is no obstacle."""
    other = world.folder / "other"
    claimed(world, manifest, other)
    with RunDir(other), pytest.raises(SetupError, match="other holds an earlier run"):
        world.run(CREATE, manifest, run_dir=world.folder / "mine")
    assert world.run(CREATE, manifest, run_dir=world.folder / "mine").exit_code == 0
    with pytest.raises(SetupError, match="mine holds an earlier run"):
        world.run(CREATE, manifest, run_dir=other)
    assert made(world) == ROWS


@pytest.mark.parametrize("name", ["killed", "another"])
def test_a_run_killed_before_it_sent_anything_is_no_obstacle(world: World, manifest: Path, name: str) -> None:
    """Its entry in the record is known to be void: by the same directory, and by any other."""
    records = world.folder / "state"
    claimed(world, manifest, world.folder / "killed", records)
    context = {"registry_dir": records}
    assert world.run(CREATE, manifest, run_dir=world.folder / name, context=context, dry_run=True).exit_code == 0
    assert world.run(CREATE, manifest, run_dir=world.folder / name, context=context).exit_code == 0
    assert made(world) == ROWS


def test_a_run_that_sends_nothing_leaves_no_entry(world: World, manifest: Path) -> None:
    """The record forgets a run whose listing of what is there failed."""
    records, run_dir = world.folder / "state", world.folder / "a"
    (run_dir / "baseline.csv.summary.json").mkdir(parents=True)
    with pytest.raises(SetupError, match="was not written by this run"):
        world.run(CREATE, manifest, run_dir=run_dir, baseline=True, context={"registry_dir": records})
    assert world.run(CREATE, manifest, run_dir=world.folder / "b", context={"registry_dir": records}).exit_code == 0


@pytest.mark.hostile("18.2 an older journal that was put back is gone on with")
@pytest.mark.parametrize("kept", ["summary", "record"])
def test_an_older_journal_put_back_is_refused(world: World, manifest: Path, kept: str) -> None:
    """A backup in the place of the journal: the summary or the record knows that more was done. Exit 4; --adopt."""
    context = {"registry_dir": world.folder / "state"} if kept == "record" else {}
    run_dir = world.run(CREATE, manifest, limit=1, context=context).run_dir
    backup = (run_dir / NAME).read_bytes()
    assert world.run(CREATE, manifest, limit=1, context=context).exit_code == 0
    (run_dir / NAME).write_bytes(backup)
    if kept == "record":
        (run_dir / "summary.json").unlink()
    words = {"summary": "2 rows were done", "record": "has sent 2 requests"}[kept]
    for _ in range(2):
        with pytest.raises(JournalError, match=f"{words}.* knows of 1: it is an older copy.*--adopt"):
            world.run(CREATE, manifest, context=context)
    assert made(world) == 2
    assert world.run(CREATE, manifest, context=context, adopt=True).exit_code == 0
    assert world.run(CREATE, manifest, context=context).exit_code == 0


@pytest.mark.hostile("18.19 the same rows in another wrapping, or by way of a tunnel, are sent twice")
def test_a_rehearsal_is_another_account(world: World, manifest: Path) -> None:
    """What was tried out in the sandbox is no earlier run of the real one, beside it or in the record."""
    context = {"registry_dir": world.folder / "state"}
    world.run(CREATE, manifest, run_dir=manifest.parent / "rehearsal", context=context)
    (world.folder / "real").mkdir()
    real = World(world.folder / "real", account_uuid=LIVE)
    assert real.run(CREATE, manifest, run_dir=manifest.parent / "real", context=context).exit_code == 0
    assert (made(world), made(real)) == (ROWS, ROWS)


def test_counted_cards_are_no_twins(world: World) -> None:
    """`--count 3` twice, in two directories, makes six cards: it has no list that could be sent twice."""
    program = world.sandbox.world.cards.programs[1].uuid
    for name in "ab":
        path = counted_manifest(world.folder / name, ROWS)
        done = world.run(
            CREATE,
            path,
            run_dir=world.folder / name,
            constants={"giftcard_program_uuid": program},
            context={"registry_dir": world.folder / "state"},
        )
        assert done.exit_code == 0
    assert made(world) == 2 * ROWS


def test_cards_of_a_count_whose_directory_was_put_away(make_world: Callable[..., World]) -> None:
    """There is no list to go on with: what is told are the ways to make as many more."""
    world = make_world(account_uuid=LIVE)
    constants = {"giftcard_program_uuid": world.sandbox.world.cards.programs[1].uuid}
    context = {"registry_dir": world.folder / "state"}

    def count(name: str, **more: Any) -> RunResult:
        path, run_dir = counted_manifest(world.folder / name, ROWS), world.folder / name
        return world.run(CREATE, path, run_dir=run_dir, constants=constants, context=context, **more)

    assert count("a").exit_code == 0
    (world.folder / "a").rename(world.folder / "archive")
    with pytest.raises(SetupError, match=r"made by --count in .*a before .* another --run-dir .* --again"):
        count("a")
    assert made(world) == ROWS
    assert count("b").exit_code == 0
    assert count("a", again=True).exit_code == 0
    assert made(world) == 3 * ROWS


def test_a_list_under_the_name_of_a_counted_one_has_twins(world: World, manifest: Path) -> None:
    """`manifest.csv` in the run directory is what `--count` makes only where it holds just that."""
    for name in "ab":
        (world.folder / name).mkdir()
        shutil.copy(manifest, world.folder / name / "manifest.csv")
    world.run(CREATE, world.folder / "a" / "manifest.csv", run_dir=world.folder / "a")
    with pytest.raises(SetupError, match="a holds an earlier run"):
        world.run(CREATE, world.folder / "b" / "manifest.csv", run_dir=world.folder / "b")


def test_a_damaged_record_is_named(world: World, manifest: Path) -> None:
    """Nothing is sent while it cannot be told whether another run has begun."""
    records = world.folder / "state"
    assert world.run(CREATE, manifest, context={"registry_dir": records}).exit_code == 0
    (record,) = (records / "once").glob("*.json")
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    record.write_text("[")
    with pytest.raises(SetupError, match=f"record of runs in {record} cannot be used: it is damaged"):
        world.run(CREATE, manifest, context={"registry_dir": records})
    assert made(world) == ROWS


def test_a_neighbour_that_cannot_be_read_is_no_obstacle(world: World, manifest: Path) -> None:
    """A damaged journal under another name."""
    (world.folder / "broken").mkdir()
    (world.folder / "broken" / "journal.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert world.run(CREATE, manifest, run_dir=world.folder / "mine").exit_code == 0


@pytest.mark.hostile("18.19 the same rows in another wrapping, or by way of a tunnel, are sent twice")
@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://sandbox.test"])
@pytest.mark.parametrize("account", [Settings().account_uuid, LIVE])
def test_a_rehearsal_that_was_thrown_away_is_forgotten(tmp_path: Path, url: str, account: str) -> None:
    """In the sandbox's own account a run directory that is gone was a try. An address on this machine proves nothing:
    a tunnel may lead to the real service."""
    world = at(url, tmp_path, account_uuid=account)
    path = world.manifest("giftcard_program_uuid", [world.sandbox.world.cards.programs[1].uuid] * 2)
    context = {"registry_dir": tmp_path / "records"}
    shutil.rmtree(world.run("giftcards create", path, context=context).run_dir)
    if account == LIVE:
        with pytest.raises(SetupError, match="for this very manifest began in"):
            world.run("giftcards create", path, context=context)
    else:
        assert world.run("giftcards create", path, context=context).exit_code == 0


@pytest.mark.hostile("18.19 the same rows in another wrapping, or by way of a tunnel, are sent twice")
@pytest.mark.process
def test_each_sandbox_is_a_service_of_its_own(tmp_path: Path) -> None:
    """A second one knows nothing of what the first was sent, so the same rows are rehearsed there anew; and a run that
    was begun in the first does not go on in the second. One that is started again from its --state is the same."""
    state = tmp_path / "shop.json"
    program = World(tmp_path).sandbox.world.cards.programs[1].uuid  # every stand-in begins alike
    path = tmp_path / "cards.csv"
    path.write_text("giftcard_program_uuid\n" + f"{program}\n" * 2)
    words = ("giftcards", "create", path, "--yes", "--rate", "0", "--no-baseline", "--no-progress", "--run-dir")

    def rehearse(name: str, *options: str) -> tuple[int, str, int]:
        with serving(*options) as service:
            code, _, err = finish(start(service, tmp_path, *words, tmp_path / name))
            return code, err, service.ask("state")["effects"].get("giftcards.create", 0)

    assert rehearse("first", "--state", str(state))[::2] == (0, 2)
    assert rehearse("second")[::2] == (0, 2)
    code, err, made = rehearse("first")
    assert (code, made) == (4, 0)
    assert "belongs to account Sandbox Shop" in err
    code, err, made = rehearse("third", "--state", str(state))
    assert (code, made) == (2, 2)
    assert "earlier run" in err
    assert rehearse("first", "--state", str(state))[::2] == (0, 2)


def test_the_account_of_rehearsals_is_the_sandboxs() -> None:
    """The sandbox imports nothing of the program, so both hold what their uuids begin with."""
    assert Settings().account_uuid.startswith(REHEARSAL)
    assert LIVE[:24] != REHEARSAL[:24]


def at(url: str, folder: Path, **switches: Any) -> World:
    """A world whose service has another address."""
    world = World(folder, **switches)
    world.url = url
    return world


@pytest.mark.process
def test_of_two_processes_at_once_one_goes_on(tmp_path: Path) -> None:
    """Wherever their directories lie: one ends well, the other says why not; each card is made once."""
    with serving() as service:
        program = World(tmp_path).sandbox.world.cards.programs[1].uuid  # every stand-in begins alike
        path = tmp_path / "cards.csv"
        path.write_text("giftcard_program_uuid\n" + f"{program}\n" * 5)
        command = ("giftcards", "create", path, "--yes", "--rate", "0", "--no-baseline", "--no-progress", "--run-dir")
        both = [start(service, tmp_path, *command, tmp_path / name / "run") for name in ("x", "y")]
        ends = [finish(process) for process in both]
        assert sorted(code for code, _, _ in ends) == [0, 2], ends
        assert any("pass --again" in err for _, _, err in ends)
        assert service.ask("state")["effects"]["giftcards.create"] == 5


# --- one account under two addresses, and the same rows in another wrapping ---------------------------


@pytest.mark.hostile("18.3 two names of one service have two records")
@pytest.mark.parametrize("fields", [("company", "id", "uuid"), ("company", "id"), ("company",)])
@pytest.mark.parametrize("kept", [True, False])
def test_two_addresses_of_one_service_share_the_record(tmp_path: Path, fields: tuple[str, ...], kept: bool) -> None:
    """The account tells, by the name that it gives itself, or where it gives none by its token."""
    world = at("https://api.piggy.eu", tmp_path, account_uuid=LIVE, ping_fields=fields)
    manifest = cards(world)
    context = {"registry_dir": tmp_path / "state"}
    first = world.run(CREATE, manifest, run_dir=tmp_path / "far" / "a", context=context)
    if not kept:
        shutil.rmtree(first.run_dir)
    world.url = "https://api.leat.com"
    with pytest.raises(SetupError, match="giftcards create for this very manifest began in"):
        world.run(CREATE, manifest, context=context)
    assert made(world) == ROWS


@pytest.mark.hostile("18.3 two names of one service have two records")
@pytest.mark.parametrize("fields", [("company", "id", "uuid"), ("company",)])
def test_two_addresses_of_one_service_are_seen_beside(tmp_path: Path, fields: tuple[str, ...]) -> None:
    """Without any record: the other run's journal says whose it is."""
    world = at("http://127.0.0.1:9", tmp_path, account_uuid=LIVE, ping_fields=fields)
    manifest = cards(world)
    world.run(CREATE, manifest, run_dir=manifest.parent / "a")
    world.url = "http://localhost:9"
    with pytest.raises(SetupError, match="a holds an earlier run of giftcards create"):
        world.run(CREATE, manifest, run_dir=manifest.parent / "b")
    assert made(world) == ROWS


@pytest.mark.hostile("18.3 two names of one service have two records")
def test_two_addresses_of_one_service_share_the_pace(tmp_path: Path) -> None:
    """One file of slots for one account, whatever the address."""
    world = at("https://api.piggy.eu", tmp_path, account_uuid=LIVE)
    (tmp_path / "state").mkdir()
    shared: set[str] = set()

    async def hook(request: httpx.Request) -> None:
        shared.update(path.name for path in (tmp_path / "state").glob("*.slots"))

    world.hook = hook
    for number, url in enumerate(("https://api.piggy.eu", "https://api.piggy.nl", "https://api.leat.com")):
        world.url = url
        path = world.manifest("contact_identifier_value", ["CARD-000001"], f"{number}.csv")
        assert world.run("identifiers find", path, context={"shared_rate_dir": tmp_path / "state"}).exit_code == 0
    assert len(shared) == 1


def gz(path: Path) -> Path:
    """Packed."""
    packed = path.with_name("packed.csv.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    return packed


def crlf(path: Path) -> Path:
    """With the line ends of another system."""
    ended = path.with_name("ended.csv")
    ended.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n")
    return ended


def semicolons(path: Path) -> Path:
    """With another delimiter, in another encoding."""
    other = path.with_name("other.csv")
    other.write_bytes(path.read_text().replace(",", ";").encode("utf-16"))
    return other


def jsonl(path: Path) -> Path:
    """As JSON Lines, last row first."""
    lines = [json.dumps(row) for row in reversed(read_csv(path))]
    other = path.with_name("other.jsonl")
    other.write_text("\n".join(lines))
    return other


def workbook(path: Path) -> Path:
    """As a workbook."""
    rows = read_csv(path)
    other = path.with_name("other.xlsx")
    with open_writer(other, "xlsx", [OutputColumn(name) for name in rows[0]]) as writer:
        writer.write([list(row.values()) for row in rows])
    return other


@pytest.mark.hostile("18.19 the same rows in another wrapping, or by way of a tunnel, are sent twice")
@pytest.mark.parametrize("wrap", [gz, crlf, semicolons, jsonl, workbook])
def test_the_same_rows_in_another_wrapping_are_known(
    make_world: Callable[..., World], wrap: Callable[[Path], Path]
) -> None:
    """What counts are the rows, not the file's bytes or name."""
    world = make_world(account_uuid=LIVE)
    program = world.sandbox.world.cards.programs[1].uuid
    path = world.manifest("giftcard_program_uuid,to", [(program, f"guest {number}") for number in range(ROWS)])
    context = {"registry_dir": world.folder / "state"}
    world.run(CREATE, path, run_dir=world.folder / "far" / "a", context=context)
    with pytest.raises(SetupError, match="for this very manifest began in"):
        world.run(CREATE, wrap(path), context=context)
    other = world.manifest(
        "giftcard_program_uuid,to", [(program, f"guest {number}") for number in range(1, 4)], "o.csv"
    )
    assert world.run(CREATE, other, context=context).exit_code == 0
    assert made(world) == 2 * ROWS


@pytest.mark.hostile("18.19 the same rows in another wrapping, or by way of a tunnel, are sent twice")
def test_headers_and_constants_make_no_other_rows(make_world: Callable[..., World]) -> None:
    """`--map` and `--set` say what a column would."""
    world = make_world(account_uuid=LIVE)
    program = world.sandbox.world.cards.programs[1].uuid
    context = {"registry_dir": world.folder / "state"}
    guests = [f"guest {number}" for number in range(ROWS)]
    path = world.manifest("giftcard_program_uuid,to", [(program, guest) for guest in guests])
    world.run(CREATE, path, run_dir=world.folder / "far" / "a", context=context)
    mapped = world.manifest("to,Programme", [(guest, program) for guest in guests], "mapped.csv")
    with pytest.raises(SetupError, match="for this very manifest began in"):
        world.run(CREATE, mapped, maps={"giftcard_program_uuid": "Programme"}, context=context)
    alone = world.manifest("to", guests, "alone.csv")
    with pytest.raises(SetupError, match="for this very manifest began in"):
        world.run(CREATE, alone, constants={"giftcard_program_uuid": program}, context=context)
    assert made(world) == ROWS


def _noted(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """With a column that is sent nowhere."""
    return [{**row, "note": f"row {number}"} for number, row in enumerate(rows)]


def _shouted(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """With uuids in capitals."""
    return [{name: cell.upper() for name, cell in row.items()} for row in rows]


def _with_a_wrong_one(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """With a row that cannot be sent."""
    return [*rows, dict.fromkeys(rows[0], "")]


@pytest.mark.hostile("18.19 the same rows in another wrapping, or by way of a tunnel, are sent twice")
@pytest.mark.parametrize("change", [_noted, _shouted, _with_a_wrong_one])
def test_what_is_sent_tells_the_rows(
    make_world: Callable[..., World], change: Callable[[list[dict[str, str]]], list[dict[str, str]]]
) -> None:
    """Money that one list has moved is not moved again by a list that says the same in other words."""
    world = make_world(account_uuid=LIVE)
    load = find_operation("giftcards load")
    header, cells = working_rows(world, load, ROWS)
    rows = [dict(zip(header.split(","), row, strict=True)) for row in cells]
    context = {"registry_dir": world.folder / "state"}
    assert world.run(load, world.manifest(header, cells), run_dir=world.folder / "far" / "a", context=context)
    changed = change(rows)
    other = world.manifest(",".join(changed[0]), [list(row.values()) for row in changed], "other.csv")
    with pytest.raises(SetupError, match="for this very manifest began in"):
        world.run(load, other, context=context, skip_invalid=True)
    assert world.state["effects"]["giftcards.load"] == ROWS
