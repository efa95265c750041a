"""Killed at every step of a row's way, started again by the same command, and audited.

In process a plug raises what no handler catches, before and after every journal write and every request, one step
further each time until a run completes. With real processes, ``kill -9`` at moments drawn at random.
"""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from piggy_batch.client.clock import StopSignal
from piggy_batch.client.rate_limiter import RateLimiter
from piggy_batch.client.session import Session
from piggy_batch.endpoints import CATALOGUE, Operation, find_operation
from piggy_batch.importing.executor import RowExecutor
from piggy_batch.importing.options import ExecutionOptions
from piggy_batch.importing.resume import load_manifest_into
from piggy_batch.importing.status import describe_run
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.models import Repeat
from piggy_batch.runs.directory import RunDir, default_run_dir
from piggy_batch.runs.journal import Journal
from piggy_batch.sandbox import make_app
from tests.support.world import World, WorldClock, audit, in_virtual_time, working_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = 3
MOST_STEPS = 200


class Killed(BaseException):
    """The process ends here."""


class Plug:
    """Counts steps and pulls the plug at one of them."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.steps = 0

    def step(self) -> None:
        """One more step; Killed at the chosen one, and at every later one: a dead process does nothing more."""
        self.steps += 1
        if self.steps >= self.at:
            raise Killed


class PluggedJournal:
    """A journal whose writes can be cut before and after."""

    def __init__(self, journal: Journal, plug: Plug) -> None:
        self._journal, self._plug = journal, plug

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._journal, name)
        return self._cut(found) if name in ("sent", "settled", "withdraw", "tally") else found

    def _cut(self, write: Any) -> Any:
        def cut(*given: Any, **more: Any) -> Any:
            self._plug.step()
            future = write(*given, **more)
            self._plug.step()
            return future

        return cut


def killed_at(world: World, operation: Operation, path: Path, at: int, concurrency: int) -> int:
    """Begin a run and kill it at step ``at``; the steps it took, fewer than ``at`` where it came to its end."""
    plug = Plug(at)
    inner = httpx.ASGITransport(app=make_app(world.sandbox))

    async def hook(request: httpx.Request) -> httpx.Response | None:
        plug.step()
        answer = await inner.handle_async_request(request)
        plug.step()
        return answer

    async def work() -> None:
        clock, stop = WorldClock(world), StopSignal()
        with RunDir(default_run_dir(path, operation)) as directory:
            journal, loaded = load_manifest_into(directory, operation, path, ManifestOptions())
            journal.set("format", "csv")
            journal.set("account", {"id": world.sandbox.settings.account_uuid, "company": "Sandbox Shop"})
            journal.begin(clock.wall(), "0", threaded=False)
            try:
                async with world.client() as client:
                    session = Session(client, RateLimiter(0, clock, stop), clock, stop, 600.0, world.said.say)
                    plugged: Any = PluggedJournal(journal, plug)
                    await RowExecutor(loaded.binding, plugged, session, ExecutionOptions(concurrency=concurrency)).run()
            finally:
                journal.close()

    world.hook = hook
    with contextlib.suppress(Killed):
        in_virtual_time(work(), world.time)
    world.hook = None
    return plug.steps


@pytest.mark.parametrize("rows_before", [3, 25])
def test_a_killed_invocation_is_in_the_books(make_world: Callable[..., World], rows_before: int) -> None:
    """Its time and its requests are counted as far as they are known; the summary and a person are told so."""
    world = make_world(latency_ms=1000)
    operation = find_operation("identifiers create")
    path = world.manifest(*working_rows(world, operation, 30))
    killed_at(world, operation, path, 6 * rows_before + 2 * (rows_before // 10) + 1, 1)
    assert world.effects == rows_before
    run_dir = default_run_dir(path, operation)
    first = describe_run(run_dir)
    assert (first["rows_per_s"], first["exit_code"]) == (1.0, None)
    result = world.run(operation, path, concurrency=1)
    assert result.summary is not None
    assert (result.exit_code, result.summary["cut_short"], result.summary["invocations"]) == (0, 1, 2)
    assert result.summary["requests"]["sent"] == world.state["requests_total"]
    assert result.summary["elapsed_s"] == pytest.approx(30, abs=1)
    assert any("1 earlier invocation was killed" in note and "at least" in note for note in result.notes)


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda o: o.slug)
def test_killed_at_every_step(folder: Path, operation: Operation, concurrency: int) -> None:
    """Whatever the step: no row lost, none applied twice; only once rows may be left in doubt."""
    for at in range(1, MOST_STEPS):
        home = folder / str(at)
        home.mkdir()
        world = World(home)
        path = world.manifest(*working_rows(world, operation, ROWS))
        steps = killed_at(world, operation, path, at, concurrency)
        result = world.run(operation, path)
        counts = audit(result.run_dir, ROWS)
        assert max(world.state["max_per_key"].values(), default=0) <= 1
        done, unknown = counts.get("done", 0), counts.get("unknown", 0)
        if operation.repeat is Repeat.SAFE:
            assert (counts, world.effects) == ({"done": ROWS}, 0)
        elif operation.repeat is Repeat.GUARDED:
            assert (done + counts.get("already", 0), world.effects) == (ROWS, ROWS)
        else:
            assert done + unknown == ROWS
            assert unknown <= concurrency
            assert done <= world.effects <= ROWS
        if steps < at:
            break
    else:
        pytest.fail(f"the run still had steps after {MOST_STEPS}")


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_torn_log_is_read_up_to_its_last_whole_commit(folder: Path, cut: int) -> None:
    """A write-ahead log that breaks off anywhere opens; every row has a status, and nothing is applied twice."""
    world = World(folder)
    path = world.manifest(*working_rows(world, find_operation("identifiers create"), 6))
    run_dir = folder / "cards.identifiers-create"

    saved = folder / "saved"

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if len(world.departures) > 4:  # the ping and three cards; then the machine loses power
            saved.mkdir()
            for name in ("journal.sqlite", "journal.sqlite-wal"):
                shutil.copy(run_dir / name, saved / name)
            raise Killed
        return None

    world.hook = hook
    with contextlib.suppress(Killed):
        world.run("identifiers create", path, concurrency=1)
    world.hook = None
    (run_dir / "journal.sqlite-shm").unlink(missing_ok=True)
    shutil.copy(saved / "journal.sqlite", run_dir / "journal.sqlite")
    whole = (saved / "journal.sqlite-wal").read_bytes()
    (run_dir / "journal.sqlite-wal").write_bytes(whole[: len(whole) * cut // 40])
    result = world.run("identifiers create", path)
    counts = audit(result.run_dir, 6)
    assert counts.get("done", 0) + counts.get("already", 0) == 6
    assert world.times("identifiers.create") == {f"NEW-{n:05d}": 1 for n in range(1, 7)}
