"""From a command line to what a command needs: target, display, run context."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from piggy_batch.cli.groups import OF_PROFILE, TYPED
from piggy_batch.cli.progress_display import ProgressDisplay
from piggy_batch.cli.terminal import tell
from piggy_batch.client import DEFAULT_URL

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from piggy_batch.client.clock import Clock
    from piggy_batch.client.target import Target
    from piggy_batch.runs.context import RunContext
    from piggy_batch.runs.progress import ProgressReporter


T = TypeVar("T")

_DROPPED = {"--dry-run": 0, "--limit": 1, "--resend-unknown": 0, "--retry-rejected": 0}  # with how many values
_SETTLED = {"--adopt": 0, "--again": 0}  # what they insist on is so once the run goes on; later they would hide a loss


def make_target_from(ctx: click.Context) -> Target:
    """Service and token from options, environment and profile."""
    from piggy_batch.client.target import make_target

    given: dict[str, Any] = ctx.obj or {}
    base_url, profile = given.get("base_url") or DEFAULT_URL, given.get("settings")
    of_profile = profile.values.get("base_url", base_url) if profile is not None else base_url
    target = make_target(base_url, _token(given), given.get("ca_file"))  # which refuses an address that holds a secret
    if profile is not None and of_profile != base_url and given["sources"].get("base_url") != TYPED:
        address = target.base_url
        tell(f"note: the address is that of PIGGY_BASE_URL, {address}, which wins over the profile {profile.name}")
    return target


def _token(given: dict[str, Any]) -> str:
    """The token: of the option, of the environment, of the profile, in this order."""
    from piggy_batch.client.profiles import choose_token

    own_file = given.get("token_file") if given.get("sources", {}).get("token_file") != OF_PROFILE else None
    return choose_token(own_file, given.get("settings"), tell)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """What a command's work on the network comes to."""
    import asyncio  # a tenth of the time to --help, which needs none of it

    return asyncio.run(work)


def clock_of(ctx: click.Context) -> Clock:
    """The clock by which the command runs: this machine's, unless whoever runs the program hands over another."""
    from piggy_batch.client.clock import Clock

    clock: Clock | None = (ctx.obj or {}).get("clock")
    return clock or Clock()


def now_of(ctx: click.Context) -> datetime:
    """The present moment, in UTC."""
    return datetime.fromtimestamp(clock_of(ctx).wall(), UTC)


def program_words(ctx: click.Context, base_url: str | None = None) -> list[str]:
    """How a command begins that meets the same service as the same account: the program-wide options as typed.

    ``base_url``: that of the run the command is about, named unless it is the default or that of the profile: in
    another terminal the environment may say something else.
    """
    given: dict[str, Any] = ctx.obj or {}
    typed = {name for name, rank in given.get("sources", {}).items() if rank == TYPED}
    words = ["piggy-batch"]
    if "profile" in typed:
        words += ["--profile", given["profile"]]
    known = given["settings"].values.get("base_url", DEFAULT_URL) if "profile" in typed else DEFAULT_URL
    wanted = given["base_url"] if "base_url" in typed else base_url or known
    if wanted != known:
        words += ["--base-url", wanted]
    for option, name in (("--token-file", "token_file"), ("--ca-file", "ca_file")):
        if name in typed:
            words += [option, str(given[name].resolve())]
    return words


def is_verbose(ctx: click.Context) -> bool:
    """Whether ``-v`` stands anywhere on the command line."""
    return bool((ctx.obj or {}).get("verbose"))


def command_line(argv: Sequence[str], *, begun: bool = True) -> str:
    """The command that goes on with a run: the same one, without what was meant for this time only. ``begun``: the run
    has begun, or goes on, so that nothing need be insisted on any more."""
    dropped = {**_DROPPED, **_SETTLED} if begun else _DROPPED
    kept: list[str] = []
    skip = 0
    for word in argv:
        if skip:
            skip -= 1
        elif word.partition("=")[0] in dropped:
            skip = 0 if "=" in word else dropped[word]
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


def make_run_context(ctx: click.Context, progress: ProgressReporter) -> RunContext:
    """Where a command runs that sends: as whom, what is shown, and who can be asked."""
    from piggy_batch.runs.context import RunContext
    from piggy_batch.runs.registry import state_dir

    target = make_target_from(ctx)
    return RunContext(
        target=target,
        progress=progress,
        command=command_line(ctx.obj["argv"]),
        program=tuple(program_words(ctx, target.base_url)),
        confirm=ask if can_ask() else None,
        clock=clock_of(ctx),
        signals=True,
        shared_rate_dir=state_dir(),
        registry_dir=state_dir(),
        verbose=is_verbose(ctx),
    )
