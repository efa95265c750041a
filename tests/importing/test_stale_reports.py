"""What earlier invocations have said of rows goes before the next one sends; and a manifest made from a pile is
checked against what its run has done since."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from piggy_batch.endpoints import find_operation
from piggy_batch.errors import HaltError, SetupError
from piggy_batch.runs.directory import RunDir
from tests.importing.migration.support import Shop
from tests.support.processes import finish, serving, start
from tests.support.world import World, read_csv, working_rows

LOAD = find_operation("giftcards load")
ROWS = 4


class Killed(BaseException):
    """The program ends here."""


class Loads:
    """Loads of giftcards which the service refuses at first."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.refuse = True
        self.kill_at = 0
        self.posts = 0
        self.path = world.manifest(*working_rows(world, LOAD, ROWS))
        self.seen: list[set[str]] = []  # files in the run directory when a request left
        world.hook = self._hook

    async def _hook(self, request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST":
            return None
        self.posts += 1
        run_dir = self.path.with_name("cards.giftcards-load")
        self.seen.append({path.name for path in run_dir.glob("*")})
        if self.refuse and self.posts % 2:
            return httpx.Response(400, json={"code": 1003, "message": "no"})
        answer = None
        if self.kill_at and self.posts >= self.kill_at:
            raise Killed
        return answer

    def run(self, **given: Any) -> Any:
        """One invocation, row by row."""
        context = {"registry_dir": self.world.folder / "state"}
        return self.world.run(LOAD, given.pop("path", self.path), concurrency=1, context=context, **given)

    @property
    def moved(self) -> int:
        """How many loads the service has carried out."""
        return int(self.world.state["effects"].get("giftcards.load", 0))


@pytest.fixture
def loads(world: World) -> Loads:
    """Of a world in good health."""
    return Loads(world)


def rejected_then_killed(loads: Loads) -> tuple[Path, Path]:
    """Run directory, and a copy of the errors that lay there before rejected rows were taken up and a kill came."""
    result = loads.run()
    run_dir = result.run_dir
    assert len(read_csv(run_dir / "errors.csv")) == ROWS / 2
    kept = loads.world.folder / "kept.csv"
    shutil.copy(run_dir / "errors.csv", kept)
    loads.refuse, loads.kill_at = False, loads.posts + 2
    loads.seen.clear()
    with contextlib.suppress(Killed):
        loads.run(retry_rejected=True)
    loads.kill_at = 0
    return run_dir, kept


@pytest.mark.hostile("18.9 a pile lists as not carried out what was carried out since")
def test_no_pile_is_left_when_a_request_leaves(loads: Loads) -> None:
    """Errors, remaining, unknown and results of before are gone; the summary says that it is no end."""
    run_dir, _ = rejected_then_killed(loads)
    assert loads.seen
    for names in loads.seen:
        assert not {name for name in names if name.split(".")[0] in ("errors", "remaining", "unknown", "results")}
    summary = json.loads((run_dir / "summary.json").read_text())
    assert summary["exit_code"] is None
    assert summary["counts_before"]["rejected"] == ROWS / 2
    assert "counts" not in summary
    assert loads.run(retry_rejected=True).exit_code == 1  # the row that the kill has left in doubt
    assert json.loads((run_dir / "summary.json").read_text())["exit_code"] == 1
    assert (loads.moved, len(read_csv(run_dir / "results.csv"))) == (ROWS - 1, ROWS)


@pytest.mark.hostile("18.9 a pile lists as not carried out what was carried out since")
def test_a_pile_that_was_put_aside_is_checked_against_its_run(loads: Loads) -> None:
    """A row of it that was carried out since is refused, wherever the pile lies; a row that was not may be sent."""
    _, kept = rejected_then_killed(loads)
    done = loads.moved
    rows = read_csv(kept)
    assert {row["_run"] for row in rows} != {""}
    with pytest.raises(
        SetupError, match=r"row 1 comes from row 1 of the run in .*giftcards-load.* it is done\. .*--again"
    ):
        loads.run(path=kept)
    far = loads.world.folder / "far" / "away"
    far.mkdir(parents=True)
    shutil.move(kept, far / "mended.csv")
    with pytest.raises(SetupError, match="row 1 comes from row 1"):
        loads.run(path=far / "mended.csv")
    assert loads.moved == done


def test_mended_errors_of_a_run_that_has_ended_are_a_manifest(loads: Loads) -> None:
    """Nothing is in the way of what the pile is for."""
    run_dir = loads.run().run_dir
    loads.refuse = False
    mended = loads.world.folder / "mended.csv"
    shutil.copy(run_dir / "errors.csv", mended)
    assert loads.run(path=mended).exit_code == 0
    assert loads.moved == ROWS


@pytest.mark.hostile("18.9 a pile lists as not carried out what was carried out since")
@pytest.mark.parametrize("lost", ["gone", "other row", "no row"])
def test_a_pile_whose_run_cannot_be_asked_is_refused(loads: Loads, lost: str) -> None:
    """What is not known to be harmless counts as maybe carried out; --again is for who knows better."""
    run_dir = loads.run().run_dir
    loads.refuse = False
    mended = loads.world.folder / "mended.csv"
    text = (run_dir / "errors.csv").read_text()
    rows = read_csv(run_dir / "errors.csv")
    if lost == "gone":
        shutil.rmtree(run_dir)
        words = "directory is not found"
    elif lost == "other row":
        text = text.replace(f",1,2,{rows[0]['_run']}", f",99,2,{rows[0]['_run']}")
        words = 'row "99" of the run in .* has no such row'
    else:
        text = text.replace(f",1,2,{rows[0]['_run']}", f",,2,{rows[0]['_run']}")
        words = 'row "" of the run in .* has no such row'
    mended.write_text(text)
    before = loads.moved
    with pytest.raises(SetupError, match=words):
        loads.run(path=mended)
    assert loads.moved == before
    assert loads.run(path=mended, again=True).exit_code == 0


@pytest.mark.hostile("18.9 a pile lists as not carried out what was carried out since")
@pytest.mark.parametrize(
    "change", [("_run", " _RUN"), (",", ";"), ("giftcards load", "giftcards load "), ("_operation", "op")]
)
def test_a_pile_that_a_spreadsheet_has_passed_through_is_known(loads: Loads, change: tuple[str, str]) -> None:
    """Other delimiters, headers in capitals, space at the ends, a column less."""
    _, kept = rejected_then_killed(loads)
    kept.write_text(kept.read_text().replace(*change))
    done = loads.moved
    with pytest.raises(SetupError, match="row 1 comes from row 1"):
        loads.run(path=kept)
    assert loads.moved == done


@pytest.mark.hostile("18.9 a pile lists as not carried out what was carried out since")
def test_a_pile_of_a_run_that_is_at_work_waits(loads: Loads) -> None:
    """What it will have done by its end is not known."""
    run_dir = loads.run().run_dir
    loads.refuse = False
    mended = loads.world.folder / "mended.csv"
    shutil.copy(run_dir / "errors.csv", mended)
    with RunDir(run_dir), pytest.raises(SetupError, match="which is at work; let it end"):
        loads.run(path=mended)
    assert loads.run(path=mended).exit_code == 0


@pytest.mark.hostile("18.9 a pile lists as not carried out what was carried out since")
def test_an_older_copy_of_the_run_hides_nothing(loads: Loads) -> None:
    """Of two directories of one name the one that knows better counts."""
    result = loads.run()
    shutil.copytree(result.run_dir, loads.world.folder / "backup")
    kept = loads.world.folder / "kept.csv"
    shutil.copy(result.run_dir / "errors.csv", kept)
    loads.refuse = False
    assert loads.run(retry_rejected=True).exit_code == 0
    for place in (kept, loads.world.folder / "backup" / "mended.csv"):
        if place != kept:
            shutil.copy(kept, place)
        with pytest.raises(SetupError, match="comes from row 1"):
            loads.run(path=place)
    assert loads.moved == ROWS


def passed_on(loads: Loads) -> tuple[Path, Path]:
    """Run directory of loads of which half were refused, and its errors as a manifest of their own."""
    run_dir = loads.run().run_dir
    mended = loads.world.folder / "mended.csv"
    shutil.copy(run_dir / "errors.csv", mended)
    return run_dir, mended


def test_what_was_passed_on_is_not_taken_up_again(loads: Loads) -> None:
    """The other run is named with its row, and what to do with the rows that it has not."""
    _, mended = passed_on(loads)
    loads.refuse = False
    assert loads.run(path=mended).exit_code == 0
    told = r"row 1 was passed on as row 1 of the run in .*mended.*it is done\. .*without --retry-rejected.*--again"
    with pytest.raises(SetupError, match=told):
        loads.run(retry_rejected=True)
    assert loads.moved == ROWS
    assert loads.run(retry_rejected=True, again=True).exit_code == 0
    assert loads.moved == ROWS + ROWS / 2  # who insists is believed


def test_all_rows_that_were_passed_on_are_named(loads: Loads) -> None:
    """Not the first one only: a person has to leave them out."""
    loads.path = loads.world.manifest(*working_rows(loads.world, LOAD, ROWS + 2))
    _, mended = passed_on(loads)
    loads.refuse = False
    assert loads.run(path=mended).exit_code == 0
    with pytest.raises(SetupError, match=r"row 1 was passed on .* it is done\. It has rows 3, 5 too\. Sending"):
        loads.run(retry_rejected=True)


def test_where_a_run_began_that_was_put_elsewhere_since_is_told(loads: Loads) -> None:
    """An archive is found once it lies, or a link to it, where the run began."""
    run_dir, mended = passed_on(loads)
    loads.refuse = False
    archived = loads.world.folder / "archive" / "2026" / "loads"
    archived.parent.mkdir(parents=True)
    shutil.move(run_dir, archived)
    with pytest.raises(SetupError, match=rf"is not found .* it began in {run_dir.resolve()}; .*a link to it"):
        loads.run(path=mended)
    run_dir.symlink_to(archived, target_is_directory=True)
    assert loads.run(path=mended).exit_code == 0


def test_what_was_refused_again_may_be_taken_up_where_it_came_from(loads: Loads) -> None:
    """Refused in both runs, so whichever goes on first carries it out, and the other does not."""
    _, mended = passed_on(loads)
    loads.posts = 0
    refused = loads.run(path=mended)
    assert loads.world.statuses(refused) == {"rejected": 1, "done": 1}
    before = loads.moved
    loads.refuse = False
    with pytest.raises(SetupError, match="row 3 was passed on as row 2"):
        loads.run(retry_rejected=True)
    assert loads.moved == before
    assert loads.run(path=mended, retry_rejected=True).exit_code == 0
    assert loads.moved == ROWS


@pytest.mark.parametrize("ends", ["dry run", "before it has sent"])
def test_a_run_that_has_sent_nothing_has_taken_nothing(loads: Loads, ends: str) -> None:
    """A plan that was shown, and a start that the service refused."""
    _, mended = passed_on(loads)
    loads.refuse = False
    if ends == "dry run":
        assert loads.run(path=mended, dry_run=True).exit_code == 0
    else:
        loads.kill_at = loads.posts + 1

        async def refuse(_: httpx.Request) -> httpx.Response:
            return httpx.Response(401, json={"code": 2, "message": "no"})

        hook, loads.world.hook = loads.world.hook, refuse
        with pytest.raises(HaltError):
            loads.run(path=mended)
        loads.world.hook, loads.kill_at = hook, 0
    assert loads.run(retry_rejected=True).exit_code == 0
    assert loads.moved == ROWS


@pytest.mark.parametrize("name", ["../../../elsewhere", "x" * 4_000, "\u202e/etc", "%00"])
def test_a_name_of_a_run_that_a_hand_has_written_is_no_path(loads: Loads, name: str) -> None:
    """The record lies under the names that the program gives."""
    run_dir, mended = passed_on(loads)
    mended.write_text(mended.read_text().replace(read_csv(run_dir / "errors.csv")[0]["_run"], name))
    loads.refuse = False
    with pytest.raises(SetupError, match="directory is not found"):
        loads.run(path=mended)
    assert loads.run(path=mended, again=True).exit_code == 0
    records = loads.world.folder / "state" / "once"
    assert {path.suffix for path in records.iterdir()} == {".json", ".lock", ".sends"}
    assert not list(loads.world.folder.rglob("*elsewhere*"))


@pytest.mark.parametrize("row", ["9" * 5_000, "-1", "1.0", ""])
def test_a_row_that_a_hand_has_written_is_none_of_the_run(loads: Loads, row: str) -> None:
    """Refused, and where somebody insists it is nobody's: the run that it is said to come from goes on."""
    _, mended = passed_on(loads)
    rows = read_csv(mended)
    loads.world.manifest(",".join(rows[0]), [tuple({**cells, "_row": row}.values()) for cells in rows[:1]], mended.name)
    loads.refuse = False
    with pytest.raises(SetupError, match="which has no such row; mend _row"):
        loads.run(path=mended)
    assert loads.run(path=mended, again=True).exit_code == 0
    assert loads.run(retry_rejected=True).exit_code == 0


def test_nothing_to_send_leaves_the_reports(loads: Loads) -> None:
    """A run that has come to its end is told again; nothing is taken away meanwhile."""
    loads.refuse = False
    first = loads.run()
    before = {path.name: path.read_bytes() for path in first.run_dir.glob("*.csv")}
    assert loads.run().exit_code == 0
    assert {path.name: path.read_bytes() for path in first.run_dir.glob("*.csv")} == before


@pytest.mark.hostile("18.9 a pile lists as not carried out what was carried out since")
@pytest.mark.process
def test_a_second_interrupt_leaves_no_false_pile(tmp_path: Path) -> None:
    """--retry-rejected, two Ctrl-C: errors.csv does not list what was carried out since; the journal does."""
    world = World(tmp_path)
    cards = [world.loadable(number) for number in range(1, 7)]
    shop = world.sandbox.world.ledger.shops[1].uuid
    path = tmp_path / "loads.csv"
    path.write_text(
        "giftcard_uuid,amount_in_cents,shop_uuid\n" + "".join(f"{card.uuid},500,{shop}\n" for card in cards)
    )
    with serving("--giftcards", "100", "--contacts", "40", "--identifiers", "40", "--latency-ms", "300") as service:
        for card in cards[:3]:
            service.ask("events", {"events": [{"action": "deactivate", "uuid": card.uuid}]})
        words = ("giftcards", "load", path, "--yes", "--no-progress", "--concurrency", "1", "--rate", "0")
        code, out, err = finish(start(service, tmp_path, *words))
        run_dir = tmp_path / "loads.giftcards-load"
        assert code == 1, out + err
        assert len(read_csv(run_dir / "errors.csv")) == 3
        for card in cards[:3]:
            service.ask("events", {"events": [{"action": "activate", "uuid": card.uuid}]})
        again = start(service, tmp_path, *words, "--retry-rejected")
        while service.ask("state")["effects"].get("giftcards.load", 0) < 4:
            assert again.poll() is None
        again.send_signal(signal.SIGINT)
        again.send_signal(signal.SIGINT)
        finish(again)
        carried = service.ask("state")["effects"]["giftcards.load"]
    listed = read_csv(run_dir / "errors.csv")
    assert len(listed) <= 6 - carried


@pytest.mark.hostile("18.9 a pile lists as not carried out what was carried out since")
def test_a_migration_takes_its_reports_back_too(shop: Shop) -> None:
    """Those over all stages, before the first request of the next invocation that changes something."""
    path = shop.manifest(["A-1", "ann@example.test", "Ann"], ["A-2", "bob@example.test", "Bob"])
    run_dir = shop.migrate(path, limit=1).run_dir
    assert (run_dir / "remaining.csv").exists()
    seen: list[set[str]] = []

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "GET":
            seen.append({entry.name for entry in run_dir.iterdir()})
        return None

    shop.world.hook = hook
    assert shop.migrate(path).exit_code == 0
    assert seen
    assert not set.union(*seen) & {"results.csv", "errors.csv", "remaining.csv", "unknown.csv"}
    assert (run_dir / "results.csv").exists()
