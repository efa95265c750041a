"""The contacts group."""

from __future__ import annotations

import click

from piggy_batch.cli import LazyGroup, program_options
from piggy_batch.cli.rows import add_row_commands

_EXPORT = "Every contact into a file, with the columns that you choose."


@click.group("contacts", cls=LazyGroup, lazy={"export": ("piggy_batch.cli.exports:contacts_export", _EXPORT)})
@program_options
def contacts() -> None:
    """Contacts by e-mail address, in bulk from a manifest, and every contact into a file."""


add_row_commands(contacts)
