"""The machine of rows: carries each open row of a journal through intent, request, verdict and outcome."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from piggy_batch.client.retry import backoff_s
from piggy_batch.client.session import MAX_OUTAGE_RESETS, PING_AFTER_FAILURES, Session
from piggy_batch.client.worker_pool import run_workers
from piggy_batch.endpoints import NOBODY, Operation, OwnerRule
from piggy_batch.endpoints.requests import build, inside_request, look_request
from piggy_batch.endpoints.responses import ResponseAction, Verdict
from piggy_batch.importing.lookup_rules import (
    ObservedState,
    decide_after_lookup,
    decide_before_send,
    read_contact_list,
    read_lookup,
)
from piggy_batch.importing.response_rules import judge_response
from piggy_batch.importing.verification.verify import verify_row
from piggy_batch.models import Lost, Proof, Repeat, Request, Status
from piggy_batch.runs.group_commit import PATIENCE_S
from piggy_batch.runs.records import Outcome, RowState

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from piggy_batch.importing.options import ExecutionOptions
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.runs.journal import Journal


TALLY_EVERY = 10  # rows
BAD = frozenset({Status.REJECTED, Status.FAILED, Status.UNKNOWN})


@dataclass(slots=True)
class RowAttempt:
    """One row on its way; changed only by the worker that holds it."""

    entry: RowState
    values: Mapping[str, str]
    request: Request
    doubt: bool  # sent, and no usable answer
    before: ObservedState | None
    intended: bool = False  # the journal holds an intent of this invocation
    tries: int = 0  # that ended without a usable answer
    sends: int = 0
    outages: int = 0  # the courier's count when the tries began
    excuses: int = 0  # how often an outage has wiped out its tries
    walled_since: float | None = None  # when throttling or maintenance began to hold this row up


class RowExecutor:
    """Carries the open rows of one run. ``on_settled`` is told each status once it is on disk."""

    def __init__(
        self,
        binding: Binding,
        journal: Journal,
        session: Session,
        terms: ExecutionOptions,
        on_settled: Callable[[Status], None] = lambda _: None,
    ) -> None:
        self._binding = binding
        self._operation: Operation = binding.operation
        self._journal = journal
        self._session = session
        self._terms = terms
        self._on_settled = on_settled
        self._settled = 0
        self._bad = 0
        self._error: Exception | None = None

    async def run(self) -> None:
        """Carry rows until the source runs dry: all done, the limit reached, or a stop."""
        await run_workers(
            self._source(), self._terms.concurrency, self._work, lambda _: self._session.stop.set("error")
        )
        await self._tally()
        if self._error is not None:
            raise self._error

    def _source(self) -> Iterator[RowState]:
        terms = self._terms
        takes = {
            Status.PENDING: True,
            Status.FAILED: True,
            Status.REJECTED: terms.retry_rejected,
            Status.UNKNOWN: terms.resend_unknown or self._operation.repeat is not Repeat.ONCE,
        }
        entries = self._journal.open_rows(
            takes, needs_before=self._operation.lookup_before, resend=terms.resend_unknown
        )
        taken = 0
        while not self._session.stop and (terms.limit is None or taken < terms.limit):
            entry = next(entries, None)
            if entry is None:
                return
            taken += 1
            yield entry

    async def _work(self, entry: RowState, slot: int) -> None:
        values = self._binding.values(entry.cells)
        way = RowAttempt(
            entry=entry,
            values=values,
            request=build(self._operation, values),
            doubt=entry.status is Status.UNKNOWN,
            before=ObservedState.from_json(entry.before) if entry.before and entry.status is Status.UNKNOWN else None,
            outages=self._session.outages,
        )
        verdict = await self._carry(way, slot)
        if verdict is None:
            await self._put_back(way)
        else:
            await self._settle(way, verdict)

    async def _put_back(self, way: RowAttempt) -> None:
        """The run stops: a row in doubt stays so, any other is pending again."""
        if way.intended and not way.doubt:
            await self._journal.withdraw(way.entry.number)
            way.intended = False

    async def _settle(self, way: RowAttempt, verdict: Verdict) -> None:
        status = verdict.status or Status.UNKNOWN
        fate = Outcome(
            number=way.entry.number,
            status=status,
            attempts=way.entry.attempts + way.sends,
            finished_at=self._session.clock.wall(),
            before=way.before.to_json() if way.before else None,
            proof=verdict.proof if status in (Status.DONE, Status.ALREADY, Status.ABSENT) else None,
            http_status=verdict.http_status,
            code=verdict.code,
            message=verdict.message,
            kept=verdict.kept,
        )
        # An outcome that a kill takes away is looked up again; where no look can tell, it must not wait.
        may_wait = self._operation.repeat is Repeat.GUARDED
        written = self._journal.settled(fate, may_wait=may_wait)
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
        except Exception as error:  # noqa: BLE001 - kept and raised once what is in the air has landed
            self._error = self._error or error
            self._session.stop.set("error")

    def _count(self, status: Status, verdict: Verdict) -> None:
        """A row's outcome is on disk: now it counts."""
        self._on_settled(status)
        self._settled += 1
        if self._settled % TALLY_EVERY == 0:
            self._tally(may_wait=True)
        excused = self._terms.excused is not None and self._terms.excused(verdict)
        self._bad += status in BAD and not excused
        self._weigh_errors()

    def _tally(self, *, may_wait: bool = False) -> Awaitable[None]:
        tally = self._session.tally
        return self._journal.tally(tally.sent, tally.retried, tally.throttled, may_wait=may_wait)

    def _weigh_errors(self) -> None:
        terms = self._terms
        if terms.max_errors is not None and self._bad >= terms.max_errors:
            self._session.halt(f"{self._bad} rows were rejected, failed or unknown (--max-errors {terms.max_errors})")
        share = terms.max_errors_percent
        if share is not None and self._settled >= 100 and self._bad * 100 >= share * self._settled:
            self._session.halt(
                f"{self._bad} of {self._settled} rows were rejected, failed or unknown (--max-errors {share:g}%)"
            )

    # --- the way of one row --------------------------------------------------------------------------

    async def _carry(self, way: RowAttempt, slot: int) -> Verdict | None:
        """The row's outcome; None: the run stops, put the row back."""
        if self._operation.verify:
            way.sends += 1
            return await verify_row(self._session, way.values, slot, self._terms.attempts)
        while True:
            early = await self._before_sending(way, slot)
            if early is None or early.call is not ResponseAction.RETRY:
                return early
            verdict = await self._send(way, slot)
            if verdict is None:
                return None
            final = await self._decide(way, verdict, slot)
            if final is None or final.call is ResponseAction.SETTLE:
                return final
            if self._walled(way, final):
                return None
            if final.call is ResponseAction.RETRY and await self._session.stop.wait(self._pause_s(way)):
                return None
            self._session.tally.retried += 1

    def _walled(self, way: RowAttempt, verdict: Verdict) -> bool:
        """Halt where throttling or maintenance holds one row up for too long, though others get through."""
        if verdict.call is not ResponseAction.THROTTLED:
            way.walled_since = None
            return False
        way.walled_since = self._session.blocked_since(way.walled_since, verdict)
        return bool(self._session.stop)

    def _pause_s(self, way: RowAttempt) -> float:
        return backoff_s(max(1, way.tries), self._session.rng)

    async def _before_sending(self, way: RowAttempt, slot: int) -> Verdict | None:
        """RETRY: send; SETTLE: a look has settled it; None: the run stops."""
        go = Verdict(ResponseAction.RETRY)
        if way.doubt:
            return await self._resolve_doubt(way, slot) if self._can_look(way) else go
        if self._operation.lookup_before and (self._terms.look_before or "expected_contact_uuid" in way.values):
            seen = await self._fetch_state(way, slot)
            if seen is None:
                return None
            if isinstance(seen, Verdict):
                refused = seen.call in (ResponseAction.SETTLE, ResponseAction.FORBIDDEN, ResponseAction.NOT_FROM_API)
                status = Status.REJECTED if refused else Status.FAILED
                return replace(seen, call=ResponseAction.SETTLE, status=status, message=f"nothing sent: {seen.message}")
            way.before = seen
            return decide_before_send(self._operation, way.values, seen) or go
        return go

    def _can_look(self, way: RowAttempt) -> bool:
        return self._operation.look is not None and (way.before is not None or not self._operation.lookup_before)

    async def _send(self, way: RowAttempt, slot: int) -> Verdict | None:
        """Intent on disk, then the request, then what its answer means."""
        session = self._session
        approach = await session.limiter.approach()
        try:
            if session.stop:
                return None
            if self._operation.repeat is not Repeat.SAFE:
                before = way.before.to_json() if way.before else None
                attempts = way.entry.attempts + way.sends + 1
                soon = approach.early_s < 2 * PATIENCE_S
                await self._journal.sent(way.entry.number, attempts, session.clock.wall(), before, may_wait=not soon)
                way.intended = True
            answer = await session.send(way.request, slot, approach.acquire)
        finally:
            approach.leave()
        if answer is None:
            return None
        way.sends += 1
        verdict = judge_response(self._operation, way.values, answer)
        if verdict.call in (ResponseAction.RETRY, ResponseAction.THROTTLED):
            if isinstance(answer, Lost):
                way.sends -= 1
            await self._put_back(way)
        return verdict

    async def _decide(self, way: RowAttempt, verdict: Verdict, slot: int) -> Verdict | None:
        """SETTLE: final; RETRY: back off, then go on; THROTTLED: go on as soon as the pause ends;
        None: the run stops."""
        repeat = self._operation.repeat
        match verdict.call:
            case ResponseAction.SETTLE:
                if verdict.status is Status.REJECTED and way.doubt:
                    return await self._refused_in_doubt(way, verdict, slot)
                return verdict
            case ResponseAction.LOOK:
                return await self._confirm(way, verdict, slot)
            case ResponseAction.THROTTLED:
                return verdict
            case ResponseAction.MAINTENANCE | ResponseAction.DOUBT if repeat is Repeat.SAFE:
                again = verdict.call is ResponseAction.MAINTENANCE
                return (
                    replace(verdict, call=ResponseAction.THROTTLED)
                    if again
                    else await self._count_attempt(way, verdict, slot)
                )
            case ResponseAction.MAINTENANCE | ResponseAction.DOUBT:
                way.doubt = True
                blind = self._operation.lookup_before and way.before is None
                if repeat is Repeat.ONCE or blind:
                    return replace(
                        verdict,
                        call=ResponseAction.SETTLE,
                        status=Status.UNKNOWN,
                        message=f"sent, no usable answer: {verdict.message}",
                    )
                if verdict.call is ResponseAction.MAINTENANCE:
                    return replace(verdict, call=ResponseAction.THROTTLED)
                return await self._count_attempt(way, verdict, slot)
            case ResponseAction.RETRY:
                return await self._count_attempt(way, verdict, slot)
            case ResponseAction.FORBIDDEN | ResponseAction.NOT_FROM_API:
                if await self._session.halts_after_refusal(verdict, slot):
                    return None
                rejected = replace(verdict, call=ResponseAction.SETTLE, status=Status.REJECTED)
                return await self._refused_in_doubt(way, rejected, slot) if way.doubt else rejected
            case ResponseAction.HALT:
                self._session.halt(verdict.message)
                return None

    async def _count_attempt(self, way: RowAttempt, verdict: Verdict, slot: int) -> Verdict | None:
        """Count a try without a usable answer; give the row up when they are used up."""
        session = self._session
        way.tries += 1
        if way.tries >= self._terms.attempts:
            await session.check_outage(slot, PING_AFTER_FAILURES)
        if (
            session.outages > way.outages and way.excuses < MAX_OUTAGE_RESETS
        ):  # nobody got through: not this row's fault
            way.outages, way.tries, way.excuses = session.outages, 0, way.excuses + 1
        if way.tries < self._terms.attempts:
            return replace(verdict, call=ResponseAction.RETRY)
        if session.stop:
            return None
        if not way.doubt:
            return replace(verdict, call=ResponseAction.SETTLE, status=Status.FAILED)
        unknown = replace(
            verdict,
            call=ResponseAction.SETTLE,
            status=Status.UNKNOWN,
            message=f"sent, no usable answer: {verdict.message}",
        )
        if not self._can_look(way):
            return unknown
        looked = await self._resolve_doubt(way, slot)
        if looked is None or looked.call is ResponseAction.SETTLE:
            return looked
        return replace(unknown, message=f"{unknown.message}; {looked.message}, but it may still land")

    async def _confirm(self, way: RowAttempt, verdict: Verdict, slot: int) -> Verdict | None:
        """The service says "is so already": believed only after a look."""
        seen = await self._fetch_state(way, slot)
        if seen is None:
            return None
        if isinstance(seen, Verdict):
            status = Status.UNKNOWN if way.doubt else Status.FAILED
            return replace(
                verdict,
                call=ResponseAction.SETTLE,
                status=status,
                message=f"{verdict.message}; could not be looked up: {seen.message}",
            )
        looked = decide_after_lookup(self._operation, way.values, seen, doubt=way.doubt, before=way.before)
        if looked.call is ResponseAction.RETRY:
            return await self._count_attempt(
                way, replace(verdict, message=f"{verdict.message}; {looked.message}"), slot
            )
        message = "; ".join(m for m in (verdict.message, looked.message) if m)
        return replace(looked, http_status=verdict.http_status, code=verdict.code, message=message)

    async def _refused_in_doubt(self, way: RowAttempt, refusal: Verdict, slot: int) -> Verdict | None:
        """A repeat was refused: only a look tells whether the first send was applied."""
        if self._operation.repeat is Repeat.ONCE:
            return replace(
                refusal,
                status=Status.UNKNOWN,
                message=f"an earlier send is still in doubt; this one was refused: {refusal.message}",
            )
        if self._operation.look is None:
            return refusal
        looked = await self._resolve_doubt(way, slot)
        if looked is None:
            return None
        return refusal if looked.call is ResponseAction.RETRY else looked

    # --- looks ---------------------------------------------------------------------------------------

    async def _resolve_doubt(self, way: RowAttempt, slot: int) -> Verdict | None:
        """What a look says of a row in doubt. RETRY: no trace of the request; None: the run stops."""
        seen = await self._fetch_state(way, slot)
        if seen is None:
            return None
        if isinstance(seen, Verdict):
            return replace(
                seen,
                call=ResponseAction.SETTLE,
                status=Status.UNKNOWN,
                proof=Proof.LOOK,
                message=f"sent, no usable answer; {seen.message}",
            )
        return decide_after_lookup(self._operation, way.values, seen, doubt=True, before=way.before)

    async def _fetch_state(self, way: RowAttempt, slot: int) -> ObservedState | Verdict | None:
        look = self._operation.look
        if look is None:
            return Verdict(ResponseAction.DOUBT, f"{self._operation.name} cannot be looked up")
        answer = await self._session.read(look_request(look, way.values), slot, self._terms.attempts)
        if answer is None:
            return None
        seen = read_lookup(look, way.values, answer)
        contact = self._contact_to_ask(way)
        if isinstance(seen, Verdict) or not seen.hidden or contact is None:
            return seen
        inside = inside_request(look, contact)
        if inside is None:
            return seen
        answer = await self._session.read(inside, slot, self._terms.attempts)
        return None if answer is None else read_contact_list(look, way.values, contact, answer)

    def _contact_to_ask(self, way: RowAttempt) -> str | None:
        """In whose list an inactive card, which `find` hides, may be seen."""
        goal = self._operation.goal
        if goal is not None and goal.owner is OwnerRule.ROW:
            return way.values.get("contact_uuid")
        expected = way.values.get("expected_contact_uuid")
        if expected is not None and expected != NOBODY:
            return expected
        return way.before.owner if way.before else None
