"""The commands as they are typed, in processes of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.prove.exports import command, kills, sandbox

pytestmark = pytest.mark.process
PROGRAM = command(Path())[:3]  # python -m piggy_batch


@pytest.fixture(scope="module")
def service() -> Iterator[dict[str, str]]:
    """A sandbox with 1,000 giftcards, 20 ms an answer."""
    with sandbox(1000, 20) as environment:
        yield environment


def run(environment: dict[str, str], *words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """One command; its exit code is checked."""
    done = subprocess.run(
        [*PROGRAM, *map(str, words)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    return done


def test_export_says_its_plan_its_verdict_and_why(service: dict[str, str], tmp_path: Path) -> None:
    """The plan on stderr before it starts; the summary on stdout."""
    done = run(service, "giftcards", "export", "--to", tmp_path / "cards.parquet", "--rate", 0)
    plan = done.stderr.splitlines()
    assert plan[0].startswith("plan: giftcards export for account Sandbox Shop (")
    assert plan[1] == "pages: 10 of up to 100 cards, each page twice: the second reading is the proof"
    assert plan[2] == "requests: about 23, rate no limit"
    assert done.stdout.startswith(f"giftcards export: agreed, 1,000 cards in {tmp_path / 'cards.parquet'}\n")
    assert "exactly the 1,000 cards that existed at" in done.stdout
    assert pq.read_metadata(tmp_path / "cards.parquet").num_rows == 1000


def test_shops_are_listed_for_people_programs_and_files(service: dict[str, str], tmp_path: Path) -> None:
    """A table, JSON, or a file."""
    shown = run(service, "shops", "list").stdout.splitlines()
    assert [line.split()[0] for line in shown][:1] == ["shop_uuid"]
    found = json.loads(run(service, "shops", "list", "--json").stdout)
    assert [row["shop_name"] for row in found] == ["Shop 1", "Shop 2", "Shop 3"]
    assert [line.split()[0] for line in shown[1:]] == [row["shop_uuid"] for row in found]
    to = tmp_path / "shops.csv"
    assert run(service, "shops", "list", "--to", to).stdout == f"3 shops in {to}\n"
    assert to.read_text().splitlines()[0] == "shop_uuid,shop_name,type,reference"


def test_quiet_is_one_line_and_json_the_whole_summary(service: dict[str, str], tmp_path: Path) -> None:
    """For schedulers; the same summary stands beside the file."""
    to = tmp_path / "cards.csv"
    done = run(service, "giftcards", "export", "--to", to, "--rate", 0, "--quick", "-q")
    assert (done.stdout, done.stderr) == (f"giftcards export: counts agree, 1,000 cards in {to}\n", "")
    done = run(service, "giftcards", "export", "--to", to, "--rate", 0, "-q", "--json")
    summary: dict[str, Any] = json.loads(done.stdout)
    assert summary == json.loads((tmp_path / "cards.csv.summary.json").read_text("utf-8"))
    assert (summary["agreed"], summary["exit_code"], done.stderr) == (True, 0, "")


def test_the_first_ctrl_c_lets_pages_land_and_names_the_command(service: dict[str, str], tmp_path: Path) -> None:
    """Exit 130; the command that is printed goes on, and the directory goes back to what is needed."""
    to = tmp_path / "my cards.csv"
    process = subprocess.Popen(
        [*PROGRAM, "giftcards", "export", "--to", str(to), "--rate", "8"],
        env=service,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("requests:"):
            break
    time.sleep(0.4)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "stopping: no more pages are taken" in err
    assert f"go on with: piggy-batch giftcards export --to '{to}' --rate 8" in err
    assert "is not written" in err
    assert out.startswith("giftcards export: unfinished, ")
    assert not to.exists()
    done = run(service, "giftcards", "export", "--to", to, "--rate", 0)
    assert "going on with the export in" in done.stderr
    assert "agreed, 1,000 cards" in done.stdout


def test_programs_are_listed_with_their_counts(service: dict[str, str], tmp_path: Path) -> None:
    """A table, JSON or a file, so that nobody hunts for a UUID."""
    table = run(service, "giftcards", "programs").stdout.splitlines()
    assert table[0].split() == ["giftcard_program_uuid", "name", "cards", "active", "expires", "after", "maximum"]
    assert len(table) == 4
    found = json.loads(run(service, "giftcards", "programs", "--json").stdout)
    assert sum(program["card_count"] for program in found) == 1000
    run(service, "giftcards", "programs", "--to", tmp_path / "programs.parquet")
    assert pq.read_table(tmp_path / "programs.parquet")["card_count"].to_pylist() == [334, 333, 333]
    uuid = found[1]["giftcard_program_uuid"]
    done = run(service, "giftcards", "export", "--program", uuid, "--to", tmp_path / "one.csv", "--rate", 0, "--json")
    assert (json.loads(done.stdout)["cards"], json.loads(done.stdout)["program_uuids"]) == (333, [uuid])


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--to", "cards.doc"), 2, "name the file with one of the endings"),
        (("--to", "cards.csv", "--page-size", "101"), 2, "101 is not in the range 1<=x<=100"),
        (("--to", "cards.csv", "--program", "nowhere"), 2, "nowhere: Giftcard Program not found. (1100)"),
        (("--to", "cards.csv", "--max-passes", "1"), 2, "1 is not in the range 2<=x<=20"),
        ((), 2, "Missing option '--to'"),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(
    service: dict[str, str], tmp_path: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    """What is wrong, and nothing is left behind."""
    words = tuple(str(tmp_path / word) if word.startswith("cards.") else word for word in words)
    done = run(service, "giftcards", "export", *words, code=code)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_killed_on_the_way_it_writes_the_same_file() -> None:
    """kill -9 twice: the file of an undisturbed run, and only pages in flight are read again."""
    assert kills(6_000, times=2)["same"]
