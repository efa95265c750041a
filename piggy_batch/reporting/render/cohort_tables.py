"""Tables of cohorts and of the estimate that rests on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.reporting.phrases import Label, Phrase, phrase
from piggy_batch.reporting.render import table_model
from piggy_batch.reporting.render.labels import TOTAL
from piggy_batch.reporting.render.table_model import ReportTable, cents, count, share, text

if TYPE_CHECKING:
    from piggy_batch.reporting.cohorts import Breakage, Cohort
    from piggy_batch.reporting.report import CurrencyPart

_SHOWN_MONTHS = (0, 1, 2, 3, 6, 9, 12, 18, 24, 36)  # of a cohort's life


def cohort_table(part: CurrencyPart, names: tuple[str, Phrase, str]) -> ReportTable:
    """One line per month of issue, and how much of it was left after each month of its life."""
    known = {age for cohort in part.cohorts for age, _ in cohort.left}
    ages = [age for age in _SHOWN_MONTHS if age in known]
    columns = (
        text("Issued in"),
        count("Cards"),
        cents("Issued"),
        cents("Redeemed"),
        cents("Expired"),
        cents("Other"),
        cents("Outstanding"),
        share("Left"),
        *(share(f"+{age}") for age in ages),
    )
    rows = [_cohort_row(cohort, ages) for cohort in part.cohorts]
    cards = sum(cohort.cards for cohort in part.cohorts)
    sums = map(sum, zip(*(cohort.amounts.values() for cohort in part.cohorts), strict=True))
    rows.append((TOTAL, cards, *sums, None, *(None for _ in ages)))
    note = phrase(
        "Cards by the month in which they were first seen, or, where transactions are given, first loaded; amounts to "
        "date. Other is what was switched on, less what was switched off or is no longer listed. Left is outstanding "
        "in percent of issued; the columns +0, +1 … say what was left so many months after the month of issue."
    )
    heat = range(len(columns) - len(ages), len(columns))
    return table_model.table(names, columns, rows, note=note, sums=[-1], heat=heat)


def _cohort_row(cohort: Cohort, ages: list[int]) -> tuple[Any, ...]:
    left = dict(cohort.left)
    month = phrase_of(cohort)
    return (month, cohort.cards, *cohort.amounts.values(), cohort.share, *(left.get(age) for age in ages))


def phrase_of(cohort: Cohort) -> str:
    """The cohort's name: cards of the first snapshot may be older than it."""
    return f"\N{LESS-THAN OR EQUAL TO} {cohort.month}" if cohort.earlier else cohort.month


def breakage_table(found: Breakage, names: tuple[str, Phrase, str]) -> ReportTable:
    """The estimate with what it rests on."""
    rows: list[tuple[Any, ...]] = [
        (Label("Cards of months that are old enough"), found.cards, found.issued, None),
        (Label("of which never used"), found.never_used, found.never_used_issued, found.share),
        (Label("Outstanding of younger months"), None, found.young_outstanding, None),
        (Label("Estimate: the same share of it"), None, found.estimate, None),
    ]
    note = phrase(
        "An estimate, not a booking. Method: of all cards issued at least {months} months before the closing, the "
        "share of money put on cards without a single redemption since; applied to what is outstanding on younger "
        "cards.",
        months=found.months,
    )
    columns = (text("Breakage"), count("Cards"), cents("Amount"), share("Share"))
    return table_model.table(names, columns, rows, note=note, sums=[-1])
