"""Operations on rows: run, plan, migrate, and what runs leave to read."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, get_args

from piggy_batch.endpoints import CATALOGUE, find_operation
from piggy_batch.errors import HaltError, IncompleteError, SetupError
from piggy_batch.exit_codes import ExitCode
from piggy_batch.importing.migration.migration import migrate as run_migration
from piggy_batch.importing.migration.pipeline import MigrationOptions
from piggy_batch.importing.options import ExecutionOptions, ImportOptions, RunResult
from piggy_batch.importing.runner import run as run_operation
from piggy_batch.importing.status import describe_run
from piggy_batch.library.account import Account
from piggy_batch.library.checks import check_list, check_options, path_from, rate_from
from piggy_batch.library.frames import manifest_bytes, read_frame
from piggy_batch.library.waiting import CallbackProgress, Progress, wait_for
from piggy_batch.manifest.doctor import known_codes, parse_fixes
from piggy_batch.manifest.mending import parse_rounding
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.runs.context import ConnectionOptions
from piggy_batch.runs.filenames import KINDS
from piggy_batch.runs.generated_manifest import manifest_of
from piggy_batch.runs.registry import state_dir
from piggy_batch.text import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    import pandas as pd

    from piggy_batch.endpoints import Operation
    from piggy_batch.runs.context import RunContext

Report = Literal["results", "errors", "remaining", "unknown"]


class RowOptions(TypedDict, total=False):
    """What a run may be asked for; each is the option of that name on the command line, with its default."""

    run_dir: str | os.PathLike[str]  # where the run lives; needed for rows in memory
    maps: Mapping[str, str]  # field: the list's own header
    constants: Mapping[str, str]  # field: the same value for every row (--set)
    values: Mapping[str, Mapping[str, str]]  # field: {word in the list: what it means}
    rounding: Mapping[str, str]  # field: down, half-up or up (--round)
    blanks: Iterable[str]  # words that stand for a blank cell (--blank)
    fixes: str  # trim,wrappers,… (--fix)
    delimiter: str
    encoding: str
    sheet: str
    header_row: int
    drop_last: int
    hold: Iterable[str]  # codes of findings whose rows are left out
    ignored: Iterable[str]  # columns that are left unused on purpose (--ignore-column)
    accept: Iterable[str]  # codes of blocking findings whose numbers are right
    skip_invalid: bool
    yes: bool  # for operations that ask before they start: nobody is asked here
    again: bool
    adopt: bool
    limit: int  # rows
    max_errors: int  # rows
    max_errors_percent: float
    retry_rejected: bool
    resend_unknown: bool
    look_before: bool
    baseline: bool
    allow_repeats: bool
    allow_shared: bool
    format: Literal["csv", "parquet", "xlsx"]
    rate: float | Literal["auto"]  # requests a second; 0: no limit
    reserve: float  # share
    concurrency: int
    attempts: int
    timeout_s: float
    max_wait_s: float
    max_duration_s: float


def run(
    operation: str,
    rows: str | os.PathLike[str] | pd.DataFrame,
    *,
    account: Account | None = None,
    progress: Callable[[Progress], object] | None = None,
    check: bool = False,
    **options: Unpack[RowOptions],
) -> RunResult:
    """Carry out an operation for each row, or go on with it: calling it again with the same arguments is the resume.

    ``operation`` as it is typed, ``"identifiers create"``. ``rows`` is a file, or a DataFrame of text. The result has
    ``exit_code`` (DONE or INCOMPLETE), ``summary`` and ``run_dir``; :func:`read_results` reads every row's outcome.
    ``options`` are the command line's, by name: run_dir, limit, rate, maps, constants, skip_invalid …; a name that is
    none of them is answered with all that there are.

    Raises SetupError (nothing was sent), HaltError (no row can succeed until a person acts), JournalError (the run
    directory cannot be used), and with ``check`` IncompleteError where some rows are not as they should be.
    """
    return _carry(_operation(operation), rows, _options(options), account, progress, check=check)


def plan(
    operation: str,
    rows: str | os.PathLike[str] | pd.DataFrame,
    *,
    account: Account | None = None,
    **options: Unpack[RowOptions],
) -> RunResult:
    """Check every row, count requests and time, send no write: ``plan`` has the words, ``figures`` the numbers."""
    asked = _options(options, dry_run=True)
    return _carry(_operation(operation), rows, asked, account, None, check=False)


def migrate(
    rows: str | os.PathLike[str] | pd.DataFrame,
    *,
    shop: str | None = None,
    credits_per_card: bool = False,
    credits_again: bool = False,
    after: Iterable[str | os.PathLike[str]] = (),
    hold_credits: bool = False,
    account: Account | None = None,
    progress: Callable[[Progress], object] | None = None,
    check: bool = False,
    dry_run: bool = False,
    **options: Unpack[RowOptions],
) -> RunResult:
    """Bring legacy cards with their customers into the account, stage by stage; raises as :func:`run` does."""
    asked = _options(options, dry_run=dry_run)
    check_list("after", after)
    wishes = MigrationOptions(
        state_dir=state_dir(),
        shop=shop,
        credits_per_card=credits_per_card,
        credits_again=credits_again,
        after=tuple(map(Path, after)),
        hold_credits=hold_credits,
    )
    manifest = _manifest(rows, asked)
    return _wait(
        lambda context: run_migration(manifest, asked, wishes, context), account, progress, check=check
    )  # fmt: skip


def read_results(run_dir: str | os.PathLike[str], report: Report = "results") -> pd.DataFrame:
    """A report of a run: every row with its ``_status``, or one of the piles. Empty where there are no such rows."""
    import pandas as pd

    if report not in get_args(Report):
        raise SetupError(f"{report!r} is no report of a run; there are {', '.join(get_args(Report))}")
    directory = path_from("run_dir", run_dir)
    for kind in KINDS:
        path = directory / f"{report}.{kind}"
        if path.exists():
            return read_frame(path)
    if report == "results":
        raise SetupError(f"{run_dir}: no results here; name the run directory of a run that has ended")
    return pd.DataFrame()


def status(run_dir: str | os.PathLike[str]) -> dict[str, Any]:
    """What a run has done so far, also while it works: what ``piggy-batch status --json`` prints."""
    return describe_run(path_from("run_dir", run_dir))


def _operation(name: str) -> Operation:
    wanted = " ".join(str(name).split())
    known = [operation.name for operation in CATALOGUE if not operation.hidden]
    if wanted not in known:
        raise SetupError(f'"{name}" is no operation{nearest(wanted, known)}; there are {", ".join(known)}')
    return find_operation(wanted)


def _options(given: RowOptions, *, dry_run: bool = False) -> ImportOptions:
    """The options as the machinery takes them; what was not given keeps the machinery's own default."""
    left: dict[str, Any] = dict(given)
    known = RowOptions.__annotations__
    if wrong := next((name for name in left if name not in known), None):
        raise TypeError(f"there is no option {wrong}{nearest(wrong, known)}; there are {', '.join(known)}")
    check_options(left)

    def take(*names: str) -> dict[str, Any]:
        return {name: left.pop(name) for name in names if name in left}

    reading = take("maps", "constants", "values", "delimiter", "encoding", "sheet", "header_row", "drop_last", "again")
    reading |= take("allow_repeats", "allow_shared")
    if "fixes" in left:
        reading["fixes"] = parse_fixes(left.pop("fixes"))
    if "blanks" in left:
        reading["blanks"] = tuple(left.pop("blanks"))
    if "hold" in left:
        reading["hold"] = known_codes(left.pop("hold"))
    if "ignored" in left:
        reading["ignored"] = frozenset(left.pop("ignored"))
    if "rounding" in left:
        reading["rounding"] = parse_rounding(list(left.pop("rounding").items()))
    execution = take(
        *("concurrency", "attempts", "look_before", "resend_unknown", "retry_rejected", "limit"),
        *("max_errors", "max_errors_percent"),
    )
    connection = take("reserve", "timeout_s", "max_wait_s")
    if "rate" in left:
        connection["rate"] = rate_from(left.pop("rate"))
    if "run_dir" in left:
        left["run_dir"] = path_from("run_dir", left["run_dir"])
    if "accept" in left:
        left["accept"] = known_codes(left["accept"])
    return ImportOptions(
        dry_run=dry_run,
        connection=ConnectionOptions(**connection),
        reading=ManifestOptions(**reading),
        execution=ExecutionOptions(**execution),
        **({"baseline": True} | left),
    )


def _manifest(rows: str | os.PathLike[str] | pd.DataFrame, options: ImportOptions) -> Path:
    if isinstance(rows, str | os.PathLike):
        return path_from("rows", rows)
    if options.run_dir is None:
        raise SetupError("rows in memory need run_dir, so that the run can be found again")
    return manifest_of(options.run_dir, manifest_bytes(rows))


def _carry(
    operation: Operation,
    rows: str | os.PathLike[str] | pd.DataFrame,
    options: ImportOptions,
    account: Account | None,
    progress: Callable[[Progress], object] | None,
    *,
    check: bool,
) -> RunResult:
    options = replace(options, baseline=options.baseline and operation.baseline)
    manifest = _manifest(rows, options)
    return _wait(
        lambda context: run_operation(operation, manifest, options, context), account, progress, check=check
    )  # fmt: skip


def _wait(
    work: Callable[[RunContext], Coroutine[Any, Any, RunResult]],
    account: Account | None,
    progress: Callable[[Progress], object] | None,
    *,
    check: bool,
) -> RunResult:
    """Carry it out, and turn its end into an exception where it has one."""
    with CallbackProgress(progress) as shown:
        result = wait_for(lambda stopper: work((account or Account()).context(shown, stopper)))
    match result.exit_code:
        case ExitCode.HALTED:
            raise HaltError("; ".join(result.notes) or "halted")
        case ExitCode.SETUP:
            raise SetupError("; ".join(result.notes))
        case ExitCode.INCOMPLETE if check:
            raise IncompleteError(f"some rows are not as they should be; see {result.run_dir}", result)
    return result
