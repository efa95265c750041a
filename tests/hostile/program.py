"""The program under attack: one version of it, run as a process."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.processes import ROOT, TOKEN, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

TREE = Path(os.environ.get("PIGGY_BATCH_TREE", ROOT))  # the checkout whose program is attacked
LONGEST_S = 60.0


class SceneError(Exception):
    """The attack could not be set up: that says nothing of the hole."""


def needed(condition: object, *what: object) -> None:
    """SceneError unless what the attack begins with is so."""
    if not condition:
        raise SceneError(*what)


@dataclass(frozen=True)
class Ended:
    """How an invocation ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All that a person could read."""
        return self.out + self.err


class Program:
    """The program as a user has it: a home of its own, a token in the environment, a folder with manifests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[subprocess.Popen[str]] = []

    def run(self, *words: str | Path, url: str = "", **environ: str | None) -> Ended:
        """One invocation to its end, standard input closed. ``environ``: as in ``environment``."""
        return self.end(self.start(*words, url=url, **environ))

    def start(
        self, *words: str | Path, url: str = "", prefix: Iterable[str] = (), **environ: str | None
    ) -> subprocess.Popen[str]:
        """Begin an invocation. ``prefix``: a command that runs it, such as a shell with limits."""
        more: dict[str, str | None] = {"PIGGY_BASE_URL": url or None, "PYTHONPATH": str(TREE), **environ}
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "piggy_batch", *map(str, words)],
            cwd=self.folder,
            env=environment(self.folder, **more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._running.append(process)
        return process

    def end(self, process: subprocess.Popen[str], timeout_s: float = LONGEST_S) -> Ended:
        """Wait for an invocation."""
        out, err = process.communicate(timeout=timeout_s)
        return Ended(process.returncode, out, err)

    def kill(self, process: subprocess.Popen[str]) -> None:
        """As ``kill -9`` does."""
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=LONGEST_S)

    def close(self) -> None:
        """End whatever still runs."""
        for process in self._running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=LONGEST_S)

    def manifest(self, name: str, header: str, rows: Iterable[str]) -> Path:
        """Write a CSV manifest into the folder."""
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in (header, *rows)), encoding="utf-8")
        return path

    def cards(self, name: str, rows: int, prefix: str = "HOST") -> Path:
        """A manifest of new identifiers."""
        return self.manifest(name, "contact_identifier_value", (f"{prefix}-{n:03d}" for n in range(1, rows + 1)))


def rows_of(run_dir: Path, pile: str = "results") -> list[dict[str, str]]:
    """The rows of a CSV report; none where it is not there."""
    path = run_dir / f"{pile}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def statuses(run_dir: Path) -> dict[str, int]:
    """Rows by status, from the results."""
    return dict(Counter(row["_status"] for row in rows_of(run_dir)))


def summary(run_dir: Path) -> Mapping[str, Any]:
    """The run's summary.json."""
    told: Mapping[str, Any] = json.loads((run_dir / "summary.json").read_text(encoding="utf-8"))
    return told


def wait_until(condition: Callable[[], object], what: str = "", timeout_s: float = 20.0) -> None:
    """Until it is so; SceneError where it never is."""
    limit = time.monotonic() + timeout_s
    while not condition():
        needed(time.monotonic() < limit, "waited in vain", what)
        time.sleep(0.01)


__all__ = ["TOKEN", "Ended", "Program", "SceneError", "needed", "rows_of", "statuses", "summary", "wait_until"]
