"""Currencies, and averages in whole cents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


@dataclass(frozen=True, slots=True)
class Currency:
    """What amounts are in; nothing is ever converted."""

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


@dataclass(frozen=True, slots=True)
class Currencies:
    """Which currency each program's amounts are in; amounts of several are never added up."""

    default: Currency
    by_program: Mapping[str, Currency] = field(default_factory=dict)

    def of(self, program_uuid: str) -> Currency:
        """The currency of a program; that of cards without one is the default."""
        return self.by_program.get(program_uuid, self.default)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Currencies:
        """From ``EUR`` and ``PROGRAM_UUID=GBP``; SetupError for what is neither, or given twice."""
        default: Currency | None = None
        by_program: dict[str, Currency] = {}
        for text in texts:
            program, equals, code = text.rpartition("=")
            currency = Currency.parse(code)
            if (equals and program in by_program) or (not equals and default):
                raise SetupError(f"--currency {text}: given twice; give one for all programs and one for each other")
            if equals:
                by_program[program] = currency
            else:
                default = currency
        return cls(default or Currency("EUR"), by_program)


def average(cents: int, cards: int) -> int:
    """``cents`` per card in whole cents, halves away from zero; 0 without cards."""
    if not cards:
        return 0
    rounded = (2 * abs(cents) + cards) // (2 * cards)
    return -rounded if cents < 0 else rounded
