"""Commands about the service and about runs: ping, status, sandbox."""

from __future__ import annotations

from pathlib import Path

import click

from piggy_batch.cli.groups import command
from piggy_batch.cli.output import json_text
from piggy_batch.cli.terminal import colour_of, exit_colour, show


@command(
    "status",
    examples=(
        ("how far a run is", "piggy-batch status cards.identifiers-create"),
        ("for a script", "piggy-batch status cards.identifiers-create --json"),
    ),
)
@click.argument("run_dir", type=click.Path(path_type=Path, file_okay=False))
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
