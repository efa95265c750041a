"""The command that names the account of a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.context import is_verbose, make_target_from, run_async
from piggy_batch.cli.groups import command
from piggy_batch.cli.options import Seconds
from piggy_batch.cli.output import json_text
from piggy_batch.cli.terminal import show, tell

if TYPE_CHECKING:
    from piggy_batch.client.target import Target
    from piggy_batch.models import Answer, Request


@command(
    "ping",
    examples=(
        ("whose token PIGGY_TOKEN is", "piggy-batch ping"),
        ("whose token a file holds, for a script", "piggy-batch ping --token-file shop-a.token --json"),
    ),
)
@click.option(
    "--timeout",
    type=Seconds(),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Bound of one whole request.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
@click.pass_context
def ping(ctx: click.Context, *, timeout: float, as_json: bool) -> None:
    """Which account the token belongs to."""
    from piggy_batch.client.account import describe_account, fetch_account
    from piggy_batch.client.clock import Clock, StopSignal
    from piggy_batch.client.http import HttpClient, describe_exchange
    from piggy_batch.client.rate_limiter import RateLimiter
    from piggy_batch.client.session import Session

    def tell_exchange(request: Request, answer: Answer, elapsed_s: float) -> None:
        if is_verbose(ctx):
            tell(describe_exchange(request, answer, elapsed_s))

    async def ask(target: Target) -> dict[str, Any]:
        stop, clock = StopSignal(), Clock()
        async with HttpClient(target, timeout_s=timeout, on_response=tell_exchange) as client:
            session = Session(
                client=client,
                limiter=RateLimiter(5.0, clock, stop),
                clock=clock,
                stop=stop,
                max_wait_s=60.0,
                notify=tell,
            )
            return await fetch_account(session, target, None)

    target = make_target_from(ctx)
    account = run_async(ask(target))
    if as_json:
        click.echo(json_text({"account": account, "base_url": target.base_url}, indent=None))
    else:
        show(f"{describe_account(account)} at {target.base_url}")
