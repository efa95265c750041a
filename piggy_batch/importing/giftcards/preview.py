"""The machine of a dry run that looks: which giftcards of a manifest had better not be mailed. Read-only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from piggy_batch.client.worker_pool import run_workers
from piggy_batch.endpoints import find_operation
from piggy_batch.endpoints.requests import build
from piggy_batch.endpoints.responses import ResponseAction
from piggy_batch.importing.response_rules import judge_response
from piggy_batch.models import Reply, Status
from piggy_batch.text import parse_moment, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.client.session import Session
    from piggy_batch.importing.options import ExecutionOptions
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.models import Json
    from piggy_batch.runs.journal_queries import JournalQueries
    from piggy_batch.runs.records import RowState

SHOWN = 3  # examples of each warning

_WORDS = {
    "absent": "do not exist",
    "empty": "hold 0 cents: load them first",
    "expired": "are expired",
    "inactive": "are inactive",
    "unseen": "could not be looked up",
}


@dataclass(slots=True)
class _Found:
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, entry: RowState, uuid: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        shown = self.examples.setdefault(kind, [])
        if len(shown) < SHOWN:
            shown.append(f"{printable(uuid)} (row {entry.number}, line {entry.line})")


async def warn_about_giftcards(
    journal: JournalQueries, binding: Binding, session: Session, options: ExecutionOptions
) -> tuple[str, ...]:
    """Look up the giftcard of every row still to be sent, or of the first ``options.limit``; what to know of them,
    one line for each kind of trouble."""
    get = find_operation("giftcards get")
    found = _Found()
    now = datetime.fromtimestamp(session.clock.wall(), UTC)

    async def work(entry: RowState, slot: int) -> None:
        uuid = binding.values(entry.cells)["giftcard_uuid"]
        values = {"giftcard_uuid": uuid}
        answer = await session.read(build(get, values), slot, options.attempts)
        if answer is None:
            return
        verdict = judge_response(get, values, answer)
        if verdict.status is Status.ABSENT:
            found.add("absent", entry, uuid)
        elif (
            verdict.call is not ResponseAction.SETTLE
            or verdict.status is not Status.DONE
            or not isinstance(answer, Reply)
        ):
            found.add("unseen", entry, uuid)
        else:
            for kind in troubles(verdict.kept, now):
                found.add(kind, entry, uuid)

    entries = (e for e in journal.all_rows() if e.status in (Status.PENDING, Status.FAILED) and not session.stop)
    await run_workers(islice(entries, options.limit), options.concurrency, work, lambda _: session.stop.set("error"))
    return tuple(
        f"warning: {found.counts[kind]:,} giftcards {words}: {', '.join(found.examples[kind])}"
        for kind, words in _WORDS.items()
        if kind in found.counts
    )


def troubles(card: Mapping[str, Json], now: datetime) -> list[str]:
    """Why a card had better not be mailed at ``now``; [] for a good one."""
    kinds = []
    if card.get("amount_in_cents") == 0:
        kinds.append("empty")
    expires = card.get("expiration_date")
    moment = parse_moment(expires) if isinstance(expires, str) else None
    if moment is not None and moment <= now:
        kinds.append("expired")
    if card.get("active") is False:
        kinds.append("inactive")
    return kinds
