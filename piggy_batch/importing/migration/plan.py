"""The plan of a migration: requests by stage and how long they take."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import describe_account
from piggy_batch.importing.migration.pipeline import goes_on
from piggy_batch.importing.migration.stages import FINE, Stage
from piggy_batch.importing.plan import AUTOMATIONS, manifest_words, requests_words, settled_words
from piggy_batch.manifest.describe import fact_lines
from piggy_batch.models import Status
from piggy_batch.text import counted

if TYPE_CHECKING:
    from piggy_batch.importing.migration.pipeline import Job
    from piggy_batch.importing.migration.stage_runs import MigrationState
    from piggy_batch.manifest.options import LoadedManifest
    from piggy_batch.runs.journal_queries import JournalQueries

_EACH = {Stage.UPDATE: 2}  # requests a row where it is not one: a look before each update


def stage_rows(state: MigrationState, job: Job, taken: frozenset[int] | None) -> Counter[Stage]:
    """How many rows each stage has still to take, as far as can be known before it starts."""
    planned: Counter[Stage] = Counter()
    customers: set[str] = set()
    for line in state.lines():
        if line.entry.status is Status.INVALID or (taken is not None and line.entry.number not in taken):
            continue
        if line.status in FINE or not goes_on(line, job.options):
            continue
        for stage in Stage:
            fate = line.fates.get(stage)
            if not line.needs(stage) or (fate is not None and fate.status in FINE):
                continue
            if stage is Stage.CONTACTS:
                if line.identity is None or line.identity in customers:
                    continue
                customers.add(line.identity)
            if not (stage is Stage.CREATE and line.taken_on):
                planned[stage] += 1
    return planned


def stage_requests(planned: Counter[Stage]) -> dict[Stage, int]:
    """How many requests each stage needs, if all goes well."""
    return {stage: planned[stage] * _EACH.get(stage, 1) for stage in Stage}


def plan_lines(
    job: Job, loaded: LoadedManifest | None, account: dict[str, Any], journal: JournalQueries, planned: Counter[Stage]
) -> tuple[str, ...]:
    """The plan for people."""
    options = job.options
    counts = journal.counts()
    lines = [
        f"plan: migrate for account {describe_account(account)} at {job.context.target.base_url}",
        f"{manifest_words(job.manifest, counts)}{settled_words(counts)}",
        *(fact_lines(loaded) if loaded else []),
    ]
    requests = stage_requests(planned)
    for place, (stage, number) in enumerate(requests.items(), start=1):
        if not number and stage in (Stage.UPDATE, Stage.CREDITS):
            continue
        lines.append(f"stage {place}, {stage.operation.name}: {counted(number, 'request')}{_remark(stage)}")
    lines.append(f"requests: {requests_words(sum(requests.values()), options.connection)}")
    careful = "; credits are never sent again in doubt" if planned[Stage.CREDITS] else ""
    lines += [f"note: {note}" for stage in Stage if planned[stage] for note in stage.operation.notes]
    lines.append(f"repeat: running the same command again goes on where it stopped{careful}")
    lines.append(AUTOMATIONS)
    if loaded is not None and job.options.dry_run:
        words = [*job.context.program, "check", str(job.manifest), "--for", "migrate", "--against-account", "200"]
        for column in sorted(options.reading.ignored):
            words += ["--ignore-column", column]
        lines.append(f"look before you leap: {shlex.join([*words, *options.reading.words()])}")
    return tuple(lines)


def _remark(stage: Stage) -> str:
    match stage:
        case Stage.CONTACTS:
            return ", one for each distinct e-mail address"
        case Stage.LINK:
            return ", and one for each card that turns out to exist and to belong to nobody"
        case Stage.UPDATE:
            return ", a look before each row"
        case Stage.CREATE | Stage.CREDITS:
            return ""
