"""Completion: a shell that has read what ``completion`` prints completes commands, options and values."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT

pytestmark = pytest.mark.process


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A folder with the program under its name comes first on the PATH."""
    program = tmp_path / "bin" / "piggy-batch"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m piggy_batch "$@"\n')
    program.chmod(0o755)
    profiles = tmp_path / "config" / "piggy-batch" / "profiles.toml"
    profiles.parent.mkdir(parents=True)
    profiles.write_text("[shop-a]\n[shop-b]\n[other]\n")
    profiles.chmod(0o600)
    path = f"{program.parent}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(tmp_path / "config")}


def printed(environment: dict[str, str], *words: str) -> str:
    """What a program prints; it must end well."""
    run = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_is_printed_is_a_script_of_that_shell(environment: dict[str, str], tmp_path: Path, shell: str) -> None:
    """It names the program, and the shell, where it is there, can read it."""
    text = printed(environment, "piggy-batch", "completion", shell)
    assert "piggy-batch" in text
    assert f"_PIGGY_BATCH_COMPLETE={shell}_complete" in text
    path = tmp_path / "script"
    path.write_text(text)
    if shutil.which(shell):
        assert printed(environment, shell, "-n", str(path)) == ""


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (("ident",), ["identifiers"]),
        (("identifiers", "cre"), ["create"]),
        (("identifiers", "create", "cards.csv", "--dry"), ["--dry-run"]),
        (("identifiers", "create", "cards.csv", "--format", "par"), ["parquet"]),
        (("giftcards", "transactions", "exp"), ["export"]),
        (("ping", "--profile", "shop"), ["shop-a", "shop-b"]),
        (("help", "fi"), ["findings", "files", "finance"]),
    ],
)
def test_bash_completes(environment: dict[str, str], typed: tuple[str, ...], expected: list[str]) -> None:
    """Commands at every level, options, and the values of those that have a few."""
    words = " ".join(("piggy-batch", *typed))
    script = (
        'eval "$(piggy-batch completion bash)"\n'
        f"COMP_WORDS=({words}); COMP_CWORD={len(typed)}\n"
        f"_piggy_batch_completion piggy-batch {typed[-1]}\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    assert printed(environment, "bash", "-c", script).split() == expected
