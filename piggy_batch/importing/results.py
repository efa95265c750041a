"""What a run leaves to read: results, errors, remaining, unknown and summary, from its journal and nothing else."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from piggy_batch.endpoints.exportable_lists import CONTACTS, GIFTCARDS
from piggy_batch.errors import JournalError
from piggy_batch.files import UNFINISHED, going_on
from piggy_batch.models import Json, Status
from piggy_batch.runs.filenames import SUMMARY
from piggy_batch.runs.own_files import REPORTS, OwnFiles, run_name
from piggy_batch.tables import CsvDialect, OutputColumn, Writer, open_writer
from piggy_batch.text import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from piggy_batch.manifest.binding import Binding
    from piggy_batch.runs.journal_queries import JournalQueries
    from piggy_batch.runs.records import RowState


BATCH = 2_000  # rows a write
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
                            on_whole=partial(own.claim, paths[name]),
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
        on_whole=partial(own.claim, path),
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
