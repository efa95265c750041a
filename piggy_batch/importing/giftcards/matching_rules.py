"""Rules for rows of ``giftcards create`` in doubt: which new card may be a row's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from piggy_batch.text import iso, parse_moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from piggy_batch.runs.records import RowState

SLACK_S = 120.0  # what the service's clock and this machine's may differ by
AIR_S = 600.0  # how long after its send a request may at least still be carried out
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class CandidateCard:
    """A card of a listing; ``made_s``: seconds since the epoch, None where its program tells no age."""

    cells: Mapping[str, str]
    made_s: float | None

    @property
    def uuid(self) -> str:
        """What identifies it."""
        return self.cells["giftcard_uuid"]


def creation_window(doubts: Sequence[RowState], settle_after_s: float) -> tuple[float, float] | None:
    """From when until when a row's card may have been made: a request may be carried out long after its answer
    was given up. None: it is not known when they were sent."""
    times = [e.sent_at for e in doubts if e.sent_at is not None]
    return (min(times) - SLACK_S, max(times) + max(AIR_S, settle_after_s) + SLACK_S) if times else None


def misfits(card: CandidateCard, window: tuple[float, float] | None) -> list[str]:
    """Why a new card is none whose answer was lost: such a one is digital, empty, usable, and made in the time of
    doubt. [] where nothing speaks against it. No reason is proof: tills load cards, and clocks differ."""
    cells = card.cells
    found = []
    amount = cells["amount_in_cents"]
    if amount != "0":
        found.append(f"holds {amount} cents" if amount else "the list does not show what it holds")
    for column, no in (("active", "is not active"), ("upgradeable", "cannot be loaded (not upgradeable)")):
        if cells[column] != "true":
            found.append(no if cells[column] else f"the list does not show whether it is {column}")
    if cells["type"] == "PHYSICAL":
        found.append("is physical")
    if card.made_s is not None and window is not None and not window[0] <= card.made_s <= window[1]:
        found.append(f"its expiry says made at {iso(card.made_s)}, not from {iso(window[0])} to {iso(window[1])}")
    return found


def obstacle_to_assigning(
    *, rows: int, candidates: int, strangers: int, exclusive: bool, listed: bool, held_before: bool | None
) -> str | None:
    """Why new cards must not be given to rows in doubt; None: they may be. ``strangers``: new cards that do not fit.
    ``listed``: the list is proven complete. ``held_before``: that of the cards before the run is; None: not known.
    """
    found = f"{candidates:,} new cards may belong to {rows:,} rows in doubt"
    others = (
        f", and {strangers:,} new cards do not fit, so that somebody else makes cards in this program or has changed "
        "these since"
        if strangers
        else ""
    )
    for_a_person = "they are listed in candidates for a person"
    if held_before is None:
        return f"{found}, but what the program held before is not known for sure, so no row is settled"
    if not exclusive:
        advice = ". If nobody else makes cards in this program, pass --exclusive" if candidates else ", with the reason"
        return f"{found}{others}; {for_a_person}{advice}"
    if not listed:
        return f"{found}, but the list of cards is not proven complete, so nothing is assigned; run this again"
    if not held_before:
        return f"{found}, but what the program held before is not known for sure, so nothing is assigned"
    if strangers:
        return f"{found}{others}, so no row is settled; {for_a_person}, with the reason"
    if candidates > rows:
        return f"{found}: more cards than rows, so somebody else makes cards in this program; nothing is assigned"
    return None


def made_s(cells: Mapping[str, str], days: int | None) -> float | None:
    """When a card was made: its expiry less its program's days (inferred from a captured answer)."""
    expires = moment_s(cells["expiration_date"])
    return None if days is None or expires is None else expires - days * DAY_S


def moment_s(text: object) -> float | None:
    """ISO text as seconds since the epoch; None where it is none."""
    moment = parse_moment(str(text))
    return None if moment is None else moment.timestamp()
