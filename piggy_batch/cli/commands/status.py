"""Commands about runs: status of one, and the list of those that are known."""

from __future__ import annotations

from pathlib import Path

import click

from piggy_batch.cli.groups import command
from piggy_batch.cli.output import json_text
from piggy_batch.cli.paths import PathType
from piggy_batch.cli.terminal import colour_of, exit_colour, show, tell


@command(
    "status",
    examples=(
        ("how far a run is", "piggy-batch status cards.identifiers-create"),
        ("for a script", "piggy-batch status cards.identifiers-create --json"),
    ),
)
@click.argument("run_dir", type=PathType(file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(*, run_dir: Path, as_json: bool) -> None:
    """What a run has done so far, also while it is running."""
    from piggy_batch.importing.status import describe_run, status_lines

    found = describe_run(run_dir)
    if as_json:
        click.echo(json_text(found))
    else:
        headline, *lines = status_lines(found)
        show(headline, exit_colour(found["exit_code"]) if found.get("exit_code") is not None else None)
        for line in lines:
            show(line, colour_of(line))


@command(
    "runs",
    examples=(
        ("where runs are, the latest first", "piggy-batch runs"),
        ("for a script", "piggy-batch runs --json"),
    ),
)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def runs(*, as_json: bool) -> None:
    """List the runs that this user has begun and that are still there: command, state, rows and directory.

    Unfinished exports are among them; those of other users, and runs whose directories are gone, are not.
    """
    from piggy_batch.errors import PiggyBatchError
    from piggy_batch.importing.status import describe_run, run_state
    from piggy_batch.runs.registry import known_runs, state_dir

    found = []
    for entry in known_runs(state_dir()):
        try:
            described = describe_run(Path(entry["run_dir"]))
        except PiggyBatchError:  # an export that has ended, or a directory that something else has taken
            continue
        found.append({**entry, "state": run_state(described), "next": described.get("next"), "run": described})
    if as_json:
        click.echo(json_text([{name: value for name, value in entry.items() if name != "run"} for entry in found]))
        return
    for entry in found:
        described = entry["run"]
        counts = ", ".join(f"{name} {number:,}" for name, number in described.get("counts", {}).items() if number)
        show(f"{entry['noted_at'][:16].replace('T', ' ')}  {entry['operation']}: {entry['state']}")
        show(f"    {entry['run_dir']}{f': {counts}' if counts else ''}")
    if not found:
        tell("no run is known; a run is noted here when its first request is due")
