"""Runs as they are listed, plans as JSON, and --yes."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from piggy_batch.cli.main import main
from piggy_batch.cli.output import show_result
from piggy_batch.errors import SetupError
from piggy_batch.runs.registry import known_runs, note_run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.importing.migration.support import Shop
    from tests.support.world import World

VALUE = "contact_identifier_value"


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0), *capsys.readouterr()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "state" / "piggy-batch").mkdir(parents=True)
    return tmp_path / "state" / "piggy-batch"


def test_runs_are_listed_until_their_directories_are_gone(
    world: World, registry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each once, the latest first, with its state and where it lives; what went away is forgotten."""
    assert "no run is known" in typed(capsys, "runs")[2]
    kept = {"context": {"registry_dir": registry}}
    first = world.run("identifiers create", world.manifest(VALUE, ["A-1", "A-2"], "one.csv"), limit=1, **kept)
    second = world.run("identifiers find", world.manifest(VALUE, ["A-1"], "two.csv"), **kept)
    world.run("identifiers create", world.folder / "one.csv", limit=1, **kept)
    code, out, _ = typed(capsys, "runs", "--json")
    found = {entry["run_dir"]: entry for entry in json.loads(out)}
    assert code == 0
    assert set(found) == {str(first.run_dir.resolve()), str(second.run_dir.resolve())}
    assert found[str(second.run_dir.resolve())]["state"] == "ended with exit code 0"
    _, out, _ = typed(capsys, "runs")
    assert f"    {first.run_dir.resolve()}: done 2" in out.splitlines()
    shutil.rmtree(second.run_dir)
    assert len(json.loads(typed(capsys, "runs", "--json")[1])) == 1
    assert len(known_runs(registry)) == 1


def test_stages_of_a_migration_are_no_runs_of_their_own(shop: Shop, registry: Path) -> None:
    """The migration is listed, its parts are not."""
    result = shop.migrate(shop.manifest(["A-1", "ann@example.test"]), context={"registry_dir": registry})
    assert [entry["run_dir"] for entry in known_runs(registry)] == [str(result.run_dir.resolve())]


def test_what_cannot_be_noted_ends_no_run(world: World, registry: Path) -> None:
    """A state directory that takes nothing, and a damaged note, are passed over."""
    note_run(registry / "nowhere", world.folder, "identifiers create")
    note_run(None, world.folder, "identifiers create")
    note_run(registry, world.folder, "identifiers create")
    (registry / "runs" / "damaged.json").write_text("[]")
    assert [entry["operation"] for entry in known_runs(registry)] == ["identifiers create"]


# --- JSON of a dry run -----------------------------------------------------------------------------------


def test_a_dry_run_as_json_is_json_only(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The plan's numbers and words on stdout, for programs."""
    result = world.run("identifiers delete", world.manifest(VALUE, ["A-1", "A-2"]), dry_run=True, rate=4.0)
    show_result(result, as_json=True)
    found = json.loads(capsys.readouterr().out)
    numbers = {name: found[name] for name in ("operation", "rows", "invalid", "rows_to_send", "requests", "exit_code")}
    assert numbers == {
        "operation": "identifiers delete",
        "rows": 2,
        "invalid": 0,
        "rows_to_send": 2,
        "requests": 4,
        "exit_code": 0,
    }
    assert found["at_least_s"] == pytest.approx(1.0, abs=0.3)
    assert found["plan"][0].startswith("plan: identifiers delete for account")


def test_a_refused_list_as_json_names_the_pile(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code, notes and the file to mend; the messages stand on stderr too."""
    result = world.run("identifiers create", world.manifest(f"{VALUE},naam", [["", "x"], ["A-1", "y"]]))
    show_result(result, as_json=True)
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["exit_code"] == 2
    assert found["files"] == {str(result.run_dir / "errors.csv"): 1}
    assert "1 of 2 rows are invalid" in found["notes"][-1]
    assert "1 of 2 rows are invalid" in err


def test_the_dry_run_of_a_migration_as_json_has_its_stages(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Requests by stage."""
    result = shop.migrate(shop.manifest(["A-1", "ann@example.test"], ["A-2", "ann@example.test"]), dry_run=True)
    show_result(result, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["stages"] == {"contacts": 1, "create": 2, "link": 0, "update": 0, "credits": 0}
    assert found["requests"] == 3


# --- --yes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("yes", [True, False])
def test_yes_asks_nothing_and_accepts_nothing(world: World, yes: bool) -> None:
    """A blocking finding is a question for who can be asked; with --yes it is a refusal that names --accept."""
    asked: list[str] = []

    def confirm(question: str) -> bool:
        asked.append(question)
        return True

    path = world.manifest(VALUE, [*(f"{n}-2026" for n in range(100, 120)), "2026-02-01", "2026-05-03"])
    given: dict[str, Any] = {"yes": yes, "context": {"confirm": confirm}}
    if yes:
        with pytest.raises(SetupError, match="--accept"):
            world.run("identifiers create", path, **given)
        assert (asked, world.effects) == ([], 0)
    else:
        assert world.run("identifiers create", path, **given).exit_code == 0
        assert len(asked) == 1
