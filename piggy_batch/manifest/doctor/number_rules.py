"""Judgements about the numbers of a column, in groups of one length: lost zeros, digits cut off, check digits. Pure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from piggy_batch.manifest.doctor import finding_kinds
from piggy_batch.manifest.doctor.check_digits import LENGTHS, Scheme, failing
from piggy_batch.manifest.doctor.column_statistics import CountWithExamples, merged
from piggy_batch.manifest.doctor.findings import Finding
from piggy_batch.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from piggy_batch.manifest.doctor.column_statistics import ColumnStatistics, Digits

ENOUGH = 50  # rows from which on a pattern counts as one
DOMINANT = 0.95
_CHANCE = 1e-6  # how unlikely a coincidence must be before it is called damage
_SCHEMES = ((Scheme.LUHN, finding_kinds.LUHN, "Luhn"), (Scheme.EAN, finding_kinds.EAN, "EAN"))


def dominates(count: int, whole: int) -> bool:
    """Whether nearly all of many are so."""
    return whole >= ENOUGH and count >= DOMINANT * whole


def finding_of(
    rule: finding_kinds.Rule,
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


def is_number(value: str) -> bool:
    """Whether a value is digits only."""
    return value.isascii() and value.isdigit()


def is_number_of(lengths: Sequence[int]) -> Callable[[str], bool]:
    """What tells numbers of these lengths."""
    wanted = frozenset(lengths)
    return lambda value: len(value) in wanted and is_number(value)


def judge_numbers(statistics: ColumnStatistics, column: str, whole: int) -> list[Finding]:
    """Judgements about the numbers of a column: lost zeros, odd lengths, check digits."""
    lengths = statistics.digits
    found: list[Finding] = []
    for usual, members in _families(lengths, whole):
        short = [length for length in members if length < usual]
        padded = [_padded(lengths[length].all, usual) for length in short]
        fix = f"--fix zero-pad:{usual}, or export again as text"
        found += finding_of(finding_kinds.LOST_ZEROS, column, padded, is_number_of(short), fix, _zero_padder(usual))
        longer = [length for length in members if length > usual]
        tallies = [lengths[length].all for length in longer]
        found += finding_of(finding_kinds.ODD_ONE_OUT, column, tallies, is_number_of(longer))
    for length, known in sorted(lengths.items()):
        for scheme, rule, _ in _SCHEMES:
            if _carries(known, scheme):
                found += finding_of(rule, column, [known.failing[scheme]], _fails(length, scheme))
    return found


def _fails(length: int, scheme: Scheme) -> Callable[[str], bool]:
    return lambda value: len(value) == length and is_number(value) and failing([value], length, scheme)[0] == 1


def _carries(known: Digits, scheme: Scheme) -> bool:
    """Whether numbers of one length have this check digit: nearly all of many pass."""
    count = known.all.count
    return known.checked[scheme] == count and dominates(count - known.failing[scheme].count, count)


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
        if lengths[length].zero_first and dominates(lengths[length].all.count, whole):
            yield length, members
        below = length


def _zeros_lost(lengths: Mapping[int, Digits], usual: int, whole: int) -> bool:
    """Whether shorter numbers are the usual ones without their zeros in front.

    Either the usual length is dominant; or it is as common as it stays when random numbers lose their zeros (nine
    in ten), shorter ones get rarer with every digit, and none of the usual length begins with a zero.
    """

    def count(length: int) -> int:
        return lengths[length].all.count if length in lengths else 0

    if dominates(count(usual), whole):
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


def judge_digits_cut(lengths: Mapping[int, Digits], column: str) -> list[Finding]:
    """Numbers beyond fifteen digits that end in zeros, where there are more of them than chance makes."""
    long = {length: known for length, known in lengths.items() if length > 15}
    expected = sum(known.all.count * 10.0 ** (15 - length) for length, known in long.items())
    seen = sum(known.cut.count for known in long.values())
    if not seen or _chance_of(seen, expected) > _CHANCE:
        return []
    return finding_of(finding_kinds.DIGITS_CUT, column, [known.cut for known in long.values()], _is_cut)


def _is_cut(value: str) -> bool:
    return len(value) > 15 and is_number(value) and value.endswith("0" * (len(value) - 15))


def _chance_of(seen: int, expected: float) -> float:
    """How likely at least ``seen`` coincidences are where ``expected`` are expected (Poisson; an upper bound)."""
    if seen <= expected:
        return 1.0
    if expected < 1e-300:  # numbers of hundreds of digits: no chance at all
        return 0.0
    log_term = seen * math.log(expected) - expected - math.lgamma(seen + 1)
    return min(1.0, math.exp(log_term) / (1 - expected / (seen + 1)))


def not_judged(statistics: ColumnStatistics) -> Iterator[str]:
    """The checks that could not be applied, each with its reason."""
    digits = {length: known for length, known in statistics.digits.items() if known.all.count}
    others = sum(tally.count for tally in statistics.others.values())
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
