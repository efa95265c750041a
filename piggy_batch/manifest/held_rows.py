"""``--hold CODE``: the rows of a finding are left out of a run and listed with the invalid ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.manifest.affected_rows import list_rows
from piggy_batch.manifest.invalid_reasons import joined
from piggy_batch.models import Problem, Status
from piggy_batch.runs.filenames import STDIN
from piggy_batch.text import counted, printable

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.manifest.doctor import Example, Finding
    from piggy_batch.manifest.options import LoadedManifest, ManifestOptions
    from piggy_batch.runs.journal import Journal


def hold_rows(journal: Journal, loaded: LoadedManifest, manifest: Path, reading: ManifestOptions) -> LoadedManifest:
    """Mark the rows of the findings that are to be held invalid; they hold the others up no more.

    The journal still has the keys of all rows. SetupError where not every row of such a finding can be told.
    """
    held = [finding for finding in loaded.findings if {finding.code, finding.slug} & reading.hold]
    problems: dict[int, Problem] = {}

    def tell(finding: Finding, example: Example) -> None:
        if finding in held:
            message = f'held back (--hold {finding.code}): "{printable(example.value)}" is {finding.slug}'
            problem = Problem(example.row, example.line, finding.column, message, f"held back (--hold {finding.code})")
            problems.setdefault(example.row, problem)

    source = journal.directory / "stdin" if manifest == STDIN else manifest
    for rows in list_rows(loaded, source, reading, journal.queries, tell):
        if rows.finding in held and rows.count < rows.finding.count:
            raise SetupError(
                f"--hold {rows.finding.code}: only {rows.count:,} of its {rows.finding.count:,} rows can be told; mend "
                "the list instead"
            )
    journal.invalidate((problem.row, problem.with_column) for problem in problems.values())
    warnings = loaded.warnings
    if problems:
        codes = ", ".join(sorted({finding.code for finding in held}))
        warnings += (f"{counted(len(problems), 'row')} held back (--hold {codes}), listed in errors",)
    return replace(
        loaded,
        warnings=warnings,
        held=frozenset(problems),
        reasons=joined(loaded.reasons, problems.values()),
        invalid=journal.queries.counts()[Status.INVALID],
        holding=reading.hold,
    )
