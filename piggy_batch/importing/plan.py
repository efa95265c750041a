"""TODO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piggy_batch.models import Repeat

if TYPE_CHECKING:
    from piggy_batch.endpoints import Operation


def repeat_warning(operation: Operation) -> str:
    """What a plan says of a repeat."""
    match operation.repeat:
        case Repeat.SAFE:
            return f"a second identical request {operation.repeat_note} (safe)"
        case Repeat.GUARDED:
            return f"a second identical request {operation.repeat_note} (guarded)"
        case Repeat.ONCE:
            return f"a second identical request {operation.repeat_note} (once: never repeated in doubt)"
