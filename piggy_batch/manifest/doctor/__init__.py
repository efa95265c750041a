"""The manifest doctor: pure rules that tell spreadsheet damage from card numbers. Values in, findings out."""

from piggy_batch.manifest.doctor.examiner import BATCH_ROWS, Examiner
from piggy_batch.manifest.doctor.finding_kinds import CATALOGUE, Rule, Severity, known_codes
from piggy_batch.manifest.doctor.findings import ColumnFacts, ColumnRole, Examined, Example, Finding, Repeats, as_json
from piggy_batch.manifest.doctor.fixes import Fixes, parse_fixes
from piggy_batch.manifest.doctor.headers import Suggestion, match_columns, suggest
from piggy_batch.manifest.doctor.values import normal_form

__all__ = [
    "BATCH_ROWS",
    "CATALOGUE",
    "ColumnFacts",
    "ColumnRole",
    "Examined",
    "Examiner",
    "Example",
    "Finding",
    "Fixes",
    "Repeats",
    "Rule",
    "Severity",
    "Suggestion",
    "as_json",
    "known_codes",
    "match_columns",
    "normal_form",
    "parse_fixes",
    "suggest",
]
