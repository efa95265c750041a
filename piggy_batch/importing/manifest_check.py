"""``check``: a manifest examined as a run would, without a run and without the service."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piggy_batch.importing.migration.checks import check_customers, overlooked_fields
from piggy_batch.manifest.affected_rows import LISTED, FindingRows, list_rows
from piggy_batch.manifest.describe import as_json
from piggy_batch.manifest.held_rows import hold_rows
from piggy_batch.manifest.loader import load_manifest
from piggy_batch.manifest.mended_list import write_mended
from piggy_batch.models import Status
from piggy_batch.runs.journal import Journal
from piggy_batch.tables import OutputColumn, open_writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from piggy_batch.endpoints import Operation
    from piggy_batch.manifest.doctor import Example, Finding, Suggestion
    from piggy_batch.manifest.options import LoadedManifest, ManifestOptions

_ROW_COLUMNS = tuple(map(OutputColumn, ("finding", "column", "row", "line", "value", "probably_meant")))


@dataclass(frozen=True, slots=True)
class CheckedManifest:
    """What a check found."""

    loaded: LoadedManifest
    manifest: Path
    reading: ManifestOptions
    journal: Journal
    gives: bool = False  # whether it is for a migration, and any row brings credits

    @property
    def clean(self) -> bool:
        """Nothing found."""
        return not self.loaded.findings and not self.loaded.invalid and not self.overlooked

    @property
    def overlooked(self) -> list[Suggestion]:
        """Columns that a migration would leave behind, though they look like something to bring over."""
        if self.loaded.binding.operation.resource != "migrate":
            return []
        return overlooked_fields(self.loaded.binding, self.reading.ignored)

    def to_json(self) -> dict[str, Any]:
        """For ``--json``: findings, and every reason for which rows are invalid."""
        return as_json(self.loaded) | {"overlooked": {each.column: each.field for each in self.overlooked}}

    def write_mended(self, target: Path) -> tuple[int, int]:
        """Write the mended list; how many rows were changed, and how many are still invalid."""
        return write_mended(self.journal.queries, self.loaded.binding, target, without=self.loaded.held)

    def rows_of_findings(self, overflow: Path) -> tuple[list[FindingRows], Path | None]:
        """The first rows of every finding; where one has more, all rows of all in ``overflow``, which is returned."""
        counts = [finding.count for finding in self.loaded.findings] + [r.rows for r in self.loaded.reasons]
        queries = self.journal.queries
        if max(counts, default=0) <= LISTED:
            return list_rows(self.loaded, self.manifest, self.reading, queries, lambda _, __: None), None
        with open_writer(overflow, "csv", _ROW_COLUMNS) as writer:

            def tell(finding: Finding, example: Example) -> None:
                row = [finding.code, finding.column, example.row, example.line, example.value, example.proposal]
                writer.write([row])

            listed = list_rows(self.loaded, self.manifest, self.reading, queries, tell)
            for entry in queries.all_rows():
                if entry.status is Status.INVALID:
                    writer.write([["invalid", "", entry.number, entry.line, entry.message or "", ""]])
        return listed, overflow


@contextmanager
def check_manifest(
    operation: Operation, manifest: Path, reading: ManifestOptions, *, detailed: bool = False
) -> Iterator[CheckedManifest]:
    """Check every row of a manifest for an operation; SetupError where the file is no manifest of it.

    ``detailed``: its rows will be listed, so more of them are remembered.
    """
    with tempfile.TemporaryDirectory(prefix="piggy-batch-check-") as directory:
        journal = Journal.create(Path(directory))
        try:
            loaded = load_manifest(journal, operation, manifest, reading, detailed=detailed or bool(reading.hold))
            if reading.hold:
                loaded = hold_rows(journal, loaded, manifest, reading)
            gives = False
            if operation.resource == "migrate":
                customers = check_customers(journal, loaded, per_card=False)
                loaded, gives = customers.loaded, customers.gives
            yield CheckedManifest(loaded, manifest, reading, journal, gives)
        finally:
            journal.close()
