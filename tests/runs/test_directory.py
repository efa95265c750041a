"""Run directories: what binds a run, and what happens when a part of one is missing."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from piggy_batch.errors import JournalError
from piggy_batch.files import UNFINISHED
from piggy_batch.importing.status import describe_run
from piggy_batch.runs.filenames import KINDS
from piggy_batch.runs.journal import Journal
from piggy_batch.runs.journal_file import NAME, WAL
from piggy_batch.tables import OutputColumn, open_writer
from tests.support.processes import PROGRAM, ROOT, environment, serving
from tests.support.world import World, read_csv


def pilot(world: World, operation: str) -> tuple[Path, Path]:
    """Manifest and run directory of a run that has carried out one of three rows."""
    header = "giftcard_program_uuid" if operation == "giftcards create" else "contact_identifier_value"
    program = world.sandbox.world.cards.programs[1].uuid
    cells = [program] * 3 if operation == "giftcards create" else ["A1", "A2", "A3"]
    manifest = world.manifest(header, cells)
    return manifest, world.run(operation, manifest, limit=1).run_dir


def begun_and_killed(world: World, operation: str) -> tuple[Path, Path]:
    """Manifest and run directory of a run of three rows whose second invocation was killed as it began."""
    manifest, run_dir = pilot(world, operation)
    journal = Journal.open(run_dir)
    assert journal is not None
    journal.begin(world.wall(), "0", threaded=False)
    kept = {name: (run_dir / name).read_bytes() for name in (NAME, WAL)}  # what a kill at this moment leaves
    journal.finish(world.wall(), 0)
    journal.close()
    for name, content in kept.items():
        (run_dir / name).write_bytes(content)
    return manifest, run_dir


def test_a_once_run_whose_log_is_gone_is_refused(world: World) -> None:
    """Without the log of a killed invocation nobody knows what was sent: `create` would make cards again."""
    manifest, run_dir = begun_and_killed(world, "giftcards create")
    (run_dir / WAL).unlink()
    with pytest.raises(JournalError, match=f"{WAL}.*is gone"):
        world.run("giftcards create", manifest)
    assert world.state["effects"]["giftcards.create"] == 1
    assert world.run("giftcards create", manifest, adopt=True).exit_code == 0


def test_an_empty_log_is_a_lost_one(world: World) -> None:
    """`status` puts an empty log in the place of a lost one; the run is refused as often as it is tried."""
    manifest, run_dir = begun_and_killed(world, "giftcards create")
    (run_dir / WAL).write_bytes(b"")
    with pytest.raises(JournalError, match=f"{WAL}.*is gone"):
        world.run("giftcards create", manifest)
    for _ in range(2):
        assert describe_run(run_dir)["exit_code"] is None
        assert (run_dir / WAL).stat().st_size == 0
        with pytest.raises(JournalError, match=f"{WAL}.*is gone"):
            world.run("giftcards create", manifest)
    assert world.state["effects"]["giftcards.create"] == 1


def test_a_once_run_with_its_log_goes_on(world: World) -> None:
    """A killed invocation whose log is there is an ordinary resume."""
    manifest, _ = begun_and_killed(world, "giftcards create")
    assert world.run("giftcards create", manifest).exit_code == 0
    assert world.state["effects"]["giftcards.create"] == 3


def test_a_guarded_run_whose_log_is_gone_goes_on(world: World) -> None:
    """A repeat of a guarded row is refused by the service and looked up, so nothing is lost."""
    manifest, run_dir = begun_and_killed(world, "identifiers create")
    (run_dir / WAL).unlink()
    assert world.run("identifiers create", manifest).exit_code == 0
    assert world.state["max_per_key"]["identifiers.create"] == 1


def test_a_log_that_was_folded_in_is_not_missed(world: World) -> None:
    """A killed run that was opened once, and refused for another reason, goes on afterwards."""
    _, run_dir = begun_and_killed(world, "identifiers create")
    for _ in range(2):
        journal = Journal.open(run_dir)
        assert journal is not None
        assert not journal.queries.log_lost
        journal.close()
    assert not (run_dir / WAL).exists()


@pytest.mark.parametrize("journal", ["missing", "empty"])
def test_a_once_run_whose_journal_is_gone_is_refused(world: World, journal: str) -> None:
    """What lies beside it says that rows were sent: the summary, or the results where that is gone too."""
    manifest, run_dir = pilot(world, "giftcards create")
    (run_dir / NAME).unlink()
    if journal == "empty":
        (run_dir / NAME).touch()
    for _ in range(2):
        with pytest.raises(JournalError, match=r"holds summary\.json of a run.* pass --adopt"):
            world.run("giftcards create", manifest)
    (run_dir / "summary.json").unlink()
    with pytest.raises(JournalError, match=r"holds results\.csv of a run"):
        world.run("giftcards create", manifest, dry_run=True)
    assert world.state["effects"]["giftcards.create"] == 1
    assert world.run("giftcards create", manifest, adopt=True).exit_code == 0
    assert world.state["effects"]["giftcards.create"] == 4


@pytest.mark.parametrize("journal", ["missing", "empty"])
def test_a_log_without_its_journal_is_kept(world: World, journal: str) -> None:
    """A killed run whose journal is gone is refused, and goes on once the journal is back beside its log."""
    manifest, run_dir = begun_and_killed(world, "giftcards create")
    content = (run_dir / NAME).read_bytes()
    (run_dir / NAME).unlink()
    if journal == "empty":
        (run_dir / NAME).touch()
    with pytest.raises(JournalError, match=f"holds {WAL} of a run"):
        world.run("giftcards create", manifest)
    (run_dir / NAME).write_bytes(content)
    assert world.run("giftcards create", manifest).exit_code == 0
    assert world.state["effects"]["giftcards.create"] == 3


def test_what_carried_nothing_out_is_no_obstacle(world: World) -> None:
    """Reports of a run in which no row could succeed, and the log of a listing that was cut short."""
    program = world.sandbox.world.cards.programs[1].uuid
    manifest = world.manifest("giftcard_program_uuid,type", [[program, "x"]])
    first = world.run("giftcards create", manifest, skip_invalid=True)
    assert (first.run_dir / "summary.json").exists()
    assert not (first.run_dir / NAME).exists()
    (first.run_dir / "run.log").write_text("before the first request: a list\n")
    manifest = world.manifest("giftcard_program_uuid,type", [[program, "1"]])
    assert world.run("giftcards create", manifest).exit_code == 0


def test_a_guarded_run_whose_journal_is_gone_begins_afresh(world: World) -> None:
    """Each row is refused by the service and looked up."""
    manifest, run_dir = pilot(world, "identifiers create")
    (run_dir / NAME).unlink()
    assert world.run("identifiers create", manifest).exit_code == 0
    assert world.state["max_per_key"]["identifiers.create"] == 1


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
@pytest.mark.parametrize("name", ["results.csv", "summary.json"])
def test_a_directory_in_a_reports_place_stays(world: World, name: str) -> None:
    """The report lies beside it, which is said; when it is gone the report has its own name again."""
    manifest, run_dir = pilot(world, "giftcards create")
    (run_dir / name).unlink()
    (run_dir / name).mkdir()
    stem, _, kind = name.partition(".")
    for _ in range(2):
        result = world.run("giftcards create", manifest)
        assert result.exit_code == 0
        assert any(
            f"{name} was not written by this run" in note and f"{stem}-2.{kind}" in note for note in result.notes
        )
    (run_dir / name).rmdir()
    assert world.run("giftcards create", manifest).exit_code == 0
    assert (run_dir / name).is_file()
    assert world.state["effects"]["giftcards.create"] == 3


@pytest.mark.process
def test_a_limit_of_file_sizes_is_named_and_the_same_command_goes_on(tmp_path: Path) -> None:
    """`ulimit -f` in mid-run: exit 4, what may be in the way, and the command; without the limit nothing is doubled."""
    path = tmp_path / "cards.csv"
    program = World(tmp_path).sandbox.world.cards.programs[1].uuid  # every stand-in begins alike
    path.write_text("giftcard_program_uuid,note\n" + f"{program},{'x' * 100}\n" * 300)
    with serving() as service:
        words = [*PROGRAM, "giftcards", "create", str(path), "--rate", "0", "--no-progress", "--no-baseline", "--yes"]
        words += ["--base-url", service.url]
        given: dict[str, Any] = {"cwd": ROOT, "env": environment(tmp_path), "capture_output": True, "text": True}
        limited = ["bash", "-c", 'ulimit -f 230; exec "$@"', "limited", *words]
        cut = subprocess.run(limited, **given, timeout=120, check=False)
        assert cut.returncode == 4, cut.stderr
        assert "ulimit -f" in cut.stderr
        assert f"then run: piggy-batch giftcards create {path}" in cut.stderr
        before = service.ask("state")["effects"]["giftcards.create"]
        assert 0 < before < 300
        again = subprocess.run(words, **given, timeout=120, check=False)
        assert again.returncode in (0, 1), again.stderr  # 1: rows in the air when the limit was reached are in doubt
        found = Counter(row["_status"] for row in read_csv(tmp_path / "cards.giftcards-create" / "results.csv"))
        assert found.total() == 300
        assert found["done"] <= service.ask("state")["effects"]["giftcards.create"] <= 300


@pytest.mark.parametrize("kind", KINDS)
def test_reports_cut_short_leave_nothing(world: World, kind: str) -> None:
    """What a kill leaves of reports holds customers: it lies in one folder, and the next run removes that folder."""
    manifest, run_dir = pilot(world, "identifiers create")
    drafts = run_dir / UNFINISHED
    before = {path.name for path in run_dir.iterdir()}
    writers = [open_writer(run_dir / f"{name}.{kind}", kind, (OutputColumn("email"),), drafts=drafts) for name in "ab"]
    for writer in writers:
        writer.write([["guest@example.test"]] * 3_000)
    assert {path.name for path in run_dir.iterdir()} - before == {UNFINISHED}
    cut = {path.relative_to(drafts): path.read_bytes() for path in drafts.rglob("*") if path.is_file()}
    assert len(cut) == (4 if kind == "xlsx" else 2)
    for writer in writers:
        writer.__exit__(ValueError, ValueError(), None)
    assert not drafts.exists()
    drafts.mkdir()
    for name, content in cut.items():
        (drafts / name).parent.mkdir(exist_ok=True)
        (drafts / name).write_bytes(content)
    assert world.run("identifiers create", manifest, format=kind).exit_code == 0
    assert not drafts.exists()


def test_drafts_of_earlier_versions_are_removed_too(world: World) -> None:
    """A run that an earlier version began may have its drafts beside the reports; nothing else is taken for one."""
    manifest, run_dir = pilot(world, "identifiers create")
    cut = {f".results.{kind}.ab_c1234.part": b"guest@example.test" for kind in KINDS}
    cut |= {".summary.json.part": b"{", ".stdin.ab_c1234.part": b"guest@example.test"}
    cut |= dict.fromkeys(("tmpzzzzzzzz", "tmp_zzzzzzz"), b'<row r="1"><c t="inlineStr">guest@example.test')
    kept = {"tmpabcdefgh": b"mine", ".notes.part": b"mine", ".results.csv.mine.part": b"mine"}
    for name, content in (cut | kept).items():
        (run_dir / name).write_bytes(content)
    assert world.run("identifiers create", manifest).exit_code == 0
    left = {path.name for path in run_dir.iterdir()}
    assert (kept.keys() <= left, cut.keys() & left) == (True, set())


@pytest.mark.process
def test_another_list_on_standard_input_is_refused(make_world: Callable[..., World]) -> None:
    """`-` with other content than the run was made from is exit 4; with nothing at all the run goes on."""
    world = make_world()
    code = (
        "import sys; from pathlib import Path; from tests.support.world import World\n"
        "from piggy_batch.errors import JournalError\n"
        "world = World(Path(sys.argv[1]))\n"
        "try:\n"
        "    result = world.run('identifiers create', Path('-'), run_dir=Path(sys.argv[1]) / 'run', limit=1)\n"
        "except JournalError as error:\n"
        "    print(error); sys.exit(4)\n"
        "sys.exit(result.exit_code)\n"
    )

    def piped(text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, str(world.folder)], input=text, capture_output=True, text=True, check=False
        )

    first = "contact_identifier_value\nA1\nA2\nA3\n"
    assert piped(first).returncode == 0
    other = piped(first.replace("A3", "A4"))
    assert other.returncode == 4
    assert "a changed manifest is a new run" in other.stdout
    assert piped(first).returncode == 0
    assert piped("").returncode == 0
