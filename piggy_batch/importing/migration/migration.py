"""The machine of a migration: check, account, plan, the stages, and one report over all of them."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import check_account, fetch_account
from piggy_batch.endpoints import segment
from piggy_batch.endpoints.responses import api_code
from piggy_batch.errors import SetupError
from piggy_batch.importing.migration.checks import check_customers
from piggy_batch.importing.migration.credit_registry import CreditRegistry
from piggy_batch.importing.migration.pipeline import Job, MigrationOptions, Pipeline, goes_on
from piggy_batch.importing.migration.plan import plan_lines, stage_rows
from piggy_batch.importing.migration.results import finish
from piggy_batch.importing.migration.stage_runs import MigrationState
from piggy_batch.importing.migration.stages import migrate_operation
from piggy_batch.importing.options import ImportOptions, RunResult
from piggy_batch.importing.results import ReportColumns, write_errors
from piggy_batch.importing.resume import load_manifest_into, rejoin
from piggy_batch.models import Repeat, Reply, Request, Status
from piggy_batch.runs.context import RunContext, open_session
from piggy_batch.runs.directory import RunDir, stem
from piggy_batch.runs.duplicate_guard import refuse_again
from piggy_batch.runs.filenames import STDIN
from piggy_batch.runs.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from piggy_batch.client.session import Session
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.manifest.doctor import Finding
    from piggy_batch.manifest.options import LoadedManifest
    from piggy_batch.runs.journal import Journal

NO_SUCH_SHOP = 1008


def default_migrate_dir(manifest: Path) -> Path:
    """``cards.csv`` gives ``cards.migrate`` beside it."""
    return manifest.with_name(f"{stem(manifest)}.migrate")


async def migrate(manifest: Path, options: ImportOptions, wishes: MigrationOptions, context: RunContext) -> RunResult:
    """Carry a migration out, or go on with it. Raises as :func:`piggy_batch.importing.runner.run` does."""
    if manifest == STDIN and options.run_dir is None:
        raise SetupError("a manifest from standard input needs --run-dir, so that the run can be found again")
    run_dir = options.run_dir or default_migrate_dir(manifest)
    reading = replace(options.reading, again=wishes.credits_again, extra=wishes.bound())
    job = Job(manifest, run_dir, replace(options, run_dir=run_dir, reading=reading), wishes, context)
    with RunDir(run_dir) as directory:
        return await _Migration(job, directory).go()


class _Migration:
    def __init__(self, job: Job, directory: RunDir) -> None:
        self.job = job
        self.directory = directory
        self.loaded: LoadedManifest | None = None
        self.gives = False  # whether any row brings credits

    async def go(self) -> RunResult:
        with Signals(self.job.context) as signals:
            return await self._go(signals)

    async def _go(self, signals: Signals) -> RunResult:
        job = self.job
        # Stages that must not be repeated have run directories of their own, which see to themselves.
        journal = self.directory.existing(migrate_operation(credits=False), adopt=job.options.adopt)
        try:
            if journal is None:
                journal, loaded = load_manifest_into(
                    self.directory, migrate_operation(credits=False), job.manifest, job.options.reading
                )
                self._check(journal, loaded)
                binding = loaded.binding
            else:
                self.gives = journal.get("credits") is True
                operation = migrate_operation(credits=self.gives)
                binding = rejoin(
                    self.directory, journal, operation, job.manifest, job.options.reading, adopt=job.options.adopt
                )
            return await self._checked(journal, binding, signals)
        finally:
            if journal is not None:
                bound = journal.bound
                journal.close() if bound else journal.discard()
                if not bound:
                    (job.run_dir / "stdin").unlink(missing_ok=True)

    def _check(self, journal: Journal, loaded: LoadedManifest) -> None:
        """What only a migration asks of a fresh manifest."""
        wishes = self.job.wishes
        checked = check_customers(journal, loaded, per_card=wishes.credits_per_card)
        self.loaded, self.gives = checked.loaded, checked.gives
        journal.set("format", "parquet" if loaded.facts.format == "parquet" else "csv")
        journal.set("credits", value=self.gives)
        journal.set("run_id", secrets.token_hex(16))
        if not self.gives:
            return
        journal.set("repeat", Repeat.ONCE.value)
        if wishes.shop is None:
            raise SetupError("the manifest gives credits: name the shop in whose name they are given with --shop UUID")
        if not wishes.credits_again:
            refuse_again(migrate_operation(credits=True), self.job.manifest, self.job.run_dir)

    async def _checked(self, journal: Journal, binding: Binding, signals: Signals) -> RunResult:
        options = self.job.options
        layout, kind = ReportColumns(binding), options.format or journal.get("format")
        counts = journal.counts()
        if not journal.bound and counts[Status.INVALID] and not options.skip_invalid:
            return self._invalid(journal, layout, kind)
        board = MigrationState(self.job.run_dir, journal, binding)
        session = open_session(options.connection, self.job.context)
        async with session.client:
            account = await fetch_account(session, self.job.context.target, journal)
            check_account(journal, account, self.job.run_dir)
            book = await self._credit_book(journal, account, session)
            taken = self._taken(board)
            planned = stage_rows(board, self.job, taken)
            plan = plan_lines(self.job, self.loaded, account, journal, planned)
            blocking = self.loaded.blocking(options.accept) if self.loaded else ()
            if options.dry_run:
                notes = (_unaccepted(blocking),) if blocking else ()
                return RunResult(2 if blocking else 0, self.job.run_dir, plan=plan, notes=notes)
            self._ask(plan, blocking, sum(planned.values()))
            journal.set("account", account)
            journal.set("base_url", self.job.context.target.base_url)
            journal.set("command", self.job.context.command)
            journal.set("bound", value=True)
            signals.allow_graceful_stop(session.stop)
            pipeline = Pipeline(self.job, board, session, book, taken, sum(planned.values()))
            return await self._carry(pipeline, journal, layout, kind)

    async def _carry(self, pipeline: Pipeline, journal: Journal, layout: ReportColumns, kind: str) -> RunResult:
        job = self.job
        job.context.progress.log_to(job.run_dir / "run.log")
        journal.begin(job.context.clock.wall(), str(job.options.connection.rate), threaded=job.context.threaded)
        stop, timer = pipeline.session.stop, None
        if job.options.max_duration_s is not None:
            timer = asyncio.get_running_loop().call_later(job.options.max_duration_s, stop.set, "max-duration")
        try:
            ending = await pipeline.run()
            await journal.tally(pipeline.session.tally.sent, 0, 0)
            return finish(journal, pipeline.board, layout, kind, job, ending, pipeline.taken)
        finally:
            if timer is not None:
                timer.cancel()

    async def _credit_book(self, journal: Journal, account: dict[str, Any], session: Session) -> CreditRegistry:
        """The record of given credits; before anything is sent it and the shop are asked."""
        wishes = self.job.wishes
        book = CreditRegistry(wishes.state_dir, self.job.context.target.base_url, account["id"], journal.get("run_id"))
        if not self.gives or journal.bound:
            return book
        book.refuse_second(again=wishes.credits_again)
        shop = wishes.shop or ""
        answer = await session.read(Request("GET", f"shops/{segment(shop)}"), 0, 3)
        if isinstance(answer, Reply) and api_code(answer) == NO_SUCH_SHOP:
            raise SetupError(f"--shop {shop}: this account has no such shop; nothing was sent")
        return book

    def _taken(self, board: MigrationState) -> frozenset[int] | None:
        """The rows that ``--limit`` lets this invocation take, pending ones first; None: every row."""
        limit = self.job.options.terms.limit
        if limit is None:
            return None
        pending: list[int] = []
        others: list[int] = []
        for line in board.lines():
            if len(pending) == limit:
                break
            if line.status is Status.PENDING:
                pending.append(line.entry.number)
            elif len(others) < limit and goes_on(line, self.job.options):
                others.append(line.entry.number)
        return frozenset((pending + others)[:limit])

    def _invalid(self, journal: Journal, layout: ReportColumns, kind: str) -> RunResult:
        cut: list[str] = []
        path = write_errors(journal, layout, kind, cut.append)
        counts = journal.counts()
        number = counts[Status.INVALID]
        notes = [str(p) for p in self.loaded.problems] if self.loaded else []
        notes.append(
            f"{number:,} of {sum(counts.values()):,} rows are invalid (all in {path}); nothing was sent: mend the "
            "manifest, or run the valid rows with --skip-invalid"
        )
        return RunResult(2, self.job.run_dir, piles=((str(path), number),), notes=(*notes, *cut))

    def _ask(self, plan: tuple[str, ...], blocking: Sequence[Finding], rows: int) -> None:
        """Show the plan and ask, as every write does; SetupError where nobody agrees."""
        context = self.job.context
        confirm = context.confirm
        asks = rows > 0 and not self.job.options.yes
        if blocking and confirm is None:
            raise SetupError(_unaccepted(blocking))
        if asks and confirm is None:
            raise SetupError(
                "migrate asks before it starts and there is no terminal to ask on; look at the plan with --dry-run, "
                "then pass --yes"
            )
        for line in (*plan, *(finding.message for finding in blocking)):
            context.progress.say(line)
        if blocking and confirm and not confirm("these numbers are probably not the cards'; go on all the same?"):
            raise SetupError("not confirmed; nothing was sent")
        if asks and confirm and not confirm("migrate: start?"):
            raise SetupError("not confirmed; nothing was sent")


def _unaccepted(blocking: Sequence[Finding]) -> str:
    codes = ",".join(sorted({finding.code for finding in blocking}))
    return (
        f"{'; '.join(finding.message for finding in blocking)}; nothing was sent: mend the list, or state that the "
        f"numbers are right with --accept {codes}"
    )
