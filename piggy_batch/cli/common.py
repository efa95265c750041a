"""What several commands share: program-wide options, kinds of option values, words for people."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.errors import HaltError, JournalError, PiggyBatchError, SetupError
from piggy_batch.runs.progress import Display, duration, printable_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from piggy_batch.client.http import Target
    from piggy_batch.runs.context import Result

DEFAULT_URL = "https://api.piggy.eu"
_DROPPED = {"--dry-run": 0, "--limit": 1, "--resend-unknown": 0, "--retry-rejected": 0}  # with how many values


class Duration(click.ParamType[float]):
    """``90``, ``90s``, ``30m``, ``6h``, ``1h30m`` or ``2d``, in seconds."""

    name = "duration"
    _parts = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        if isinstance(value, int | float):
            return float(value)
        match = self._parts.fullmatch(value.strip().lower())
        if not value.strip() or match is None:
            self.fail(f"{value!r} is no duration; write it as 90s, 30m or 6h", param, ctx)
        days, hours, minutes, seconds = (float(g) if g else 0.0 for g in match.groups())
        return days * 86400 + hours * 3600 + minutes * 60 + seconds


class Seconds(click.FloatRange):
    """Seconds, from a hundredth to an hour; nan is none."""

    name = "seconds"

    def __init__(self) -> None:
        super().__init__(0.01, 3600)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """As a number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return number


class Pair(click.ParamType[tuple[str, str]]):
    """``NAME=VALUE``."""

    name = "pair"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Name and value; the value may be empty and may hold further ``=``."""
        if isinstance(value, tuple):
            return value
        name, equals, text = value.partition("=")
        if not equals or not name.strip():
            self.fail(f"{value!r} is not of the form NAME=VALUE", param, ctx)
        return name.strip(), text


class Rate(click.ParamType[float | str]):
    """Requests a second; 0: no limit; ``auto``: chosen by what the service shows."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """A number from 0 up, decimals allowed, or ``auto``."""
        if value == "auto":
            return "auto"
        try:
            rate = float(value)
        except ValueError:
            rate = -1.0
        if not 0 <= rate < 1e6 or 0 < rate < 1e-3:
            self.fail(f"{value!r} is no rate; write requests a second, 0 for no limit, or auto", param, ctx)
        return rate


class CountOrPercent(click.ParamType[tuple[int | None, float | None]]):
    """``50`` or ``5%``."""

    name = "count"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | None, float | None]:
        """(rows, None) or (None, percent)."""
        from piggy_batch.importing.runner import percent_or_count

        if isinstance(value, tuple):
            return value
        try:
            return percent_or_count(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number of rows from 1 up nor a percentage like 5%", param, ctx)


class Share(click.ParamType[float]):
    """``20%``, as 0.2."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """From 0 to 0.9."""
        try:
            share = float(str(value).removesuffix("%")) / 100
        except ValueError:
            share = -1.0
        if not 0 <= share <= 0.9:
            self.fail(f"{value!r} is no share; write it as 20%, at most 90%", param, ctx)
        return share


def env(name: str) -> str:
    """The environment variable that stands for an option."""
    return f"PIGGY_BATCH_{name}"


def add_options(command: Any, options: Sequence[Callable[[Any], Any]]) -> Any:
    """Decorate a callback with options, in their order."""
    for option in reversed(options):
        command = option(command)
    return command


def as_rate(value: float | str) -> float | None:
    """The rate that machines understand; None: auto."""
    return None if isinstance(value, str) else value


def as_mapping(option: str, pairs: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Repeated NAME=VALUE options; SetupError where a name comes twice."""
    found: dict[str, str] = {}
    for name, text in pairs:
        if name in found:
            raise SetupError(f"{option} {name} is given twice")
        found[name] = text
    return found


def make_target_from(ctx: click.Context) -> Target:
    """Service and token from options and environment."""
    from piggy_batch.client.http import make_target, read_token

    given: dict[str, Any] = ctx.obj or {}
    token_file = given.get("token_file")
    if token_file is None and os.environ.get("PIGGY_TOKEN_FILE"):
        token_file = Path(os.environ["PIGGY_TOKEN_FILE"])
    base_url = given.get("base_url") or os.environ.get("PIGGY_BASE_URL") or DEFAULT_URL
    return make_target(base_url, read_token(token_file), given.get("ca_file"))


def is_verbose(ctx: click.Context) -> bool:
    """Whether ``-v`` stands anywhere on the command line."""
    return bool((ctx.obj or {}).get("verbose"))


def command_line(argv: Sequence[str]) -> str:
    """The command that goes on with a run: the same one, without what was meant for this time only."""
    kept: list[str] = []
    skip = 0
    for word in argv:
        if skip:
            skip -= 1
        elif word.partition("=")[0] in _DROPPED:
            skip = 0 if "=" in word else _DROPPED[word]
        else:
            kept.append(word)
    return shlex.join(["piggy-batch", *kept])


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


def open_display(unit: str, *, progress: bool | None, quiet: bool = False) -> Display:
    """The display that the options ask for: a bar on a terminal, lines elsewhere."""
    bar = sys.stderr is not None and sys.stderr.isatty() if progress is None else progress
    return Display(unit, bar=bar, quiet=quiet)


def ask(question: str) -> bool:
    """Ask on the terminal; no is the default."""
    return click.confirm(question, default=False, err=True)


def can_ask() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty()


def report_error(error: PiggyBatchError, argv: Sequence[str]) -> int:
    """Print an error as one line, and the command to try again where that helps; its exit code."""
    click.echo(printable_line(f"piggy-batch: {error}"), err=True)
    if isinstance(error, HaltError) or (isinstance(error, JournalError) and error.goes_on):
        click.echo(f"then run: {shown_command(command_line(argv))}", err=True)
    return error.exit_code


def show_result(result: Result, *, as_json: bool) -> None:
    """Summary on stdout; notes and the command that goes on, on stderr. A reader who has gone changes no exit code."""
    with contextlib.suppress(OSError):
        _show_result(result, as_json=as_json)


def _show_result(result: Result, *, as_json: bool) -> None:
    if result.summary is None:
        for line in (*result.plan, *result.notes):
            click.echo(printable_line(line), err=bool(result.exit_code))
        return
    if as_json:
        click.echo(json_text(result.summary))
    else:
        for line in summary_lines(result):
            click.echo(printable_line(line))
    for line in result.notes:
        click.echo(printable_line(line), err=True)
    if result.summary["next"]:
        click.echo(f"go on with: {shown_command(result.summary['next'])}", err=True)


def summary_lines(result: Result) -> list[str]:
    """The summary as a table for people."""
    summary = result.summary or {}
    counts: dict[str, int] = summary["counts"]
    width = max(len(f"{n:,}") for n in (*counts.values(), summary["rows"]))
    requests = summary["requests"]
    rows = [f"  {name:<9} {number:>{width},}" for name, number in counts.items() if number]
    files = [f"  {Path(path).name:<18} {number:>{width},} rows" for path, number in result.piles]
    return [
        (
            f"{summary['operation']}: {summary['rows']:,} rows, {requests['sent']:,} requests "
            f"({requests['retried']:,} retried, {requests['throttled']:,} throttled) "
            f"in {duration(summary['elapsed_s'])}"
        ),
        *rows,
        f"in {result.run_dir}:",
        *files,
    ]
