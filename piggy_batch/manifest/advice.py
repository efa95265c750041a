"""Options that would make the invalid rows of a list valid, spelled with the list's own columns and words. Pure."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from piggy_batch.models import Kind

if TYPE_CHECKING:
    from piggy_batch.manifest.invalid_reasons import Reason
    from piggy_batch.manifest.options import LoadedManifest

YES = frozenset(
    ["j", "ja", "y", "yes", "w", "waar", "o", "oui", "1", "aan", "actief", "active", "aktiv", "on", "true", "ok"]
)
_QUOTED = re.compile(r'^"([^"]*)" is')
_SPEAKING = 6  # more words are no truth values


def option_advice(loaded: LoadedManifest) -> list[str]:
    """A line for each column whose words an option can translate."""
    return [line for reason in loaded.reasons if (line := _advice(loaded, reason))]


def _advice(loaded: LoadedManifest, reason: Reason) -> str | None:
    binding = loaded.binding
    fed = (name for name, place in binding.column_index.items() if binding.header[place] == reason.column)
    for name in fed:
        column = binding.operation.column(name)
        kind = column.kind if column is not None else Kind.TEXT
        words = dict.fromkeys(match[1] for p in reason.examples if (match := _QUOTED.match(p.message)))
        if kind is Kind.FLAG and words and len(words) <= _SPEAKING:
            meant = ",".join(f"{word}:{'true' if word.casefold() in YES else 'false'}" for word in words)
            return f"{reason.column}: if that is what its words mean, pass --values {shlex.quote(f'{name}={meant}')}"
        if kind is Kind.BALANCE and any("," in word or "." in word for word in words):
            return f"{reason.column}: to make whole credits of decimals, pass --round {name}=down, half-up or up"
    return None
