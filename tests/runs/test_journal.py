"""The journal's writer: what is on disk when a future is done, and what may wait for company."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from piggy_batch.endpoints import find_operation
from piggy_batch.errors import JournalError
from piggy_batch.importing.resume import load_manifest_into
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.models import Status
from piggy_batch.runs.directory import RunDir
from piggy_batch.runs.group_commit import PATIENCE_S
from piggy_batch.runs.journal import Journal
from piggy_batch.runs.journal_file import NAME
from piggy_batch.runs.records import Outcome
from tests.bench.work import write_manifest
from tests.support.world import in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CREATE = find_operation("identifiers create")


def done(number: int) -> Outcome:
    """A row's good end."""
    return Outcome(number, Status.DONE, 1, 0.0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal of 20 rows, open for an invocation that commits in a thread."""
    manifest = write_manifest(tmp_path / "cards.csv", 20)
    with RunDir(tmp_path / "run") as directory:
        journal, _ = load_manifest_into(directory, CREATE, manifest, ManifestOptions())
        journal.begin(0.0, "0")
        yield journal
        journal.close()


def on_disk(journal: Journal) -> set[int]:
    """Rows with an outcome, as another process sees them."""
    with closing(sqlite3.connect(journal.directory / NAME)) as other:
        return {number for (number,) in other.execute("SELECT number FROM fates WHERE state = 'done'")}


def test_a_write_is_on_disk_when_its_future_is_done(journal: Journal) -> None:
    """Each of many at once."""

    async def work() -> None:
        await asyncio.gather(*(journal.settled(done(number)) for number in range(1, 21)))
        assert on_disk(journal) == set(range(1, 21))

    asyncio.run(work())


def test_a_patient_write_shares_the_next_ones_commit(journal: Journal) -> None:
    """It is on disk no later than what came after it."""

    async def work() -> None:
        first = journal.settled(done(1), may_wait=True)
        second = journal.settled(done(2), may_wait=True)
        await asyncio.sleep(0)
        assert not first.done()
        await journal.settled(done(3))
        assert on_disk(journal) == {1, 2, 3}
        await asyncio.gather(first, second)

    asyncio.run(work())


def test_a_patient_write_does_not_wait_for_ever(journal: Journal) -> None:
    """Where nothing comes after it, it is on disk a moment later."""

    async def work() -> None:
        async with asyncio.timeout(100 * PATIENCE_S):
            await journal.settled(done(1), may_wait=True)
        assert on_disk(journal) == {1}

    asyncio.run(work())


def test_what_is_held_back_is_on_disk_at_the_end(journal: Journal) -> None:
    """The end of an invocation waits for nobody's patience."""

    async def work() -> None:
        journal.settled(done(7), may_wait=True)
        journal.finish(1.0, 0)

    asyncio.run(work())
    assert on_disk(journal) == {7}


def test_after_a_failure_nothing_more_is_written(journal: Journal) -> None:
    """A write to a journal that was taken away fails, and so does every later one."""

    async def work() -> None:
        await journal.settled(done(1))
        (journal.directory / NAME).rename(journal.directory / "elsewhere")
        for number in (2, 3):
            with pytest.raises(JournalError, match="was removed, moved or replaced while the run went on"):
                await journal.settled(done(number))
        (journal.directory / "elsewhere").rename(journal.directory / NAME)

    asyncio.run(work())
    assert on_disk(journal) == {1}


def test_without_a_thread_a_write_is_on_disk_at_once(tmp_path: Path) -> None:
    """Where time is not the machine's."""
    manifest = write_manifest(tmp_path / "cards.csv", 3)

    async def work() -> None:
        with RunDir(tmp_path / "run") as directory:
            journal, _ = load_manifest_into(directory, CREATE, manifest, ManifestOptions())
            journal.begin(0.0, "0", threaded=False)
            assert journal.settled(done(2), may_wait=True).done()
            assert on_disk(journal) == {2}
            journal.close()

    in_virtual_time(work())
