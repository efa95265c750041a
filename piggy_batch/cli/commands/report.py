"""The commands of giftcard reporting. What is slow to import is imported inside them: help stays quick."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from piggy_batch.cli.context import now_of
from piggy_batch.cli.groups import command
from piggy_batch.cli.options import PERIOD
from piggy_batch.cli.output import json_text, printable_text
from piggy_batch.errors import SetupError
from piggy_batch.text import printable_line

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from piggy_batch.reporting.choosing import Choice
    from piggy_batch.reporting.report import Report, ReportRequest
    from piggy_batch.reporting.snapshot import Snapshot

_LISTS = ("issued", "topped_up", "redeemed", "expired", "deactivated", "reactivated", "vanished", "moved")

EXIT_NOT_CLOSED = 1

REPORT_EPILOG = """\b
Exit codes, for schedulers:
  0  the report was made
  1  it was made, but with --expect-closed a roll-forward does not close
  2  it was not made: a bad option, a file that cannot be used, a snapshot
     that did not agree; one line on stderr says which and what to do

\b
The close of a month, five past midnight on the first, safe to run again:
  piggy-batch giftcards snapshot --store /srv/giftcards --period last-month
  piggy-batch giftcards report --store /srv/giftcards --period last-month
              --expect-closed --quiet --to /srv/reports/giftcards.html
(samples/close-month.sh is the whole script, with its cron and systemd lines)
"""

_store_option = click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder that holds the snapshots.",
)
_timezone_option = click.option(
    "--timezone",
    "timezone_name",
    default="Europe/Amsterdam",
    show_default=True,
    metavar="ZONE",
    help="The zone whose days and midnights count.",
)


@command(
    "snapshots",
    examples=(
        ("what a store holds", "piggy-batch giftcards snapshots --store snapshots"),
        ("for a script", "piggy-batch giftcards snapshots --store snapshots --json"),
    ),
)
@_store_option
@_timezone_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array instead of the table.")
def snapshots_command(store: Path | None, timezone_name: str, *, as_json: bool) -> None:
    """List the snapshots of a store, oldest first."""
    from piggy_batch.reporting.dates import shown, time_zone
    from piggy_batch.reporting.snapshot_store import Store

    zone = time_zone(timezone_name)
    if store is None:
        raise SetupError("say which store: --store DIR")
    found = Store(store, zone).list()
    if as_json:
        click.echo(json_text([_as_json(snapshot) for snapshot in found]))
        return
    for snapshot in found:
        mark = "" if snapshot.agreed else "PARTIAL: "
        taken = shown(snapshot.moment, zone)
        line = f"{snapshot.day}  {taken}  {snapshot.cards:>9,} cards  {mark}{snapshot.verdict}  {snapshot.path}"
        click.echo(printable_line(line))
    if not found:
        click.echo("no snapshots yet; take one with: piggy-batch giftcards snapshot --store DIR", err=True)


@command(
    "report",
    epilog=REPORT_EPILOG,
    examples=(
        ("what is owed, on the terminal", "piggy-batch giftcards report --store snapshots"),
        (
            "the month as a page and a workbook",
            "piggy-batch giftcards report --store snapshots --to month.html --to month.xlsx",
        ),
    ),
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[SNAPSHOT] [SNAPSHOT]")
@_store_option
@click.option("--as-of", metavar="DATE", help="Report the last snapshot on or before this day. [default: the last]")
@click.option(
    "--since",
    metavar="DATE",
    help="Roll forward from the last snapshot on or before this day. [default: the last of an earlier day]",
)
@PERIOD
@click.option(
    "--to",
    "targets",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write .html, .xlsx, .json or .csv (repeatable); with --period, {period} in a name is its 2026-11. "
    "[default: tables on stdout]",
)
@click.option(
    "--list",
    "lists",
    multiple=True,
    type=click.Choice(_LISTS),
    metavar="MOVEMENT",
    help=f"Also list the cards behind a movement (repeatable; a CSV then holds these lists): {', '.join(_LISTS)}.",
)
@click.option(
    "--transactions",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Reconcile with transactions, as giftcards transactions export writes them.",
)
@_timezone_option
@click.option(
    "--currency",
    "currency_code",
    default="EUR",
    show_default=True,
    metavar="CODE",
    help="How amounts are labelled; nothing is converted.",
)
@click.option(
    "--accept-partial",
    is_flag=True,
    allow_from_autoenv=False,  # what waives a safeguard is said each time
    help="Also use files whose export did not agree; the report says so.",
)
@click.option("--expect-closed", is_flag=True, help="Exit 1 where a roll-forward leaves a residual.")
@click.option("--quiet", is_flag=True, help="Print nothing but warnings and errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on stdout.")
@click.pass_context
def report_command(
    context: click.Context,
    files: tuple[Path, ...],
    store: Path | None,
    as_of: str | None,
    since: str | None,
    period: str | None,
    targets: tuple[Path, ...],
    lists: tuple[str, ...],
    transactions: Path | None,
    timezone_name: str,
    currency_code: str,
    *,
    accept_partial: bool,
    expect_closed: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Report what is owed on giftcards, what moved since the snapshot before, and what will expire.

    Give a --store of snapshots, or one or two snapshot files (Parquet, with their summaries beside them).
    """
    targets = _named(targets, period, timezone_name, now_of(context))
    _check_targets(targets)
    order = _order(
        files,
        store,
        as_of,
        since,
        period,
        timezone_name,
        currency_code,
        now=now_of(context),
        lists=tuple(dict.fromkeys(lists)),
        transactions=transactions,
        accept_partial=accept_partial,
    )
    from piggy_batch.reporting.report import build_report

    report = build_report(order, made_at=now_of(context))
    for target in targets:
        _write(report, target)
    _say(report, targets, quiet=quiet, as_json=as_json)
    if expect_closed and not report.closed:
        click.echo("the roll-forward does not close; the report shows the residual", err=True)
        context.exit(EXIT_NOT_CLOSED)


def _order(
    files: tuple[Path, ...],
    store: Path | None,
    as_of: str | None,
    since: str | None,
    period: str | None,
    timezone_name: str,
    currency_code: str,
    *,
    now: datetime,
    lists: tuple[str, ...],
    transactions: Path | None,
    accept_partial: bool,
) -> ReportRequest:
    from piggy_batch.reporting.dates import parse_day, time_zone
    from piggy_batch.reporting.money import Currency
    from piggy_batch.reporting.report import ReportRequest

    zone, currency = time_zone(timezone_name), Currency.parse(currency_code)
    if bool(files) == bool(store):
        raise SetupError("give either --store DIR, or one or two snapshot files")
    if period and (files or as_of or since):
        raise SetupError("--period chooses both snapshots of a --store; leave out --as-of, --since and files")
    as_of_day = parse_day(as_of, "--as-of") if as_of else None
    since_day = parse_day(since, "--since") if since else None
    if store and period:
        chosen = _of_period(store, period, zone, now)
    elif store:
        from piggy_batch.reporting.choosing import choose
        from piggy_batch.reporting.snapshot_store import Store

        chosen = choose(Store(store, zone).list(), as_of=as_of_day, since=since_day, now=now, zone=zone)
    else:
        chosen = _from_files(files, zone, since_day, accept_partial=accept_partial)
    return ReportRequest(
        closing=chosen.closing,
        opening=chosen.opening,
        history=chosen.history,
        zone=zone,
        currency=currency,
        as_of=as_of_day,
        since=since_day,
        lists=lists,
        transactions=transactions,
        notices=chosen.notices,
    )


def _of_period(store: Path, text: str, zone: ZoneInfo, now: datetime) -> Choice:
    from piggy_batch.reporting.choosing import choose_period
    from piggy_batch.reporting.dates import day_of
    from piggy_batch.reporting.periods import parse_period
    from piggy_batch.reporting.snapshot_store import Store

    period = parse_period(text, day_of(now, zone))
    return choose_period(Store(store, zone).list(), period, now=now, zone=zone)


def _from_files(files: tuple[Path, ...], zone: ZoneInfo, since: date | None, *, accept_partial: bool) -> Choice:
    """Opening and closing from one or two files, in whatever order they are given."""
    from piggy_batch.reporting.choosing import Choice
    from piggy_batch.reporting.snapshot import open_snapshot

    if len(files) > 2:
        raise SetupError(f"{len(files)} snapshot files; give one or two, or keep them in a --store")
    if since and len(files) == 1:
        raise SetupError("--since needs a --store, or two snapshot files")
    found = sorted((open_snapshot(path, zone) for path in files), key=lambda snapshot: snapshot.moment)
    for snapshot in found:
        if not snapshot.agreed and not accept_partial:
            raise SetupError(
                f"{snapshot.path}: the export did not agree ({snapshot.verdict}), so cards may be missing; "
                "export again, or report on it as partial with --accept-partial"
            )
    return Choice(found[-1], None if len(found) == 1 else found[0], tuple(found))


def _named(targets: tuple[Path, ...], period: str | None, timezone_name: str, now: datetime) -> tuple[Path, ...]:
    """The files with ``{period}`` in their names as that of the period: 2026-11."""
    if period is None:
        return targets
    from piggy_batch.reporting.dates import day_of, time_zone
    from piggy_batch.reporting.periods import parse_period

    name = parse_period(period, day_of(now, time_zone(timezone_name))).name
    return tuple(target.with_name(target.name.replace("{period}", name)) for target in targets)


def _check_targets(targets: tuple[Path, ...]) -> None:
    for target in targets:
        if target.suffix.lower() not in {".html", ".htm", ".xlsx", ".json", ".csv"}:
            raise SetupError(f"--to {target}: reports are written as .html, .xlsx, .json or .csv")
        if not target.absolute().parent.is_dir():
            raise SetupError(f"--to {target}: there is no folder {target.absolute().parent}")


def _write(report: Report, target: Path) -> None:
    """Each form of a report needs its own library; only that one is imported."""
    suffix = target.suffix.lower()
    if suffix in {".html", ".htm"}:
        from piggy_batch.reporting.render.html import write_page

        write_page(report, target)
    elif suffix == ".xlsx":
        from piggy_batch.reporting.render.excel import write_workbook

        write_workbook(report, target)
    elif suffix == ".json":
        from piggy_batch.reporting.render.json_values import write_json

        write_json(report, target)
    else:
        from piggy_batch.reporting.render.plain_text import write_csv

        write_csv(report, target)


def _say(report: Report, targets: tuple[Path, ...], *, quiet: bool, as_json: bool) -> None:
    """Data on stdout: JSON, lists, tables, or one line where files were written. Warnings on stderr, also
    when quiet.
    """
    from piggy_batch.reporting.notices import Level
    from piggy_batch.reporting.render import json_values, plain_text

    if as_json:
        click.echo(json_text(json_values.as_json(report)))
    elif quiet:
        pass
    elif targets:
        click.echo(printable_line(f"{plain_text.one_line(report)}; written to {', '.join(map(str, targets))}"))
    elif report.lists and sys.stdout.isatty():
        shown = io.StringIO()
        plain_text.write_csv_to(report, shown)
        click.echo(printable_text(shown.getvalue()), nl=False)
    elif report.lists:
        plain_text.write_csv_to(report, sys.stdout)
    else:
        click.echo(printable_text(plain_text.as_text(report)))
        click.echo(printable_line(plain_text.one_line(report)))
    for notice in report.notices:
        if notice.level is Level.PARTIAL or (targets and not quiet):
            click.echo(printable_line(str(notice)), err=True)


def _as_json(snapshot: Snapshot) -> dict[str, object]:
    return {
        "date": snapshot.day.isoformat(),
        "moment": snapshot.moment.isoformat(),
        "cards": snapshot.cards,
        "verdict": snapshot.verdict,
        "agreed": snapshot.agreed,
        "oldest_reading": snapshot.readings[0].isoformat() if snapshot.readings else None,
        "newest_reading": snapshot.readings[1].isoformat() if snapshot.readings else None,
        "account": snapshot.account,
        "program_uuids": list(snapshot.program_uuids),
        "sha256": snapshot.recorded_sha256,
        "path": str(snapshot.path),
    }
