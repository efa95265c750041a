"""The sandbox's command line: what it prints, its switches, and a month that it plays."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from piggy_batch.cli.commands.sandbox import OPEN_FACTS, sandbox, settings_from
from piggy_batch.cli.main import main
from piggy_batch.sandbox import Sandbox, Settings
from tests.prove import service

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIONS = {param.name for param in sandbox.params}


def run(*words: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """One command of the program, which ends well."""
    done = subprocess.run(
        service.command(*words),
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def given(*words: str) -> dict[str, Any]:
    """The options of a command line by their names."""
    context = sandbox.make_context("sandbox", list(words))
    return {name: value for name, value in context.params.items() if hasattr(Settings(), name)}


def test_every_open_fact_is_an_option() -> None:
    """What the settings' documentation lists under that heading can be chosen, each once."""
    section = str(Settings.__doc__).partition("Open facts")[2]
    facts = [name for name in re.findall(r"``(\w+)``", section) if hasattr(Settings(), name)]
    assert len(facts) == len(set(facts)) == len(OPEN_FACTS)
    assert set(facts) <= OPTIONS


def test_options_start_where_the_settings_do() -> None:
    """Without a word on the command line every switch stands as in a sandbox of a test, sizes and pace apart."""
    settings, default = settings_from(given(), ()), Settings()
    for name in given():
        if name not in {"giftcards", "contacts", "latency_ms"}:
            assert getattr(settings, name) == getattr(default, name), name


def test_options_become_settings() -> None:
    """Choices, flags, numbers and lists; none stands for an account without a usable e-mail."""
    settings = settings_from(
        given(
            *("--trim-values", "--hash-case", "fold", "--longest-value", "20", "--no-top-up-once", "--client-id", "7"),
            *("--attributes", "shoe_size", "--unsubscribed", "a@b.nl", "--email-required", "none"),
        ),
        ("429:0.5",),
    )
    assert (settings.trim_values, settings.hash_case, settings.longest_value) == (True, "fold", 20)
    assert (settings.top_up_once, settings.client_id, settings.attributes) == (False, 7, ("shoe_size",))
    assert (settings.unsubscribed, settings.email_required) == (frozenset({"a@b.nl"}), ())
    assert [(fault.kind, fault.share) for fault in settings.faults] == [("429", 0.5)]


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What the program says before it ends with 2."""
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", *words])
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "0", "--play", "month"], "name the sandbox's own --port"),
        (["--port", "0", "--print-env"], "name the sandbox's own --port"),
        (["--port", "1", "--play", "month"], "no sandbox answers on port 1"),
        (["--events", "events.csv"], "--events events.csv: event 2: no such giftcard"),
        (["--events", "cards.csv"], "has no column action"),
        (["--events", "nowhere.csv"], "nowhere.csv"),
        (["--fault", "flood"], "unknown fault 'flood'"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit 2, and where it stands."""
    monkeypatch.chdir(tmp_path)
    Path("events.csv").write_text("action,hash,amount_in_cents\nissue,A,100\nredeem,B,100\n")
    Path("cards.csv").write_text("hash\nA\n")
    assert said in refusal(words, capsys)


def test_lines_for_a_shell_name_the_things_of_the_sandbox_with_the_same_options(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Address, token, shop and programs are those that it will have; odd texts are quoted."""
    with pytest.raises(SystemExit):
        main(["sandbox", "--print-env", "--port", "8123", "--seed", "7", "--token", "it's $HOME"])
    lines = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert {words[0] for words in lines} == {"export"}
    found = dict(words[1].split("=", 1) for words in lines)
    world = Sandbox(Settings(seed=7)).world
    assert list(found)[:2] == ["PIGGY_BASE_URL", "PIGGY_TOKEN"]
    assert (found["PIGGY_BASE_URL"], found["PIGGY_TOKEN"]) == ("http://127.0.0.1:8123", "it's $HOME")
    assert found["PIGGY_SHOP_UUID"] == world.ledger.shops[1].uuid
    assert found["PIGGY_GIFTCARD_PROGRAM_UUID_3"] == world.cards.programs[3].uuid


@pytest.fixture
def running(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A sandbox with 200 giftcards, and the environment that leads to it; its port in ``PORT``."""
    with service.sandbox("--giftcards", "200", "--contacts", "0") as found:
        state = {"XDG_STATE_HOME": str(tmp_path / "state"), "PORT": found.url.rpartition(":")[2]}
        yield found.environment() | state


@pytest.mark.process
def test_json_instead_of_lines(tmp_path: Path) -> None:
    """One object: address, token, client, every shop and every program by name."""
    words = service.command("sandbox", "--port", "0", "--json", "--shops", "2", "--programs", "1", "--giftcards", "5")
    environment = os.environ | {"PYTHONPATH": str(service.ROOT)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        process.terminate()
    assert told["base_url"].startswith("http://127.0.0.1:")
    assert (told["token"], told["client_id"]) == ("sandbox", 1)
    assert [shop["name"] for shop in told["shops"]] == ["Shop 1", "Shop 2"]
    assert [program["name"] for program in told["giftcard_programs"]] == ["Program 1"]


@pytest.mark.process
def test_a_close_is_rehearsed_as_the_help_says(running: dict[str, str], tmp_path: Path) -> None:
    """The very lines of the help: what was sold and spent between two snapshots is reported, nothing is left over,
    and every card agrees with its transactions."""
    help_text = str(sandbox.help)
    lines = [line.split() for line in help_text.splitlines() if line.startswith("  piggy-batch ")]
    assert len(lines) == 5
    running["PIGGY_BATCH_RATE"] = "0"
    for words in lines:
        time.sleep(1.1)  # the service tells moments in whole seconds; a person types no faster
        port = ["--port", running["PORT"]] if "--play" in words else []
        found = [str(f.relative_to(tmp_path)) for word in words if "*" in word for f in sorted(tmp_path.glob(word))]
        plain = [word for word in words[1:] if "*" not in word]
        done = run(*plain, *found, *port, environment=running, folder=tmp_path)
        if port:
            counts = {action: int(n) for n, action in re.findall(r"(\d+) (\w+)", done.stdout) if action != "events"}
            assert set(counts) == {"issue", "redeem", "topup", "expire"}
    shown = {line.split()[0]: line.split()[-2] for line in done.stdout.splitlines() if len(line.split()) > 2}
    assert (shown["Issued"], shown["Redeemed"]) == (str(counts["issue"]), str(counts["redeem"]))
    assert done.stdout.rstrip().endswith("; closes; cards that differ from transactions: 0")
    assert len((tmp_path / "moved.csv").read_text().splitlines()) - 1 == sum(counts.values())


@pytest.mark.process
def test_events_come_before_anything_is_served(tmp_path: Path) -> None:
    """A table of events, in any format that a manifest may have: each row at its own moment, rows in order."""
    told = [
        {"action": "issue", "hash": "NOV-1", "program": 2, "amount_in_cents": 5000, "at": "2026-11-03T10:00:00+01:00"},
        {"action": "redeem", "hash": "NOV-1", "amount_in_cents": 2000, "at": "2026-11-20T12:00:00+00:00"},
        {"action": "topup", "card": 1, "amount_in_cents": 700, "shop": 2, "at": "2026-11-10"},
    ]
    events = tmp_path / "events.jsonl"
    events.write_text("".join(json.dumps(row) + "\n" for row in told))
    with service.sandbox("--giftcards", "10", "--events", str(events)) as found:
        environment = found.environment() | {"XDG_STATE_HOME": str(tmp_path / "state")}
        moved = tmp_path / "moved.csv"
        words = ("giftcards", "transactions", "export", "--to", str(moved), "--rate", "0")
        run(*words, environment=environment, folder=tmp_path)
    with moved.open(newline="") as file:
        rows = [(row["created_at"], row["amount_in_cents"]) for row in csv.DictReader(file)]
    assert [(moment[:10], cents) for moment, cents in rows] == [
        ("2026-11-03", "5000"),
        ("2026-11-10", "700"),
        ("2026-11-20", "-2000"),
    ]
