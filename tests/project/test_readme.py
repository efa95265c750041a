"""The README is true: its console blocks run as they stand, its generated parts are what the program says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.readme_blocks import BLOCKS, README, generate

REPOSITORY = README.parent
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
OPEN_END = "…"


@dataclass(frozen=True)
class Step:
    """One command of a console block and the lines it shows; a line may end, or stand, open with …"""

    command: str
    shown: tuple[str, ...]


def steps(text: str) -> list[Step]:
    """Every command of every console block, in order."""
    found: list[Step] = []
    for block in CONSOLE.findall(text):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:], ()))
            else:
                found[-1] = Step(found[-1].command, (*found[-1].shown, line))
    return found


@pytest.fixture
def service(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A sandbox process on a free port; its address and token as an environment."""
    command = [sys.executable, "-m", "piggy_batch", "sandbox", "--port", "0", "--latency-ms", "0"]
    process = subprocess.Popen([*command, "--limit-per-minute", "0"], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    try:
        assert process.stdout is not None
        given = dict(process.stdout.readline().strip().split("=", 1) for _ in range(2))
        yield {**os.environ, **given, "XDG_STATE_HOME": str(tmp_path / "state"), "PYTHONPATH": str(REPOSITORY)}
    finally:
        process.terminate()
        process.communicate(timeout=20)


def agrees(shown: str, lines: list[str]) -> bool:
    """Whether a line of the README is among the printed ones."""
    if shown.endswith(OPEN_END):
        return any(line.startswith(shown.removesuffix(OPEN_END).rstrip()) for line in lines)
    return shown.rstrip() in [line.rstrip() for line in lines]


@pytest.mark.process
def test_console_blocks_run_as_they_stand(service: dict[str, str], tmp_path: Path) -> None:
    """Each command of the README runs, in order, and prints what the README shows."""
    shutil.copytree(REPOSITORY / "samples", tmp_path / "samples")
    found = steps(README.read_text(encoding="utf-8"))
    assert len(found) >= 15
    for step in found:
        words = shlex.split(step.command)
        assert words[0] == "piggy-batch", step.command
        done = subprocess.run(
            [sys.executable, "-m", "piggy_batch", *words[1:]],
            cwd=tmp_path, env=service, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        lines = (done.stdout + done.stderr).splitlines()
        assert done.returncode in (0, 1), f"{step.command}: {lines}"
        for shown in step.shown:
            assert agrees(shown, lines), f"{step.command} does not print {shown!r} but {lines}"


def test_generated_blocks_are_what_the_program_says() -> None:
    """`make docs-check` passes, and every block of the README has a maker."""
    text = README.read_text(encoding="utf-8")
    assert generate(text) == text
    assert set(re.findall(r"<!-- generated: ([\w-]+) -->", text)) == set(BLOCKS)


def test_nothing_of_a_machine_is_committed() -> None:
    """No address of a package index and no path of a machine stands in a tracked text file."""
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    host = re.compile(r"https?://[^\s\"']*(pypi|artifactory|nexus|devpi)", re.IGNORECASE)
    for name in listed.stdout.splitlines():
        path = REPOSITORY / name
        if path.suffix in {".py", ".md", ".toml", ".lock", ".txt", ".sh"} or name == "Makefile":
            assert not host.search(path.read_text(encoding="utf-8")), name
