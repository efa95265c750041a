"""What a terminal is told: in colour where it has any, and broken between words at its width.

Data goes to stdout, messages to stderr. A stream that is no terminal gets every line as it is, without colour.
"""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING

import click

from piggy_batch.text import printable_line

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS_COLOURS: Mapping[str, str] = {
    "done": "green",
    "already": "green",
    "absent": "cyan",
    "pending": "yellow",
    "in flight": "yellow",
    "invalid": "red",
    "rejected": "red",
    "failed": "red",
    "unknown": "magenta",
}
EXIT_COLOURS: Mapping[int, str] = {0: "green", 1: "yellow"}  # all others: red
INDENT = "    "  # of the lines that a message goes on in
COMMANDS = (": piggy-batch ", ": eval ", ": pass --", "mean: --")  # before what is to be typed, to the end
NARROWEST = 40  # columns; a terminal that says less is not believed


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether somebody looks at it."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def has_colour(stream: IO[str] | None) -> bool:
    """Whether to use colour there; NO_COLOR, set to anything, says no."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(text: str, colour: str | None, stream: IO[str] | None) -> str:
    """``text`` in a colour where the stream has colours."""
    return click.style(text, fg=colour) if colour and has_colour(stream) else text


def exit_colour(code: int) -> str:
    """The colour of an exit code."""
    return EXIT_COLOURS.get(code, "red")


def fit(line: str, stream: IO[str] | None) -> str:
    """A line broken between words at the terminal's width; as it is where nobody looks.

    A command in it stays in one piece, however long, so that it can be copied.
    """
    if not is_terminal(stream):
        return line
    import shutil  # only a line for a terminal pays for them
    import textwrap

    width = max(NARROWEST, shutil.get_terminal_size().columns)
    if len(line) < width:
        return line

    cut = min((line.index(": ", line.index(mark)) + len(": ") for mark in COMMANDS if mark in line), default=len(line))
    indent = " " * (len(line) - len(line.lstrip(" "))) + INDENT
    found = textwrap.wrap(
        line[:cut],
        width - 1,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join([*found, indent + line[cut:]] if cut < len(line) else found)


def colour_of(line: str) -> str | None:
    """The colour of a table's line that begins with a status."""
    return next((STATUS_COLOURS[name] for name in STATUS_COLOURS if line.startswith(f"  {name} ")), None)


def show(line: str, colour: str | None = None) -> None:
    """A line of what was asked for, on stdout."""
    click.echo(painted(fit(printable_line(line), sys.stdout), colour, sys.stdout), color=has_colour(sys.stdout))


def tell(line: str, colour: str | None = None) -> None:
    """A message, on stderr."""
    click.echo(
        painted(fit(printable_line(line), sys.stderr), colour, sys.stderr), err=True, color=has_colour(sys.stderr)
    )
