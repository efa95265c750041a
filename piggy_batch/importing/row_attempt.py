"""One row of a run: look where asked, intent on disk, request, decision, retry, outcome on disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from piggy_batch.client.retry import backoff_s
from piggy_batch.client.session import MAX_OUTAGE_RESETS, PING_AFTER_FAILURES, Session
from piggy_batch.endpoints.requests import build
from piggy_batch.endpoints.responses import ResponseAction, Verdict
from piggy_batch.importing.lookup_rules import decide_after_lookup, decide_before_send
from piggy_batch.importing.observed_state import ObservedState
from piggy_batch.importing.response_rules import judge_response
from piggy_batch.importing.row_lookup import fetch_state
from piggy_batch.importing.verification.verify import verify_row
from piggy_batch.models import Answer, Proof, Repeat, Reply, Status
from piggy_batch.runs.group_commit import PATIENCE_S
from piggy_batch.runs.journal import BEFORE_THE_RUN
from piggy_batch.runs.records import Outcome, RowState
from piggy_batch.text import printable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from piggy_batch.endpoints import Operation
    from piggy_batch.importing.options import ExecutionOptions
    from piggy_batch.runs.journal import Journal


class RowAttempt:
    """What one invocation does about one row; used by one worker.

    :meth:`carry`, then :meth:`write_outcome` with the verdict, or :meth:`put_back` where there is none. ``slot``:
    the worker's connection.
    """

    __slots__ = (
        "_before",
        "_doubt",
        "_held_up_since",
        "_intended",
        "_journal",
        "_operation",
        "_options",
        "_outage_resets",
        "_outages",
        "_request",
        "_row",
        "_session",
        "_slot",
        "_tries",
        "_uncounted",
        "_values",
    )

    def __init__(
        self,
        row: RowState,
        values: Mapping[str, str],
        slot: int,
        *,
        operation: Operation,
        journal: Journal,
        session: Session,
        options: ExecutionOptions,
    ) -> None:
        self._row = row
        self._values = values
        self._slot = slot
        self._operation = operation
        self._journal = journal
        self._session = session
        self._options = options
        self._request = build(operation, values)
        self._doubt = row.status is Status.UNKNOWN  # sent, and no usable answer
        self._before = self._recorded() if self._doubt else None
        self._intended = False  # the journal holds an intent of this invocation
        self._tries = 0  # that ended without a usable answer
        self._uncounted = 0  # 1: the last answer is a try that is not among them (yet); throttled ones never are
        self._outages = session.breaker.outages  # the session's count when the tries began
        self._outage_resets = 0  # how often an outage has wiped out the tries
        self._held_up_since: float | None = None  # when throttling or maintenance began to hold this row up

    def _recorded(self) -> ObservedState | None:
        """What the journal keeps of the look before the first send."""
        look = self._operation.look
        return ObservedState.from_json(look.noun, self._row.before) if look and self._row.before else None

    async def carry(self) -> Verdict | None:
        """The row's outcome; None: the run stops, put the row back."""
        if self._operation.verify:
            self._uncounted = 1
            options = self._options
            return await verify_row(self._session, self._values, self._slot, options.attempts, options.customers)
        while True:
            early = await self._before_sending()
            if early is None or early.call is not ResponseAction.RETRY:
                return early
            verdict = await self._send()
            if verdict is None:
                return None
            final = await self._decide(verdict)
            if final is None or final.call is ResponseAction.SETTLE:
                return final
            if self._held_up_too_long(final):
                return None
            if final.call is ResponseAction.RETRY and await self._session.stop.wait(self._pause_s()):
                return None
            self._session.tally.retried += 1

    async def put_back(self) -> None:
        """The run stops: a row in doubt stays so, any other is pending again."""
        if self._intended and not self._doubt:
            await self._journal.withdraw(self._row.number)
            self._intended = False

    def write_outcome(self, verdict: Verdict) -> tuple[Status, asyncio.Future[None]]:
        """Journal how the row has ended; the future is done once that is on disk."""
        verdict = self._unless_made_before(verdict)
        status = verdict.status or Status.UNKNOWN
        outcome = Outcome(
            number=self._row.number,
            status=status,
            attempts=self._row.attempts + self._tries + self._uncounted,
            finished_at=self._session.clock.wall(),
            before=self._before.to_json() if self._before else None,
            proof=verdict.proof if status in (Status.DONE, Status.ALREADY, Status.ABSENT) else None,
            http_status=verdict.http_status,
            code=verdict.code,
            message=verdict.message,
            kept=verdict.kept,
        )
        # An outcome that a kill takes away is looked up again; where no look can tell, it must not wait.
        return status, self._journal.settled(outcome, may_wait=self._operation.repeat is Repeat.GUARDED)

    def _unless_made_before(self, verdict: Verdict) -> Verdict:
        """An answer that names a thing as new which another row has made is nobody's: something between has given
        one answer to several requests."""
        makes, number = self._operation.makes, self._row.number
        uuid = verdict.kept.get(makes) if makes else None
        if uuid is None:
            return verdict
        maker = self._journal.first_maker(str(uuid), number)
        if maker == number or verdict.proof is not Proof.ANSWER or verdict.status not in (Status.DONE, Status.UNKNOWN):
            return verdict
        whose = "was there before this run" if maker == BEFORE_THE_RUN else f"row {maker} has made"
        message = f"the answer names {printable(str(uuid))}, which {whose}: it is not the answer to this row"
        return replace(verdict, status=Status.UNKNOWN, message=message, kept={})

    # --- sending and deciding --------------------------------------------------------------------------

    def _held_up_too_long(self, verdict: Verdict) -> bool:
        """Halt where throttling or maintenance holds one row up for too long, though others get through."""
        if verdict.call is not ResponseAction.THROTTLED:
            self._held_up_since = None
            return False
        self._held_up_since = self._session.breaker.blocked_since(self._held_up_since, verdict)
        return bool(self._session.stop)

    def _pause_s(self) -> float:
        return backoff_s(max(1, self._tries), self._session.rng)

    async def _before_sending(self) -> Verdict | None:
        """RETRY: send; SETTLE: a look has settled it; None: the run stops."""
        go = Verdict(ResponseAction.RETRY)
        if self._doubt:
            return await self._resolve_doubt() if self._can_look() else go
        if self._operation.lookup_before and (self._options.look_before or self._is_safeguarded()):
            seen = await self._fetch_state()
            if seen is None:
                return None
            if isinstance(seen, Verdict):
                refused = seen.call in (ResponseAction.SETTLE, ResponseAction.FORBIDDEN, ResponseAction.NOT_FROM_API)
                status = Status.REJECTED if refused else Status.FAILED
                return replace(seen, call=ResponseAction.SETTLE, status=status, message=f"nothing sent: {seen.message}")
            self._before = seen
            return decide_before_send(self._operation, self._values, seen) or go
        return go

    def _is_safeguarded(self) -> bool:
        """Whether the row says what must be so before anything is sent."""
        return any(column.name in self._values for column in self._operation.safeguards)

    def _can_look(self) -> bool:
        return self._operation.look is not None and (self._before is not None or not self._operation.lookup_before)

    async def _send(self) -> Verdict | None:
        """Intent on disk, then the request, then what its answer means.

        The intent is written just before the row's turn. Where a hold begins in between it is taken back, and written
        anew after the hold: a row that a kill finds waiting was not sent, and is not in doubt.

        A refusal does not name its row. Where it came over a connection that had carried other requests it may answer
        one of those, so a row whose repeat is harmless is sent once more over a new connection, and that answer counts.
        """
        answer = await self._send_after_holds()
        if answer is None:
            return None
        verdict = judge_response(self._operation, self._values, answer)
        if self._may_be_anothers(answer, verdict):
            earlier, self._doubt = self._doubt, True
            self._request = replace(self._request, alone=True)
            self._session.tally.retried += 1
            answer = await self._send_after_holds()
            if answer is None:
                return None
            verdict = judge_response(self._operation, self._values, answer)
            if verdict.status is Status.REJECTED:
                self._doubt = earlier
        self._uncounted = int(verdict.call not in (ResponseAction.THROTTLED, ResponseAction.MAINTENANCE))
        if verdict.call in (ResponseAction.RETRY, ResponseAction.THROTTLED):
            await self.put_back()
        return verdict

    def _may_be_anothers(self, answer: Answer, verdict: Verdict) -> bool:
        """Whether an answer is a refusal that may have been meant for another row."""
        shared = isinstance(answer, Reply) and answer.shared
        return shared and verdict.status is Status.REJECTED and self._operation.repeat is Repeat.GUARDED

    async def _send_after_holds(self) -> Answer | None:
        answer, held = await self._send_in_turn()
        while held:
            await self.put_back()
            answer, held = await self._send_in_turn()
        return answer

    async def _send_in_turn(self) -> tuple[Answer | None, bool]:
        """What became of the request, None: the run stops; and whether a hold has kept it from being sent."""
        session = self._session
        turn = await session.limiter.approach()
        try:
            if session.stop:
                return None, False
            if self._operation.repeat is not Repeat.SAFE:
                before = self._before.to_json() if self._before else None
                attempts = self._row.attempts + self._tries + 1
                soon = turn.early_s < 2 * PATIENCE_S
                await self._journal.sent(self._row.number, attempts, session.clock.wall(), before, may_wait=not soon)
                self._intended = True
            answer = await session.send(self._request, self._slot, turn.acquire)
        finally:
            turn.leave()
        return answer, turn.held

    async def _decide(self, verdict: Verdict) -> Verdict | None:
        """SETTLE: final; RETRY: back off, then go on; THROTTLED: go on as soon as the pause ends;
        None: the run stops."""
        repeat = self._operation.repeat
        match verdict.call:
            case ResponseAction.SETTLE:
                if verdict.status is Status.REJECTED and self._doubt:
                    return await self._refused_in_doubt(verdict)
                return verdict
            case ResponseAction.LOOK:
                return await self._confirm(verdict)
            case ResponseAction.THROTTLED:
                return verdict
            case ResponseAction.MAINTENANCE | ResponseAction.DOUBT if repeat is Repeat.SAFE:
                if verdict.call is ResponseAction.MAINTENANCE:
                    return replace(verdict, call=ResponseAction.THROTTLED)
                return await self._count_attempt(verdict)
            case ResponseAction.MAINTENANCE | ResponseAction.DOUBT:
                self._doubt = True
                if repeat is Repeat.ONCE or not self._can_look():
                    return self._unknown(verdict)
                if verdict.call is ResponseAction.MAINTENANCE:
                    return replace(verdict, call=ResponseAction.THROTTLED)
                return await self._count_attempt(verdict)
            case ResponseAction.RETRY:
                return await self._count_attempt(verdict)
            case ResponseAction.FORBIDDEN | ResponseAction.NOT_FROM_API:
                return await self._refused_by_others(verdict)
            case ResponseAction.HALT:
                self._session.halt(verdict.message)
                return None if verdict.harmless or repeat is Repeat.SAFE else self._unknown(verdict)

    def _unknown(self, verdict: Verdict) -> Verdict:
        """Nobody knows what the request has done. Where a look can tell, the next invocation takes the row up."""
        message = f"sent, no usable answer: {verdict.message}"
        return replace(verdict, call=ResponseAction.SETTLE, status=Status.UNKNOWN, message=message)

    async def _refused_by_others(self, verdict: Verdict) -> Verdict | None:
        """A refusal without a code of the service. What may stand in the place of the answer to a request that was
        carried out is looked up; what cannot be looked up stays in doubt."""
        earlier, halts = self._doubt, await self._session.breaker.halts_after_refusal(verdict, self._slot)
        rejected = replace(verdict, call=ResponseAction.SETTLE, status=Status.REJECTED)
        if verdict.harmless or self._operation.repeat is Repeat.SAFE:
            if halts:
                return None
            return await self._refused_in_doubt(rejected) if earlier else rejected
        self._doubt = True
        if halts or self._operation.repeat is Repeat.ONCE or not self._can_look():
            return self._unknown(verdict)
        looked = await self._resolve_doubt()
        if looked is None or looked.call is not ResponseAction.RETRY:
            return looked
        refused = self._unknown(verdict) if earlier else rejected
        return replace(refused, message=f"{refused.message}; {looked.message}")

    async def _count_attempt(self, verdict: Verdict) -> Verdict | None:
        """Count a try without a usable answer; give the row up when they are used up."""
        session = self._session
        self._tries, self._uncounted = self._tries + 1, 0
        if self._tries >= self._options.attempts:
            await session.breaker.check_outage(self._slot, PING_AFTER_FAILURES)
        if session.breaker.outages > self._outages and self._outage_resets < MAX_OUTAGE_RESETS:
            # Nobody got through, so the tries say nothing of this row.
            self._outages, self._tries, self._outage_resets = session.breaker.outages, 0, self._outage_resets + 1
        if self._tries < self._options.attempts:
            return replace(verdict, call=ResponseAction.RETRY)
        if session.stop:
            return None
        if not self._doubt:
            return replace(verdict, call=ResponseAction.SETTLE, status=Status.FAILED)
        unknown = self._unknown(verdict)
        if not self._can_look():
            return unknown
        looked = await self._resolve_doubt()
        if looked is None or looked.call is ResponseAction.SETTLE:
            return looked
        return replace(unknown, message=f"{unknown.message}; {looked.message}, but it may still land")

    async def _confirm(self, verdict: Verdict) -> Verdict | None:
        """The service says "is so already": believed only after a look."""
        seen = await self._fetch_state()
        if seen is None:
            return None
        if isinstance(seen, Verdict):
            status = Status.UNKNOWN if self._doubt else Status.FAILED
            return replace(
                verdict,
                call=ResponseAction.SETTLE,
                status=status,
                message=f"{verdict.message}; could not be looked up: {seen.message}",
            )
        looked = decide_after_lookup(self._operation, self._values, seen, doubt=self._doubt, before=self._before)
        if looked.call is ResponseAction.RETRY:
            return await self._count_attempt(replace(verdict, message=f"{verdict.message}; {looked.message}"))
        message = "; ".join(m for m in (verdict.message, looked.message) if m)
        return replace(looked, http_status=verdict.http_status, code=verdict.code, message=message)

    async def _refused_in_doubt(self, refusal: Verdict) -> Verdict | None:
        """A repeat was refused: only a look tells whether the first send was applied, and none that it will not be."""
        unknown = replace(
            refusal,
            status=Status.UNKNOWN,
            message=f"an earlier send is still in doubt; this one was refused: {refusal.message}",
        )
        if self._operation.repeat is Repeat.ONCE or self._operation.look is None:
            return unknown
        looked = await self._resolve_doubt()
        if looked is None or looked.call is not ResponseAction.RETRY:
            return looked
        return replace(unknown, message=f"{unknown.message}; {looked.message}, but it may still land")

    # --- looks ---------------------------------------------------------------------------------------

    async def _resolve_doubt(self) -> Verdict | None:
        """What a look says of a row in doubt. RETRY: no trace of the request; None: the run stops."""
        seen = await self._fetch_state()
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
        return decide_after_lookup(self._operation, self._values, seen, doubt=True, before=self._before)

    async def _fetch_state(self) -> ObservedState | Verdict | None:
        attempts = self._options.attempts
        return await fetch_state(self._session, self._operation, self._values, self._slot, attempts, self._before)
