"""A run directory that is put back from an older copy, and the same command once more."""

from __future__ import annotations

import asyncio
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, needed
from tests.hostile.service import CUT, Answer

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.hostile.service import HostileService, Request

pytestmark = pytest.mark.process
CARDS = 4
ACCOUNT = "7c1e0000-0000-4000-a000-000000000001"  # none of those that are there to rehearse with


class Batch:
    """A run of four new cards, one request at a time."""

    def __init__(self, program: Program, service: HostileService) -> None:
        self.program = program
        self.service = service
        rows = (f"{service.uuid_of_program()},{number}" for number in range(CARDS))
        self._manifest = program.manifest("vouchers.csv", "giftcard_program_uuid,order", rows)
        self.run_dir = program.folder / "batch"
        self._copy = program.folder / "copy"
        self._words = ("giftcards", "create", self._manifest, "--run-dir", self.run_dir, "--no-baseline", "--yes")
        self._words += ("--rate", "0", "--concurrency", "1", "--no-progress")

    def start(self, *more: str, **environ: str) -> subprocess.Popen[str]:
        """Begin the command."""
        return self.program.start(*self._words, *more, url=self.service.url, **environ)

    def run(self, *more: str, **environ: str) -> int:
        """The command to its end; its exit code."""
        return self.program.end(self.start(*more, **environ)).code

    def run_and_kill(self, at: int, before: Callable[[int], None] = lambda _: None) -> None:
        """Kill it once the service has carried request ``at`` out. ``before``: called with each request's number."""
        posts, there = 0, threading.Event()

        async def hold(request: Request) -> Answer | None:
            nonlocal posts
            if request.method != "POST":
                return None
            posts += 1
            before(posts)
            answer = await self.service.pass_on(request)
            if posts < at:
                return answer
            there.set()
            return await asyncio.get_running_loop().create_future()  # no answer ever comes

        self.service.hook = hold
        process = self.start()
        needed(there.wait(20), "the request never came")
        self.program.kill(process)
        self.service.hook = None

    def save(self) -> None:
        """Copy the directory."""
        shutil.copytree(self.run_dir, self._copy)

    def put_back(self) -> None:
        """The copy's files take the place of the directory's."""
        for path in self.run_dir.iterdir():
            path.unlink()
        self.restore()

    def restore(self) -> None:
        """What the copy holds, into the directory."""
        shutil.copytree(self._copy, self.run_dir, dirs_exist_ok=True)


def second_one_killed(batch: Batch) -> None:
    """A pilot, a copy; the rest is killed at its second card."""
    needed(batch.run("--limit", "1") == 0)
    batch.save()
    batch.run_and_kill(2)


def second_one_in_doubt(batch: Batch) -> None:
    """A pilot, a copy; the rest is made and all answers are lost."""

    async def lose(request: Request) -> Answer | None:
        if request.method != "POST":
            return None
        await batch.service.pass_on(request)
        return CUT

    needed(batch.run("--limit", "1") == 0)
    batch.save()
    batch.service.hook = lose
    needed(batch.run() == 1)
    batch.service.hook = None


def copied_at_work(batch: Batch) -> None:
    """A copy as the first card is made, by a backup at night; killed at the third."""
    batch.run_and_kill(3, lambda number: batch.save() if number == 1 else None)


@pytest.mark.hostile("18.2 an older journal that was put back is gone on with")
@pytest.mark.parametrize("history", [second_one_killed, second_one_in_doubt, copied_at_work])
def test_an_older_copy_sends_nothing(
    program: Program, make_service: Callable[..., HostileService], history: Callable[[Batch], None]
) -> None:
    """What the copy does not know of was made, and is not made again."""
    batch = Batch(program, make_service(account_uuid=ACCOUNT))
    history(batch)
    made = batch.service.effects["giftcards.create"]
    needed(made >= 3)
    batch.put_back()
    code = batch.run()
    assert (batch.service.effects["giftcards.create"], code) == (made, 4)


@pytest.mark.hostile("18.2 an older journal that was put back is gone on with")
def test_an_older_copy_sends_nothing_under_another_state_directory(
    program: Program, make_service: Callable[..., HostileService]
) -> None:
    """As by cron, or with sudo: what counts the requests is not there, and that is no reason to believe the copy."""
    batch = Batch(program, make_service(account_uuid=ACCOUNT))
    second_one_killed(batch)
    batch.put_back()
    code = batch.run(XDG_STATE_HOME=str(program.folder / "other"))
    assert (batch.service.effects["giftcards.create"], code) == (3, 2)


@pytest.mark.hostile("18.2 an older journal that was put back is gone on with")
def test_who_adopts_a_directory_that_was_moved_adopts_no_older_copy(
    program: Program, make_service: Callable[..., HostileService]
) -> None:
    """The disk is gone, the copy of last night is restored in another place: the message on the way names the move
    alone, and so what --adopt says is that, and not that nothing was sent since."""
    batch = Batch(program, make_service(account_uuid=ACCOUNT))
    second_one_killed(batch)
    shutil.rmtree(batch.run_dir)
    batch.restore()
    needed(batch.run() == 4, "it was moved")
    code = batch.run("--adopt")
    assert (batch.service.effects["giftcards.create"], code) == (3, 4)


@pytest.mark.hostile("18.2 an older journal that was put back is gone on with")
def test_the_same_count_in_a_directory_that_was_lost_makes_nothing(
    program: Program, make_service: Callable[..., HostileService]
) -> None:
    """A disk that is not mounted: the same command finds an empty place, and the cards are there."""
    service = make_service(account_uuid=ACCOUNT)
    given = f"giftcard_program_uuid={service.uuid_of_program()}"
    words = ("giftcards", "create", "--count", str(CARDS), "--set", given, "--run-dir", "batch", "--no-baseline")
    words += ("--yes", "--rate", "0", "--no-progress")
    needed(program.run(*words, url=service.url).code == 0)
    shutil.rmtree(program.folder / "batch")
    again = program.run(*words, url=service.url)
    assert (service.effects["giftcards.create"], again.code) == (CARDS, 2)
