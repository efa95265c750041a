"""Throttling is told once a minute with a count, not once for each answer."""

from __future__ import annotations

from piggy_batch.client.pause_notices import PauseNotices


def test_the_first_pause_is_told_at_once_then_one_line_a_minute() -> None:
    """A hundred short pauses in two and a half minutes are three lines, and none of them is lost in the counts."""
    notices = PauseNotices()
    lines = [notices.pause(1.5 * n, 0.5, "throttled (429)", "as asked") for n in range(100)]
    told = [line for line in lines if line]
    assert told == [
        "throttled (429): everybody pauses 0.5 s, as asked",
        "throttled (429), 40 pauses since the last line: everybody pauses 0.5 s, as asked",
        "throttled (429), 40 pauses since the last line: everybody pauses 0.5 s, as asked",
    ]


def test_a_long_pause_is_told_although_one_was_told_just_now() -> None:
    """Whoever waits for a quarter of an hour is told so."""
    notices = PauseNotices()
    assert notices.pause(0.0, 1.0, "throttled (429)", "as asked")
    assert notices.pause(2.0, 1.0, "throttled (429)", "as asked") is None
    assert "2 pauses since the last line: everybody pauses 900.0 s" in str(
        notices.pause(4.0, 900.0, "in maintenance (503)", "as asked")
    )


def test_many_answers_that_ask_for_the_same_minute_are_one_line() -> None:
    """As a service with a quota a minute gives them: each of the requests in flight is refused, all until the same
    moment; and so again once the minute is over."""
    notices = PauseNotices()
    moments = [0.0, 0.1, 0.1, 0.2, 60.3, 60.3, 60.4]
    told = [line for now in moments if (line := notices.pause(now, 60.0, "throttled (429)", "as asked"))]
    assert told == [
        "throttled (429): everybody pauses 60.0 s, as asked",
        "throttled (429), 4 pauses since the last line: everybody pauses 60.0 s, as asked",
    ]


def test_only_the_end_of_long_trouble_is_told() -> None:
    """A pause of a second ends without a line."""
    notices = PauseNotices()
    assert notices.recovery(now=10.0, since=9.0) is None
    assert notices.recovery(now=130.0, since=10.0) == "the service answers again after 120 s"
