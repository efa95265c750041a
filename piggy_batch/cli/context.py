"""From a command line to what a command needs: target, display, run context."""

from __future__ import annotations

import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.display import ProgressDisplay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.client.clock import Clock
    from piggy_batch.client.target import Target
    from piggy_batch.runs.context import RunContext
    from piggy_batch.runs.progress import Progress


DEFAULT_URL = "https://api.piggy.eu"
_DROPPED = {"--dry-run": 0, "--limit": 1, "--resend-unknown": 0, "--retry-rejected": 0}  # with how many values


def make_target_from(ctx: click.Context) -> Target:
    """Service and token from options and environment."""
    from piggy_batch.client.target import make_target, read_token

    given: dict[str, Any] = ctx.obj or {}
    token_file = given.get("token_file")
    if token_file is None and os.environ.get("PIGGY_TOKEN_FILE"):
        token_file = Path(os.environ["PIGGY_TOKEN_FILE"])
    base_url = given.get("base_url") or os.environ.get("PIGGY_BASE_URL") or DEFAULT_URL
    return make_target(base_url, read_token(token_file), given.get("ca_file"))


def clock_of(ctx: click.Context) -> Clock:
    """The clock by which the command runs: this machine's, unless whoever runs the program hands over another."""
    from piggy_batch.client.clock import Clock

    clock: Clock | None = (ctx.obj or {}).get("clock")
    return clock or Clock()


def now_of(ctx: click.Context) -> datetime:
    """The present moment, in UTC."""
    return datetime.fromtimestamp(clock_of(ctx).wall(), UTC)


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


def open_display(unit: str, *, progress: bool | None, quiet: bool = False) -> ProgressDisplay:
    """The display that the options ask for: a bar on a terminal, lines elsewhere."""
    bar = sys.stderr is not None and sys.stderr.isatty() if progress is None else progress
    return ProgressDisplay(unit, bar=bar, quiet=quiet)


def ask(question: str) -> bool:
    """Ask on the terminal; no is the default."""
    return click.confirm(question, default=False, err=True)


def can_ask() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty()


def make_run_context(ctx: click.Context, progress: Progress) -> RunContext:
    """Where a command runs that sends: as whom, what is shown, and who can be asked."""
    from piggy_batch.runs.context import RunContext
    from piggy_batch.runs.registry import state_dir

    return RunContext(
        target=make_target_from(ctx),
        progress=progress,
        command=command_line(ctx.obj["argv"]),
        confirm=ask if can_ask() else None,
        clock=clock_of(ctx),
        signals=True,
        shared_rate_dir=state_dir(),
        registry_dir=state_dir(),
        verbose=is_verbose(ctx),
    )
