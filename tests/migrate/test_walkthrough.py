"""The walkthrough of a migration runs as it stands, against a sandbox process; the commands run in this one."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from piggy_batch.cli import main
from tests.test_readme import REPOSITORY, agrees, steps

TEXT = Path(__file__).with_name("walkthrough.md")


@pytest.mark.process
def test_the_walkthrough_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each command runs, in order, and prints what the text shows; the sign-off page is made."""
    shutil.copytree(REPOSITORY / "samples", tmp_path / "samples")
    sandbox = [sys.executable, "-m", "piggy_batch", "sandbox", "--port", "0", "--latency-ms", "0"]
    process = subprocess.Popen(sandbox, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    try:
        assert process.stdout is not None
        for line in (process.stdout.readline(), process.stdout.readline()):
            monkeypatch.setenv(*line.strip().split("=", 1))
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        monkeypatch.chdir(tmp_path)
        for step in steps(TEXT.read_text(encoding="utf-8")):
            words = shlex.split(step.command)
            monkeypatch.setenv("PIGGY_BATCH_RATE", "5" if "--dry-run" in words else "0")
            with pytest.raises(SystemExit) as ended:
                main(words[1:])
            out, err = capfd.readouterr()
            lines = (out + err).splitlines()
            assert ended.value.code in (0, 1), f"{step.command}: {lines}"
            for shown in step.shown:
                assert agrees(shown, lines), f"{step.command} does not print {shown!r} but {lines}"
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert "All 8 cards are as the manifest says." in (tmp_path / "sign-off.html").read_text(encoding="utf-8")
