"""Takes rows through the stages of a migration, for one invocation.

What a stage is given are the rows whose earlier stages are done, written down whole before the stage begins; what
became of them is read from its journal. So a migration that was killed at any moment goes on by doing the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from piggy_batch.errors import HaltError, SetupError
from piggy_batch.exit_codes import ExitCode
from piggy_batch.importing.migration.stage_runs import MigrationState, journal_of
from piggy_batch.importing.migration.stages import UNLINKED, MigrationRow, Stage, is_unlinked
from piggy_batch.importing.runner import run
from piggy_batch.manifest.doctor import CATALOGUE
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.models import Repeat, Status
from piggy_batch.runs.progress import NestedProgress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from piggy_batch.client.session import Session
    from piggy_batch.endpoints.responses import Verdict
    from piggy_batch.importing.migration.credit_registry import CreditRegistry
    from piggy_batch.importing.options import ImportOptions
    from piggy_batch.runs.context import RunContext

EVERY_FINDING = frozenset(rule.code for rule in CATALOGUE)  # weighed once, on the migration's own manifest


@dataclass(frozen=True, slots=True)
class MigrationOptions:
    """What a migration was asked for beside the options of every run."""

    state_dir: Path  # where the record of given credits lives
    shop: str | None = None  # UUID of the shop in whose name credits are given
    credits_per_card: bool = False
    credits_again: bool = False
    after: tuple[Path, ...] = ()  # run directories of migrations that this list corrects
    hold_credits: bool = False  # of rows without a customer

    def bound(self) -> dict[str, Any]:
        """The options that change what is sent."""
        return {
            "--shop": self.shop,
            "--credits-per-card": self.credits_per_card,
            "--after": [str(run_dir.resolve()) for run_dir in self.after] or None,
            "--hold-credits": self.hold_credits or None,
        }


@dataclass(slots=True)
class StopReason:
    """How an invocation came to its end."""

    halted: str | None = None
    interrupted: bool = False
    over: bool = False  # --max-duration
    requests_before: Counter[str] = field(default_factory=Counter)  # of the stages, by earlier invocations


@dataclass(frozen=True, slots=True)
class Job:
    """One invocation of a migration: what, where and as whom."""

    manifest: Path
    run_dir: Path
    options: ImportOptions
    migration: MigrationOptions
    context: RunContext


def goes_on(line: MigrationRow, options: ImportOptions) -> bool:
    """Whether the same command would take the row up again."""
    status = line.status
    if status in (Status.PENDING, Status.FAILED):
        return True
    if status is Status.REJECTED:
        return options.execution.retry_rejected
    if status is Status.UNKNOWN:
        return options.execution.resend_unknown or line.where()[0] is not Stage.CREDITS
    return False


class Pipeline:
    """The stages one after the other, for one invocation."""

    def __init__(
        self,
        job: Job,
        state: MigrationState,
        session: Session,
        registry: CreditRegistry,
        taken: frozenset[int] | None,
        planned: int,
        known: frozenset[str] = frozenset(),
    ) -> None:
        self.job = job
        self.state = state
        self.session = session
        self.taken = taken  # None: every row
        self._planned = planned  # rows of all stages
        self._registry = registry
        self._known = known  # migrations whose credits are not given again, as the registry names them
        self._shown = NestedProgress(job.context.progress)
        self._ending = StopReason()

    async def run(self) -> StopReason:
        """Every stage in turn: first what is open in it, then the rows that have come so far."""
        self._shown.inner.total(self._planned)
        self._ending.requests_before = self.state.requests()
        for stage in Stage:
            for manifest in self.state.runs[stage].manifests():
                if self._open(stage, manifest) and await self._stage(stage, manifest):
                    return self._ending
            part = self.state.runs[stage].add(self._rows(stage))
            if part is not None and await self._stage(stage, part):
                return self._ending
        return self._ending

    def _rows(self, stage: Stage) -> Iterator[list[str]]:
        shop = self.job.migration.shop
        known: set[str | None] = set()
        for line in self.state.lines():
            if line.next_stage() is not stage or (self.taken is not None and line.entry.number not in self.taken):
                continue
            if stage is Stage.CONTACTS:
                if line.identity in known:
                    continue
                known.add(line.identity)
            yield line.stage_row(stage, shop)

    def _open(self, stage: Stage, manifest: Path) -> bool:
        """Whether a part that was begun has rows to take."""
        journal = journal_of(manifest)
        if journal is None or not journal.bound:
            if journal is not None:
                journal.close()
            return True
        execution, counts = self.job.options.execution, journal.counts()
        journal.close()
        unknown = execution.resend_unknown or stage.operation.repeat is not Repeat.ONCE
        return bool(
            counts[Status.PENDING]
            + counts[Status.FAILED]
            + (counts[Status.UNKNOWN] if unknown else 0)
            + (counts[Status.REJECTED] if execution.retry_rejected else 0)
        )

    async def _stage(self, stage: Stage, manifest: Path) -> bool:
        """Run one part; True: the pipeline ends here."""
        job, shown, stop = self.job, self._shown, self.session.stop
        options = job.options
        operation = stage.operation
        shown.inner.say(f"stage {list(Stage).index(stage) + 1} of {len(Stage)}: {operation.name}")
        made_good = _made_good if stage is Stage.CREATE else None
        on_begin = partial(self._registry.note_begun, manifest) if stage is Stage.CREDITS else None
        try:
            if stage is Stage.CREDITS:
                self._registry.claim(job.run_dir, again=job.migration.credits_again, known=self._known)
            result = await run(
                operation,
                manifest,
                replace(
                    options,
                    run_dir=manifest.with_suffix(""),
                    yes=True,
                    skip_invalid=True,
                    max_duration_s=None,
                    format="csv",
                    accept=EVERY_FINDING,
                    reading=ManifestOptions(delimiter=",", encoding="utf-8", again=True),
                    execution=replace(options.execution, made_good=made_good),
                ),
                replace(
                    job.context,
                    limiter=self.session.limiter,
                    signals=False,
                    tell_plan=False,
                    progress=shown,
                    on_begin=on_begin,
                ),
            )
        except HaltError as error:
            self._note_stop()
            self._ending.halted = None if stop else str(error)
            return True
        except SetupError as error:
            self._ending.halted = f"{operation.name}: {error}"
            return True
        if result.exit_code == ExitCode.HALTED:
            self._ending.halted = next((n for n in result.notes if n.startswith("halted: ")), "halted").removeprefix(
                "halted: "
            )
        self._note_stop()
        return bool(stop) or result.exit_code in (ExitCode.HALTED, ExitCode.INTERRUPTED)

    def _note_stop(self) -> None:
        reason = self.session.stop.reason
        self._ending.interrupted = reason == "interrupted"
        self._ending.over = reason == "max-duration"


def _made_good(verdict: Verdict) -> str | None:
    """How the create stage counts a card that the link stage may take on: it is no error."""
    return UNLINKED if is_unlinked(verdict.kept) else None
