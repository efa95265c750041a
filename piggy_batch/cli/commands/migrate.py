"""Commands of a migration: migrate, and undo for it and for any other run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.commands.reconcile import RECONCILE_OPTIONS
from piggy_batch.cli.context import make_run_context, open_display, run_async
from piggy_batch.cli.groups import Command, command
from piggy_batch.cli.options import add_options, connection_from
from piggy_batch.cli.output import refusal_shown, show_result
from piggy_batch.cli.paths import ManifestPath, PathType
from piggy_batch.cli.run_options import RUN_OPTIONS, columns_of, options_from
from piggy_batch.cli.terminal import show
from piggy_batch.endpoints.contacts import RECEPTIONS_DISCOURAGED
from piggy_batch.errors import SetupError
from piggy_batch.importing.migration.stages import migrate_operation

if TYPE_CHECKING:
    from pathlib import Path


def _describe() -> str:
    """The help text."""
    lines = [
        "Bring legacy cards with their customers into the account, stage by stage.",
        "",
        "\b",
        "1 contacts find-or-create   one request for each distinct e-mail address",
        "2 identifiers create        each card with its contact",
        "3 identifiers link          cards that existed and belonged to nobody",
        "4 identifiers update        inactive cards, and names of linked ones",
        "5 credits create            balances, last, never repeated in doubt",
    ]
    lines += ["", "Running the same command again goes on where it stopped; --limit 20 is a pilot whose"]
    lines += ["rows the full run skips. Rehearse it against `piggy-batch sandbox` first."]
    lines += ["", "Credits in doubt: `piggy-batch migrate reconcile RUN_DIR` looks what became of them."]
    lines += ["", f"{RECEPTIONS_DISCOURAGED[0].upper()}{RECEPTIONS_DISCOURAGED[1:]}."]
    return "\n".join(lines)


class _Migrate(Command):
    """``migrate MANIFEST``, and ``migrate reconcile RUN_DIR`` for the word in the manifest's place."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the command that is meant."""
        if args[:1] == ["reconcile"]:
            return reconcile_command.make_context(f"{info_name} reconcile", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.pass_context
def _reconcile(ctx: click.Context, /, run_dir: Path, **given: Any) -> None:
    """Settle the credits of a migration whose answers were lost.

    Reads the balance and the credit receptions of each contact with credits in doubt, and compares them with the
    balance that the migration has read before it gave any. Where both show what became of a row it is done, or
    failed, and the same `migrate` command gives the credits of those that failed. What is not proven is listed in
    credits-in-doubt.<fmt> for a person. Nothing is given by this command.

    Exit code 0: no credits are in doubt any more. 1: some are. 3: halted.
    """
    from piggy_batch.importing.migration.credit_reconcile import CreditReconcileOptions, reconcile_credits

    if not run_dir.is_dir():
        raise SetupError(f"{run_dir}: no such directory; name the run directory of a migration")
    wanted = CreditReconcileOptions(
        settle_after_s=given["settle_after"],
        connection=connection_from(given),
        concurrency=given["concurrency"],
    )
    with open_display("contacts", progress=given["progress"]) as display:
        result = run_async(reconcile_credits(run_dir, wanted, make_run_context(ctx, display)))
    show_result(result, as_json=given["as_json"])
    ctx.exit(result.exit_code)


_command_of_reconcile = add_options(_reconcile, RECONCILE_OPTIONS)
_command_of_reconcile = click.argument("run_dir", type=PathType(file_okay=False))(_command_of_reconcile)
reconcile_command: click.Command = command(
    "reconcile",
    examples=(
        ("settle what balances and credit receptions prove", "piggy-batch migrate reconcile klanten.migrate"),
        (
            "a day later, without waiting for late answers",
            "piggy-batch migrate reconcile klanten.migrate --settle-after 1h",
        ),
    ),
)(_command_of_reconcile)


@click.pass_context
def _migrate(ctx: click.Context, /, manifest: Path | None, **given: Any) -> None:
    """Run or go on with a migration."""
    from piggy_batch.importing.migration.migration import migrate as carry_out
    from piggy_batch.importing.migration.pipeline import MigrationOptions
    from piggy_batch.runs.registry import state_dir

    if given["template"]:
        click.echo(",".join(c.name for c in migrate_operation(credits=True).columns))
        return
    if manifest is None:
        raise click.UsageError("Missing argument 'MANIFEST'.", ctx)
    options = options_from(given)
    migration = MigrationOptions(
        state_dir=state_dir(),
        shop=given["shop"],
        credits_per_card=given["credits_per_card"],
        credits_again=given["credits_again"],
        after=given["after"],
        hold_credits=given["hold_credits"],
    )
    with open_display("rows", progress=given["progress"]) as display, refusal_shown(as_json=given["as_json"]):
        result = run_async(carry_out(manifest, options, migration, make_run_context(ctx, display)))
    if result.summary is not None and not given["as_json"]:
        for line in _stage_lines(result.summary["stages"]):
            show(line)
    show_result(result, as_json=given["as_json"])
    ctx.exit(result.exit_code)


def _stage_lines(stages: dict[str, dict[str, Any]]) -> list[str]:
    """What became of the rows in each stage, for people."""
    found = []
    for stage in stages.values():
        if stage["rows"]:
            counts = ", ".join(f"{name} {number:,}" for name, number in stage["counts"].items() if number)
            noun = "row" if stage["rows"] == 1 else "rows"
            found.append(f"  {stage['operation']:<24} {stage['rows']:>9,} {noun}: {counts}")
    return found


def _command() -> click.Command:
    own = (
        click.option(
            "--shop",
            metavar="UUID",
            help="The shop in whose name credits are given; needed where the manifest has any.",
        ),
        click.option(
            "--credits-per-card",
            is_flag=True,
            help="Several rows of one e-mail address may give credits; by default that is a repeated balance.",
        ),
        click.option(
            "--after",
            type=PathType(file_okay=False),
            multiple=True,
            metavar="RUN_DIR",
            help="This list corrects that migration's: credits that it gave, or may have given, are not given again "
            "(repeatable).",
        ),
        click.option(
            "--hold-credits",
            is_flag=True,
            help="Rows with credits and without e-mail become cards all the same, without their credits.",
        ),
        click.option(
            "--credits-again",
            is_flag=True,
            help="Give credits although another migration has given some in this account.",
        ),
    )
    callback = add_options(_migrate, (*RUN_OPTIONS, *own))
    callback = click.argument("manifest", type=ManifestPath(), required=False)(callback)
    made: click.Command = command(
        "migrate",
        cls=_Migrate,
        help=_describe(),
        columns=columns_of(migrate_operation(credits=True)),
        examples=(
            ("the plan of every stage; nothing is sent", "piggy-batch migrate klanten.csv --dry-run"),
            (
                "a pilot of 20 rows of a list with headers of its own",
                "piggy-batch migrate klanten.csv --limit 20 --map contact_identifier_value=Pas --map email=Mail",
            ),
        ),
    )(callback)
    return made


migrate = _command()
