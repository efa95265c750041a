"""What is told of throttling and maintenance: the first pause at once, then one line a minute with a count."""

from __future__ import annotations

TELL_EVERY_S = 60.0
LONG_S = 60.0  # trouble that lasted so long ends with a line too


class PauseNotices:
    """Decides which pauses are worth a line. Moments are monotonic seconds."""

    def __init__(self) -> None:
        self._told_at = float("-inf")
        self._told_until = float("-inf")  # when the pause that was told of ends
        self._since_told = 0

    def pause(self, now: float, wait_s: float, what: str, asked: str) -> str | None:
        """The line for a pause; None where it waits for the next one: within a minute of the last line only a pause is
        told of that ends more than a minute later than was said."""
        self._since_told += 1
        if now < self._told_at + TELL_EVERY_S and now + wait_s <= self._told_until + TELL_EVERY_S:
            return None
        count, self._since_told, self._told_at, self._told_until = self._since_told, 0, now, now + wait_s
        times = f", {count:,} pauses since the last line" if count > 1 else ""
        return f"{what}{times}: everybody pauses {wait_s:.1f} s, {asked}"

    def recovery(self, now: float, since: float) -> str | None:
        """The line for the end of trouble that began at ``since``; None where it was over soon."""
        return f"the service answers again after {now - since:.0f} s" if now - since >= LONG_S else None
