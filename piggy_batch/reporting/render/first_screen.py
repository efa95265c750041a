"""What a controller reads first: a handful of amounts, and how far they can be relied on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from piggy_batch.reporting.cohorts import share_of
from piggy_batch.reporting.dates import day_of
from piggy_batch.reporting.definitions import ExpiryBucket, Movement
from piggy_batch.reporting.notice import Level
from piggy_batch.reporting.periods import period_between
from piggy_batch.reporting.phrases import Amount, Label, Phrase, number_of_cards, phrase

if TYPE_CHECKING:
    from piggy_batch.reporting.render.language import Language
    from piggy_batch.reporting.report import CurrencyPart, Movements, Report

_SOON = (ExpiryBucket.DAYS_30, ExpiryBucket.DAYS_60, ExpiryBucket.DAYS_90)


@dataclass(frozen=True, slots=True)
class Fact:
    """One amount of the first screen."""

    label: str | Phrase
    cents: int
    detail: str  # in the page's language
    signed: bool = False  # shown with a plus, too


@dataclass(frozen=True, slots=True)
class ReportVerdict:
    """How far the figures can be relied on: ``style`` is good, warn or bad."""

    style: str
    words: Label


def heading(report: Report, language: Language) -> str:
    """What it is, of which month, quarter or year where it is of one, and whose."""
    found = [language.say(Label("Giftcards"))]
    if report.since and (period := period_between(*(day_of(m, report.zone) for m in (report.since, report.as_of)))):
        found.append(language.period(period))
    return ", ".join(found) + (f": {report.account}" if report.account else "")


def facts(report: Report, part: CurrencyPart, language: Language) -> tuple[Fact, ...]:
    """Outstanding, its change, what moved, and what expires soon."""
    total, soon = part.closing.total, [step for step in part.closing.expiry if step.bucket in _SOON]
    average = phrase(
        "{cards}, on average {amount}",
        cards=_cards(total.cards, language),
        amount=Amount(total.average_cents, part.currency),
    )
    outstanding = Fact(Label("Outstanding"), total.outstanding_cents, language.say(average))
    expiring = Fact(
        Label("Expires within 90 days"),
        sum(step.balance_cents for step in soon),
        _cards(sum(step.cards for step in soon), language),
    )
    if part.movements is None:
        expired = Fact(Label("Expired with balance"), total.expired_cents, _cards(total.expired_cards, language))
        inactive = Fact(
            Label("Switched off with balance"), total.inactive_cents, _cards(total.inactive_cards, language)
        )
        return outstanding, expiring, expired, inactive
    return outstanding, *_moved(report, part.movements, language), expiring


def _moved(report: Report, movements: Movements, language: Language) -> tuple[Fact, ...]:
    roll = movements.roll
    change = roll.closing - roll.opening
    share = share_of(change, roll.opening)
    begin = phrase("since {day}", day=day_of(movements.opening.moment, report.zone))
    percent = "" if share is None else f"{language.share(share, sign=True)} "
    put_on = (Movement.ISSUED, Movement.TOPPED_UP)
    found = [
        Fact(Label("Change"), change, percent + language.say(begin), signed=True),
        Fact(
            Label("Issued and topped up"),
            sum(roll.movements[m] for m in put_on),
            _cards(sum(roll.cards[m] for m in put_on), language),
        ),
        Fact(
            Label("Redeemed less undone") if roll.movements[Movement.REVERSED] else Label("Redeemed"),
            roll.movements[Movement.REDEEMED] - roll.movements[Movement.REVERSED],
            _cards(roll.cards[Movement.REDEEMED], language),
        ),
        Fact(Label("Expired"), roll.movements[Movement.EXPIRED], _cards(roll.cards[Movement.EXPIRED], language)),
    ]
    return tuple(found)


def _cards(number: int, language: Language) -> str:
    return language.say(number_of_cards(number))


def verdict_of(report: Report) -> ReportVerdict:
    """The verdict in a few words."""
    if report.partial:
        return ReportVerdict("bad", Label("PARTIAL: cards or transactions may be missing from these figures"))
    if not report.closed:
        return ReportVerdict("bad", Label("Complete, proven, but the movements do not explain the change"))
    if report.to_check:
        return ReportVerdict("warn", Label("Complete, proven; check what is listed below before relying on it"))
    if any(part.movements for part in report.parts):
        return ReportVerdict("good", Label("Complete, proven; the movements explain the change to the cent"))
    return ReportVerdict("good", Label("Complete, proven"))


def to_book(report: Report, part: CurrencyPart, language: Language) -> str:
    """Which figure is the liability; none is, while cards or transactions may be missing."""
    total = part.closing.total
    proven = (
        "To book as the liability on {day}: {outstanding}, the outstanding balance. Expired balances ({expired}) and "
        "those of cards that are switched off ({inactive}) are not part of it."
    )
    unproven = (
        "Not to be booked: these figures are not proven. As far as was read, {outstanding} is outstanding on {day}, "
        "{expired} has expired and {inactive} is on cards that are switched off."
    )
    return language.say(
        phrase(
            unproven if report.partial else proven,
            day=day_of(report.as_of, report.zone),
            outstanding=Amount(total.outstanding_cents, part.currency),
            expired=Amount(total.expired_cents, part.currency),
            inactive=Amount(total.inactive_cents, part.currency),
        )
    )


def grave(report: Report, language: Language) -> list[str]:
    """What has to be known before anything is read."""
    return [language.say(notice) for notice in report.notices if notice.level is not Level.NOTE]


def minor(report: Report, language: Language) -> list[str]:
    """How the figures were reckoned."""
    return [language.say(notice) for notice in report.notices if notice.level is Level.NOTE]
