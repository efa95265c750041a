"""The command line as a person meets it: real processes against a real sandbox."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.prove.service import ROOT, Service, sandbox
from tests.support.world import audit, read_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.process
VALUE = "contact_identifier_value"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A sandbox process."""
    with sandbox("--contacts", "10", "--giftcards", "10") as found:
        yield found


@pytest.fixture
def piggy(tmp_path: Path, service: Service) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the program in a folder of its own."""

    def run(*words: str, env: dict[str, str] | None = None, **more: Any) -> subprocess.CompletedProcess[str]:
        environment = service.environment() | (env or {})
        return subprocess.run(
            [sys.executable, "-m", "piggy_batch", *words],
            cwd=tmp_path,
            env={k: v for k, v in environment.items() if v != "<unset>"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
            **more,
        )

    return run


Piggy = "Callable[..., subprocess.CompletedProcess[str]]"


def cards(folder: Path, name: str, rows: int) -> Path:
    """A manifest of cards whose values begin with the manifest's name."""
    path = folder / f"{name}.csv"
    path.write_text(f"{VALUE}\n" + "".join(f"{name}-{n}\n" for n in range(rows)))
    return path


def wait_for(path: Path) -> None:
    """Until a file is there."""
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_help_and_version_import_nothing_heavy() -> None:
    """--version and --help load no pandas, pyarrow, httpx or asyncio, and the plainest no json or hashlib."""
    code = (
        "import sys\nfrom piggy_batch.cli.main import cli\n"
        "light = {'json', 'secrets', 'hashlib', 'random'} & set(sys.modules)\n"
        "assert not light, light\n"
        "for words in (['--version'], ['--help'], ['identifiers', '--help'], ['identifiers', 'create', '--help'],"
        " ['giftcards', '--help']):\n"
        "    try: cli.main(words, prog_name='piggy-batch')\n"
        "    except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'pandas', 'pyarrow', 'httpx', 'tqdm', 'sqlite3', 'starlette', 'asyncio'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_writing_a_table_loads_no_pandas(kind: str, tmp_path: Path) -> None:
    """pyarrow would load it at the first value: half a second and 50 MiB; reports that need it have it all the same."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom piggy_batch.tables import OutputColumn, open_writer\n"
        "columns = [OutputColumn('a'), OutputColumn('n', 'int')]\n"
        f"with open_writer(Path({str(tmp_path / 'file')!r}), {kind!r}, columns) as writer:\n"
        "    writer.write([['x', 1], [None, None]])\n"
        "assert 'pandas' not in sys.modules\n"
        "import pandas, pyarrow\n"
        "assert pyarrow.table({'n': [1, 2]}).to_pandas().n.sum() == 3\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr


def test_a_run_from_start_to_end(piggy: Piggy, tmp_path: Path) -> None:
    """Data on stdout, plan and messages on stderr, exit 0, status says so afterwards."""
    cards(tmp_path, "whole", 20)
    run = piggy("identifiers", "create", "whole.csv", "--rate", "0", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["counts"]["done"] == 20
    assert "plan: identifiers create" in run.stderr
    assert audit(tmp_path / "whole.identifiers-create", 20) == {"done": 20}
    status = piggy("status", "whole.identifiers-create", "--json")
    assert json.loads(status.stdout)["exit_code"] == 0


@pytest.mark.parametrize("before", [True, False])
def test_program_options_stand_before_and_after_the_subcommand(
    piggy: Piggy, service: Service, tmp_path: Path, before: bool
) -> None:
    """--base-url and --token-file work in both places."""
    token = tmp_path / "token"
    token.write_text(service.token)
    options = ["--base-url", service.url, "--token-file", str(token)]
    words = [*options, "ping"] if before else ["ping", *options]
    run = piggy(*words, env={"PIGGY_BASE_URL": "<unset>", "PIGGY_TOKEN": "<unset>"})
    assert run.returncode == 0, run.stderr
    assert "Sandbox Shop" in run.stdout


@pytest.mark.parametrize(
    ("env", "code", "words"),
    [
        ({"PIGGY_TOKEN": "<unset>"}, 2, 'eval "$(piggy-batch sandbox --print-env)"'),
        ({"PIGGY_TOKEN": "wrong-secret"}, 3, "401"),
        ({"PIGGY_BASE_URL": "http://api.piggy.eu"}, 2, "https"),
        ({"PIGGY_BASE_URL": "http://127.0.0.1:9"}, 3, "(piggy-batch sandbox?) runs on this machine"),
    ],
)
def test_trouble_before_the_start_is_one_clear_line(
    piggy: Piggy, tmp_path: Path, env: dict[str, str], code: int, words: str
) -> None:
    """No token, wrong token, no https, nobody there: the documented exit code, no traceback, no token shown."""
    cards(tmp_path, "trouble", 1)
    run = piggy("identifiers", "create", "trouble.csv", env=env)
    assert run.returncode == code, run.stderr
    assert words in run.stderr
    assert "Traceback" not in run.stderr
    assert "wrong-secret" not in run.stdout + run.stderr
    assert not (tmp_path / "trouble.identifiers-create").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--rate", "-1"],
        ["--rate", "fast"],
        ["--max-errors", "0"],
        ["--max-errors", "101%"],
        ["--max-wait", "soon"],
        ["--map", "nonsense"],
        ["--map", "no_field=contact_identifier_value"],
        ["--map", "contact_uuid=no_column"],
        ["--set", "contact_identifier_value=x"],
        ["--set", "a=1", "--set", "a=2"],
        ["--limit", "0"],
        ["--concurrency", "0"],
        ["--format", "doc"],
        ["--token", "secret"],
    ],
)
def test_a_wrong_option_is_a_usage_error(piggy: Piggy, tmp_path: Path, words: list[str]) -> None:
    """Exit 2, nothing sent, nothing left behind."""
    cards(tmp_path, "usage", 1)
    run = piggy("identifiers", "create", "usage.csv", *words)
    assert run.returncode == 2, run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "usage.identifiers-create").exists()


def test_templates_are_headers(piggy: Piggy) -> None:
    """--template prints the header row; no token is needed."""
    run = piggy("identifiers", "link", "--template", env={"PIGGY_TOKEN": "<unset>"})
    assert (run.returncode, run.stdout) == (0, "contact_identifier_value,contact_uuid\n")


def test_the_environment_sets_pace_but_waives_no_safeguard(piggy: Piggy, tmp_path: Path) -> None:
    """PIGGY_BATCH_RATE counts; PIGGY_BATCH_YES does not."""
    (tmp_path / "gone.csv").write_text(f"{VALUE}\nX\n")
    plan = piggy("identifiers", "delete", "gone.csv", "--dry-run", env={"PIGGY_BATCH_RATE": "0.25"})
    assert "0.25 a second" in plan.stdout + plan.stderr
    waived = {f"PIGGY_BATCH_{n}": "1" for n in ("YES", "AGAIN", "RESEND_UNKNOWN", "RETRY_REJECTED", "SKIP_INVALID")}
    run = piggy("identifiers", "delete", "gone.csv", env=waived)
    assert run.returncode == 2
    assert "--yes" in run.stderr


def test_the_first_ctrl_c_lands_what_is_in_the_air_and_the_same_command_goes_on(
    service: Service, tmp_path: Path, piggy: Piggy
) -> None:
    """SIGINT: exit 130, reports written, nothing lost; the printed command finishes."""
    cards(tmp_path, "stop", 400)
    words = ["identifiers", "create", "stop.csv", "--rate", "40", "--no-progress"]
    run = subprocess.Popen(
        [sys.executable, "-m", "piggy_batch", *words],
        cwd=tmp_path,
        env=service.environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    run_dir = tmp_path / "stop.identifiers-create"
    wait_for(run_dir / "run.log")
    time.sleep(0.8)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=30)
    assert run.returncode == 130, err
    assert re.search(
        r"stopping: no more rows are taken; (waiting for \d+ requests? under way, at most 30s|no request is under way)",
        err,
    )
    assert "go on with: piggy-batch identifiers create stop.csv" in err
    counts = audit(run_dir, 400)
    assert set(counts) == {"done", "pending"}
    again = piggy(*words, "--rate", "0")
    assert again.returncode == 0, again.stderr
    assert audit(run_dir, 400) == {"done": 400}
    assert service.state()["max_per_key"]["identifiers.create"] == 1


def test_a_second_ctrl_c_leaves_at_once(tmp_path: Path) -> None:
    """With an answer that never comes: the second SIGINT ends the program, and the journal is enough."""
    with sandbox("--fault", "timeout:0.5") as service:
        cards(tmp_path, "twice", 50)
        run = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "piggy_batch",
                "identifiers",
                "create",
                "twice.csv",
                "--rate",
                "50",
                "--timeout",
                "20",
            ],
            cwd=tmp_path,
            env=service.environment(),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        run_dir = tmp_path / "twice.identifiers-create"
        wait_for(run_dir / "run.log")
        time.sleep(0.6)
        run.send_signal(signal.SIGINT)
        time.sleep(0.3)
        begun = time.monotonic()
        run.send_signal(signal.SIGINT)
        assert run.wait(timeout=15) == 130
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("target", ["gone", "/dev/full"])
def test_a_stream_that_takes_nothing_ends_no_import(service: Service, tmp_path: Path, stream: str, target: str) -> None:
    """A reader that has gone, with the bar on, or a full disk: the rows are done, the reports written, exit 0."""
    name = f"{stream}{target.strip('/').replace('/', '-')}"
    cards(tmp_path, name, 5)
    if target == "gone":
        read, write = os.pipe()
        os.close(read)
    else:
        write = os.open(target, os.O_WRONLY)
    streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: write}
    run = subprocess.run(
        [sys.executable, "-m", "piggy_batch", "identifiers", "create", f"{name}.csv", "--rate", "0", "--progress"],
        cwd=tmp_path,
        env=service.environment(),
        timeout=60,
        check=False,
        **streams,
    )
    os.close(write)
    assert run.returncode == 0
    assert audit(tmp_path / f"{name}.identifiers-create", 5) == {"done": 5}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_hang_up_ends_softly_however_often_it_is_told(
    service: Service, tmp_path: Path, number: signal.Signals
) -> None:
    """As the first Ctrl-C: what is in the air lands, the reports are written; an ssh line that breaks is no kill."""
    name = number.name.lower()
    cards(tmp_path, name, 300)
    run = subprocess.Popen(
        [sys.executable, "-m", "piggy_batch", "identifiers", "create", f"{name}.csv", "--rate", "40", "--no-progress"],
        cwd=tmp_path,
        env=service.environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    log = tmp_path / f"{name}.identifiers-create" / "run.log"
    wait_for(log)
    time.sleep(0.5)
    run.send_signal(number)
    if number is signal.SIGHUP:
        run.send_signal(number)
    _, err = run.communicate(timeout=30)
    assert run.returncode == 130, err
    assert "stopping: no more rows are taken" in log.read_text()
    assert set(audit(log.parent, 300)) == {"done", "pending"}


def test_the_first_ctrl_c_while_a_list_is_read_ends_at_once(service: Service, tmp_path: Path) -> None:
    """Nothing has been sent, so there is nothing to land; nothing is left behind either."""
    cards(tmp_path, "long", 1_500_000)
    run = subprocess.Popen(
        [sys.executable, "-m", "piggy_batch", "identifiers", "create", "long.csv", "--no-progress"],
        cwd=tmp_path,
        env=service.environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(tmp_path / "long.identifiers-create" / "journal.sqlite")
    run.send_signal(signal.SIGINT)
    begun = time.monotonic()
    _, err = run.communicate(timeout=30)
    assert (run.returncode, err) == (130, "\npiggy-batch: interrupted; nothing was sent\n")
    assert time.monotonic() - begun < 3
    assert not (tmp_path / "long.identifiers-create").exists()


def test_the_first_ctrl_c_while_the_service_does_not_answer_ends_at_once(tmp_path: Path) -> None:
    """The first request is only a question; it is not waited for."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        cards(tmp_path, "mute", 3)
        run = subprocess.Popen(
            [sys.executable, "-m", "piggy_batch", "identifiers", "create", "mute.csv", "--no-progress"],
            cwd=tmp_path,
            env=os.environ
            | {
                "PYTHONPATH": str(ROOT),
                "PIGGY_TOKEN": "t",
                "PIGGY_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = silent.accept()
        assert connection.recv(10)
        run.send_signal(signal.SIGINT)
        begun = time.monotonic()
        _, err = run.communicate(timeout=30)
        connection.close()
    assert (run.returncode, err) == (130, "\npiggy-batch: interrupted; nothing was sent\n")
    assert time.monotonic() - begun < 3


def test_a_closed_stdout_is_no_traceback(service: Service, tmp_path: Path) -> None:
    """A reader that leaves early spoils nothing: the rows are done, the reports written."""
    cards(tmp_path, "pipe", 5)
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run(
        [sys.executable, "-m", "piggy_batch", "identifiers", "create", "pipe.csv", "--rate", "0"],
        cwd=tmp_path,
        env=service.environment(),
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(write)
    assert "Traceback" not in run.stderr
    assert audit(tmp_path / "pipe.identifiers-create", 5) == {"done": 5}


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_full_disk_ends_with_one_line_and_the_same_command_goes_on(service: Service, tmp_path: Path) -> None:
    """A real small disk runs full in mid-run: exit 4, no traceback; with room again nothing is lost or doubled."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1600k", "none", str(disk)], check=False).returncode:
        pytest.skip("this machine does not let tests mount a disk")
    try:
        path = disk / "full.csv"
        path.write_text(f"{VALUE},note\n" + "".join(f"full-{n},{'x' * 100}\n" for n in range(3000)))
        words = [
            sys.executable,
            "-m",
            "piggy_batch",
            "identifiers",
            "create",
            "full.csv",
            "--rate",
            "0",
            "--no-progress",
        ]
        given: dict[str, Any] = {"cwd": disk, "env": service.environment(), "capture_output": True, "text": True}
        run = subprocess.run(words, **given, timeout=120, check=False)
        assert run.returncode == 4, run.stderr
        assert "Traceback" not in run.stderr
        assert "space" in run.stderr
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        again = subprocess.run(words, **given, timeout=120, check=False)
        assert again.returncode == 0, again.stderr
        counts = audit(disk / "full.identifiers-create", 3000)
        assert counts.get("done", 0) + counts.get("already", 0) == 3000
        assert service.state()["max_per_key"]["identifiers.create"] == 1
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_the_token_is_nowhere(tmp_path: Path) -> None:
    """Not in any file, on any stream, nor in the list of processes, at the highest verbosity and with faults."""
    secret = "s3cret-token-0123456789"
    with sandbox("--token", secret, "--fault", "500:0.2", "--fault", "reset-after:0.2") as service:
        cards(tmp_path, "quiet", 60)
        run = subprocess.Popen(
            [sys.executable, "-m", "piggy_batch", "identifiers", "create", "quiet.csv", "--rate", "200", "-v", "-v"],
            cwd=tmp_path,
            env=service.environment(),
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        command_line = Path(f"/proc/{run.pid}/cmdline").read_bytes()
        out, err = run.communicate(timeout=60)
    assert secret.encode() not in command_line
    assert secret not in out + err
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes(), file.name
    assert read_csv(tmp_path / "quiet.identifiers-create" / "results.csv")


def test_text_of_a_manifest_cannot_drive_the_terminal(piggy: Piggy, tmp_path: Path) -> None:
    """Control characters of cells, column and file names are escaped on output."""
    (tmp_path / "esc\x1b[31m.csv").write_text(f"{VALUE},x\x1b[2J\n ,\nA\x1b]0;x\x07,\nA\x1b]0;x\x07,\n")
    run = piggy("identifiers", "create", "esc\x1b[31m.csv")
    assert run.returncode == 2
    assert "\x1b" not in run.stdout + run.stderr
    assert "\x07" not in run.stdout + run.stderr
