"""Commands of the month's end: giftcards snapshot, and giftcards transactions export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.commands.export import PROGRAM, WALK_OPTIONS, run_export, show_exported
from piggy_batch.cli.groups import program_options
from piggy_batch.cli.options import _TIMEZONE, add_options
from piggy_batch.cli.output import json_text
from piggy_batch.endpoints.listings import GIFTCARDS
from piggy_batch.errors import SetupError
from piggy_batch.text import printable_line

if TYPE_CHECKING:
    from datetime import date

    from piggy_batch.exporting.options import ExportResult
    from piggy_batch.reporting.snapshot import Snapshot
    from piggy_batch.reporting.snapshot_store import Store


WORKSHOP = "_taking"  # readers of datasets skip what begins with an underscore
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
    from piggy_batch.exporting.options import summary_path
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


def _tell(stored: Snapshot, done: ExportResult | None, given: dict[str, Any]) -> None:
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
