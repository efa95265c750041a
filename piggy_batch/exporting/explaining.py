"""Verdicts on walks in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from piggy_batch.exporting.completeness import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.exporting.list_reader import Walk
    from piggy_batch.exporting.staging import Parts


def overall(verdicts: Sequence[Verdict | None]) -> Verdict:
    """The verdict on several walks: that of the weakest."""
    order = (
        Verdict.UNFINISHED,
        Verdict.NOT_AGREED,
        Verdict.COUNTS_DIFFER,
        Verdict.COUNTS_AGREE,
        Verdict.AGREED,
    )
    return min((v or Verdict.UNFINISHED for v in verdicts), key=order.index, default=Verdict.UNFINISHED)


def explain(walk: Walk, parts: Parts) -> str:
    """The verdict on one walk as a sentence."""
    state, unit = walk.state, walk.listing.unit
    held = parts.unseen(walk.walk, state.number + 1)
    latest, passes = state.latest, f"{state.number} passes" if state.number > 1 else "one pass"
    counted = latest.total if latest else None
    match state.verdict:
        case Verdict.AGREED:
            moment = state.pending or latest
            return (
                f"these are exactly the {moment.total if moment else 0:,} {unit} that existed at "
                f"{_clock(moment.at) if moment else '?'}: as many as the service counted then, each shown before and "
                "after"
            )
        case Verdict.COUNTS_AGREE:
            return (
                f"{held:,} {unit} were read and the service counts as many; that is no proof: one deleted and one "
                "added while reading look the same. Without --quick it is proven"
            )
        case Verdict.UNFINISHED | None:
            return f"{held:,} {unit} read so far"
        case _:
            pass
    unread = ""
    if state.unread:
        pages = ", ".join(f"{page:,}" for page in sorted(state.unread)[:10])
        unread = f"; pages that could not be read: {pages} ({next(iter(state.unread.values()))})"
    if counted is None:
        return f"{held:,} {unit} in {passes}, but the service tells no total to compare them with{unread}"
    if held < counted:
        return f"{held:,} {unit} in {passes}, the service counts {counted:,}: {counted - held:,} are missing{unread}"
    if held > counted:
        extra = held - counted
        return (
            f"{held:,} {unit} in {passes}, the service counts {counted:,}: {extra:,} more than that, deleted while "
            f"reading or not counted{unread}"
        )
    return (
        f"{held:,} {unit} in {passes}, and the service counts as many, but the list changed during every pass, so that "
        f"nothing proves that they are the same{unread}"
    )


def _clock(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
