"""The catalogue: one value for each kind of row the program can carry out.

From an :class:`Operation` come its click command, help, template, manifest check, README row and
conformance tests. Adding an operation is adding a value to ``CATALOGUE``.

Paths, parameters and codes: the vendor's documentation pages and error table (all stated) unless a
line says *inferred*.
"""

from __future__ import annotations

from piggy_batch.endpoints.contacts import CONTACT, CONTACTS, FIND_CONTACT, GIVE_CREDITS, HELD_IDENTIFIER
from piggy_batch.endpoints.giftcards import GIFTCARD, GIFTCARDS, MAIL, NEW_GIFTCARD, TRANSACTION
from piggy_batch.endpoints.identifiers import FIND_IDENTIFIER, IDENTIFIER, IDENTIFIERS
from piggy_batch.endpoints.operation import (
    NOBODY,
    PING,
    CardTrouble,
    Column,
    DesiredState,
    Lookup,
    OpenColumns,
    Operation,
    OwnerRule,
    ResponseFields,
    StartState,
    UndoCell,
    UndoSource,
    UndoStep,
    Waiver,
    segment,
)
from piggy_batch.endpoints.prepaid import PREPAID

CATALOGUE: tuple[Operation, ...] = (*IDENTIFIERS, *GIFTCARDS, *CONTACTS, *PREPAID, GIVE_CREDITS)


def find_operation(name: str) -> Operation:
    """The operation of that name (``identifiers create``); KeyError where there is none."""
    for operation in CATALOGUE:
        if operation.name == name:
            return operation
    raise KeyError(name)


__all__ = [
    "CATALOGUE",
    "CONTACT",
    "CONTACTS",
    "FIND_CONTACT",
    "FIND_IDENTIFIER",
    "GIFTCARD",
    "GIFTCARDS",
    "GIVE_CREDITS",
    "HELD_IDENTIFIER",
    "IDENTIFIER",
    "IDENTIFIERS",
    "MAIL",
    "NEW_GIFTCARD",
    "NOBODY",
    "PING",
    "PREPAID",
    "TRANSACTION",
    "CardTrouble",
    "Column",
    "DesiredState",
    "Lookup",
    "OpenColumns",
    "Operation",
    "OwnerRule",
    "ResponseFields",
    "StartState",
    "UndoCell",
    "UndoSource",
    "UndoStep",
    "Waiver",
    "find_operation",
    "segment",
]
