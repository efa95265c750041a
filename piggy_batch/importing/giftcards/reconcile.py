"""Giftcards in doubt: which cards a program held before a run, and which new ones may be the run's.

A card that was made but whose answer was lost cannot be asked for: the service knows no name for it but its own.
So ``giftcards create`` records, before its first request, which cards its programs hold. What is new to that
baseline and to the journal, still empty, and of the right age may belong to a row in doubt - or to somebody else
who made cards meanwhile. Only the operator can rule that out (``--exclusive``), and even then nothing is assigned
when the list shows that it is not so.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import check_account, fetch_account
from piggy_batch.client.circuit_breaker import RequestCounts
from piggy_batch.client.clock import StopSignal
from piggy_batch.endpoints.exportable_lists import PROGRAMS
from piggy_batch.errors import HaltError, JournalError, sent_already
from piggy_batch.exit_codes import ExitCode
from piggy_batch.exporting.page_reader import StoppedError
from piggy_batch.exporting.pages import parse_count
from piggy_batch.exporting.unpaged_lists import read_unpaged_list
from piggy_batch.files import UNFINISHED
from piggy_batch.importing.giftcards.baseline import PROGRAM, forget_list, list_cards
from piggy_batch.importing.giftcards.matching_rules import (
    AIR_S,
    DAY_S,
    SLACK_S,
    CandidateCard,
    creation_window,
    misfits,
    moment_s,
    obstacle_to_assigning,
)
from piggy_batch.importing.giftcards.new_cards import find_new_cards
from piggy_batch.importing.options import ExecutionOptions as RowTerms
from piggy_batch.importing.options import ImportOptions as RunOptions
from piggy_batch.importing.options import RunResult
from piggy_batch.importing.results import ReportColumns, withdraw_reports, write_reports, write_summary
from piggy_batch.importing.run_summary import summarise
from piggy_batch.manifest.loader import binding_of
from piggy_batch.models import Proof, Status
from piggy_batch.runs.context import ConnectionOptions, RunContext, make_rate_limiter, open_session, shared_pace
from piggy_batch.runs.directory import RunDir
from piggy_batch.runs.earlier_runs import EarlierRuns
from piggy_batch.runs.filenames import RUN_LOG
from piggy_batch.runs.journal import Journal
from piggy_batch.runs.journal_file import guarded
from piggy_batch.runs.own_files import OwnFiles
from piggy_batch.runs.records import Outcome, RowState
from piggy_batch.runs.run_identity import RunIdentity
from piggy_batch.tables import OutputColumn, open_writer
from piggy_batch.text import iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from piggy_batch.client.session import Session


LISTED = "reconcile.csv"
CARD = ("giftcard_uuid", "hash", "type", "active", "upgradeable", "expiration_date", PROGRAM, "giftcard_program_name")


@dataclass(frozen=True, slots=True)
class ReconcileOptions:
    """What ``giftcards reconcile`` was asked for."""

    exclusive: bool = False  # the operator states that nobody else makes cards in these programs
    settle_after_s: float = 600.0
    concurrency: int = 8
    connection: ConnectionOptions = field(default_factory=ConnectionOptions)


async def reconcile(run_dir: Path, wanted: ReconcileOptions, context: RunContext) -> RunResult:
    """Settle rows in doubt of a ``giftcards create`` run as far as a proven list of cards allows."""
    with RunDir(run_dir) as directory, guarded(run_dir):
        journal = Journal.open(directory.path)
        if journal is None or not journal.bound or journal.get("operation") != "giftcards create":
            if journal is not None:
                journal.close()
            raise JournalError(f"{run_dir} holds no begun run of giftcards create; reconcile works on nothing else")
        try:
            with sent_already(), guarded(run_dir, OSError):
                return await _GiftcardReconciliation(journal, wanted, context).go()
        finally:
            journal.close()


class _GiftcardReconciliation:
    def __init__(self, journal: Journal, wanted: ReconcileOptions, context: RunContext) -> None:
        self.journal = journal
        self.wanted = wanted
        self.binding = binding_of(journal.queries)
        limiter = make_rate_limiter(wanted.connection.rate, wanted.connection.reserve, context.clock, StopSignal())
        self.context = replace(context, limiter=limiter)  # one pace for the account, the programs and the list
        self.options = RunOptions(
            connection=wanted.connection,
            execution=RowTerms(concurrency=wanted.concurrency),
        )
        self.tally = RequestCounts()
        self.notes: list[str] = []
        self.answered = 0  # rows in doubt whose answer showed a card
        self.others: EarlierRuns | None = None  # other runs of the account
        self.held_before = False  # whether it is known which cards there were before the run

    async def go(self) -> RunResult:
        journal = self.journal
        self.context.progress.log_to(journal.directory / RUN_LOG)
        doubts = self._doubts()
        if not doubts:
            if not self.notes:
                self.notes.append("no row is in doubt")
            return self._end()
        session = open_session(self.wanted.connection, self.context)
        self.tally = session.tally
        async with session.client:
            account = await fetch_account(session, self.context.target, journal)
            check_account(journal, account, journal.directory)
            identity = RunIdentity(self.binding.operation.name, account, self.context.target)
            with (
                closing(EarlierRuns.open(self.context.registry_dir, journal.directory, identity)) as self.others,
                shared_pace(self.context, session, account, f"{journal.directory.name}, reconcile"),
            ):
                return await self._look(doubts, session)

    async def _look(self, doubts: dict[str, list[RowState]], session: Session) -> RunResult:
        """List the cards of the programs anew, and settle what that proves."""
        journal = self.journal
        days = await self._expiration_days(session)
        programs = sorted(doubts)
        begun = self._begin(programs, [e.sent_at or 0.0 for entries in doubts.values() for e in entries])
        # The pace is shared with other runs already, under this run's name.
        listed = await list_cards(
            journal.directory / LISTED, programs, self.options, replace(self.context, shared_rate_dir=None)
        )
        self.tally.sent += listed.summary["requests"]
        if not listed.written:
            again = f"go on with: {self.context.command}"
            return RunResult(listed.exit_code, journal.directory, notes=(*listed.notes, again))
        new = find_new_cards(journal, journal.directory / LISTED, days, programs)
        self.held_before = new.held_before
        self.notes += new.notes
        agreed = listed.agreed and not new.unplaced
        journal.index_made("giftcard_uuid")
        journal.begin(self.context.clock.wall(), "reconcile", threaded=self.context.threaded)
        withdraw_reports(journal.queries)
        try:
            await journal.tally(self.tally.sent, self.tally.retried, self.tally.throttled)
            left = [
                card
                for program in programs
                for card in await self._settle(doubts[program], new.of_program[program], agreed=agreed, begun=begun)
            ]
        finally:
            journal.finish(self.context.clock.wall(), 0)
        self._list_candidates(left)
        for name in (LISTED, f"{LISTED}.summary.json"):
            (journal.directory / name).unlink(missing_ok=True)
        forget_list(journal.directory, LISTED)
        return self._end()

    def _begin(self, programs: list[str], sent: list[float]) -> float:
        """When the list was begun: now, or, where an interrupted one goes on, then.

        What was read before a row may have landed proves nothing of it, so such a list is begun anew.
        """
        directory, now = self.journal.directory, self.context.clock.wall()
        kept = self.journal.get("listing")
        if kept is not None and kept["programs"] == programs and (directory / f"{LISTED}.export").is_dir():
            begun = float(kept["begun_at"])
            if begun <= now and begun - max(sent) >= self.wanted.settle_after_s:
                return begun
        forget_list(directory, LISTED)
        self.journal.set("listing", {"programs": programs, "begun_at": now})
        return now

    def _doubts(self) -> dict[str, list[RowState]]:
        """Rows in doubt by program, those sent first in front. Rows whose answer showed a card are not among
        them: their card is known, only not whether it is the one that was asked for."""
        found: dict[str, list[RowState]] = {}
        answered = 0
        for entry in self.journal.queries.all_rows():
            if entry.status is not Status.UNKNOWN:
                continue
            if entry.kept and entry.kept.get("giftcard_uuid"):
                answered += 1
                continue
            found.setdefault(self.binding.values(entry.cells)[PROGRAM], []).append(entry)
        for entries in found.values():
            entries.sort(key=lambda e: (e.sent_at or 0.0, e.number))
        self.answered = answered
        return found

    async def _expiration_days(self, session: Session) -> dict[str, int]:
        """Days that a program's cards live, for those that expire."""
        try:
            programs = await read_unpaged_list(session, PROGRAMS)
        except StoppedError:
            raise HaltError(session.halt_reason or "interrupted; no row was changed") from None
        if programs is None:
            raise HaltError("the programs cannot be listed; no row was changed")
        days = {str(p.get("uuid")): parse_count(p.get("expiration_days")) for p in programs}
        return {uuid: number for uuid, number in days.items() if number is not None and self._holds(uuid, number)}

    def _holds(self, program: str, days: int) -> bool:
        """Whether this run's own cards show that expiry less those days is when a card was made; the rule is
        inferred, and a program's days may have been changed."""
        for entry in self.journal.queries.all_rows():
            kept = entry.kept or {}
            made = moment_s(kept.get("expiration_date"))
            if entry.status is not Status.DONE or entry.proof != Proof.ANSWER or kept.get(PROGRAM) != program:
                continue
            if made is None or entry.sent_at is None:
                continue
            if abs(made - days * DAY_S - entry.sent_at) > AIR_S + SLACK_S:
                self.notes.append(f"program {program}: expiry does not tell when a card was made, so age is not judged")
                return False
        return True

    async def _settle(
        self, doubts: list[RowState], new: list[CandidateCard], *, agreed: bool, begun: float
    ) -> list[tuple[CandidateCard, str]]:
        """Settle one program's rows; the new cards that were not assigned, each with why it does not fit.

        While there is such a card no row becomes failed: it may be one that was changed since it was made.
        """
        window = creation_window(doubts, self.wanted.settle_after_s)
        left = [(card, "; ".join([*self._made_elsewhere(card), *misfits(card, window)])) for card in new]
        candidates = [card for card, why in left if not why]
        baseline = self.journal.get("baseline")
        obstacle = obstacle_to_assigning(
            rows=len(doubts),
            candidates=len(candidates),
            strangers=len(new) - len(candidates),
            exclusive=self.wanted.exclusive,
            listed=agreed,
            held_before=baseline["agreed"] if baseline is not None and self.held_before else None,
        )
        rows = list(doubts)
        if new and obstacle is not None:
            self.notes.append(obstacle)
        elif obstacle is None:
            for card in candidates:
                await self._assign(rows.pop(0), card)
            left = []
        elif not agreed:
            self.notes.append(
                f"{len(doubts):,} rows in doubt and no new card, but the list of cards is not proven complete; "
                "run this again"
            )
        if agreed and not left:
            await self._fail(rows, begun)
        return left if self.held_before else [(card, why) for card, why in left if not why]

    def _made_elsewhere(self, card: CandidateCard) -> list[str]:
        is_others = self.others is not None and self.others.have_made(card.uuid.lower())
        return ["another run of this account has made it"] if is_others else []

    async def _assign(self, entry: RowState, card: CandidateCard) -> None:
        self.journal.first_maker(card.uuid, entry.number)
        kept = {name: card.cells[name] for name in CARD if card.cells.get(name)}
        message = "the answer was lost; this new, empty card was assigned by reconcile --exclusive"
        await self._record(entry, Status.DONE, message, kept)

    async def _fail(self, rows: list[RowState], begun: float) -> None:
        """Rows that an agreed list, begun long enough after their last send, does not show were not carried out."""
        early = 0
        for entry in rows:
            if begun - (entry.sent_at or 0.0) < self.wanted.settle_after_s:
                early += 1
                continue
            message = f"no new card in the list that was read from {iso(begun)} on: the card was not made"
            await self._record(entry, Status.FAILED, message, {})
        if early:
            self.notes.append(
                f"{early:,} rows were sent less than {self.wanted.settle_after_s:g} s before this list was begun and "
                "may still land; run this again later"
            )

    async def _record(self, entry: RowState, status: Status, message: str, kept: Mapping[str, Any]) -> None:
        await self.journal.settled(
            Outcome(
                number=entry.number,
                status=status,
                attempts=entry.attempts,
                finished_at=self.context.clock.wall(),
                proof=Proof.LOOK if status is Status.DONE else None,
                http_status=entry.http_status,
                code=entry.code,
                message=message,
                kept=kept,
            )
        )

    def _list_candidates(self, cards: Sequence[tuple[CandidateCard, str]]) -> None:
        """Write the new cards that no row was given, those that fit in front."""
        kind = self.journal.get("format")
        own = OwnFiles.of(self.journal.queries)
        path = own.place("candidates", kind)
        if not cards:
            own.remove(path)
            return
        columns = [OutputColumn(name) for name in (*CARD, "amount_in_cents", "made_at", "does_not_fit")]
        noted = partial(own.claim, path)
        with open_writer(path, kind, columns, drafts=path.parent / UNFINISHED, on_whole=noted) as writer:
            for card, why in sorted(cards, key=lambda pair: bool(pair[1])):
                cells = [card.cells.get(name) for name in (*CARD, "amount_in_cents")]
                writer.write([[*cells, iso(card.made_s), why]])
        self.notes.append(f"candidates: {path}")

    def _end(self) -> RunResult:
        doubts = sum(map(len, self._doubts().values()))
        if self.answered:
            self.notes.append(
                f"{self.answered:,} rows were answered with a card, but not for what was asked: look at them in "
                "unknown; reconcile leaves them"
            )
        exit_code = ExitCode.INCOMPLETE if doubts or self.answered else ExitCode.DONE
        if doubts:
            self.notes.append(f"{doubts:,} rows are still in doubt; look again with: {self.context.command}")
        kind = self.journal.get("written") or self.journal.get("format")
        files = write_reports(self.journal.queries, ReportColumns(self.binding), kind, self.notes.append)
        earlier = OwnFiles.of(self.journal.queries).summary()
        counts = self.journal.queries.counts()
        goes_on = counts[Status.PENDING] + counts[Status.FAILED]
        summary = summarise(
            self.journal.queries,
            self.binding.operation,
            exit_code=exit_code,
            next_command=(earlier.get("next") or self.journal.get("command")) if goes_on else None,
            rate=earlier.get("rate"),
        )
        write_summary(self.journal.queries, summary, self.notes.append)
        files = tuple((path, n) for path, n in files if n)
        return RunResult(
            exit_code, self.journal.directory, summary=summary, report_files=files, notes=tuple(self.notes)
        )
