"""``giftcards reconcile``: rows of ``giftcards create`` whose answers were lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.context import make_run_context, open_display, run_async
from piggy_batch.cli.groups import command
from piggy_batch.cli.options import MAX_WAIT, RATE, RESERVE, TIMEOUT, Duration, add_options, connection_from
from piggy_batch.cli.output import show_result
from piggy_batch.cli.paths import PathType
from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EXCLUSIVE = click.option(
    "--exclusive",
    is_flag=True,
    help="State that nobody else makes cards in these programs: then new, empty cards are assigned to the rows.",
)
RECONCILE_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--settle-after",
        type=Duration(),
        default="10m",
        show_default=True,
        help="How long after its last send a row may still land; an earlier list does not make it failed.",
    ),
    click.option(
        "--concurrency", type=click.IntRange(1, 500), default=8, show_default=True, help="Requests in flight."
    ),
    RATE,
    RESERVE,
    MAX_WAIT,
    TIMEOUT,
    click.option("--progress/--no-progress", default=None, help="A bar on stderr.  [default: on a terminal]"),
    click.option("--json", "as_json", is_flag=True, help="Print summary.json on stdout instead of the table."),
)


@click.pass_context
def _reconcile(ctx: click.Context, /, run_dir: Path, **given: Any) -> None:
    """Settle rows of a `giftcards create` run whose answers were lost.

    Lists the program's cards anew. Cards that are new since the run began, empty, active and of the right age may be
    those of rows in doubt. They are assigned only with --exclusive, and only where the list is proven complete, no
    other new card shows that somebody else works in the program, and there are no more of them than rows; otherwise
    they are listed in candidates.<fmt> for a person, each with what speaks against it. Rows become failed only where
    a proven list shows no new card that is not assigned, and the same `giftcards create` command sends them again.

    Make each batch in a fresh program, if you can: it holds nothing before and no strangers after.

    Exit code 0: no row is in doubt any more. 1: some are; the same command looks again. 3: halted.
    """
    from piggy_batch.importing.giftcards.reconcile import ReconcileOptions, reconcile

    if not run_dir.is_dir():
        raise SetupError(f"{run_dir}: no such directory; name the run directory of a giftcards create")
    wanted = ReconcileOptions(
        exclusive=given["exclusive"],
        settle_after_s=given["settle_after"],
        connection=connection_from(given),
        concurrency=given["concurrency"],
    )
    with open_display("pages", progress=given["progress"]) as display:
        result = run_async(reconcile(run_dir, wanted, make_run_context(ctx, display)))
    show_result(result, as_json=given["as_json"])
    ctx.exit(result.exit_code)


_command = add_options(_reconcile, (EXCLUSIVE, *RECONCILE_OPTIONS))
_command = click.argument("run_dir", type=PathType(file_okay=False))(_command)
reconcile_command: click.Command = command(
    "reconcile",
    examples=(
        ("list the cards that may belong to rows in doubt", "piggy-batch giftcards reconcile batch.giftcards-create"),
        (
            "assign them: nobody else makes cards there",
            "piggy-batch giftcards reconcile batch.giftcards-create --exclusive",
        ),
    ),
)(_command)
