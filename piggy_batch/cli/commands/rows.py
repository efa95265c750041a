"""Row commands: each is made from its operation in the catalogue."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli import pace
from piggy_batch.cli.common import (
    CountOrPercent,
    Duration,
    Pair,
    add_options,
    as_mapping,
    as_rate,
    ask,
    can_ask,
    command_line,
    env,
    is_verbose,
    make_target_from,
    open_display,
    show_result,
)
from piggy_batch.cli.groups import LazyGroup, program_options
from piggy_batch.endpoints import CATALOGUE, Operation
from piggy_batch.runs.progress import printable_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from piggy_batch.runs.context import Baseline


RUN_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--run-dir",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        envvar=env("RUN_DIR"),
        help="Where the run lives.  [default: beside the manifest]",
    ),
    click.option(
        "--dry-run",
        is_flag=True,
        envvar=env("DRY_RUN"),
        help="Check the whole manifest, print the plan, send no write.",
    ),
    pace.RATE,
    pace.RESERVE,
    pace.CONCURRENCY,
    click.option(
        "--attempts",
        type=click.IntRange(1, 100),
        default=5,
        show_default=True,
        envvar=env("ATTEMPTS"),
        help="Tries per row.",
    ),
    pace.TIMEOUT,
    click.option(
        "--max-errors",
        type=CountOrPercent(),
        metavar="N|N%",
        envvar=env("MAX_ERRORS"),
        help="Halt once so many rows of this invocation were rejected, failed or unknown.",
    ),
    pace.MAX_WAIT,
    click.option(
        "--max-duration",
        type=Duration(),
        envvar=env("MAX_DURATION"),
        help="End softly after this time; the same command goes on.",
    ),
    click.option(
        "--limit", type=click.IntRange(min=1), envvar=env("LIMIT"), help="Take only N unsettled rows: a pilot."
    ),
    click.option("--skip-invalid", is_flag=True, help="Run the valid rows although others are invalid."),
    click.option(
        "--map",
        "maps",
        type=Pair(),
        multiple=True,
        metavar="FIELD=COLUMN",
        help="The manifest's own header for a field.",
    ),
    click.option(
        "--set", "constants", type=Pair(), multiple=True, metavar="FIELD=VALUE", help="The same value for every row."
    ),
    click.option("--delimiter", envvar=env("DELIMITER"), help="Overrides what is detected; a character, or tab."),
    click.option("--encoding", envvar=env("ENCODING"), help="Overrides what is detected."),
    click.option("--sheet", envvar=env("SHEET"), help="The sheet of a workbook.  [default: the first]"),
    click.option(
        "--fix",
        "fixes",
        metavar="REPAIRS",
        envvar=env("FIX"),
        help="Mend codes before they are sent: trim, wrappers, decimals, spaces, zero-pad:13, case:upper.",
    ),
    click.option(
        "--accept",
        multiple=True,
        metavar="CODE",
        help="State that the numbers behind this finding of the manifest doctor are right.",
    ),
    click.option("--retry-rejected", is_flag=True, help="Also take rows that were rejected in this run directory."),
    click.option(
        "--resend-unknown",
        is_flag=True,
        help="Also send rows again whose fate is unknown; they may be carried out twice.",
    ),
    click.option(
        "--adopt",
        is_flag=True,
        help="Go on with a run directory that was moved or copied here, or has lost its journal or a part of it.",
    ),
    click.option(
        "--format",
        "kind",
        type=click.Choice(["csv", "parquet", "xlsx"]),
        envvar=env("FORMAT"),
        help="Of results and piles.  [default: that of the manifest]",
    ),
    click.option("--yes", is_flag=True, help="Do not ask before it starts."),
    click.option("--template", is_flag=True, help="Print the header row of a manifest for this command, and leave."),
    click.option(
        "--progress/--no-progress",
        default=None,
        envvar=env("PROGRESS"),
        help="A bar on stderr.  [default: on a terminal]",
    ),
    click.option(
        "--json",
        "as_json",
        is_flag=True,
        envvar=env("JSON"),
        help="Print summary.json on stdout instead of the table.",
    ),
)


def special_options(operation: Operation) -> list[Callable[[Any], Any]]:
    """Options that only some operations have."""
    found: list[Callable[[Any], Any]] = []
    if operation.before:
        found.append(
            click.option(
                "--no-before",
                is_flag=True,
                help="Skip the look before each row; then a lost answer is unknown, and undo is not possible.",
            )
        )
    if operation.repeat.value == "once":
        found.append(
            click.option(
                "--again",
                is_flag=True,
                help="Start although an earlier run of this manifest, or its own rows, say it was done.",
            )
        )
    if operation.verify:
        found.append(
            click.option(
                "--report",
                type=click.Path(path_type=Path, dir_okay=False),
                metavar="FILE",
                help="Write a page for the person who signs the migration off.",
            )
        )
    if operation.baseline:
        found.append(
            click.option(
                "--count",
                type=click.IntRange(1, 1_000_000),
                help="Without a manifest: make so many, with --set for each field and --run-dir for the run.",
            )
        )
        found.append(
            click.option(
                "--no-baseline",
                is_flag=True,
                help="Do not list the program's cards first; then `giftcards reconcile` can assign none.",
            )
        )
    if operation.unique_flag == "allow_shared":
        found.append(click.option("--allow-shared", is_flag=True, help="A giftcard may go to several contacts."))
    if operation.unique_flag == "allow_repeats":
        found.append(click.option("--allow-repeats", is_flag=True, help="A giftcard may be loaded in several rows."))
    return found


def describe(operation: Operation) -> str:
    """The help text: what it does, its columns, what a repeat does."""
    lines = [operation.help, "", "\b", "Columns of the manifest (required ones marked *):"]
    for column in operation.columns:
        mark = "*" if column.required else " "
        lines.append(f" {mark} {column.name}: {column.help}")
    if operation.tags:
        lines.append("   custom.*: merge tags for the e-mail, any number")
    lines += [
        "",
        (
            f"A second identical request {operation.repeat_note} ({operation.repeat.value}). Running the same "
            "command again goes on where it stopped."
        ),
    ]
    return "\n".join(lines)


def make_command(operation: Operation) -> click.Command:
    """The click command of an operation."""

    @click.pass_context
    def callback(ctx: click.Context, /, manifest: Path | None, **given: Any) -> None:
        if given["template"]:
            click.echo(",".join(c.name for c in operation.columns))
            return
        count = given.get("count")
        if manifest is None and count is None:
            raise click.UsageError("Missing argument 'MANIFEST'.", ctx)
        if manifest is None:
            manifest = make_counted(ctx, given["run_dir"], count)
        elif count is not None:
            raise click.UsageError("--count makes its own manifest; give either a manifest or a count", ctx)
        ctx.exit(run_command(ctx, operation, manifest, given))

    command = program_options(add_options(callback, (*RUN_OPTIONS, *special_options(operation))))
    command = click.argument("manifest", type=click.Path(path_type=Path), required=False)(command)
    made: click.Command = click.command(operation.verb, help=describe(operation), short_help=operation.help)(command)
    return made


def options_from(given: dict[str, Any]) -> Any:
    """The run's options from the command line's."""
    from piggy_batch.importing.executor import Terms
    from piggy_batch.manifest.doctor import parse_fixes
    from piggy_batch.manifest.loader import Reading
    from piggy_batch.runs.context import Options

    most, share = given["max_errors"] or (None, None)
    return Options(
        run_dir=given["run_dir"],
        dry_run=given["dry_run"],
        rate=as_rate(given["rate"]),
        reserve=given["reserve"],
        timeout_s=given["timeout"],
        max_wait_s=given["max_wait"],
        max_duration_s=given["max_duration"],
        skip_invalid=given["skip_invalid"],
        format=given["kind"],
        yes=given["yes"],
        adopt=given["adopt"],
        accept=frozenset(code.strip() for text in given["accept"] for code in text.split(",")),
        reading=Reading(
            delimiter=given["delimiter"],
            encoding=given["encoding"],
            sheet=given["sheet"],
            maps=as_mapping("--map", given["maps"]),
            constants=as_mapping("--set", given["constants"]),
            allow_repeats=given.get("allow_repeats", False),
            allow_shared=given.get("allow_shared", False),
            fixes=parse_fixes(given["fixes"] or ""),
            again=given.get("again", False),
        ),
        terms=Terms(
            concurrency=given["concurrency"],
            attempts=given["attempts"],
            look_before=not given.get("no_before", False),
            resend_unknown=given["resend_unknown"],
            retry_rejected=given["retry_rejected"],
            limit=given["limit"],
            max_errors=most,
            max_errors_percent=share,
        ),
    )


def run_command(ctx: click.Context, operation: Operation, manifest: Path, given: dict[str, Any]) -> int:
    """Run a row command as the options say; its exit code."""
    from piggy_batch.client.shared_rate import state_dir
    from piggy_batch.importing.runner import run
    from piggy_batch.runs.context import Scene

    options = options_from(given)
    with open_display("rows", progress=given["progress"]) as display:
        scene = Scene(
            target=make_target_from(ctx),
            progress=display,
            command=command_line(ctx.obj["argv"]),
            confirm=ask if can_ask() else None,
            signals=True,
            slots=state_dir(),
            records=state_dir(),
            baseline=baseline_of(operation, given),
            verbose=is_verbose(ctx),
        )
        result = asyncio.run(run(operation, manifest, options, scene))
    if given.get("report") is not None and result.summary is not None:
        from piggy_batch.importing.verification.sign_off import write_sign_off

        write_sign_off(result.run_dir, given["report"])
        click.echo(printable_line(f"page: {given['report']}"), err=True)
    show_result(result, as_json=given["as_json"])
    return result.exit_code


def make_counted(ctx: click.Context, run_dir: Path | None, count: Any) -> Path:
    """The manifest that ``--count`` makes."""
    from piggy_batch.runs.directory import counted_manifest

    if run_dir is None:
        raise click.UsageError("--count needs --run-dir, so that the run can be found again", ctx)
    return counted_manifest(run_dir, count)


def baseline_of(operation: Operation, given: dict[str, Any]) -> Baseline | None:
    """What lists the cards that are there before the first request."""
    if not operation.baseline or given["no_baseline"]:
        return None
    from piggy_batch.importing.giftcards.reconcile import record_baseline

    return record_baseline


def add_row_commands(group: click.Group) -> None:
    """Give a group the commands of its resource."""
    for operation in CATALOGUE:
        if operation.resource == group.name and not operation.hidden:
            group.add_command(make_command(operation))


@click.group("identifiers", cls=LazyGroup)
@program_options
def identifiers() -> None:
    """Loyalty cards and other contact identifiers, in bulk from a manifest."""


add_row_commands(identifiers)
