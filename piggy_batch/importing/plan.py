"""What a command is about to do: how many rows it takes, the plan in words, and the questions before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import describe_account
from piggy_batch.errors import SetupError
from piggy_batch.exit_codes import ExitCode
from piggy_batch.importing.options import RunResult
from piggy_batch.importing.results import write_errors
from piggy_batch.manifest.describe import as_json as manifest_json
from piggy_batch.manifest.describe import fact_lines, refusal_json, refusal_lines, unaccepted
from piggy_batch.models import Repeat, Status
from piggy_batch.text import counted, duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from piggy_batch.endpoints import Operation
    from piggy_batch.importing.options import ExecutionOptions, ImportOptions
    from piggy_batch.importing.results import ReportColumns
    from piggy_batch.manifest.doctor import Finding
    from piggy_batch.manifest.options import LoadedManifest, ManifestOptions
    from piggy_batch.runs.context import ConnectionOptions, RunContext
    from piggy_batch.runs.journal_queries import JournalQueries


# --- how many rows -----------------------------------------------------------------------------------


def rows_going_on(operation: Operation, journal: JournalQueries, *, resend: bool = False) -> int:
    """How many rows the plain command takes up: rows in doubt only where it can look them up first, or ``resend``."""
    counts = journal.counts()
    unknown = counts[Status.UNKNOWN]
    if not resend:
        blind = journal.count_without_lookup() if operation.lookup_before else 0
        unknown = 0 if operation.repeat is Repeat.ONCE else unknown - blind
    return counts[Status.PENDING] + counts[Status.FAILED] + unknown


def rows_to_take(operation: Operation, journal: JournalQueries, options: ExecutionOptions) -> int:
    """How many rows this invocation takes."""
    takes = rows_going_on(operation, journal, resend=options.resend_unknown)
    if options.retry_rejected:
        takes += journal.counts()[Status.REJECTED]
    return takes if options.limit is None else min(options.limit, takes)


# --- in words ----------------------------------------------------------------------------------------


def plan_lines(
    operation: Operation,
    journal: JournalQueries,
    loaded: LoadedManifest | None,
    *,
    manifest: Path,
    options: ImportOptions,
    account: Mapping[str, Any],
    base_url: str,
    proxy: str | None,
) -> tuple[str, ...]:
    """The plan of a row command. ``loaded``: None where a begun run goes on."""
    takes = rows_to_take(operation, journal, options.execution)
    requests = requests_of(operation, takes, options.execution)
    looks = " (a look before each row)" if requests > takes else ""
    lines = [
        f"plan: {operation.name} for account {describe_account(account)} at {base_url}",
        f"{manifest_words(manifest, journal.counts())}, {takes:,} to send{settled_words(journal.counts())}",
        *(fact_lines(loaded) if loaded else []),
        f"requests: {requests_words(requests, options.connection, looks)}",
        f"repeat: {repeat_warning(operation)}",
    ]
    if options.baseline and not journal.bound:
        lines.append(
            "before: the cards that the program holds already are listed, each page of up to 100 twice "
            "(--no-baseline skips it)"
        )
    lines += [f"note: {note}" for note in operation.notes]
    if operation.verify and options.execution.customers:
        lines.append("note: and one request more for each row with credits, for the customer's balance")
    elif operation.verify and loaded and "credits" in loaded.binding.column_index:
        lines.append("note: credits are not compared; --migration RUN_DIR names the migration that gave them")
    if operation.repeat is not Repeat.SAFE:
        lines.append(AUTOMATIONS)
    if proxy:
        lines.append(f"proxy: {proxy}")
    return tuple(lines)


def plan_figures(
    command: str,
    counts: Mapping[Status, int],
    *,
    rows_to_send: int,
    requests: int,
    connection: ConnectionOptions,
    account: Mapping[str, Any],
    base_url: str,
) -> dict[str, Any]:
    """The numbers of a plan, for programs. ``rows_to_send``: of this invocation."""
    return {
        "operation": command,
        "account": account,
        "base_url": base_url,
        "rows": sum(counts.values()),
        "invalid": counts[Status.INVALID],
        "rows_to_send": rows_to_send,
        "requests": requests,
        "at_least_s": connection.rate.least_s(requests),
    }


def requests_of(operation: Operation, rows: int, options: ExecutionOptions) -> int:
    """How many requests so many rows need, if each goes well: a look before each row is one too."""
    return 2 * rows if operation.lookup_before and options.look_before else rows


def waiver_warning(operation: Operation, reading: ManifestOptions) -> str | None:
    """What to know of a repeat that an option permits; None where none does."""
    waiver = operation.waiver
    if waiver is None or waiver.warning is None or not reading.waives(waiver.option):
        return None
    return f"warning: {waiver.warning}"


AUTOMATIONS = "note: the account's own automations may mail customers or call webhooks for these changes"


def manifest_words(manifest: Path, counts: Mapping[Status, int]) -> str:
    """The manifest and its rows."""
    return f"manifest: {manifest}, {counted(sum(counts.values()), 'row')}, {counts[Status.INVALID]:,} invalid"


def settled_words(counts: Mapping[Status, int]) -> str:
    """What earlier invocations have done; empty where there was none."""
    parts = [f"{n:,} {s.value}" for s, n in counts.items() if n and s not in (Status.PENDING, Status.INVALID)]
    return f" (so far: {', '.join(parts)})" if parts else ""


def requests_words(requests: int, connection: ConnectionOptions, remark: str = "") -> str:
    """How many requests at which rate, and how long that takes at least."""
    least_s = connection.rate.least_s(requests)
    took = f", at least {duration(least_s)}" if least_s else ""
    return f"{requests:,}{remark}, rate {connection.rate.describe(connection.reserve)}{took}"


def repeat_warning(operation: Operation) -> str:
    """What a plan says of a repeat."""
    match operation.repeat:
        case Repeat.SAFE:
            return f"a second identical request {operation.repeat_note} (safe)"
        case Repeat.GUARDED:
            return f"a second identical request {operation.repeat_note} (guarded)"
        case Repeat.ONCE:
            return f"a second identical request {operation.repeat_note} (once: never repeated in doubt)"


# --- before it starts ----------------------------------------------------------------------------------


def refuse_invalid(
    journal: JournalQueries, columns: ReportColumns, file_format: str, loaded: LoadedManifest | None
) -> RunResult:
    """Nothing is sent: the problems in words, and the rows in a file to mend and pass again."""
    truncated: list[str] = []
    path = write_errors(journal, columns, file_format, truncated.append)
    counts = journal.counts()
    number = counts[Status.INVALID]
    notes = refusal_lines(loaded) if loaded else []
    notes.append(
        f"{number:,} of {sum(counts.values()):,} rows are invalid (listed in {path}); nothing was sent: mend the "
        "manifest, or run the valid rows with --skip-invalid"
    )
    return RunResult(
        ExitCode.SETUP,
        journal.directory,
        report_files=((str(path), number),),
        notes=(*notes, *truncated),
        figures=refusal_json(loaded, errors=str(path)) if loaded else None,
    )


def rehearsed(
    run_dir: Path,
    plan: Sequence[str],
    loaded: LoadedManifest | None,
    blocking: Sequence[Finding],
    figures: Mapping[str, Any],
) -> RunResult:
    """How a dry run ends: with the plan, and with a refusal where findings were not accepted."""
    notes, code = ((unaccepted(blocking),), ExitCode.SETUP) if blocking else ((), ExitCode.DONE)
    found = {**(manifest_json(loaded) if loaded else {}), **figures, "refused": bool(blocking)}
    return RunResult(code, run_dir, plan=tuple(plan), notes=notes, figures=found)


def ask_before_start(
    context: RunContext,
    command: str,
    plan: Sequence[str],
    loaded: LoadedManifest | None,
    blocking: Sequence[Finding],
    question: str | None,
    *,
    asks: bool,
) -> None:
    """Ask what must be agreed to before anything is sent; SetupError where nobody agrees.

    ``blocking``: findings that were not accepted. ``question``: None where the start itself needs no answer.
    ``asks``: whether questions are welcome; ``--yes`` says that they are not, which accepts no finding.
    """
    if blocking and (context.confirm is None or not asks):
        raise SetupError(unaccepted(blocking), details=refusal_json(loaded) if loaded else None)
    if question is not None and context.confirm is None:
        raise SetupError(
            f"{command} asks before it starts and there is no terminal to ask on; look at the plan with --dry-run, "
            "then pass --yes"
        )
    if blocking:
        for finding in blocking:
            context.progress.say(finding.message)
        _confirm(context, "these values are probably not what is meant; send them all the same?")
    if question is not None:
        for line in plan:
            context.progress.say(line)
        _confirm(context, question)


def _confirm(context: RunContext, question: str) -> None:
    if context.confirm is not None and not context.confirm(question):
        raise SetupError("not confirmed; nothing was sent")
