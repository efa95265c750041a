"""The open rows of a journal through the workers: each takes the next one, and each outcome on disk is counted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from piggy_batch.client.worker_pool import run_workers
from piggy_batch.importing.row_attempt import RowAttempt
from piggy_batch.models import Repeat, Status

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterator

    from piggy_batch.client.session import Session
    from piggy_batch.endpoints import Operation
    from piggy_batch.endpoints.responses import Verdict
    from piggy_batch.importing.options import ExecutionOptions
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.runs.journal import Journal
    from piggy_batch.runs.records import RowState


TALLY_EVERY = 10  # rows
ERRORS = frozenset({Status.REJECTED, Status.FAILED, Status.UNKNOWN})


class RowExecutor:
    """Carries the open rows of one run. ``on_settled`` is told how each ended, once it is on disk."""

    def __init__(
        self,
        binding: Binding,
        journal: Journal,
        session: Session,
        options: ExecutionOptions,
        on_settled: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._binding = binding
        self._operation: Operation = binding.operation
        self._journal = journal
        self._session = session
        self._options = options
        self._on_settled = on_settled
        self._settled = 0
        self._errors = 0
        self._error: Exception | None = None

    async def run(self) -> None:
        """Carry rows until the source runs dry: all done, the limit reached, or a stop."""
        if self._operation.makes is not None:
            self._journal.index_made(self._operation.makes)
        await run_workers(
            self._source(), self._options.concurrency, self._work, lambda _: self._session.stop.set("error")
        )
        await self._tally()
        if self._error is not None:
            raise self._error

    def _source(self) -> Iterator[RowState]:
        options = self._options
        rows = self._journal.queries.open_rows(
            self._journal.run,
            options.statuses_to_take(self._operation.repeat),
            needs_before=self._operation.lookup_before,
            resend=options.resend_unknown,
        )
        taken = 0
        while not self._session.stop and (options.limit is None or taken < options.limit):
            row = next(rows, None)
            if row is None:
                return
            taken += 1
            yield row

    async def _work(self, row: RowState, slot: int) -> None:
        attempt = RowAttempt(
            row,
            self._binding.values(row.cells),
            slot,
            operation=self._operation,
            journal=self._journal,
            session=self._session,
            options=self._options,
        )
        verdict = await attempt.carry()
        if verdict is None:
            await attempt.put_back()
            return
        status, written = attempt.write_outcome(verdict)
        if self._operation.repeat is Repeat.SAFE or written.done():
            await written
            self._count(status, verdict)
        else:
            # The worker's next intent waits for the same commit, so a row costs one wait for the disk, not two.
            written.add_done_callback(partial(self._written, status, verdict))

    def _written(self, status: Status, verdict: Verdict, done: asyncio.Future[None]) -> None:
        if done.exception() is not None:
            return  # the next write meets the same error, at the latest the one that ends the run
        try:
            self._count(status, verdict)
        except Exception as error:  # noqa: BLE001 - kept and raised once the requests under way have ended
            self._error = self._error or error
            self._session.stop.set("error")

    def _count(self, status: Status, verdict: Verdict) -> None:
        """A row's outcome is on disk: now it counts."""
        made_good = self._options.made_good(verdict) if self._options.made_good and status in ERRORS else None
        self._on_settled(made_good or status.value)
        self._settled += 1
        if self._settled % TALLY_EVERY == 0:
            self._tally(may_wait=True)
        self._errors += status in ERRORS and made_good is None
        self._check_error_limits()

    def _tally(self, *, may_wait: bool = False) -> Awaitable[None]:
        tally = self._session.tally
        return self._journal.tally(tally.sent, tally.retried, tally.throttled, may_wait=may_wait)

    def _check_error_limits(self) -> None:
        options = self._options
        if options.max_errors is not None and self._errors >= options.max_errors:
            self._session.halt(
                f"{self._errors} rows were rejected, failed or unknown (--max-errors {options.max_errors})"
            )
        share = options.max_errors_percent
        if share is not None and self._settled >= 100 and self._errors * 100 >= share * self._settled:
            self._session.halt(
                f"{self._errors} of {self._settled} rows were rejected, failed or unknown (--max-errors {share:g}%)"
            )
