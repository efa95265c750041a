"""The types of paths on the command line: what is read, what is written, and where runs live."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any

import click

STDIN_NAMES = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
STDOUT_NAMES = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
LONGEST_COMPANION = ".{}.summary.json.00000000.part"  # the longest name of what is made beside a file


class PathType(click.Path):
    """A path; ``~`` in front is the home directory, also where no shell sees to it, as in ``--to=~/cards.csv``."""

    def __init__(self, **given: Any) -> None:
        super().__init__(path_type=Path, **given)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As a Path."""
        if value == "":
            self.fail("the name is empty; is a variable of the script not set?", param, ctx)
        if isinstance(value, str) and value.startswith("~"):
            try:
                value = str(Path(value).expanduser())
            except RuntimeError:
                self.fail(f"{value}: no such home directory; write ./{value} for a file of that name", param, ctx)
        return super().convert(value, param, ctx)


class ManifestPath(PathType):
    """A list to read. ``-``, ``/dev/stdin``, a named pipe and a process substitution, ``<(…)``, are standard input."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As a Path; ``-`` for standard input."""
        path = super().convert(value, param, ctx)
        if not path.name:
            self.fail(f"{path} is a directory; name the file", param, ctx)
        is_pipe = value not in STDIN_NAMES and path.is_fifo()
        if is_pipe:
            _read_as_stdin(path)
        if is_pipe or value in STDIN_NAMES:
            _forget(value, ctx)
            return Path("-")
        return path


def _read_as_stdin(pipe: Path) -> None:
    """From here on standard input is what the pipe brings."""
    handle = os.open(pipe, os.O_RDONLY)
    os.dup2(handle, 0)
    if handle:
        os.close(handle)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the program runs


def _forget(value: str, ctx: click.Context | None) -> None:
    """The command that goes on with this run does not name a pipe that is gone by then."""
    words = (ctx.find_object(dict) or {}).get("argv", []) if ctx is not None else []
    words[:] = ["-" if word == value else word for word in words]


class OutputPath(PathType):
    """A file to write, refused before anything is done where it could not be put there whole.

    A symbolic link is written through. ``stdout``: ``-`` is taken, for standard output.
    """

    def __init__(self, *, stdout: bool = False) -> None:
        super().__init__()
        self._stdout = stdout

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As a Path; ``-`` for standard output."""
        path = super().convert(value, param, ctx)
        if str(path) == "-" or str(path) in STDOUT_NAMES:
            if self._stdout:
                return Path("-")
            self.fail("this writes a file, whole or not at all, and standard output is none; name a file", param, ctx)
        from piggy_batch.files import real_file  # not at the top: help stays quick

        if not path.name:
            self.fail(f"{path} is a directory; name a file", param, ctx)
        target = real_file(path)
        for place in {path, target}:
            try:
                os.lstat(place.with_name(LONGEST_COMPANION.format(place.name)))
            except FileNotFoundError:
                pass
            except NotADirectoryError:
                self.fail(f"{path}: {path.parent} is no directory; name another place", param, ctx)
            except OSError as error:
                self.fail(f"{path}: {error.strerror}, with what is made beside it; choose a shorter name", param, ctx)
        self._check_place(path, target, param, ctx)
        return path

    def _check_place(self, path: Path, target: Path, param: click.Parameter | None, ctx: click.Context | None) -> None:
        try:
            mode = target.stat().st_mode
        except FileNotFoundError:
            if path.is_symlink() and not target.parent.is_dir():
                self.fail(f"{path} points to {target}, and there is no directory {target.parent}", param, ctx)
            return
        except OSError as error:
            self.fail(f"{path}: {error.strerror}; name another place", param, ctx)
        if stat.S_ISDIR(mode):
            self.fail(f"{path} is a directory; name a file", param, ctx)
        if not stat.S_ISREG(mode):
            self.fail(f"{path} is a pipe or a device, and would be replaced by a file; name a file", param, ctx)
