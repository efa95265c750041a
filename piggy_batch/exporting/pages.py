"""What an answer about a list shows: a page, or a single object of it. Pure: values in, values out.

A page's ``meta`` comes in four shapes, its numbers sometimes as text, and sometimes as ``[]``, ``{}`` or not at all;
what it lacks is None, and nothing is guessed in its place.
"""

from __future__ import annotations

import hashlib
import json
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from piggy_batch.endpoints.exportable_lists import key_of
from piggy_batch.endpoints.responses import api_code, api_message, classify_status, get_path
from piggy_batch.errors import SetupError
from piggy_batch.models import Answer, Json, Lost

if TYPE_CHECKING:
    from piggy_batch.endpoints.exportable_lists import Listing

INVALID = 1003  # a parameter that the service does not accept
LARGEST = 10**15  # a page, a count or a number of days; what is larger is no number of anything
STORABLE = 2**63 - 1  # the largest whole number that the store takes
Item = tuple[str, int | None, list[Json], Json]  # key, watched number, the columns' values, extra
ItemReader = Callable[[Json], Item | None]  # None: no object, or one without a key


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it was answered. ``items``: each object with a key."""

    number: int  # as asked, 1 = the first
    size: int  # rows a full page holds: as asked, or fewer where meta says so
    items: tuple[Item, ...]
    last_page: int | None
    total: int | None
    nameless: int = 0  # rows without a key, or that are no objects
    flaw: str | None = None  # why it should be asked for again

    @property
    def digest(self) -> str | None:
        """Stands for its keys in their order; None for an empty page."""
        if not self.items:
            return None
        keys = "\0".join([item[0] for item in self.items])
        return hashlib.blake2b(keys.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class ItemReading:
    """What the look-up of a single object says: it is ``deleted``, or its watched number and its text as stored."""

    deleted: bool
    watched: int | None = None
    body: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No page: the service refuses (``code`` or HTTP status), or nothing usable came (``code`` None)."""

    message: str
    code: int | None = None
    http_status: int | None = None


def parse_count(value: Json) -> int | None:
    """A whole number from 0 up, from itself or its decimal text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 18:
        value = int(value)
    return value if isinstance(value, int) and 0 <= value <= LARGEST else None


def refusal_of(answer: Answer) -> Refusal | None:
    """Why an answer holds no data; None where it should."""
    if isinstance(answer, Lost):
        return Refusal(answer.reason)
    common = classify_status(answer)
    if common is not None:
        return Refusal(common.message, common.code, answer.status)
    if answer.status >= 400:
        return Refusal(api_message(answer), api_code(answer), answer.status)
    if not isinstance(answer.body, Mapping) or "data" not in answer.body:
        return Refusal("the answer holds no data")
    return None


def is_past_the_end(
    listing: Listing, label: str, refusal: Refusal, page: int, size: int, least_last_page: int | None
) -> bool:
    """Whether a page is refused because the list ended before it; False: it could not be read.

    SetupError where the refusal says that the command asks for what is not there. ``label``: its filter.
    """
    if refusal.code == INVALID and page > 1 and least_last_page is not None and page > least_last_page:
        return True
    if refusal.code is not None and refusal.code in listing.unknown_codes:
        there = listing.unknown_codes[refusal.code]
        raise SetupError(f"{label}: {refusal.message} ({refusal.code}); see what is there: piggy-batch {there}")
    if refusal.code == INVALID and page == 1:
        raise SetupError(
            f"the service refuses {listing.size_param}={size} or another parameter ({refusal.message}); "
            "try --page-size 30"
        )
    return False


def item_reader(listing: Listing, *, extra: bool) -> ItemReader:
    """What takes an object apart: its key, the watched number, the columns' values, and what no column shows.

    It runs once for every object, so that what can be settled beforehand is settled here.
    """
    heads = [f.path.partition(".")[0] for f in listing.fields]
    deep = [(n, f.path.partition(".")[2]) for n, f in enumerate(listing.fields) if "." in f.path]
    paths = [f.path for f in listing.fields]
    first, *others = listing.key
    pick = itemgetter(*heads, first)  # two or more, so that a tuple comes
    watched_at = paths.index(listing.watch) if listing.watch in paths else None
    known = {path for path in paths if "." not in path}
    nested: dict[str, set[str]] = {}
    for n, tail in deep:
        nested.setdefault(heads[n], set()).add(tail.partition(".")[0])

    def rest(item: dict[str, Json]) -> Json:
        found = {}
        for name, value in item.items():
            if name in known:
                continue
            if name in nested and (value is None or type(value) is dict):
                value = {k: v for k, v in (value or {}).items() if k not in nested[name]}
                if not value:
                    continue
            found[name] = value
        return found or None

    def take(item: Json) -> Item | None:
        if type(item) is not dict:
            return None
        key = item.get(first)
        if type(key) is not str or not key:
            key = key_of(listing, item) if others or key is not None else None
            if key is None:
                return None
        try:
            values = list(pick(item)[:-1])
        except KeyError:
            values = [item.get(head) for head in heads]
        for n, tail in deep:
            inner = values[n]
            values[n] = (inner.get(tail) if "." not in tail else get_path(inner, tail)) if type(inner) is dict else None
        watched = None if watched_at is None else values[watched_at]
        number = watched if type(watched) is int and -STORABLE <= watched <= STORABLE else None
        return key, number, values, rest(item) if extra else None

    return take


def read_page(
    listing: Listing,
    take: ItemReader,
    answer: Answer,
    number: int,
    size: int,
) -> Page | Refusal:
    """The page that an answer holds, checked: the page asked for, no more rows than asked, every row keyed."""
    refusal = refusal_of(answer)
    if refusal is not None or isinstance(answer, Lost):
        return refusal or Refusal("no answer")
    rows = answer.body["data"]
    if not isinstance(rows, list):
        return Refusal("the answer's data is no list")
    meta = answer.body.get("meta")
    meta = meta if isinstance(meta, Mapping) else {}
    last_page, total = parse_count(meta.get("last_page")), parse_count(meta.get("total"))
    echoed = parse_count(meta.get("page", meta.get("current_page")))
    per_page = parse_count(meta.get("per_page", meta.get("limit")))
    if echoed is not None and echoed != number:
        if last_page is not None and number > last_page:
            return Page(number, size, (), last_page, total)  # past the end, and clamped
        return Page(number, size, (), last_page, total, flaw=f"page {number} was asked for, page {echoed} came")
    items = [item for item in map(take, rows) if item is not None]
    nameless = len(rows) - len(items)
    flaw = None
    if nameless:
        flaw = f"{nameless} rows without {' or '.join(listing.key)}"
    elif len(rows) > size:
        flaw = f"{size} rows were asked for, {len(rows)} came"
    return Page(
        number=number,
        size=min(size, per_page) if per_page else size,
        items=tuple(items),
        last_page=last_page,
        total=total,
        nameless=nameless,
        flaw=flaw,
    )


def read_single(
    listing: Listing, take: ItemReader, answer: Answer, key: str, stored: str, group: str | None
) -> ItemReading | None:
    """What the answer to :meth:`Listing.single_request` says of the object ``key``; None where it says nothing.

    ``stored``: the object's text as stored, from which fields are kept that this answer leaves out. ``group``: the
    value of the list's filter; an object that has moved to another group is deleted as far as this list goes.
    """
    refusal = refusal_of(answer)
    if refusal is not None or isinstance(answer, Lost):
        return ItemReading(deleted=True) if refusal is not None and refusal.code in listing.gone_codes else None
    item = answer.body["data"]
    taken = take(item)
    if taken is None or taken[0] != key:
        return None
    if group is not None and listing.group is not None:
        found = get_path(item, listing.group)
        if found is None:
            return None  # the documented short form does not say; only the list itself can
        if found != group:
            return ItemReading(deleted=True)
    _, watched, values, _ = taken
    old, extra = json.loads(stored)
    shown = [new if _has(item, f.path) else before for f, new, before in zip(listing.fields, values, old, strict=True)]
    return ItemReading(deleted=False, watched=watched, body=encode_items([(key, watched, shown, extra)])[0])


def _has(item: Json, path: str) -> bool:
    """Whether an object has something at a path, be it null."""
    *heads, last = path.split(".")
    for part in heads:
        item = item.get(part) if isinstance(item, Mapping) else None
    return isinstance(item, Mapping) and last in item


_CUT = secrets.token_hex(16)  # no object holds this text
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def encode_items(items: Sequence[Item]) -> list[str]:
    """Objects as they are stored, each as JSON text: [columns' values, extra or null].

    They are written in one go and cut apart, which takes less than half the time of one by one.
    """
    row: list[Json] = [_CUT]
    for item in items:
        row += (item[2:], _CUT)
    try:
        text = _encode(row)
    except ValueError:  # NaN, and numbers beyond all bounds: no JSON
        text = _encode(_finite(row))
    return [part[1:-1] for part in text.split(f'"{_CUT}"')[1:-1]]


def _finite(value: Json) -> Json:
    """``value`` with numbers that are none as their text."""
    match value:
        case float():
            return value if math.isfinite(value) else str(value)
        case list() | tuple():
            return [_finite(item) for item in value]
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case _:
            return value
