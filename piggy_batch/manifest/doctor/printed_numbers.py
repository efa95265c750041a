"""The printed number and the QR value: two columns of one file of which only one opens the till."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from piggy_batch.manifest.doctor.finding_kinds import PRINTED_NUMBER
from piggy_batch.manifest.doctor.findings import EXAMPLES, ColumnRole, Examined, Example, Finding
from piggy_batch.manifest.doctor.number_rules import DOMINANT, ENOUGH

if TYPE_CHECKING:
    from collections.abc import Sequence

_QR = re.compile(r"(?:^|[\W_])(?:qr|scan|scanned|gescand|token)(?:$|[\W_]|code|value|waarde)", re.IGNORECASE)
_SAMPLE = 1000  # rows that are compared


class PrintedOrScanned:
    """Watches the first rows for a column called after the QR code that the command does not use."""

    def __init__(self, header: Sequence[str], examined: Sequence[Examined]) -> None:
        used = {column.index for column in examined}
        codes = [c for c in examined if c.role in {ColumnRole.IDENTIFIER, ColumnRole.HASH}]
        rivals = [index for index, name in enumerate(header) if index not in used and _QR.search(name)]
        self._header = tuple(header)
        self._pairs = [(c, index) for c in codes if not _QR.search(c.column) for index in rivals]
        self._seen: list[tuple[int, int, list[str]]] = []
        self.wanted = bool(self._pairs)

    def feed(self, batch: Sequence[tuple[int, int, Sequence[str]]]) -> None:
        """Take note of the first rows."""
        for row, line, cells in batch[: _SAMPLE - len(self._seen)]:
            self._seen.append((row, line, list(cells)))
        self.wanted = len(self._seen) < _SAMPLE

    def findings(self) -> list[Finding]:
        """A finding for each code column beside which a QR column holds other, distinct values."""
        found = []
        for column, rival in self._pairs:
            both = [(row, line, cells[column.index], cells[rival]) for row, line, cells in self._seen]
            both = [pair for pair in both if pair[2] and pair[3]]
            differing = [pair for pair in both if pair[2] != pair[3]]
            distinct = len({pair[3] for pair in both})
            if len(both) < ENOUGH or min(len(differing), distinct) < DOMINANT * len(both):
                continue
            listed = tuple(Example(*pair) for pair in differing)
            fix = f"--map with the column {self._header[rival]} if a scanned card shows that value"
            found.append(Finding(PRINTED_NUMBER, column.column, len(differing), listed[:EXAMPLES], fix, listed=listed))
        return found
