"""The account's shops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.groups import LazyGroup, command
from piggy_batch.cli.options import add_options
from piggy_batch.cli.unpaged_list_output import UNPAGED_OPTIONS, aligned, show_unpaged_list
from piggy_batch.endpoints.exportable_lists import SHOPS

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXAMPLES = (
    ("the UUIDs that --shop and shop_uuid want", "piggy-batch shops list"),
    ("into a file", "piggy-batch shops list --to shops.csv"),
)


@click.group("shops", cls=LazyGroup, examples=_EXAMPLES)
def shops() -> None:
    """The account's shops, in whose name money and credits are given."""


@click.pass_context
def _list(ctx: click.Context, /, **given: Any) -> None:
    show_unpaged_list(ctx, SHOPS, shop_lines, **given)


def shop_lines(found: Sequence[dict[str, Any]]) -> list[str]:
    """A table for people."""
    rows = [[str(item[name] or "") for name in ("shop_uuid", "shop_name", "type", "reference")] for item in found]
    return aligned([("shop_uuid", "name", "type", "reference"), *rows])


shops.add_command(
    command("list", help=SHOPS.help, short_help=SHOPS.help, examples=_EXAMPLES)(add_options(_list, UNPAGED_OPTIONS))
)
