"""``help``: what there is to know beside the options, by topic."""

from __future__ import annotations

import sys
from importlib.resources import files
from typing import TYPE_CHECKING

import click

from piggy_batch.cli.groups import command
from piggy_batch.cli.terminal import painted
from piggy_batch.text import nearest

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

TOPICS = {
    "statuses": "What becomes of a row, when rows are unknown, how to correct one.",
    "exit-codes": "What a scheduler can rely on.",
    "commands": "The commands that take a manifest: requests, columns, what a repeat does.",
    "findings": "What the manifest doctor finds in lists, and what to do about it.",
    "files": "What can be read, what is written.",
    "run-directory": "What a run leaves behind, and how it goes on.",
    "pace": "How fast, and who else is there.",
    "recipes": "Pilots, nightly windows, closes, many accounts, undoing a part.",
    "finance": "The close of a month, the journal entry, the cards behind each figure.",
    "python": "The same from Python: notebooks, Airflow, cron.",
    "reliability": "What was tried, and what is not known.",
}
WIDEST = 100  # columns; longer lines are hard to read


def topic_file(name: str) -> Traversable:
    """The text of a topic, as Markdown."""
    return files("piggy_batch.cli") / "topics" / f"{name}.md"


def _starts(ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """Topics and commands, for a shell's Tab key."""
    root = ctx.find_root().command
    commands = root.list_commands(ctx) if isinstance(root, click.Group) else []
    return [name for name in (*TOPICS, *commands) if name.startswith(typed)]


@command(
    "help",
    examples=(
        ("what to do about rows that are unknown", "piggy-batch help statuses"),
        ("the options of a command", "piggy-batch help giftcards create"),
    ),
)
@click.argument("words", nargs=-1, metavar="[TOPIC | COMMAND]", shell_complete=_starts)
@click.pass_context
def help_command(ctx: click.Context, *, words: tuple[str, ...]) -> None:
    """Read about a topic, or the options of a command. Without one, the topics are listed."""
    if not words:
        formatter = ctx.make_formatter()
        formatter.write_dl(list(TOPICS.items()))
        click.echo(formatter.getvalue(), nl=False)
        return
    if len(words) == 1 and words[0] in TOPICS:
        _show_topic(words[0])
        return
    root = ctx.find_root().command
    command, context = root, click.Context(root, info_name="piggy-batch")
    for word in words:
        found = command.get_command(context, word) if isinstance(command, click.Group) else None
        if found is None or not isinstance(command, click.Group):
            known = [*TOPICS, *(command.list_commands(context) if isinstance(command, click.Group) else ())]
            raise click.UsageError(f"No topic or command '{word}'{nearest(word, known)}", ctx)
        context = found.context_class(found, info_name=word, parent=context, **found.context_settings)
        command = found
    click.echo(command.get_help(context))


def _show_topic(name: str) -> None:
    import shutil

    from piggy_batch.cli.markdown import for_terminal

    width = min(shutil.get_terminal_size().columns, WIDEST) - 1
    text = topic_file(name).read_text(encoding="utf-8")
    click.echo(for_terminal(text, width, lambda heading: painted(heading, "cyan", sys.stdout)), nl=False)
