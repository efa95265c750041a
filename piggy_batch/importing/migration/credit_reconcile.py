"""``migrate reconcile``: credits in doubt, settled as far as balances and credit receptions prove what became of them.

Nothing is given here. Rows that were shown to be given become ``done``, rows that were shown not to be become
``failed``, and the same ``migrate`` command gives those; what cannot be proven is listed for a person.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from piggy_batch.client.account import check_account, fetch_account
from piggy_batch.client.clock import StopSignal
from piggy_batch.client.worker_pool import run_workers
from piggy_batch.errors import HaltError, JournalError, sent_already
from piggy_batch.exit_codes import ExitCode
from piggy_batch.exporting.page_reader import StoppedError
from piggy_batch.files import UNFINISHED
from piggy_batch.importing.migration.credit_evidence import read_credit_evidence
from piggy_batch.importing.migration.credit_rules import CreditEvidence, Doubt, Settled, settle
from piggy_batch.importing.migration.customers import read_customers
from piggy_batch.importing.migration.pipeline import Job, MigrationOptions, StopReason
from piggy_batch.importing.migration.results import finish
from piggy_batch.importing.migration.stage_runs import MigrationState, journal_of
from piggy_batch.importing.migration.stages import ROW, Stage, migrate_operation, stage_values
from piggy_batch.importing.options import ImportOptions, RunResult
from piggy_batch.importing.results import ReportColumns, withdraw_reports
from piggy_batch.importing.verification.balances import Customer
from piggy_batch.manifest.loader import binding_of
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.models import Proof, Status
from piggy_batch.runs.context import ConnectionOptions, RunContext, make_rate_limiter, open_session, shared_pace
from piggy_batch.runs.directory import RunDir
from piggy_batch.runs.filenames import RUN_LOG
from piggy_batch.runs.journal import Journal
from piggy_batch.runs.journal_file import guarded
from piggy_batch.runs.own_files import OwnFiles
from piggy_batch.runs.records import Outcome
from piggy_batch.tables import OutputColumn, open_writer
from piggy_batch.text import counted, iso

if TYPE_CHECKING:
    from piggy_batch.client.session import Session

LISTED = "credits-in-doubt"
COLUMNS = (
    "_row",
    "email",
    "contact_uuid",
    "credits",
    "shop_uuid",
    "sent_at",
    "balance_before",
    "given_by_this_run",
    "balance_now",
    "credit_receptions_since",
    "why",
)


@dataclass(frozen=True, slots=True)
class CreditReconcileOptions:
    """What ``migrate reconcile`` was asked for."""

    settle_after_s: float = 600.0
    concurrency: int = 8
    connection: ConnectionOptions = field(default_factory=ConnectionOptions)


@dataclass(frozen=True, slots=True)
class _Open:
    """A contact's credits that nothing has proven."""

    contact: str
    doubts: tuple[Doubt, ...]
    evidence: CreditEvidence
    why: str


async def reconcile_credits(run_dir: Path, wanted: CreditReconcileOptions, context: RunContext) -> RunResult:
    """Settle the credits in doubt of a migration. JournalError where the directory holds none that gives credits."""
    with RunDir(run_dir) as directory, guarded(run_dir):
        journal = Journal.open(directory.path)
        fits = journal is not None and journal.get("operation") == "migrate" and journal.get("credits") is True
        if journal is None or not journal.bound or not fits:
            if journal is not None:
                journal.close()
            raise JournalError(
                f"{run_dir} holds no begun migration that gives credits; reconcile works on nothing else"
            )
        try:
            with sent_already(), guarded(run_dir, OSError):
                return await _CreditReconciliation(journal, wanted, context).go()
        finally:
            journal.close()


class _CreditReconciliation:
    def __init__(self, journal: Journal, wanted: CreditReconcileOptions, context: RunContext) -> None:
        self.journal = journal
        self.wanted = wanted
        limiter = make_rate_limiter(wanted.connection.rate, wanted.connection.reserve, context.clock, StopSignal())
        self.context = replace(context, limiter=limiter)
        self.state = MigrationState.of(journal.queries)
        self.customers = {c.uuid: c for c in read_customers(journal.queries).values() if c.uuid is not None}
        self.settled: list[Settled] = []
        self.open: list[_Open] = []
        self.answered = 0  # rows in doubt whose answer named a reception

    async def go(self) -> RunResult:
        journal = self.journal
        self.context.progress.log_to(journal.directory / RUN_LOG)
        doubts = self._doubts()
        requests_before = self.state.requests()
        session = open_session(self.wanted.connection, self.context)
        async with session.client:
            if doubts:
                account = await fetch_account(session, self.context.target, journal)
                check_account(journal, account, journal.directory)
                with shared_pace(self.context, session, account, f"{journal.directory.name}, reconcile"):
                    await self._look(doubts, session)
        journal.begin(self.context.clock.wall(), "reconcile", threaded=self.context.threaded)
        await journal.tally(session.tally.sent, session.tally.retried, session.tally.throttled)
        if self.settled:
            withdraw_reports(journal.queries)
        await self._write()
        return self._end(StopReason(requests_before=requests_before))

    def _doubts(self) -> dict[str, list[Doubt]]:
        """Credits in doubt by contact. Those whose answer named a reception, but not what was asked for, are left to
        a person."""
        found: dict[str, list[Doubt]] = {}
        for part, manifest in enumerate(self.state.runs[Stage.CREDITS].manifests()):
            queries = journal_of(manifest)
            if queries is None:
                continue
            with closing(queries):
                for entry in queries.all_rows():
                    if entry.status is not Status.UNKNOWN:
                        continue
                    if entry.kept:
                        self.answered += 1
                        continue
                    values = stage_values(Stage.CREDITS, entry.cells)
                    row, given = int(values[ROW]), int(values["credits"])
                    doubt = Doubt(part, entry.number, row, given, values["shop_uuid"], entry.sent_at or 0.0)
                    found.setdefault(values["contact_uuid"], []).append(doubt)
        return found

    async def _look(self, doubts: dict[str, list[Doubt]], session: Session) -> None:
        async def work(contact: str, slot: int) -> None:
            if session.stop:
                return
            customer = self.customers.get(contact) or Customer(uuid=contact)
            evidence = await read_credit_evidence(customer, contact, session, slot)
            self.context.progress.advance("contacts")
            settled, why = settle(doubts[contact], evidence, self.wanted.settle_after_s)
            self.settled += settled
            if why is not None:
                done = {each.doubt for each in settled}
                left = tuple(doubt for doubt in doubts[contact] if doubt not in done)
                self.open.append(_Open(contact, left, evidence, why))

        self.context.progress.total(len(doubts))
        with suppress(StoppedError):
            await run_workers(iter(doubts), self.wanted.concurrency, work, lambda _: session.stop.set("error"))
        if session.stop:
            raise HaltError(session.halt_reason or "interrupted; no row was changed")

    async def _write(self) -> None:
        """The outcomes into the journals of the credits stage; each is on disk before the next part's are written."""
        wall = self.context.clock.wall
        for part, manifest in enumerate(self.state.runs[Stage.CREDITS].manifests()):
            here = [each for each in self.settled if each.doubt.part == part]
            if not here:
                continue
            with RunDir(manifest.with_suffix("")) as directory, ExitStack() as stack:
                journal = Journal.open(directory.path)
                if journal is None:
                    raise JournalError(f"{directory.path} has lost its journal; no row of it was changed")
                stack.callback(journal.close)
                attempts = {entry.number: entry.attempts for entry in journal.queries.all_rows()}
                journal.index_made("credit_reception_uuid")
                journal.begin(wall(), "reconcile", threaded=self.context.threaded)
                for each in here:
                    if each.reception is not None:
                        journal.first_maker(each.reception, each.doubt.number)
                    await journal.settled(_outcome(each, attempts[each.doubt.number], wall()))
                journal.finish(wall(), ExitCode.DONE)

    def _end(self, ending: StopReason) -> RunResult:
        journal = self.journal
        operation = migrate_operation(credits=True)
        binding = binding_of(journal.queries, operation)
        file_format = journal.get("written") or journal.get("format")
        notes = [*self._notes(), *self._list_open(file_format)]
        left = sum(len(each.doubts) for each in self.open) + self.answered
        reading = ManifestOptions.from_bound(journal.get("options"))
        invalid = journal.queries.counts()[Status.INVALID] > 0
        options = ImportOptions(connection=self.wanted.connection, reading=reading, skip_invalid=invalid)
        job = Job(
            Path(journal.get("manifest")["path"]),
            journal.directory,
            options,
            MigrationOptions(state_dir=journal.directory),
            replace(self.context, command=journal.get("command")),
        )
        code = ExitCode.INCOMPLETE if left else ExitCode.DONE
        result = finish(journal, self.state, ReportColumns(binding), file_format, job, ending, None, code=code)
        goes_on = left or (result.summary or {}).get("next")  # then it is too early to sign off
        further = (note for note in result.notes if not goes_on or not note.startswith("sign off"))
        return replace(result, notes=(*notes, *further))

    def _notes(self) -> list[str]:
        if not self.settled and not self.open and not self.answered:
            return ["no credits are in doubt"]
        given = sum(each.status is Status.DONE for each in self.settled)
        notes = []
        if given:
            notes.append(f"{counted(given, 'row')} in doubt had been given their credits")
        if len(self.settled) > given:
            notes.append(
                f"{counted(len(self.settled) - given, 'row')} had not been given theirs; the same migrate command "
                "gives them"
            )
        if self.answered:
            notes.append(
                f"{counted(self.answered, 'row')} were answered, but not for what was asked; they are in unknown"
            )
        return notes

    def _list_open(self, file_format: str) -> list[str]:
        """Write what nothing has proven for a person."""
        own = OwnFiles.of(self.journal.queries)
        path = own.place(LISTED, file_format)
        if not self.open:
            own.remove(path)
            return []
        columns = [OutputColumn(name) for name in COLUMNS]
        noted = partial(own.claim, path)
        with open_writer(path, file_format, columns, drafts=path.parent / UNFINISHED, on_whole=noted) as writer:
            for each in self.open:
                writer.write([self._line(each, doubt) for doubt in each.doubts])
        number = sum(len(each.doubts) for each in self.open)
        return [f"{counted(number, 'row')} still in doubt, with what is known of them: {path}"]

    def _line(self, each: _Open, doubt: Doubt) -> list[object]:
        customer, evidence = self.customers.get(each.contact) or Customer(), each.evidence
        since = "; ".join(
            f"{change.credits} on {iso(change.made_at) or 'an unknown day'} ({change.uuid})"
            for change in evidence.new()
        )
        cells: tuple[object, ...] = (
            doubt.row,
            customer.email,
            each.contact,
            doubt.credits,
            doubt.shop,
            iso(doubt.sent_at),
            evidence.before,
            evidence.given,
            evidence.now,
            since,
            each.why,
        )
        return [None if cell is None else str(cell) for cell in cells]


def _outcome(each: Settled, attempts: int, finished_at: float) -> Outcome:
    done = each.status is Status.DONE
    kept = {"credit_reception_uuid": each.reception, "credits": each.doubt.credits} if done else {}
    return Outcome(
        number=each.doubt.number,
        status=each.status,
        attempts=attempts,
        finished_at=finished_at,
        proof=Proof.LOOK if done else None,
        message=each.message,
        kept=kept,
    )
