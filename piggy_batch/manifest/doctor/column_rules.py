"""Judgements about a whole column: what is usual in it, and what does not fit. Pure; values in, findings out.

Values are judged in groups of like ones, by length and kind of characters, so that a second way to number cards does
not hide what is wrong with the first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from piggy_batch.manifest.doctor import finding_kinds
from piggy_batch.manifest.doctor.column_statistics import CountWithExamples
from piggy_batch.manifest.doctor.dates import is_date
from piggy_batch.manifest.doctor.findings import EXAMPLES, Example, Finding
from piggy_batch.manifest.doctor.number_rules import (
    ENOUGH,
    dominates,
    finding_of,
    is_number,
    is_number_of,
    judge_digits_cut,
    judge_numbers,
)
from piggy_batch.manifest.doctor.values import looks_scientific, scripts, trimmed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from piggy_batch.manifest.doctor.column_statistics import ColumnStatistics


def judge_column(statistics: ColumnStatistics, column: str) -> list[Finding]:
    """The findings that need to know the whole column."""
    digits = sum(known.all.count for known in statistics.digits.values())
    others = sum(tally.count for tally in statistics.others.values())
    found = judge_digits_cut(statistics.digits, column)
    found += _scientific(statistics, column, digits, others)
    found += _dates(statistics, column)
    found += _case(statistics, column)
    found += _foreign(statistics, column, others)
    if digits:
        found += judge_numbers(statistics, column, digits)
    if dominates(digits, digits + others):
        found += _odd(statistics, column, list(statistics.others.values()), _is_code)
    elif dominates(others, digits + others):
        found += _strange_to_codes(statistics, column, others)
    elif others >= ENOUGH:
        found += _odd_lengths(statistics, column, others)
    return _united(found)


def with_last(found: list[Finding], statistics: ColumnStatistics, column: str, last: Example | None) -> list[Finding]:
    """The findings, and one of the last value where it alone has no digit and another length: a word under the list."""
    if last is None or any(map(str.isdigit, last.value)) or any(f.rule is finding_kinds.SENTENCE for f in found):
        return found
    lengths = {length: tally.count for length, tally in statistics.others.items()}
    for length, known in statistics.digits.items():
        lengths[length] = lengths.get(length, 0) + known.all.count
    lengths[len(last.value)] -= 1
    rest = [length for length, count in lengths.items() if count]
    others_have_digits = statistics.letters_only == last.value.isalpha()
    if len(rest) != 1 or rest == [len(last.value)] or lengths[rest[0]] < 2 or not others_have_digits:
        return found
    wanted = last.value
    finding = Finding(
        finding_kinds.SENTENCE, column, 1, (last,), proposed=lambda value: "" if value == wanted else None
    )
    return [*(f for f in found if f.rule is not finding_kinds.ODD_ONE_OUT or f.count > 1), finding]


def _is_code(value: str) -> bool:
    return not is_number(value)


def _is_code_of(lengths: Sequence[int]) -> Callable[[str], bool]:
    wanted = frozenset(lengths)
    return lambda value: len(value) in wanted and _is_code(value)


def _united(found: list[Finding]) -> list[Finding]:
    """One finding of each rule: several groups may have the same to tell."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in found:
        by_rule.setdefault(finding.code, []).append(finding)
    return [same[0] if len(same) == 1 else _joined(same) for same in by_rule.values()]


def _joined(same: list[Finding]) -> Finding:
    examples = sorted((example for finding in same for example in finding.examples), key=lambda example: example.row)
    count = sum(finding.count for finding in same)
    return replace(
        same[0],
        count=count,
        examples=tuple(examples[:EXAMPLES]),
        proposal="",
        proposed=lambda value: next((p for finding in same if (p := finding.proposed(value)) is not None), None),
    )


# --- odd ones ----------------------------------------------------------------------------------------


def _odd(
    statistics: ColumnStatistics, column: str, strange: list[CountWithExamples], concerns: Callable[[str], bool]
) -> list[Finding]:
    """Values unlike nearly all others; not where another finding explains all of them."""
    count = sum(tally.count for tally in strange)
    if _looks_scientific_instead(statistics) or count in {statistics.dates.count, statistics.foreign.count}:
        return []
    return finding_of(finding_kinds.ODD_ONE_OUT, column, strange, concerns)


def _strange_to_codes(statistics: ColumnStatistics, column: str, whole: int) -> list[Finding]:
    """What does not fit into a column of codes: another length, or digits only where codes have letters only."""
    usual = max(statistics.others, key=lambda length: statistics.others[length].count)
    fixed = dominates(statistics.others[usual].count, whole)
    lettered = dominates(statistics.letters_only, whole)
    codes = [length for length in statistics.others if fixed and length != usual]
    numbers = [length for length in statistics.digits if lettered or (fixed and length != usual)]
    tallies = [statistics.others[length] for length in codes] + [statistics.digits[length].all for length in numbers]
    is_code, is_number = _is_code_of(codes), is_number_of(numbers)
    return finding_of(finding_kinds.ODD_ONE_OUT, column, tallies, lambda value: is_code(value) or is_number(value))


def _odd_lengths(statistics: ColumnStatistics, column: str, whole: int) -> list[Finding]:
    """Codes of another length than nearly all codes, in a column that has numbers as well."""
    usual = max(statistics.others, key=lambda length: statistics.others[length].count)
    if not dominates(statistics.others[usual].count, whole):
        return []
    odd = [length for length in statistics.others if length != usual]
    return finding_of(
        finding_kinds.ODD_ONE_OUT, column, [statistics.others[length] for length in odd], _is_code_of(odd)
    )


# --- what spreadsheets make of codes -------------------------------------------------------------------


def _scientific(statistics: ColumnStatistics, column: str, digits: int, others: int) -> list[Finding]:
    """Codes such as 1E5: suspicious where everything else is digits, and plainly so in any long enough column."""
    if _looks_scientific_instead(statistics) and dominates(digits, digits + others):
        return finding_of(finding_kinds.LOOKS_SCIENTIFIC, column, [statistics.scientific], looks_scientific)
    lengths = set(statistics.digits)
    lone = [e for e in statistics.scientific.examples if len(e.value) not in lengths]
    if statistics.scientific.count == others and digits > others and len(lone) == len(statistics.scientific.examples):
        return finding_of(finding_kinds.LOOKS_SCIENTIFIC, column, [statistics.scientific], looks_scientific)
    return []


def _looks_scientific_instead(statistics: ColumnStatistics) -> bool:
    """Whether everything that is not digits looks like scientific notation."""
    others = sum(tally.count for tally in statistics.others.values())
    return 0 < statistics.scientific.count == others


def _dates(statistics: ColumnStatistics, column: str) -> list[Finding]:
    """Dates, unless it is the column's own way to be written so: then most are days that there are not."""
    tallies = [statistics.dates, statistics.spaced_dates]
    if sum(tally.count for tally in tallies) <= statistics.no_dates:
        return []
    return finding_of(finding_kinds.LOOKS_LIKE_DATE, column, tallies, lambda value: is_date(trimmed(value)))


def _case(statistics: ColumnStatistics, column: str) -> list[Finding]:
    whole = statistics.upper.count + statistics.lower.count + statistics.mixed.count
    if dominates(statistics.upper.count, whole):
        strange = [_cased(statistics.lower, upper=True), _cased(statistics.mixed, upper=True)]
        return finding_of(
            finding_kinds.MIXED_CASE, column, strange, lambda v: v.upper() != v, "--fix case:upper", str.upper
        )
    if dominates(statistics.lower.count, whole):
        strange = [_cased(statistics.upper, upper=False), _cased(statistics.mixed, upper=False)]
        return finding_of(
            finding_kinds.MIXED_CASE, column, strange, lambda v: v.lower() != v, "--fix case:lower", str.lower
        )
    return []


def _cased(tally: CountWithExamples, *, upper: bool) -> CountWithExamples:
    def change(example: Example) -> Example:
        value = example.value
        return replace(example, proposal=value.upper() if upper else value.lower())

    return CountWithExamples(tally.count, [change(example) for example in tally.examples])


def _foreign(statistics: ColumnStatistics, column: str, others: int) -> list[Finding]:
    """Codes whose letters are all of another script, where more codes have Latin ones."""
    if not 0 < statistics.foreign.count * 2 < others:
        return []
    return finding_of(finding_kinds.MIXED_SCRIPTS, column, [statistics.foreign], is_foreign)


def is_foreign(value: str) -> bool:
    """Whether a value has letters, and none of them is Latin."""
    found = scripts(value)
    return bool(found) and "LATIN" not in found
