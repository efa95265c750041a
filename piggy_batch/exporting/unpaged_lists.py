"""Lists that the service gives at once, without pages: the giftcard programs, the shops."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import fetch_account
from piggy_batch.endpoints.requests import fill
from piggy_batch.endpoints.responses import api_code, get_path
from piggy_batch.errors import HaltError
from piggy_batch.exporting.page_reader import StoppedError
from piggy_batch.exporting.pages import refusal_of
from piggy_batch.models import Lost, Request
from piggy_batch.runs.context import RunContext, open_session
from piggy_batch.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from piggy_batch.client.session import Session
    from piggy_batch.endpoints.exportable_lists import UnpagedList
    from piggy_batch.models import Json
    from piggy_batch.runs.context import ConnectionOptions

SHOWN = 10  # of what there is, in a message


async def read_unpaged_list(session: Session, which: UnpagedList) -> list[dict[str, Json]] | None:
    """The objects of the list as the service shows them; None where it does not. StoppedError: the run stops."""
    answer = await session.read(which.request, 0, 3)
    if answer is None:
        raise StoppedError
    if isinstance(answer, Lost) or refusal_of(answer) is not None:
        return None
    data = answer.body["data"]
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        return None  # what is left out of a list is missing from it, and nobody would know
    return data


async def fetch_unpaged_list(
    which: UnpagedList, connection: ConnectionOptions, context: RunContext
) -> tuple[dict[str, Any], list[dict[str, Json]]]:
    """The account, and the list's objects by column; HaltError where the service does not show them."""
    session = open_session(connection, context)
    async with session.client:
        account = await fetch_account(session, context.target, None)
        with contextlib.suppress(StoppedError):
            found = await read_unpaged_list(session, which)
            if found is not None:
                return account, [{f.name: get_path(item, f.path) for f in which.fields} for item in found]
    raise HaltError(session.halt_reason or f"{context.target.base_url} does not show the {which.unit}; try again later")


async def explain_missing(session: Session, which: UnpagedList, uuid: str) -> str | None:
    """What the list has, in words, where the service says that it has nothing of that UUID; None where it does not
    say so. StoppedError: the run stops."""
    if which.single is None:
        return None
    answer = await session.read(Request("GET", fill(which.single, {"uuid": uuid})), 0, 3)
    if answer is None:
        raise StoppedError
    if isinstance(answer, Lost) or api_code(answer) not in which.absent_codes:
        return None
    found = await read_unpaged_list(session, which)
    has = f"see piggy-batch {which.name}" if found is None else there_are(which, found)
    return f"this account has no such {which.unit.removesuffix('s')}; {has}"


def there_are(which: UnpagedList, found: Sequence[dict[str, Json]]) -> str:
    """What a list has, in words, and the command that prints it."""
    if not found:
        return f"it has no {which.unit}"
    named = [f"{printable(str(item.get('uuid')))} ({printable(str(item.get('name')))})" for item in found[:SHOWN]]
    more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    return f"it has {', '.join(named)}{more} (piggy-batch {which.name})"
