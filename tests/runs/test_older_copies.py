"""A run directory that is put back from a copy, made at any moment of a run that ended in any way."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from piggy_batch.endpoints import find_operation
from piggy_batch.errors import JournalError, SetupError
from piggy_batch.runs.generated_manifest import counted_manifest
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.runs.send_counter import SendCounter
from tests.support.world import World, working_rows

if TYPE_CHECKING:
    from pathlib import Path

CREATE = find_operation("giftcards create")
ROWS = 4
LIVE = "7c1e0000-0000-4000-a000-000000000001"  # an account that is none of rehearsals


class Killed(BaseException):
    """The program ends here."""


class Batch:
    """A run of a once command in a world, whose directory is copied before each of its requests."""

    def __init__(self, folder: Path, *, counted: bool = False) -> None:
        self.world = World(folder, account_uuid=LIVE)
        self.copies: list[Path] = []
        self.posts = 0
        self.kill_at = 0
        self.lose_at = 0
        self.run_dir = folder / "run"
        self.counted = counted
        self.world.hook = self._hook

    def run(self, **given: Any) -> Any:
        """One invocation, one request at a time."""
        context = {"registry_dir": self.world.folder / "state"}
        if self.counted:
            path = counted_manifest(self.run_dir, ROWS)
            given["constants"] = {"giftcard_program_uuid": self.world.sandbox.world.cards.programs[1].uuid}
        else:
            path = self.world.manifest(*working_rows(self.world, CREATE, ROWS))
        return self.world.run(CREATE, path, run_dir=self.run_dir, concurrency=1, context=context, **given)

    async def _hook(self, request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            self.posts += 1
        copy = self.world.folder / "copies" / str(len(self.copies))
        shutil.copytree(self.run_dir, copy)
        self.copies.append(copy)
        if self.kill_at and self.posts == self.kill_at:
            raise Killed
        if self.lose_at and self.posts == self.lose_at:
            raise httpx.ReadError("gone")
        return None

    def put_back(self, copy: Path) -> None:
        """The copy takes the place of the directory, as far as files go: it is the same directory."""
        for path in self.run_dir.iterdir():
            path.unlink()
        for path in copy.iterdir():
            shutil.copy2(path, self.run_dir / path.name)

    @property
    def made(self) -> int:
        """How many cards the service has made."""
        return int(self.world.state["effects"].get("giftcards.create", 0))


def end(batch: Batch, how: str) -> None:
    """Let the run come to its end, or to a kill, in one invocation or in the second of two."""
    if how.startswith("second"):
        batch.run(limit=1)
    if how.endswith("killed"):
        batch.kill_at = 3
        with contextlib.suppress(Killed):
            batch.run()
        batch.kill_at = 0
    elif how.endswith("lost"):
        batch.lose_at = 3
        assert batch.run().exit_code == 1
        batch.lose_at = 0
    else:
        assert batch.run().exit_code == 0


@pytest.mark.hostile("18.2 an older journal that was put back is gone on with")
@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("how", ["ended", "killed", "lost", "second ended", "second killed", "second lost"])
def test_a_copy_of_any_moment_is_refused_or_harmless(folder: Path, how: str, counted: bool) -> None:
    """Whatever moment a copy is of: where requests have left since, it is refused; no row is sent twice."""
    at = 0
    while True:
        home = folder / str(at)
        home.mkdir()
        batch = Batch(home, counted=counted)
        end(batch, how)
        if at == len(batch.copies):
            break
        sent = sends_of(batch.run_dir)
        copied = sends_of(batch.copies[at])
        batch.put_back(batch.copies[at])
        if copied < sent:
            with pytest.raises((JournalError, SetupError), match=r"is an older copy, .* pass --adopt"):
                batch.run()
        else:  # it may lack how a row ended, and that it knows
            with contextlib.suppress(JournalError):
                batch.run()
        assert batch.made <= ROWS
        at += 1
    assert at >= ROWS


def sends_of(run_dir: Path) -> int:
    """How many sends a journal knows of."""
    journal = JournalQueries.open(run_dir)
    if journal is None:
        return 0
    try:
        return int(journal.get("sends") or 0)
    finally:
        journal.close()


@pytest.mark.hostile("18.2 an older journal that was put back is gone on with")
def test_a_run_under_another_state_directory_is_not_believed(folder: Path) -> None:
    """There nothing was counted, though the journal says that its requests are."""
    batch = Batch(folder)
    batch.run(limit=2)
    (folder / "state").rename(folder / "elsewhere")
    with pytest.raises(SetupError, match=r"is gone or was in another state directory.* pass --adopt"):
        batch.run()
    assert batch.run(adopt=True).exit_code == 0
    assert batch.made == ROWS


def test_whoever_insists_goes_on_with_an_older_copy(folder: Path) -> None:
    """--adopt takes the copy for the run, and what is sent from then on counts anew."""
    batch = Batch(folder)
    batch.run(limit=2)
    batch.put_back(batch.copies[1])  # made as the first card was sent
    with pytest.raises(JournalError, match="this run has sent 2 requests, and its journal knows of 1"):
        batch.run()
    assert batch.run(adopt=True, limit=1).exit_code == 0
    assert batch.run().exit_code == 1  # the row that stood in the copy as sent is in doubt
    assert batch.made <= ROWS + 1


@pytest.mark.hostile("18.2 an older journal that was put back is gone on with")
def test_each_adoption_is_for_what_was_told(folder: Path) -> None:
    """A copy in another place was moved, and is older: each is told, and each is insisted on."""
    batch = Batch(folder)
    batch.run(limit=2)
    shutil.rmtree(batch.run_dir)
    (folder / "other").mkdir()  # the place on disk that was the directory's
    shutil.copytree(batch.copies[1], batch.run_dir)
    with pytest.raises(JournalError, match="was moved or copied from"):
        batch.run()
    with pytest.raises(JournalError, match=r"is an older copy, .* pass --adopt once more: this one was for the move"):
        batch.run(adopt=True)
    assert batch.made == 2
    assert batch.run(adopt=True, limit=1).exit_code == 0


def test_a_directory_that_was_moved_is_adopted_at_once(folder: Path) -> None:
    """Where nothing else is wrong."""
    batch = Batch(folder)
    batch.run(limit=2)
    shutil.copytree(batch.run_dir, folder / "moved")
    shutil.rmtree(batch.run_dir)
    (folder / "moved").rename(batch.run_dir)
    assert batch.run(adopt=True).exit_code == 0
    assert batch.made == ROWS


@pytest.mark.hostile("18.2 an older journal that was put back is gone on with")
def test_a_count_that_is_gone_is_no_count(folder: Path) -> None:
    """Who removes the count cannot put back a copy unseen."""
    batch = Batch(folder)
    batch.run(limit=2)
    (count,) = (folder / "state" / "once").glob("*.sends")
    count.unlink()
    with pytest.raises(SetupError, match=r"which counts what this run has sent, is gone"):
        batch.run()
    assert batch.run(adopt=True).exit_code == 0


@pytest.mark.parametrize("content", [b"", b"many", b"-"])
def test_a_damaged_count_is_named(tmp_path: Path, content: bytes) -> None:
    """Nothing is sent while it cannot be told how much was."""
    (tmp_path / "a.sends").write_bytes(content)
    with pytest.raises(SetupError, match=r"the count of requests in .*a\.sends cannot be used: it is damaged"):
        SendCounter(tmp_path / "a.sends").read()


def test_a_count_survives(tmp_path: Path) -> None:
    """What was noted last is read back, also while it is still open."""
    counter = SendCounter(tmp_path / "state" / "a.sends")
    assert counter.read() is None
    counter.create()
    assert counter.read() == 0
    counter.open()
    for number in (1, 9, 10, 12_345_678):
        counter.note(number)
        assert counter.read() == number
    counter.close()
    assert counter.read() == 12_345_678
