"""The names of the files in a run directory, and of the facts that bind it."""

from __future__ import annotations

from pathlib import Path

SUMMARY = "summary.json"
RUN_LOG = "run.log"
RUN_LOGS = r"run(?:-\d+)?\.log"  # a pattern: where somebody else's lies under that name, ours has a number
KINDS = ("csv", "parquet", "xlsx")
STDIN = Path("-")
COUNTED = "manifest.csv"  # what --count makes
IN_MEMORY = "rows.csv"  # the manifest of rows that came from no file
CLAIM = "claim"  # the fact that a run is about to begin; its value names the run
INHERITED_CLAIM = "heir"  # what a run will claim: its own name, or that of one that ended here before it had sent
