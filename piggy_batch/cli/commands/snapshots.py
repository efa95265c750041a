"""What a store of snapshots holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from piggy_batch.cli.groups import command
from piggy_batch.cli.options import STORE, TIMEZONE
from piggy_batch.cli.output import json_text
from piggy_batch.cli.terminal import show
from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.reporting.snapshot import Snapshot


@command(
    "snapshots",
    examples=(
        ("what a store holds", "piggy-batch giftcards snapshots --store snapshots"),
        ("for a script", "piggy-batch giftcards snapshots --store snapshots --json"),
    ),
)
@STORE
@TIMEZONE
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
        show(line)
    if not found:
        click.echo("no snapshots yet; take one with: piggy-batch giftcards snapshot --store DIR", err=True)


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
