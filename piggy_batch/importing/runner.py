"""The steps of a row command: run directory, check, account, plan, sending, reports, exit code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from piggy_batch.client.account import check_account, fetch_account
from piggy_batch.errors import HaltError, SetupError, sent_already
from piggy_batch.exit_codes import ExitCode
from piggy_batch.importing.executor import RowExecutor
from piggy_batch.importing.giftcards.baseline import record_baseline
from piggy_batch.importing.giftcards.preview import warn_about_giftcards
from piggy_batch.importing.options import ImportOptions, RunResult
from piggy_batch.importing.plan import (
    ask_before_start,
    plan_figures,
    plan_lines,
    refuse_invalid,
    rehearsed,
    requests_of,
    rows_going_on,
    rows_to_take,
    waiver_warning,
)
from piggy_batch.importing.results import ReportColumns, withdraw_reports, write_reports, write_summary
from piggy_batch.importing.resume import load_manifest_into, one_adoption, rejoin
from piggy_batch.importing.run_summary import end_notes, exit_code_of, idle_notes, summarise
from piggy_batch.manifest.rows_digest import rows_digest
from piggy_batch.models import Repeat, Status
from piggy_batch.runs.context import RunContext, open_session, shared_pace
from piggy_batch.runs.directory import RunDir, default_run_dir, refuse_missing
from piggy_batch.runs.duplicate_guard import DuplicateRunGuard, refuse_again
from piggy_batch.runs.earlier_runs import EarlierRuns
from piggy_batch.runs.filenames import RUN_LOG, STDIN
from piggy_batch.runs.journal_file import NAME, guarded
from piggy_batch.runs.own_files import refuse_manifest_among_reports
from piggy_batch.runs.pile_origin import PileOrigin
from piggy_batch.runs.progress import NestedProgress
from piggy_batch.runs.registry import note_plan, note_run, was_planned
from piggy_batch.runs.run_finder import RunFinder
from piggy_batch.runs.run_identity import ROWS, RunIdentity
from piggy_batch.runs.signals import Signals, ending_after

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from piggy_batch.client.session import Session
    from piggy_batch.endpoints import Operation
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.manifest.doctor import Finding
    from piggy_batch.manifest.options import LoadedManifest
    from piggy_batch.runs.journal import Journal


LONG_BYTES = 20_000_000  # of a manifest; reading it takes some seconds


async def run(operation: Operation, manifest: Path, options: ImportOptions, context: RunContext) -> RunResult:
    """Carry a manifest out, or go on with it.

    Raises the package's errors, each with its exit code, where nothing could be started; how rows ended is
    in the result.
    """
    if manifest == STDIN and options.run_dir is None:
        raise SetupError("a manifest from standard input needs --run-dir, so that the run can be found again")
    refuse_missing(manifest)
    run_dir = options.run_dir or default_run_dir(manifest, operation)
    refusal = None
    if not options.reading.again:
        try:
            refuse_again(operation, manifest, run_dir)
        except SetupError as error:
            if not (run_dir / NAME).exists():
                raise
            refusal = error  # unless it is a run that has begun: whether it should was asked then
    refuse_manifest_among_reports(manifest, run_dir)
    with guarded(run_dir, OSError), RunDir(run_dir) as directory:
        return await RowCommandRun(operation, manifest, options, context, directory, refusal).go()


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run's journal with its manifest in it, and what its reports look like."""

    journal: Journal
    binding: Binding
    columns: ReportColumns
    file_format: str  # of the reports

    @classmethod
    def of(cls, journal: Journal, binding: Binding, options: ImportOptions) -> Self:
        """The reports' format is as asked for, else as the manifest's."""
        return cls(journal, binding, ReportColumns(binding), options.format or journal.get("format"))


class RowCommandRun:
    """One invocation of a row command in its run directory."""

    def __init__(
        self,
        operation: Operation,
        manifest: Path,
        options: ImportOptions,
        context: RunContext,
        directory: RunDir,
        refusal: SetupError | None = None,
    ) -> None:
        """``refusal``: why no run may begin here."""
        self.operation = operation
        self.manifest = manifest
        self.options = options
        self.context = context
        self.directory = directory
        self.refusal = refusal
        self.loaded: LoadedManifest | None = None
        self.duplicate_guard: DuplicateRunGuard | None = None
        self.pile_origin: PileOrigin | None = None
        self.signals = Signals(context)

    async def go(self) -> RunResult:
        with self.signals:
            return await self._go()

    async def _go(self) -> RunResult:
        journal = self.directory.existing(self.operation, adopt=self.options.adopt)
        try:
            if self.refusal is not None and (journal is None or not journal.bound):
                raise self.refusal
            if journal is None:
                self._tell_wait()
                journal, self.loaded = load_manifest_into(
                    self.directory, self.operation, self.manifest, self.options.reading
                )
                binding = self.loaded.binding
            else:
                binding = rejoin(
                    self.directory,
                    journal,
                    self.operation,
                    self.manifest,
                    self.options.reading,
                    adopt=self.options.adopt,
                )
            registry_dir = self.context.registry_dir
            self.duplicate_guard = DuplicateRunGuard(self.operation, self.manifest, journal, registry_dir)
            return await self._checked(OpenRun.of(journal, binding, self.options))
        finally:
            if journal is not None:
                if self.duplicate_guard is not None and not journal.bound:
                    self.duplicate_guard.withdraw()
                if self.pile_origin is not None and not journal.bound:
                    self.pile_origin.withdraw()
                keep = journal.bound or (not self.options.dry_run and journal.get("empty") is True)
                journal.close() if keep else journal.discard()
                if not keep:
                    (self.directory.path / "stdin").unlink(missing_ok=True)

    def _tell_wait(self) -> None:
        """A list that takes a while: say what is being done meanwhile."""
        if self.manifest != STDIN and (size := self.manifest.stat().st_size) >= LONG_BYTES:
            mb = size // 1_000_000
            self.context.progress.say(f"checking every row of {self.manifest} ({mb:,} MB) before anything is sent")

    async def _checked(self, run: OpenRun) -> RunResult:
        journal = run.journal
        warning = waiver_warning(self.operation, self.options.reading)
        if warning is not None:
            self.context.progress.say(warning)
        counts = journal.queries.counts()
        held = len(self.loaded.held) if self.loaded else 0
        if not journal.bound and counts[Status.INVALID] > held and not self.options.skip_invalid:
            return refuse_invalid(journal.queries, run.columns, run.file_format, self.loaded)
        if sum(counts.values()) == 0 and not self.options.dry_run:
            journal.set("empty", value=True)
            return self._end(run, ExitCode.DONE, ("the manifest has a header and no rows: nothing to do",))
        return await self._with_service(run)

    # --- with the service ----------------------------------------------------------------------------

    async def _with_service(self, run: OpenRun) -> RunResult:
        context, options, journal = self.context, self.options, run.journal
        session = open_session(options.connection, context)
        client = session.client
        async with client:
            account = await fetch_account(session, context.target, journal)
            check_account(journal, account, self.directory.path)
            self._refuse_duplicates(run, account)
            plan = plan_lines(
                self.operation,
                journal.queries,
                self.loaded,
                manifest=self.manifest,
                options=options,
                account=account,
                base_url=context.target.base_url,
                proxy=client.proxy,
            )
            rows = rows_to_take(self.operation, journal.queries, options.execution)
            figures = plan_figures(
                self.operation.name,
                journal.queries.counts(),
                rows_to_send=rows,
                requests=requests_of(self.operation, rows, options.execution),
                connection=options.connection,
                account=account,
                base_url=context.target.base_url,
            )
            blocking = self.loaded.blocking(options.accept) if self.loaded else ()
            with shared_pace(context, session, account, self.directory.path.name):
                if options.dry_run:
                    note_plan(context.registry_dir, self._plan_key(journal))
                    return await self._rehearse(run, session, plan, blocking, figures)
                asks = not options.yes and rows > 0 and (self.operation.confirm or self._is_unprepared(journal, rows))
                question = f"{self.operation.name}: send {rows:,} rows?" if asks else None
                ask_before_start(
                    context, self.operation.name, plan, self.loaded, blocking, question, asks=not options.yes
                )
                journal.set("account", account)
                journal.set("base_url", context.target.base_url)
                journal.set("command", context.command)
                self._claim()
                if context.tell_plan:  # a stage is no run of its own for people
                    note_run(context.registry_dir, self.directory.path, self.operation.name)
                self.signals.allow_graceful_stop(session)
                with ending_after(options.max_duration_s, session.stop):
                    context.progress.log_to(self.directory.path / RUN_LOG)
                    refusal = await self._baseline(run, session)
                    if refusal is not None:
                        return refusal
                    if context.tell_plan and not asks:
                        for line in plan:
                            context.progress.say(line)
                    with sent_already():
                        return await self._send(run, session, plan)

    def _refuse_duplicates(self, run: OpenRun, account: Mapping[str, Any]) -> None:
        """Refuse a second run of these rows, and this run where it was put back from a copy."""
        guard, journal = self.duplicate_guard, run.journal
        if guard is None:
            return
        digest = journal.get(ROWS) or ""
        if guard.needs_digest and not digest:
            digest = rows_digest(journal.queries, run.binding)
            journal.set(ROWS, digest)
        guard.identify(account, self.context.target, digest)
        if not self.options.adopt or self.directory.adopted:
            with one_adoption(self.directory):
                guard.refuse_older()
        if self.loaded is not None and not self.options.reading.again:
            guard.refuse()
        if self.operation.repeat is Repeat.ONCE:
            records = self.context.registry_dir
            finder = RunFinder(self.directory.path, self.manifest, records)
            self.pile_origin = PileOrigin(journal.queries, guard.run, self.operation.name, finder, records)
            self._refuse_passed_rows()

    def _refuse_passed_rows(self) -> None:
        """Refuse rows that another run has carried out, which has passed them on or was passed them by this one.

        Where a run goes on, what its own rows have come from was asked at its beginning; only rows that were rejected
        since may have been taken up there.
        """
        if self.pile_origin is None or self.options.reading.again:
            return
        taken = self.options.execution.statuses_to_take(self.operation.repeat)
        self.pile_origin.refuse(taken, upwards=taken if self.loaded is not None else {Status.REJECTED})

    def _claim(self) -> None:
        """Let others know that this run is about to send."""
        if self.duplicate_guard is None:
            return
        self.duplicate_guard.claim(again=self.options.reading.again or self.loaded is None)
        if self.pile_origin is not None and self.pile_origin.note():
            self._refuse_passed_rows()  # of two that start at once each has now told the other
        if self.context.on_begin is not None:
            self.context.on_begin(self.duplicate_guard.run)

    def _plan_key(self, journal: Journal) -> str:
        """What a plan was about: command, rows and service."""
        return f"{self.operation.name} {journal.get('manifest')['sha256']} {self.context.target.base_url}"

    def _is_unprepared(self, journal: Journal, rows: int) -> bool:
        """Whether many rows would start that nobody has seen a plan or a pilot of, and somebody can be asked."""
        most = self.operation.confirm_above
        if most is None or rows <= most or journal.bound or self.context.confirm is None:
            return False
        return not was_planned(self.context.registry_dir, self._plan_key(journal))

    async def _rehearse(
        self,
        run: OpenRun,
        session: Session,
        plan: tuple[str, ...],
        blocking: tuple[Finding, ...],
        figures: Mapping[str, Any],
    ) -> RunResult:
        """The plan, and what a look at the things shows; no write is sent."""
        if self.operation.preview:
            plan += await warn_about_giftcards(run.journal.queries, run.binding, session, self.options.execution)
        if session.halt_reason is not None:
            raise HaltError(f"{session.halt_reason}; nothing was sent")
        if session.stop:
            notes = ("interrupted while looking; nothing was sent",)
            return RunResult(ExitCode.INTERRUPTED, self.directory.path, plan=plan, notes=notes, figures=figures)
        return rehearsed(self.directory.path, plan, self.loaded, blocking, figures)

    async def _baseline(self, run: OpenRun, session: Session) -> RunResult | None:
        """Record what is there before the first request; None: done, or not wanted."""
        journal, options = run.journal, self.options
        if (
            not options.baseline
            or journal.bound
            or not rows_to_take(self.operation, journal.queries, options.execution)
        ):
            return None
        say = self.context.progress.say
        nested = NestedProgress(self.context.progress, unit="pages", clock=session.clock)
        # The pace is shared with other runs already, under this run's name.
        context = replace(self.context, limiter=session.limiter, signals=False, shared_rate_dir=None, progress=nested)
        say("before the first request: a list of the cards that the program holds already")
        listed = await record_baseline(journal, run.binding, options, context)
        session.tally.sent += listed.summary["requests"]
        if not listed.written:
            over = session.stop.reason == "max-duration"
            notes = ("--max-duration is over before the first request; nothing was sent",) if over else listed.notes
            if listed.exit_code == ExitCode.HALTED:
                notes += ("where this token may not list cards, --no-baseline goes without",)
            code = ExitCode.INCOMPLETE if over else listed.exit_code
            return RunResult(code, self.directory.path, notes=(*notes, f"go on with: {self.context.command}"))
        if not listed.agreed:
            say(
                "the list of the program's cards could not be proven complete; should a row end in doubt, "
                "giftcards reconcile will list candidates and assign none"
            )
        return None

    async def _send(self, run: OpenRun, session: Session, plan: tuple[str, ...]) -> RunResult:
        context, options, journal = self.context, self.options, run.journal
        rows = rows_to_take(self.operation, journal.queries, options.execution)
        context.progress.total(rows)
        if rows:
            withdraw_reports(journal.queries)
        counter = self.duplicate_guard.counter if self.duplicate_guard is not None else None
        if self.operation.makes is not None:
            identity = RunIdentity(self.operation.name, journal.get("account"), context.target)
            journal.earlier_runs = EarlierRuns.open(context.registry_dir, self.directory.path, identity)
        rate = str(options.connection.rate)
        journal.begin(context.clock.wall(), rate, threaded=context.threaded, counter=counter)
        exit_code = ExitCode.JOURNAL
        try:
            executor = RowExecutor(run.binding, journal, session, options.execution, context.progress.advance)
            await executor.run()
            await session.client.aclose()  # reports may need the files that connections hold
            exit_code = self._exit_code(journal, session)
        finally:
            if journal.earlier_runs is not None:
                journal.earlier_runs.close()
            journal.finish(context.clock.wall(), exit_code)
            if self.duplicate_guard is not None:
                self.duplicate_guard.note_end()
        notes = end_notes(journal.queries, self.operation, session, self.context.program)
        if not rows and context.tell_plan and self.duplicate_guard is not None:
            by_count = self.operation.repeat is Repeat.ONCE and not self.duplicate_guard.needs_digest
            notes = (*notes, *idle_notes(journal.queries, self.operation, by_count=by_count))
        return self._end(run, exit_code, notes, plan=plan)

    def _exit_code(self, journal: Journal, session: Session) -> ExitCode:
        if session.halt_reason is not None:
            return ExitCode.HALTED
        if session.stop.reason == "interrupted":
            return ExitCode.INTERRUPTED
        queries = journal.queries
        limited = self.options.execution.limit is not None
        counts = queries.taken_counts(journal.run) if limited else queries.counts()
        return exit_code_of(counts)

    def _end(self, run: OpenRun, exit_code: ExitCode, notes: tuple[str, ...], plan: tuple[str, ...] = ()) -> RunResult:
        journal, file_format = run.journal, run.file_format
        truncated: list[str] = []
        files = write_reports(journal.queries, run.columns, file_format, truncated.append)
        journal.set("written", file_format)
        summary = summarise(
            journal.queries,
            self.operation,
            exit_code=exit_code,
            next_command=self.context.command if rows_going_on(self.operation, journal.queries) else None,
            rate=self.options.connection.rate.as_json(),
        )
        write_summary(journal.queries, summary, truncated.append)
        return RunResult(exit_code, self.directory.path, plan, summary, files, (*notes, *truncated))
