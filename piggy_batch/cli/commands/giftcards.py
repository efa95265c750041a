"""The giftcards group."""

from __future__ import annotations

import click

from piggy_batch.cli.commands.rows import add_row_commands
from piggy_batch.cli.groups import LazyGroup, program_options

_LAZY = {
    "reconcile": (
        "piggy_batch.cli.commands.reconcile:reconcile_command",
        "Settle rows of `create` whose answers were lost.",
    ),
    "report": ("piggy_batch.cli.commands.report:report_command", "What is owed, what moved, what will expire."),
    "snapshot": (
        "piggy_batch.cli.commands.snapshot:giftcards_snapshot",
        "A proven export, put into a store by its day.",
    ),
    "transactions": ("piggy_batch.cli.commands.snapshot:transactions", "Transactions of a period into a file."),
    "snapshots": ("piggy_batch.cli.commands.report:snapshots_command", "The snapshots of a store."),
    "export": ("piggy_batch.cli.commands.export:giftcards_export", "Every giftcard into a file, proven complete."),
    "programs": ("piggy_batch.cli.commands.export:giftcard_programs", "The giftcard programs, with their card counts."),
}


@click.group("giftcards", cls=LazyGroup, lazy=_LAZY)
@program_options
def giftcards() -> None:
    """Giftcards, in bulk from a manifest, and every giftcard into a file."""


add_row_commands(giftcards)
