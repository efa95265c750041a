"""Reports take the place of what the run has written itself, and of nothing else."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from piggy_batch.errors import JournalError, SetupError
from piggy_batch.runs.journal_file import NAME
from piggy_batch.runs.own_files import RECORD, OwnFiles
from tests.support.world import World, audit, read_csv

if TYPE_CHECKING:
    from piggy_batch.importing.options import RunResult

CREATE = "identifiers create"
MINE = "contact_identifier_value,mine\nMINE-1,x\nMINE-2,y\n"
PLACES = [
    f"{stem}.{kind}" for stem in ("results", "errors", "remaining", "unknown") for kind in ("csv", "xlsx", "parquet")
]


def run(world: World, name: str = "cards.csv", **given: object) -> RunResult:
    """Two new cards, and one that the service refuses, into the directory ``run``."""
    path = world.manifest("contact_identifier_value,contact_uuid", [("N-1", ""), ("N-2", ""), ("N-3", "0" * 8)], name)
    return world.run(CREATE, path, run_dir=world.folder / "run", **given)


def said(result: RunResult) -> str:
    """What a person is told at the end."""
    return "\n".join(result.notes)


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
@pytest.mark.parametrize("name", [*PLACES, "summary.json"])
@pytest.mark.parametrize("when", ["before", "between"])
def test_what_a_stranger_has_put_there_stays(world: World, name: str, when: str) -> None:
    """To the byte, in every format, at the first invocation and at a later one; what is true lies beside."""
    theirs = world.folder / "run" / name
    if when == "between":
        run(world, limit=1)
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text(MINE)
    for _ in range(2):
        result = run(world)
        assert theirs.read_text() == MINE
        assert theirs not in {Path(path) for path, _ in result.report_files}
    taken = name in ("results.csv", "errors.csv", "summary.json")
    assert (f"{theirs} was not written by this run" in said(result)) == taken
    beside = theirs.with_name(f"{theirs.stem}-2{theirs.suffix}")
    assert beside.exists() == taken
    if name == "errors.csv":
        assert [row["_row"] for row in read_csv(beside)] == ["3"]
    theirs.unlink()
    result = run(world)
    assert not beside.exists()
    audit(result.run_dir, 3)


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
@pytest.mark.parametrize("stem", ["results", "errors", "remaining", "unknown"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx", "CSV"])
def test_a_manifest_among_the_reports_is_refused(world: World, stem: str, kind: str) -> None:
    """Before anything is read or sent, whatever way leads to it; the message says what to do."""
    run_dir = world.folder / "run"
    run_dir.mkdir()
    path = run_dir / f"{stem}.{kind}"
    path.write_text(MINE)
    link = world.folder / "link.csv"
    link.symlink_to(path)
    for given in (path, link, run_dir / ".." / "run" / path.name):
        with pytest.raises(SetupError, match=r"where this run writes its own .*move it out of|name another --run-dir"):
            world.run(CREATE, given, run_dir=run_dir)
    assert (path.read_text(), world.effects) == (MINE, 0)


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
@pytest.mark.parametrize("name", ["summary.json", "run.log", "candidates.csv", "baseline.csv", "results-2.csv"])
def test_a_manifest_under_another_name_of_the_run_is_refused(world: World, name: str) -> None:
    """Whatever else a run writes there."""
    (world.folder / "run").mkdir()
    path = world.folder / "run" / name
    path.write_text(MINE)
    with pytest.raises(SetupError, match="move it out of"):
        world.run(CREATE, path, run_dir=world.folder / "run")
    assert path.read_text() == MINE


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
def test_errors_that_were_mended_in_their_place_stay(world: World) -> None:
    """The operator's work is not a report any more; the same command writes its own beside, and says so."""
    run_dir = run(world).run_dir
    mended = run_dir / "errors.csv"
    mended.write_text(mended.read_text().replace("0" * 8, world.contact(1)))
    text = mended.read_text()
    result = run(world, retry_rejected=True)
    assert mended.read_text() == text
    assert "errors-2.csv" in said(result)
    assert world.run(CREATE, mended).exit_code == 0


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
def test_mended_invalid_rows_stay(world: World) -> None:
    """Also where nothing was sent yet: the refusal's list is mended, and the command is typed once more."""
    path = world.manifest("contact_identifier_value,contact_identifier_name", [("A", "x"), ("", "y"), ("B", "z")])
    result = world.run(CREATE, path)
    errors = result.run_dir / "errors.csv"
    first = errors.read_text()
    assert world.run(CREATE, path).exit_code == 2
    assert errors.read_text() == first
    errors.write_text(first.replace(",y,", "C,y,", 1))
    text = errors.read_text()
    again = world.run(CREATE, path)
    assert (again.exit_code, errors.read_text()) == (2, text)
    assert "errors-2.csv" in said(again)


@pytest.mark.parametrize("damage", ["gone", "{", "[]", '{"files": 3}', '{"files": {"results.csv": [{"size": 1}]}}'])
def test_without_a_record_nothing_is_taken_for_own(world: World, damage: str) -> None:
    """A record that was lost or damaged: what was changed since the run's last end stays; the run goes on."""
    run_dir = run(world, limit=1).run_dir
    record = run_dir / RECORD
    record.unlink() if damage == "gone" else record.write_text(damage)
    errors = run_dir / "errors.csv"
    errors.write_text(MINE)
    result = run(world)
    assert errors.read_text() == MINE
    assert result.exit_code == 1


def test_a_run_of_an_earlier_version_goes_on_in_place(world: World) -> None:
    """It kept no record: what it wrote before its summary, and nobody has touched since, is its own."""
    run_dir = run(world, limit=1).run_dir
    (run_dir / RECORD).unlink()
    now = (run_dir / "summary.json").stat()
    os.utime(run_dir / "summary.json", ns=(now.st_atime_ns, now.st_mtime_ns + 10**9))
    result = run(world)
    assert not list(run_dir.glob("*-2.*"))
    assert "was not written" not in said(result)
    audit(run_dir, 3)


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
def test_results_of_a_run_whose_journal_is_lost_stay(world: World) -> None:
    """They are all that is left of it: --adopt begins anew beside them."""
    program = world.sandbox.world.cards.programs[1].uuid
    path = world.manifest("giftcard_program_uuid", [program] * 2)
    run_dir = world.run("giftcards create", path).run_dir
    (run_dir / NAME).unlink()
    made = (run_dir / "results.csv").read_text()
    assert world.run("giftcards create", path, adopt=True).exit_code == 0
    assert (run_dir / "results.csv").read_text() == made
    assert len(read_csv(run_dir / "results-2.csv")) == 2


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
def test_a_list_of_cards_takes_nobodys_place(world: World) -> None:
    """The list of what was there before lies beside a stranger's, and reconcile finds it."""
    program = world.sandbox.world.cards.programs[1].uuid
    run_dir = world.folder / "run"
    run_dir.mkdir()
    for name in ("baseline.csv", "candidates.csv"):
        (run_dir / name).write_text(MINE)
    path = world.manifest("giftcard_program_uuid", [program] * 2)
    world.run("giftcards create", path, run_dir=run_dir, baseline=True)
    assert (run_dir / "baseline.csv").read_text() == MINE
    assert len(read_csv(run_dir / "baseline-2.csv")) > 2
    assert (run_dir / "candidates.csv").read_text() == MINE


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
def test_a_folder_in_the_place_of_an_unfinished_list_is_not_cleared(world: World) -> None:
    """Where the pages of the list are kept meanwhile: what somebody has put there stays, and nothing else does."""
    theirs = world.folder / "run" / "baseline.csv.export" / "notes.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text(MINE)
    path = world.manifest("giftcard_program_uuid", [world.sandbox.world.cards.programs[1].uuid] * 2)
    assert world.run("giftcards create", path, run_dir=world.folder / "run", baseline=True).exit_code == 0
    assert theirs.read_text() == MINE
    assert [entry.name for entry in theirs.parent.iterdir()] == ["notes.txt"]


def test_a_folder_that_was_copied_knows_its_own(world: World) -> None:
    """Size and hash go with it, times do not."""
    run_dir = run(world).run_dir
    shutil.copytree(run_dir, world.folder / "copy", copy_function=shutil.copy)
    shutil.rmtree(run_dir)
    (world.folder / "copy").rename(run_dir)
    run(world, retry_rejected=True)
    assert not list(run_dir.glob("*-2.*"))
    kept = json.loads((run_dir / RECORD).read_text())["files"]
    assert all(len(entries) <= 8 for entries in kept.values())


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
def test_what_is_put_there_while_a_report_is_written_stays(tmp_path: Path) -> None:
    """An editor that saves its errors.csv at this very moment: the same command writes the report beside."""
    own, draft = OwnFiles(tmp_path, "run"), tmp_path / "draft"
    draft.write_text("ours")
    path = own.place("errors", "csv")
    path.write_text(MINE)
    with pytest.raises(JournalError, match="was put there while this run wrote its own") as told:
        own.claim(path, draft)
    assert told.value.goes_on
    assert own.place("errors", "csv").name == "errors-2.csv"


def test_kills_before_a_file_takes_its_name_make_nobody_a_stranger(tmp_path: Path) -> None:
    """What lies there is the run's own, however many drafts were noted since."""
    own, draft = OwnFiles(tmp_path, "run"), tmp_path / "draft"
    path = own.write_json("summary", {"number": 0})
    for number in range(1, 5):
        draft.write_text(str(number))
        own.note(path, draft)
        assert OwnFiles(tmp_path, "run").holds(path)
