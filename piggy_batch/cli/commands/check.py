"""``check``: what is wrong with a manifest, before anything is sent."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.context import make_run_context, open_display, run_async
from piggy_batch.cli.groups import command
from piggy_batch.cli.options import PAGE_LANGUAGE
from piggy_batch.cli.output import json_text
from piggy_batch.cli.paths import ManifestPath, OutputPath
from piggy_batch.cli.reading_options import reading_from, with_reading_options
from piggy_batch.cli.terminal import show, tell
from piggy_batch.endpoints import CATALOGUE, find_operation
from piggy_batch.endpoints.exportable_lists import SHOPS
from piggy_batch.errors import SetupError
from piggy_batch.exit_codes import ExitCode
from piggy_batch.importing.migration.stages import migrate_operation
from piggy_batch.text import counted, nearest, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.importing.manifest_check import CheckedManifest
    from piggy_batch.importing.verification.account_sample import AccountSample
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
@click.argument("manifest", type=ManifestPath(), required=False)
@click.option(
    "--for",
    "name",
    default="identifiers create",
    show_default=True,
    metavar="COMMAND",
    help='The command the manifest is meant for, as "identifiers create".',
)
@click.option(
    "--against-account",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="Also look N random cards up in the account, without changing anything.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option(
    "--html",
    type=OutputPath(),
    metavar="FILE",
    help="Write a page that can be mailed to whoever made the list.",
)
@PAGE_LANGUAGE
@click.option(
    "--write",
    "mended",
    type=OutputPath(),
    metavar="FILE",
    help="Write the mended list, which imports without --map, --set, --fix and the like.",
)
@click.option("--explain", "code", metavar="CODE", help="Say more of one finding, as MD105, and leave.")
@with_reading_options
@click.pass_context
def check(
    ctx: click.Context,
    /,
    manifest: Path | None,
    name: str,
    html: Path | None,
    language: str,
    mended: Path | None,
    code: str | None,
    **given: Any,
) -> None:
    """Check a manifest without sending anything that changes the account.

    Exit code 0: nothing found. 1: findings, invalid rows, or cards that belong to somebody else in the account.
    2: the file cannot be read as a manifest.
    """
    if code is not None:
        explain(code)
        return
    if manifest is None:
        raise click.UsageError("Missing argument 'MANIFEST'.", ctx)
    from piggy_batch.importing.manifest_check import check_manifest

    wanted = " ".join(name.split())
    try:
        operation = migrate_operation(credits=False) if wanted == "migrate" else find_operation(wanted)
    except KeyError:
        names = [*(o.name for o in CATALOGUE if not o.hidden), "migrate"]
        meant = nearest(wanted, names)
        raise SetupError(f'--for "{name}" is no command for a manifest{meant}; there are {", ".join(names)}') from None
    reading = reading_from(given)
    if str(manifest) == "-":
        raise SetupError("check reads a file, not standard input; save the list first")
    with check_manifest(operation, manifest, reading, detailed=html is not None) as checked:
        written = write_files(checked, operation.name, html, mended, language)
        sample = against(ctx, manifest, given["against_account"], reading)
        if given["as_json"]:
            found = checked.to_json() | ({"against_account": sample.to_json()} if sample else {})
            click.echo(json_text(found))
        else:
            for line in (*lines(manifest, operation.name, checked), *(sample.lines() if sample else ())):
                show(line)
            for line in next_lines(checked, wanted) if mended is None else ():
                show("")
                show(line)
        for line in written:
            tell(line)
        clean = checked.clean and not (sample and sample.elsewhere)
    ctx.exit(ExitCode.DONE if clean else ExitCode.INCOMPLETE)


def next_lines(checked: CheckedManifest, name: str) -> list[str]:
    """What can be done about the list with options, as commands to type."""
    from piggy_batch.manifest.advice import mended_reading

    if (missed := checked.overlooked) and name == "migrate":
        reading = replace(checked.reading, maps={**checked.reading.maps, **{s.field: s.column for s in missed}})
        names = ", ".join(f'"{each.column}"' for each in missed)
        refused = "migrate refuses until they are mapped, or left out on purpose with --ignore-column"
        return [f"not used: {names}; {refused}; this maps them: {check_command(checked, name, reading)}"]
    mended = mended_reading(checked.loaded, checked.reading)
    if mended is None:
        return []
    target = checked.manifest.with_name(f"{checked.manifest.name.partition('.')[0]}-mended.csv")
    command = check_command(checked, name, mended, "--write", str(target))
    return [f"what options can mend goes into a new list with: {command}"]


def check_command(checked: CheckedManifest, name: str, reading: ManifestOptions, *more: str) -> str:
    """The command that checks the list so."""
    words = ["piggy-batch", "check", str(checked.manifest), "--for", name, *reading.words()]
    for column in sorted(reading.ignored):
        words += ["--ignore-column", column]
    return shlex.join([*words, *more])


def write_files(
    checked: CheckedManifest, name: str, html: Path | None, mended: Path | None, language: str
) -> list[str]:
    """Write the page and the mended list that were asked for; what to say of them."""
    told = []
    if html is not None:
        overflow = write_page(html, checked.manifest, name, checked, language)
        told += [f"page: {html}", *([f"all rows of what was found: {overflow}"] if overflow else [])]
    if mended is not None:
        changed, invalid = checked.write_mended(mended)
        held = len(checked.loaded.held)
        rest = f"; {counted(held, 'row')} held back, not in it" if held else ""
        rest += f"; {counted(invalid, 'row')} still invalid, _problem says why" if invalid else ""
        told.append(f"mended list: {mended}, {counted(changed, 'row')} changed, _changed says how{rest}")
        if checked.gives:
            told.append(f"credits are given in the name of a shop; its UUID is told by: piggy-batch {SHOPS.name}")
        words = ["piggy-batch", *name.split(), str(mended), *(["--shop", "UUID"] if checked.gives else [])]
        words += ["--dry-run", *(["--skip-invalid"] if invalid else [])]
        told.append(f"its plan: {shlex.join(words)}")
    return told


def explain(code: str) -> None:
    """Say of one finding what it means, what to do, and what it does to a run."""
    from piggy_batch.manifest.doctor import CATALOGUE as FINDINGS
    from piggy_batch.manifest.doctor import known_codes

    (wanted,) = known_codes([code]) or {""}
    rule = next(rule for rule in FINDINGS if rule.code == wanted)
    weight = "blocking" if rule.blocking else rule.severity.value
    show(f"{rule.code} {rule.slug} ({weight})")
    show(f"  values that {rule.what}")
    show(f"  what to do: {rule.remedy}")
    match weight:
        case "blocking":
            effect = (
                f"nothing is sent until the list is mended, --accept {rule.code} states that the numbers are right, or "
                f"--hold {rule.code} leaves these rows out"
            )
        case "error":
            effect = "these rows are invalid and are not sent; --skip-invalid sends the others"
        case _:
            effect = "these rows are sent all the same"
    show(f"  in a run: {effect}")


def against(ctx: click.Context, manifest: Path, number: int | None, reading: ManifestOptions) -> AccountSample | None:
    """How so many random rows stand in the account; None where nobody asked."""
    if number is None:
        return None
    from piggy_batch.importing.options import ImportOptions
    from piggy_batch.importing.verification.account_sample import compare_sample

    with open_display("rows", progress=False) as display:
        options = ImportOptions(reading=reading)
        return run_async(compare_sample(manifest, number, options, make_run_context(ctx, display)))


def lines(manifest: Path, name: str, checked: CheckedManifest) -> list[str]:
    """The findings as a table for people, the gravest first."""
    from piggy_batch.manifest.advice import option_advice
    from piggy_batch.manifest.describe import column_lines, read_as
    from piggy_batch.manifest.invalid_reasons import reason_lines

    loaded = checked.loaded
    found = [f"{manifest} for {name}: {counted(loaded.rows, 'row')}, {loaded.invalid:,} invalid"]
    found.append(f"  read as {read_as(loaded)}")
    found += [f"  {line}" for line in column_lines(loaded.binding)]
    found += [f"  note: {note}" for note in (*loaded.facts.notes, *loaded.warnings)]
    found += [f"  not judged: {what}" for what in loaded.not_judged]
    if checked.clean:
        return [*found, "nothing found"]
    for finding in sorted(loaded.findings, key=lambda f: (f.severity.value, not f.blocking, f.code)):
        weight = "blocking" if finding.blocking else finding.severity.value
        found.append("")
        rows = counted(finding.count, "row")
        found.append(f"{finding.code} {finding.slug:<22} {weight:<9} {finding.column}: {rows}")
        found.append(f"    values that {finding.rule.what}")
        for example in finding.examples:
            proposal = f'  -> "{example.proposal}"?' if example.proposal else ""
            found.append(f'    line {example.line}: "{shortened(example.value)}"{proposal}')
        found.append(f"    {finding.remedy}")
    if loaded.reasons:
        found += ["", *reason_lines(loaded.reasons), *(f"  {line}" for line in option_advice(loaded))]
        found += ["", "the first of them:"]
        found += [f"    {problem}" for problem in loaded.problems]
    return found


def write_page(path: Path, manifest: Path, name: str, checked: CheckedManifest, language: str) -> Path | None:
    """The page for whoever made the list; the file beside it with all rows, where the page does not list all."""
    from piggy_batch.files import write_text
    from piggy_batch.manifest.describe import column_lines, read_as
    from piggy_batch.manifest.html_page import CheckReport, page_language, render

    loaded = checked.loaded
    rows, overflow = checked.rows_of_findings(path.with_name(f"{path.stem}-rows.csv"))
    page = render(
        CheckReport(
            manifest=manifest.name,
            operation=name,
            rows=loaded.rows,
            read_as=read_as(loaded),
            notes=(*column_lines(loaded.binding), *loaded.facts.notes, *loaded.warnings),
            columns=loaded.columns,
            findings=loaded.findings,
            checked_at=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
            listed=rows,
            reasons=loaded.reasons,
            not_judged=loaded.not_judged,
            overflow=overflow.name if overflow else "",
        ),
        page_language(language),
    )
    write_text(path, page)
    return overflow
