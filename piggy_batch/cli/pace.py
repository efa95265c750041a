"""How fast a command sends and how long it waits: the options of all commands that send many requests."""

from __future__ import annotations

import click

from piggy_batch.cli.common import Duration, Rate, Seconds, Share, env

RATE = click.option(
    "--rate",
    type=Rate(),
    default=5.0,
    show_default=True,
    metavar="N",
    envvar=env("RATE"),
    help="At most N HTTP requests a second, every request counted; 0: no limit; auto: as the service allows.",
)
RESERVE = click.option(
    "--reserve",
    type=Share(),
    default="20%",
    show_default=True,
    envvar=env("RESERVE"),
    help="With --rate auto: this share of the announced budget is left to the shop's own traffic.",
)
CONCURRENCY = click.option(
    "--concurrency",
    type=click.IntRange(1, 500),
    default=8,
    show_default=True,
    envvar=env("CONCURRENCY"),
    help="At most N requests in flight.",
)
TIMEOUT = click.option(
    "--timeout",
    type=Seconds(),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    envvar=env("TIMEOUT"),
    help="Bound of one whole request, answer included.",
)


MAX_WAIT = click.option(
    "--max-wait",
    type=Duration(),
    default="30m",
    show_default=True,
    envvar=env("MAX_WAIT"),
    help="How long throttling, maintenance or an outage may keep everybody waiting before the run halts.",
)
