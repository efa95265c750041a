"""From a command line to what a command needs: target, display, run context."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.display import ProgressDisplay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.client.target import Target
    from piggy_batch.runs.context import RunContext


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


def make_scene(ctx: click.Context, display: Any) -> RunContext:
    """Where an export runs."""
    from piggy_batch.runs.context import RunContext
    from piggy_batch.runs.registry import state_dir

    return RunContext(
        target=make_target_from(ctx),
        progress=display,
        command=command_line(ctx.obj["argv"]),
        signals=True,
        shared_rate_dir=state_dir(),
        verbose=is_verbose(ctx),
    )
