"""Lists that come in one answer, without pages: read, and shown or written into a file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.context import make_run_context, open_display, run_async
from piggy_batch.cli.output import ON_STDOUT, copy_to_stdout, json_text
from piggy_batch.cli.paths import OutputPath
from piggy_batch.cli.terminal import show, tell
from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from piggy_batch.endpoints.exportable_lists import UnpagedList

UNPAGED_OPTIONS = (
    click.option(
        "--to",
        type=OutputPath(stdout=True),
        metavar="FILE",
        help="Write them into this file: .csv, .jsonl, .parquet or .xlsx; -: CSV on stdout.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print them as JSON on stdout."),
)


def show_unpaged_list(
    ctx: click.Context, which: UnpagedList, lines: Callable[[Sequence[dict[str, Any]]], list[str]], **given: Any
) -> None:
    """Read a list that has no pages, and print it, or write it into a file."""
    from piggy_batch.exporting.options import format_of
    from piggy_batch.exporting.output import cell, columns_of
    from piggy_batch.exporting.unpaged_lists import fetch_unpaged_list
    from piggy_batch.runs.context import ConnectionOptions
    from piggy_batch.tables import open_writer

    to: Path | None = given["to"]
    on_stdout = to is not None and str(to) == "-"
    if on_stdout and given["as_json"]:
        raise SetupError("--to - and --json both write to standard output; give one of them")
    kind = None if to is None else "csv" if on_stdout else format_of(to)
    with open_display("requests", progress=False) as display:
        context = make_run_context(ctx, display)
        account, found = run_async(fetch_unpaged_list(which, ConnectionOptions(), context))
    if to is not None and kind is not None:
        told = [("account", str(account["company"] or account["id"] or "")), (which.unit, f"{len(found):,}")]
        rows = [[cell(f.kind, item[f.name]) for f in which.fields] for item in found]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / ON_STDOUT if on_stdout else to
            with open_writer(path, kind, columns_of(which.fields, read_at=False), about=lambda: told) as writer:
                writer.write(rows)
            if on_stdout:
                copy_to_stdout(path)
                return
    if given["as_json"]:
        click.echo(json_text(found))
        return
    if to is not None:
        show(f"{len(found):,} {which.unit} in {to}")
        return
    for line in lines(found) if found else ():
        show(line)
    if not found:
        tell(f"{account['company'] or account['id']} has no {which.unit}")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of texts as lines whose columns stand under one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
