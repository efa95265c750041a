"""A report as a file, of the form that the file's name asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.reporting.report import Report


def write_report(report: Report, target: Path) -> None:
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
