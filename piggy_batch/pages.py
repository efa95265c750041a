"""What a list's answer shows: pure, values in and values out.

Meta comes in four shapes, its numbers sometimes as text, and sometimes as ``[]``, ``{}`` or not at all; what
it lacks is None, and nothing is guessed in its place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from piggy_batch.listings import at, key_of
from piggy_batch.model import Answer, Json, Lost
from piggy_batch.verdict import api_code, api_message, judge_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from piggy_batch.listings import Listing


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it was answered. ``items``: (key, watched number, values, extra) of each object with a key."""

    number: int  # as asked, 1 = the first
    size: int  # rows a full page holds: as asked, or fewer where meta says so
    items: tuple[tuple[str, int | None, list[Json], Json], ...]
    last_page: int | None
    total: int | None
    nameless: int = 0  # rows without a key, or that are no objects
    flaw: str | None = None  # why it should be asked for again

    @property
    def digest(self) -> str | None:
        """Stands for its keys in their order; None for an empty page."""
        if not self.items:
            return None
        keys = "\0".join(item[0] for item in self.items)
        return hashlib.blake2b(keys.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Refusal:
    """No page: the service refuses (``code`` or HTTP status), or nothing usable came (``code`` None)."""

    message: str
    code: int | None = None
    http_status: int | None = None


def whole(value: Json) -> int | None:
    """A whole number from 0 up, from itself or its decimal text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 18:
        value = int(value)
    return value if isinstance(value, int) and value >= 0 else None


def refusal_of(answer: Answer) -> Refusal | None:
    """Why an answer holds no data; None where it should."""
    if isinstance(answer, Lost):
        return Refusal(answer.reason)
    common = judge_status(answer)
    if common is not None:
        return Refusal(common.message, common.code, answer.status)
    if answer.status >= 400:
        return Refusal(api_message(answer), api_code(answer), answer.status)
    if not isinstance(answer.body, Mapping) or "data" not in answer.body:
        return Refusal("the answer holds no data")
    return None


def reader(listing: Listing, *, extra: bool) -> Callable[[Json], tuple[int | None, list[Json], Json]]:
    """What takes an object apart: the watched number, the columns' values, and what no column shows."""
    paths = [f.path for f in listing.fields]
    split = [path.partition(".") for path in paths]
    plain = [(head, None if not dot else tail) for head, dot, tail in split]
    known = {path for path in paths if "." not in path}
    nested: dict[str, set[str]] = {}
    for head, dot, tail in split:
        if dot:
            nested.setdefault(head, set()).add(tail)
    watch = listing.watch

    def rest(item: Mapping[str, Json]) -> Json:
        found = {}
        for name, value in item.items():
            if name in known:
                continue
            if name in nested:
                shown = nested[name]
                value = {k: v for k, v in value.items() if k not in shown} if isinstance(value, Mapping) else value
                if value in ({}, None):
                    continue
            found[name] = value
        return found or None

    def take(item: Mapping[str, Json]) -> tuple[int | None, list[Json], Json]:
        values = []
        for head, tail in plain:
            value = item.get(head)
            values.append(value if tail is None else (None if value is None else at(value, tail)))
        watched = at(item, watch) if watch else None
        number = watched if isinstance(watched, int) and not isinstance(watched, bool) else None
        return number, values, rest(item) if extra else None

    return take


def read_page(
    listing: Listing,
    take: Callable[[Json], tuple[int | None, list[Json], Json]],
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
    last_page, total = whole(meta.get("last_page")), whole(meta.get("total"))
    echoed = whole(meta.get("page", meta.get("current_page")))
    per_page = whole(meta.get("per_page", meta.get("limit")))
    if echoed is not None and echoed != number:
        if last_page is not None and number > last_page:
            return Page(number, size, (), last_page, total)  # past the end, and clamped
        return Page(number, size, (), last_page, total, flaw=f"page {number} was asked for, page {echoed} came")
    items, nameless = [], 0
    for row in rows:
        key = key_of(listing, row) if isinstance(row, Mapping) else None
        if key is None:
            nameless += 1
        else:
            items.append((key, *take(row)))
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


def payload(page: Page) -> str:
    """A page's objects as JSON text for the store: [[key, watched, values, extra or null], …]."""
    return json.dumps(page.items, separators=(",", ":"))
