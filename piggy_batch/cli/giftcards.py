"""The giftcards group."""

from __future__ import annotations

import click

from piggy_batch.cli import LazyGroup, program_options
from piggy_batch.cli.rows import add_row_commands

_LAZY = {
    "reconcile": ("piggy_batch.cli.reconcile:reconcile_command", "Settle rows of `create` whose answers were lost."),
    "report": ("piggy_batch.cli.reporting:report_command", "What is owed, what moved, what will expire."),
    "snapshot": ("piggy_batch.cli.periodic:giftcards_snapshot", "A proven export, put into a store by its day."),
    "transactions": ("piggy_batch.cli.periodic:transactions", "Transactions of a period into a file."),
    "snapshots": ("piggy_batch.cli.reporting:snapshots_command", "The snapshots of a store."),
    "export": ("piggy_batch.cli.exports:giftcards_export", "Every giftcard into a file, proven complete."),
    "programs": ("piggy_batch.cli.exports:giftcard_programs", "The giftcard programs, with their card counts."),
}


@click.group("giftcards", cls=LazyGroup, lazy=_LAZY)
@program_options
def giftcards() -> None:
    """Giftcards, in bulk from a manifest, and every giftcard into a file."""


add_row_commands(giftcards)
