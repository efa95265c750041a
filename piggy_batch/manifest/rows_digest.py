"""What tells the rows of one manifest from those of another, whatever file they came in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.runs.journal_queries import JournalQueries


def rows_digest(journal: JournalQueries, binding: Binding) -> str:
    """A hash of a loaded manifest's rows: of their cells as text, each under the name of its field.

    The same rows give the same hash in another format, encoding, packing, order, or order of columns, under other
    headers that ``--map`` names, and where ``--set`` gives what a column gave. Columns that are not sent count too:
    they tell one batch of cards without names from another.
    """
    fields = {place: name for name, place in binding.column_index.items()}
    parts: list[tuple[str, int, str]] = [  # what begins the field, and its place or its text
        (f"{fields.get(place, title)}\x1f", place, "") for place, title in enumerate(binding.header)
    ]
    parts += [(f"{name}\x1f", -1, text) for name, text in {**binding.constants, **binding.extra_constants}.items()]
    parts.sort()
    # Added up, so that the order of rows does not matter; each row counts as often as it stands there.
    total = 0
    for cells in journal.all_cells():
        width = len(cells)
        row = []
        for begin, place, constant in parts:
            cell = constant if place < 0 else cells[place] if place < width else ""
            if cell:
                row.append(begin + cell)
        total += int.from_bytes(hashlib.sha256("\x1e".join(row).encode("utf-8", "surrogatepass")).digest(), "big")
    return hashlib.sha256(f"{total:x}".encode()).hexdigest()
