"""The options of row commands, and what they become."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.options import (
    CONCURRENCY,
    MAX_WAIT,
    PAGE_LANGUAGE,
    RATE,
    RESERVE,
    TIMEOUT,
    CountOrPercent,
    Duration,
    connection_from,
    env,
)
from piggy_batch.cli.paths import OutputPath, PathType
from piggy_batch.cli.reading_options import READING_OPTIONS, codes_from, reading_from
from piggy_batch.endpoints import CATALOGUE
from piggy_batch.runs import bounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from piggy_batch.endpoints import Operation
SHOP = "shop_uuid"
_ASKING = ", ".join([*(o.name for o in CATALOGUE if o.confirm and not o.hidden), "migrate"])
RUN_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--run-dir",
        type=PathType(file_okay=False),
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
    RATE,
    RESERVE,
    CONCURRENCY,
    click.option(
        "--attempts",
        type=click.IntRange(*bounds.ATTEMPTS),
        metavar="N",
        default=5,
        show_default=True,
        envvar=env("ATTEMPTS"),
        help="Tries per row.",
    ),
    TIMEOUT,
    click.option(
        "--max-errors",
        type=CountOrPercent(),
        metavar="N|N%",
        envvar=env("MAX_ERRORS"),
        help="Halt once so many rows of this invocation were rejected, failed or unknown.",
    ),
    MAX_WAIT,
    click.option(
        "--max-duration",
        type=Duration(),
        envvar=env("MAX_DURATION"),
        help="End softly after this time; the same command goes on.",
    ),
    click.option(
        "--limit",
        type=click.IntRange(min=1),
        metavar="N",
        envvar=env("LIMIT"),
        help="Take only N unsettled rows: a pilot.",
    ),
    click.option("--skip-invalid", is_flag=True, help="Run the valid rows although others are invalid."),
    *READING_OPTIONS,
    click.option(
        "--accept",
        multiple=True,
        metavar="CODE",
        help="State that the values behind this finding of the manifest doctor are right.",
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
        help="Of results and piles.  [default: csv; parquet where the manifest is Parquet]",
    ),
    click.option(
        "--yes",
        is_flag=True,
        help=(
            f"Do not ask before it starts. These ask: {_ASKING}; on a terminal also identifiers create, before more "
            "than 1,000 rows without a plan or a pilot."
        ),
    ),
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


def columns_of(operation: Operation) -> list[tuple[str, str]]:
    """The columns of its manifest for the help: name, required ones marked *, and what each holds."""
    found = [(f"{c.name}{' *' if c.required else ''}", c.help) for c in operation.columns]
    free = operation.open_columns
    mark = " *" if free is not None and free.required else ""
    return [*found, (f"{free.prefix}NAME{mark}", f"{free.help}, any number")] if free is not None else found


def special_options(operation: Operation) -> list[Callable[[Any], Any]]:
    """Options that only some operations have."""
    found: list[Callable[[Any], Any]] = []
    if operation.lookup_before:
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
                "--migration",
                type=PathType(file_okay=False),
                metavar="RUN_DIR",
                help="Compare credits too: with what this migration found before and was to give.",
            )
        )
        found.append(
            click.option(
                "--report",
                type=OutputPath(),
                metavar="FILE",
                help="Write a page for the person who signs the migration off.",
            )
        )
        found.append(PAGE_LANGUAGE)
    if operation.baseline:
        found.append(
            click.option(
                "--count",
                type=click.IntRange(1, 1_000_000),
                metavar="N",
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
    if operation.column(SHOP) is not None:
        found.append(
            click.option(
                "--shop", metavar="UUID", help="The same shop for every row; the list's own column comes first."
            )
        )
    if operation.waiver is not None:
        name = operation.waiver.option.replace("_", "-")
        found.append(click.option(f"--{name}", is_flag=True, help=operation.waiver.help))
    return found


def options_from(given: dict[str, Any]) -> Any:
    """The run's options from the command line's."""
    from piggy_batch.importing.options import ExecutionOptions, ImportOptions

    most, share = given["max_errors"] or (None, None)
    return ImportOptions(
        run_dir=given["run_dir"],
        dry_run=given["dry_run"],
        connection=connection_from(given),
        max_duration_s=given["max_duration"],
        skip_invalid=given["skip_invalid"],
        format=given["kind"],
        yes=given["yes"],
        adopt=given["adopt"],
        baseline=not given.get("no_baseline", True),
        accept=codes_from(given["accept"]),
        reading=replace(reading_from(given), defaults={SHOP: given["shop"]} if given.get("shop") else {}),
        execution=ExecutionOptions(
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
