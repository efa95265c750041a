"""Groups whose commands load when they are called, and the options that every command takes."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands are named by ``module:attribute`` and loaded when asked for."""

    def __init__(self, *args: Any, lazy: dict[str, tuple[str, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy or {}  # name -> (module:attribute, one line of help)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of a shop's work, not of the alphabet."""
        return [*self.commands, *self.lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the command; unknown names get click's own message with the nearest names."""
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, attribute = self.lazy[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands without loading the lazy ones."""
        rows = [(name, self.commands[name].get_short_help_str(90)) for name in self.commands]
        rows += [(name, line) for name, (_, line) in self.lazy.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def program_options(command: Any) -> Any:
    """The options that stand before or after any subcommand; the one nearest to the end counts."""
    for option in reversed(
        (
            click.option(
                "--base-url",
                metavar="URL",
                help="The service's address (PIGGY_BASE_URL).  [default: https://api.piggy.eu]",
                expose_value=False,
                callback=_remember,
            ),
            click.option(
                "--token-file",
                type=click.Path(path_type=Path, dir_okay=False),
                metavar="FILE",
                expose_value=False,
                callback=_remember,
                help="Read the token from this file (PIGGY_TOKEN_FILE) instead of PIGGY_TOKEN.",
            ),
            click.option(
                "--ca-file",
                type=click.Path(path_type=Path, dir_okay=False),
                metavar="FILE",
                expose_value=False,
                callback=_remember,
                help="Trust these certificates (PEM) instead of the machine's.",
            ),
            click.option(
                "-v",
                "--verbose",
                is_flag=True,
                default=None,
                expose_value=False,
                callback=_remember,
                help="Tell each request: method, path without names, status, seconds.",
            ),
        )
    ):
        command = option(command)
    return command


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None and param.name:
        ctx.ensure_object(dict)[param.name] = value
