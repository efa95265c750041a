"""What ``status`` tells: a run's state from its journal, without disturbing the run."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import describe_account
from piggy_batch.errors import SetupError
from piggy_batch.exporting.staging import peek
from piggy_batch.models import Repeat, Status
from piggy_batch.runs.filenames import SUMMARY
from piggy_batch.runs.journal_file import guarded
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.runs.lock import is_held
from piggy_batch.text import counted, duration, iso

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


IN_FLIGHT = "in flight"


def describe_run(run_dir: Path) -> dict[str, Any]:
    """What a run directory holds; SetupError where there is no run, JournalError where it is damaged."""
    with guarded(run_dir):
        return _describe(run_dir)


def _describe(run_dir: Path) -> dict[str, Any]:
    journal = JournalQueries.open(run_dir) if run_dir.is_dir() else None
    if journal is None and (export := peek(run_dir)) is not None:
        return {**export, "running": is_held(run_dir), "started_at": iso(export.pop("started_at_s"))}
    if journal is None or journal.get("operation") is None:
        raise SetupError(f"{run_dir} holds no run; piggy-batch runs lists the directories of runs")
    try:
        runs = journal.runs()
        last = runs[-1] if runs else None
        running = is_held(run_dir)
        in_flight = journal.in_flight(last["id"]) if last and running else 0
        is_migration = journal.get("operation") == "migrate"
        told = {status.value: number for status, number in journal.counts().items()}
        # A migration's own journal learns what its stages have done at the end of each invocation.
        counts = _migrated(journal) if is_migration and (running or journal.unended) else dict(told)
        rows = sum(counts.values())
        counts[(Status.PENDING if journal.repeat is Repeat.SAFE else Status.UNKNOWN).value] -= in_flight
        settled = journal.taken_in(last["id"]) if last else 0
        ended = (last["finished_at"] or (time.time() if running else journal.seen_of(last["id"])[0])) if last else 0.0
        spent = ended - last["started_at"] if last else 0.0
        pending = counts[Status.PENDING.value]
        return {
            "operation": journal.get("operation"),
            "manifest": journal.get("manifest"),
            "account": journal.get("account"),
            "base_url": journal.get("base_url"),
            "running": running,
            "rows": rows,
            "counts": counts,
            "in_flight": in_flight,  # sent, answer not there yet; with them the counts add up to the rows
            "requests": journal.requests(),
            "invocations": len(runs),
            "started_at": iso(runs[0]["started_at"]) if runs else None,
            "rows_per_s": round(settled / spent, 2) if spent > 0 else None,
            "left_s": round(pending * spent / settled) if running and settled and spent else None,
            "exit_code": last["exit_code"] if last and not running else None,
            "next": _next(run_dir, journal, told),
            "stages": _stages(run_dir, running=running) if is_migration else [],
        }
    finally:
        journal.close()


def _migrated(journal: JournalQueries) -> dict[str, int]:
    """Where the rows of a migration stand by what its stages have done so far."""
    from piggy_batch.importing.migration.stage_runs import MigrationState  # only migrations have any

    counts = dict.fromkeys((status.value for status in Status), 0)
    for line in MigrationState.of(journal).lines():
        counts[line.status.value] += 1
    return counts


def _stages(run_dir: Path, *, running: bool) -> list[dict[str, Any]]:
    """What the stages of a migration have done so far: cards that a later stage links are not called rejected, rows
    whose answer is still to come not unknown."""
    from piggy_batch.importing.migration.stage_runs import StageRuns  # only migrations have any
    from piggy_batch.importing.migration.stages import UNLINKED, Stage

    found = []
    for stage in Stage:
        runs = StageRuns(run_dir, stage)
        summary = runs.summary()
        unlinked = runs.unlinked() if stage is Stage.CREATE else 0
        in_flight = sum(journal.in_flight(journal.unended) for journal in runs.journals()) if running else 0
        moves = ((Status.REJECTED, UNLINKED, unlinked), (Status.UNKNOWN, IN_FLIGHT, in_flight))
        for status, name, number in moves:
            if number:
                summary["counts"][status.value] -= number
                summary["counts"][name] = number
        found.append(summary)
    return [summary for summary in found if summary["rows"]]


def _next(run_dir: Path, journal: JournalQueries, counts: dict[str, int]) -> str | None:
    """The command that goes on: as the last summary says, or, where a run was killed, as the journal says."""
    try:
        summary = json.loads((run_dir / SUMMARY).read_text(encoding="utf-8"))
        command = summary.get("next")
        if command is not None and summary["counts"] == counts:
            return str(command)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        pass
    takes = [Status.PENDING, Status.FAILED]
    takes += [] if journal.repeat is Repeat.ONCE else [Status.UNKNOWN]
    command = journal.get("command")
    return str(command) if command and any(counts[s.value] for s in takes) else None


def run_state(found: Mapping[str, Any]) -> str:
    """Whether a run works, or how it ended, in words."""
    if found["running"]:
        return "running"
    if "passes" in found:
        return "not running; the same command goes on"
    if found["exit_code"] is not None:
        return f"ended with exit code {found['exit_code']}"
    return "was killed or cut off; the same command goes on" if found["invocations"] else "not running"


def status_lines(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    if "passes" in found:
        return _export_lines(found)
    counts = found["counts"]
    account = found["account"]
    lines = [
        f"{found['operation']}: {run_state(found)}",
        f"manifest {found['manifest']['path']}, {counted(found['rows'], 'row')}",
        f"account {describe_account(account) if account else 'not known yet'} at {found['base_url'] or 'nowhere yet'}",
    ]
    shown = counts | {IN_FLIGHT: found["in_flight"]}
    lines += [f"  {name:<9} {number:>12,}" for name, number in shown.items() if number]
    for stage in found["stages"]:
        parts = ", ".join(f"{name} {number:,}" for name, number in stage["counts"].items() if number)
        lines.append(f"  stage {stage['operation']}: {counted(stage['rows'], 'row')}, {parts}")
    if found["rows_per_s"]:
        left = f", about {duration(found['left_s'])} left" if found["left_s"] is not None else ""
        lines.append(f"{found['rows_per_s']:g} rows a second{left}")
    if found["next"] and not found["running"]:
        lines.append(f"go on with: {found['next']}")
    return lines


def _export_lines(found: dict[str, Any]) -> list[str]:
    """An unfinished export for people."""
    account = found["account"]
    lines = [
        f"{found['operation']}: {run_state(found)}",
        f"file {found['file'] or 'not named yet'}, account {describe_account(account) if account else 'not known yet'}",
    ]
    lines += [f"  pass {one['pass']}: {one['pages']:,} of {one['last_page'] or '?'} pages" for one in found["passes"]]
    return [*lines, f"{found['rows_read']:,} read in the first pass, {found['requests']:,} requests"]
