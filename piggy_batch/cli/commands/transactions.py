"""Transactions of a period into a file."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.commands.export import PROGRAM, TO, WALK_OPTIONS, run_export, show_exported
from piggy_batch.cli.groups import LazyGroup, command
from piggy_batch.cli.options import TIMEZONE, add_options
from piggy_batch.endpoints.listings import TRANSACTIONS
from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo


TRANSACTION_OPTIONS = (
    click.option("--since", metavar="DATE", help="From this day on; also a moment like 2026-01-31T12:00:00+01:00."),
    click.option("--until", metavar="DATE", help="Up to and with this day; a moment is not itself included."),
    PROGRAM,
    click.option(
        "--shop", "shops", multiple=True, metavar="UUID", help="Only this shop's transactions (repeatable, read apart)."
    ),
    TIMEZONE,
)


@click.pass_context
def _transactions(
    ctx: click.Context,
    /,
    to: Path,
    programs: tuple[str, ...],
    shops: tuple[str, ...],
    since: str | None,
    until: str | None,
    timezone_name: str,
    **given: Any,
) -> None:
    from piggy_batch.reporting.dates import time_zone

    period = period_filter(since, until, time_zone(timezone_name))
    filters = tuple(
        {
            **({"giftcard_program_uuid": program} if program else {}),
            **({"shop_uuid": shop} if shop else {}),
            **period,
        }
        for program in programs or ("",)
        for shop in shops or ("",)
    )
    done = run_export(ctx, TRANSACTIONS, given, to, filters)
    show_exported(TRANSACTIONS, done, as_json=given["as_json"], quiet=given["quiet"])
    ctx.exit(done.exit_code)


def period_filter(since: str | None, until: str | None, zone: ZoneInfo) -> dict[str, str]:
    """The list's own filter for a period whose days are those of ``zone``; SetupError where it is none."""
    begin = _edge(since, "--since", zone, after=False)
    end = _edge(until, "--until", zone, after=True)
    if begin is not None and end is not None and begin >= end:
        raise SetupError(f"--since {since} is not before --until {until}")
    bounds = {"created_at[gte]": begin, "created_at[lt]": end}
    return {name: moment.isoformat(timespec="seconds") for name, moment in bounds.items() if moment is not None}


def _edge(text: str | None, option: str, zone: ZoneInfo, *, after: bool) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SetupError(f'{option}: "{text}" is neither a day nor a moment; write it like 2026-01-31') from None
    if len(text) == len("2026-01-31"):
        day = moment.date() + timedelta(days=1) if after else moment.date()
        moment = datetime.combine(day, time.min, tzinfo=zone)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


@click.group(
    "transactions",
    cls=LazyGroup,
    examples=(
        ("every booking", "piggy-batch giftcards transactions export --to transactions.parquet"),
        ("those of a year", "piggy-batch giftcards transactions export --to 2025.csv --since 2025-01-01"),
    ),
)
def transactions() -> None:
    """Giftcard transactions: what was issued, redeemed and taken back."""


transactions_export: click.Command = command(
    "export",
    examples=(
        (
            "the bookings of a month",
            "piggy-batch giftcards transactions export --to january.parquet --since 2026-01-01 --until 2026-01-31",
        ),
        (
            "those of one shop, as a workbook",
            "piggy-batch giftcards transactions export --to shop.xlsx --shop 9d66eec2-10ee-41f6-af6b-2dec89025cb3",
        ),
    ),
    short_help=TRANSACTIONS.help,
    help=f"""{TRANSACTIONS.help}

    Read twice and proven as a giftcard export is; `giftcards report --transactions FILE` reads it.
    """,
)(add_options(_transactions, (TO, *TRANSACTION_OPTIONS, *WALK_OPTIONS)))
transactions.add_command(transactions_export)
