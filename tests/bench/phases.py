"""One phase of a run in this process, its CPU time told: ``python -m tests.bench.phases PHASE ARGUMENTS``.

``load MANIFEST RUN_DIR``: check every row and copy it into a journal. ``send MANIFEST RUN_DIR ROWS``: carry so many
open rows through the client to a transport that answers at once. ``report RUN_DIR KIND``: write results and piles.
``copy FILE TO``: copy a CSV through the csv module. ``pace MANIFEST RUN_DIR RATE IN_FLIGHT URL``: a paced import that
notes each hand-over to the transport. ``tick RATE SECONDS``: an empty loop at that rate, to show what the machine
allows.
"""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from piggy_batch.client.connection import Endpoint, RawRequest, RawResponse
from piggy_batch.client.rate_limiter import Rate
from piggy_batch.client.target import Target
from piggy_batch.client.transport import HttpTransport
from piggy_batch.endpoints import find_operation
from piggy_batch.importing.options import ExecutionOptions, ImportOptions
from piggy_batch.importing.results import ReportColumns, write_reports
from piggy_batch.importing.resume import load_manifest_into
from piggy_batch.importing.runner import run
from piggy_batch.manifest.loader import rebind
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.runs.context import ConnectionOptions, RunContext
from piggy_batch.runs.directory import RunDir
from piggy_batch.runs.journal_queries import JournalQueries
from tests.bench.procs import TOKEN, state_dir
from tests.bench.work import COMMAND
from tests.support.progress import RecordingProgress

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
    journal = JournalQueries.open(Path(run_dir))
    assert journal is not None
    columns = ReportColumns(rebind(journal, OPERATION, ManifestOptions()))
    started, wall = time.process_time(), time.perf_counter()
    write_reports(journal, columns, kind, print)
    cpu_s, wall_s = time.process_time() - started, time.perf_counter() - wall
    rows = sum(journal.counts().values())
    journal.close()
    return {"cpu_s": cpu_s, "wall_s": wall_s, "rows": rows}


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


@dataclass(slots=True)
class Moments:
    """When, and after how much CPU time, the transports got each request."""

    at: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def note(self) -> None:
        """A request is handed over now."""
        self.at.append(time.monotonic())
        self.cpu.append(time.process_time())


class NotingEcho(Echo):
    """As Echo; notes each request."""

    def __init__(self, moments: Moments) -> None:
        self._moments = moments

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As Echo's."""
        self._moments.note()
        return await super().handle_async_request(request)


def send(manifest: str, run_dir: str, rows: str) -> dict[str, Any]:
    """CPU seconds from the first row's request to the last one's."""
    moments = Moments()
    _run(Path(manifest), Path(run_dir), lambda: NotingEcho(moments), rate=0.0, in_flight=16, limit=int(rows), url=URL)
    return {"cpu_s": moments.cpu[-1] - moments.cpu[1], "rows": len(moments.cpu) - 2}


class NotingTransport(HttpTransport):
    """The program's own; notes each request."""

    def __init__(self, moments: Moments, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._moments = moments

    async def exchange(self, request: RawRequest, connect_s: float | None = None) -> RawResponse:
        """As the program's own."""
        self._moments.note()
        return await super().exchange(request, connect_s)


def pace(manifest: str, run_dir: str, rate: str, in_flight: str, url: str) -> dict[str, Any]:
    """Departures of a paced import, and its CPU time meanwhile."""
    moments, address = Moments(), httpx.URL(url)
    endpoint = Endpoint(address.host, address.port or 80)
    _run(
        Path(manifest),
        Path(run_dir),
        lambda: NotingTransport(moments, endpoint),
        rate=float(rate),
        in_flight=int(in_flight),
        limit=None,
        url=url,
    )
    at, cpu = moments.at[1:], moments.cpu[1:]  # the first is the ping
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
        execution=ExecutionOptions(concurrency=in_flight, limit=limit),
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
