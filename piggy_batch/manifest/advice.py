"""Options that would make the invalid rows of a list valid, spelled with the list's own columns and words. Pure."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from piggy_batch.manifest.doctor import parse_fixes
from piggy_batch.models import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from piggy_batch.manifest.doctor import Finding
    from piggy_batch.manifest.invalid_reasons import Reason
    from piggy_batch.manifest.options import LoadedManifest, ManifestOptions

YES = frozenset(
    ["j", "ja", "y", "yes", "w", "waar", "o", "oui", "1", "aan", "actief", "active", "aktiv", "on", "true", "ok"]
)
_SPEAKING = 6  # more words are no truth values
_MOST_DROPPED = 3  # rows under a list that are taken for its footer without a look
_FIXES = {"MD106": "wrappers", "MD112": "wrappers", "MD201": "trim", "MD203": "trim"}


def option_advice(loaded: LoadedManifest) -> list[str]:
    """A line for each column whose words an option can translate."""
    return [
        f"{reason.column}: if that is what its words mean, pass --values {shlex.quote(f'{name}={_spelled(words)}')}"
        if words
        else f"{reason.column}: to make whole credits of decimals, pass --round {name}=down, half-up or up"
        for reason, name, words in _translated(loaded)
    ]


def mended_reading(loaded: LoadedManifest, reading: ManifestOptions) -> ManifestOptions | None:
    """How the list would be read with all that options can mend; None where they can mend nothing more.

    Of the ways to round the one that gives nobody more than the list says.
    """
    codes = {finding.code for finding in loaded.findings}
    words = [str(reading.fixes), *(_FIXES[code] for code in sorted(codes & _FIXES.keys()))]
    words += [_padding(finding) for finding in loaded.findings if finding.code == "MD105"]
    blanks = [e.value.strip() for f in loaded.findings if f.code == "MD113" for e in f.examples]
    translated = list(_translated(loaded))
    wanted = replace(
        reading,
        fixes=parse_fixes(",".join(words)),
        blanks=(*reading.blanks, *(word for word in dict.fromkeys(blanks) if word not in reading.blanks)),
        values={**reading.values, **{name: {**reading.values.get(name, {}), **w} for _, name, w in translated if w}},
        rounding={**reading.rounding, **{name: "down" for _, name, w in translated if not w}},
        drop_last=reading.drop_last + _footer(loaded),
    )
    return wanted if wanted != reading else None


def _translated(loaded: LoadedManifest) -> Iterator[tuple[Reason, str, Mapping[str, str]]]:
    """Each reason that an option answers: its field, and what its words mean; no words: decimals to be rounded."""
    binding = loaded.binding
    for reason in loaded.reasons:
        for name, place in binding.column_index.items():
            column = binding.operation.column(name)
            if binding.header[place] != reason.column or column is None:
                continue
            if column.kind is Kind.FLAG and 0 < len(reason.words) <= _SPEAKING:
                yield reason, name, {w: "true" if w.casefold() in YES else "false" for w in reason.words}
            elif column.kind is Kind.BALANCE and any("," in word or "." in word for word in reason.words):
                yield reason, name, {}


def _spelled(words: Mapping[str, str]) -> str:
    return ",".join(f"{word}:{meant}" for word, meant in words.items())


def _padding(finding: Finding) -> str:
    """``zero-pad:10`` of a finding that proposes it, else nothing."""
    return finding.proposal.removeprefix("--fix ").partition(",")[0] if finding.proposal.startswith("--fix ") else ""


def _footer(loaded: LoadedManifest) -> int:
    """How many rows at the end are totals or footers; 0 where such rows stand elsewhere."""
    rows = {example.row for f in loaded.findings if f.code in ("MD604", "MD606") for example in f.examples}
    last = range(loaded.rows - len(rows) + 1, loaded.rows + 1)
    return len(rows) if len(rows) <= _MOST_DROPPED and rows == set(last) else 0
