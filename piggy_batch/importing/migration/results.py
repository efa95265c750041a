"""One report over all stages of a migration: results in manifest order, piles, summary."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

from piggy_batch.client.rate_limiter import DEFAULT_RATE
from piggy_batch.exit_codes import ExitCode
from piggy_batch.importing.migration.stages import HELD, MigrationRow, Stage, migrate_operation
from piggy_batch.importing.options import RunResult
from piggy_batch.importing.results import ReportColumns, write_reports, write_summary
from piggy_batch.importing.run_summary import exit_code_of, summarise
from piggy_batch.models import Proof, Status
from piggy_batch.runs.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from piggy_batch.importing.migration.pipeline import Job, StopReason
    from piggy_batch.importing.migration.stage_runs import MigrationState
    from piggy_batch.runs.journal import Journal


def finish(
    journal: Journal,
    state: MigrationState,
    columns: ReportColumns,
    file_format: str,
    job: Job,
    ending: StopReason,
    taken: frozenset[int] | None,
    *,
    code: ExitCode | None = None,
) -> RunResult:
    """Read every row's fate from the stages, write the reports, and close the invocation's books. ``code``: how it
    ends where the rows do not tell."""
    seen: Counter[Status] = Counter()
    taken_on: Counter[tuple[str, Status]] = Counter()
    journal.record(_fates(state, taken, seen, taken_on))
    if code is None:
        code = _exit_code(ending, journal.queries.counts() if taken is None else seen)
    journal.finish(job.context.clock.wall(), code)
    counts = journal.queries.counts()
    goes_on = counts[Status.PENDING] + counts[Status.FAILED] + _guarded_doubt(state)
    truncated: list[str] = []
    files = write_reports(journal.queries, columns, file_format, truncated.append)
    rate = job.options.connection.rate.as_json()
    summary = summarise(
        journal.queries,
        migrate_operation(credits=journal.get("credits") is True),
        exit_code=code,
        next_command=job.context.command if goes_on else None,
        rate=rate,
    )
    summary["stages"] = {stage.value: state.runs[stage].summary() for stage in Stage}
    counts_of_create = summary["stages"][Stage.CREATE]["counts"]
    for (word, status), number in taken_on.items():
        counts_of_create[word] = counts_of_create.get(word, 0) + number
        counts_of_create[status] -= number
    of_stages = state.requests()
    for name in summary["requests"]:
        summary["requests"][name] += of_stages[name]
        summary["requests_now"][name] += of_stages[name] - ending.requests_before[name]
    write_summary(journal.queries, summary, truncated.append)
    return RunResult(code, job.run_dir, (), summary, files, (*_notes(ending, counts, job), *truncated))


def _fates(
    state: MigrationState,
    taken: frozenset[int] | None,
    seen: Counter[Status],
    taken_on: Counter[tuple[str, Status]],
) -> Iterator[Outcome]:
    """The row's outcome as its own journal keeps it; rows that no stage has touched keep none. ``taken_on``: outcomes
    of the create stage that a later stage makes good, by the word for it and the stage's own status."""
    for line in state.lines():
        if line.entry.status is Status.INVALID:
            continue
        stage, fate = line.where()
        if taken is not None and line.entry.number in taken:
            seen[line.status] += 1
        if not line.fates.keys() - ({Stage.CREDITS} if line.withheld else set()):
            continue
        if line.taken_on is not None:
            taken_on[line.taken_on, line.fates[Stage.CREATE].status] += 1
        yield Outcome(
            number=line.entry.number,
            status=line.status,
            attempts=sum(f.attempts for f in line.fates.values()),
            finished_at=fate.finished_at if fate else None,
            proof=Proof(fate.proof) if fate and fate.proof else None,
            http_status=fate.http_status if fate else None,
            code=fate.code if fate else None,
            message=f"{stage}: {fate.message}" if fate and fate.message else None,
            kept=_kept(line),
            sent_at=fate.sent_at if fate else None,
        )


def _kept(line: MigrationRow) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    if line.contact is not None:
        kept["contact_uuid"] = line.contact
    given = line.fates.get(Stage.CREDITS)
    if given is not None and given.kept:
        kept["credit_reception_uuid"] = given.kept.get("credit_reception_uuid")
    if line.holds_credits:
        kept[f"_{Stage.CREDITS}_status"] = HELD
    for stage, fate in line.fates.items():
        kept[f"_{stage}_status"] = (line.taken_on if stage is Stage.CREATE else None) or fate.status.value
    return kept


def _guarded_doubt(state: MigrationState) -> int:
    """Rows in doubt that the same command looks up and goes on with."""
    lines = state.lines()
    return sum(1 for line in lines if line.status is Status.UNKNOWN and line.where()[0] is not Stage.CREDITS)


def _exit_code(ending: StopReason, counts: dict[Status, int] | Counter[Status]) -> ExitCode:
    if ending.halted is not None:
        return ExitCode.HALTED
    if ending.interrupted:
        return ExitCode.INTERRUPTED
    return exit_code_of(counts)


def _notes(ending: StopReason, counts: dict[Status, int], job: Job) -> tuple[str, ...]:
    notes = []
    if ending.halted is not None:
        notes.append(f"halted: {ending.halted}")
    elif ending.interrupted:
        notes.append("interrupted: what was in the air has landed, everything is in the journals")
    elif ending.over:
        notes.append("--max-duration is over; everything is in the journals")
    if counts[Status.INVALID] and not counts[Status.REJECTED]:
        notes.append(
            "rows in errors are invalid and nothing of them was sent; _message says why: mend them and pass that file "
            f"as a new manifest{_after(job)}"
        )
    elif counts[Status.REJECTED]:
        notes.append(
            "rows in errors did not reach their goal; _message names the stage and the reason, and a row's earlier "
            "stages may have been carried out: mend them and pass that file as a new manifest"
            f"{_after(job)}"
        )
    if counts[Status.UNKNOWN]:
        notes.append(
            "rows in unknown may have been carried out; _message names the stage. For credits in doubt, this looks at "
            f"balances and credit receptions: {_reconcile(job)}"
        )
    if not ending.halted and counts[Status.DONE] + counts[Status.ALREADY] and not counts[Status.PENDING]:
        notes.append(f"sign off with: {_sign_off(job)}")
    return tuple(notes)


def _after(job: Job) -> str:
    """The option by which a corrected list gives nobody credits again."""
    if job.migration.shop is None:
        return ""
    return f" with --after {shlex.quote(str(job.run_dir))}, so that nobody is given credits again"


def _reconcile(job: Job) -> str:
    """The command that settles credits in doubt."""
    return shlex.join([*job.context.program, "migrate", "reconcile", str(job.run_dir), *_pace(job)])


def _pace(job: Job) -> list[str]:
    """The rate, where another than the usual one was chosen."""
    rate = job.options.connection.rate
    return [] if rate == DEFAULT_RATE else ["--rate", str(rate)]


def _sign_off(job: Job) -> str:
    """The command that verifies the manifest, read as the migration has read it."""
    options = job.options
    words = [
        *job.context.program,
        "identifiers",
        "verify",
        str(job.manifest),
        "--migration",
        str(job.run_dir),
        *options.reading.words(),
    ]
    words += ["--skip-invalid"] if options.skip_invalid else []
    return shlex.join([*words, *_pace(job), "--report", "sign-off.html"])
