"""From the options of ``giftcards report`` to what is reported on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.errors import SetupError
from piggy_batch.reporting.render.files import is_ledger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from piggy_batch.reporting.report import ReportRequest
    from piggy_batch.reporting.snapshot import Snapshot
    from piggy_batch.reporting.snapshot_choice import Choice
    from piggy_batch.reporting.transactions import WorkbookReader

MOST_COHORT_CARDS = 5_000_000  # cards of all snapshots together that are followed without being asked to


def request_from(given: Mapping[str, Any], now: datetime, read_workbook: WorkbookReader) -> ReportRequest:
    """What to report on, as ``giftcards report`` is asked.

    SetupError for options that do not go together or snapshots that are not there.
    """
    from piggy_batch.reporting.dates import parse_day, time_zone
    from piggy_batch.reporting.ledger import Accounts
    from piggy_batch.reporting.money import Currencies
    from piggy_batch.reporting.report import ReportRequest, SampleRequest, TransactionsFile

    zone, currencies = time_zone(given["timezone_name"]), Currencies.parse(given["currencies"])
    as_of, since = (
        parse_day(given[name], option) if given[name] else None
        for name, option in (("as_of", "--as-of"), ("since", "--since"))
    )
    chosen = _choice(given, zone, as_of, since, now)
    transactions = given["transactions"]
    needs_ledger = any(is_ledger(target) for target in given["targets"])
    return ReportRequest(
        closing=chosen.closing,
        opening=chosen.opening,
        history=chosen.history,
        zone=zone,
        currencies=currencies,
        as_of=as_of,
        since=since,
        lists=_lists(given, alone=chosen.opening is None),
        lists_shown=bool(given["lists"]) or given["sample"] is not None,
        sample=None if given["sample"] is None else SampleRequest(given["sample"], given["seed"]),
        transactions=TransactionsFile(transactions, read_workbook, given["accept_partial"]) if transactions else None,
        accounts=Accounts.parse(given["accounts"]) if given["accounts"] or needs_ledger else None,
        needs_ledger=needs_ledger,
        cohorts=_wants_cohorts(given, chosen.history),
        breakage_months=given["breakage_months"],
        notices=chosen.notices,
    )


def _lists(given: Mapping[str, Any], *, alone: bool) -> tuple[str, ...]:
    """The figures behind which cards are wanted; without a word about them, those that a file or a sample needs."""
    from piggy_batch.reporting.definitions import BALANCES, LISTS, WITHOUT_TRANSACTION

    if WITHOUT_TRANSACTION in given["lists"] and not given["transactions"]:
        raise SetupError(
            f"--list {WITHOUT_TRANSACTION}: compares with transactions; name their file with --transactions"
        )
    gross = (WITHOUT_TRANSACTION,) if given["transactions"] else ()
    every = tuple(BALANCES) if alone else (*LISTS, *gross)
    if "all" in given["lists"] or (not given["lists"] and any(t.suffix == ".parquet" for t in given["targets"])):
        return every
    return tuple(dict.fromkeys(given["lists"])) or (("outstanding",) if given["sample"] else ())


def _wants_cohorts(given: Mapping[str, Any], history: Sequence[Snapshot]) -> bool:
    """As asked; unasked where there is a history to follow, of a size that takes seconds."""
    if given["cohorts"] is not None:
        return bool(given["cohorts"])
    asked = given["breakage_months"] is not None
    return asked or (len(history) >= 3 and sum(snapshot.cards for snapshot in history) <= MOST_COHORT_CARDS)


def _choice(given: Mapping[str, Any], zone: ZoneInfo, as_of: date | None, since: date | None, now: datetime) -> Choice:
    from piggy_batch.reporting.snapshot_choice import choose
    from piggy_batch.reporting.snapshot_store import Store

    files, store, period = given["files"], given["store"], given["period"]
    if bool(files) == bool(store):
        raise SetupError("give either --store DIR, or one or two snapshot files")
    if period and (files or as_of or since):
        raise SetupError("--period chooses both snapshots of a --store; leave out --as-of, --since and files")
    if files:
        return _from_files(files, zone, since, accept_partial=given["accept_partial"])
    if period:
        return _of_period(store, period, zone, now)
    return choose(Store(store, zone).list(), as_of=as_of, since=since, now=now, zone=zone)


def _of_period(store: Path, text: str, zone: ZoneInfo, now: datetime) -> Choice:
    from piggy_batch.reporting.dates import day_of
    from piggy_batch.reporting.periods import parse_period
    from piggy_batch.reporting.snapshot_choice import choose_period
    from piggy_batch.reporting.snapshot_store import Store

    period = parse_period(text, day_of(now, zone))
    return choose_period(Store(store, zone).list(), period, now=now, zone=zone)


def _from_files(files: tuple[Path, ...], zone: ZoneInfo, since: date | None, *, accept_partial: bool) -> Choice:
    """Opening and closing from one or two files, in whatever order they are given."""
    from piggy_batch.reporting.snapshot import open_snapshot
    from piggy_batch.reporting.snapshot_choice import Choice

    if len(files) > 2:
        raise SetupError(f"{len(files)} snapshot files; give one or two, or keep them in a --store")
    if since and len(files) == 1:
        raise SetupError("--since needs a --store, or two snapshot files")
    found = sorted((open_snapshot(path, zone) for path in files), key=lambda snapshot: snapshot.moment)
    for snapshot in found:
        if not snapshot.agreed and not accept_partial:
            raise SetupError(
                f"{snapshot.path}: the export did not agree ({snapshot.verdict}), so cards may be missing; "
                "export again, or report on it as partial with --accept-partial"
            )
    return Choice(found[-1], None if len(found) == 1 else found[0], tuple(found))
