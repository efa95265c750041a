"""Where a report goes: files by their endings, tables and one line on the terminal."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import click

from piggy_batch.cli.output import json_text, printable_text
from piggy_batch.cli.terminal import show, tell
from piggy_batch.tables import looks_like_formula
from piggy_batch.text import printable_line

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from piggy_batch.reporting.report import Report


def named_targets(targets: tuple[Path, ...], period: str | None, timezone_name: str, now: datetime) -> tuple[Path, ...]:
    """The files with ``{period}`` in their names as that of the period: 2026-11."""
    if period is None:
        return targets
    from piggy_batch.reporting.dates import day_of, time_zone
    from piggy_batch.reporting.periods import parse_period

    name = parse_period(period, day_of(now, time_zone(timezone_name))).name
    return tuple(target.with_name(target.name.replace("{period}", name)) for target in targets)


def show_report(report: Report, targets: tuple[Path, ...], *, quiet: bool, as_json: bool) -> None:
    """Data on stdout: JSON, lists, tables, or one line where files were written. Warnings on stderr, also
    when quiet.
    """
    from piggy_batch.reporting.notice import Level
    from piggy_batch.reporting.render import json_values, plain_text

    report = report.for_readers()
    listed = any(part.lists for part in report.parts)
    if as_json:
        click.echo(json_text(json_values.as_json(report)))
    elif quiet:
        pass
    elif targets:
        show(f"{plain_text.one_line(report)}; written to {', '.join(map(str, targets))}")
    elif listed and sys.stdout.isatty():
        shown = io.StringIO()
        plain_text.write_csv_to(report, shown)
        click.echo(printable_text(shown.getvalue()), nl=False)
    elif listed:
        plain_text.write_csv_to(report, sys.stdout)
    else:
        for line in plain_text.as_text(report).splitlines():
            if line.startswith(plain_text.NOTICE):
                show(line)
            else:  # a table's line stays in one piece
                click.echo(printable_line(line))
        click.echo("")
        show(plain_text.one_line(report))
    warnings = (Level.PARTIAL, Level.CHECK) if quiet else (Level.PARTIAL,)
    told = [str(n) for n in report.notices if n.level in warnings or (targets and not quiet)]
    if not quiet and any(target.suffix.lower() == ".csv" for target in targets):
        told += _risky_names(report)
    for line in told:
        tell(line)


def _risky_names(report: Report) -> list[str]:
    """A CSV holds names as they are; what a spreadsheet would run is said."""
    names = {line.name for part in report.parts for line in part.closing.by_program if looks_like_formula(line.name)}
    words = "begins like a formula, and stands in the CSV as it is; a spreadsheet would run it: for one, write .xlsx"
    return [f'program "{name}" {words}' for name in sorted(names)]
