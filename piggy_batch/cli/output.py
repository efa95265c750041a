"""Tables, JSON and errors for people."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import click

from piggy_batch.cli.context import command_line
from piggy_batch.cli.progress_display import LOGGED_IN
from piggy_batch.cli.terminal import colour_of, exit_colour, show, tell
from piggy_batch.errors import HaltError, JournalError, PiggyBatchError, SetupError
from piggy_batch.exit_codes import ExitCode
from piggy_batch.text import counted, duration, printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from piggy_batch.importing.options import RunResult


UNWRITABLE = (errno.EPIPE, errno.ENOSPC, errno.EIO)  # a reader, a disk, a terminal that takes no more
ON_STDOUT = "stdout.csv"  # the file of what goes to standard output, until it is whole


def shown_command(command: str) -> str:
    """A command for a terminal: as it is, or, where a file's name holds control characters, with these escaped."""
    return command if command.isprintable() else printable_line(command)


def printable_text(text: str) -> str:
    """Several lines, safe for a terminal."""
    return "\n".join(map(printable_line, text.split("\n")))


def json_text(data: Any, indent: int | None = 2) -> str:
    """JSON for stdout: characters as they are, but those that could drive a terminal escaped."""
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    return text if text.isprintable() else "".join(map(_harmless, text))


def _harmless(c: str) -> str:
    if c.isprintable() or c == "\n":
        return c
    return f"\\u{ord(c):04x}" if c < "\U00010000" else json.dumps(c)[1:-1]


def copy_to_stdout(path: Path) -> None:
    """The bytes of a file, on standard output."""
    if sys.stdout is None:
        return
    sys.stdout.flush()
    with path.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.flush()


def report_error(error: Exception, given: Mapping[str, Any]) -> ExitCode:
    """Print an error as one line, and the command to try again where that helps; its exit code.

    ``given``: what the command line says, ``argv`` and, with -v, ``verbose``.
    """
    with contextlib.suppress(OSError):  # nobody reads it
        if isinstance(error, PiggyBatchError):
            tell(without_token(f"piggy-batch: {error}"), exit_colour(error.exit_code))
            if isinstance(error, HaltError) or (isinstance(error, JournalError) and error.goes_on):
                again = command_line(given["argv"], begun=isinstance(error, JournalError))
                tell(without_token(f"then run: {again}"))
        elif _is_unwritable(error):
            what = "the output cannot be written" if error.filename is None else str(error.filename)
            tell(f"piggy-batch: {what}: {error.strerror}", exit_colour(ExitCode.INCOMPLETE))
        else:
            _report_unexpected(error, verbose=bool(given.get("verbose")))
    if isinstance(error, PiggyBatchError):
        return error.exit_code
    return ExitCode.INCOMPLETE if _is_unwritable(error) else ExitCode.INTERNAL


def without_token(text: str) -> str:
    """A message that may repeat what was typed, without the token of the environment in it."""
    from piggy_batch.client.secret_mask import SecretMask  # only an error pays for it

    token = os.environ.get("PIGGY_TOKEN", "").strip()
    return SecretMask(token).text(text) if token else text


def _is_unwritable(error: Exception) -> TypeGuard[OSError]:
    return isinstance(error, OSError) and error.errno in UNWRITABLE


def _report_unexpected(error: Exception, *, verbose: bool) -> None:
    """An error that nobody thought of: what it is, that nothing is lost, and where its traceback is."""
    logged = [note for note in getattr(error, "__notes__", ()) if note.startswith(LOGGED_IN)]
    where = logged[0] if logged else "to see its traceback, add -v"
    if verbose and not logged:
        click.echo(printable_text("".join(traceback.format_exception(error)).rstrip()), err=True)
        where = "its traceback is above"
    name, words = type(error).__name__, str(error)
    tell(
        f"piggy-batch: an error in the program itself, {f'{name}: {words}' if words else name}; the run directory "
        f"knows what was sent, so the same command goes on; please report this ({where})",
        exit_colour(ExitCode.INTERNAL),
    )


def show_result(result: RunResult, *, as_json: bool) -> None:
    """Summary on stdout; notes and the command that goes on, on stderr.

    A reader who has gone changes no exit code. A full disk does where a program relies on the JSON of a run that ended
    well: exit 1.
    """
    try:
        _show_result(result, as_json=as_json)
    except OSError as error:
        if as_json and error.errno != errno.EPIPE and result.exit_code == ExitCode.DONE:
            raise


def _show_result(result: RunResult, *, as_json: bool) -> None:
    if result.summary is None:
        if as_json:
            found = {**(result.figures or {}), "plan": result.plan, "notes": result.notes}
            click.echo(json_text({**found, "exit_code": result.exit_code, "files": dict(result.report_files)}))
        for line in result.notes if as_json else (*result.plan, *result.notes):
            (tell if result.exit_code or as_json else show)(line)
        return
    if as_json:
        click.echo(json_text(result.summary))
    else:
        headline, *lines = summary_lines(result)
        show(headline, exit_colour(result.exit_code))
        for line in lines:
            show(line, colour_of(line))
    for line in result.notes:
        tell(line)
    if result.summary["next"]:
        tell(f"go on with: {result.summary['next']}")


@contextlib.contextmanager
def refusal_shown(*, as_json: bool) -> Iterator[None]:
    """Print what is wrong with a manifest as JSON, too, where the run is refused for it."""
    try:
        yield
    except SetupError as error:
        if as_json and error.details is not None:
            with contextlib.suppress(OSError):
                click.echo(json_text(error.details))
        raise


def summary_lines(result: RunResult) -> list[str]:
    """The summary as a table for people."""
    summary = result.summary or {}
    counts: dict[str, int] = summary["counts"]
    width = max(len(f"{n:,}") for n in (*counts.values(), summary["rows"]))
    rows = [f"  {name:<9} {number:>{width},}" for name, number in counts.items() if number]
    files = [
        f"  {Path(path).name:<18} {number:>{width},} {'row' if number == 1 else 'rows'}"
        for path, number in result.report_files
    ]
    took = f"{_requests(summary)} in {duration(summary['elapsed_s'])}"
    return [
        f"{summary['operation']}: {counted(summary['rows'], 'row')}, {took}",
        *rows,
        f"in {result.run_dir}:",
        *files,
    ]


def _requests(summary: dict[str, Any]) -> str:
    """The requests of the run, those of this invocation apart where there were others."""
    every, now = summary["requests"], summary["requests_now"]
    words = f"{every['sent']:,} requests ({every['retried']:,} retried, {every['throttled']:,} throttled)"
    if summary["invocations"] < 2:
        return words
    return f"{words}, {now['sent']:,} of them by this one of {summary['invocations']:,} invocations,"
