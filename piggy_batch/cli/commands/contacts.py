"""The contacts group."""

from __future__ import annotations

import click

from piggy_batch.cli.commands.rows import add_row_commands
from piggy_batch.cli.groups import LazyGroup, program_options

_EXPORT = "Every contact into a file, with the columns that you choose."


@click.group("contacts", cls=LazyGroup, lazy={"export": ("piggy_batch.cli.commands.export:contacts_export", _EXPORT)})
@program_options
def contacts() -> None:
    """Contacts by e-mail address, in bulk from a manifest, and every contact into a file."""


add_row_commands(contacts)
