"""The command that starts the local stand-in for the service."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from piggy_batch.cli.groups import command
from piggy_batch.errors import SetupError


@command(
    "sandbox",
    examples=(
        ("an account with 1,000 contacts and giftcards, kept between starts", "piggy-batch sandbox --state shop.json"),
        ("one whose answers get lost now and then", "piggy-batch sandbox --fault reset-after:0.05 --fault 429:0.01"),
    ),
)
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
