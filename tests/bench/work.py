"""Material for benchmarks: manifests, and run directories that look as if an import had come so far."""

from __future__ import annotations

import asyncio
import csv
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from piggy_batch.endpoints import find_operation
from piggy_batch.importing.resume import load_manifest_into
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.models import Proof, Status
from piggy_batch.runs.directory import RunDir
from piggy_batch.runs.records import Outcome

if TYPE_CHECKING:
    from piggy_batch.runs.journal import Journal

COMMAND = ("identifiers", "create")
HEADER = ("contact_identifier_value", "contact_identifier_name")
BATCH = 2_000  # rows a commit while a journal is made
ACCOUNT = {"id": "b-1", "company": "Bench Shop"}  # as the benchmark server answers


def write_manifest(path: Path, rows: int) -> Path:
    """A CSV manifest of identifiers to create."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows((f"CARD-{number:09d}", f"Card of guest {number}") for number in range(1, rows + 1))
    return path


def settle(manifest: Path, run_dir: Path, settled: int, base_url: str) -> None:
    """Make the run directory of an import that ended after ``settled`` rows, through the journal's own writes."""
    with RunDir(run_dir) as directory:
        journal, _ = load_manifest_into(directory, find_operation(" ".join(COMMAND)), manifest, ManifestOptions())
        journal.set("format", "csv")
        journal.set("account", ACCOUNT)
        journal.set("base_url", base_url)
        journal.begin(time.time(), "0")
        asyncio.run(_settle(journal, settled))
        journal.finish(time.time(), 130)
        journal.close()


async def _settle(journal: Journal, settled: int) -> None:
    for first in range(1, settled + 1, BATCH):
        numbers = range(first, min(first + BATCH, settled + 1))
        writes = [journal.sent(number, 1, time.time(), None) for number in numbers]
        writes += [journal.settled(_fate(number)) for number in numbers]
        await asyncio.gather(*writes)


def _fate(number: int) -> Outcome:
    kept = {
        "contact_identifier_name": f"Card of guest {number}",
        "contact_identifier_active": True,
        "contact_uuid": None,
        "contact_email": None,
    }
    return Outcome(number, Status.DONE, 1, time.time(), proof=Proof.ANSWER, http_status=200, kept=kept)


if __name__ == "__main__":
    settle(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
