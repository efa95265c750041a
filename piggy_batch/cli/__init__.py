"""The command line. Commands load when they are called, so that help and version come at once."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from piggy_batch import __version__
from piggy_batch.errors import PiggyBatchError

if TYPE_CHECKING:
    from collections.abc import Sequence


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


UNWRITABLE = (errno.EPIPE, errno.ENOSPC, errno.EIO)  # a reader, a disk, a terminal that takes no more
_LAZY = {
    "identifiers": (
        "piggy_batch.cli.rows:identifiers",
        "Cards: find, create, link, unlink, update, delete, verify.",
    ),
    "giftcards": (
        "piggy_batch.cli.giftcards:giftcards",
        "Giftcards: get, find, create, load, send; export, snapshots and reports.",
    ),
    "contacts": ("piggy_batch.cli.contacts:contacts", "Contacts: find, find-or-create, create, identifiers; export."),
    "migrate": ("piggy_batch.cli.migrate:migrate", "Legacy cards with their customers into the account, in stages."),
    "undo": ("piggy_batch.cli.migrate:undo", "The way back: manifests and commands that undo what a run did."),
    "check": ("piggy_batch.cli.check:check", "What is wrong with a manifest, before anything is sent."),
    "status": ("piggy_batch.cli.service:status", "What a run has done so far, also while it is running."),
    "ping": ("piggy_batch.cli.service:ping", "Which account the token belongs to."),
    "sandbox": ("piggy_batch.cli.service:sandbox", "A local stand-in for the service, to rehearse against."),
}


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


@click.group(
    cls=LazyGroup,
    lazy=_LAZY,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="The token comes from PIGGY_TOKEN or a token file, never from the command line.",
)
@click.version_option(__version__, prog_name="piggy-batch")
@program_options
def cli() -> None:
    """Bulk import and export for Piggy (Leat), with a known fate for every row.

    Start with a plan:  piggy-batch identifiers create cards.csv --dry-run
    """


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the program and leave with its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = cli.main(args=arguments, prog_name="piggy-batch", standalone_mode=False, obj={"argv": arguments})
    except PiggyBatchError as error:
        from piggy_batch.cli.common import report_error

        code = report_error(error, arguments)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = 2
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        cause = error if isinstance(error, KeyboardInterrupt) else error.__cause__
        asked = cause is None  # at a question, which is put before anything is sent
        known = "nothing was sent" if asked else str(cause)
        click.echo(f"piggy-batch: interrupted{f'; {known}' if known else ''}", err=True)
        code = 130
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        code = 1
        with contextlib.suppress(OSError):
            click.echo(f"piggy-batch: the output cannot be written: {error.strerror}", err=True)
    leave(code if isinstance(code, int) else 0)


def leave(code: int) -> NoReturn:
    """Exit without a complaint about a reader that closed stdout early."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)
