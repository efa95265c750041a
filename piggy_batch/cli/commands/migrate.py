"""Commands of a migration: migrate, and undo for it and for any other run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.commands.rows import RUN_OPTIONS, options_from
from piggy_batch.cli.common import (
    DEFAULT_URL,
    add_options,
    ask,
    can_ask,
    command_line,
    is_verbose,
    json_text,
    make_target_from,
    open_display,
    show_result,
    shown_command,
)
from piggy_batch.cli.groups import program_options
from piggy_batch.importing.migration.stages import migrate_operation
from piggy_batch.manifest.binding import counted
from piggy_batch.runs.progress import printable_line

if TYPE_CHECKING:
    from piggy_batch.importing.undo import Way


def _describe() -> str:
    """The help text, its columns from the operation that checks them."""
    lines = [
        "Bring legacy cards with their customers into the account, stage by stage.",
        "",
        "\b",
        "1 contacts find-or-create   one request for each distinct e-mail address",
        "2 identifiers create        each card with its contact",
        "3 identifiers link          cards that existed and belonged to nobody",
        "4 identifiers update        inactive cards, and names of linked ones",
        "5 credits create            balances, last, never repeated in doubt",
        "",
        "\b",
        "Columns of the manifest (required ones marked *):",
    ]
    columns = migrate_operation(credits=True).columns
    lines += [f" {'*' if column.required else ' '} {column.name}: {column.help}" for column in columns]
    lines += ["", "Running the same command again goes on where it stopped; --limit 20 is a pilot whose"]
    lines += ["rows the full run skips. Rehearse it against `piggy-batch sandbox` first."]
    return "\n".join(lines)


@click.pass_context
def _migrate(ctx: click.Context, /, manifest: Path | None, **given: Any) -> None:
    """Run or go on with a migration."""
    from piggy_batch.client.shared_rate import state_dir
    from piggy_batch.importing.migration.migration import migrate as carry_out
    from piggy_batch.importing.migration.pipeline import Wishes
    from piggy_batch.runs.context import Scene

    if given["template"]:
        click.echo(",".join(c.name for c in migrate_operation(credits=True).columns))
        return
    if manifest is None:
        raise click.UsageError("Missing argument 'MANIFEST'.", ctx)
    options = options_from(given)
    wishes = Wishes(
        state_dir=state_dir(),
        shop=given["shop"],
        credits_per_card=given["credits_per_card"],
        credits_again=given["credits_again"],
    )
    with open_display("rows", progress=given["progress"]) as display:
        scene = Scene(
            target=make_target_from(ctx),
            progress=display,
            command=command_line(ctx.obj["argv"]),
            confirm=ask if can_ask() else None,
            signals=True,
            slots=state_dir(),
            verbose=is_verbose(ctx),
        )
        result = asyncio.run(carry_out(manifest, options, wishes, scene))
    if result.summary is not None and not given["as_json"]:
        for line in _stage_lines(result.summary["stages"]):
            click.echo(printable_line(line))
    show_result(result, as_json=given["as_json"])
    ctx.exit(result.exit_code)


def _stage_lines(stages: dict[str, dict[str, Any]]) -> list[str]:
    """What became of the rows in each stage, for people."""
    found = []
    for stage in stages.values():
        if stage["rows"]:
            counts = ", ".join(f"{name} {number:,}" for name, number in stage["counts"].items() if number)
            found.append(f"  {stage['operation']:<24} {stage['rows']:>9,} rows: {counts}")
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
            "--credits-again",
            is_flag=True,
            help="Give credits although another migration has given some in this account.",
        ),
    )
    command = program_options(add_options(_migrate, (*RUN_OPTIONS, *own)))
    command = click.argument("manifest", type=click.Path(path_type=Path), required=False)(command)
    made: click.Command = click.command("migrate", help=_describe())(command)
    return made


migrate = _command()


@click.command("undo")
@click.argument("run_dir", type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print files, commands and what cannot be undone as JSON.")
@program_options
@click.pass_context
def undo(ctx: click.Context, *, run_dir: Path, as_json: bool) -> None:
    """Write the manifests that undo what a run did, and print the commands that carry them out.

    Nothing is sent. Only rows that this run changed are undone, never those that were so already, and only
    while the card is still held by whom the run left it with.

    Exit code 0: the commands undo everything. 1: something is left that a person must weigh, or that cannot
    be undone.
    """
    from piggy_batch.importing.undo import undo as find_way

    way = find_way(run_dir, program=_program(ctx, run_dir))
    if as_json:
        click.echo(json_text(way.to_json()))
    else:
        _show(way)
    ctx.exit(0 if way.whole else 1)


def _program(ctx: click.Context, run_dir: Path) -> list[str]:
    """How the commands begin, so that each runs as it stands and meets the service of the run."""
    from piggy_batch.runs.journal import Journal

    given: dict[str, Any] = ctx.obj or {}
    journal = Journal.read(run_dir) if run_dir.is_dir() else None
    base_url = given.get("base_url")
    if journal is not None:
        base_url = base_url or journal.get("base_url")
        journal.close()
    words = ["piggy-batch"]
    if base_url and base_url != DEFAULT_URL:
        words += ["--base-url", base_url]
    for option, name in (("--token-file", "token_file"), ("--ca-file", "ca_file")):
        if given.get(name):
            words += [option, str(given[name].resolve())]
    return words


def _show(way: Way) -> None:
    def tell(line: str) -> None:
        click.echo(printable_line(line), err=True)

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
