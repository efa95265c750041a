"""What the machine does to the program: no room, few file handles, a disk that fails, a stop in the middle."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Ended, Program, needed, statuses
from tests.support.failing_disk import failing_disk_library

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hostile.service import HostileService, Request

pytestmark = pytest.mark.process
PACE = ("--yes", "--rate", "0", "--no-progress")
CREATE = ("identifiers", "create", *PACE)
ROWS = 3
STOPPED_S = 1.6
BOUND_S = 8.0  # in which what cannot go on must have ended

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process")


@pytest.mark.hostile("18.14 exit 2 after something was sent")
def test_a_disk_without_room_for_one_more_file(program: Program, service: HostileService) -> None:
    """For the journal there is, for the results there is not. Exit 2 would say that nothing was sent."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    (program.folder / "disk").mkdir()
    small = 'mount -t tmpfs -o nr_inodes=7 tmpfs disk && exec "$@"'
    words = (*CREATE, program.cards("cards.csv", ROWS), "--run-dir", program.folder / "disk" / "run")
    done = program.end(program.start(*words, url=service.url, prefix=("unshare", "-m", "bash", "-c", small, "bash")))
    needed(service.effects["identifiers.create"] == ROWS, done)
    assert done.code == 4


@linux_only
@pytest.mark.hostile("18.14 exit 2 after something was sent")
def test_file_handles_that_run_out_at_the_end(program: Program, service: HostileService) -> None:
    """Before the reports are written. Exit 2 would say that nothing was sent; the same command writes them."""
    import resource

    async def hook(request: Request) -> None:
        if request.method == "POST" and service.effects["identifiers.create"] == ROWS - 1:
            resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (8, 1_000))

    service.hook = hook
    words = (*CREATE, "--concurrency", "1", program.cards("cards.csv", ROWS))
    running = program.start(*words, url=service.url)
    done = program.end(running)
    needed(service.effects["identifiers.create"] == ROWS)
    assert done.code == 4
    service.hook = None
    assert program.run(*words, url=service.url).code == 0
    assert statuses(program.folder / "cards.identifiers-create") == {"done": ROWS}


ALSO = pytest.mark.hostile("18.also few file handles, a failing disk, a program that was stopped")


@ALSO
def test_fewer_file_handles_than_connections(program: Program, service: HostileService) -> None:
    """It ends, with an exit code that is true; it does not wait for ever for a connection that it cannot open."""
    few = ("bash", "-c", 'ulimit -n 16; exec "$@"', "bash")
    words = (*CREATE, "--concurrency", "8", program.cards("cards.csv", 60))
    done = ended_in_time(program, program.start(*words, url=service.url, prefix=few))
    assert done is not None, "it waits for ever"
    assert (done.code, service.effects["identifiers.create"]) in ((2, 0), (4, 0), (0, 60))


def ended_in_time(program: Program, process: subprocess.Popen[str]) -> Ended | None:
    """How it ended; None where it did not."""
    try:
        return program.end(process, BOUND_S)
    except subprocess.TimeoutExpired:
        program.kill(process)
        return None


@pytest.fixture(scope="module")
def failing_disk(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], dict[str, str]]:
    """What makes writing fail with EIO below a path while a file is there: settings of the environment."""
    library = failing_disk_library(tmp_path_factory.mktemp("library"))
    return lambda trigger, below: {"LD_PRELOAD": str(library), "EIO_TRIGGER": str(trigger), "EIO_BELOW": below}


@ALSO
@pytest.mark.parametrize("kind", ["parquet", "xlsx"])
def test_a_disk_that_fails_under_the_results(
    program: Program, service: HostileService, failing_disk: Callable[[Path, str], dict[str, str]], kind: str
) -> None:
    """After everything was sent: exit 4, and once the disk is sound the same command writes them."""
    broken = program.folder / "broken"
    broken.touch()
    words = (*CREATE, "--format", kind, program.cards("cards.csv", ROWS))
    done = program.run(*words, url=service.url, **failing_disk(broken, "results"))
    needed(service.effects["identifiers.create"] == ROWS)
    assert done.code == 4
    assert "Traceback" not in done.said
    broken.unlink()
    assert program.run(*words, url=service.url).code == 0
    assert service.effects["identifiers.create"] == ROWS


@ALSO
def test_a_stop_for_longer_than_an_answer_may_take(program: Program, service: HostileService) -> None:
    """SIGSTOP with requests under way: what came meanwhile is read, and no card is in doubt whose answer is there."""
    stops: list[asyncio.TimerHandle] = []

    async def hook(request: Request) -> None:
        if request.method == "POST" and service.effects["giftcards.create"] == ROWS and not stops:
            running.send_signal(signal.SIGSTOP)
            stops.append(asyncio.get_running_loop().call_later(STOPPED_S, running.send_signal, signal.SIGCONT))

    service.hook = hook
    rows = (f"{service.uuid_of_program()},{number}" for number in range(20))
    words = ("giftcards", "create", "--no-baseline", *PACE, "--concurrency", "4", "--timeout", "1")
    running = program.start(*words, program.manifest("cards.csv", "giftcard_program_uuid,order", rows), url=service.url)
    done = program.end(running)
    needed(stops, service.effects["giftcards.create"] == 20)
    assert statuses(program.folder / "cards.giftcards-create") == {"done": 20}
    assert done.code == 0
