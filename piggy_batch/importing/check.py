"""The machine of ``check``: a manifest examined as a run would, without a run and without the service."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piggy_batch.importing.migration.checks import check_customers
from piggy_batch.manifest.doctor import as_json
from piggy_batch.manifest.loader import load_manifest
from piggy_batch.runs.journal import Journal

if TYPE_CHECKING:
    from piggy_batch.endpoints import Operation
    from piggy_batch.manifest.options import LoadedManifest, ManifestOptions


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found."""

    loaded: LoadedManifest

    @property
    def clean(self) -> bool:
        """Nothing found."""
        return not self.loaded.findings and not self.loaded.invalid

    def to_json(self) -> dict[str, Any]:
        """For ``--json``: rows and findings, and the first rows that are invalid for whatever reason."""
        found: dict[str, Any] = as_json(self.loaded.rows, self.loaded.findings)
        found["invalid"] = self.loaded.invalid
        found["problems"] = [
            {"row": p.row, "line": p.line, "column": p.column, "message": p.message} for p in self.loaded.problems
        ]
        return found


def check_manifest(operation: Operation, manifest: Path, reading: ManifestOptions) -> Checked:
    """Check every row of a manifest for an operation; SetupError where the file is no manifest of it."""
    with tempfile.TemporaryDirectory(prefix="piggy-batch-check-") as directory:
        journal = Journal.create(Path(directory))
        try:
            loaded = load_manifest(journal, operation, manifest, reading)
            if operation.resource == "migrate":
                loaded = check_customers(journal, loaded, per_card=False).loaded
            return Checked(loaded)
        finally:
            journal.close()
