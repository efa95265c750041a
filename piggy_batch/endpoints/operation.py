"""What an operation is: one value that declares one kind of manifest row. Nothing here knows which there are: they
stand in identifiers.py, giftcards.py, contacts.py and prepaid.py, and a new one is added there."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from piggy_batch.models import Json, Kind, Repeat, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

NOBODY = "none"  # the word by which expected_contact_uuid says that nobody holds the card

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
    expects: str | None = None  # result column that must hold this before anything is sent; the column is a safeguard


@dataclass(frozen=True, slots=True)
class OpenColumns:
    """Manifest columns of any number whose names begin with a prefix; a row's are sent together, as one object."""

    prefix: str
    help: str
    body: str  # the name under which the object is sent
    keeps_prefix: bool = False  # whether its names are sent with the prefix
    required: bool = False  # a row must have at least one
    shown_in: str | None = None  # path in the answer of the flat map that shows the values

    def has(self, name: str) -> bool:
        """Whether a column is one of these."""
        return name.startswith(self.prefix) and len(name) > len(self.prefix)

    def sent_name(self, name: str) -> str:
        """The name under which a column's value is sent."""
        return name if self.keeps_prefix else name.removeprefix(self.prefix)


@dataclass(frozen=True, slots=True)
class ResponseFields:
    """What an answer is about: result columns and where the answer has them (dotted paths).

    ``owner``, ``owner_email``, ``label``, ``active``: which of the columns tell who holds the thing, what it is
    called, and whether it is active; None where the thing has none. ``state``: the columns of which a change shows
    that somebody has changed the thing.
    """

    name: str
    fields: tuple[tuple[str, str], ...]  # (result column, path in the answer's data)
    owner: str | None = None
    owner_email: str | None = None
    label: str | None = None
    active: str | None = None
    state: tuple[str, ...] = ()

    def path(self, column: str) -> str:
        """Where an answer's data has a column."""
        return dict(self.fields)[column]


class OwnerRule(StrEnum):
    """Whom a card must belong to for a row to be as asked."""

    ANY = "any"  # the row says nothing about the owner
    ROW = "row"  # whom the row's cell of the noun's owner column names; nobody where it is blank
    NOBODY = "nobody"


class StartState(StrEnum):
    """How a thing stands for as long as a row's request has left no trace."""

    ABSENT = "absent"  # it does not exist
    UNOWNED = "unowned"  # it exists, active, and nobody holds it
    OTHERWISE = "otherwise"  # it exists, and is not as asked: the request sets that, whatever was there


@dataclass(frozen=True, slots=True)
class DesiredState:
    """The state of the thing once a row is carried out, as far as a look can show it."""

    exists: bool = True
    owner: OwnerRule = OwnerRule.ANY
    active: bool = False  # the thing must be active, whatever the row says
    columns: tuple[str, ...] = ()  # result columns that must equal the row's cell of the same name


@dataclass(frozen=True, slots=True)
class Lookup:
    """A read that shows the state of a row's thing. ``key`` is the manifest column looked up: sent in the query, or
    percent-encoded into ``path`` where that has {key column}."""

    path: str
    key: str
    key_path: str  # where the answer's data repeats the key
    noun: ResponseFields
    absent_codes: frozenset[int]  # the thing does not exist
    hidden_codes: frozenset[int] = frozenset()  # it exists, inactive, and the service shows nothing more
    inside: str | None = None  # list of one contact's things, used where ``path`` hides; {contact_uuid}
    activate: str | None = None  # what makes an inactive thing active, in words
    open_columns: OpenColumns | None = None  # whose values the answer shows too


class CardTrouble(StrEnum):
    """Why a giftcard had better be left out of a manifest, as far as the card itself shows it."""

    EMPTY = "empty"
    LOADED = "loaded"  # it takes no more money
    EXPIRED = "expired"
    INACTIVE = "inactive"


class UndoSource(StrEnum):
    """Where a cell of an undo manifest comes from."""

    ROW = "row"  # the row's own cell
    BEFORE = "before"  # what a look showed before anything was sent
    AFTER = "after"  # what stands there since: as the answer showed it, else as the row asked for, else as before


@dataclass(frozen=True, slots=True)
class UndoCell:
    """One cell of an undo manifest."""

    column: str  # of the command that takes the row back
    source: UndoSource
    field: str  # the row's column, or the result column
    where_given: bool = False  # only where the row gave that field; what it left alone is not set back


@dataclass(frozen=True, slots=True)
class UndoStep:
    """A command that takes a row back, alone or after the steps before it."""

    command: str
    cells: tuple[UndoCell, ...]
    where_inactive: bool = False  # only for a thing that was inactive before


@dataclass(frozen=True, slots=True)
class Waiver:
    """The option that permits repeats of an operation's ``unique`` column."""

    option: Literal["allow_repeats", "allow_shared"]
    help: str
    refusal: str  # why a repeat is refused without it
    warning: str | None = None  # what to know when it is given
    once_with: str | None = None  # column: even so, ``unique`` may stand once only beside each of its values


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
    noun: ResponseFields
    key: str  # the column that names the thing
    repeat_note: str  # what a second identical request does, in words
    effect: str = ""  # what rows have done once they are carried out, in words, where undo cannot take it back
    undo: tuple[UndoStep, ...] = ()  # what takes a row back, in this order; none: nothing does
    echoes: tuple[tuple[str, str], ...] = ()  # (path in the answer, column) that must agree
    goal: DesiredState | None = None
    look: Lookup | None = None
    lookup_before: bool = False  # look before the first send and journal what was there
    start: StartState | None = None  # None: only such a look tells
    needs_active: bool = False  # refused for an inactive thing
    already_codes: frozenset[int] = frozenset()  # "is so already": final only after a look
    absent_codes: frozenset[int] = frozenset()  # reads: there is no such thing
    inactive_codes: frozenset[int] = frozenset()  # reads: there is, and it is inactive
    empty_answer_ok: bool = False  # a 2xx without data is a full answer
    unique: str | None = None  # column that may not repeat in one manifest
    waiver: Waiver | None = None  # what permits repeats of ``unique``
    at_least_one: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()  # columns of which a manifest feeds one: the first that it has
    open_columns: OpenColumns | None = None
    confirm: bool = False  # ask before it starts
    confirm_above: int | None = None  # rows; ask on a terminal before more of them without a plan or a pilot before
    fixed: Mapping[str, Json] = field(default_factory=dict)  # sent with every row
    success_texts: frozenset[str] = frozenset()  # an answer without object: the texts that mean success
    makes: str | None = None  # result column with the UUID of a thing that each answer has newly made
    made_from: str | None = None  # column with the UUID of a thing of the same kind, which the new one is not
    mails: bool = False  # the service mails customers for it
    preview: tuple[CardTrouble, ...] = ()  # a dry run looks the giftcards up and warns of those in such trouble
    notes: tuple[str, ...] = ()  # what the plan says that the service's own pages say of it
    advice: Mapping[int, str] = field(default_factory=dict)  # a refusal's code -> what is behind it, in words
    baseline: bool = False  # record what is there before the first request, so that rows in doubt can be settled
    hidden: bool = False  # a stage of a pipeline, no command of its own
    returns_list: bool = False  # the answer is a list: several result rows for a manifest row
    verify: bool = False  # what a look shows is compared with the row's own columns
    owner_column: str | None = None  # column that tells two owners of one ``unique`` apart, for messages

    @property
    def name(self) -> str:
        """Resource and verb, as typed: ``identifiers create``."""
        return f"{self.resource} {self.verb}".rstrip()

    @property
    def slug(self) -> str:
        """The name as part of a file name: ``identifiers-create``."""
        return f"{self.resource}-{self.verb}".rstrip("-")

    @property
    def sent_alone(self) -> bool:
        """Whether each row goes over a connection of its own, as the answer to another request, taken for the row's,
        would do harm that no look finds: a success does not name its row, or a refusal lets it be carried out again."""
        return self.repeat is Repeat.ONCE or self.empty_answer_ok or bool(self.success_texts)

    @property
    def safeguards(self) -> tuple[Column, ...]:
        """The columns that say what must be so before anything is sent."""
        return tuple(c for c in self.columns if c.expects is not None)

    def column(self, name: str) -> Column | None:
        """The declared column of that name."""
        return next((c for c in self.columns if c.name == name), None)


def segment(text: str) -> str:
    """``text`` as one percent-encoded segment of a path."""
    return quote(text, safe="")
