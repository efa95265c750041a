"""The command line. Commands load when they are called, so that help and version come at once."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from piggy_batch import __version__
from piggy_batch.cli.groups import LazyGroup
from piggy_batch.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.client.clock import Clock


STDERR = 2  # its file descriptor, the last of the three standard ones
_LAZY = {
    "identifiers": (
        "piggy_batch.cli.commands.row_operations:identifiers",
        "Cards: find, create, link, unlink, update, delete, verify.",
    ),
    "giftcards": (
        "piggy_batch.cli.commands.row_operations:giftcards",
        "Giftcards: get, find, create, load, send; export, snapshot, report.",
    ),
    "contacts": (
        "piggy_batch.cli.commands.row_operations:contacts",
        "Contacts: find, find-or-create, create, update, delete, identifiers; export.",
    ),
    "prepaid": (
        "piggy_batch.cli.commands.row_operations:prepaid",
        "Prepaid money: balance, load, reverse; transactions export.",
    ),
    "loyalty": ("piggy_batch.cli.commands.transactions:loyalty", "Loyalty: transactions export."),
    "shops": ("piggy_batch.cli.commands.shops:shops", "Shops: list, with the UUIDs that other commands want."),
    "migrate": (
        "piggy_batch.cli.commands.migrate:migrate",
        "Legacy cards with their customers into the account, in stages.",
    ),
    "undo": ("piggy_batch.cli.commands.undo:undo", "The way back: manifests and commands that undo what a run did."),
    "check": ("piggy_batch.cli.commands.check:check", "What is wrong with a manifest, before anything is sent."),
    "status": ("piggy_batch.cli.commands.status:status", "What a run has done so far, also while it is running."),
    "runs": ("piggy_batch.cli.commands.status:runs", "The runs of this user that are still there."),
    "profiles": ("piggy_batch.cli.commands.profiles:profiles", "The accounts that --profile knows by name."),
    "ping": ("piggy_batch.cli.commands.ping:ping", "Which account the token belongs to."),
    "help": ("piggy_batch.cli.commands.help:help_command", "Topics: statuses, exit codes, findings, pace, recipes …"),
    "completion": ("piggy_batch.cli.commands.completion:completion", "Completion of commands and options in a shell."),
    "sandbox": ("piggy_batch.cli.commands.sandbox:sandbox", "A local stand-in for the service, to rehearse against."),
}


@click.group(
    cls=LazyGroup,
    lazy=_LAZY,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="The token comes from PIGGY_TOKEN or a token file, never from the command line.",
    examples=(
        ("a local stand-in for the service, to try everything on", "piggy-batch sandbox"),
        ("what an import would do; no write is sent", "piggy-batch identifiers create cards.csv --dry-run"),
    ),
)
@click.version_option(__version__, prog_name="piggy-batch")
def cli() -> None:
    """Bulk import and export for Piggy (Leat), with a known fate for every row."""


def main(argv: Sequence[str] | None = None, clock: Clock | None = None) -> NoReturn:
    """Run the program and leave with its exit code; with ``clock`` at another time than this machine's."""
    keep_standard_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    given = {"argv": arguments, "clock": clock}
    try:
        code = cli.main(args=arguments, prog_name="piggy-batch", standalone_mode=False, obj=given)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        from piggy_batch.cli.output import without_token

        words = io.StringIO()
        error.show(file=words)
        click.echo(without_token(words.getvalue()), err=True, nl=False)
        code = ExitCode.SETUP
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        cause = error if isinstance(error, KeyboardInterrupt) else error.__cause__
        asked = cause is None  # at a question, which is put before anything is sent
        known = "nothing was sent" if asked else str(cause)
        click.echo(f"piggy-batch: interrupted{f'; {known}' if known else ''}", err=True)
        code = ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends with one line and an exit code
        from piggy_batch.cli.output import report_error

        code = report_error(error, given)
    leave(code if isinstance(code, int) else ExitCode.DONE)


def keep_standard_streams() -> None:
    """Where the program was started with a standard stream closed, no file of its own takes that number, and what is
    meant for people does not end up on stdout."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        pass
    os.close(number)
    if sys.stderr is None:
        sys.stderr = open(STDERR, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the program runs


def leave(code: int) -> NoReturn:
    """Exit without a complaint about a reader that closed stdout early."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)
