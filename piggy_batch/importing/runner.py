"""The machine of one row command: run directory, check, account, plan, sending, reports, exit code."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import check_account, describe_account, fetch_account
from piggy_batch.errors import HaltError, SetupError
from piggy_batch.files import write_json
from piggy_batch.importing.executor import RowExecutor
from piggy_batch.importing.giftcards.baseline import record_baseline
from piggy_batch.importing.giftcards.preview import warn_about_giftcards
from piggy_batch.importing.options import ImportOptions, RunResult
from piggy_batch.importing.plan import repeat_warning
from piggy_batch.importing.results import ReportColumns, summarise, write_errors, write_reports
from piggy_batch.importing.resume import load_manifest_into, rejoin
from piggy_batch.manifest.describe import fact_lines, unaccepted
from piggy_batch.models import Repeat, Status
from piggy_batch.runs.context import RunContext, open_session, shared_pace
from piggy_batch.runs.directory import RunDir, default_run_dir, refuse_missing
from piggy_batch.runs.duplicate_guard import DuplicateRunGuard, refuse_again
from piggy_batch.runs.filenames import STDIN, SUMMARY
from piggy_batch.runs.journal_file import guarded
from piggy_batch.runs.progress import Beside
from piggy_batch.runs.signals import Signals, ending_after
from piggy_batch.text import duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from piggy_batch.client.session import Session
    from piggy_batch.endpoints import Operation
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.manifest.doctor import Finding
    from piggy_batch.manifest.options import LoadedManifest
    from piggy_batch.runs.journal import Journal


LONG_BYTES = 20_000_000  # of a manifest; reading it takes some seconds
GOOD = frozenset({Status.DONE, Status.ALREADY, Status.ABSENT})


async def run(operation: Operation, manifest: Path, options: ImportOptions, context: RunContext) -> RunResult:
    """Carry a manifest out, or go on with it.

    Raises the package's errors, each with its exit code, where nothing could be started; how rows ended is
    in the result.
    """
    if manifest == STDIN and options.run_dir is None:
        raise SetupError("a manifest from standard input needs --run-dir, so that the run can be found again")
    refuse_missing(manifest)
    run_dir = options.run_dir or default_run_dir(manifest, operation)
    if not options.reading.again:
        refuse_again(operation, manifest, run_dir)
    with RunDir(run_dir) as directory, guarded(run_dir):
        return await RowCommandRun(operation, manifest, options, context, directory).go()


class RowCommandRun:
    def __init__(
        self, operation: Operation, manifest: Path, options: ImportOptions, context: RunContext, directory: RunDir
    ) -> None:
        self.operation = operation
        self.manifest = manifest
        self.options = options
        self.context = context
        self.directory = directory
        self.loaded: LoadedManifest | None = None
        self.duplicate_guard: DuplicateRunGuard | None = None
        self.signals = Signals(context)

    async def go(self) -> RunResult:
        with self.signals:
            return await self._go()

    async def _go(self) -> RunResult:
        journal = self.directory.existing(self.operation, adopt=self.options.adopt)
        try:
            if journal is None:
                self._tell_wait()
                journal, self.loaded = load_manifest_into(
                    self.directory, self.operation, self.manifest, self.options.reading
                )
                binding = self.loaded.binding
                journal.set("format", "parquet" if self.loaded.facts.format == "parquet" else "csv")
                self.duplicate_guard = self._twins(journal)
                if not self.options.reading.again:
                    self.duplicate_guard.refuse()
            else:
                binding = rejoin(
                    self.directory,
                    journal,
                    self.operation,
                    self.manifest,
                    self.options.reading,
                    adopt=self.options.adopt,
                )
                self.duplicate_guard = self._twins(journal)
                if not self.options.adopt:
                    self.duplicate_guard.refuse_older()
            return await self._checked(journal, binding)
        finally:
            if journal is not None:
                if self.duplicate_guard is not None and not journal.bound:
                    self.duplicate_guard.withdraw()
                keep = journal.bound or (not self.options.dry_run and journal.get("empty") is True)
                journal.close() if keep else journal.discard()
                if not keep:
                    (self.directory.path / "stdin").unlink(missing_ok=True)

    def _tell_wait(self) -> None:
        """A list that takes a while: say what is being done meanwhile."""
        if self.manifest != STDIN and (size := self.manifest.stat().st_size) >= LONG_BYTES:
            mb = size // 1_000_000
            self.context.progress.say(f"checking every row of {self.manifest} ({mb:,} MB) before anything is sent")

    def _twins(self, journal: Journal) -> DuplicateRunGuard:
        target = self.context.target
        return DuplicateRunGuard(
            self.operation,
            self.manifest,
            journal,
            target.base_url,
            self.context.registry_dir,
            rehearsal=target.loopback,
        )

    async def _checked(self, journal: Journal, binding: Binding) -> RunResult:
        layout = ReportColumns(binding)
        kind = self.options.format or journal.get("format")
        counts = journal.counts()
        invalid = counts[Status.INVALID]
        if not journal.bound and invalid and not self.options.skip_invalid:
            return await self._invalid(journal, layout, kind)
        if sum(counts.values()) == 0 and not self.options.dry_run:
            journal.set("empty", value=True)
            return self._end(journal, layout, kind, 0, ("the manifest has a header and no rows: nothing to do",))
        return await self._with_service(journal, binding, layout, kind)

    async def _invalid(self, journal: Journal, layout: ReportColumns, kind: str) -> RunResult:
        """Nothing is sent: the problems on stderr, the rows in a file to mend and pass again."""
        cut: list[str] = []
        path = write_errors(journal, layout, kind, cut.append)
        counts = journal.counts()
        notes = [str(p) for p in self.loaded.problems] if self.loaded else []
        number = counts[Status.INVALID]
        if number > len(notes):
            notes.append(f"… and more; all {number:,} invalid rows are in {path}")
        notes.append(
            f"{number:,} of {sum(counts.values()):,} rows are invalid (listed in {path}); nothing was sent: mend the "
            "manifest, or run the valid rows with --skip-invalid"
        )
        return RunResult(2, self.directory.path, piles=((str(path), number),), notes=(*notes, *cut))

    # --- with the service ----------------------------------------------------------------------------

    async def _with_service(self, journal: Journal, binding: Binding, layout: ReportColumns, kind: str) -> RunResult:
        context, options = self.context, self.options
        session = open_session(options.connection, context)
        client = session.client
        async with client:
            account = await fetch_account(session, context.target, journal)
            check_account(journal, account, self.directory.path)
            plan = self._plan(journal, account, client.proxy)
            blocking = self.loaded.blocking(options.accept) if self.loaded else ()
            with shared_pace(context, session, account, self.directory.path.name):
                if options.dry_run:
                    return await self._rehearse(journal, binding, session, plan, blocking)
                self._ask(journal, plan, blocking)
                journal.set("account", account)
                journal.set("base_url", context.target.base_url)
                journal.set("command", context.command)
                if self.duplicate_guard is not None and self.loaded is not None:
                    self.duplicate_guard.claim(again=options.reading.again)
                self.signals.allow_graceful_stop(session.stop)
                with ending_after(options.max_duration_s, session.stop):
                    context.progress.log_to(self.directory.path / "run.log")
                    refusal = await self._baseline(journal, binding, session)
                    if refusal is not None:
                        return refusal
                    return await self._send(journal, binding, session, layout, kind, plan)

    async def _rehearse(
        self,
        journal: Journal,
        binding: Binding,
        session: Session,
        plan: tuple[str, ...],
        blocking: tuple[Finding, ...],
    ) -> RunResult:
        """The plan, and what a look at the things shows; no write is sent."""
        if self.operation.preview:
            plan += await warn_about_giftcards(journal, binding, session, self.options.terms)
        if session.halt_reason is not None:
            raise HaltError(f"{session.halt_reason}; nothing was sent")
        if session.stop:
            return RunResult(
                130, self.directory.path, plan=plan, notes=("interrupted while looking; nothing was sent",)
            )
        code, notes = (2, (unaccepted(blocking),)) if blocking else (0, ())
        return RunResult(code, self.directory.path, plan=plan, notes=notes)

    async def _baseline(self, journal: Journal, binding: Binding, session: Session) -> RunResult | None:
        """Record what is there before the first request; None: done, or not wanted."""
        if not self.options.baseline or journal.bound or not self._to_take(journal):
            return None
        say = self.context.progress.say
        beside = Beside(self.context.progress, session.clock)
        # The pace is shared with other runs already, under this run's name.
        context = replace(self.context, limiter=session.limiter, signals=False, shared_rate_dir=None, progress=beside)
        say("before the first request: a list of the cards that the program holds already")
        listed = await record_baseline(journal, binding, self.options, context)
        session.tally.sent += listed.summary["requests"]
        if not listed.written:
            over = session.stop.reason == "max-duration"
            notes = ("--max-duration is over before the first request; nothing was sent",) if over else listed.notes
            if listed.exit_code == 3:
                notes += ("where this token may not list cards, --no-baseline goes without",)
            return RunResult(1 if over else listed.exit_code, self.directory.path, notes=(*notes, self._go_on()))
        if not listed.agreed:
            say(
                "the list of the program's cards could not be proven complete; should a row end in doubt, "
                "giftcards reconcile will list candidates and assign none"
            )
        return None

    def _go_on(self) -> str:
        return f"go on with: {self.context.command}"

    async def _send(
        self,
        journal: Journal,
        binding: Binding,
        session: Session,
        layout: ReportColumns,
        kind: str,
        plan: tuple[str, ...],
    ) -> RunResult:
        context, options = self.context, self.options
        if context.tell_plan and not self._asks(journal):
            for line in plan:
                context.progress.say(line)
        context.progress.total(self._to_take(journal))
        journal.begin(context.clock.wall(), str(options.connection.rate), threaded=context.threaded)
        exit_code = 4
        try:
            importer = RowExecutor(
                binding, journal, session, options.terms, lambda s: context.progress.advance(s.value)
            )
            await importer.run()
            exit_code = self._exit_code(journal, session)
        finally:
            journal.finish(context.clock.wall(), exit_code)
            if self.duplicate_guard is not None:
                self.duplicate_guard.note_end()
        return self._end(journal, layout, kind, exit_code, self._notes(journal, session), plan=plan)

    def _exit_code(self, journal: Journal, session: Session) -> int:
        if session.halt_reason is not None:
            return 3
        if session.stop.reason == "interrupted":
            return 130
        if self.options.terms.limit is not None:
            taken = journal.taken_counts()
            return 0 if all(s in GOOD for s, n in taken.items() if n) else 1
        return 0 if all(s in GOOD for s, n in journal.counts().items() if n) else 1

    def _goes_on(self, journal: Journal, *, resend: bool = False) -> int:
        """How many rows the plain command takes up: rows in doubt only where it can look them up first."""
        counts = journal.counts()
        unknown = counts[Status.UNKNOWN]
        if not resend:
            blind = journal.count_without_lookup() if self.operation.lookup_before else 0
            unknown = 0 if self.operation.repeat is Repeat.ONCE else unknown - blind
        return counts[Status.PENDING] + counts[Status.FAILED] + unknown

    def _to_take(self, journal: Journal) -> int:
        takes = self._goes_on(journal, resend=self.options.terms.resend_unknown)
        if self.options.terms.retry_rejected:
            takes += journal.counts()[Status.REJECTED]
        limit = self.options.terms.limit
        return takes if limit is None else min(limit, takes)

    def _asks(self, journal: Journal) -> bool:
        return self.operation.confirm and not self.options.yes and self._to_take(journal) > 0

    def _ask(self, journal: Journal, plan: tuple[str, ...], blocking: Sequence[Finding]) -> None:
        if blocking and self.context.confirm is None:
            raise SetupError(unaccepted(blocking))
        if blocking and self.context.confirm:
            for finding in blocking:
                self.context.progress.say(finding.message)
            if not self.context.confirm("these numbers are probably not the cards'; send them all the same?"):
                raise SetupError("not confirmed; nothing was sent")
        if not self._asks(journal):
            return
        if self.context.confirm is None:
            raise SetupError(
                f"{self.operation.name} asks before it starts and there is no terminal to ask on; look at the "
                "plan with --dry-run, then pass --yes"
            )
        for line in plan:
            self.context.progress.say(line)
        if not self.context.confirm(f"{self.operation.name}: send {self._to_take(journal):,} rows?"):
            raise SetupError("not confirmed; nothing was sent")

    # --- words ---------------------------------------------------------------------------------------

    def _plan(self, journal: Journal, account: dict[str, Any], proxy: str | None) -> tuple[str, ...]:
        operation, options = self.operation, self.options
        counts = journal.counts()
        takes = self._to_take(journal)
        each = 2 if operation.lookup_before and options.terms.look_before else 1
        requests = takes * each
        rate, reserve = options.connection.rate, options.connection.reserve
        least_s = rate.least_s(requests)
        took = f", at least {duration(least_s)}" if least_s else ""
        looks = " (a look before each row)" if each == 2 else ""
        lines = [
            f"plan: {operation.name} for account {describe_account(account)} at {self.context.target.base_url}",
            (
                f"manifest: {self.manifest}, {sum(counts.values()):,} rows, {counts[Status.INVALID]:,} invalid, "
                f"{takes:,} to send{self._settled(counts)}"
            ),
            f"requests: {requests:,}{looks}, rate {rate.describe(reserve)}{took}",
            f"repeat: {repeat_warning(operation)}",
        ]
        if self.loaded is not None:
            lines[1:2] = [lines[1], *self._facts()]
        if self.options.baseline and not journal.bound:
            lines.append(
                "before: the cards that the program holds already are listed, each page of up to 100 twice "
                "(--no-baseline skips it)"
            )
        if operation.repeat is not Repeat.SAFE:
            lines.append("note: the account's own automations may mail customers or call webhooks for these changes")
        if proxy:
            lines.append(f"proxy: {proxy}")
        return tuple(lines)

    def _facts(self) -> list[str]:
        return fact_lines(self.loaded) if self.loaded else []

    def _settled(self, counts: dict[Status, int]) -> str:
        parts = [f"{n:,} {s.value}" for s, n in counts.items() if n and s not in (Status.PENDING, Status.INVALID)]
        return f" (so far: {', '.join(parts)})" if parts else ""

    def _notes(self, journal: Journal, session: Session) -> tuple[str, ...]:
        notes = []
        counts = journal.counts()
        if session.halt_reason is not None:
            notes.append(f"halted: {session.halt_reason}")
        elif session.stop.reason == "interrupted":
            notes.append("interrupted: what was in the air has landed, everything is in the journal")
        elif session.stop.reason == "max-duration":
            notes.append("--max-duration is over; everything is in the journal")
        cut_short = sum(run["exit_code"] is None for run in journal.runs())
        if cut_short:
            notes.append(
                f"{cut_short} earlier invocation{'s were' if cut_short > 1 else ' was'} killed or found no room, so "
                "requests and time are at least what is said here"
            )
        if self.operation.verify and counts[Status.REJECTED]:
            notes.append(
                "rows in errors are missing or differ, _message says how; once they are mended, the same command with "
                "--retry-rejected looks at them again"
            )
        elif counts[Status.INVALID] or counts[Status.REJECTED]:
            notes.append(
                "rows in errors were certainly not carried out: mend them and pass that file as a new manifest"
            )
        if counts[Status.UNKNOWN] and self.operation.baseline:
            notes.append(
                "rows in unknown may have been carried out; this looks for their cards: "
                f"{shlex.join(['piggy-batch', 'giftcards', 'reconcile', str(self.directory.path)])}"
            )
        elif counts[Status.UNKNOWN] and self.operation.repeat is Repeat.ONCE:
            notes.append("rows in unknown may have been carried out: look each up before you pass --resend-unknown")
        return tuple(notes)

    def _end(
        self,
        journal: Journal,
        layout: ReportColumns,
        kind: str,
        exit_code: int,
        notes: tuple[str, ...],
        plan: tuple[str, ...] = (),
    ) -> RunResult:
        command = self.context.command if self._goes_on(journal) else None
        cut: list[str] = []
        piles = write_reports(journal, layout, kind, cut.append)
        journal.set("written", kind)
        summary = summarise(
            journal,
            self.operation,
            exit_code=exit_code,
            next_command=command,
            rate=self.options.connection.rate.as_json(),
        )
        write_json(self.directory.path / SUMMARY, summary)
        files = tuple(
            (str(self.directory.path / f"{name}.{kind}"), n) for name, n in piles.items() if n or name == "results"
        )
        return RunResult(exit_code, self.directory.path, plan, summary, files, (*notes, *cut))
