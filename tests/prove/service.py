"""Real processes for the proofs: a sandbox on a free port, commands, their peak memory, and kill -9."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
MEASURED = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
json.dump({"exit_code": code, "peak_rss_bytes": peak}, open(sys.argv[1], "w"))
"""


@dataclass(frozen=True)
class Service:
    """A sandbox in a process of its own."""

    url: str
    token: str

    def environment(self) -> dict[str, str]:
        """What a command needs to find it."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PIGGY_")}
        path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
        return kept | {"PIGGY_BASE_URL": self.url, "PIGGY_TOKEN": self.token, "PYTHONPATH": path}

    def state(self) -> Any:
        """What it holds, and every effect applied."""
        with urllib.request.urlopen(f"{self.url}/_sandbox/state", timeout=60) as answer:
            return json.load(answer)


def command(*words: str) -> list[str]:
    """The program's command line."""
    return [sys.executable, "-m", "piggy_batch", *words]


@contextlib.contextmanager
def sandbox(*options: str) -> Iterator[Service]:
    """A sandbox while the block lasts: no latency, no throttle."""
    words = command("sandbox", "--port", "0", "--latency-ms", "0", "--limit-per-minute", "0", *options)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:
        try:
            assert process.stdout is not None
            said = dict(process.stdout.readline().strip().split("=", 1) for _ in range(2))
            yield Service(said["PIGGY_BASE_URL"], said["PIGGY_TOKEN"])
        finally:
            process.terminate()
            process.wait(timeout=30)


def measured(folder: Path, service: Service, words: Sequence[str]) -> dict[str, int]:
    """Run a command; its exit code and the peak of its memory in bytes."""
    figures = folder / "measured.json"
    measure = [sys.executable, "-c", MEASURED, str(figures), *words]
    subprocess.run(measure, env=service.environment(), cwd=folder, check=True, stderr=subprocess.DEVNULL)
    found: dict[str, int] = json.loads(figures.read_text())
    return found


def killed(folder: Path, service: Service, words: Sequence[str], rng: random.Random, longest_s: float) -> bool:
    """Start a command and ``kill -9`` it at a random moment; False where it ended before."""
    run = subprocess.Popen(
        words, env=service.environment(), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(rng.uniform(0.2, longest_s))
    alive = run.poll() is None
    if alive:
        run.send_signal(signal.SIGKILL)
    run.wait()
    return alive


def finished(folder: Path, service: Service, words: Sequence[str], run_dir: Path) -> dict[str, Any]:
    """Run a command to its end; its summary."""
    subprocess.run(
        words, env=service.environment(), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    summary: dict[str, Any] = json.loads((run_dir / "summary.json").read_text(encoding="utf-8"))
    return summary
