"""``completion``: what makes a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from piggy_batch.cli.groups import command

SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
PROGRAM, VARIABLE = "piggy-batch", "_PIGGY_BATCH_COMPLETE"  # the variable by which a shell asks the program


@command(
    "completion",
    examples=(
        ("bash, from the next terminal on", "piggy-batch completion bash >> ~/.bashrc"),
        ("fish", "piggy-batch completion fish > ~/.config/fish/completions/piggy-batch.fish"),
    ),
)
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(ctx: click.Context, *, shell: str) -> None:
    """Print what makes a shell complete commands, options and their values at the Tab key.

    Add it to ~/.bashrc or ~/.zshrc, or for fish put it into ~/.config/fish/completions, as below; it counts from the
    next terminal on.
    """
    click.echo(SHELLS[shell](ctx.find_root().command, {}, PROGRAM, VARIABLE).source())
