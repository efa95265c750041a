"""The page that ``check --html`` writes: one file, for the person who made the list. Pure but for its template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from piggy_batch.files import render_template
from piggy_batch.manifest.doctor import Severity
from piggy_batch.manifest.doctor.findings import EXAMPLES
from piggy_batch.manifest.page_language import ENGLISH, PageLanguage
from piggy_batch.text import show_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from piggy_batch.manifest.affected_rows import FindingRows
    from piggy_batch.manifest.doctor import ColumnFacts, Example, Finding
    from piggy_batch.manifest.invalid_reasons import Reason

_BARS = 12  # lengths shown one by one; the rarest of more are summed up


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Everything the page tells."""

    manifest: str  # the file's name as the person knows it
    operation: str  # what it is meant for, as in "identifiers create"
    rows: int
    read_as: str  # format, encoding, delimiter, sheet: one line
    notes: Sequence[str]
    columns: Sequence[ColumnFacts]
    findings: Sequence[Finding]
    checked_at: str  # shown as it is
    listed: Sequence[FindingRows] = ()  # the rows of each finding, as far as the page lists them
    reasons: Sequence[Reason] = ()  # why rows are invalid
    not_judged: Sequence[str] = ()
    overflow: str = ""  # the name of the file with all rows, where the page does not list them

    def rows_of(self, finding: Finding) -> Sequence[Example]:
        """The rows of a finding that the page lists."""
        return next((each.rows for each in self.listed if each.finding is finding), finding.examples)

    @property
    def further_reasons(self) -> list[Reason]:
        """Reasons that no finding tells."""
        codes = {finding.code for finding in self.findings}
        return [reason for reason in self.reasons if reason.text[:5] not in codes]


@dataclass(frozen=True, slots=True)
class HistogramBar:
    """One bar of a histogram. ``share`` is of the longest bar, in percent, at least 1 so that it can be seen."""

    label: str
    count: int
    share: int


@dataclass(frozen=True, slots=True)
class Grade:
    """How a finding is shown: colours alone tell nothing in print."""

    word: str
    css: str


def grade(finding: Finding) -> Grade:
    """What a finding asks of the reader."""
    if finding.severity is Severity.ERROR:
        return Grade("cannot be right", "error")
    return Grade("must be answered", "blocking") if finding.blocking else Grade("look at it", "warning")


def bars(column: ColumnFacts) -> list[HistogramBar]:
    """The lengths of a column's values as a histogram, by length; the rarest of many in one bar at the end."""
    common = sorted(column.lengths, key=lambda pair: -pair[1])[:_BARS]
    most = max((count for _, count in common), default=0)
    shown = [HistogramBar(str(length), count, max(1, round(100 * count / most))) for length, count in sorted(common)]
    rest = sum(count for _, count in column.lengths) - sum(count for _, count in common)
    return [*shown, HistogramBar("other", rest, max(1, min(100, round(100 * rest / most))))] if rest else shown


def visible(value: str) -> str:
    """A value with a sign for each character that cannot be seen, so that print shows what is wrong."""
    signs = {" ": "␣", "\u00a0": "°", "\t": "⇥", "\n": "↵", "\r": "↵", "\u200b": "∅", "\u200d": "∅", "\ufeff": "∅"}
    shown = "".join(signs.get(c, c if c.isprintable() else "∅") for c in value)
    return shown if len(shown) <= 60 else shown[:59] + "…"


def in_code(value: str) -> Markup:
    """A name as it is typed, inside of a sentence."""
    from markupsafe import Markup  # jinja2's own; only pages need it

    return Markup("<code>{}</code>").format(show_controls(value))


def page_language(code: str) -> PageLanguage:
    """The language of a page by its code."""
    if code == ENGLISH.code:
        return ENGLISH
    from piggy_batch.manifest.dutch_page import DUTCH  # a page in English does without

    return DUTCH


def render(report: CheckReport, language: PageLanguage = ENGLISH) -> str:
    """The whole page: no script, no picture, no address outside itself."""
    order = {"error": 0, "blocking": 1, "warning": 2}
    findings = sorted(report.findings, key=lambda finding: order[grade(finding).css])
    kinds = len(findings) + len(report.further_reasons)
    values = {"report": report, "findings": findings, "grade": grade, "bars": bars, "kinds": kinds, "shown": EXAMPLES}
    filters = {"visible": visible, "code": in_code, "said": language.translate, "thousands": language.count}
    return render_template(
        "piggy_batch.manifest", "check.html", values | {"language": language}, filters, language.translate
    )
