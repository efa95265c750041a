"""Real processes on a real port: the stand-in, and runs of the program against it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "s3cr3t-T0ken-that-nobody-may-see"
PROGRAM = [sys.executable, "-m", "piggy_batch"]


def environment(folder: Path, **more: str | None) -> dict[str, str]:
    """What a run sees: the token, no proxies, a state directory of the test's own; None takes a name away."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "HOME") if name in os.environ}
    given: dict[str, str | None] = {"PIGGY_TOKEN": TOKEN, "XDG_STATE_HOME": str(folder / "state"), **more}
    return {name: value for name, value in {**kept, **given}.items() if value is not None}


class Service:
    """The stand-in on a free port."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self.pid = pid

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What an admin route answers."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/_sandbox/{path}", data), timeout=30) as answer:
            return json.load(answer)

    def arrivals(self, route: str) -> list[float]:
        """When requests for a route came, in seconds."""
        return [row["at"] for row in self.ask("requests") if row["route"] == route]


@contextmanager
def serving(*options: str) -> Iterator[Service]:
    """Serve while the block lasts."""
    command = [*PROGRAM, "sandbox", "--port", "0", "--token", TOKEN, "--limit-per-minute", "0", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Service(process.stdout.readline().strip().partition("=")[2], process.pid)
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def start(service: Service, folder: Path, *arguments: str | Path, **more: str | None) -> subprocess.Popen[str]:
    """Begin a run; the caller waits for it."""
    environ = environment(folder, **more)
    command = [*PROGRAM, *map(str, arguments), "--base-url", service.url]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], timeout_s: float = 60.0) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    try:
        out, err = process.communicate(timeout=timeout_s)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return process.returncode, out, err


def completed(
    command: Sequence[str | Path], folder: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder to its end, with nothing on its standard input."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def manifest(path: Path, prefix: str, count: int) -> Path:
    """New identifiers."""
    path.write_text("contact_identifier_value\n" + "".join(f"{prefix}-{n:04d}\n" for n in range(count)))
    return path
