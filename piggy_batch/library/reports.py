"""Snapshots of giftcards and reports on them, from files; the service is not asked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.library.checks import check_list, path_from
from piggy_batch.library.frames import read_parquet
from piggy_batch.reporting.dates import time_zone
from piggy_batch.reporting.render.files import check_targets, write_report
from piggy_batch.reporting.render.languages import LANGUAGES
from piggy_batch.reporting.report_builder import build_report
from piggy_batch.reporting.request import request_from
from piggy_batch.reporting.snapshot_store import Store
from piggy_batch.tables import read_columns

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from piggy_batch.reporting.report import Report
    from piggy_batch.reporting.snapshot import Snapshot


def snapshots(store: str | os.PathLike[str], *, timezone: str = "Europe/Amsterdam") -> list[Snapshot]:
    """The snapshots of a store, oldest first: ``day``, ``moment``, ``cards``, ``agreed``, ``path``."""
    return list(Store(path_from("store", store), time_zone(timezone)).list())


def read_snapshot(snapshot: Snapshot | str | os.PathLike[str]) -> pd.DataFrame:
    """The cards of a snapshot, one a row."""
    path = path_from("snapshot", getattr(snapshot, "path", snapshot))
    try:
        return read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's errors about what is no Parquet file are of these kinds
        raise SetupError(f"{path}: cannot be read as a snapshot ({type(error).__name__})") from error


def report(
    store: str | os.PathLike[str] | None = None,
    *,
    files: Iterable[str | os.PathLike[str]] = (),
    as_of: str | None = None,
    since: str | None = None,
    period: str | None = None,
    transactions: str | os.PathLike[str] | None = None,
    lists: Iterable[str] = (),
    sample: int | None = None,
    seed: int = 1,
    accounts: Mapping[str, str] | None = None,
    cohorts: bool | None = None,
    breakage_months: int | None = None,
    timezone: str = "Europe/Amsterdam",
    currency: str = "EUR",
    currencies: Mapping[str, str] | None = None,
    accept_partial: bool = False,
    language: str = "en",
    to: Iterable[str | os.PathLike[str]] = (),
) -> Report:
    """What is owed, what moved and what will expire: the report of ``giftcards report``, as a value.

    ``accounts``: the ledger's account for each figure of the journal; ``currencies``: those of programs, by UUID, that
    are not in ``currency``. ``to`` also writes it, as .html (in ``language``), .xlsx, .json, .csv, the cards behind the
    figures as .parquet or the ledger's entry as journal.csv. ``report.closed`` says whether the roll-forward closes,
    ``report.parts`` has the figures of each currency. SetupError where the snapshots do not allow it.
    """
    now = datetime.now(UTC)
    for name, value in (("files", files), ("lists", lists), ("to", to)):
        check_list(name, value)
    targets = tuple(path_from("to", target) for target in to)
    check_targets(targets)
    if language not in LANGUAGES:
        raise SetupError(f"language={language!r}: must be one of {', '.join(LANGUAGES)}")
    asked = {
        "store": path_from("store", store) if store is not None else None,
        "files": tuple(map(Path, files)),
        "as_of": as_of,
        "since": since,
        "period": period,
        "transactions": Path(transactions) if transactions is not None else None,
        "lists": tuple(lists),
        "timezone_name": timezone,
        "currencies": (currency, *(f"{uuid}={code}" for uuid, code in (currencies or {}).items())),
        "accounts": tuple((accounts or {}).items()),
        "sample": sample,
        "seed": seed,
        "cohorts": cohorts,
        "breakage_months": breakage_months,
        "accept_partial": accept_partial,
        "targets": targets,
    }
    made = build_report(request_from(asked, now, read_columns), made_at=now)
    for target in targets:
        write_report(made, target, language)
    return made
