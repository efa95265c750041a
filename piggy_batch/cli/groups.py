"""Commands and groups: loaded when they are called, with the options that every command takes."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from piggy_batch.cli.help import CommandExample, Context, write_examples, write_options
from piggy_batch.cli.paths import PathType
from piggy_batch.client import DEFAULT_URL

if TYPE_CHECKING:
    from collections.abc import Sequence


class Command(click.Command):
    """A command whose help has groups and examples, and that takes the program-wide options."""

    context_class = Context

    def __init__(
        self,
        *args: Any,
        examples: Sequence[tuple[str, str]] = (),
        columns: Sequence[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(CommandExample(*pair) for pair in examples)  # (what it is for, what to type)
        self.columns = tuple(columns)  # of its manifest: name, and what it holds
        self.params += program_options()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; an unknown option is a usage error that names the one most like it."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = [name for param in self.get_params(ctx) for name in (*param.opts, *param.secondary_opts)]
            from piggy_batch.text import nearest  # not at the top: help stays quick

            meant = nearest(error.option_name, known)
            raise click.UsageError(f"No such option '{error.option_name}'{meant}", ctx) from None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The manifest's columns, and the options under the headings of their groups."""
        if self.columns:
            with formatter.section("Columns of the manifest (* required)"):
                formatter.write_dl(self.columns)
        write_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What the command has to add, and its examples."""
        super().format_epilog(ctx, formatter)
        write_examples(self.examples, formatter)


command = functools.partial(click.command, cls=Command)


class LazyGroup(Command, click.Group):
    """A group whose commands are named by ``module:attribute`` and loaded when asked for."""

    def __init__(self, *args: Any, lazy: dict[str, tuple[str, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy or {}  # name -> (module:attribute, one line of help)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of a shop's work, not of the alphabet."""
        return [*self.commands, *self.lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the command; None where there is none of that name."""
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, attribute = self.lazy[cmd_name][0].split(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named; an unknown name is a usage error that says what is like it."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-") and not ctx.resilient_parsing:
            from piggy_batch.text import nearest  # as above

            raise click.UsageError(f"No such command '{name}'{nearest(name, known)}", ctx)
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, then the options."""
        self.format_commands(ctx, formatter)
        write_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands without loading the lazy ones."""
        rows = [(name, self.commands[name].get_short_help_str(90)) for name in self.commands]
        rows += [(name, line) for name, (_, line) in self.lazy.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def program_options() -> list[click.Parameter]:
    """The options that stand before or after any subcommand; the one nearest to the end counts."""
    file = PathType(dir_okay=False)
    common: dict[str, Any] = {"expose_value": False, "callback": _remember}
    return [
        click.Option(
            ["--profile"],
            metavar="NAME",
            envvar="PIGGY_PROFILE",
            is_eager=True,  # the others take their defaults from it
            expose_value=False,
            callback=_use_profile,
            shell_complete=_profile_names,
            help="An account of your profiles (PIGGY_PROFILE); options and environment win.",
        ),
        click.Option(
            ["--base-url"],
            metavar="URL",
            envvar="PIGGY_BASE_URL",
            help=f"The service's address (PIGGY_BASE_URL).  [default: {DEFAULT_URL}]",
            **common,
        ),
        click.Option(
            ["--token-file"],
            type=file,
            metavar="FILE",
            envvar="PIGGY_TOKEN_FILE",
            help="Read the token from this file (PIGGY_TOKEN_FILE) instead of PIGGY_TOKEN.",
            **common,
        ),
        click.Option(
            ["--ca-file"],
            type=file,
            metavar="FILE",
            help="Trust these certificates (PEM) instead of the machine's.",
            **common,
        ),
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            default=None,
            help="Tell each request: method, path without names, status, seconds.",
            **common,
        ),
    ]


_WINS = (ParameterSource.DEFAULT_MAP, ParameterSource.ENVIRONMENT, ParameterSource.COMMANDLINE)  # the last first
OF_PROFILE, TYPED = _WINS.index(ParameterSource.DEFAULT_MAP), _WINS.index(ParameterSource.COMMANDLINE)


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep the value for the command, wherever the option stood: an option before the environment before a profile."""
    source = ctx.get_parameter_source(param.name or "")
    if value is None or param.name is None or source not in _WINS:
        return
    if value == "":  # of a script's variable that is not set: the default would be another service than was meant
        raise click.BadParameter("it is empty; is a variable of the script not set?", ctx, param)
    kept = ctx.ensure_object(dict)
    rank, ranks = _WINS.index(source), kept.setdefault("sources", {})
    if rank >= ranks.get(param.name, -1):
        kept[param.name], ranks[param.name] = value, rank


def _profile_names(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """For a shell's Tab key; none where the file of profiles cannot be used."""
    from piggy_batch.client.profiles import read_profiles
    from piggy_batch.errors import SetupError

    try:
        return [name for name in read_profiles() if name.startswith(typed)]
    except SetupError:
        return []


def _use_profile(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Make a profile's values the defaults of this command's options."""
    _remember(ctx, param, value)
    kept = ctx.ensure_object(dict)
    name = kept.get("profile")
    if name is None:
        return
    from piggy_batch.client.profiles import find_profile

    profile = find_profile(name)
    kept["settings"] = profile
    ctx.default_map = profile.defaults()
    if profile.token_file is not None:
        ctx.default_map["token_file"] = profile.token_file
