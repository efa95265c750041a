"""What shells, disks and environments do to the program: real processes, and one line each instead of a traceback."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.failing_disk import failing_disk_library
from tests.support.processes import PROGRAM, ROOT, Service, completed, environment, finish, manifest, serving, start

pytestmark = pytest.mark.process
LIST = "contact_identifier_value\n"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A sandbox process."""
    with serving("--contacts", "10", "--giftcards", "10") as found:
        yield found


def shell(
    service: Service, folder: Path, script: str, *words: str, program: list[str] = PROGRAM, **more: str | None
) -> subprocess.CompletedProcess[str]:
    """Run the program by a shell script, in which ``"$@"`` is its command line."""
    environ = environment(folder, PYTHONPATH=str(ROOT), PIGGY_BASE_URL=service.url, **more)
    command = ["bash", "-c", script, "bash", *program, *words]
    return completed(command, folder, environ)


def cards(folder: Path, name: str, rows: int = 3) -> str:
    """The name of a manifest of cards, all new."""
    path = folder / f"{name}.csv"
    path.write_text(LIST + "".join(f"{name}-{n}\n" for n in range(rows)), encoding="utf-8")
    return path.name


def test_with_stderr_closed_stdout_is_json_and_nothing_else(service: Service, tmp_path: Path) -> None:
    """What is meant for people goes nowhere, and no file of the run takes the place of stderr."""
    words = ("identifiers", "create", cards(tmp_path, "closed"), "--yes", "--rate", "0", "--json", "--progress", "-v")
    done = shell(service, tmp_path, 'exec "$@" 2>&-', *words)
    assert done.returncode == 0
    assert json.loads(done.stdout)["counts"]["done"] == 3
    log = (tmp_path / "closed.identifiers-create" / "run.log").read_text(encoding="utf-8")
    assert all(line[:2] == "20" for line in log.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        ("identifiers", "create", "full.csv", "--yes", "--rate", "0", "--json"),
        ("giftcards", "export", "--to", "all.csv", "--rate", "0", "--json"),
    ],
)
def test_a_summary_that_cannot_be_written_is_exit_1(service: Service, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Whoever reads the summary from a full disk would take half of it for all; the run itself is complete."""
    cards(tmp_path, "full", 1)
    done = shell(service, tmp_path, 'exec "$@" > /dev/full', *words)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "piggy-batch: the output cannot be written: No space left on device"


def test_a_reader_that_has_gone_changes_no_exit_code(service: Service, tmp_path: Path) -> None:
    """As in `… | head`: nobody wants the rest."""
    words = ("identifiers", "create", cards(tmp_path, "head"), "--yes", "--rate", "0")
    done = shell(service, tmp_path, '(sleep 0; "$@"; echo "exit $?" >&2) | true', *words)
    assert done.stderr.splitlines()[-1] == "exit 0"


@pytest.mark.hostile("18.also few file handles, a failing disk, a program that was stopped")
@pytest.mark.parametrize(
    ("limit", "more", "told"),
    [
        (24, (), ("--concurrency 8 needs 32 open files", "allows 24", "ulimit -n 32")),
        (200, ("--concurrency", "400"), ("--concurrency 400 needs 424", "allows 200", "--concurrency 176")),
    ],
)
def test_too_few_open_files_are_refused_at_the_start(
    service: Service, tmp_path: Path, limit: int, more: tuple[str, ...], told: tuple[str, ...]
) -> None:
    """Both numbers are named, and nothing is begun."""
    words = ("identifiers", "create", cards(tmp_path, "few"), "--yes", "--rate", "0", *more)
    done = shell(service, tmp_path, f'ulimit -n {limit}; exec "$@"', *words)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert all(part in line for part in told)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few.csv"]


def test_the_files_that_are_asked_for_are_enough(service: Service, tmp_path: Path) -> None:
    """With as many open files as the refusal names, everything works."""
    words = ("identifiers", "create", cards(tmp_path, "enough", 40), "--yes", "--rate", "0", "--format", "xlsx")
    done = shell(service, tmp_path, 'ulimit -n 32; exec "$@"', *words)
    assert (done.returncode, "retried" in done.stdout) == (0, True)
    assert "(0 retried" in done.stdout


UNEXPECTED = """
import sys
from piggy_batch.cli.main import main
from piggy_batch.client.clock import Clock

class Broken(Clock):
    left = int(sys.argv[1])
    def now(self):
        Broken.left -= 1
        if Broken.left < 0:
            raise KeyError("the sky")
        return super().now()

main(sys.argv[2:], Broken())
"""


def test_an_error_nobody_thought_of_is_one_line_and_exit_70(service: Service, tmp_path: Path) -> None:
    """The line says what it is and that the same command goes on, which it does; the traceback is in run.log."""
    words = ["identifiers", "create", cards(tmp_path, "odd"), "--yes", "--rate", "0", "--no-progress"]
    broken = [sys.executable, "-c", UNEXPECTED, "10"]
    done = shell(service, tmp_path, 'exec "$@"', *words, program=broken)
    assert done.returncode == 70
    line = done.stderr.splitlines()[-1]
    log = tmp_path / "odd.identifiers-create" / "run.log"
    assert line.startswith("piggy-batch: an error in the program itself, KeyError: 'the sky'; ")
    assert f"traceback: {log.relative_to(tmp_path)}" in line
    assert "Traceback" not in done.stderr
    assert "Traceback (most recent call last)" in log.read_text(encoding="utf-8")
    again = shell(service, tmp_path, 'exec "$@"', *words)
    assert again.returncode == 0


def test_an_unexpected_error_without_a_log_shows_its_traceback_when_asked(service: Service, tmp_path: Path) -> None:
    """A command that has no run directory says how to see it: with -v."""
    broken = [sys.executable, "-c", UNEXPECTED, "0"]
    done = shell(service, tmp_path, 'exec "$@"', "giftcards", "programs", program=broken)
    assert (done.returncode, len(done.stderr.splitlines())) == (70, 1)
    assert "add -v" in done.stderr
    done = shell(service, tmp_path, 'exec "$@"', "giftcards", "programs", "-v", program=broken)
    assert (done.returncode, "Traceback" in done.stderr) == (70, True)


@pytest.mark.parametrize("name", ["TQDM_MININTERVAL", "TQDM_NCOLS", "TQDM_DISABLE", "TQDM_BAR_FORMAT"])
def test_settings_of_the_progress_bars_library_are_harmless(service: Service, tmp_path: Path, name: str) -> None:
    """They are meant for other programs, and a wrong one must not end an import."""
    words = ("identifiers", "create", cards(tmp_path, "bar"), "--yes", "--rate", "0", "--progress")
    done = shell(service, tmp_path, 'exec "$@"', *words, **{name: "{nonsense"})
    assert done.returncode == 0, done.stderr
    assert "100%" in done.stderr


def test_certificates_that_are_not_there_are_named_as_what_they_are(service: Service, tmp_path: Path) -> None:
    """SSL_CERT_FILE is at fault, not an option that nobody gave; and over http on this machine it does not matter."""
    missing = str(tmp_path / "nowhere.pem")
    done = shell(service, tmp_path, 'exec "$@"', "ping", SSL_CERT_FILE=missing)
    assert done.returncode == 0, done.stderr
    done = shell(service, tmp_path, 'exec "$@"', "ping", "--base-url", "https://localhost:1", SSL_CERT_FILE=missing)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert f"SSL_CERT_FILE={missing}" in done.stderr
    assert "--ca-file None" not in done.stderr


@pytest.fixture(scope="module")
def failing_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes a disk fail."""
    return failing_disk_library(tmp_path_factory.mktemp("library"))


@pytest.mark.hostile("18.also few file handles, a failing disk, a program that was stopped")
@pytest.mark.parametrize("what", ["import", "export"])
def test_a_disk_that_fails_ends_a_run_at_once_with_exit_4(failing_disk: Path, tmp_path: Path, what: str) -> None:
    """What cannot be written down is not sent: one line that names the disk; once it is sound the same command goes
    on, and nothing was carried out twice."""
    run_dir = tmp_path / "disk" / what
    cards = manifest(tmp_path / "cards.csv", "EIO", 300)
    commands: dict[str, tuple[str | Path, ...]] = {
        "import": ("identifiers", "create", cards, "--yes", "--rate", "100"),
        "export": ("giftcards", "export", "--to", tmp_path / "all.csv", "--page-size", "2", "--rate", "100"),
    }
    words = (*commands[what], "--run-dir", run_dir)
    broken = tmp_path / "broken"
    with serving("--contacts", "1", "--giftcards", "300") as service:
        disk = {"LD_PRELOAD": str(failing_disk), "EIO_TRIGGER": str(broken), "EIO_BELOW": str(run_dir.parent)}
        running = start(service, tmp_path, *words, **disk)
        wait_for(run_dir / "run.log")
        time.sleep(0.3)
        broken.touch()
        code, _, told = finish(running, 20)
        assert code == 4
        assert "disk I/O error" in told
        assert "then run: piggy-batch" in told.splitlines()[-1]
        assert "Traceback" not in told
        broken.unlink()
        code, out, _ = finish(start(service, tmp_path, *words, "--json"))
        assert code == 0
        done = json.loads(out)
        assert (done["counts"]["done"] if what == "import" else done["cards"]) == 300
        if what == "import":
            assert service.ask("state")["effects"] == {"identifiers.create": 300}


@pytest.mark.hostile("18.14 exit 2 after something was sent")
@pytest.mark.parametrize("inodes", [4, 6, 7, 9])
def test_a_disk_without_room_for_another_file_is_exit_4(service: Service, tmp_path: Path, inodes: int) -> None:
    """Whichever file is the one too many: the journal's log, run.log, a report, the summary. Exit 2 would say that
    nothing was sent."""
    (tmp_path / "disk").mkdir()
    cards(tmp_path, f"inodes{inodes}")
    script = f"""
    mount -t tmpfs -o nr_inodes={inodes} tmpfs disk || exit 99
    "$@" disk/run; [ $? = 4 ] || exit 1
    mount -o remount,nr_inodes=100 disk || exit 99
    "$@" disk/run --json > done.json
    """
    words = ("identifiers", "create", f"inodes{inodes}.csv", "--yes", "--rate", "0", "--no-progress", "--run-dir")
    environ = environment(tmp_path, PYTHONPATH=str(ROOT), PIGGY_BASE_URL=service.url)
    command = ["unshare", "-m", "bash", "-c", script, "bash", *PROGRAM, *words]
    done = completed(command, tmp_path, environ)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("this machine lets nobody mount a small disk")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "done.json").read_text())["counts"]["done"] == 3


@pytest.mark.hostile("18.also few file handles, a failing disk, a program that was stopped")
def test_a_stopped_program_goes_on_with_what_came_meanwhile(tmp_path: Path) -> None:
    """SIGSTOP with requests under way, for longer than their time: every row is known, the stop is told, exit 0."""
    cards = manifest(tmp_path / "cards.csv", "STOP", 60)
    words = ("identifiers", "create", cards, "--yes", "--rate", "0", "--timeout", "1", "--no-progress", "--json")
    with serving("--latency-ms", "300") as service:
        running = start(service, tmp_path, *words)
        wait_for(tmp_path / "cards.identifiers-create" / "run.log")
        time.sleep(0.5)
        running.send_signal(signal.SIGSTOP)
        time.sleep(3.5)
        running.send_signal(signal.SIGCONT)
        code, out, told = finish(running)
    assert code == 0
    assert json.loads(out)["counts"]["done"] == 60
    assert told.count("stood still for") == 1


def wait_for(path: Path) -> None:
    """Until a file is there."""
    limit = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < limit, path
        time.sleep(0.02)
