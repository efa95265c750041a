"""The account's giftcard programs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import fetch_account
from piggy_batch.endpoints.listings import PROGRAM_FIELDS, PROGRAMS
from piggy_batch.endpoints.responses import get_path
from piggy_batch.errors import HaltError
from piggy_batch.exporting.page_reader import StoppedError
from piggy_batch.exporting.pages import refusal_of
from piggy_batch.models import Lost
from piggy_batch.runs.context import RunContext, open_session

if TYPE_CHECKING:
    from piggy_batch.client.session import Session
    from piggy_batch.exporting.options import ExportOptions
    from piggy_batch.models import Json


async def read_programs(session: Session) -> list[dict[str, Json]] | None:
    """The account's giftcard programs as the service shows them; None where it does not. StoppedError: the run
    stops."""
    answer = await session.read(PROGRAMS, 0, 3)
    if answer is None:
        raise StoppedError
    if isinstance(answer, Lost) or refusal_of(answer) is not None:
        return None
    data = answer.body["data"]
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else None


async def programs(options: ExportOptions, context: RunContext) -> tuple[dict[str, Any], list[dict[str, Json]]]:
    """The account, and its giftcard programs by column; HaltError where the service does not show them."""
    session = open_session(options.connection, context)
    async with session.client:
        account = await fetch_account(session, context.target, None)
        with contextlib.suppress(StoppedError):
            found = await read_programs(session)
            if found is not None:
                return account, [{f.name: get_path(item, f.path) for f in PROGRAM_FIELDS} for item in found]
    raise HaltError(
        session.halt_reason or f"{context.target.base_url} does not show the giftcard programs; try again later"
    )
