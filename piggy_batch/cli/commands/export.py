"""Commands that export lists page by page: giftcards export, contacts export."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.context import make_run_context, open_display, run_async
from piggy_batch.cli.groups import command
from piggy_batch.cli.options import (
    CONCURRENCY,
    MAX_WAIT,
    RATE,
    RESERVE,
    TIMEOUT,
    Duration,
    add_options,
    connection_from,
    env,
)
from piggy_batch.cli.output import ON_STDOUT, copy_to_stdout, json_text
from piggy_batch.cli.paths import OutputPath, PathType
from piggy_batch.cli.terminal import exit_colour, show, tell
from piggy_batch.endpoints.exportable_lists import CONTACTS, GIFTCARDS, Listing
from piggy_batch.errors import SetupError
from piggy_batch.text import duration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from piggy_batch.exporting.options import ExportOptions, ExportResult


TO = click.option(
    "--to",
    type=OutputPath(stdout=True),
    metavar="FILE",
    required=True,
    help="The file to write, whole or not at all: .csv, .jsonl, .parquet or .xlsx; -: CSV on stdout, with --run-dir.",
)
WALK_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--run-dir",
        type=PathType(file_okay=False),
        metavar="DIR",
        envvar=env("RUN_DIR"),
        help="Where an interrupted export is kept.  [default: FILE.export beside the file]",
    ),
    click.option(
        "--page-size",
        type=click.IntRange(1, 100),
        default=100,
        show_default=True,
        envvar=env("PAGE_SIZE"),
        help="Objects a page.",
    ),
    RATE,
    RESERVE,
    CONCURRENCY,
    click.option("--quick", is_flag=True, help="Read each page once; then counts can agree, and nothing is proven."),
    click.option(
        "--max-passes",
        type=click.IntRange(2, 20),
        default=4,
        show_default=True,
        envvar=env("MAX_PASSES"),
        help="Readings of the whole list before it is given up to prove that nothing is missing.",
    ),
    click.option(
        "--max-age",
        type=Duration(),
        default="6h",
        show_default=True,
        envvar=env("MAX_AGE"),
        help="What an interrupted export read longer ago is read again.",
    ),
    MAX_WAIT,
    TIMEOUT,
    click.option("--extra", is_flag=True, help="A further column, extra: JSON of what no other column shows."),
    click.option("--progress/--no-progress", default=None, help="A bar on stderr, or a line every 30 s."),
    click.option("-q", "--quiet", is_flag=True, envvar=env("QUIET"), help="One line at the end, and problems."),
    click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON on stdout."),
)


def options_from(
    listing: Listing, given: dict[str, Any], to: Path, filters: tuple[dict[str, str], ...]
) -> ExportOptions:
    """The export's options from the command line's."""
    from piggy_batch.exporting.completeness import ReadOptions
    from piggy_batch.exporting.options import ExportOptions

    return ExportOptions(
        to=to,
        filters=filters,
        run_dir=given["run_dir"],
        connection=connection_from(given),
        reading=ReadOptions(
            page_size=min(given["page_size"], listing.max_size),
            concurrency=given["concurrency"],
            quick=given["quick"],
            max_passes=given["max_passes"],
            max_age_s=given["max_age"],
            extra=given["extra"],
        ),
    )


def run_export(
    ctx: click.Context, listing: Listing, given: dict[str, Any], to: Path, filters: tuple[dict[str, str], ...]
) -> ExportResult:
    """Export as the command line says; how it ended."""
    from piggy_batch.exporting.export import export

    with open_display("pages", progress=given["progress"], quiet=given["quiet"]) as display:
        return run_async(export(listing, options_from(listing, given, to, filters), make_run_context(ctx, display)))


def carry_out_export(
    ctx: click.Context, listing: Listing, given: dict[str, Any], to: Path, filters: tuple[dict[str, str], ...]
) -> None:
    """Export as the command line says, show how it ended, and leave with its exit code."""
    if str(to) == "-":
        done = _export_to_stdout(ctx, listing, given, filters)
    else:
        done = run_export(ctx, listing, given, to, filters)
        show_exported(listing, done, as_json=given["as_json"], quiet=given["quiet"])
    ctx.exit(done.exit_code)


def _export_to_stdout(
    ctx: click.Context, listing: Listing, given: dict[str, Any], filters: tuple[dict[str, str], ...]
) -> ExportResult:
    """Export into the run directory, and from there, whole, as CSV to standard output; words go to stderr."""
    run_dir: Path | None = given["run_dir"]
    if run_dir is None:
        raise SetupError("--to - needs --run-dir DIR, so that an interrupted export can go on")
    if given["as_json"]:
        raise SetupError("--to - and --json both write to standard output; give one of them")
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        done = run_export(ctx, listing, given, run_dir / ON_STDOUT, filters)
        if done.written:
            copy_to_stdout(done.path)
            done.path.unlink()
    finally:
        with contextlib.suppress(OSError):  # not empty
            run_dir.rmdir()
    for line in (*summary_lines(listing, done), *done.notes):
        if done.exit_code or not given["quiet"]:
            tell(line)
    _tell_next(done)
    return done


def show_exported(listing: Listing, done: ExportResult, *, as_json: bool, quiet: bool) -> None:
    """The summary on stdout; with ``quiet`` one line, and on stderr only what is not in order."""
    summary = done.summary
    if as_json:
        click.echo(json_text(summary))
    elif done.written or not quiet:
        first, *lines = [headline(listing, done)] if quiet else summary_lines(listing, done)
        show(first, exit_colour(done.exit_code))
        for line in lines:
            show(line)
    if done.exit_code or not (quiet or as_json):
        for line in done.notes:
            (tell if done.exit_code else show)(line)
    _tell_next(done)


def _tell_next(done: ExportResult) -> None:
    if done.summary["next"]:
        again = "export again with" if done.written else "go on with"
        tell(f"{again}: {done.summary['next']}")


def headline(listing: Listing, done: ExportResult) -> str:
    """The export in one line."""
    summary = done.summary
    if not done.written:
        return f"{listing.name}: {summary['verdict']}, {summary[listing.unit]:,} {listing.unit} read so far"
    return f"{listing.name}: {summary['verdict']}, {summary[listing.unit]:,} {listing.unit} in {done.path}"


def summary_lines(listing: Listing, done: ExportResult) -> list[str]:
    """The summary as a table for people."""
    summary = done.summary
    requests = f"{summary['requests']:,} in {duration(summary['elapsed_s'])}"
    rows: list[tuple[str, object]] = [
        ("passes", summary["passes"]),
        ("requests", requests),
        ("vanished", summary["vanished"]),
        ("changed", summary["changed"]),
    ]
    if summary["total"] is not None:
        rows.insert(0, ("counted by the service", f"{summary['total']:,}"))
    if summary["oldest_reading"]:
        rows.append(("read", f"{summary['oldest_reading']} to {summary['newest_reading']}"))
    shown = {"vanished": "vanished while reading", "changed": "changed while reading"}
    return [headline(listing, done), *(f"  {shown.get(name, name):<23} {value}" for name, value in rows if value)]


@click.pass_context
def _giftcards(ctx: click.Context, /, to: Path, programs: tuple[str, ...], **given: Any) -> None:
    filters = tuple({"giftcard_program_uuid": uuid} for uuid in programs) or ({},)
    carry_out_export(ctx, GIFTCARDS, given, to, filters)


@click.pass_context
def _contacts(ctx: click.Context, /, to: Path, columns: str | None, **given: Any) -> None:
    listing = CONTACTS
    if columns:
        listing = CONTACTS.choose(tuple(name.strip() for name in columns.split(",") if name.strip()))
    carry_out_export(ctx, listing, given, to, ({},))


PROGRAM = click.option(
    "--program",
    "programs",
    multiple=True,
    metavar="UUID",
    help="Only this program's cards (repeatable; each is read and proven on its own).",
)
COLUMNS = click.option(
    "--columns",
    metavar="NAMES",
    help=f"Comma-separated: {', '.join(f.name for f in CONTACTS.fields)}, or paths like current_values.firstname.",
)
_PROOF = """
    Each page is read twice: once the first reading has landed the service counts, and if it counts as many as
    were read and each of them is shown again, nothing is missing. The verdict stands in FILE.summary.json.
    Interrupted, the same command goes on; after it has ended, it begins anew and replaces FILE.

    Exit code 0: agreed (or counts agree, with --quick). 1: no proof; the summary says what is missing. 3: halted.
"""
giftcards_export: click.Command = command(
    "export",
    examples=(
        ("every giftcard, proven complete", "piggy-batch giftcards export --to giftcards.parquet"),
        ("a quick look, as a workbook", "piggy-batch giftcards export --to giftcards.xlsx --quick"),
    ),
    help=f"{GIFTCARDS.help}\n{_PROOF}",
    short_help=GIFTCARDS.help,
)(add_options(_giftcards, (TO, PROGRAM, *WALK_OPTIONS)))
contacts_export: click.Command = command(
    "export",
    examples=(
        ("every contact", "piggy-batch contacts export --to contacts.csv"),
        ("two columns", "piggy-batch contacts export --to contacts.csv --columns email,contact_uuid"),
    ),
    help=f"{CONTACTS.help}\n{_PROOF}",
    short_help=CONTACTS.help,
)(add_options(_contacts, (TO, COLUMNS, *WALK_OPTIONS)))
