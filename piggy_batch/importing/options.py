"""What the row commands are asked for, and what a run ends with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.models import Repeat, Status
from piggy_batch.runs.context import ConnectionOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from piggy_batch.endpoints.responses import Verdict
    from piggy_batch.exit_codes import ExitCode
    from piggy_batch.importing.verification.balances import Customer


@dataclass(frozen=True, slots=True)
class ExecutionOptions:
    """How rows are carried: the options that concern each of them."""

    concurrency: int = 8
    attempts: int = 5  # tries of a row that end without a usable answer
    look_before: bool = True
    resend_unknown: bool = False
    retry_rejected: bool = False
    limit: int | None = None  # rows
    max_errors: int | None = None  # rows
    max_errors_percent: float | None = None
    customers: Mapping[str, Customer] | None = None  # of a migration, by identity: whose balances are verified
    # The word for an outcome that a later step makes good, which is no error; None: it stands.
    made_good: Callable[[Verdict], str | None] | None = None

    def statuses_to_take(self, repeat: Repeat) -> set[Status]:
        """The statuses of the rows that an invocation takes. ``repeat``: what a repeat of its operation does."""
        taken = {Status.PENDING, Status.FAILED}
        if self.retry_rejected:
            taken.add(Status.REJECTED)
        if self.resend_unknown or repeat is not Repeat.ONCE:
            taken.add(Status.UNKNOWN)
        return taken


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a row command was asked for."""

    run_dir: Path | None = None
    dry_run: bool = False
    connection: ConnectionOptions = field(default_factory=ConnectionOptions)
    max_duration_s: float | None = None
    skip_invalid: bool = False
    format: str | None = None
    yes: bool = False
    adopt: bool = False
    baseline: bool = False  # list the cards that are there before the first request
    accept: frozenset[str] = frozenset()  # codes or slugs of the manifest doctor's blocking findings
    reading: ManifestOptions = field(default_factory=ManifestOptions)
    execution: ExecutionOptions = field(default_factory=ExecutionOptions)


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a command ended, and what a person should read."""

    exit_code: ExitCode
    run_dir: Path
    plan: tuple[str, ...] = ()
    summary: dict[str, Any] | None = None  # None: nothing was sent
    report_files: tuple[tuple[str, int], ...] = ()  # (file, rows)
    notes: tuple[str, ...] = ()
    figures: Mapping[str, Any] | None = None  # of a dry run's plan, or of a refused manifest, for programs
