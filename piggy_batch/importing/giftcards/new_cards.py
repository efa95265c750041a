"""Which cards of a list are new: neither the list from before the run nor the run's own journal knows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.importing.giftcards.baseline import PROGRAM, baseline_of, read_cards
from piggy_batch.importing.giftcards.known_keys import KnownKeys
from piggy_batch.importing.giftcards.matching_rules import CandidateCard, made_s
from piggy_batch.tables import sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from piggy_batch.runs.journal import Journal


@dataclass(slots=True)
class NewCards:
    """What a list shows."""

    of_program: dict[str, list[CandidateCard]]
    held_before: bool = False  # whether it is known which cards there were before the run
    unplaced: int = 0  # new cards of which the list does not tell the program
    notes: list[str] = field(default_factory=list)


def find_new_cards(journal: Journal, listed: Path, days: Mapping[str, int], programs: Sequence[str]) -> NewCards:
    """The new cards of a list. ``days``: for how long a program's cards live, where that tells when one was made."""
    found = NewCards({program: [] for program in programs})
    baseline = baseline_of(journal.queries)
    found.held_before = _is_recorded(journal, baseline, found.notes)
    with KnownKeys() as known:
        if found.held_before:
            known.add(cells["giftcard_uuid"].lower() for cells in read_cards(baseline))
        rows = journal.queries.all_rows()
        known.add(str(e.kept["giftcard_uuid"]).lower() for e in rows if e.kept and e.kept.get("giftcard_uuid"))
        for cells in read_cards(listed):
            if cells["giftcard_uuid"].lower() in known:
                continue
            card = CandidateCard(cells, made_s(cells, days.get(cells[PROGRAM])))
            # The service may write a program's name in another way than the manifest does, or leave it out.
            own = [p for p in programs if p.casefold() == cells[PROGRAM].casefold()]
            if not own and (cells[PROGRAM] or len(programs) > 1):
                found.unplaced += 1
            else:
                found.of_program[(own or programs)[0]].append(card)
    if found.unplaced:
        found.notes.append(f"{found.unplaced:,} new cards of no program of this run: nothing is proven by this list")
    return found


def _is_recorded(journal: Journal, path: Path, notes: list[str]) -> bool:
    """Whether the list of the cards held before is the one that was recorded, to the byte."""
    fact = journal.get("baseline")
    if fact is None or not path.is_file():
        return False
    if "sha256" not in fact or fact["sha256"] == sha256_of(path):
        return True
    notes.append(f"{path} was changed since it was recorded, so it counts for nothing")
    return False
