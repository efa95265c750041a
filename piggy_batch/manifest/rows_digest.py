"""What tells the rows of one manifest from those of another, whatever file they came in."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from piggy_batch.endpoints.requests import build
from piggy_batch.models import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from piggy_batch.manifest.binding import Binding
    from piggy_batch.runs.journal_queries import JournalQueries


def rows_digest(journal: JournalQueries, binding: Binding) -> str:
    """A hash of what a loaded manifest's rows would send.

    The same rows give the same hash in another format, encoding, packing, order, or order of columns, under other
    headers that ``--map`` names, where ``--set`` gives what a column gave, with other columns beside, and without the
    rows that are invalid. Of an operation whose rows may all be alike the other columns count too: they tell one batch
    of cards without names from another.
    """
    text_of = _sent(binding) if binding.operation.unique is not None else _cells(binding)
    total = 0  # added up, so that the order of rows does not matter; each row counts as often as it stands there
    for entry in journal.all_rows():
        if entry.status is not Status.INVALID:
            digest = hashlib.sha256(text_of(entry.cells).encode("utf-8", "surrogatepass"))
            total += int.from_bytes(digest.digest(), "big")
    return hashlib.sha256(f"{total:x}".encode()).hexdigest()


def _sent(binding: Binding) -> Callable[[Sequence[str]], str]:
    """A row as its request, which case does not make another: uuids are written in either."""

    def text_of(cells: Sequence[str]) -> str:
        request = build(binding.operation, binding.values(cells))
        told = [request.method, request.path, request.query, request.body]
        return json.dumps(told, sort_keys=True, ensure_ascii=False).casefold()

    return text_of


def _cells(binding: Binding) -> Callable[[Sequence[str]], str]:
    """A row as its cells, each under the name of its field; the program's own columns tell piles of two runs apart."""
    fields = {place: name for name, place in binding.column_index.items()}
    parts: list[tuple[str, int, str]] = [  # what begins the field, and its place or its text
        (f"{fields.get(place, title.strip().casefold())}\x1f", place, "") for place, title in enumerate(binding.header)
    ]
    parts += [(f"{name}\x1f", -1, text) for name, text in {**binding.constants, **binding.extra_constants}.items()]
    parts.sort()

    def text_of(cells: Sequence[str]) -> str:
        width, row = len(cells), []
        for begin, place, constant in parts:
            cell = (constant if place < 0 else cells[place] if place < width else "").strip()
            if cell:
                row.append(begin + cell)
        return "\x1e".join(row)

    return text_of
