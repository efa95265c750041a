"""How a run has ended, from its journal: the summary, the exit code, and what a person should know."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from piggy_batch.exit_codes import ExitCode
from piggy_batch.models import Repeat, Status
from piggy_batch.text import counted, iso, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from piggy_batch.client.session import Session
    from piggy_batch.endpoints import Operation
    from piggy_batch.runs.journal_queries import JournalQueries

REASONS = 3  # kinds of refusals that the end of a run names
GOOD = frozenset({Status.DONE, Status.ALREADY, Status.ABSENT})


def summarise(
    journal: JournalQueries, operation: Operation, *, exit_code: int, next_command: str | None, rate: object
) -> dict[str, Any]:
    """The run's summary, computed from the journal over all invocations; ``elapsed_s`` adds up their times. Where
    some were ``cut_short``, requests and time are what is known of them, and so at least what is said."""
    counts = journal.counts()
    runs = journal.runs()
    ended = [r for r in runs if r["finished_at"] is not None]
    return {
        "operation": operation.name,
        "manifest": journal.get("manifest"),
        "account": journal.get("account"),
        "base_url": journal.get("base_url"),
        "rows": sum(counts.values()),
        "counts": {status.value: number for status, number in counts.items()},
        "requests": journal.requests(),
        "requests_now": requests_of(runs[-1:]),
        "rate": rate,
        "started_at": iso(runs[0]["started_at"]) if runs else None,
        "finished_at": iso(ended[-1]["finished_at"]) if ended else None,
        "elapsed_s": round(sum(max(0.0, r["finished_at"] - r["started_at"]) for r in ended), 3),
        "invocations": len(runs),
        "cut_short": sum(r["exit_code"] is None for r in runs),
        "exit_code": exit_code,
        "next": next_command,
    }


def requests_of(runs: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The requests of some invocations."""
    counts = {"sent": 0, "retried": 0, "throttled": 0}
    for run in runs:
        for name in counts:
            counts[name] += run[name]
    return counts


def exit_code_of(counts: Mapping[Status, int]) -> ExitCode:
    """How a command ends that came to its end with these rows."""
    return ExitCode.DONE if all(status in GOOD for status, number in counts.items() if number) else ExitCode.INCOMPLETE


def end_notes(
    journal: JournalQueries, operation: Operation, session: Session, program: Sequence[str]
) -> tuple[str, ...]:
    """What a person should know at the end of an invocation. ``program``: how commands begin."""
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
    if operation.verify and counts[Status.REJECTED]:
        notes.append(
            "rows in errors are missing or differ, _message says how; once they are mended, the same command with "
            "--retry-rejected looks at them again"
        )
    elif counts[Status.INVALID] or counts[Status.REJECTED]:
        notes.append("rows in errors were certainly not carried out: mend them and pass that file as a new manifest")
    if counts[Status.UNKNOWN] and operation.baseline:
        notes.append(
            "rows in unknown may have been carried out; this looks for their cards: "
            f"{shlex.join([*program, 'giftcards', 'reconcile', str(journal.directory)])}"
        )
    elif counts[Status.UNKNOWN] and operation.repeat is Repeat.ONCE:
        notes.append("rows in unknown may have been carried out: look each up before you pass --resend-unknown")
    return (*_reasons(journal, counts), *notes)


def idle_notes(journal: JournalQueries, operation: Operation, *, by_count: bool) -> list[str]:
    """What to know of an invocation that had no row to take: whoever wanted the rows carried out anew, as those of
    another year or after an undo, or looked at anew, would take what earlier invocations say for its own. ``by_count``:
    it is a run of --count."""
    counts = journal.counts()
    rows, since = sum(counts.values()), iso(journal.runs()[0]["started_at"])
    if not rows or exit_code_of(counts) is not ExitCode.DONE:
        return []
    match operation.repeat:
        case Repeat.SAFE:
            how = "to look at them anew, name"
        case Repeat.GUARDED:
            how = "to carry them out anew, name"
        case Repeat.ONCE:
            how = "as many more are made with" if by_count else "to carry them out anew, pass --again and"
    told = f"this says what earlier invocations, since {since}, have found and done of {counted(rows, 'row')}"
    return [f"nothing was sent: {told}; {how} another --run-dir"]


def _reasons(journal: JournalQueries, counts: Mapping[Status, int]) -> list[str]:
    """Why rows were refused, by kind: what each code means stands in the message of its first row."""
    refused = counts[Status.REJECTED]
    if not refused:
        return []
    found = journal.reasons(Status.REJECTED, REASONS)
    lines = [f"rejected: {counted(rows, 'row')} as row {first:,}: {shortened(why)}" for rows, first, why in found]
    left = refused - sum(rows for rows, _, _ in found)
    return [*lines, f"rejected: {counted(left, 'row')} for other reasons"] if left else lines
