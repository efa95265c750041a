"""``check``: what is wrong with a manifest, before anything is sent."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.context import make_run_context, open_display
from piggy_batch.cli.groups import command
from piggy_batch.cli.options import Pair, as_mapping
from piggy_batch.cli.output import json_text
from piggy_batch.cli.terminal import show, tell
from piggy_batch.endpoints import CATALOGUE, find_operation
from piggy_batch.errors import ExitCode, SetupError
from piggy_batch.importing.migration.stages import migrate_operation
from piggy_batch.text import nearest

if TYPE_CHECKING:
    from piggy_batch.importing.check import Checked
    from piggy_batch.importing.verification.account_sample import Sample
    from piggy_batch.manifest.options import ManifestOptions


@command(
    "check",
    examples=(
        ("what is wrong with a list of cards", "piggy-batch check cards.csv"),
        (
            "a list for a migration, as a page for whoever made it",
            "piggy-batch check klanten.csv --for migrate --map contact_identifier_value=Kaartnummer --html check.html",
        ),
    ),
)
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option(
    "--for",
    "name",
    default="identifiers create",
    show_default=True,
    metavar="COMMAND",
    help='The command the manifest is meant for, as "identifiers create".',
)
@click.option("--map", "maps", type=Pair(), multiple=True, metavar="FIELD=COLUMN", help="The manifest's own header.")
@click.option("--set", "constants", type=Pair(), multiple=True, metavar="FIELD=VALUE", help="A value for every row.")
@click.option("--delimiter", help="Overrides what is detected; a character, or tab.")
@click.option("--encoding", help="Overrides what is detected.")
@click.option("--sheet", help="The sheet of a workbook.  [default: the first]")
@click.option("--fix", "fixes", metavar="REPAIRS", help="Check the codes as these repairs would leave them.")
@click.option(
    "--against-account",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="Also look N random cards up in the account, without changing anything.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page that can be mailed to whoever made the list.",
)
@click.pass_context
def check(ctx: click.Context, /, manifest: Path, name: str, html: Path | None, **given: Any) -> None:
    """Check a manifest without sending anything that changes the account.

    Exit code 0: nothing found. 1: findings, invalid rows, or cards that belong to somebody else in the account.
    2: the file cannot be read as a manifest.
    """
    from piggy_batch.importing.check import check_manifest
    from piggy_batch.manifest.doctor import parse_fixes
    from piggy_batch.manifest.options import ManifestOptions

    wanted = " ".join(name.split())
    try:
        operation = migrate_operation(credits=False) if wanted == "migrate" else find_operation(wanted)
    except KeyError:
        names = [*(o.name for o in CATALOGUE if not o.hidden), "migrate"]
        meant = nearest(wanted, names)
        raise SetupError(f'--for "{name}" is no command for a manifest{meant}; there are {", ".join(names)}') from None
    reading = ManifestOptions(
        delimiter=given["delimiter"],
        encoding=given["encoding"],
        sheet=given["sheet"],
        maps=as_mapping("--map", given["maps"]),
        constants=as_mapping("--set", given["constants"]),
        fixes=parse_fixes(given["fixes"] or ""),
    )
    if str(manifest) == "-":
        raise SetupError("check reads a file, not standard input; save the list first")
    checked = check_manifest(operation, manifest, reading)
    if html is not None:
        write_page(html, manifest, operation.name, checked)
    sample = against(ctx, manifest, given["against_account"], reading)
    if given["as_json"]:
        found = checked.to_json() | ({"against_account": sample.to_json()} if sample else {})
        click.echo(json_text(found))
    else:
        for line in (*lines(manifest, operation.name, checked), *(sample.lines() if sample else ())):
            show(line)
        if html is not None:
            tell(f"page: {html}")
    clean = checked.clean and not (sample and sample.elsewhere)
    ctx.exit(ExitCode.DONE if clean else ExitCode.INCOMPLETE)


def against(ctx: click.Context, manifest: Path, number: int | None, reading: ManifestOptions) -> Sample | None:
    """How so many random rows stand in the account; None where nobody asked."""
    if number is None:
        return None
    from piggy_batch.importing.options import ImportOptions
    from piggy_batch.importing.verification.account_sample import compare_sample

    with open_display("rows", progress=False) as display:
        options = ImportOptions(reading=reading)
        return asyncio.run(compare_sample(manifest, number, options, make_run_context(ctx, display)))


def lines(manifest: Path, name: str, checked: Checked) -> list[str]:
    """The findings as a table for people, the gravest first."""
    from piggy_batch.manifest.describe import read_as

    loaded = checked.loaded
    found = [f"{manifest} for {name}: {loaded.rows:,} rows, {loaded.invalid:,} invalid", f"  read as {read_as(loaded)}"]
    found += [f"  note: {note}" for note in (*loaded.facts.notes, *loaded.warnings)]
    if checked.clean:
        return [*found, "nothing found"]
    for finding in sorted(loaded.findings, key=lambda f: (f.severity.value, not f.blocking, f.code)):
        weight = "blocking" if finding.blocking else finding.severity.value
        found.append("")
        found.append(f"{finding.code} {finding.slug:<22} {weight:<9} {finding.column}: {finding.count:,} rows")
        found.append(f"    values that {finding.rule.what}")
        for example in finding.examples:
            proposal = f'  -> "{example.proposal}"?' if example.proposal else ""
            found.append(f'    line {example.line}: "{example.value}"{proposal}')
        found.append(f"    {finding.remedy}")
    if loaded.problems:
        found += ["", "the first invalid rows:", *(f"    {problem}" for problem in loaded.problems)]
    return found


def write_page(path: Path, manifest: Path, name: str, checked: Checked) -> None:
    """The page for whoever made the list."""
    from piggy_batch.files import write_text
    from piggy_batch.manifest.describe import read_as
    from piggy_batch.manifest.html_page import CheckReport, render

    loaded = checked.loaded
    page = render(
        CheckReport(
            manifest=manifest.name,
            operation=name,
            rows=loaded.rows,
            read_as=read_as(loaded),
            notes=(*loaded.facts.notes, *loaded.warnings),
            columns=loaded.columns,
            findings=loaded.findings,
            checked_at=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        )
    )
    write_text(path, page)
