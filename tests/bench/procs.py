"""Processes of a benchmark: started, measured from outside, and stopped."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TOKEN = "bench"
ROOT = Path(__file__).resolve().parents[2]
SAMPLE_S = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """One process from start to end, its descendants included."""

    wall_s: float
    cpu_s: float  # user and system
    peak_mib: float  # the sum of the largest resident sizes of processes alive together, as sampled
    exit_code: int
    output: str
    started: float  # monotonic seconds

    def json(self) -> Any:
        """What the process printed, as JSON; its last line where it printed several."""
        return json.loads(self.output.strip().splitlines()[-1])


def run(command: Sequence[str | Path], *, timeout_s: float = 3600.0, check: bool = True, path: str = "") -> Run:
    """Run a command to its end. RuntimeError where it fails, unless ``check`` is off."""
    environment = surroundings(path)
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started = time.monotonic()
        before = os.times()
        process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output, stderr=errors, cwd=ROOT,
            env=environment,
        )  # fmt: skip
        watch = _Watch(process.pid)
        try:
            process.wait(timeout_s)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            watch.stop()
        wall_s = time.monotonic() - started
        after = os.times()
        output.seek(0)
        errors.seek(0)
        if check and process.returncode:
            raise RuntimeError(f"{command[0]} … ended with {process.returncode}: {errors.read()[-2000:]}")
        cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
        return Run(wall_s, cpu_s, watch.peak_kib / 1024, process.returncode, output.read(), started)


def surroundings(path: str = "") -> dict[str, str]:
    """The environment of every contender: the token, no proxies, and a state directory of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "HOME") if name in os.environ}
    if path:
        kept["PATH"] = f"{path}:{kept.get('PATH', '')}"
    return {**kept, "PIGGY_TOKEN": TOKEN, "XDG_STATE_HOME": str(state_dir()), "PYTHONHASHSEED": "0"}


_STATE: list[tempfile.TemporaryDirectory[str]] = []


def state_dir() -> Path:
    """Where runs of one account meet: apart from the user's own."""
    if not _STATE:
        _STATE.append(tempfile.TemporaryDirectory(prefix="bench-state-"))
    return Path(_STATE[0].name)


class _Watch:
    """Samples a process tree's memory. ``VmHWM`` counts a process from its own exec on, unlike ``ru_maxrss``."""

    def __init__(self, pid: int) -> None:
        self.peak_kib = 0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            self.peak_kib = max(self.peak_kib, sum(map(_high_water_kib, _tree(self._pid))))
            if self._ended.wait(SAMPLE_S):
                return


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _tree(int(child))


def _high_water_kib(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


class Server:
    """The benchmark server, in a process of its own. Use as a context manager."""

    def __init__(self, latency_ms: float, cards: int = 1000) -> None:
        command = [sys.executable, "-m", "tests.bench.server", "--latency-ms", str(latency_ms), "--cards", str(cards)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def seen(self) -> dict[str, Any]:
        """Requests since the last call: how many, and when each arrived."""
        with urllib.request.urlopen(f"{self.url}/_bench", timeout=30) as answer:
            return json.load(answer)


def program(*arguments: str | Path, url: str | None = None) -> list[str | Path]:
    """The command line of this program."""
    where = ["--base-url", url] if url else []
    return [sys.executable, "-m", "piggy_batch", *where, *arguments]


def installed(*modules: str) -> bool:
    """Whether a peer's modules are there."""
    return all(importlib.util.find_spec(module) for module in modules)


def peer(name: str, *arguments: str | Path) -> list[str | Path]:
    """The command line of a peer."""
    return [sys.executable, "-m", f"tests.bench.peers.{name}", *arguments]
