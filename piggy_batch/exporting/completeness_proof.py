"""Reads all lists of an export, pass by pass, until it is decided what that proves of them together.

The argument stands in :mod:`piggy_batch.exporting.completeness`.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from piggy_batch.exporting.completeness import GOOD, Completeness, another_pass_helps, verdict_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.exporting.completeness import ReadOptions
    from piggy_batch.exporting.list_reader import ListReader
    from piggy_batch.exporting.staging import StagingStore


class CompletenessProof:
    """The lists of one export, and what their readings prove."""

    def __init__(self, readers: Sequence[ListReader], store: StagingStore, options: ReadOptions) -> None:
        self._readers = readers
        self._store = store
        self._options = options
        self._resume()

    async def go(self) -> None:
        """Read and prove; the verdicts are in the readers' states. StoppedError: the run stops, go on later."""
        while any(reader.state.verdict is None for reader in self._readers):
            await self._land()
            await self._decide()
            self._store.set_states({reader.list_id: asdict(reader.state) for reader in self._readers})

    def _resume(self) -> None:
        """A store in which the lists were proven one after the other, each on its own, is gone on with together."""
        states = [reader.state for reader in self._readers]
        if len(states) == 1:
            states[0].shared = states[0].shared or states[0].pending
        elif any(state.verdict is None for state in states):
            for state in states:
                state.verdict = None

    async def _land(self) -> None:
        """Bring every list to the end of the same pass."""
        number = max(reader.state.number for reader in self._readers)
        for reader in self._readers:
            while reader.state.number < number or not reader.state.landed:
                await reader.read_pass()

    async def _decide(self) -> None:
        """Whether the counts after an earlier pass are proven by now; else count, and begin another pass where
        that helps."""
        if self._agreed():
            return
        fits = [await reader.count() for reader in self._readers]
        if all(fits) and await self._fit_once_more():
            self._note_shared_moment()
            if self._agreed():  # nothing is there that would have to be seen again
                return
        states = [reader.state for reader in self._readers]
        proven = [not self._options.quick and reader.is_proven(reader.state.pending) for reader in self._readers]
        if another_pass_helps(states, proven, self._options):
            for reader, fit in zip(self._readers, fits, strict=True):
                reader.begin_next_pass(fits=fit)
            return
        for state, own in zip(states, proven, strict=True):
            state.verdict = verdict_of(state, proven=own, quick=self._options.quick)
            state.upto = state.pending.number if state.verdict in GOOD and state.pending is not None else None

    async def _fit_once_more(self) -> bool:
        """Whether every list but the one counted last is still counted as it was before."""
        if self._options.quick and len(self._readers) > 1:
            return False
        return all([await reader.fits_still() for reader in self._readers[-2::-1]])

    def _note_shared_moment(self) -> None:
        """The moment of the list counted last is that of all counts just taken."""
        counts = [reader.state.latest for reader in self._readers]
        last = counts[-1]
        for reader, count in zip(self._readers, counts, strict=True):
            reader.state.shared = replace(count, at=last.at) if count is not None and last is not None else None

    def _agreed(self) -> bool:
        """Whether all lists are proven at one moment; their verdicts then say so."""
        states = [reader.state for reader in self._readers]
        if not all(reader.is_proven(reader.state.shared) for reader in self._readers):
            return False
        for state in states:
            if state.shared is not None:
                state.verdict, state.pending, state.upto = Completeness.AGREED, state.shared, state.shared.number
        return True
