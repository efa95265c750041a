"""The list filter ``created_at[gt|gte|lt|lte]=ISO8601`` (LDOC, APP: stated and used in production)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from piggy_batch.sandbox.http.messages import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMPARE = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
Fits = Callable[[int], bool]


def within(values: Mapping[str, Any]) -> Fits | None:
    """Whether a creation time (seconds since 1970) fits; None without a filter. 1003 for what is no date."""
    bounds = values.get("created_at")
    if bounds is None:
        return None
    tests = []
    for name, text in bounds.items() if isinstance(bounds, dict) else [("", bounds)]:
        try:
            moment = datetime.fromisoformat(str(text).replace(" ", "+"))
            compare = _COMPARE[name]
        except (ValueError, KeyError):
            raise Refused(1003, {"created_at": ["The created at field is invalid."]}) from None
        tests.append((compare, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))
    return lambda created: all(compare(created, bound) for compare, bound in tests)
