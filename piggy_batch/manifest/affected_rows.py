"""Every row that a finding concerns: a second reading of the manifest, once it is known what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.manifest.doctor import Example, Finding
from piggy_batch.manifest.doctor.finding_kinds import DUPLICATE, NEAR_DUPLICATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from piggy_batch.manifest.options import LoadedManifest, ManifestOptions
    from piggy_batch.runs.journal_queries import JournalQueries

LISTED = 1000  # rows of a finding that a page lists; a file has the rest


@dataclass(slots=True)
class FindingRows:
    """The rows of one finding, the first of them in ``rows``."""

    finding: Finding
    rows: list[Example] = field(default_factory=list)
    count: int = 0

    def add(self, example: Example) -> None:
        """Take a row in."""
        self.count += 1
        if len(self.rows) < LISTED:
            self.rows.append(example)


def list_rows(
    loaded: LoadedManifest,
    manifest: Path,
    reading: ManifestOptions,
    journal: JournalQueries,
    tell: Callable[[Finding, Example], None],
) -> list[FindingRows]:
    """The rows of each finding, in the findings' order; ``tell`` is told every one.

    The journal still holds the keys of all rows. What stands in the file must be what was loaded.
    """
    listed = [FindingRows(finding) for finding in loaded.findings]
    by_place = _by_place(loaded, listed)
    with reading.open(manifest) as table:
        for number, (line, cells) in enumerate(table.rows(), start=1):
            for place, findings in by_place.items():
                if place >= len(cells):
                    continue
                value = _mended(loaded, place, cells[place])
                for each in findings:
                    meant = each.finding.proposed(value)
                    if meant is not None:
                        _add(each, Example(number, line, value, meant), tell)
    for each in listed:
        if each.finding.rule in {DUPLICATE, NEAR_DUPLICATE}:
            for example in _repeated(loaded, journal, each.finding):
                _add(each, example, tell)
        elif not each.count:  # told by the row, not by a value
            for example in each.finding.listed or each.finding.examples:
                _add(each, example, tell)
    return listed


def _add(rows: FindingRows, example: Example, tell: Callable[[Finding, Example], None]) -> None:
    rows.add(example)
    tell(rows.finding, example)


def _by_place(loaded: LoadedManifest, listed: Iterable[FindingRows]) -> dict[int, list[FindingRows]]:
    found: dict[int, list[FindingRows]] = {}
    for each in listed:
        if each.finding.column in loaded.binding.header:
            found.setdefault(loaded.binding.header.index(each.finding.column), []).append(each)
    return found


def _mended(loaded: LoadedManifest, place: int, cell: str) -> str:
    for name, mending in loaded.binding.mendings.items():
        if loaded.binding.column_index[name] == place:
            return mending.apply(cell)
    return cell


def _repeated(loaded: LoadedManifest, journal: JournalQueries, finding: Finding) -> Iterator[Example]:
    """The rows whose key an earlier one has: exactly, or but for case, space or wrapping."""
    place = loaded.binding.header.index(finding.column)
    near = finding.rule is NEAR_DUPLICATE
    for number, first in journal.repeats(folded=near):
        cells = journal.cells([number, first])
        value, other = cells[number][place], cells[first][place]
        if not near or value != other:
            yield Example(number, journal.lines([number])[number], value, other if near else "")
