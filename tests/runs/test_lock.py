"""Who holds a run directory, and what happens to one whose lock was taken away."""

from __future__ import annotations

import asyncio
import fcntl
import os
import stat
from typing import TYPE_CHECKING

import httpx
import pytest

from piggy_batch.endpoints import find_operation
from piggy_batch.errors import JournalError
from piggy_batch.importing.resume import load_manifest_into
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.runs.directory import RunDir
from piggy_batch.runs.journal import Journal
from piggy_batch.runs.lock import LOCK, RunLock, is_held
from tests.support.world import World, audit, in_virtual_time, working_rows

if TYPE_CHECKING:
    from pathlib import Path

CREATE = find_operation("giftcards create")


def files_only(handle: int, operation: int) -> None:
    """As a file system that locks no directories."""
    if stat.S_ISDIR(os.fstat(handle).st_mode):
        raise OSError(9, "Bad file descriptor")
    fcntl.flock(handle, operation)


@pytest.mark.hostile("18.5 a lock that is removed lets a second run in")
def test_a_lock_that_is_removed_lets_nobody_in(folder: Path) -> None:
    """The directory itself is locked too, and is told to be held."""
    first = RunLock(folder)
    first.take()
    (folder / LOCK).unlink()
    assert is_held(folder)
    with pytest.raises(JournalError, match="is in use by another run"):
        RunLock(folder).take()
    first.release()
    assert not is_held(folder)
    second = RunLock(folder)
    second.take()
    second.release()


def test_a_look_is_no_run(folder: Path) -> None:
    """Somebody who looks whether a directory is held, holds it for a moment: a start waits for that."""
    looking = os.open(folder, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    tries = 0

    def flock(handle: int, operation: int) -> None:
        nonlocal tries
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            tries += 1
            if tries == 3:
                fcntl.flock(looking, fcntl.LOCK_UN)
        fcntl.flock(handle, operation)

    lock = RunLock(folder, flock)
    lock.take()
    assert (tries, is_held(folder)) == (3, True)
    lock.release()
    os.close(looking)


def test_where_directories_cannot_be_locked_the_file_is(folder: Path) -> None:
    """A file system without locks on directories is no obstacle, and the file keeps others out."""
    first = RunLock(folder, files_only)
    first.take()
    with pytest.raises(JournalError, match="is in use by another run"):
        RunLock(folder, files_only).take()
    first.release()


@pytest.mark.hostile("18.5 a lock that is removed lets a second run in")
def test_a_run_whose_lock_was_removed_goes_on_alone(world: World) -> None:
    """A second start while it works is refused; each card is made once."""
    path = world.manifest(*working_rows(world, CREATE, 20))
    refused: list[str] = []

    async def hook(request: httpx.Request) -> None:
        await asyncio.sleep(1)
        if request.method == "POST" and not refused:
            (world.folder / "cards.giftcards-create" / LOCK).unlink()
            with pytest.raises(JournalError) as told:
                await world.run_async(CREATE, path)
            refused.append(str(told.value))

    world.hook = hook
    result = world.run(CREATE, path, concurrency=4)
    assert "is in use by another run" in refused[0]
    assert (audit(result.run_dir, 20), world.effects) == ({"done": 20}, 20)


@pytest.mark.hostile("18.5 a lock that is removed lets a second run in")
def test_of_two_invocations_only_the_later_one_writes(tmp_path: Path, world: World) -> None:
    """Where no lock keeps a second one out, the first commits nothing any more: it can send no row that the second
    takes."""
    path = world.manifest(*working_rows(world, CREATE, 3))

    async def work() -> None:
        with RunDir(tmp_path / "run") as directory:
            first, _ = load_manifest_into(directory, CREATE, path, ManifestOptions())
            first.begin(0.0, "0", threaded=False)
            await first.sent(1, 1, 0.0, None)
            second = Journal.open(tmp_path / "run")
            assert second is not None
            second.begin(1.0, "0", threaded=False)
            with pytest.raises(JournalError, match=r"another run has begun in .* its lock was removed"):
                await first.sent(2, 1, 2.0, None)
            await second.sent(2, 1, 2.0, None)
            counts = {status.value: number for status, number in second.queries.counts().items() if number}
            assert counts == {"unknown": 2, "pending": 1}
            first.close()
            second.close()

    in_virtual_time(work())
