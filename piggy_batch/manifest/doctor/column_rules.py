"""Judgements about a whole column: what is dominant in it, and what does not fit. Pure; values in, findings out."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from piggy_batch.manifest.doctor import catalogue
from piggy_batch.manifest.doctor.census import CountWithExamples, merged
from piggy_batch.manifest.doctor.check_digits import Scheme
from piggy_batch.manifest.doctor.findings import Example, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from piggy_batch.manifest.doctor.census import ColumnStatistics, Digits

ENOUGH = 50  # rows from which on a pattern counts as one
DOMINANT = 0.95
_CHANCE = 1e-6  # how unlikely a coincidence must be before it is called damage


def judge_column(census: ColumnStatistics, column: str) -> list[Finding]:
    """The findings that need to know the whole column."""
    digits = sum(known.all.count for known in census.digits.values())
    others = sum(tally.count for tally in census.others.values())
    found = _digits_cut(census.digits, column)
    found += _scientific(census, column, digits, others)
    found += _dates(census, column)
    found += _case(census, column)
    if _dominates(digits, digits + others):
        found += _numbers(census, column, digits)
    elif _dominates(others, digits + others):
        found += _odd(column, _strange_to_codes(census, others))
    return found


def _dominates(count: int, whole: int) -> bool:
    return whole >= ENOUGH and count >= DOMINANT * whole


def _finding(rule: catalogue.Rule, column: str, tallies: Sequence[CountWithExamples], fix: str = "") -> list[Finding]:
    count, examples = merged(tallies)
    return [Finding(rule, column, count, tuple(examples), fix)] if count else []


def _odd(column: str, tallies: Sequence[CountWithExamples]) -> list[Finding]:
    return _finding(catalogue.ODD_ONE_OUT, column, tallies)


def _strange_to_codes(census: ColumnStatistics, whole: int) -> list[CountWithExamples]:
    """What does not fit into a column of codes: another length, or digits only where codes have letters only."""
    usual = max(census.others, key=lambda length: census.others[length].count)
    fixed = _dominates(census.others[usual].count, whole)
    lettered = _dominates(census.letters_only, whole)
    strange = [tally for length, tally in census.others.items() if fixed and length != usual]
    return strange + [known.all for length, known in census.digits.items() if lettered or (fixed and length != usual)]


def _numbers(census: ColumnStatistics, column: str, whole: int) -> list[Finding]:
    """Judgements about a column of digits: lost zeros, odd lengths, check digits."""
    lengths = census.digits
    usual = max(lengths, key=lambda length: lengths[length].all.count)
    strange = list(census.others.values())
    if _looks_scientific_instead(census) or census.dates.count == sum(tally.count for tally in strange):
        strange = []
    found: list[Finding] = []
    if _zeros_lost(lengths, usual, whole):
        short = [_padded(known.all, usual) for length, known in lengths.items() if length < usual]
        found += _finding(catalogue.LOST_ZEROS, column, short, f"--fix zero-pad:{usual}, or export again as text")
        strange += [known.all for length, known in lengths.items() if length > usual]
    found += _odd(column, strange)
    known = lengths[usual]
    for scheme, rule in ((Scheme.LUHN, catalogue.LUHN), (Scheme.EAN, catalogue.EAN)):
        bad = known.failing[scheme]
        if known.checked[scheme] == known.all.count and _dominates(known.all.count - bad.count, known.all.count):
            found += _finding(rule, column, [bad])
    return found


def _zeros_lost(lengths: Mapping[int, Digits], usual: int, whole: int) -> bool:
    """Whether shorter numbers are the usual ones without their zeros in front.

    Either the usual length is dominant; or it is as common as it stays when random numbers lose their zeros (nine
    in ten), shorter ones get rarer with every digit, and none of the usual length begins with a zero.
    """

    def count(length: int) -> int:
        return lengths[length].all.count if length in lengths else 0

    if _dominates(count(usual), whole):
        return True
    shorter = sum(known.all.count for length, known in lengths.items() if length < usual - 1)
    return (
        whole >= ENOUGH
        and usual >= 4  # shorter numbers are counted, not printed on cards
        and count(usual) >= 0.8 * whole
        and count(usual) + count(usual - 1) >= DOMINANT * whole
        and lengths[usual].zero_first == 0
        and count(usual - 1) >= shorter
    )


def _padded(tally: CountWithExamples, length: int) -> CountWithExamples:
    return CountWithExamples(tally.count, [replace(e, proposal=e.value.zfill(length)) for e in tally.examples])


def _digits_cut(lengths: Mapping[int, Digits], column: str) -> list[Finding]:
    """Numbers beyond fifteen digits that end in zeros, where there are more of them than chance makes."""
    long = {length: known for length, known in lengths.items() if length > 15}
    expected = sum(known.all.count * 10.0 ** (15 - length) for length, known in long.items())
    seen = sum(known.cut.count for known in long.values())
    if not seen or _chance_of(seen, expected) > _CHANCE:
        return []
    return _finding(catalogue.DIGITS_CUT, column, [known.cut for known in long.values()])


def _chance_of(seen: int, expected: float) -> float:
    """How likely at least ``seen`` coincidences are where ``expected`` are expected (Poisson; an upper bound)."""
    if seen <= expected:
        return 1.0
    log_term = seen * math.log(expected) - expected - math.lgamma(seen + 1)
    return min(1.0, math.exp(log_term) / (1 - expected / (seen + 1)))


def _scientific(census: ColumnStatistics, column: str, digits: int, others: int) -> list[Finding]:
    """Codes such as 1E5: suspicious where everything else is digits, and plainly so in any long enough column."""
    if _looks_scientific_instead(census) and _dominates(digits, digits + others):
        return _finding(catalogue.LOOKS_SCIENTIFIC, column, [census.scientific])
    lengths = set(census.digits)
    lone = [e for e in census.scientific.examples if len(e.value) not in lengths]
    if census.scientific.count == others and digits > others and len(lone) == len(census.scientific.examples):
        return _finding(catalogue.LOOKS_SCIENTIFIC, column, [census.scientific])
    return []


def _looks_scientific_instead(census: ColumnStatistics) -> bool:
    """Whether everything that is not digits looks like scientific notation."""
    others = sum(tally.count for tally in census.others.values())
    return 0 < census.scientific.count == others


def _dates(census: ColumnStatistics, column: str) -> list[Finding]:
    """Dates, unless it is the column's own way to be written so: then most are days that there are not."""
    tallies = [census.dates, census.spaced_dates]
    if sum(tally.count for tally in tallies) <= census.no_dates:
        return []
    return _finding(catalogue.LOOKS_LIKE_DATE, column, tallies)


def _case(census: ColumnStatistics, column: str) -> list[Finding]:
    whole = census.upper.count + census.lower.count + census.mixed.count
    if _dominates(census.upper.count, whole):
        strange = [_cased(census.lower, upper=True), _cased(census.mixed, upper=True)]
        return _finding(catalogue.MIXED_CASE, column, strange, "--fix case:upper")
    if _dominates(census.lower.count, whole):
        strange = [_cased(census.upper, upper=False), _cased(census.mixed, upper=False)]
        return _finding(catalogue.MIXED_CASE, column, strange, "--fix case:lower")
    return []


def _cased(tally: CountWithExamples, *, upper: bool) -> CountWithExamples:
    def change(example: Example) -> Example:
        value = example.value
        return replace(example, proposal=value.upper() if upper else value.lower())

    return CountWithExamples(tally.count, [change(example) for example in tally.examples])
