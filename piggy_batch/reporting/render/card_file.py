"""The cards behind every figure as one Parquet file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from piggy_batch.files import atomic_file
from piggy_batch.reporting.render.labels import PARTIAL, PROVEN
from piggy_batch.reporting.snapshot import INSTANT

if TYPE_CHECKING:
    from pathlib import Path

    from piggy_batch.reporting.report import Report

_SCHEMA = pa.schema(
    [
        ("figure", pa.string()),
        ("giftcard_uuid", pa.string()),
        ("program_uuid", pa.string()),
        ("program_name", pa.string()),
        ("opening_cents", pa.int64()),
        ("closing_cents", pa.int64()),
        ("cents", pa.int64()),
        ("hash", pa.string()),
        ("from_program_uuid", pa.string()),
        ("from_program_name", pa.string()),
        ("type", pa.string()),
        ("active", pa.bool_()),
        ("expiration_date", INSTANT),
        ("currency", pa.string()),
        ("verdict", pa.string()),
    ]
)


def write_cards(report: Report, target: Path) -> None:
    """Put the cards of every list at ``target``, whole or not at all: the sum of ``cents`` where ``figure`` is one of
    them is that figure. What the report is of, and its sources with their SHA-256, stand in the file's metadata."""
    about = {
        "as_of": report.as_of.isoformat(),
        "since": report.since.isoformat() if report.since else None,
        "sources": [{"role": s.role, "path": str(s.path), "sha256": s.sha256} for s in report.sources],
    }
    schema = _SCHEMA.with_metadata({"piggy-batch report": json.dumps(about, ensure_ascii=False)})
    verdict = PARTIAL if report.partial else PROVEN
    with atomic_file(target) as draft, pq.ParquetWriter(draft, schema, compression="zstd") as sink:
        for part in report.parts:
            for chosen in part.lists:
                table = chosen.table
                for name, value in (
                    ("figure", chosen.kind),
                    ("currency", part.currency.code),
                    ("verdict", str(verdict)),
                ):
                    column = pa.repeat(pa.scalar(value, pa.string()), len(table))
                    table = table.append_column(name, column)
                sink.write_table(table.select(schema.names).cast(schema))
