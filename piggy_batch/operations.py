"""The catalogue: one value for each kind of row the program can carry out.

From an :class:`Operation` come its click command, help, template, manifest check, README row and
conformance tests. Adding an operation is adding a value to ``CATALOGUE``.

Paths, parameters and codes: the vendor's documentation pages and error table (all stated) unless a
line says *inferred*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from piggy_batch.model import Json, Kind, Repeat, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

NOBODY = "none"  # the word by which expected_contact_uuid says that nobody holds the card
TAG_PREFIX = "custom."  # columns that become an e-mail's merge tags

PING = Request("GET", "")  # the client prefix itself answers with the account


@dataclass(frozen=True, slots=True)
class Column:
    """A manifest column that an operation reads."""

    name: str
    help: str
    kind: Kind = Kind.TEXT
    required: bool = False
    sent: bool = True  # False: read for a safeguard, never sent
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Noun:
    """What an answer is about: result columns and where the answer has them (dotted paths)."""

    name: str
    fields: tuple[tuple[str, str], ...]  # (result column, path in the answer's data)


class Owner(StrEnum):
    """Whom a card must belong to for a row to be as asked."""

    ANY = "any"  # the row says nothing about the owner
    ROW = "row"  # the row's contact_uuid; nobody where the row has none
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Goal:
    """The state of the thing once a row is carried out, as far as a look can show it."""

    exists: bool = True
    owner: Owner = Owner.ANY
    columns: tuple[str, ...] = ()  # result columns that must equal the row's cell of the same name


@dataclass(frozen=True, slots=True)
class Look:
    """A read that shows the state of a row's thing. ``key`` is the manifest column looked up."""

    path: str
    key: str
    noun: Noun
    absent_codes: frozenset[int]  # the thing does not exist
    hidden_codes: frozenset[int] = frozenset()  # it exists, and the service shows nothing more
    inside: str | None = None  # list of one contact's things, used where ``path`` hides; {contact_uuid}


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of row."""

    resource: str
    verb: str
    help: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str  # below the client prefix; {column} is percent-encoded into it
    repeat: Repeat
    columns: tuple[Column, ...]
    noun: Noun
    key: str  # the column that names the thing
    repeat_note: str  # what a second identical request does, in words
    echoes: tuple[tuple[str, str], ...] = ()  # (path in the answer, column) that must agree
    goal: Goal | None = None
    look: Look | None = None
    before: bool = False  # look before the first send and journal what was there
    already_codes: frozenset[int] = frozenset()  # "is so already": final only after a look
    absent_codes: frozenset[int] = frozenset()  # reads: there is no such thing
    inactive_codes: frozenset[int] = frozenset()  # reads: there is, and it is inactive
    bare: bool = False  # a 2xx without data is a full answer
    unique: str | None = None  # column that may not repeat in one manifest
    unique_flag: str | None = None  # option that permits repeats of ``unique``
    at_least_one: tuple[str, ...] = ()
    confirm: bool = False  # ask before it starts
    tags: bool = False  # takes custom.* columns
    fixed: Mapping[str, Json] = field(default_factory=dict)  # sent with every row
    texts: frozenset[str] = frozenset()  # an answer without object: the texts that mean success
    mails: bool = False  # the service mails customers for it
    hidden: bool = False  # a stage of a pipeline, no command of its own
    many: bool = False  # the answer is a list: several result rows for a manifest row

    @property
    def name(self) -> str:
        """Resource and verb, as typed: ``identifiers create``."""
        return f"{self.resource} {self.verb}"

    @property
    def slug(self) -> str:
        """The name as part of a file name: ``identifiers-create``."""
        return f"{self.resource}-{self.verb}"

    def column(self, name: str) -> Column | None:
        """The declared column of that name."""
        return next((c for c in self.columns if c.name == name), None)


IDENTIFIER = Noun(
    "identifier",
    (
        ("contact_identifier_name", "name"),
        ("contact_identifier_active", "active"),
        ("contact_uuid", "contact.uuid"),
        ("contact_email", "contact.email"),
    ),
)
_CARD_FIELDS = (
    ("giftcard_uuid", "uuid"),
    ("hash", "hash"),
    ("type", "type"),
    ("amount_in_cents", "amount_in_cents"),
    ("active", "active"),
    ("upgradeable", "upgradeable"),
    ("expiration_date", "expiration_date"),
    ("giftcard_program_uuid", "giftcard_program.uuid"),
    ("giftcard_program_name", "giftcard_program.name"),
    ("url", "url"),
)
GIFTCARD = Noun("giftcard", _CARD_FIELDS)
# A new card always holds 0 cents; leaving the field out lets an own amount_in_cents column reach `load`.
NEW_GIFTCARD = Noun("new giftcard", tuple(f for f in _CARD_FIELDS if f[0] != "amount_in_cents"))
TRANSACTION = Noun(
    "giftcard transaction",
    (("giftcard_transaction_uuid", "uuid"), ("transaction_created_at", "created_at")),
)
MAIL = Noun("mail", ())

_VALUE = Column("contact_identifier_value", "the card number or other code, exactly as scanned", required=True)
_NAME = Column("contact_identifier_name", "a name for the card; the service uses the value where none is given")
_EXPECTED = Column(
    "expected_contact_uuid",
    f'who must hold the card now; "{NOBODY}" says nobody. Another holder: the row is rejected, nothing is sent',
    sent=False,
)
_CONTACT = Column("contact_uuid", "the contact's UUID", required=True)
_GIFTCARD = Column("giftcard_uuid", "the giftcard's UUID", kind=Kind.PATH, required=True)

# 60004 hides owner and name of an inactive card (stated); the list of a contact's cards still shows it.
FIND_IDENTIFIER = Look(
    path="contact-identifiers/find",
    key="contact_identifier_value",
    noun=IDENTIFIER,
    absent_codes=frozenset({60003}),
    hidden_codes=frozenset({60004}),
    inside="contacts/{contact_uuid}/contact-identifiers",
)
_VALUE_ECHO = (("value", "contact_identifier_value"),)

IDENTIFIERS = (
    Operation(
        resource="identifiers",
        verb="find",
        help="Look cards up: name, active state and the contact they belong to.",
        method="GET",
        path="contact-identifiers/find",
        repeat=Repeat.SAFE,
        columns=(_VALUE,),
        noun=IDENTIFIER,
        key="contact_identifier_value",
        repeat_note="does nothing",
        echoes=_VALUE_ECHO,
        absent_codes=frozenset({60003}),
        inactive_codes=frozenset({60004}),
    ),
    Operation(
        resource="identifiers",
        verb="create",
        help="Create cards, each with its contact where the row has one.",
        method="POST",
        path="contact-identifiers",
        repeat=Repeat.GUARDED,
        columns=(_VALUE, Column("contact_uuid", "the contact the card belongs to; blank: nobody yet"), _NAME),
        noun=IDENTIFIER,
        key="contact_identifier_value",
        repeat_note="is refused (60006)",
        echoes=_VALUE_ECHO,
        goal=Goal(owner=Owner.ROW, columns=("contact_identifier_name",)),
        look=FIND_IDENTIFIER,
        already_codes=frozenset({60006}),
        unique="contact_identifier_value",
    ),
    Operation(
        resource="identifiers",
        verb="link",
        help="Give existing, unlinked cards to existing contacts.",
        method="PUT",
        path="contact-identifiers/link",
        repeat=Repeat.GUARDED,
        columns=(_VALUE, _CONTACT),
        noun=IDENTIFIER,
        key="contact_identifier_value",
        repeat_note="is refused (60014)",
        echoes=_VALUE_ECHO,
        goal=Goal(owner=Owner.ROW),
        look=FIND_IDENTIFIER,
        already_codes=frozenset({60014}),
        unique="contact_identifier_value",
        confirm=True,
    ),
    Operation(
        resource="identifiers",
        verb="unlink",
        help="Take cards from the contacts that hold them.",
        method="PUT",
        path="contact-identifiers/unlink",
        repeat=Repeat.GUARDED,
        columns=(_VALUE, _EXPECTED),
        noun=IDENTIFIER,
        key="contact_identifier_value",
        repeat_note="is refused (60011) or does nothing",
        echoes=_VALUE_ECHO,
        goal=Goal(owner=Owner.NOBODY),
        look=FIND_IDENTIFIER,
        before=True,
        already_codes=frozenset({60011}),
        unique="contact_identifier_value",
        confirm=True,
    ),
    Operation(
        resource="identifiers",
        verb="update",
        help="Rename cards, or make them active or inactive.",
        method="PUT",
        path="contact-identifiers",
        repeat=Repeat.GUARDED,
        columns=(
            _VALUE,
            Column("contact_identifier_name", "the new name"),
            Column("contact_identifier_active", "true or false", kind=Kind.FLAG),
            _EXPECTED,
        ),
        noun=IDENTIFIER,
        key="contact_identifier_value",
        repeat_note="does nothing",
        echoes=_VALUE_ECHO,
        goal=Goal(columns=("contact_identifier_name", "contact_identifier_active")),
        look=FIND_IDENTIFIER,
        before=True,
        unique="contact_identifier_value",
        at_least_one=("contact_identifier_name", "contact_identifier_active"),
    ),
    Operation(
        resource="identifiers",
        verb="delete",
        help="Delete cards.",
        method="DELETE",
        path="contact-identifiers",
        repeat=Repeat.GUARDED,
        columns=(_VALUE, _EXPECTED),
        noun=IDENTIFIER,
        key="contact_identifier_value",
        repeat_note="is refused (60003)",
        goal=Goal(exists=False),
        look=FIND_IDENTIFIER,
        before=True,
        bare=True,  # the answer is not documented; null, [], {} and nothing at all have been seen or inferred
        unique="contact_identifier_value",
        confirm=True,
    ),
)

GIFTCARDS = (
    Operation(
        resource="giftcards",
        verb="get",
        help="Look giftcards up by their UUID.",
        method="GET",
        path="giftcards/{giftcard_uuid}",
        repeat=Repeat.SAFE,
        columns=(_GIFTCARD,),
        noun=GIFTCARD,
        key="giftcard_uuid",
        repeat_note="does nothing",
        echoes=(("uuid", "giftcard_uuid"),),
        absent_codes=frozenset({5001}),
    ),
    Operation(
        resource="giftcards",
        verb="find",
        help="Look giftcards up by their hash, the code on the card.",
        method="GET",
        path="giftcards/find-one-by",
        repeat=Repeat.SAFE,
        columns=(Column("hash", "the giftcard's hash or QR code", required=True),),
        noun=GIFTCARD,
        key="hash",
        repeat_note="does nothing",
        echoes=(("hash", "hash"),),
        absent_codes=frozenset({5001}),
    ),
    Operation(
        resource="giftcards",
        verb="create",
        help="Make digital giftcards of 0 cents; `giftcards load` then puts money on them.",
        method="POST",
        path="giftcards",
        repeat=Repeat.ONCE,
        columns=(
            Column("giftcard_program_uuid", "the program the card is made in", required=True),
            Column("type", "1: the service makes digital cards only", kind=Kind.DIGITAL, default="1"),
        ),
        noun=NEW_GIFTCARD,
        key="giftcard_program_uuid",
        repeat_note="makes another card",
        echoes=(("giftcard_program.uuid", "giftcard_program_uuid"),),
        fixed={"type": 1},
        confirm=True,
    ),
    Operation(
        resource="giftcards",
        verb="load",
        help="Put money on giftcards.",
        method="POST",
        path="giftcard-transactions",
        repeat=Repeat.ONCE,
        columns=(
            Column("giftcard_uuid", "the giftcard's UUID", required=True),
            Column("amount_in_cents", "whole cents, more than 0", kind=Kind.CENTS, required=True),
            Column("shop_uuid", "the shop in whose name the money is put on", required=True),
        ),
        noun=TRANSACTION,
        key="giftcard_uuid",
        repeat_note="moves the money again",
        echoes=(("amount_in_cents", "amount_in_cents"), ("card.uuid", "giftcard_uuid"), ("shop.uuid", "shop_uuid")),
        unique="giftcard_uuid",
        unique_flag="allow_repeats",
        confirm=True,
    ),
    Operation(
        resource="giftcards",
        verb="send",
        help="Mail giftcards to contacts.",
        method="POST",
        path="giftcards/{giftcard_uuid}/send-by-email",
        repeat=Repeat.ONCE,
        columns=(
            _GIFTCARD,
            Column("contact_uuid", "the contact the mail goes to", required=True),
            Column("email_uuid", "the e-mail template; blank: the account's own choice"),
        ),
        noun=MAIL,
        key="giftcard_uuid",
        repeat_note="sends a second e-mail",
        unique="giftcard_uuid",
        unique_flag="allow_shared",
        confirm=True,
        tags=True,
        texts=frozenset({"Email successfully sent"}),
        mails=True,
    ),
)

CATALOGUE: tuple[Operation, ...] = (*IDENTIFIERS, *GIFTCARDS)


def find_operation(name: str) -> Operation:
    """The operation of that name (``identifiers create``); KeyError where there is none."""
    for operation in CATALOGUE:
        if operation.name == name:
            return operation
    raise KeyError(name)


def segment(text: str) -> str:
    """``text`` as one percent-encoded segment of a path."""
    return quote(text, safe="")
