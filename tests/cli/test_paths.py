"""Paths on the command line: links, pipes, devices, home directories, names that are too long, read-only disks."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import PROGRAM, ROOT, Service, completed, environment, serving

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A sandbox process."""
    with serving("--contacts", "10", "--giftcards", "10", "--identifiers", "10") as found:
        yield found


def bash(service: Service, folder: Path, script: str, **more: str | None) -> subprocess.CompletedProcess[str]:
    """Run a shell script in which ``piggy-batch`` is the program."""
    program = f'piggy-batch() {{ {shlex.join(PROGRAM)} "$@"; }}\n'
    environ = environment(folder, PYTHONPATH=str(ROOT), PIGGY_BASE_URL=service.url, PIGGY_BATCH_RATE="0", **more)
    command = ["bash", "-c", program + script]
    return completed(command, folder, environ)


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir() if path.name != "state")


@pytest.mark.parametrize("there", [True, False])
def test_a_symbolic_link_is_written_through(service: Service, tmp_path: Path, *, there: bool) -> None:
    """What it points to gets the cards, whether it is there yet or not; the link stays a link."""
    real = tmp_path / "share" / "all.csv"
    real.parent.mkdir()
    if there:
        real.write_text("old\n")
    (tmp_path / "link.csv").symlink_to(real)
    done = bash(service, tmp_path, "piggy-batch giftcards export --to link.csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "link.csv").is_symlink()
    assert not real.is_symlink()
    assert len(real.read_text(encoding="utf-8").splitlines()) == 11
    assert names(real.parent) == ["all.csv"]


def test_a_page_is_written_through_a_link_too(service: Service, tmp_path: Path) -> None:
    """As `check --html` makes it."""
    (tmp_path / "cards.csv").write_text("contact_identifier_value\nA-1\n")
    (tmp_path / "page.html").symlink_to("real.html")
    done = bash(service, tmp_path, 'piggy-batch check cards.csv --for "identifiers create" --html page.html')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.html").is_symlink()
    assert "<html" in (tmp_path / "real.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("pipe.csv", "is a pipe or a device"),
        ("null.csv", "is a pipe or a device"),
        ("/dev/stdout", "--run-dir"),
        ("-", "--run-dir"),
        ("folder.csv", "is a directory"),
        ("loop.csv", "levels of symbolic links"),
        ("nowhere.csv", "there is no directory"),
        (f"{'x' * 240}.csv", "File name too long"),
        ("~nobody-of-that-name/all.csv", "no such home directory"),
    ],
)
def test_where_no_file_can_be_put_nothing_is_read(service: Service, tmp_path: Path, target: str, told: str) -> None:
    """Refused before the first request, and what lay there stays what it was."""
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "null.csv").symlink_to("/dev/null")
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    (tmp_path / "nowhere.csv").symlink_to("no/such/folder/all.csv")
    (tmp_path / "folder.csv").mkdir()
    before, asked = names(tmp_path), service.ask("state")["requests_total"]
    done = bash(service, tmp_path, f"piggy-batch giftcards export --to {shlex.quote(target)}")
    assert done.returncode == 2
    assert told in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert (names(tmp_path), service.ask("state")["requests_total"]) == (before, asked)


def test_the_home_directory_is_known_where_the_shell_does_not_see_it(service: Service, tmp_path: Path) -> None:
    """As in --to=~/all.csv, which the shell hands over as it stands; no folder called ~ is made."""
    (tmp_path / "token").write_text("s3cr3t-T0ken-that-nobody-may-see")
    script = "piggy-batch giftcards export '--to=~/all.csv' '--run-dir=~/run' '--token-file=~/token'"
    done = bash(service, tmp_path, script, HOME=str(tmp_path), PIGGY_TOKEN=None)
    assert done.returncode == 0, done.stderr
    assert "all.csv" in names(tmp_path)
    assert "~" not in names(tmp_path)


@pytest.mark.parametrize("command", ["giftcards programs", "giftcards export --run-dir run"])
def test_a_list_goes_to_stdout_as_csv(service: Service, tmp_path: Path, command: str) -> None:
    """Nothing but the list, so that another program can read it; words go to stderr."""
    done = bash(service, tmp_path, f"piggy-batch {command} --to -")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == (3 if "programs" in command else 10)
    assert all(row["giftcard_program_uuid"] for row in rows)
    assert not [name for name in names(tmp_path) if name != "run"]
    if "export" in command:
        assert "agreed" in done.stderr
        assert "stdout.csv" not in names(tmp_path / "run")


def test_two_things_on_stdout_are_one_too_many(service: Service, tmp_path: Path) -> None:
    """A list and a summary in one stream could be told apart by nobody."""
    for command in ("giftcards programs", "giftcards export --run-dir run"):
        done = bash(service, tmp_path, f"piggy-batch {command} --to - --json")
        assert (done.returncode, done.stdout) == (2, "")
        assert names(tmp_path) == []


@pytest.mark.parametrize(
    "given",
    [
        "/dev/stdin --run-dir run < list",
        "/dev/fd/0 --run-dir run < list",
        "<(cat list) --run-dir run",
        "pipe --run-dir run",
    ],
)
def test_a_pipe_is_standard_input(service: Service, tmp_path: Path, given: str) -> None:
    """A process substitution and a named pipe are read once, kept, and gone on with by ``-``."""
    stem = "".join(c for c in given if c.isalnum())
    (tmp_path / "list").write_text("contact_identifier_value\n" + "".join(f"{stem}-{n}\n" for n in range(4)))
    os.mkfifo(tmp_path / "pipe")
    feed = "cat list > pipe &\n" if given.startswith("pipe") else ""
    done = bash(service, tmp_path, f"{feed}piggy-batch identifiers create --yes --limit 2 --json {given}")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["counts"]["done"] == 2
    assert " - " in summary["next"]
    again = bash(service, tmp_path, f"{summary['next'].replace(' --json', '')} --json")
    assert json.loads(again.stdout)["counts"]["done"] == 4


def test_a_pipe_without_a_run_directory_is_refused_as_stdin_is(service: Service, tmp_path: Path) -> None:
    """The run could not be found again."""
    done = bash(service, tmp_path, "piggy-batch identifiers create --yes <(echo contact_identifier_value)")
    assert done.returncode == 2
    assert "needs --run-dir" in done.stderr


READ_ONLY = """
set -e
mount --bind disk disk && mount -o remount,ro,bind disk disk || exit 99
touch disk/x 2>/dev/null && exit 98
set +e
"""


def test_what_has_ended_is_read_on_a_read_only_disk(service: Service, tmp_path: Path) -> None:
    """status, undo and verify --report look at a finished run; undo's manifests go where one works."""
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "cards.csv").write_text("contact_identifier_value\nRO-1\nRO-2\n")
    made = "piggy-batch identifiers create disk/cards.csv --yes && piggy-batch identifiers verify disk/cards.csv"
    assert bash(service, tmp_path, made).returncode == 0
    before = names(disk / "cards.identifiers-create")
    script = (
        READ_ONLY
        + """
        piggy-batch status disk/cards.identifiers-create --json || exit 1
        piggy-batch undo disk/cards.identifiers-create >undo.txt || exit 2
        piggy-batch identifiers verify disk/cards.csv --report page.html --json >verify.json || exit 3
        echo changed >> cards.csv; piggy-batch identifiers verify cards.csv --run-dir disk/cards.identifiers-verify \
          --report other.html
        [ $? = 4 ] || exit 4
        """
    )
    command = ["unshare", "-m", "bash", "-c", f'piggy-batch() {{ {shlex.join(PROGRAM)} "$@"; }}\n{script}']
    environ = environment(tmp_path, PYTHONPATH=str(ROOT), PIGGY_BASE_URL=service.url, PIGGY_BATCH_RATE="0")
    done = completed(command, tmp_path, environ)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("this machine lets nobody mount a disk read-only")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["done"] == 2
    manifest = tmp_path / "cards.identifiers-create.undo" / "undo-1-identifiers-delete.csv"
    assert f" identifiers delete {manifest} " in (tmp_path / "undo.txt").read_text()
    assert "RO-1" in manifest.read_text(encoding="utf-8")
    assert json.loads((tmp_path / "verify.json").read_text())["counts"]["done"] == 2
    assert "All 2 cards are as the manifest says" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert names(disk / "cards.identifiers-create") == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to the superuser")
def test_what_has_ended_is_read_without_the_right_to_write(service: Service, tmp_path: Path) -> None:
    """As on a read-only disk."""
    (tmp_path / "cards.csv").write_text("contact_identifier_value\nNW-1\n")
    assert bash(service, tmp_path, "piggy-batch identifiers create cards.csv --yes").returncode == 0
    run_dir = tmp_path / "cards.identifiers-create"
    run_dir.chmod(0o500)
    try:
        done = bash(service, tmp_path, "piggy-batch status cards.identifiers-create && piggy-batch undo cards.ident*")
    finally:
        run_dir.chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cards.identifiers-create.undo" / "undo-1-identifiers-delete.csv").is_file()


EMPTY = [
    'giftcards export --to ""',
    'giftcards export --to all.csv --run-dir ""',
    'giftcards snapshot --store ""',
    'giftcards report --store ""',
    'identifiers find ""',
    'check cards.csv --for "identifiers find" --write ""',
    'status ""',
    'ping --base-url ""',
    'ping --token-file ""',
    'ping --ca-file ""',
    'ping --profile ""',
]


@pytest.mark.parametrize("words", EMPTY)
def test_an_empty_name_is_refused(service: Service, tmp_path: Path, words: str) -> None:
    """As of a script's variable that is not set: neither the current directory nor the live service is meant."""
    (tmp_path / "cards.csv").write_text("contact_identifier_value\nA-1\n")
    done = bash(service, tmp_path, f"piggy-batch {words}")
    assert done.returncode == 2, done.stderr
    assert "is a variable of the script not set?" in done.stderr
    assert names(tmp_path) == ["cards.csv"]


@pytest.mark.parametrize("place", [".", "/"])
@pytest.mark.parametrize("words", ["giftcards export --to", "giftcards report", "identifiers find", "check"])
def test_a_directory_without_a_name_is_no_file(service: Service, tmp_path: Path, words: str, place: str) -> None:
    """One line, exit code 2."""
    more = ' --for "identifiers find"' if words == "check" else ""
    done = bash(service, tmp_path, f"piggy-batch {words} {place}{more}")
    assert done.returncode == 2, done.stderr
    assert "is a directory" in done.stderr


def test_below_a_file_there_is_no_place(service: Service, tmp_path: Path) -> None:
    """The name is not too long; the message does not say so."""
    (tmp_path / "cards.csv").write_text("contact_identifier_value\nA-1\n")
    done = bash(service, tmp_path, "piggy-batch giftcards export --to cards.csv/all.csv")
    assert done.returncode == 2
    assert "cards.csv is no directory; name another place" in done.stderr
