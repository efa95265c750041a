"""The nouns of the program: frozen values and closed sets that every floor shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = Any  # a decoded JSON value: None, bool, int, float, str, list or dict


class Status(StrEnum):
    """What becomes of a manifest row: exactly one of these."""

    INVALID = "invalid"  # fails the manifest check; never sent
    PENDING = "pending"  # not sent yet
    DONE = "done"  # carried out by this run and shown so; for reads: answered
    ALREADY = "already"  # was so before this run, confirmed by a look
    ABSENT = "absent"  # reads only: the service says there is no such thing
    REJECTED = "rejected"  # refused; the same row would be refused again
    FAILED = "failed"  # certainly not carried out; sending it again may help
    UNKNOWN = "unknown"  # may have been carried out; no usable answer


class Proof(StrEnum):
    """What a settled outcome rests on."""

    ANSWER = "answer"  # the answer to the row's own request
    LOOK = "look"  # a look-up after an answer was lost, or before anything was sent


class Repeat(StrEnum):
    """What a second identical request does."""

    SAFE = "safe"  # nothing: it only reads
    GUARDED = "guarded"  # nothing, or it is refused
    ONCE = "once"  # it happens again: a second card, a second mail, money moved twice


class Kind(StrEnum):
    """How a column's text becomes the value that is sent."""

    TEXT = "text"  # any text, unchanged
    NAME = "name"  # any text, unchanged; the service may keep it without outer space, or in another Unicode form
    PATH = "path"  # text that stands in a URL's path
    FLAG = "flag"  # true/false, 1/0, yes/no
    CENTS = "cents"  # a whole, positive number of cents
    CREDITS = "credits"  # a whole, positive number of loyalty credits
    BALANCE = "balance"  # a whole number of loyalty credits as lists have it: 0 for none
    DIGITAL = "digital"  # the giftcard type: 1 or DIGITAL
    DELETION = "deletion"  # how a contact is deleted: DEFAULT or GDPR
    EMAIL = "email"  # an e-mail address


@dataclass(frozen=True, slots=True)
class Row:
    """One manifest row. ``values`` maps field names to cell text; blank optional cells are left out."""

    number: int  # 1 = first row under the header
    line: int  # the line an editor shows; a sheet's row for workbooks
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be sent."""

    row: int
    line: int
    column: str | None  # None: the row as a whole
    message: str
    reason: str = ""  # the same for all rows of which the same is to be said; "": the message

    @property
    def with_column(self) -> str:
        """The message for a report that names the row beside it."""
        return f"{self.column}: {self.message}" if self.column else self.message

    def __str__(self) -> str:
        where = f"row {self.row} (line {self.line})"
        return f"{where}, {self.column}: {self.message}" if self.column else f"{where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. ``path`` is relative to the API's client prefix and already percent-encoded.

    ``alone``: it is sent over a connection that has carried no other request, so that no other's answer can be taken
    for its own.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Json] | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer that arrived whole."""

    status: int
    body: Json  # decoded JSON; None where it is none
    is_json: bool
    wait_s: float | None = None  # what Retry-After asks for
    location: str | None = None  # where a redirect points
    text: str = ""  # the first characters of a body that is no JSON, for messages
    limit: int | None = None  # X-RateLimit-Limit
    remaining: int | None = None  # X-RateLimit-Remaining
    from_cache: bool = False  # a cache has answered, with what was so at another moment
    elapsed_s: float = 0.0
    shared: bool = False  # it came over a connection that had carried another request before


@dataclass(frozen=True, slots=True)
class Lost:
    """No whole answer. ``sent`` is False only where the request cannot have reached the server."""

    reason: str
    sent: bool
    is_local: bool = False  # this machine opens no more files, connections among them: nobody else's fault


Answer = Reply | Lost
