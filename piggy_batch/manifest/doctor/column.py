"""One column under examination: counts and first examples while rows stream by, judgements at the end.

Memory does not grow with rows. A batch of plain values is looked at as a whole; only what looks suspicious is
looked at one by one.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import compress
from typing import TYPE_CHECKING

from piggy_batch.manifest.doctor import finding_kinds
from piggy_batch.manifest.doctor.check_digits import LENGTHS, failing
from piggy_batch.manifest.doctor.column_rules import is_foreign, judge_column, with_last
from piggy_batch.manifest.doctor.column_statistics import Batch, ColumnStatistics, CountWithExamples, Digits, RowFinder
from piggy_batch.manifest.doctor.dates import LONGEST_DATE, has_date_form, is_date
from piggy_batch.manifest.doctor.finding_kinds import NOT_A_UUID, Rule, Severity
from piggy_batch.manifest.doctor.findings import (
    ColumnFacts,
    ColumnRole,
    Examined,
    Example,
    Finding,
    problem_of,
)
from piggy_batch.manifest.doctor.headers import header_words, normalize_header
from piggy_batch.manifest.doctor.number_rules import dominates, not_judged
from piggy_batch.manifest.doctor.suspicious_texts import suspicious
from piggy_batch.manifest.doctor.values import (
    code_damages,
    email_damages,
    looks_scientific,
    text_damages,
    trimmed,
    value_damages,
)
from piggy_batch.manifest.doctor.words import QUICK, QUICK_FOOTERS, QUICK_SUMS, spellings
from piggy_batch.manifest.doctor.workbook_numbers import WorkbookNumbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from piggy_batch.manifest.doctor.values import Damage
    from piggy_batch.models import Problem

_TELLING = 6  # characters; a shorter name of a column may be part of a code
_PLAIN = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
_PLAIN_VALUE = re.compile(r"[0-9A-Za-z_-]+").fullmatch
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
_HEX = bytes(104 if byte in b"0123456789abcdefABCDEF" else byte for byte in range(256))
_UUID_SHAPE = b"hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"
_SURELY_NOT = 200  # so many numbers, half of them failing: the column has no such check digit
_LOOKS = {
    ColumnRole.IDENTIFIER: code_damages,
    ColumnRole.HASH: code_damages,
    ColumnRole.UUID: code_damages,
    ColumnRole.EMAIL: email_damages,
    ColumnRole.TEXT: text_damages,
    ColumnRole.VALUE: value_damages,
}


class ColumnExaminer:
    """Examines one column."""

    def __init__(self, examined: Examined) -> None:
        self.examined = examined
        self._statistics = ColumnStatistics()
        self._damaged: dict[str, tuple[Rule, CountWithExamples]] = {}
        self._lengths: Counter[int] = Counter()
        self._look = _LOOKS[examined.role]
        self._headers = header_words(examined.column, examined.field) if examined.role.is_code else frozenset()
        # The header of a list that was put behind one whose last line has no end.
        self._glued = examined.column if examined.role.is_code and len(examined.column) >= _TELLING else ""
        quick = QUICK | QUICK_SUMS
        if self._headers:
            quick |= QUICK_FOOTERS | spellings(self._headers | {examined.column})
        # Amounts and truth values mean the same however they are shown.
        told = examined.formatted and examined.role is not ColumnRole.VALUE
        self._numbers = WorkbookNumbers() if told else None
        self._last: Example | None = None  # of the sound values
        self._quick = quick - examined.allowed  # words that no batch of sound values holds

    def feed(self, batch: Batch) -> list[Problem]:
        """Take note of a batch of rows; the rows that cannot be right."""
        index = self.examined.index
        values = [row[2][index] for row in batch]
        if self._numbers is not None:
            self._numbers.feed(batch, values)
        if not self.examined.role.is_code:
            return self._feed_text(batch, values)
        self._lengths.update(map(len, values))
        joined = "".join(values)
        problems: list[Problem] = []
        good: list[str] = values
        if (
            not joined.isascii()
            or joined.encode().translate(None, _PLAIN)
            or not self._quick.isdisjoint(values)
            or (self._glued and self._glued in joined)
        ):
            good, problems = self._one_by_one(batch, values)
        elif "" in values:
            good = [value for value in values if value]
        if good:
            where = RowFinder(batch, values)
            if self.examined.role is ColumnRole.UUID:
                allowed = self.examined.allowed
                self._note_uuids([value for value in good if value not in allowed] if allowed else good, where)
            else:
                self._note(good, where)
                self._last = where.last(good[-1])
        return problems

    def _feed_text(self, batch: Batch, values: Sequence[str]) -> list[Problem]:
        """Names, amounts and addresses: each by itself, and only where one of the batch looks suspicious."""
        if self.examined.role is ColumnRole.EMAIL:
            self._lengths.update(map(len, values))
            return self._one_by_one(batch, values)[1]
        suspects = suspicious(values, self._quick)
        return self._one_by_one([batch[at] for at in suspects], [values[at] for at in suspects])[1] if suspects else []

    def _tally(self, rule: Rule) -> CountWithExamples:
        return self._damaged.setdefault(rule.code, (rule, CountWithExamples()))[1]

    def _one_by_one(self, batch: Batch, values: Sequence[str]) -> tuple[list[str], list[Problem]]:
        """The undamaged values, and the problems of those that cannot be right."""
        good: list[str] = []
        problems: list[Problem] = []
        for (row, line, _), value in zip(batch, values, strict=True):
            if not value or value in self.examined.allowed:
                continue
            found = self.damages(value)
            if not found:
                good.append(value)
                continue
            if is_date(trimmed(value)):
                self._statistics.spaced_dates.add(Example(row, line, value))
            for rule, proposal in found:
                self._tally(rule).add(Example(row, line, value, proposal))
            if found[0][0].severity is Severity.ERROR:
                problems.append(problem_of(row, line, self.examined.column, value, found[0]))
        return good, problems

    def damages(self, value: str) -> list[Damage]:
        """What is wrong with a value by itself, errors first."""
        if not self.examined.role.is_code:
            return self._look(value)
        if normalize_header(value) in self._headers or (self._glued and value.endswith(self._glued)):
            return [(finding_kinds.REPEATED_HEADER, "")]
        return [] if _PLAIN_VALUE(value) and value not in self._quick else self._look(value)

    def _note(self, good: Sequence[str], where: RowFinder) -> None:
        joined = "".join(good)
        if joined.isascii() and joined.isdigit():
            self._note_digits(good, where)
            return
        digits = [value for value in good if value.isascii() and value.isdigit()]
        others = [value for value in good if not (value.isascii() and value.isdigit())] if digits else good
        if digits:
            self._note_digits(digits, where)
        for length, group in _by_length(others).items():
            where.count(self._statistics.others.setdefault(length, CountWithExamples()), group)
        self._statistics.letters_only += sum(map(str.isalpha, others))
        if not joined.isascii():
            where.count(self._statistics.foreign, list(filter(is_foreign, others)))
        self._note_case(others, where)
        if "e" in joined or "E" in joined:
            where.count(self._statistics.scientific, list(filter(looks_scientific, others)))
        if ("-" in joined or "/" in joined or "." in joined or ":" in joined) and min(map(len, others)) <= LONGEST_DATE:
            self._note_dates(list(filter(has_date_form, others)), where)

    def _note_dates(self, written_so: Sequence[str], where: RowFinder) -> None:
        dates = list(filter(is_date, written_so))
        self._statistics.no_dates += len(written_so) - len(dates)
        where.count(self._statistics.dates, dates)

    def _note_digits(self, numbers: Sequence[str], where: RowFinder) -> None:
        for length, group in _by_length(numbers).items():
            known = self._statistics.digits.setdefault(length, Digits())
            where.count(known.all, group)
            known.zero_first += "".join(group)[::length].count("0")
            if length > 15:
                zeros = "0" * (length - 15)
                where.count(known.cut, [number for number in group if number.endswith(zeros)])
            for scheme, lengths in LENGTHS.items():
                tally, checked = known.failing[scheme], known.checked[scheme]
                if length not in lengths or (checked > _SURELY_NOT and tally.count * 2 > checked):
                    continue
                marks = failing(group, length, scheme)
                known.checked[scheme] = checked + len(group)
                if 1 in marks:
                    where.count(tally, list(compress(group, marks)))

    def _note_case(self, others: Sequence[str], where: RowFinder) -> None:
        joined = "".join(others)
        statistics = self._statistics
        if joined.isupper():
            where.count(statistics.upper, [value for value in others if value.isupper()])
        elif joined.islower():
            where.count(statistics.lower, [value for value in others if value.islower()])
        else:
            where.count(statistics.upper, [value for value in others if value.isupper()])
            where.count(statistics.lower, [value for value in others if value.islower()])
            cased = [value for value in others if value.upper() != value and value.lower() != value]
            where.count(statistics.mixed, cased)

    def _note_uuids(self, good: Sequence[str], where: RowFinder) -> None:
        shape = "".join(good).encode().translate(_HEX)
        if shape == _UUID_SHAPE * len(good):
            self._statistics.uuids += len(good)
            return
        strangers = [value for value in good if not _UUID(value)]
        self._statistics.uuids += len(good) - len(strangers)
        where.count(self._statistics.no_uuids, strangers)

    def findings(self) -> list[Finding]:
        """Everything found in this column so far, by code."""
        column = self.examined.column
        found = [
            Finding(rule, column, tally.count, tuple(tally.examples), proposed=self._damaged_by(rule))
            for rule, tally in self._damaged.values()
        ]
        found += self._numbers.findings(column) if self._numbers is not None else []
        statistics = self._statistics
        if self.examined.role is ColumnRole.UUID:
            strange = statistics.no_uuids
            whole = statistics.uuids + strange.count
            if strange.count and dominates(statistics.uuids, whole):
                found.append(Finding(NOT_A_UUID, column, strange.count, tuple(strange.examples), proposed=_as_no_uuid))
        elif self.examined.role.is_code:
            known = {finding.code for finding in found}
            found += [finding for finding in judge_column(statistics, column) if finding.code not in known]
            found = with_last(found, statistics, column, self._last)
        return sorted(found, key=lambda finding: finding.code)

    def _damaged_by(self, rule: Rule) -> Callable[[str], str | None]:
        """What a value with this damage may have been; None for a value without."""
        allowed = self.examined.allowed

        def proposed(value: str) -> str | None:
            if not value or value in allowed:
                return None
            return next((meant for found, meant in self.damages(value) if found is rule), None)

        return proposed

    def not_judged(self) -> list[str]:
        """The checks of a whole column that could not be applied, each with its reason."""
        if self.examined.role in {ColumnRole.IDENTIFIER, ColumnRole.HASH}:
            return [f"{self.examined.column}: {what}" for what in not_judged(self._statistics)]
        return []

    def facts(self) -> ColumnFacts:
        """The column's numbers."""
        lengths = tuple(sorted((length, count) for length, count in self._lengths.items() if length))
        blank = self._lengths[0]
        return ColumnFacts(self.examined.column, self.examined.role, self._lengths.total() - blank, blank, lengths)


def _as_no_uuid(value: str) -> str | None:
    return "" if value and not _UUID(value) else None


def _by_length(values: Sequence[str]) -> dict[int, Sequence[str]]:
    lengths = set(map(len, values))
    if len(lengths) <= 1:
        return dict.fromkeys(lengths, values)
    groups: dict[int, list[str]] = {length: [] for length in lengths}
    for value in values:
        groups[len(value)].append(value)
    return dict(groups)
