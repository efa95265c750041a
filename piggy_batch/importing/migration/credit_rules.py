"""Rules for credits in doubt: what balances and credit receptions of a contact prove. Pure.

Two pieces of evidence must agree: the list of what has changed the balance since the migration read it, and the balance
itself. What the list shows accounts for the whole difference, or nothing is concluded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from piggy_batch.models import Status
from piggy_batch.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

SLACK_S = 120.0  # what the service's clock and this machine's may differ by
ZONES_S = 26 * 3600.0  # and at most, where one of them takes another zone's time for its own


@dataclass(frozen=True, slots=True)
class Doubt:
    """Credits that were sent and may have been given; ``part``, ``number``: their row in the credits stage."""

    part: int
    number: int
    row: int  # of the migration's manifest
    credits: int
    shop: str
    sent_at: float  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class CreditChange:
    """One change to a balance as the service lists it."""

    uuid: str
    credits: int | None
    shop: str | None
    made_at: float | None  # seconds since the epoch; None: not told
    given: bool  # whether it is a credit reception, as far as the service tells


@dataclass(frozen=True, slots=True)
class CreditEvidence:
    """What is known of one contact."""

    before: int | None  # the balance that the migration has read before it gave any
    read_at: float | None  # when
    given: int  # by the migration, and shown so
    known: frozenset[str]  # the receptions that show it
    now: int | None  # the balance
    changes: tuple[CreditChange, ...] | None  # every change that the service lists; None: not shown whole
    begun_at: float  # when the reading began

    def new(self) -> list[CreditChange]:
        """Changes since the balance was read before, but for those that the migration has given."""
        return self._unknown_from(SLACK_S)

    def maybe_new(self) -> list[CreditChange]:
        """These, and those that would be new if the clocks differed by more."""
        return self._unknown_from(ZONES_S)

    def _unknown_from(self, slack_s: float) -> list[CreditChange]:
        since = (self.read_at or 0.0) - slack_s
        unknown = (change for change in self.changes or () if change.uuid not in self.known)
        return [change for change in unknown if change.made_at is None or change.made_at >= since]


@dataclass(frozen=True, slots=True)
class Settled:
    """What a doubt has come to: ``done`` with the reception that shows it, or ``failed``."""

    doubt: Doubt
    status: Status
    reception: str | None
    message: str


def settle(
    doubts: Sequence[Doubt], evidence: CreditEvidence, settle_after_s: float
) -> tuple[list[Settled], str | None]:
    """What is proven of one contact's credits in doubt, and why the rest is not; None where nothing is left.

    While the list shows a reception that no row accounts for, none becomes failed; nor while it shows one of the same
    credits that was made shortly before by the service's clock.
    """
    why = _unproven(evidence)
    if why is not None:
        return [], why
    new = evidence.new()
    found: list[Settled] = []
    left: list[Doubt] = []
    strangers = {change.uuid: change for change in new if change.given}
    for (amount, shop), group in _groups(doubts).items():
        fitting = [change for change in new if change.given and change.credits == amount and change.shop == shop]
        if len(fitting) > len(group):
            return [], f"{len(fitting):,} receptions of {amount:,} credits for {len(group):,} rows: some are others'"
        for doubt, change in zip(group, fitting, strict=False):
            message = "the answer was lost; balance and credit receptions show that they were given"
            found.append(Settled(doubt, Status.DONE, change.uuid, message))
            del strangers[change.uuid]
        left += group[len(fitting) :]
    if left and strangers:
        return found, f"{len(strangers):,} credit receptions of another amount or shop since; they may be these rows'"
    if left and evidence.begun_at - max(doubt.sent_at for doubt in left) < settle_after_s:
        return found, f"sent less than {settle_after_s:g} s before this look, so that they may still be given"
    amounts = {doubt.credits for doubt in left}
    accounted = {change.uuid for change in new}
    early = [c for c in evidence.maybe_new() if c.given and c.credits in amounts and c.uuid not in accounted]
    if early:
        return found, (
            f"{counted(len(early), 'credit reception')} of so many credits in the day before; they may be these rows' "
            "if the service's clock is behind"
        )
    message = "balance and credit receptions show that they were not given"
    return found + [Settled(doubt, Status.FAILED, None, message) for doubt in left], None


def _unproven(evidence: CreditEvidence) -> str | None:
    """Why nothing can be concluded; None: list and balance agree."""
    if evidence.changes is None:
        return "the service does not show the whole list of the contact's credit receptions"
    if evidence.before is None or evidence.read_at is None:
        return "the balance before the migration is not known"
    if evidence.now is None:
        return "the service does not show the balance"
    if not evidence.known <= {change.uuid for change in evidence.changes}:
        return "the list of credit receptions lacks some that this migration has given"
    new = evidence.new()
    if any(change.credits is None for change in new):
        return "a change is listed without its credits"
    listed = sum(change.credits or 0 for change in new)
    expected = evidence.before + evidence.given + listed
    if expected != evidence.now:
        return (
            f"the balance is {evidence.now:,}, and {evidence.before:,} before, {evidence.given:,} given by this "
            f"migration and {listed:,} listed beside them make {expected:,}"
        )
    return None


def _groups(doubts: Sequence[Doubt]) -> dict[tuple[int, str], list[Doubt]]:
    """Doubts that no evidence tells apart, those sent first in front."""
    groups: dict[tuple[int, str], list[Doubt]] = {}
    for doubt in sorted(doubts, key=lambda d: (d.sent_at, d.part, d.number)):
        groups.setdefault((doubt.credits, doubt.shop), []).append(doubt)
    return groups
