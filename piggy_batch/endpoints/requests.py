"""From a row to the request that carries it out, or that looks it up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from piggy_batch.endpoints import Lookup, Operation, segment
from piggy_batch.endpoints.cells import check_cell, parse_cell
from piggy_batch.models import Json, Kind, Request

if TYPE_CHECKING:
    from collections.abc import Mapping


def build(operation: Operation, values: Mapping[str, str]) -> Request:
    """The request that carries a checked row out. DELETE names its thing in query and body, as the
    vendor's SDK and the documentation disagree on the place."""
    query: dict[str, str] = {}
    body: dict[str, Json] = dict(operation.fixed)
    for column in operation.columns:
        text = values.get(column.name)
        if text is None or not column.sent or f"{{{column.name}}}" in operation.path:
            continue
        value = parse_cell(column.kind, text)
        body[column.name] = value
        query[column.name] = str(value)
    free = operation.open_columns
    if free is not None and any(map(free.has, values)):
        body[free.body] = {free.sent_name(name): text for name, text in values.items() if free.has(name)}
    path = fill(operation.path, values)
    match operation.method:
        case "GET":
            return Request("GET", path, query=query)
        case "DELETE":
            return Request("DELETE", path, query=query, body=body, alone=operation.sent_alone)
        case _:
            return Request(operation.method, path, body=body, alone=operation.sent_alone)


def look_request(look: Lookup, values: Mapping[str, str]) -> Request:
    """The read that shows the row's thing."""
    if f"{{{look.key}}}" in look.path:
        return Request("GET", fill(look.path, values))
    return Request("GET", look.path, query={look.key: values[look.key]})


def inside_request(look: Lookup, contact_uuid: str) -> Request | None:
    """The list of one contact's things; None where the look has none or the UUID cannot be sent."""
    if look.inside is None or check_cell(Kind.PATH, contact_uuid) is not None:
        return None
    return Request("GET", fill(look.inside, {"contact_uuid": contact_uuid}))


def fill(path: str, values: Mapping[str, str]) -> str:
    """``path`` with every {column} replaced by the row's percent-encoded cell."""
    if "{" not in path:
        return path
    return re.sub(r"\{(\w+)\}", lambda m: segment(values[m[1]]), path)
