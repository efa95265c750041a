"""The roll-forward as lines of a general ledger: each movement of each program booked against the liability."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.reporting.definitions import ADDS, MOVED, Movement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from piggy_batch.reporting.money import Currency
    from piggy_batch.reporting.roll_forward import RollForward

OUTSTANDING, UNEXPLAINED, RESIDUAL = "outstanding", "unexplained", "residual"
ACCOUNT_NAMES = (OUTSTANDING, *(movement.value for movement in Movement), UNEXPLAINED, RESIDUAL)


@dataclass(frozen=True, slots=True)
class Accounts:
    """The ledger's account for the liability and for the other side of each movement; a program may have its own."""

    codes: Mapping[str, str] = field(default_factory=dict)  # name of ACCOUNT_NAMES → account
    by_program: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (program uuid, name) → account

    @classmethod
    def parse(cls, pairs: Iterable[tuple[str, str]]) -> Accounts:
        """From (``redeemed``, ``8010``) and (``PROGRAM_UUID:outstanding``, ``2211``); SetupError for other names."""
        codes: dict[str, str] = {}
        by_program: dict[tuple[str, str], str] = {}
        for text, code in pairs:
            program, _, name = text.rpartition(":")
            if name not in ACCOUNT_NAMES:
                raise SetupError(
                    f'--account: "{name}" is no figure of the journal; there are {", ".join(ACCOUNT_NAMES)}'
                )
            if not code.strip():
                raise SetupError(f"--account {text}: names no account; write it like {text}=2210")
            if (program, name) in by_program or (not program and name in codes):
                raise SetupError(f"--account {text}: given twice")
            if program:
                by_program[program, name] = code.strip()
            else:
                codes[name] = code.strip()
        return cls(codes, by_program)

    def find(self, program: str, name: str) -> str | None:
        """The account for one program's figure; None where none is mapped."""
        return self.by_program.get((program, name)) or self.codes.get(name)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line of a journal entry, integer cents; one of debit and credit is 0."""

    day: date
    account: str
    movement: str  # a name of ACCOUNT_NAMES but outstanding, or moved
    program_uuid: str
    program_name: str
    debit_cents: int
    credit_cents: int
    currency: Currency

    @property
    def amount_cents(self) -> int:
        """Debit above zero, credit below."""
        return self.debit_cents - self.credit_cents


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The lines of one currency, and the names of figures for which no account is mapped."""

    lines: tuple[LedgerLine, ...]
    missing: tuple[str, ...]

    def require_accounts(self) -> None:
        """SetupError where an account is missing that has something to take."""
        if self.missing:
            given = " ".join(f"--account {name}=…" for name in self.missing)
            raise SetupError(f"the journal has no account for {', '.join(self.missing)}; name them with {given}")


def ledger_entry(rolls: Iterable[RollForward], accounts: Accounts, day: date, currency: Currency) -> LedgerEntry:
    """Two lines for each movement of each program. They sum to zero, and those of the liability to the change of
    outstanding."""
    missing: dict[str, None] = {}
    lines: list[LedgerLine] = []
    for roll in rolls:
        for movement, cents in _figures(roll):
            # A card that changes its program moves from one liability to another: there is no other side.
            sides = {OUTSTANDING: cents} if movement == MOVED else {OUTSTANDING: cents, movement: -cents}
            for name, credit in sides.items():
                account = accounts.find(roll.key or "", name)
                if account is None:
                    missing[name] = None
                both = (max(-credit, 0), max(credit, 0))
                lines.append(LedgerLine(day, account or "", movement, roll.key or "", roll.name, *both, currency))
    return LedgerEntry(tuple(lines), tuple(missing))


def _figures(roll: RollForward) -> Iterator[tuple[str, int]]:
    """Each figure that is not zero, as it changes the liability."""
    for movement, cents in roll.movements.items():
        if cents:
            yield movement.value, cents if movement in ADDS else -cents
    for name, cents in ((MOVED, roll.moved), (UNEXPLAINED, roll.unexplained), (RESIDUAL, roll.residual)):
        if cents:
            yield name, cents
