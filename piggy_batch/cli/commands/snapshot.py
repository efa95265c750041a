"""A proven export of every giftcard, kept in a store by its day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.commands.export import PROGRAM, WALK_OPTIONS, run_export, show_exported
from piggy_batch.cli.context import now_of
from piggy_batch.cli.groups import command
from piggy_batch.cli.options import PERIOD, TIMEZONE, add_options
from piggy_batch.cli.output import json_text
from piggy_batch.cli.paths import PathType
from piggy_batch.cli.terminal import show, tell
from piggy_batch.endpoints.exportable_lists import GIFTCARDS
from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

    from piggy_batch.exporting.options import ExportResult
    from piggy_batch.reporting.snapshot import Snapshot
    from piggy_batch.reporting.snapshot_store import Store


STAGING = "_taking"  # readers of datasets skip what begins with an underscore
SNAPSHOT_OPTIONS = (
    click.option(
        "--store",
        type=PathType(file_okay=False),
        metavar="DIR",
        required=True,
        help="The folder that holds the snapshots; made where it is not there.",
    ),
    PROGRAM,
    click.option(
        "--from",
        "source",
        type=PathType(dir_okay=False, exists=True),
        metavar="FILE",
        help="Store this Parquet export, taken earlier, instead of taking one.",
    ),
    click.option(
        "--date",
        "day",
        metavar="DATE",
        help="The day it counts for; when it was read is told all the same.  [default: the day on which it is read]",
    ),
    PERIOD,
    TIMEZONE,
    click.option(
        "--accept-partial",
        is_flag=True,
        help="Store it although it did not agree; every report made from it then says so.",
    ),
)


@click.pass_context
def _snapshot(
    ctx: click.Context,
    /,
    store: Path,
    source: Path | None,
    programs: tuple[str, ...],
    day: str | None,
    period: str | None,
    timezone_name: str,
    *,
    accept_partial: bool,
    **given: Any,
) -> None:
    from piggy_batch.exporting.options import summary_path
    from piggy_batch.reporting.dates import time_zone
    from piggy_batch.reporting.snapshot_choice import closing_snapshot
    from piggy_batch.reporting.snapshot_store import Store

    place = Store(store, time_zone(timezone_name))
    wanted = _day(place, day, period, now_of(ctx))
    if given["quick"] and not accept_partial:
        raise SetupError("--quick proves nothing, so its export is not stored; leave it out, or add --accept-partial")
    if period is not None and wanted is not None and store.is_dir():
        there = closing_snapshot(place.list(), wanted, place.zone)
        if there is not None and (there.agreed or accept_partial):
            _tell(place, there, None, given, known=True)
            return
    if source is not None:
        stored = _store_earlier(place, source, wanted, now_of(ctx), accept_partial=accept_partial)
        _tell(place, stored, None, given)
        return
    if period is not None and wanted is not None:
        _check_in_time(place, wanted, period, now_of(ctx))
    staging = store / STAGING
    _make(staging)
    to = staging / "snapshot.parquet"
    filters = tuple({"giftcard_program_uuid": uuid} for uuid in programs) or ({},)
    done = run_export(ctx, GIFTCARDS, given, to, filters)
    if not done.written or (done.exit_code and not accept_partial):
        show_exported(GIFTCARDS, done, as_json=given["as_json"], quiet=given["quiet"])
        if done.written:
            click.echo(
                f"not stored: it did not agree. The next snapshot replaces {to}; to keep it as partial: --from {to} "
                "--accept-partial",
                err=True,
            )
        ctx.exit(done.exit_code)
    stored = place.place(to, done.summary, now=now_of(ctx), day=wanted, accept_partial=accept_partial)
    for path in (to, summary_path(to)):  # the run's log stays
        path.unlink(missing_ok=True)
    _tell(place, stored, done, given)


def _day(place: Store, day: str | None, period: str | None, now: datetime) -> date | None:
    """The day that the snapshot is to count for; None: the one on which it is read."""
    from piggy_batch.reporting.dates import day_of, parse_day
    from piggy_batch.reporting.periods import parse_period, require_over

    if day is not None and period is not None:
        raise SetupError("--date and --period both say which day it counts for; give one of them")
    if period is not None:
        today = day_of(now, place.zone)
        wanted = parse_period(period, today)
        require_over(wanted, today)
        return wanted.last
    chosen = parse_day(day, "--date") if day is not None else None
    place.check_day(chosen, now)
    return chosen


def _check_in_time(place: Store, day: date, period: str, now: datetime) -> None:
    """A period is closed with balances of its last day; those of more than a day later are no close."""
    from piggy_batch.reporting.dates import distance, shown

    late = distance(now, day, place.zone)
    if late.days >= 1:
        raise SetupError(
            f"--period {period}: it ended with {day}, and {late.days} days later, on {shown(now, place.zone)}, the "
            f"balances of its end can no longer be read. To let today's stand for it, which every report will say: "
            f"--date {day}"
        )


def _store_earlier(place: Store, source: Path, day: date | None, now: datetime, *, accept_partial: bool) -> Snapshot:
    from piggy_batch.reporting.snapshot import find_summary, read_summary

    path = find_summary(source)
    summary = read_summary(path) if path else {}
    return place.place(source, summary, now=now, day=day, accept_partial=accept_partial)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"--store {folder.parent}: cannot be made ({error.strerror})") from None


def _tell(
    place: Store, stored: Snapshot, done: ExportResult | None, given: dict[str, Any], *, known: bool = False
) -> None:
    from piggy_batch.reporting.dates import shown

    if given["as_json"]:
        found = done.summary if done is not None else {}
        facts = {"stored": str(stored.path), "day": stored.day.isoformat(), "moment": stored.moment.isoformat()}
        click.echo(json_text({**found, **facts, "was_there": known}))
    else:
        mark = "" if stored.agreed else "PARTIAL: "
        there = "there already: " if known else ""
        line = f"snapshot of {stored.day}: {there}{mark}{stored.verdict}, {stored.cards:,} cards in {stored.path}"
        show(line)
        for note in done.notes if done is not None and not given["quiet"] else ():
            show(note)
    if stored.is_far(place.zone):
        line = (
            f"its balances were read on {shown(stored.moment, place.zone)}, {abs(stored.lag(place.zone).days)} days "
            f"from {stored.day}; every report that uses them will say so"
        )
        tell(line)


_SNAPSHOT_HELP = "A proven export of every giftcard, put into a store by its day."
giftcards_snapshot: click.Command = command(
    "snapshot",
    examples=(
        ("today's", "piggy-batch giftcards snapshot --store snapshots"),
        ("an export taken earlier", "piggy-batch giftcards snapshot --store snapshots --from giftcards.parquet"),
    ),
    short_help=_SNAPSHOT_HELP,
    help=f"""{_SNAPSHOT_HELP}

    The store is a plain dataset, date=YYYY-MM-DD/….parquet, for `giftcards report` and for any tool that reads
    Parquet. A snapshot is never overwritten. Interrupted, the same command goes on.

    --period closes a month, quarter or year: the snapshot counts for its last day, must be taken within a day of
    its end, and is taken once: run again, the command says where it is.
    """,
)(add_options(_snapshot, (*SNAPSHOT_OPTIONS, *WALK_OPTIONS)))
