"""Moments as text and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from piggy_batch.text import iso, parse_moment

TEN = datetime(2026, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T10:00:00Z", TEN),
        ("2026-01-31T11:00:00+01:00", TEN),
        ("2026-01-31 10:00:00", TEN),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("9999-12-31T23:59:59-01:00", None),
        ("31.01.2026", None),
        ("", None),
    ],
)
def test_a_moment_is_read_in_utc(text: str, moment: datetime | None) -> None:
    """A zone is taken into account, a text without one is UTC, and what is no moment is None."""
    assert parse_moment(text) == moment


def test_what_is_written_is_read_back() -> None:
    """Seconds since the epoch survive the way through text to the millisecond."""
    moment = parse_moment(iso(1_800_000_000.123) or "")
    assert moment is not None
    assert moment.timestamp() == pytest.approx(1_800_000_000.123, abs=0.0005)
