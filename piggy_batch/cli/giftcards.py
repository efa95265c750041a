"""The giftcards group."""

from __future__ import annotations

import click

from piggy_batch.cli import LazyGroup, program_options
from piggy_batch.cli.rows import add_row_commands


@click.group("giftcards", cls=LazyGroup, lazy={})
@program_options
def giftcards() -> None:
    """Giftcards, in bulk from a manifest, and every giftcard into a file."""


add_row_commands(giftcards)
