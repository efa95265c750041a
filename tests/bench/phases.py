"""One phase of a run in this process, its CPU time told: ``python -m tests.bench.phases PHASE ARGUMENTS``.

``load MANIFEST RUN_DIR``: check every row and copy it into a journal. ``send MANIFEST RUN_DIR ROWS``: carry so many
open rows through httpx to a transport that answers at once. ``report RUN_DIR KIND``: write results and piles.
``copy FILE TO``: copy a CSV through the csv module. ``pace MANIFEST RUN_DIR RATE IN_FLIGHT URL``: a paced import that
notes each hand-over to httpx. ``tick RATE SECONDS``: an empty loop at that rate, to show what the machine allows.
"""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from piggy_batch.client.rate_limiter import Rate
from piggy_batch.client.target import Target
from piggy_batch.endpoints import find_operation
from piggy_batch.importing.options import ExecutionOptions, ImportOptions
from piggy_batch.importing.results import ReportColumns, write_reports
from piggy_batch.importing.resume import load_manifest_into
from piggy_batch.importing.runner import run
from piggy_batch.manifest.loader import rebind
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.runs.context import ConnectionOptions, RunContext
from piggy_batch.runs.directory import RunDir
from piggy_batch.runs.journal import Journal
from tests.bench.procs import TOKEN, state_dir
from tests.bench.work import COMMAND
from tests.support.progress import RecordingProgress

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATION = find_operation(" ".join(COMMAND))
URL = "http://127.0.0.1:9"


def load(manifest: str, run_dir: str) -> dict[str, Any]:
    """CPU seconds of checking and copying; nothing is left behind but the journal."""
    started = time.process_time()
    with RunDir(Path(run_dir)) as directory:
        journal, loaded = load_manifest_into(directory, OPERATION, Path(manifest), ManifestOptions())
        cpu_s = time.process_time() - started
        journal.close()
    return {"cpu_s": cpu_s, "rows": loaded.rows}


def report(run_dir: str, kind: str) -> dict[str, Any]:
    """CPU and wall seconds of the reports."""
    journal = Journal.read(Path(run_dir))
    assert journal is not None
    layout = ReportColumns(rebind(journal, OPERATION, ManifestOptions()))
    started, wall = time.process_time(), time.perf_counter()
    counts = write_reports(journal, layout, kind, print)
    figures = {"cpu_s": time.process_time() - started, "wall_s": time.perf_counter() - wall, "rows": counts["results"]}
    journal.close()
    return figures


def copy(source: str, target: str) -> dict[str, Any]:
    """CPU and wall seconds of a plain copy through the csv module."""
    started, wall = time.process_time(), time.perf_counter()
    with (
        Path(source).open(encoding="utf-8", newline="") as read,
        Path(target).open("w", encoding="utf-8", newline="") as written,
    ):
        csv.writer(written).writerows(csv.reader(read))
    return {"cpu_s": time.process_time() - started, "wall_s": time.perf_counter() - wall}


class Echo(httpx.AsyncBaseTransport):
    """Answers at once what a service in good health would."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The identifier as asked, or the account."""
        if request.method != "POST":
            return httpx.Response(200, json={"data": {"company": "Bench Shop", "id": 1, "uuid": "b-1"}, "meta": []})
        asked = json.loads(await request.aread())
        data = {"value": asked["contact_identifier_value"], "name": asked["contact_identifier_name"], "active": True}
        return httpx.Response(200, json={"data": {**data, "contact": None}, "meta": []})


def send(manifest: str, run_dir: str, rows: str) -> dict[str, Any]:
    """CPU seconds from the first row's request to the last one's."""
    timed = Timed(Echo)
    _run(Path(manifest), Path(run_dir), timed.make, rate=0.0, in_flight=16, limit=int(rows), url=URL)
    return {"cpu_s": timed.cpu[-1] - timed.cpu[1], "rows": len(timed.cpu) - 2}


class Timed:
    """Makes transports that note when, and after how much CPU time, httpx got each request."""

    def __init__(self, inner: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self.at: list[float] = []
        self.cpu: list[float] = []
        self._inner = inner

    def make(self) -> httpx.AsyncBaseTransport:
        """A transport for one connection."""
        return _Noting(self, self._inner())


class _Noting(httpx.AsyncBaseTransport):
    def __init__(self, timed: Timed, inner: httpx.AsyncBaseTransport) -> None:
        self._timed = timed
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._timed.at.append(time.monotonic())
        self._timed.cpu.append(time.process_time())
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def pace(manifest: str, run_dir: str, rate: str, in_flight: str, url: str) -> dict[str, Any]:
    """Departures of a paced import, and its CPU time meanwhile."""
    limits, context = httpx.Limits(max_connections=1, keepalive_expiry=4.0), httpx.create_ssl_context()
    timed = Timed(lambda: httpx.AsyncHTTPTransport(verify=context, limits=limits))
    _run(Path(manifest), Path(run_dir), timed.make, rate=float(rate), in_flight=int(in_flight), limit=None, url=url)
    at, cpu = timed.at[1:], timed.cpu[1:]  # the first is the ping
    return {"departures": at, "cpu_s": cpu[-1] - cpu[0], "seconds": at[-1] - at[0]}


def tick(rate: str, seconds: str) -> dict[str, Any]:
    """How much of a rate a loop reaches that does nothing, never makes lost time up, and wakes by sleep and spin."""
    gap_s, now = 1 / float(rate), time.monotonic()
    begun, count, due = now, 0, now
    while now - begun < float(seconds):
        time.sleep(max(0.0, due - now - 0.0005))
        while (now := time.monotonic()) < due:
            pass
        count, due = count + 1, now + gap_s
    return {"sustained": (count - 1) * gap_s / (now - begun)}


def _run(
    manifest: Path, run_dir: Path, transport: Any, *, rate: float, in_flight: int, limit: int | None, url: str
) -> None:
    options = ImportOptions(
        run_dir=run_dir,
        connection=ConnectionOptions(Rate(rate)),
        yes=True,
        terms=ExecutionOptions(concurrency=in_flight, limit=limit),
    )
    context = RunContext(
        target=Target(url, TOKEN),
        progress=RecordingProgress(),
        command="again",
        transport=transport,
        shared_rate_dir=state_dir(),
    )
    result = run_program(run(OPERATION, manifest, options, context))
    if result.exit_code:
        raise RuntimeError(f"{result.exit_code}: {result.notes}")


def run_program(work: Any) -> Any:
    """Run a coroutine as the program's own commands do."""
    return asyncio.run(work)


PHASES = {"load": load, "send": send, "report": report, "copy": copy, "pace": pace, "tick": tick}

if __name__ == "__main__":
    print(json.dumps(PHASES[sys.argv[1]](*sys.argv[2:])))
