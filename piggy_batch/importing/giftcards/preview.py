"""What a dry run looks up: which giftcards of a manifest had better be left out. Read-only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from piggy_batch.client.worker_pool import run_workers
from piggy_batch.endpoints import CardTrouble, find_operation
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
    CardTrouble.EMPTY: "hold 0 cents: load them first",
    CardTrouble.LOADED: "take no more money: the service refuses to load them (5006)",
    CardTrouble.EXPIRED: "are expired",
    CardTrouble.INACTIVE: "are inactive",
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
                if kind in binding.operation.preview:
                    found.add(kind, entry, uuid)

    entries = (e for e in journal.all_rows() if e.status in (Status.PENDING, Status.FAILED) and not session.stop)
    await run_workers(islice(entries, options.limit), options.concurrency, work, lambda _: session.stop.set("error"))
    return tuple(
        f"warning: {found.counts[kind]:,} giftcards {words}: {', '.join(found.examples[kind])}"
        for kind, words in _WORDS.items()
        if kind in found.counts
    )


def troubles(card: Mapping[str, Json], now: datetime) -> list[CardTrouble]:
    """What is the matter with a card at ``now``; [] for a good one."""
    expires = card.get("expiration_date")
    moment = parse_moment(expires) if isinstance(expires, str) else None
    found = {
        CardTrouble.EMPTY: card.get("amount_in_cents") == 0,
        CardTrouble.LOADED: card.get("upgradeable") is False,
        CardTrouble.EXPIRED: moment is not None and moment <= now,
        CardTrouble.INACTIVE: card.get("active") is False,
    }
    return [trouble for trouble, is_so in found.items() if is_so]
