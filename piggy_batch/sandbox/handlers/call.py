"""One request on its way to a handler, and the handler's type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from piggy_batch.sandbox.http.messages import Form, Refused, SandboxReply

if TYPE_CHECKING:
    from piggy_batch.sandbox.settings import Settings
    from piggy_batch.sandbox.world.account import AccountWorld

Json = Any
Row = TypeVar("Row")
HIGHEST_LIMIT = 100  # rows a page (SEED, stated)


@dataclass(slots=True)
class Call:
    """A request that is authenticated, admitted and routed.

    ``args`` are the variable parts of the path, decoded.
    """

    world: AccountWorld
    settings: Settings
    form: Form
    args: tuple[str, ...]
    now: float  # seconds since 1970
    serial: int  # 1 = the first request this sandbox has seen
    drift: int = 0  # added to the total of a giftcard page


Handler = Callable[[Call], SandboxReply]


def paging(call: Call, *, name: str = "limit", default: int = 30, highest: int = HIGHEST_LIMIT) -> tuple[int, int]:
    """Page (from 1) and page size. Out of bounds: 1003, or clamped by the switch (both inferred)."""
    form = call.form
    if call.settings.over_limit == "clamp":
        try:
            page, limit = form.integer("page"), form.integer(name)
        finally:
            form.errors.clear()
        return max(1, page or 1), min(max(1, default if limit is None else limit), highest)
    page, limit = form.integer("page"), form.integer(name)
    if page is not None and page < 1:
        form.errors["page"] = ["The page field must be at least 1."]
    if limit is not None and not 1 <= limit <= highest:
        form.errors[name] = [f"The {name} field must be between 1 and {highest}."]
    form.checked()
    return page or 1, limit or default


def chosen_page(call: Call, rows: Sequence[Row], page: int, limit: int) -> Sequence[Row]:
    """The rows of a page, of a list that is oldest first; ``sort`` is created_at or -created_at, else 1003."""
    sort, start = call.form.values.get("sort"), (page - 1) * limit
    if sort not in (None, "", "created_at", "-created_at"):
        raise Refused(1003, {"sort": ["The selected sort is invalid."]})
    if sort == "-created_at":
        total = len(rows)
        return rows[max(0, total - start - limit) : max(0, total - start)][::-1]
    return rows[start : start + limit]


def viewing_meta(page: int, limit: int, total: int, rows: int) -> dict[str, Json]:
    """The meta of contacts and giftcard transactions (POST, LDOC, observed)."""
    start = (page - 1) * limit
    return {
        "page": page,
        "limit": limit,
        "viewing_from": start + 1 if rows else 0,
        "viewing_to": start + rows,
        "last_page": max(1, -(-total // limit)),
        "total": total,
    }


__all__ = [
    "HIGHEST_LIMIT",
    "Call",
    "Form",
    "Handler",
    "Refused",
    "SandboxReply",
    "chosen_page",
    "paging",
    "viewing_meta",
]
