"""Whole lists of the service as DataFrames."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from piggy_batch.endpoints.exportable_lists import CONTACTS, GIFTCARDS, Listing
from piggy_batch.errors import HaltError, IncompleteError, SetupError
from piggy_batch.exit_codes import ExitCode
from piggy_batch.exporting.completeness import ReadOptions
from piggy_batch.exporting.export import export
from piggy_batch.exporting.options import ExportOptions
from piggy_batch.library.account import Account
from piggy_batch.library.checks import check_list, check_options, path_from, rate_from
from piggy_batch.library.frames import read_parquet
from piggy_batch.library.waiting import CallbackProgress, Progress, wait_for
from piggy_batch.runs.context import ConnectionOptions

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    import pandas as pd


def export_giftcards(
    *,
    programs: Iterable[str] = (),
    to: str | os.PathLike[str] | None = None,
    quick: bool = False,
    accept_partial: bool = False,
    rate: float | Literal["auto"] | None = None,
    concurrency: int | None = None,
    account: Account | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> pd.DataFrame:
    """Every giftcard, proven complete; ``attrs["summary"]`` says how that is known.

    ``to`` keeps the Parquet file, and lets a killed export go on where it was. ``quick`` reads each page once and
    proves nothing. Raises IncompleteError where the list could not be proven complete, unless ``accept_partial``, and
    HaltError, SetupError and JournalError as :func:`run` does.
    """
    check_list("programs", programs)
    if concurrency is not None:
        check_options({"concurrency": concurrency})
    filters = tuple({"giftcard_program_uuid": uuid} for uuid in programs) or ({},)
    reading = ReadOptions(quick=quick) if concurrency is None else ReadOptions(quick=quick, concurrency=concurrency)
    return _export(GIFTCARDS, filters, to, reading, rate, account, progress, accept_partial=accept_partial)


def export_contacts(
    *,
    columns: Iterable[str] = (),
    to: str | os.PathLike[str] | None = None,
    accept_partial: bool = False,
    rate: float | Literal["auto"] | None = None,
    account: Account | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> pd.DataFrame:
    """Every contact, as :func:`export_giftcards` exports giftcards; ``columns`` chooses."""
    check_list("columns", columns)
    chosen = tuple(columns)
    listing = CONTACTS.choose(chosen) if chosen else CONTACTS
    return _export(listing, ({},), to, ReadOptions(), rate, account, progress, accept_partial=accept_partial)


def _export(
    listing: Listing,
    filters: tuple[dict[str, str], ...],
    to: str | os.PathLike[str] | None,
    reading: ReadOptions,
    rate: float | Literal["auto"] | None,
    account: Account | None,
    progress: Callable[[Progress], object] | None,
    *,
    accept_partial: bool,
) -> pd.DataFrame:
    if to is not None and path_from("to", to).suffix.lower() != ".parquet":
        raise SetupError(f"to={str(to)!r}: the file that is kept is Parquet; name it .parquet")
    connection = ConnectionOptions()
    if rate is not None:
        connection = ConnectionOptions(rate=rate_from(rate))
    with tempfile.TemporaryDirectory(prefix="piggy-batch-") as folder, CallbackProgress(progress) as shown:
        path = Path(to) if to is not None else Path(folder) / "export.parquet"
        options = ExportOptions(to=path, filters=filters, connection=connection, reading=reading)
        whom = account or Account()
        done = wait_for(lambda stopper: export(listing, options, whom.context(shown, stopper)))
        if done.exit_code is ExitCode.HALTED:
            raise HaltError("; ".join(done.notes) or "halted")
        if not done.written or (done.exit_code and not accept_partial):
            raise IncompleteError(f"{listing.name}: {done.summary['verdict']}", done)
        frame = read_parquet(path)
    frame.attrs["summary"] = done.summary
    return frame
