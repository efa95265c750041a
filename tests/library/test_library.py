"""``import piggy_batch as pb``: the same runs, exports and reports from Python, against a real sandbox."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import piggy_batch as pb
from piggy_batch.library.frames import manifest_bytes
from tests.support.processes import ROOT, TOKEN, Service, serving
from tests.support.world import audit

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.process

VALUE = "contact_identifier_value"
TOPIC = ROOT / "piggy_batch" / "cli" / "topics" / "python.md"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A sandbox process."""
    with serving("--giftcards", "120", "--contacts", "1000") as found:
        yield found


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    """The sandbox in the environment, a folder and a state directory of the test's own."""
    monkeypatch.setenv("PIGGY_BASE_URL", service.url)
    monkeypatch.setenv("PIGGY_TOKEN", TOKEN)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def cards(name: str, rows: int) -> pd.DataFrame:
    """New cards, as text."""
    return pd.DataFrame({VALUE: [f"{name}-{n:04d}" for n in range(rows)], "till": "kassa 1"}, dtype="string")


# --- runs -------------------------------------------------------------------------------------------------


def test_a_dataframe_is_run_and_its_results_are_one(service: Service) -> None:
    """A pilot, the rest by the same call, every row's outcome, and the callback in between."""
    frame, seen = cards("frame", 30), []
    plan = pb.plan("identifiers create", frame, run_dir="run", rate=0)
    assert plan.figures is not None
    assert (plan.figures["rows"], plan.figures["requests"]) == (30, 30)
    first = pb.run("identifiers create", frame, run_dir="run", rate=0, limit=10, progress=seen.append)
    assert first.exit_code == 0
    assert (seen[-1].done, dict(seen[-1].counts)) == (10, {"done": 10})
    pb.run("identifiers create", frame, run_dir="run", rate=0, check=True)
    outcome = pb.read_results("run")
    assert list(outcome["_status"]) == ["done"] * 30
    assert list(outcome[VALUE]) == list(frame[VALUE])
    assert outcome["_row"].dtype == "Int64"
    assert audit(Path("run"), 30) == {"done": 30}
    assert pb.status("run")["counts"]["done"] == 30
    assert pb.read_results("run", "errors").empty
    assert service.ask("state")["max_per_key"]["identifiers.create"] == 1


def test_a_file_is_run_and_rows_that_were_not_are_an_exception_for_who_asks() -> None:
    """With check: IncompleteError, whose result and pile say which."""
    Path("own.csv").write_text("Kaart;wie\nown-1;\nown-2;00000000-0000-4000-8000-000000000000\n", encoding="utf-8")
    options: dict[str, Any] = {"maps": {VALUE: "Kaart", "contact_uuid": "wie"}, "rate": 0}
    with pytest.raises(pb.IncompleteError) as caught:
        pb.run("identifiers create", "own.csv", check=True, **options)
    assert caught.value.exit_code == 1
    errors = pb.read_results(caught.value.result.run_dir, "errors")
    assert list(errors["Kaart"]) == ["own-2"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: pb.run("identifers create", "x.csv"), "did you mean identifiers create?"),
        (lambda: pb.run("identifiers create", "no.csv"), "no such file"),
        (lambda: pb.run("identifiers create", cards("x", 1)), "rows in memory need run_dir"),
        (lambda: pb.run("identifiers delete", cards("x", 1), run_dir="d", rate=0), "pass --yes"),
        (lambda: pb.run("identifiers create", pd.DataFrame({VALUE: [1.5]}), run_dir="d"), "dtype=str"),
        (lambda: pb.read_results("nowhere"), "no results here"),
        (lambda: pb.Account(profile="shop-z").target(), "there is no such profile"),
        (lambda: pb.Account(base_url="").target(), "base_url is empty"),
        (lambda: pb.Account(token="").target(), "token is empty"),
        (lambda: pb.run("identifiers find", [{VALUE: "x"}], run_dir="d"), "not a list"),  # type: ignore[arg-type] # wrong on purpose
        (lambda: pb.run("identifiers find", cards("x", 1), run_dir=""), "must be a path"),
        (lambda: pb.run("identifiers find", pd.DataFrame([["a", "b"]], columns=[VALUE, VALUE]), run_dir="d"), "both"),
        (
            lambda: pb.run("identifiers find", pd.DataFrame([["a", 1, 2]], columns=[VALUE, "x", "x"]), run_dir="d"),
            "both",
        ),
        (
            lambda: pb.run("identifiers find", pd.DataFrame({VALUE: ["\ud800"]}, dtype=object), run_dir="d"),
            "half of a character",
        ),
        (lambda: pb.read_results("nowhere", "result"), "is no report of a run"),  # type: ignore[arg-type] # wrong on purpose
        (lambda: pb.export_giftcards(to="all.csv"), "name it .parquet"),
        (lambda: pb.export_giftcards(programs="p-1"), "must be a list"),
        (lambda: pb.export_giftcards(concurrency=10**9), "between 1 and 500"),
        (lambda: pb.report("store", to="month.html"), "must be a list"),
        (lambda: pb.report("store", to=["month.doc"]), "reports are written as"),
        (lambda: pb.report("store", language="fr"), "must be one of en, nl"),
        (lambda: pb.read_snapshot("nowhere.parquet"), "cannot be read as a snapshot"),
    ],
)
def test_what_cannot_start_is_a_setup_error(make: Any, words: str) -> None:
    """Exit code 2: nothing was sent, one line says why."""
    with pytest.raises(pb.SetupError, match=re.escape(words)) as caught:
        make()
    assert caught.value.exit_code == 2


WRONG_OPTIONS: list[tuple[str, list[Any]]] = [
    ("rate", [-1, float("nan"), float("inf"), "fast", True, None]),
    ("concurrency", [0, 501, 10**9, 1.5, "8", None]),
    ("attempts", [0, 101]),
    ("limit", [0, -1, "20"]),
    ("drop_last", [-1, 1001]),
    ("timeout_s", [0, -1, float("nan"), "30"]),
    ("reserve", [-0.1, 1]),
    ("max_errors_percent", [-1, 101]),
    *((flag, ["no", 1, None]) for flag in ("yes", "again", "skip_invalid", "resend_unknown", "allow_repeats")),
    ("maps", [{VALUE: 5}, "card", [("a", "b")]]),
    ("values", [{VALUE: "x"}, 5]),
    ("hold", ["MD101", 5, [5]]),
    ("encoding", [5]),
    ("format", ["doc"]),
]


@pytest.mark.parametrize(("name", "values"), WRONG_OPTIONS, ids=[name for name, _ in WRONG_OPTIONS])
def test_an_option_out_of_its_bounds_is_a_setup_error(name: str, values: list[Any]) -> None:
    """As on the command line: nothing is begun, "no" is not taken for yes, a word not for its letters."""
    for value in values:
        with pytest.raises(pb.SetupError, match=re.escape(f"{name}={value!r}: must be ")):
            pb.run("identifiers create", cards("x", 2), run_dir="bounds", **{name: value})
    assert not Path("bounds").exists()


def test_an_option_that_there_is_not_is_named_with_those_that_there_are() -> None:
    """A slip of the keyboard is a TypeError, as for every Python function, and says what was meant."""
    with pytest.raises(TypeError, match=r"no option ratee \(did you mean rate\?\); there are run_dir, "):
        pb.run("identifiers create", "cards.csv", ratee=5)  # type: ignore[call-arg]


def test_a_wrong_token_is_a_halt() -> None:
    """Exit code 3: a person has to act."""
    with pytest.raises(pb.HaltError, match="401"):
        pb.run("identifiers create", cards("halt", 1), run_dir="halt", account=pb.Account(token="wrong"), rate=0)


def test_other_rows_in_the_same_run_directory_are_a_journal_error() -> None:
    """Exit code 4: a run belongs to its rows."""
    pb.run("identifiers create", cards("bound", 2), run_dir="bound", rate=0, limit=1)
    with pytest.raises(pb.JournalError, match="belongs to other rows"):
        pb.run("identifiers create", cards("bound", 3), run_dir="bound", rate=0)


def test_a_migration(service: Service) -> None:
    """All stages, from a DataFrame."""
    rows = pd.DataFrame({VALUE: ["mig-1", "mig-2"], "email": "mig@example.test"}, dtype="string")
    result = pb.migrate(rows, run_dir="moved", rate=0, yes=True, check=True)
    assert result.summary is not None
    assert result.summary["stages"]["create"]["counts"] == {"done": 2}


def test_in_a_notebook_whose_loop_runs_already() -> None:
    """A running event loop, as notebooks have one, is no hindrance."""

    async def cell() -> int:
        return pb.run("identifiers create", cards("cell", 3), run_dir="cell", rate=0).exit_code

    assert asyncio.run(cell()) == 0


def test_what_is_said_goes_to_the_logger_and_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is printed; the plan is a message of the logger piggy_batch, and stands in run.log."""
    with caplog.at_level(logging.INFO, logger="piggy_batch"):
        pb.run("identifiers create", cards("log", 1), run_dir="log", rate=0)
    assert any(record.message.startswith("plan: identifiers create") for record in caplog.records)
    assert "plan: identifiers create" in (Path("log") / "run.log").read_text()


def test_an_interruption_ends_softly_and_the_same_call_goes_on() -> None:
    """KeyboardInterrupt in the waiting thread: what was sent is known, nothing is sent twice."""
    frame = cards("stop", 200)
    timer = threading.Timer(1.0, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        pb.run("identifiers create", frame, run_dir="stop", rate=40)
    counts = audit(Path("stop"), 200)
    assert set(counts) == {"done", "pending"}
    assert pb.run("identifiers create", frame, run_dir="stop", rate=0, check=True).exit_code == 0


# --- frames -----------------------------------------------------------------------------------------------


def test_cells_are_text_to_the_last_digit() -> None:
    """Text, whole numbers, truth values and missing cells, each as it stands."""
    frame = pd.DataFrame(
        {
            "text": ["007", None, 'a"b'],
            "whole": pd.array([10**17 + 1, None, 3], dtype="Int64"),
            "flag": [True, False, None],
            "e;mail": pd.array(["x,y", pd.NA, "é"], dtype="string"),
        }
    )
    assert manifest_bytes(frame).decode() == (
        'text,whole,flag,e;mail\n007,100000000000000001,true,"x,y"\n,,false,\n"a""b",3,,é\n'
    )


# --- exports and reports ----------------------------------------------------------------------------------


def test_giftcards_are_a_dataframe_with_its_proof() -> None:
    """Agreed, typed, and kept where that is asked for."""
    frame = pb.export_giftcards(rate=0, to="giftcards.parquet")
    assert len(frame) == 120
    assert frame.attrs["summary"]["verdict"] == "agreed"
    assert frame["amount_in_cents"].dtype == "Int64"
    assert Path("giftcards.parquet").exists()


def test_a_list_that_is_not_proven_is_an_exception() -> None:
    """Pages that lack rows: IncompleteError with the verdict, or the frame for who accepts it."""
    with serving("--giftcards", "40", "--fault", "short-page") as lying:
        account = pb.Account(base_url=lying.url)
        with pytest.raises(pb.IncompleteError) as caught:
            pb.export_giftcards(rate=0, account=account)
        assert not caught.value.result.agreed
        frame = pb.export_giftcards(rate=0, account=account, accept_partial=True)
    assert len(frame) < 40
    assert frame.attrs["summary"]["agreed"] is False


def test_contacts_with_chosen_columns() -> None:
    """Two columns of every contact."""
    frame = pb.export_contacts(rate=0, columns=["email", "contact_uuid"])
    assert {"email", "contact_uuid"} <= set(frame.columns)
    assert "referral_code" not in frame


def test_snapshots_and_the_report_on_them(tmp_path: Path) -> None:
    """The store's snapshots, their cards, and the report as a value and as files."""
    store = tmp_path / "store"
    command = [sys.executable, "-m", "piggy_batch", "giftcards", "snapshot", "--store", str(store), "--rate", "0"]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True, timeout=60)
    (found,) = pb.snapshots(store)
    assert (found.agreed, found.cards) == (True, 120)
    assert len(pb.read_snapshot(found)) == len(pb.read_snapshot(found.path)) == 120
    report = pb.report(store, to=[tmp_path / "report.json"])
    assert report.closed
    assert json.loads((tmp_path / "report.json").read_text())


# --- the topic --------------------------------------------------------------------------------------------


def blocks() -> list[str]:
    """The recipes of the topic."""
    return re.findall(r"```python\n(.*?)```", TOPIC.read_text(encoding="utf-8"), re.DOTALL)


def test_the_notebook_recipe_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands, beside the samples."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    space: dict[str, Any] = {}
    exec(compile(blocks()[0], "notebook", "exec"), space)
    assert space["done"].exit_code == 0
    assert (space["outcome"]["_status"] == "done").sum() == 20
    assert "20" in capsys.readouterr().out
    assert space["owed"].sum() > 0


def test_the_airflow_recipe_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    """In ten lines, with Airflow's decorators and a profile of the test's own."""
    ran: list[Any] = []
    sdk = types.ModuleType("airflow.sdk")
    sdk.dag = lambda **_: lambda make: make  # type: ignore[attr-defined]
    sdk.task = lambda **_: lambda work: lambda: ran.append(work())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airflow", types.ModuleType("airflow"))
    monkeypatch.setitem(sys.modules, "airflow.sdk", sdk)
    config = tmp_path / "config" / "piggy-batch" / "profiles.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[shop-a]\nbase_url = "{service.url}"\nrate = 50\n')
    config.chmod(0o600)
    (tmp_path / "cards.csv").write_text(f"{VALUE}\nairflow-1\n")
    code = blocks()[1].replace("/srv/", f"{tmp_path}/")
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    exec(compile(code, "airflow", "exec"), {})
    assert ran == [{**ran[0], "done": 1}]


def test_the_cron_recipe_is_a_script(tmp_path: Path) -> None:
    """It says what is missing, and ends with 1."""
    script = tmp_path / "close.py"
    script.write_text(blocks()[2].replace("/srv/", f"{tmp_path}/"))
    run = subprocess.run(
        [sys.executable, str(script)], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr.startswith("giftcards: ")


def test_importing_the_package_loads_nothing_heavy() -> None:
    """Names load when they are used; an unknown one is an AttributeError as of any module."""
    code = (
        "import sys, time, piggy_batch as pb\n"
        "assert not {'pandas', 'httpx', 'click', 'sqlite3'} & set(sys.modules)\n"
        "assert 'run' in dir(pb) and callable(pb.run)\n"
        "try: pb.nothing\n"
        "except AttributeError: sys.exit(0)\n"
        "sys.exit(1)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_every_public_name_is_documented_in_the_topic() -> None:
    """Functions and exceptions alike, each with a docstring."""
    text = TOPIC.read_text(encoding="utf-8")
    for name in pb.__all__:
        if name not in ("__version__", "PiggyBatchError", "Progress"):
            assert f"pb.{name}" in text, name
        if name != "__version__":
            assert getattr(pb, name).__doc__
