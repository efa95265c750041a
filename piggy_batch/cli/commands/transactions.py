"""Commands that export transactions: of giftcards, of prepaid money, of loyalty credits."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import chain, product
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.commands.export import PROGRAM, TO, WALK_OPTIONS, carry_out_export
from piggy_batch.cli.groups import LazyGroup, command
from piggy_batch.cli.options import TIMEZONE, add_options
from piggy_batch.endpoints.exportable_lists import LOYALTY_TRANSACTIONS, PREPAID_TRANSACTIONS, TRANSACTIONS
from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from piggy_batch.endpoints.exportable_lists import Listing


PERIOD = (
    click.option("--since", metavar="DATE", help="From this day on; also a moment like 2026-01-31T12:00:00+01:00."),
    click.option("--until", metavar="DATE", help="Up to and with this day; a moment is not itself included."),
    TIMEZONE,
)
SHOP = click.option(
    "--shop", "shops", multiple=True, metavar="UUID", help="Only this shop's transactions (repeatable, read apart)."
)
CONTACT = click.option(
    "--contact",
    "contacts",
    multiple=True,
    metavar="UUID",
    help="Only this contact's transactions (repeatable, read apart).",
)
TYPE = click.option(
    "--type",
    "types",
    type=click.Choice(["credit_receptions", "reward_receptions"]),
    multiple=True,
    help="Only credits given, or only rewards claimed.",
)
PARAMETERS = {  # an option's values -> the list's parameter that takes one of them
    "programs": "giftcard_program_uuid",
    "shops": "shop_uuid",
    "contacts": "contact_uuid",
    "types": "type",
}


def transactions_command(
    listing: Listing, options: Sequence[Callable[[Any], Any]], about: str, examples: Sequence[tuple[str, str]]
) -> click.Command:
    """The command that exports a list of transactions, with the filters that the list has."""

    @click.pass_context
    def callback(ctx: click.Context, /, to: Path, **given: Any) -> None:
        carry_out_export(ctx, listing, given, to, filters_from(given))

    made: click.Command = command(
        "export", examples=examples, short_help=listing.help, help=f"{listing.help}\n\n{about}"
    )(add_options(callback, (TO, *options, *WALK_OPTIONS)))
    return made


def filters_from(given: dict[str, Any]) -> tuple[dict[str, str], ...]:
    """The filters that options ask for: one for each combination of values, within one period."""
    period: dict[str, str] = {}
    if "timezone_name" in given:
        from piggy_batch.reporting.dates import time_zone

        period = period_filter(given["since"], given["until"], time_zone(given["timezone_name"]))
    values = [[{parameter: value} for value in given.get(name, ())] or [{}] for name, parameter in PARAMETERS.items()]
    return tuple({**dict(chain.from_iterable(map(dict.items, each))), **period} for each in product(*values))


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


transactions.add_command(
    transactions_command(
        TRANSACTIONS,
        (*PERIOD, PROGRAM, SHOP),
        "Read twice and proven as a giftcard export is; `giftcards report --transactions FILE` reads it.",
        (
            (
                "the bookings of a month",
                "piggy-batch giftcards transactions export --to january.parquet --since 2026-01-01 --until 2026-01-31",
            ),
            (
                "those of one shop, as a workbook",
                "piggy-batch giftcards transactions export --to shop.xlsx --shop 9d66eec2-10ee-41f6-af6b-2dec89025cb3",
            ),
        ),
    )
)


@click.group(
    "transactions",
    cls=LazyGroup,
    examples=(
        ("every one", "piggy-batch prepaid transactions export --to prepaid.parquet"),
        ("those of a shop", "piggy-batch prepaid transactions export --to prepaid.csv --shop UUID"),
    ),
)
def prepaid_transactions() -> None:
    """Prepaid transactions: money given to contacts, spent and taken back."""


prepaid_transactions.add_command(
    transactions_command(
        PREPAID_TRANSACTIONS,
        (CONTACT, SHOP),
        "Read twice and proven as a giftcard export is. The service gives 30 a page, and no period can be asked for.",
        (
            ("every one", "piggy-batch prepaid transactions export --to prepaid.parquet"),
            (
                "those of a contact",
                "piggy-batch prepaid transactions export --to hers.csv --contact 1027615f-5352-4136-a361-2dec89025ca3",
            ),
        ),
    )
)


@click.group(
    "loyalty",
    cls=LazyGroup,
    examples=(
        ("every change to a credit balance", "piggy-batch loyalty transactions export --to loyalty.parquet"),
        ("those of a year", "piggy-batch loyalty transactions export --to 2025.csv --since 2025-01-01"),
    ),
)
def loyalty() -> None:
    """Loyalty transactions: credits given to contacts, and rewards claimed."""


@loyalty.group(
    "transactions",
    cls=LazyGroup,
    examples=(
        ("every change to a credit balance", "piggy-batch loyalty transactions export --to loyalty.parquet"),
        ("those of a year", "piggy-batch loyalty transactions export --to 2025.csv --since 2025-01-01"),
    ),
)
def loyalty_transactions() -> None:
    """Loyalty transactions of a period into a file."""


loyalty_transactions.add_command(
    transactions_command(
        LOYALTY_TRANSACTIONS,
        (*PERIOD, CONTACT, SHOP, TYPE),
        "Read twice and proven as a giftcard export is. How the service shows a claimed reward is documented in part "
        "only: --extra keeps what no column has.",
        (
            (
                "what a month has given and taken",
                "piggy-batch loyalty transactions export --to january.csv --since 2026-01-01 --until 2026-01-31",
            ),
            (
                "credits given, with all that is shown of them",
                "piggy-batch loyalty transactions export --to given.parquet --type credit_receptions --extra",
            ),
        ),
    )
)
