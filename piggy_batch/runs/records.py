"""What a journal keeps of a row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from piggy_batch.runs import database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from piggy_batch.models import Json, Proof, Status


@dataclass(frozen=True, slots=True)
class RowState:
    """A manifest row with its fate so far."""

    number: int
    line: int
    cells: list[str]
    status: Status
    attempts: int = 0
    sent_at: float | None = None  # seconds since the epoch; the last time it was sent
    before: Mapping[str, Json] | None = None
    proof: str | None = None
    http_status: int | None = None
    code: int | None = None
    message: str | None = None
    kept: Mapping[str, Json] | None = None
    finished_at: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """An outcome on its way to the journal."""

    number: int
    status: Status
    attempts: int
    finished_at: float | None
    before: Mapping[str, Json] | None = None
    proof: Proof | None = None
    http_status: int | None = None
    code: int | None = None
    message: str | None = None
    kept: Mapping[str, Json] | None = None
    sent_at: float | None = None  # of an outcome that was read from elsewhere; else its intent has said it


@dataclass(frozen=True, slots=True)
class LoadBatch:
    """Manifest rows on their way into a journal."""

    rows: Sequence[tuple[int, int, list[str]]]  # number, line, cells
    keys: Sequence[tuple[int, str, str | None]]  # number, key, folded key where it differs
    problems: Sequence[tuple[int, str]]  # number, why it is invalid; a row may be named more than once


def pack(cells: list[str]) -> str:
    """Cells as one text, cheaper than JSON; :func:`unpack` reads it back."""
    text = "\x1f".join(cells)
    if text.count("\x1f") == len(cells) - 1 and not text.startswith("\x1e"):
        return text
    return "\x1e" + json.dumps(cells, ensure_ascii=False)


def unpack(text: str) -> list[str]:
    """The cells that :func:`pack` was given."""
    if text.startswith("\x1e"):
        cells: list[str] = database.parsed(text[1:])
        return cells
    return text.split("\x1f")
