"""Commands about the service and about runs: ping, status, sandbox."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click

from piggy_batch.cli.common import Seconds, is_verbose, json_text, make_target_from
from piggy_batch.cli.groups import program_options
from piggy_batch.errors import SetupError


@click.command("ping")
@click.option(
    "--timeout",
    type=Seconds(),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Bound of one whole request.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
@program_options
@click.pass_context
def ping(ctx: click.Context, *, timeout: float, as_json: bool) -> None:
    """Which account the token belongs to."""
    from piggy_batch.client.account import introduce
    from piggy_batch.client.http import Api, Target
    from piggy_batch.client.rate_limiter import Clock, Pacer, Stop
    from piggy_batch.client.session import Courier
    from piggy_batch.client.telling import TellingApi
    from piggy_batch.runs.directory import account_words
    from piggy_batch.runs.progress import printable_line

    verbose = is_verbose(ctx)

    def tell(line: str) -> None:
        click.echo(printable_line(line), err=True)

    async def ask(target: Target) -> dict[str, Any]:
        stop, clock = Stop(), Clock()
        async with TellingApi(target, tell, timeout_s=timeout) if verbose else Api(target, timeout_s=timeout) as api:
            courier = Courier(
                api=api, pacer=Pacer(5.0, clock, stop), clock=clock, stop=stop, max_wait_s=60.0, notify=tell
            )
            return await introduce(courier, target, None)

    target = make_target_from(ctx)
    account = asyncio.run(ask(target))
    if as_json:
        click.echo(json_text({"account": account, "base_url": target.base_url}, indent=None))
    else:
        click.echo(printable_line(f"{account_words(account)} at {target.base_url}"))


@click.command("status")
@click.argument("run_dir", type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(*, run_dir: Path, as_json: bool) -> None:
    """What a run has done so far, also while it is running."""
    from piggy_batch.importing.status import describe_run, status_lines
    from piggy_batch.runs.progress import printable_line

    found = describe_run(run_dir)
    if as_json:
        click.echo(json_text(found))
    else:
        for line in status_lines(found):
            click.echo(printable_line(line))


@click.command("sandbox")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: a free one.")
@click.option(
    "--giftcards",
    type=click.IntRange(0, 5_000_000),
    default=1000,
    show_default=True,
    help="Giftcards it holds at the start.",
)
@click.option(
    "--contacts",
    type=click.IntRange(0, 5_000_000),
    default=1000,
    show_default=True,
    help="Contacts it holds at the start.",
)
@click.option(
    "--latency-ms", type=click.IntRange(0, 60_000), default=50, show_default=True, help="How long every answer takes."
)
@click.option(
    "--limit-per-minute",
    type=click.IntRange(0),
    default=5000,
    show_default=True,
    help="Requests a minute before 429; 0: no limit.",
)
@click.option("--token", default="sandbox", show_default=True, help="The token it accepts.")
@click.option(
    "--state", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Keep what it holds in this file."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of everything random in it.")
@click.option(
    "--fault", "faults", multiple=True, metavar="KIND[:SHARE]", help="Misbehave so; --list-faults lists the kinds."
)
@click.option("--list-faults", is_flag=True, help="List the kinds of faults, and leave.")
def sandbox(
    *,
    port: int,
    giftcards: int,
    contacts: int,
    latency_ms: int,
    limit_per_minute: int,
    token: str,
    state: Path | None,
    seed: int,
    faults: tuple[str, ...],
    list_faults: bool,
) -> None:
    """A local stand-in for the service: rehearse a manifest against it, with faults if you like.

    Prints its address and token, one a line, then serves until it is stopped.
    """
    try:
        from piggy_batch.sandbox import FAULT_KINDS, Settings, parse_fault, serve
    except ImportError:
        raise SetupError("the sandbox is an extra: pip install 'piggy-batch[sandbox]'") from None
    if list_faults:
        for kind, line in FAULT_KINDS.items():
            click.echo(f"{kind:<20} {line}")
        return
    try:
        parsed = tuple(parse_fault(text) for text in faults)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    settings = Settings(
        token=token,
        giftcards=giftcards,
        contacts=contacts,
        latency_ms=latency_ms,
        limit_per_minute=limit_per_minute,
        state=state,
        faults=parsed,
        seed=seed,
    )
    try:
        serve(settings, port)
    except OSError as error:
        raise SetupError(f"port {port}: {error.strerror}; take another --port, or 0 for a free one") from None
    except ValueError as error:
        raise SetupError(f"--state {state}: {error}") from None
    sys.stdout.flush()
