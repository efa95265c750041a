"""The steps of a migration: check, account, plan, the stages, and one report over all of them."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import check_account, fetch_account
from piggy_batch.endpoints.exportable_lists import SHOPS
from piggy_batch.errors import SetupError, sent_already
from piggy_batch.exporting.page_reader import StoppedError
from piggy_batch.exporting.unpaged_lists import explain_missing
from piggy_batch.importing.migration.checks import check_customers, refuse_overlooked
from piggy_batch.importing.migration.corrections import follow, known_runs, refuse_followed, withhold
from piggy_batch.importing.migration.credit_registry import CreditRegistry
from piggy_batch.importing.migration.pipeline import Job, MigrationOptions, Pipeline, goes_on
from piggy_batch.importing.migration.plan import plan_lines, stage_requests, stage_rows
from piggy_batch.importing.migration.results import finish
from piggy_batch.importing.migration.stage_runs import MigrationState
from piggy_batch.importing.migration.stages import Stage, migrate_operation
from piggy_batch.importing.plan import ask_before_start, plan_figures, refuse_invalid, rehearsed
from piggy_batch.importing.results import ReportColumns, withdraw_reports
from piggy_batch.importing.resume import load_manifest_into, one_adoption, rejoin
from piggy_batch.models import Repeat, Status
from piggy_batch.runs.context import RunContext, open_session
from piggy_batch.runs.directory import RunDir, stem
from piggy_batch.runs.duplicate_guard import refuse_again
from piggy_batch.runs.filenames import RUN_LOG, STDIN
from piggy_batch.runs.journal_file import guarded
from piggy_batch.runs.own_files import refuse_manifest_among_reports
from piggy_batch.runs.registry import note_run
from piggy_batch.runs.signals import Signals, ending_after

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping
    from pathlib import Path

    from piggy_batch.client.session import Session
    from piggy_batch.importing.options import ImportOptions, RunResult
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.manifest.options import LoadedManifest
    from piggy_batch.runs.journal import Journal

ANEW = "pass --after RUN_DIR if this list corrects it, or --credits-again if these are other balances"


def default_migrate_dir(manifest: Path) -> Path:
    """``cards.csv`` gives ``cards.migrate`` beside it."""
    return manifest.with_name(f"{stem(manifest)}.migrate")


async def migrate(
    manifest: Path, options: ImportOptions, migration: MigrationOptions, context: RunContext
) -> RunResult:
    """Carry a migration out, or go on with it. Raises as :func:`piggy_batch.importing.runner.run` does."""
    if manifest == STDIN and options.run_dir is None:
        raise SetupError("a manifest from standard input needs --run-dir, so that the run can be found again")
    run_dir = options.run_dir or default_migrate_dir(manifest)
    again = migration.credits_again or bool(migration.after)
    reading = replace(options.reading, again=again, extra=migration.bound())
    job = Job(manifest, run_dir, replace(options, run_dir=run_dir, reading=reading), migration, context)
    refuse_manifest_among_reports(manifest, run_dir)
    with guarded(run_dir, OSError), RunDir(run_dir) as directory:
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
                refuse_followed(journal)
                self.gives = journal.get("credits") is True
                operation = migrate_operation(credits=self.gives)
                binding = rejoin(
                    self.directory,
                    journal,
                    operation,
                    job.manifest,
                    job.options.reading,
                    adopt=job.options.adopt,
                    changed=f"--after {job.run_dir}" if self.gives else None,
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
        migration = self.job.migration
        refuse_overlooked(loaded.binding, self.job.manifest, self.job.options.reading.ignored)
        checked = check_customers(
            journal, loaded, per_card=migration.credits_per_card, hold_credits=migration.hold_credits
        )
        self.loaded, self.gives = checked.loaded, checked.gives
        journal.set("credits", value=self.gives)
        journal.set("run_id", secrets.token_hex(16))
        if not self.gives:
            return
        journal.set("repeat", Repeat.ONCE.value)
        if migration.shop is None:
            raise SetupError(
                "the manifest gives credits: name the shop in whose name they are given with --shop UUID; "
                f"piggy-batch {SHOPS.name} prints the account's"
            )
        if not migration.credits_again and not migration.after:
            refuse_again(migrate_operation(credits=True), self.job.manifest, self.job.run_dir, ANEW)

    async def _checked(self, journal: Journal, binding: Binding, signals: Signals) -> RunResult:
        options = self.job.options
        columns, file_format = ReportColumns(binding), options.format or journal.get("format")
        counts = journal.queries.counts()
        held = len(self.loaded.held) if self.loaded else 0
        if not journal.bound and counts[Status.INVALID] > held and not options.skip_invalid:
            return refuse_invalid(journal.queries, columns, file_format, self.loaded)
        state = MigrationState(self.job.run_dir, journal.queries, binding)
        session = open_session(options.connection, self.job.context)
        async with session.client:
            account = await fetch_account(session, self.job.context.target, journal)
            check_account(journal, account, self.job.run_dir)
            known = known_runs(self.job.migration.after, account)
            registry = await self._credit_registry(journal, account, session, known)
            after = self._withhold(journal, state)
            taken = self._taken(state)
            planned = stage_rows(state, self.job, taken)
            plan = (*plan_lines(self.job, self.loaded, account, journal.queries, planned), *after)
            blocking = self.loaded.blocking(options.accept) if self.loaded else ()
            if options.dry_run:
                figures = self._figures(counts, planned, account)
                return rehearsed(self.job.run_dir, plan, self.loaded, blocking, figures)
            asks = sum(planned.values()) > 0 and not options.yes
            question = "migrate: start?" if asks else None
            ask_before_start(self.job.context, "migrate", plan, self.loaded, blocking, question, asks=not options.yes)
            if not asks:
                for line in plan:
                    self.job.context.progress.say(line)
            journal.set("account", account)
            journal.set("base_url", self.job.context.target.base_url)
            journal.set("command", self.job.context.command)
            if not journal.bound and self.gives:
                follow(self.job.run_dir, self.job.migration.after)
                self._withhold(journal, state)  # with what they have done until now
            journal.set("bound", value=True)
            note_run(self.job.context.registry_dir, self.job.run_dir, "migrate")
            signals.allow_graceful_stop(session)
            pipeline = Pipeline(self.job, state, session, registry, taken, sum(planned.values()), known)
            if sum(planned.values()):
                withdraw_reports(journal.queries)
            with sent_already():
                return await self._carry(pipeline, journal, columns, file_format)

    def _figures(
        self, counts: Mapping[Status, int], planned: Counter[Stage], account: dict[str, Any]
    ) -> dict[str, Any]:
        job = self.job
        figures = plan_figures(
            "migrate",
            counts,
            rows_to_send=sum(planned.values()),
            requests=sum(stage_requests(planned).values()),
            connection=job.options.connection,
            account=account,
            base_url=job.context.target.base_url,
        )
        return {**figures, "stages": {stage.value: number for stage, number in stage_requests(planned).items()}}

    async def _carry(self, pipeline: Pipeline, journal: Journal, columns: ReportColumns, file_format: str) -> RunResult:
        job = self.job
        job.context.progress.log_to(job.run_dir / RUN_LOG)
        journal.begin(job.context.clock.wall(), str(job.options.connection.rate), threaded=job.context.threaded)
        with ending_after(job.options.max_duration_s, pipeline.session.stop):
            ending = await pipeline.run()
            await journal.tally(pipeline.session.tally.sent, 0, 0)
            return finish(journal, pipeline.state, columns, file_format, job, ending, pipeline.taken)

    def _withhold(self, journal: Journal, state: MigrationState) -> tuple[str, ...]:
        """Find out which credits earlier migrations have given; for the plan."""
        migration = self.job.migration
        if journal.bound or not self.gives or not migration.after:
            return ()
        found = withhold(journal, state, migration.after, per_card=migration.credits_per_card)
        return (f"after: {found}; these are not given again",) if found else ()

    async def _credit_registry(
        self, journal: Journal, account: dict[str, Any], session: Session, known: frozenset[str]
    ) -> CreditRegistry:
        """The record of given credits; before anything is sent it and the shop are asked."""
        migration = self.job.migration
        registry = CreditRegistry(migration.state_dir, account, self.job.context.target, journal)
        if self.gives and (not self.job.options.adopt or self.directory.adopted):
            with one_adoption(self.directory):
                registry.refuse_lost(self.job.run_dir / Stage.CREDITS.folder)
        if not self.gives or journal.bound:
            return registry
        registry.refuse_second(again=migration.credits_again, known=known)
        shop = migration.shop or ""
        with contextlib.suppress(StoppedError):
            missing = await explain_missing(session, SHOPS, shop)
            if missing is not None:
                raise SetupError(f"--shop {shop}: {missing}; nothing was sent")
        return registry

    def _taken(self, state: MigrationState) -> frozenset[int] | None:
        """The rows that ``--limit`` lets this invocation take, pending ones first; None: every row."""
        limit = self.job.options.execution.limit
        if limit is None:
            return None
        pending: list[int] = []
        others: list[int] = []
        for line in state.lines():
            if len(pending) == limit:
                break
            if line.status is Status.PENDING:
                pending.append(line.entry.number)
            elif len(others) < limit and goes_on(line, self.job.options):
                others.append(line.entry.number)
        return frozenset((pending + others)[:limit])
