"""``giftcards programs``: the account's giftcard programs, with the UUIDs that other commands want."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.groups import command
from piggy_batch.cli.options import add_options
from piggy_batch.cli.unpaged_list_output import UNPAGED_OPTIONS, aligned, show_unpaged_list
from piggy_batch.endpoints.exportable_lists import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.pass_context
def _programs(ctx: click.Context, /, **given: Any) -> None:
    show_unpaged_list(ctx, PROGRAMS, program_lines, **given)


giftcard_programs: click.Command = command(
    "programs",
    help=PROGRAMS.help,
    short_help=PROGRAMS.help,
    examples=(
        ("the UUIDs that other commands want", "piggy-batch giftcards programs"),
        ("into a file", "piggy-batch giftcards programs --to programs.csv"),
    ),
)(add_options(_programs, UNPAGED_OPTIONS))


def program_lines(found: Sequence[dict[str, Any]]) -> list[str]:
    """A table for people."""
    head = ("giftcard_program_uuid", "name", "cards", "active", "expires after", "maximum")
    rows = [head]
    for item in found:
        days, most, cards = item["expiration_days"], item["max_amount_in_cents"], item["card_count"]
        rows.append(
            (
                str(item["giftcard_program_uuid"]),
                str(item["giftcard_program_name"]),
                f"{cards:,}" if isinstance(cards, int) else "?",
                {True: "yes", False: "no"}.get(item["active"], "?"),
                f"{days} days" if days is not None else "never",
                f"{most / 100:,.2f}" if isinstance(most, int) else "none",
            )
        )
    return aligned(rows)
