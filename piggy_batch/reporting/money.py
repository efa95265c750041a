"""Cents as text for readers: the only place where an amount gets a decimal point."""

from __future__ import annotations

from dataclasses import dataclass

from piggy_batch.errors import SetupError

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


@dataclass(frozen=True, slots=True)
class Currency:
    """How amounts of one currency are written."""

    code: str  # ISO 4217, three capitals

    @classmethod
    def parse(cls, text: str) -> Currency:
        """The currency with that code; SetupError for what cannot be one."""
        if len(text) != 3 or not (text.isascii() and text.isalpha()):
            raise SetupError(f'--currency: "{text}" is no currency code; write three letters like EUR')
        return cls(text.upper())

    @property
    def symbol(self) -> str:
        """What stands before an amount: a sign, or the code and a space."""
        return _SYMBOLS.get(self.code, self.code + "\u00a0")

    def full(self, cents: int) -> str:
        """``-123456`` as ``-€1,234.56``."""
        return ("\u2212" if cents < 0 else "") + self.symbol + plain(abs(cents))


def plain(cents: int) -> str:
    """``-123456`` as ``-1,234.56``: thousands grouped, two decimals, a true minus sign."""
    whole, rest = divmod(abs(cents), 100)
    return ("\u2212" if cents < 0 else "") + f"{whole:,}.{rest:02d}"


def average(cents: int, cards: int) -> int:
    """``cents`` per card in whole cents, halves away from zero; 0 without cards."""
    if not cards:
        return 0
    rounded = (2 * abs(cents) + cards) // (2 * cards)
    return -rounded if cents < 0 else rounded
