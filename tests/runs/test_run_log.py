"""The log of a run goes on in its own file, and in nobody else's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from piggy_batch.runs.run_log import RunLog, remove_logs

if TYPE_CHECKING:
    from pathlib import Path


def logged(path: Path, line: str) -> tuple[Path | None, str | None]:
    """Where a line has gone, and what a person is told of that."""
    log = RunLog()
    told = log.open(path)
    log.write(line)
    log.close()
    return log.path, told


def test_a_log_goes_on_where_it_was(tmp_path: Path) -> None:
    """Invocation after invocation, private, and nothing is told; so it is after a kill before its first line."""
    path = tmp_path / "run.log"
    path.touch(0o600)
    for line in ("one", "two"):
        assert logged(path, line) == (path, None)
    assert [text[21:] for text in path.read_text().splitlines()][1:] == ["one", "two"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("theirs", ["text", "a log", "link", "link to nothing", "folder", "pipe"])
def test_what_somebody_else_has_put_there_stays(tmp_path: Path, theirs: str) -> None:
    """To the byte; the log lies beside, at the next invocation in the same file, and that is told."""
    path, victim = tmp_path / "run.log", tmp_path / "victim"
    text = "2026-01-31T10:00:00Z another program keeps this log\n" if theirs == "a log" else "mine"
    if theirs == "link":
        victim.write_text(text)
    if theirs.startswith("link"):
        path.symlink_to(victim)
    elif theirs == "folder":
        path.mkdir()
    elif theirs == "pipe":
        os.mkfifo(path)
    else:
        path.write_text(text)
    beside = tmp_path / "run-2.log"
    for line in ("one", "two"):
        place, told = logged(path, line)
        assert place == beside
        assert told is not None
        assert str(beside) in told
    assert len(beside.read_text().splitlines()) == 3
    if theirs in ("text", "a log", "link"):
        assert path.read_text() == text
    assert victim.exists() == (theirs == "link")


def test_only_logs_of_this_program_are_removed(tmp_path: Path) -> None:
    """What lies there under such a name otherwise is kept."""
    theirs = tmp_path / "run.log"
    theirs.write_text("mine")
    logged(theirs, "one")
    for name in ("running.log", "run-more.log"):
        (tmp_path / name).touch()
    remove_logs(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"run.log", "running.log", "run-more.log"}
