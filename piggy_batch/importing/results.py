"""What a run leaves to read: results, errors, remaining, unknown and summary, from its journal and nothing else."""

from __future__ import annotations

import json
import shlex
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from piggy_batch.endpoints.exportable_lists import CONTACTS, GIFTCARDS
from piggy_batch.errors import JournalError
from piggy_batch.exit_codes import ExitCode
from piggy_batch.files import UNFINISHED, going_on
from piggy_batch.models import Json, Repeat, Status
from piggy_batch.runs.filenames import SUMMARY
from piggy_batch.runs.own_files import REPORTS, OwnFiles, run_name
from piggy_batch.tables import CsvDialect, OutputColumn, Writer, open_writer
from piggy_batch.text import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from piggy_batch.client.session import Session
    from piggy_batch.endpoints import Operation
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.runs.journal_queries import JournalQueries
    from piggy_batch.runs.records import RowState


BATCH = 2_000  # rows a write
GOOD = frozenset({Status.DONE, Status.ALREADY, Status.ABSENT})
REPORT_FILES = {
    Status.INVALID: "errors",
    Status.REJECTED: "errors",
    Status.PENDING: "remaining",
    Status.FAILED: "remaining",
    Status.UNKNOWN: "unknown",
}
OWN = (
    OutputColumn("_row", "int"),
    OutputColumn("_line", "int"),
    OutputColumn("_run"),
    OutputColumn("_operation"),
    OutputColumn("_status"),
    OutputColumn("_proof"),
    OutputColumn("_attempts", "int"),
    OutputColumn("_http_status", "int"),
    OutputColumn("_code", "int"),
    OutputColumn("_message"),
    OutputColumn("_finished_at", cell="timestamp"),
)
_CELLS = {f.name: f.kind for f in (*GIFTCARDS.fields, *CONTACTS.fields) if f.kind != "text"}
_CELLS["contact_identifier_active"] = "bool"


class ReportColumns:
    """Which columns a run's reports have, and how a row fills them."""

    def __init__(self, binding: Binding) -> None:
        operation, header, carried = binding.operation, binding.header, binding.extra_constants
        self._binding = binding
        self.operation = operation.name
        read = set(binding.column_index.values())  # a column that is read belongs to the row, whatever its name
        self._places = [i for i, name in enumerate(header) if not name.startswith("_") or i in read]
        own = [header[i] for i in self._places] + list(carried)
        self._constants = list(carried.values())
        self._found = [name for name, _ in operation.noun.fields]
        taken = set(own)
        found = [f"_found_{name}" if name in taken else name for name in self._found]
        sent = [OutputColumn("_sent_value")] if binding.is_mending else []
        answers = [OutputColumn(name, cell=_CELLS.get(field)) for name, field in zip(found, self._found, strict=True)]
        tail = [replace(column, name=f"_found{column.name}") if column.name in taken else column for column in OWN]
        self.output = (*(OutputColumn(name) for name in own), *answers, *sent, *tail)
        self.width = len(header)

    def rows(self, entry: RowState, run: str | None = None) -> Iterator[list[object]]:
        """The result rows of one manifest row: one, or several where the answer was a list. ``run``: what it calls
        itself, once it has begun to send."""
        cells = entry.cells
        if len(cells) < self.width:
            cells = cells + [""] * (self.width - len(cells))
        own: list[object] = [cells[i] for i in self._places]
        own += self._constants
        kept = entry.kept or {}
        tail = [
            entry.number,
            entry.line,
            run,
            self.operation,
            entry.status.value,
            entry.proof,
            entry.attempts or None,
            entry.http_status,
            entry.code,
            entry.message,
            iso(entry.finished_at),
        ]
        sent: list[object] = [self._binding.repaired_key(cells)] if self._binding.is_mending else []
        many = kept.get("_many")
        for answer in many or (kept,):
            yield [*own, *[_text(answer.get(name)) for name in self._found], *sent, *tail]


def _text(value: Json) -> object:
    if value is None or type(value) is str:
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def write_reports(
    journal: JournalQueries, columns: ReportColumns, file_format: str, tell: Callable[[str], None]
) -> tuple[tuple[str, int], ...]:
    """Write the reports of that format into the run directory; (file, rows) of each that is there.

    ``tell`` is told, one sentence a file, what the format does not hold whole, and where a report lies under another
    name, because what lies under its own is not this run's.

    The piles, which a person mends, are written with the manifest's own delimiter and encoding; results, which programs
    read, always as UTF-8 with commas. Each file appears whole or not at all; one without rows is not there, but for
    results. JournalError where the disk is full: the journal still holds everything, and the same command writes the
    reports again.
    """
    counts = dict.fromkeys(REPORTS, 0)
    own, run = OwnFiles.of(journal), run_name(journal)
    try:
        with ExitStack() as stack:
            writers: dict[str, Writer] = {}
            batches: dict[str, list[list[object]]] = {name: [] for name in REPORTS}
            paths: dict[str, Path] = {}

            def flush(name: str) -> None:
                if name not in writers:
                    output = (
                        columns.output
                        if name != "unknown"
                        else (*columns.output, OutputColumn("_sent_at", cell="timestamp"))
                    )
                    paths[name] = own.place(name, file_format)
                    writers[name] = stack.enter_context(
                        open_writer(
                            paths[name],
                            file_format,
                            output,
                            drafts=journal.directory / UNFINISHED,
                            about=lambda: _about(journal, columns),
                            dialect=dialect_of(journal) if name != "results" else None,
                            on_whole=partial(own.note, paths[name]),
                        )
                    )
                writers[name].write(batches[name])
                batches[name] = []

            flush("results")
            for entry in journal.all_rows():
                report = REPORT_FILES.get(entry.status)
                for row in columns.rows(entry, run):
                    batches["results"].append(row)
                    counts["results"] += 1
                    if report:
                        batches[report].append([*row, iso(entry.sent_at)] if report == "unknown" else row)
                        counts[report] += 1
                        if len(batches[report]) >= BATCH:
                            flush(report)
                if len(batches["results"]) >= BATCH:
                    flush("results")
            for name, batch in batches.items():
                if batch:
                    flush(name)
            _tell_notes(writers.values(), tell)
        for path in own.named(*REPORTS):  # what an earlier invocation wrote, perhaps in another format, no longer holds
            if path not in paths.values():
                own.remove(path)
    except OSError as error:
        what = error.filename2 or journal.directory  # a report that cannot take its place
        raise JournalError(
            f"{what} cannot be written: {error.strerror or error}; nothing is lost: {going_on(error)}", goes_on=True
        ) from None
    for name, path in paths.items():
        _tell_beside(path, f"{name}.{file_format}", tell)
    return tuple((str(paths[name]), counts[name]) for name in REPORTS if name in paths)


def _tell_beside(path: Path, plain: str, tell: Callable[[str], None]) -> None:
    if path.name != plain:
        theirs = path.with_name(plain)
        tell(f"{theirs} was not written by this run, or was changed since, and stays as it is: see {path}")


def write_summary(journal: JournalQueries, summary: dict[str, Any], tell: Callable[[str], None]) -> None:
    """Write the summary into the run directory; ``tell`` as above."""
    _tell_beside(OwnFiles.of(journal).write_json("summary", summary), SUMMARY, tell)


def withdraw_reports(journal: JournalQueries) -> None:
    """An invocation is about to send: what earlier ones have said of the rows will no longer hold, so it goes.

    The summary says so in its place, and how the rows stood: should the journal be lost, that is still known.
    """
    own = OwnFiles.of(journal)
    earlier = own.summary()
    if earlier:
        own.write_json(
            "summary",
            {
                "operation": journal.get("operation"),
                "manifest": journal.get("manifest"),
                "account": journal.get("account"),
                "state": "an invocation has begun since, and has not come to its end; see: piggy-batch status",
                "counts_before": {status.value: number for status, number in journal.counts().items()},
                "rate": earlier.get("rate"),
                "exit_code": None,
                "next": journal.get("command"),
            },
        )
    for path in own.named(*REPORTS):
        own.remove(path)


def dialect_of(journal: JournalQueries) -> CsvDialect | None:
    """How the manifest was written; None where it is no text file."""
    found = journal.get("dialect")
    if not found:
        return None
    delimiter, encoding = found
    marked = encoding.startswith(("utf-16", "utf-32"))  # such a file begins with a mark, which Python then writes too
    return CsvDialect(delimiter, encoding[:6] if marked else encoding)


def _about(journal: JournalQueries, columns: ReportColumns) -> list[tuple[str, str]]:
    """What a workbook's last sheet says of the run."""
    counts = journal.counts()
    return [
        ("command", columns.operation),
        ("rows", f"{sum(counts.values()):,}"),
        *((status.value, f"{number:,}") for status, number in counts.items() if number),
        ("times", "moments in this workbook are in UTC; the manifest's own columns are text as they were"),
    ]


def write_errors(
    journal: JournalQueries, columns: ReportColumns, file_format: str, tell: Callable[[str], None]
) -> Path:
    """Write only errors: the invalid rows of a manifest of which nothing was sent."""
    own = OwnFiles.of(journal)
    path = own.place("errors", file_format)
    with open_writer(
        path,
        file_format,
        columns.output,
        drafts=path.parent / UNFINISHED,
        dialect=dialect_of(journal),
        on_whole=partial(own.note, path),
    ) as writer:
        batch: list[list[object]] = []
        for entry in journal.all_rows():
            if entry.status is Status.INVALID:
                batch.extend(columns.rows(entry))
            if len(batch) >= BATCH:
                writer.write(batch)
                batch = []
        writer.write(batch)
        _tell_notes([writer], tell)
    _tell_beside(path, f"errors.{file_format}", tell)
    return path


def _tell_notes(writers: Iterable[Writer], tell: Callable[[str], None]) -> None:
    for writer in writers:
        if writer.note:
            tell(writer.note)


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
    return tuple(notes)
