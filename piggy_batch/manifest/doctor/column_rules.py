"""Judgements about a whole column: what is usual in it, and what does not fit. Pure; values in, findings out.

Values are judged in groups of like ones, by length and kind of characters, so that a second way to number cards does
not hide what is wrong with the first.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from piggy_batch.manifest.doctor import catalogue
from piggy_batch.manifest.doctor.census import CountWithExamples, merged
from piggy_batch.manifest.doctor.check_digits import LENGTHS, Scheme, failing
from piggy_batch.manifest.doctor.dates import is_date
from piggy_batch.manifest.doctor.findings import EXAMPLES, Example, Finding
from piggy_batch.manifest.doctor.values import looks_scientific, scripts, trimmed
from piggy_batch.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from piggy_batch.manifest.doctor.census import ColumnStatistics, Digits

ENOUGH = 50  # rows from which on a pattern counts as one
DOMINANT = 0.95
_CHANCE = 1e-6  # how unlikely a coincidence must be before it is called damage
_SCHEMES = ((Scheme.LUHN, catalogue.LUHN, "Luhn"), (Scheme.EAN, catalogue.EAN, "EAN"))


def judge_column(census: ColumnStatistics, column: str) -> list[Finding]:
    """The findings that need to know the whole column."""
    digits = sum(known.all.count for known in census.digits.values())
    others = sum(tally.count for tally in census.others.values())
    found = _digits_cut(census.digits, column)
    found += _scientific(census, column, digits, others)
    found += _dates(census, column)
    found += _case(census, column)
    found += _foreign(census, column, others)
    if digits:
        found += _numbers(census, column, digits)
    if _dominates(digits, digits + others):
        found += _odd(census, column, list(census.others.values()), _is_code)
    elif _dominates(others, digits + others):
        found += _strange_to_codes(census, column, others)
    elif others >= ENOUGH:
        found += _odd_lengths(census, column, others)
    return _united(found)


def with_last(found: list[Finding], census: ColumnStatistics, column: str, last: Example | None) -> list[Finding]:
    """The findings, and one of the last value where it alone has no digit and another length: a word under the list."""
    if last is None or any(map(str.isdigit, last.value)) or any(f.rule is catalogue.SENTENCE for f in found):
        return found
    lengths = {length: tally.count for length, tally in census.others.items()}
    for length, known in census.digits.items():
        lengths[length] = lengths.get(length, 0) + known.all.count
    lengths[len(last.value)] -= 1
    rest = [length for length, count in lengths.items() if count]
    others_have_digits = census.letters_only == last.value.isalpha()
    if len(rest) != 1 or rest == [len(last.value)] or lengths[rest[0]] < 2 or not others_have_digits:
        return found
    wanted = last.value
    finding = Finding(catalogue.SENTENCE, column, 1, (last,), proposed=lambda value: "" if value == wanted else None)
    return [*(f for f in found if f.rule is not catalogue.ODD_ONE_OUT or f.count > 1), finding]


def _dominates(count: int, whole: int) -> bool:
    return whole >= ENOUGH and count >= DOMINANT * whole


def _finding(
    rule: catalogue.Rule,
    column: str,
    tallies: Sequence[CountWithExamples],
    concerns: Callable[[str], bool],
    fix: str = "",
    meant: Callable[[str], str] = lambda _: "",
) -> list[Finding]:
    """The finding of these tallies, if any. ``concerns``: whether a value is one of them; ``meant``: what it was."""
    count, examples = merged(tallies)
    if not count:
        return []
    return [Finding(rule, column, count, tuple(examples), fix, lambda v: meant(v) if concerns(v) else None)]


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit()


def _is_code(value: str) -> bool:
    return not _is_number(value)


def _is_number_of(lengths: Sequence[int]) -> Callable[[str], bool]:
    wanted = frozenset(lengths)
    return lambda value: len(value) in wanted and _is_number(value)


def _is_code_of(lengths: Sequence[int]) -> Callable[[str], bool]:
    wanted = frozenset(lengths)
    return lambda value: len(value) in wanted and _is_code(value)


# --- odd ones ----------------------------------------------------------------------------------------


def _odd(
    census: ColumnStatistics, column: str, strange: list[CountWithExamples], concerns: Callable[[str], bool]
) -> list[Finding]:
    """Values unlike nearly all others; not where another finding explains all of them."""
    count = sum(tally.count for tally in strange)
    if _looks_scientific_instead(census) or count in {census.dates.count, census.foreign.count}:
        return []
    return _finding(catalogue.ODD_ONE_OUT, column, strange, concerns)


def _strange_to_codes(census: ColumnStatistics, column: str, whole: int) -> list[Finding]:
    """What does not fit into a column of codes: another length, or digits only where codes have letters only."""
    usual = max(census.others, key=lambda length: census.others[length].count)
    fixed = _dominates(census.others[usual].count, whole)
    lettered = _dominates(census.letters_only, whole)
    codes = [length for length in census.others if fixed and length != usual]
    numbers = [length for length in census.digits if lettered or (fixed and length != usual)]
    tallies = [census.others[length] for length in codes] + [census.digits[length].all for length in numbers]
    is_code, is_number = _is_code_of(codes), _is_number_of(numbers)
    return _finding(catalogue.ODD_ONE_OUT, column, tallies, lambda value: is_code(value) or is_number(value))


def _odd_lengths(census: ColumnStatistics, column: str, whole: int) -> list[Finding]:
    """Codes of another length than nearly all codes, in a column that has numbers as well."""
    usual = max(census.others, key=lambda length: census.others[length].count)
    if not _dominates(census.others[usual].count, whole):
        return []
    odd = [length for length in census.others if length != usual]
    return _finding(catalogue.ODD_ONE_OUT, column, [census.others[length] for length in odd], _is_code_of(odd))


# --- numbers -----------------------------------------------------------------------------------------


def _numbers(census: ColumnStatistics, column: str, whole: int) -> list[Finding]:
    """Judgements about the numbers of a column: lost zeros, odd lengths, check digits."""
    lengths = census.digits
    found: list[Finding] = []
    for usual, members in _families(lengths, whole):
        short = [length for length in members if length < usual]
        padded = [_padded(lengths[length].all, usual) for length in short]
        fix = f"--fix zero-pad:{usual}, or export again as text"
        found += _finding(catalogue.LOST_ZEROS, column, padded, _is_number_of(short), fix, _zero_padder(usual))
        longer = [length for length in members if length > usual]
        tallies = [lengths[length].all for length in longer]
        found += _finding(catalogue.ODD_ONE_OUT, column, tallies, _is_number_of(longer))
    for length, known in sorted(lengths.items()):
        for scheme, rule, _ in _SCHEMES:
            if _carries(known, scheme):
                found += _finding(rule, column, [known.failing[scheme]], _fails(length, scheme))
    return found


def _fails(length: int, scheme: Scheme) -> Callable[[str], bool]:
    return lambda value: len(value) == length and _is_number(value) and failing([value], length, scheme)[0] == 1


def _carries(known: Digits, scheme: Scheme) -> bool:
    """Whether numbers of one length have this check digit: nearly all of many pass."""
    count = known.all.count
    return known.checked[scheme] == count and _dominates(count - known.failing[scheme].count, count)


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


def _families(lengths: Mapping[int, Digits], whole: int) -> Iterator[tuple[int, list[int]]]:
    """Usual lengths, each with those lengths that are its numbers gone wrong.

    Where one length is usual for all numbers, it and all others; else each common length of which some begin with a
    zero, with the rare ones below it.
    """
    usual = max(lengths, key=lambda length: lengths[length].all.count)
    if _zeros_lost(lengths, usual, whole):
        yield usual, list(lengths)
        return
    common = sorted(length for length, known in lengths.items() if known.all.count >= ENOUGH)
    if len(common) < 2:
        return
    below = 0
    for length in common:
        members = [each for each in lengths if below < each <= length]
        whole = sum(lengths[each].all.count for each in members)
        if lengths[length].zero_first and _dominates(lengths[length].all.count, whole):
            yield length, members
        below = length


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


def _zero_padder(length: int) -> Callable[[str], str]:
    return lambda value: value.zfill(length)


def _padded(tally: CountWithExamples, length: int) -> CountWithExamples:
    return CountWithExamples(tally.count, [replace(e, proposal=e.value.zfill(length)) for e in tally.examples])


def _digits_cut(lengths: Mapping[int, Digits], column: str) -> list[Finding]:
    """Numbers beyond fifteen digits that end in zeros, where there are more of them than chance makes."""
    long = {length: known for length, known in lengths.items() if length > 15}
    expected = sum(known.all.count * 10.0 ** (15 - length) for length, known in long.items())
    seen = sum(known.cut.count for known in long.values())
    if not seen or _chance_of(seen, expected) > _CHANCE:
        return []
    return _finding(catalogue.DIGITS_CUT, column, [known.cut for known in long.values()], _is_cut)


def _is_cut(value: str) -> bool:
    return len(value) > 15 and _is_number(value) and value.endswith("0" * (len(value) - 15))


def _chance_of(seen: int, expected: float) -> float:
    """How likely at least ``seen`` coincidences are where ``expected`` are expected (Poisson; an upper bound)."""
    if seen <= expected:
        return 1.0
    if expected < 1e-300:  # numbers of hundreds of digits: no chance at all
        return 0.0
    log_term = seen * math.log(expected) - expected - math.lgamma(seen + 1)
    return min(1.0, math.exp(log_term) / (1 - expected / (seen + 1)))


# --- what spreadsheets make of codes -------------------------------------------------------------------


def _scientific(census: ColumnStatistics, column: str, digits: int, others: int) -> list[Finding]:
    """Codes such as 1E5: suspicious where everything else is digits, and plainly so in any long enough column."""
    if _looks_scientific_instead(census) and _dominates(digits, digits + others):
        return _finding(catalogue.LOOKS_SCIENTIFIC, column, [census.scientific], looks_scientific)
    lengths = set(census.digits)
    lone = [e for e in census.scientific.examples if len(e.value) not in lengths]
    if census.scientific.count == others and digits > others and len(lone) == len(census.scientific.examples):
        return _finding(catalogue.LOOKS_SCIENTIFIC, column, [census.scientific], looks_scientific)
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
    return _finding(catalogue.LOOKS_LIKE_DATE, column, tallies, lambda value: is_date(trimmed(value)))


def _case(census: ColumnStatistics, column: str) -> list[Finding]:
    whole = census.upper.count + census.lower.count + census.mixed.count
    if _dominates(census.upper.count, whole):
        strange = [_cased(census.lower, upper=True), _cased(census.mixed, upper=True)]
        return _finding(catalogue.MIXED_CASE, column, strange, lambda v: v.upper() != v, "--fix case:upper", str.upper)
    if _dominates(census.lower.count, whole):
        strange = [_cased(census.upper, upper=False), _cased(census.mixed, upper=False)]
        return _finding(catalogue.MIXED_CASE, column, strange, lambda v: v.lower() != v, "--fix case:lower", str.lower)
    return []


def _cased(tally: CountWithExamples, *, upper: bool) -> CountWithExamples:
    def change(example: Example) -> Example:
        value = example.value
        return replace(example, proposal=value.upper() if upper else value.lower())

    return CountWithExamples(tally.count, [change(example) for example in tally.examples])


def _foreign(census: ColumnStatistics, column: str, others: int) -> list[Finding]:
    """Codes whose letters are all of another script, where more codes have Latin ones."""
    if not 0 < census.foreign.count * 2 < others:
        return []
    return _finding(catalogue.MIXED_SCRIPTS, column, [census.foreign], is_foreign)


def is_foreign(value: str) -> bool:
    """Whether a value has letters, and none of them is Latin."""
    found = scripts(value)
    return bool(found) and "LATIN" not in found


# --- what was not judged -------------------------------------------------------------------------------


def not_judged(census: ColumnStatistics) -> Iterator[str]:
    """The checks that could not be applied, each with its reason."""
    digits = {length: known for length, known in census.digits.items() if known.all.count}
    others = sum(tally.count for tally in census.others.values())
    count = sum(known.all.count for known in digits.values())
    if 0 < count + others < ENOUGH:
        few = counted(count + others, "value")
        yield f"lost zeros, odd ones and check digits: {few} tell too little ({ENOUGH} are needed)"
        return
    for length, known in sorted(digits.items()):
        reason = _no_check_digit(length, known)
        if reason:
            yield f"check digits of {counted(known.all.count, 'number')} of {length} digits: {reason}"
    if others:
        yield f"check digits of {counted(others, 'code')} with letters or signs: only numbers have them"


def _no_check_digit(length: int, known: Digits) -> str:
    """Why the numbers of one length were not held against any check digit; "" where they were."""
    if any(_carries(known, scheme) for scheme, _, _ in _SCHEMES):
        return ""
    schemes = [(scheme, name) for scheme, _, name in _SCHEMES if length in LENGTHS[scheme]]
    if not schemes:
        return "none is known of that length"
    if known.all.count < ENOUGH:
        return f"so few tell too little ({ENOUGH} are needed)"
    passing = [
        f"{100 * (1 - known.failing[scheme].count / known.checked[scheme]):.0f} % pass {name}"
        for scheme, name in schemes
        if known.checked[scheme]
    ]
    return f"only {' and '.join(passing)} ({DOMINANT:.0%} would tell that they have one)"
