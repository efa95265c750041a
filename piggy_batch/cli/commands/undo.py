"""The command that takes a run back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from piggy_batch.cli.context import program_words
from piggy_batch.cli.groups import command
from piggy_batch.cli.output import json_text, shown_command
from piggy_batch.cli.paths import PathType
from piggy_batch.cli.terminal import tell
from piggy_batch.exit_codes import ExitCode
from piggy_batch.text import counted

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.importing.undo import UndoPlan


@command(
    "undo",
    examples=(
        ("write the manifests, print the commands", "piggy-batch undo cards.identifiers-create"),
        ("the same as JSON", "piggy-batch undo klanten.migrate --json"),
    ),
)
@click.argument("run_dir", type=PathType(file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print files, commands and what cannot be undone as JSON.")
@click.pass_context
def undo(ctx: click.Context, *, run_dir: Path, as_json: bool) -> None:
    """Write the manifests that undo what a run did, and print the commands that carry them out.

    Nothing is sent. Only rows that this run changed are undone, never those that were so already, and only
    while the card is still held by whom the run left it with.

    To take back a part only, remove the rows that are to stay from the manifests before you run the commands; each
    row stands for itself.

    Exit code 0: the commands undo everything. 1: something is left that a person must weigh, or that cannot
    be undone.
    """
    from piggy_batch.importing.undo import undo as find_way

    way = find_way(run_dir, program=_program(ctx, run_dir))
    if as_json:
        click.echo(json_text(way.to_json()))
    else:
        _show(way)
    ctx.exit(ExitCode.DONE if way.whole else ExitCode.INCOMPLETE)


def _program(ctx: click.Context, run_dir: Path) -> list[str]:
    """How the commands begin, so that each runs as it stands and meets the service of the run."""
    from piggy_batch.runs.journal_file import guarded
    from piggy_batch.runs.journal_queries import JournalQueries

    base_url = None
    with guarded(run_dir):
        journal = JournalQueries.open(run_dir) if run_dir.is_dir() else None
        if journal is not None:
            base_url = journal.get("base_url")
            journal.close()
    return program_words(ctx, base_url)


def _show(way: UndoPlan) -> None:
    if way.files:
        tell("run these, one after the other; each shows its plan and asks first:")
    for file in way.files:
        tell(f"# {counted(file.rows, 'row')}")
        click.echo(shown_command(file.command))
    if way.by_hand is not None:
        path, number = way.by_hand
        tell(f"for a person to weigh: {counted(number, 'row')} in {path}, each with the reason")
    for line in way.lost:
        tell(f"cannot be undone: {line}")
    if not way.files and way.whole:
        tell("nothing to undo: the run changed nothing")
