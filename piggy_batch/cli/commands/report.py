"""The report on giftcards. What is slow to import is imported inside: help stays quick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.context import now_of
from piggy_batch.cli.groups import command
from piggy_batch.cli.options import PAGE_LANGUAGE, PERIOD, STORE, TIMEZONE, Pair, add_options, beside_profile
from piggy_batch.cli.paths import OutputPath, PathType
from piggy_batch.cli.report_output import named_targets, show_report
from piggy_batch.errors import SetupError
from piggy_batch.exit_codes import ExitCode
from piggy_batch.reporting.render.files import check_targets, write_report
from piggy_batch.reporting.request import request_from
from piggy_batch.tables import read_columns

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.reporting.report import Report

_LISTS = (
    "all", "outstanding", "expired_balance", "inactive_balance", "issued", "topped_up", "redeemed", "reversed",
    "expired", "deactivated", "reactivated", "vanished", "moved", "unexplained",
)  # fmt: skip
REPORT_EPILOG = """\b
Exit codes, for schedulers:
  0  the report was made
  1  it was made, but with --expect-closed a roll-forward does not close, or
     with --expect-reconciled transactions do not account for every card
  2  it was not made: a bad option, a file that cannot be used, a snapshot
     that did not agree; one line on stderr says which and what to do

\b
The close of a month, five past midnight on the first, safe to run again:
  piggy-batch giftcards snapshot --store /srv/giftcards --period last-month
  piggy-batch giftcards report --store /srv/giftcards --period last-month
              --expect-closed --quiet --to /srv/reports/giftcards.html
(the whole script: samples/close-month.sh; more: piggy-batch help finance)
"""

REPORT_OPTIONS = (
    click.argument("files", nargs=-1, type=PathType(), metavar="[SNAPSHOT] [SNAPSHOT]"),
    STORE,
    click.option("--as-of", metavar="DATE", help="Report the last snapshot on or before this day. [default: the last]"),
    click.option(
        "--since",
        metavar="DATE",
        help="Roll forward from the last snapshot on or before this day. [default: the last of an earlier day]",
    ),
    PERIOD,
    click.option(
        "--to",
        "targets",
        multiple=True,
        type=OutputPath(),
        metavar="FILE",
        help="Write .html, .xlsx, .json, .csv, the cards behind the figures as .parquet, or the ledger's entry as "
        "journal.csv (repeatable); with --period, {period} in a name is its 2026-11. [default: tables on stdout]",
    ),
    click.option(
        "--list",
        "lists",
        multiple=True,
        type=click.Choice(_LISTS),
        metavar="FIGURE",
        help=f"Also list the cards behind a figure (repeatable; a CSV then holds these lists): {', '.join(_LISTS)}.",
    ),
    click.option(
        "--sample",
        type=click.IntRange(min=1),
        metavar="N",
        help="Of each list only N cards, drawn by chance; without --list of the outstanding ones.",
    ),
    click.option(
        "--seed",
        type=int,
        default=1,
        show_default=True,
        metavar="S",
        help="Which draw: the same cards and seed give the same sample.",
    ),
    click.option(
        "--transactions",
        type=PathType(),
        metavar="FILE",
        help="Roll forward gross from these transactions, as giftcards transactions export writes them, and reconcile.",
    ),
    click.option(
        "--account",
        "accounts",
        multiple=True,
        type=Pair(),
        callback=beside_profile,
        metavar="FIGURE=CODE",
        help="The ledger's account for a figure of the journal, such as outstanding=2210 redeemed=8010 (repeatable); "
        "PROGRAM_UUID:outstanding=2211 for one program.",
    ),
    click.option(
        "--cohorts/--no-cohorts",
        default=None,
        help="Cards by month of issue. [default: with three snapshots or more, up to 5,000,000 cards in all of them]",
    ),
    click.option(
        "--breakage-months",
        type=click.IntRange(1, 120),
        metavar="N",
        help="Estimate breakage from cards issued at least N months ago; an estimate, never booked. [default: none]",
    ),
    TIMEZONE,
    click.option(
        "--currency",
        "currencies",
        multiple=True,
        callback=beside_profile,
        metavar="CODE",
        help="What amounts are in, and PROGRAM_UUID=CODE where a program has another (repeatable); nothing is "
        "converted, or added up across currencies. [default: EUR]",
    ),
    PAGE_LANGUAGE,
    click.option(
        "--accept-partial",
        is_flag=True,
        allow_from_autoenv=False,  # what waives a safeguard is said each time
        help="Also use files whose export did not agree; the report says so.",
    ),
    click.option("--expect-closed", is_flag=True, help="Exit 1 where a roll-forward leaves a residual."),
    click.option(
        "--expect-reconciled",
        is_flag=True,
        help="Exit 1 where --transactions do not account for the change of every card, or may be incomplete.",
    ),
    click.option("--quiet", is_flag=True, help="Print nothing but warnings and errors."),
    click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on stdout."),
)


@click.pass_context
def _report(context: click.Context, /, targets: tuple[Path, ...], **given: Any) -> None:
    """Report what is owed on giftcards, what moved since the snapshot before, and what will expire.

    Give a --store of snapshots, or one or two snapshot files (Parquet, with their summaries beside them).
    """
    now = now_of(context)
    targets = named_targets(targets, given["period"], given["timezone_name"], now)
    check_targets(targets)
    if given["expect_reconciled"] and not given["transactions"]:
        raise SetupError("--expect-reconciled compares with transactions; name their file with --transactions FILE")
    request = request_from({**given, "targets": targets}, now, read_columns)
    from piggy_batch.reporting.report_builder import build_report

    report = build_report(request, made_at=now)
    for target in targets:
        write_report(report, target, given["language"])
    show_report(report, targets, quiet=given["quiet"], as_json=given["as_json"])
    if complaint := _complaint(report, closed=given["expect_closed"], reconciled=given["expect_reconciled"]):
        click.echo(complaint, err=True)
        context.exit(ExitCode.INCOMPLETE)


def _complaint(report: Report, *, closed: bool, reconciled: bool) -> str | None:
    """What is not as it was expected to be."""
    if closed and not report.closed:
        return "the roll-forward does not close; the report shows the residual"
    if reconciled and not report.reconciled:
        return "transactions do not account for every card; the report lists the cards"
    return None


report_command: click.Command = command(
    "report",
    epilog=REPORT_EPILOG,
    examples=(
        ("what is owed, on the terminal", "piggy-batch giftcards report --store snapshots"),
        (
            "the month as a page and a workbook",
            "piggy-batch giftcards report --store snapshots --to month.html --to month.xlsx",
        ),
    ),
)(add_options(_report, REPORT_OPTIONS))
