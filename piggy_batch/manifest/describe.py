"""The words of a plan about its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.manifest.doctor import Finding
    from piggy_batch.manifest.options import LoadedManifest


def fact_lines(loaded: LoadedManifest) -> list[str]:
    """What was detected in a manifest, for its plan."""
    notes = (*loaded.facts.notes, *loaded.warnings)
    lines = [f"read as: {read_as(loaded)}", *(f"note: {note}" for note in notes)]
    lines += [f"{finding.severity.value}: {finding.message}" for finding in loaded.findings]
    if loaded.binding.fixes:
        shown = [f'"{before}" is sent as "{after}" (row {row})' for row, before, after in loaded.repaired]
        lines.append(f"--fix {loaded.binding.fixes}: {'; '.join(shown) or 'nothing needed it'}")
    return lines


def read_as(loaded: LoadedManifest) -> str:
    """Format, encoding and the like, as detected or told."""
    facts = loaded.facts
    parts = [
        facts.format,
        facts.encoding,
        f"delimiter {facts.delimiter!r}" if facts.delimiter else None,
        f"sheet {facts.sheet}" if facts.sheet else None,
        facts.compression,
    ]
    return ", ".join(p for p in parts if p)


def unaccepted(blocking: Sequence[Finding]) -> str:
    codes = sorted({finding.code for finding in blocking})
    return (
        f"{'; '.join(finding.message for finding in blocking)}; nothing was sent: these numbers are probably not the "
        f"cards', so mend the list, or state that they are right with --accept {','.join(codes)}"
    )
