"""Worker tasks: they share one source; a run ends when the source runs dry and in no other way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

T = TypeVar("T")


async def run_workers(
    source: Iterator[T],
    count: int,
    work: Callable[[T, int], Awaitable[None]],
    on_error: Callable[[BaseException], None],
) -> None:
    """Feed every item of ``source`` to one of ``count`` workers, ``work(item, slot)``.

    Nothing is cancelled: a worker that raises ends alone, after ``on_error`` had the chance to make the
    source run dry; the others land what they hold, and the first error is raised at the end.
    """
    errors: list[BaseException] = []

    async def worker(slot: int) -> None:
        try:
            for item in source:
                await work(item, slot)
        except Exception as error:  # noqa: BLE001 - kept and raised once the others have landed
            errors.append(error)
            on_error(error)

    tasks = [asyncio.ensure_future(worker(slot)) for slot in range(count)]
    await asyncio.gather(*tasks)
    if errors:
        raise errors[0]
