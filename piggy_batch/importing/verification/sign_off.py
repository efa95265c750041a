"""The page that ``identifiers verify --report`` writes: one file, for the person who signs a migration off."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from piggy_batch import __version__
from piggy_batch.client.account import describe_account
from piggy_batch.files import render_template, write_text
from piggy_batch.importing.migration.customers import open_migration
from piggy_batch.importing.migration.stage_runs import MigrationState
from piggy_batch.importing.verification.verify import CHECK, DIFFERENT, MATCH, MISSING, PARTIAL, WITH_UUID
from piggy_batch.manifest.describe import unused_columns
from piggy_batch.manifest.html_page import in_code
from piggy_batch.manifest.loader import binding_of
from piggy_batch.manifest.page_language import ENGLISH, PageLanguage
from piggy_batch.models import Status
from piggy_batch.runs.journal_file import guarded
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.text import counted, duration, iso, printable

if TYPE_CHECKING:
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.runs.records import RowState

MOST = 2_000  # lines of a list on the page; the run directory holds all


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A card that the reader must see."""

    row: int
    line: int
    value: str
    what: str


@dataclass(frozen=True, slots=True)
class Total:
    """One figure of the page."""

    words: str
    count: int
    css: str  # good, bad, or empty


@dataclass(frozen=True, slots=True)
class SignOff:
    """Everything the page tells."""

    manifest: str
    sha256: str
    account: str
    service: str
    first_look: str
    last_look: str
    took: str
    requests: int
    rows: int
    totals: tuple[Total, ...]
    agreed: bool
    complete: bool  # every card was looked up
    differences: tuple[ReportLine, ...]
    more_differences: int  # that only the run directory lists
    unseen: tuple[ReportLine, ...]
    more_unseen: int
    not_compared: tuple[str, ...]  # columns of the manifest
    migration: str | None  # whose balances were compared
    doubts: tuple[ReportLine, ...]  # rows of that migration
    more_doubts: int
    run_dir: str
    version: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """The page in one sentence, what is in doubt, and what of the manifest the page does not speak of."""
        number = len(self.doubts) + self.more_doubts
        in_doubt = f"{counted(number, 'row')} of the migration still in doubt." if number else ""
        left_out = f"Not compared: {', '.join(self.not_compared)}." if self.not_compared else ""
        return tuple(filter(None, (self._cards(), in_doubt, left_out)))

    @property
    def verdict(self) -> str:
        """All of it."""
        return " ".join(self.sentences)

    def _cards(self) -> str:
        if not self.rows:
            return "The manifest has no rows: there is nothing to sign off."
        if not self.complete:
            return "Not every card could be looked up. Run the same command again before anybody signs."
        if not self.agreed:
            number = len(self.differences) + self.more_differences
            verb = "is missing or differs" if number == 1 else "are missing or differ"
            return f"{number:,} of {self.rows:,} cards {verb} from the manifest."
        if self.unseen:
            number = len(self.unseen) + self.more_unseen
            return f"Nothing differs from the manifest; {counted(number, 'card')} could not be compared in full."
        cards = "The card is" if self.rows == 1 else f"All {self.rows:,} cards are"
        return f"{cards} as the manifest says."


def write_sign_off(run_dir: Path, target: Path, language: str = ENGLISH.code) -> None:
    """Write the page about a verify run, whole or not at all, readable by its owner only."""
    journal = JournalQueries.open(run_dir)
    if journal is None:
        return
    try:
        with guarded(run_dir):
            page = render(read_sign_off(journal, run_dir), sign_off_language(language))
    finally:
        journal.close()
    write_text(target, page)


def read_sign_off(journal: JournalQueries, run_dir: Path) -> SignOff:
    """The facts of a verify run, from its journal and from nothing else."""
    binding = binding_of(journal)
    counts: dict[str, int] = dict.fromkeys((MATCH, PARTIAL, DIFFERENT, MISSING), 0)
    statuses = journal.counts()
    differences, unseen = FirstLines(), FirstLines()
    migration = (journal.get("options") or {}).get("--migration")
    doubts = _doubts(Path(migration)) if migration is not None else FirstLines()
    first, last = math.inf, -math.inf
    for entry in journal.all_rows():
        check = (entry.kept or {}).get(CHECK)
        if entry.finished_at is not None:
            first, last = min(first, entry.finished_at), max(last, entry.finished_at)
        if check in counts:
            counts[check] += 1
        if check in (DIFFERENT, MISSING) or entry.status is Status.INVALID:
            differences.add(entry, binding)
        elif check == PARTIAL:
            unseen.add(entry, binding)
    runs = journal.runs()
    manifest = journal.get("manifest")
    open_rows = statuses[Status.PENDING] + statuses[Status.FAILED]
    invalid = statuses[Status.INVALID]
    return SignOff(
        manifest=manifest["path"],
        sha256=manifest["sha256"],
        account=describe_account(journal.get("account") or {"id": "unknown"}),
        service=journal.get("base_url") or "",
        first_look=_shown(first),
        last_look=_shown(last),
        took=duration(sum(r["finished_at"] - r["started_at"] for r in runs if r["finished_at"] is not None)),
        requests=journal.requests()["sent"],
        rows=sum(statuses.values()),
        totals=_totals(counts, open_rows, invalid),
        agreed=not (counts[DIFFERENT] or counts[MISSING] or invalid),
        complete=not open_rows,
        differences=tuple(differences.lines),
        more_differences=differences.more,
        unseen=tuple(unseen.lines),
        more_unseen=unseen.more,
        not_compared=_not_compared(binding, with_balances=migration is not None),
        migration=migration,
        doubts=tuple(doubts.lines),
        more_doubts=doubts.more,
        run_dir=str(run_dir.resolve()),
        version=__version__,
    )


def _not_compared(binding: Binding, *, with_balances: bool) -> tuple[str, ...]:
    """The manifest's columns that no look was held against, but for those of earlier results."""
    places = binding.column_index
    found = unused_columns(binding)
    if "credits" in places and not with_balances:
        found.append(binding.header[places["credits"]])
    if {"email", "contact_uuid"} <= places.keys():
        found.append(f"{binding.header[places['email']]}{WITH_UUID}")
    return tuple(printable(name) for name in found)


def _doubts(run_dir: Path) -> FirstLines:
    """The rows of a migration of which nobody knows whether they were carried out."""
    found = FirstLines()
    with closing(open_migration(run_dir)) as journal, guarded(run_dir):
        binding = MigrationState.of(journal).binding
        for entry in journal.all_rows():
            if entry.status is Status.UNKNOWN:
                found.add(entry, binding)
    return found


def _totals(counts: dict[str, int], open_rows: int, invalid: int) -> tuple[Total, ...]:
    found = (
        Total("as the manifest says", counts[MATCH], "good"),
        Total("not compared in full", counts[PARTIAL], ""),
        Total("different", counts[DIFFERENT], "bad"),
        Total("missing", counts[MISSING], "bad"),
        Total("not looked up", open_rows, "bad"),
        Total("invalid rows, not looked up", invalid, "bad"),
    )
    return tuple(t for t in found if t.count or t.css == "good" or t.words in ("different", "missing"))


class FirstLines:
    """The first lines of a list, and how many more there are."""

    def __init__(self) -> None:
        self.lines: list[ReportLine] = []
        self.more = 0

    def add(self, entry: RowState, binding: Binding) -> None:
        """Keep a row, or count it."""
        if len(self.lines) == MOST:
            self.more += 1
            return
        value = binding.values(entry.cells).get("contact_identifier_value", "")
        self.lines.append(ReportLine(entry.number, entry.line, value, entry.message or ""))


def _shown(moment_s: float) -> str:
    text = iso(moment_s) if math.isfinite(moment_s) else None
    return f"{text[:10]} {text[11:19]} UTC" if text else "none"


def sign_off_language(code: str) -> PageLanguage:
    """The language of a page by its code."""
    if code == ENGLISH.code:
        return ENGLISH
    from piggy_batch.importing.verification.dutch_sign_off import DUTCH  # a page in English does without

    return DUTCH


def render(page: SignOff, language: PageLanguage = ENGLISH) -> str:
    """The whole page: no script, no picture, no address outside itself."""
    filters = {
        "code": in_code,
        "said": language.translate,
        "column": lambda name: name.replace(WITH_UUID, language.remarks.get(WITH_UUID, WITH_UUID)),
        "thousands": language.count,
    }
    values = {"page": page, "language": language}
    package = "piggy_batch.importing.verification"
    return render_template(package, "signoff.html", values, filters, language.translate)


__all__ = ["SignOff", "read_sign_off", "render", "write_sign_off"]
