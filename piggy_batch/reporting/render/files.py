"""A report as a file, of the form that the file's name asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.reporting.report import Report


ENDINGS = frozenset({".html", ".htm", ".xlsx", ".json", ".csv", ".parquet"})


def check_targets(targets: tuple[Path, ...]) -> None:
    """SetupError where a file's ending asks for no form of a report, or its folder is not there."""
    for target in targets:
        if target.suffix.lower() not in ENDINGS:
            hint = "; for a PDF print the .html page" if target.suffix.lower() == ".pdf" else ""
            raise SetupError(
                f"--to {target}: reports are written as .html, .xlsx, .json, .csv or .parquet (cards){hint}"
            )
        if not target.absolute().parent.is_dir():
            raise SetupError(f"--to {target}: there is no folder {target.absolute().parent}")


def is_ledger(target: Path) -> bool:
    """Whether a file's name asks for the journal entry: journal.csv, 2026-11-journal.csv."""
    return target.suffix.lower() == ".csv" and target.stem.lower().endswith("journal")


def write_report(report: Report, target: Path, language: str = "en") -> None:
    """Each form of a report needs its own library; only that one is imported. ``language``: of a page,
    and of what a journal's lines are called."""
    if target.suffix.lower() != ".parquet":
        report = report.for_readers()
    match target.suffix.lower():
        case ".html" | ".htm":
            from piggy_batch.reporting.render.html import write_page
            from piggy_batch.reporting.render.languages import LANGUAGES

            write_page(report, target, LANGUAGES[language])
        case ".xlsx":
            from piggy_batch.reporting.render.excel import write_workbook

            write_workbook(report, target)
        case ".json":
            from piggy_batch.reporting.render.json_values import write_json

            write_json(report, target)
        case ".parquet":
            from piggy_batch.reporting.render.card_file import write_cards

            write_cards(report, target)
        case _:
            from piggy_batch.reporting.render.plain_text import write_csv, write_ledger

            if is_ledger(target):
                from piggy_batch.reporting.render.languages import LANGUAGES

                write_ledger(report, target, LANGUAGES[language])
            else:
                write_csv(report, target)
