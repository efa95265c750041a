"""Commands of the month's end: giftcards snapshot, and giftcards transactions export."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.commands.export import PROGRAM, TO, WALK_OPTIONS, run_export, show_exported
from piggy_batch.cli.common import add_options, json_text
from piggy_batch.cli.groups import LazyGroup, program_options
from piggy_batch.endpoints.listings import GIFTCARDS, TRANSACTIONS
from piggy_batch.errors import SetupError
from piggy_batch.runs.progress import printable_line

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

    from piggy_batch.exporting.export import Exported
    from piggy_batch.reporting.snapshot import Snapshot
    from piggy_batch.reporting.snapshot_store import Store

WORKSHOP = "_taking"  # readers of datasets skip what begins with an underscore

_TIMEZONE = click.option(
    "--timezone",
    "timezone_name",
    default="Europe/Amsterdam",
    show_default=True,
    metavar="ZONE",
    help="The zone whose days count.",
)

SNAPSHOT_OPTIONS = (
    click.option(
        "--store",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        required=True,
        help="The folder that holds the snapshots; made where it is not there.",
    ),
    PROGRAM,
    click.option(
        "--from",
        "source",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        metavar="FILE",
        help="Store this Parquet export, taken earlier, instead of taking one.",
    ),
    click.option("--date", "day", metavar="DATE", help="The day it counts for.  [default: that of its moment]"),
    _TIMEZONE,
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
    timezone_name: str,
    *,
    accept_partial: bool,
    **given: Any,
) -> None:
    from piggy_batch.exporting.export import summary_path
    from piggy_batch.reporting.dates import parse_day, time_zone
    from piggy_batch.reporting.snapshot_store import Store

    place = Store(store, time_zone(timezone_name))
    wanted = parse_day(day, "--date") if day is not None else None
    if given["quick"] and not accept_partial:
        raise SetupError("--quick proves nothing, so its export is not stored; leave it out, or add --accept-partial")
    if source is not None:
        stored = _store_earlier(place, source, wanted, accept_partial=accept_partial)
        _tell(stored, None, given)
        return
    workshop = store / WORKSHOP
    _make(workshop)
    to = workshop / "snapshot.parquet"
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
    stored = place.place(to, done.summary, day=wanted, accept_partial=accept_partial)
    for path in (to, summary_path(to)):  # the run's log stays
        path.unlink(missing_ok=True)
    _tell(stored, done, given)


def _store_earlier(place: Store, source: Path, day: date | None, *, accept_partial: bool) -> Snapshot:
    from piggy_batch.reporting.snapshot import find_summary, read_summary

    summary = find_summary(source)
    return place.place(source, read_summary(summary) if summary else {}, day=day, accept_partial=accept_partial)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"--store {folder.parent}: cannot be made ({error.strerror})") from None


def _tell(stored: Snapshot, done: Exported | None, given: dict[str, Any]) -> None:
    if given["as_json"]:
        found = done.summary if done is not None else {}
        click.echo(json_text({**found, "stored": str(stored.path), "day": stored.day.isoformat()}))
        return
    mark = "" if stored.agreed else "PARTIAL: "
    line = f"snapshot of {stored.day}: {mark}{stored.verdict}, {stored.cards:,} cards in {stored.path}"
    click.echo(printable_line(line))
    if done is not None and not given["quiet"]:
        for note in done.notes:
            click.echo(printable_line(note))


_SNAPSHOT_HELP = "A proven export of every giftcard, put into a store by its day."

giftcards_snapshot: click.Command = click.command(
    "snapshot",
    short_help=_SNAPSHOT_HELP,
    help=f"""{_SNAPSHOT_HELP}

    The store is a plain dataset, date=YYYY-MM-DD/….parquet, for `giftcards report` and for any tool that reads
    Parquet. A snapshot is never overwritten. Interrupted, the same command goes on.
    """,
)(program_options(add_options(_snapshot, (*SNAPSHOT_OPTIONS, *WALK_OPTIONS))))


TRANSACTION_OPTIONS = (
    click.option("--since", metavar="DATE", help="From this day on; also a moment like 2026-01-31T12:00:00+01:00."),
    click.option("--until", metavar="DATE", help="Up to and with this day; a moment is not itself included."),
    PROGRAM,
    click.option(
        "--shop", "shops", multiple=True, metavar="UUID", help="Only this shop's transactions (repeatable, read apart)."
    ),
    _TIMEZONE,
)


@click.pass_context
def _transactions(
    ctx: click.Context,
    /,
    to: Path,
    programs: tuple[str, ...],
    shops: tuple[str, ...],
    since: str | None,
    until: str | None,
    timezone_name: str,
    **given: Any,
) -> None:
    from piggy_batch.reporting.dates import time_zone

    period = period_filter(since, until, time_zone(timezone_name))
    filters = tuple(
        {
            **({"giftcard_program_uuid": program} if program else {}),
            **({"shop_uuid": shop} if shop else {}),
            **period,
        }
        for program in programs or ("",)
        for shop in shops or ("",)
    )
    done = run_export(ctx, TRANSACTIONS, given, to, filters)
    show_exported(TRANSACTIONS, done, as_json=given["as_json"], quiet=given["quiet"])
    ctx.exit(done.exit_code)


def period_filter(since: str | None, until: str | None, zone: ZoneInfo) -> dict[str, str]:
    """The list's own filter for a period whose days are those of ``zone``; SetupError where it is none."""
    begin = _edge(since, "--since", zone, after=False)
    end = _edge(until, "--until", zone, after=True)
    if begin is not None and end is not None and begin >= end:
        raise SetupError(f"--since {since} is not before --until {until}")
    bounds = {"created_at[gte]": begin, "created_at[lt]": end}
    return {name: moment.isoformat(timespec="seconds") for name, moment in bounds.items() if moment is not None}


def _edge(text: str | None, option: str, zone: ZoneInfo, *, after: bool) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SetupError(f'{option}: "{text}" is neither a day nor a moment; write it like 2026-01-31') from None
    if len(text) == len("2026-01-31"):
        day = moment.date() + timedelta(days=1) if after else moment.date()
        moment = datetime.combine(day, time.min, tzinfo=zone)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


@click.group("transactions", cls=LazyGroup)
@program_options
def transactions() -> None:
    """Giftcard transactions: what was issued, redeemed and taken back."""


transactions_export: click.Command = click.command(
    "export",
    short_help=TRANSACTIONS.help,
    help=f"""{TRANSACTIONS.help}

    Read twice and proven as a giftcard export is; `giftcards report --transactions FILE` reads it.
    """,
)(program_options(add_options(_transactions, (TO, *TRANSACTION_OPTIONS, *WALK_OPTIONS))))
transactions.add_command(transactions_export)
