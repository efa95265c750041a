"""giftcards create and reconcile as they are typed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from piggy_batch.cli.main import main
from piggy_batch.sandbox import Sandbox, Settings
from tests.support.processes import finish, serving, start
from tests.support.world import read_csv


def typed(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    """Exit code and stderr."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0), capsys.readouterr().err


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PIGGY_TOKEN", "sandbox")
    monkeypatch.setenv("PIGGY_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)


def test_count_needs_a_run_directory(capsys: pytest.CaptureFixture[str]) -> None:
    """So that the run can be found again."""
    code, said = typed(capsys, "giftcards", "create", "--count", "5")
    assert code == 2
    assert "--count needs --run-dir, so that the run can be found again" in said


def test_count_needs_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    """There is no list whose column could be named: --set gives it, and a command tells the UUIDs."""
    code, said = typed(capsys, "giftcards", "create", "--count", "5", "--run-dir", "d")
    assert code == 2
    assert "--set giftcard_program_uuid=UUID; piggy-batch giftcards programs" in said
    assert not Path("d").exists()


def test_count_and_manifest_exclude_each_other(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One or the other."""
    (tmp_path / "m.csv").write_text("giftcard_program_uuid\nx\n")
    code, said = typed(capsys, "giftcards", "create", "m.csv", "--count", "5", "--run-dir", "d")
    assert code == 2
    assert "give either a manifest or a count" in said


@pytest.mark.parametrize("count", ["0", "-1", "1000001", "many"])
def test_a_count_is_a_number_of_cards(capsys: pytest.CaptureFixture[str], count: str) -> None:
    """From one to a million."""
    assert typed(capsys, "giftcards", "create", "--count", count, "--run-dir", "d")[0] == 2
    assert not Path("d").exists()


def test_neither_manifest_nor_count_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """As for every command."""
    assert "Missing argument 'MANIFEST'" in typed(capsys, "giftcards", "create")[1]


@pytest.mark.parametrize("command", [("giftcards", "load"), ("giftcards", "send"), ("identifiers", "create")])
def test_only_create_counts(capsys: pytest.CaptureFixture[str], command: tuple[str, str]) -> None:
    """Other commands need a list."""
    assert "No such option" in typed(capsys, *command, "--count", "5", "--run-dir", "d")[1]


def test_a_service_that_is_not_there_leaves_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 3, nothing sent, no directory; another count is free to follow."""
    code, said = typed(
        capsys,
        *("giftcards", "create", "--count", "5", "--run-dir", "d", "--yes", "--rate", "0"),
        *("--set", "giftcard_program_uuid=x", "--timeout", "1"),
    )
    assert code == 3
    assert "nothing was sent" in said
    assert "then run: piggy-batch giftcards create --count 5 --run-dir d" in said
    assert not Path("d").exists()


@pytest.mark.parametrize("name", ["nowhere", "m.csv"])
def test_reconcile_wants_a_run_directory(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Not a missing one, not a file; nothing is made."""
    Path("m.csv").write_text("x\n")
    code, _ = typed(capsys, "giftcards", "reconcile", name)
    assert code == 2
    assert not Path("nowhere").exists()


def test_reconcile_wants_a_begun_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit 4, and the directory is left as it was."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notes.txt").write_text("mine")
    code, said = typed(capsys, "giftcards", "reconcile", "own")
    assert code == 4
    assert "holds no begun run of giftcards create" in said
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["notes.txt"]


@pytest.mark.process
def test_killed_reconciled_and_gone_on_with(tmp_path: Path) -> None:
    """kill -9 in the middle of 40: the same command, reconcile, the same command: 40 cards, one for each row."""
    program = Sandbox(Settings()).world.cards.programs[1].uuid  # the same seed, the same program
    words: tuple[str | Path, ...] = (
        *("giftcards", "create", "--count", "40", "--run-dir", tmp_path / "batch"),
        *("--set", f"giftcard_program_uuid={program}", "--set", "amount_in_cents=2500", "--yes", "--rate", "40"),
    )
    with serving("--giftcards", "9", "--contacts", "1", "--latency-ms", "40") as service:
        killed = start(service, tmp_path, *words)
        deadline = time.monotonic() + 30
        while len(service.arrivals("POST /giftcards")) < 10:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        killed.kill()
        finish(killed)
        code, out, said = finish(start(service, tmp_path, *words))
        assert code in (0, 1), said
        assert "unknown" in out
        assert f"piggy-batch --base-url {service.url} giftcards reconcile {tmp_path / 'batch'}" in said
        look = ("giftcards", "reconcile", tmp_path / "batch", "--exclusive", "--settle-after", "0", "--rate", "0")
        code, out, said = finish(start(service, tmp_path, *look))
        assert code == 0, said
        code, out, said = finish(start(service, tmp_path, *words))
        assert code == 0, said
        assert service.ask("state")["effects"]["giftcards.create"] == 40
    rows = read_csv(tmp_path / "batch" / "results.csv")
    assert len({row["giftcard_uuid"] for row in rows}) == len(rows) == 40
    assert {row["amount_in_cents"] for row in rows} == {"2500"}
    assert "before the first request" in (tmp_path / "batch" / "run.log").read_text()


@pytest.mark.process
def test_what_was_insisted_on_is_not_insisted_on_again(tmp_path: Path) -> None:
    """--again and --adopt are for this once: the command that is printed would else go on where a loss is to be told.
    Where nothing was sent they stay."""
    program = Sandbox(Settings()).world.cards.programs[1].uuid
    (tmp_path / "cards.csv").write_text("giftcard_program_uuid\n" + f"{program}\n" * 6)
    words = ("giftcards", "create", f"{tmp_path}/cards.csv", "--no-baseline", "--yes", "--rate", "0")
    first, second = ("--run-dir", f"{tmp_path}/b"), ("--run-dir", f"{tmp_path}/c")
    with serving("--giftcards", "9", "--contacts", "1", "--latency-ms", "0") as service:

        def said(*more: str, code: int = 0) -> str:
            ended, out, err = finish(start(service, tmp_path, *words, *more))
            assert ended == code, out + err
            return err.splitlines()[-1].partition(" --base-url")[0]

        said()
        assert said(*first, "--again", "--limit", "2") == f"go on with: piggy-batch {' '.join((*words, *first))}"
        (tmp_path / "b").rename(tmp_path / "c")
        assert said(*second, "--adopt", "--limit", "2") == f"go on with: piggy-batch {' '.join((*words, *second))}"
        said(*second)
        assert service.ask("state")["effects"]["giftcards.create"] == 12
    assert said(*first, "--again", code=3) == f"then run: piggy-batch {' '.join((*words, *first))} --again"
