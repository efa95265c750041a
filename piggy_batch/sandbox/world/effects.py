"""What was really changed, counted: the judge of whether anything was lost or done twice."""

from __future__ import annotations

from typing import Any

Json = Any


class Effects:
    """Counts changes made through the API, per kind, and per kind and key.

    An update that changes nothing is not an effect. Mails, transactions, credits and cards always are.
    """

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}
        self.keys: dict[str, dict[str, int]] = {}
        self.peaks: dict[str, int] = {}  # kind -> the largest number of times it hit one key

    def count(self, kind: str, key: str) -> None:
        """One more change of a kind to a key: a value, a card's uuid, a contact's e-mail or uuid."""
        self.totals[kind] = self.totals.get(kind, 0) + 1
        keys = self.keys.setdefault(kind, {})
        times = keys[key] = keys.get(key, 0) + 1
        if times > self.peaks.get(kind, 0):
            self.peaks[kind] = times

    def dump(self) -> Json:
        """The counts as JSON; ``load`` takes them back."""
        return self.keys

    def load(self, keys: Json) -> None:
        """Takes over counts from a state file."""
        self.keys = {kind: dict(of) for kind, of in keys.items()}
        self.totals = {kind: sum(of.values()) for kind, of in self.keys.items()}
        self.peaks = {kind: max(of.values(), default=0) for kind, of in self.keys.items()}
