"""Rows of a manifest that was made from a pile: whether the run that they come from has carried them out since.

A pile says of each row from which run it comes (``_run``) and which row it was there (``_row``). What it says of the
row's fate was true when it was written; the journal of that run knows what became of it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from piggy_batch.errors import JournalError, SetupError
from piggy_batch.models import Status
from piggy_batch.runs.filenames import STDIN
from piggy_batch.runs.journal_file import NAME
from piggy_batch.runs.journal_queries import JournalQueries
from piggy_batch.runs.lock import is_held
from piggy_batch.runs.own_files import run_name
from piggy_batch.runs.registry import KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HARMLESS = (Status.INVALID, Status.REJECTED)  # certainly not carried out, and not taken up by the run on its own
_MOST = 1_000  # directories that are looked at
_ANEW = "or pass --again if you know that it was not carried out"


def refuse_settled_since(journal: JournalQueries, operation: str, manifest: Path, registry: Path | None) -> None:
    """SetupError where a row comes from a pile of this operation, and was carried out by that run since, or is about
    to be, or nobody can say, because the run is not found.

    Looked for where piles are used: the manifest's folder, what lies in it and beside it, beside the run directory,
    and where runs of this user are known to live.
    """
    places = {name.strip().casefold(): i for i, name in enumerate(journal.get("header"))}
    if "_run" not in places:
        return
    asked: dict[str, dict[int, str]] = {}  # run -> this manifest's row -> its row there
    for number, cells in enumerate(journal.all_cells(), 1):
        run, row, made_by = (_cell(cells, places.get(name)) for name in ("_run", "_row", "_operation"))
        if run and made_by in ("", operation):
            asked.setdefault(run, {})[number] = row
    if not asked:
        return
    found: dict[str, list[Path]] = {}
    for directory in _directories(journal.directory, manifest, registry):
        with suppress(JournalError, OSError):
            name = _name_of(directory)
            if name in asked:
                found.setdefault(name, []).append(directory)
    for run, rows in asked.items():
        if run not in found:
            number = next(iter(rows))
            raise SetupError(
                f"row {number} comes from a pile of a run whose directory is not found (_run {run}), so whether it was "
                f"carried out since cannot be told; bring that run directory beside the manifest, {_ANEW}"
            )
        for directory in found[run]:
            _refuse_of(directory, rows, operation)


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place].strip() if place is not None and place < len(cells) else ""


def _refuse_of(directory: Path, rows: dict[int, str], operation: str) -> None:
    wanted: dict[str, int] = {}
    for number, origin in rows.items():
        wanted.setdefault(origin, number)
    other = JournalQueries.open(directory)
    if other is None:
        return
    try:
        if other.get("operation") != operation:
            return
        if is_held(directory):
            raise SetupError(
                f"row {next(iter(rows))} comes from a pile of the run in {directory}, which is at work; let it end, so "
                f"that it can be told whether the row was carried out, {_ANEW}"
            )
        for entry in other.all_rows():
            number = wanted.pop(str(entry.number), 0)
            if number and entry.status not in _HARMLESS:
                what = "will carry it out" if entry.status in (Status.PENDING, Status.FAILED) else "knows more since"
                raise SetupError(
                    f"row {number} comes from row {entry.number} of the run in {directory}, and that run {what}: there "
                    f"it is {entry.status.value}. Sending it again would do it twice: leave such rows out, {_ANEW}"
                )
    finally:
        other.close()
    for origin, number in wanted.items():
        raise SetupError(
            f'row {number} says that it is row "{origin}" of the run in {directory}, which has no such row; mend _row, '
            f"{_ANEW}"
        )


def _name_of(directory: Path) -> str | None:
    queries = JournalQueries.open(directory) if (directory / NAME).is_file() else None
    if queries is None:
        return None
    try:
        return run_name(queries)
    finally:
        queries.close()


def _directories(run_dir: Path, manifest: Path, registry: Path | None) -> Iterator[Path]:
    """Where a run may live, the nearest first, each once."""
    seen: set[Path] = {run_dir.resolve()}
    near = [] if manifest == STDIN else [manifest.absolute().parent, manifest.resolve().parent]
    above = [*near, *(place.parent for place in near), run_dir.absolute().parent]
    for directory in (*near, *_inside(above), *_registered(registry)):
        real = directory.resolve()
        if real not in seen:
            seen.add(real)
            yield directory
        if len(seen) > _MOST:
            return


def _inside(places: list[Path]) -> Iterator[Path]:
    for place in dict.fromkeys(places):
        with suppress(OSError):
            yield from (other for other in place.iterdir() if (other / NAME).is_file())


def _registered(registry: Path | None) -> Iterator[Path]:
    """Where the user's runs began, as two records say."""
    if registry is None:
        return
    for path in (*(registry / "once").glob("*.json"), *(registry / KNOWN).glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            held = json.loads(path.read_text(encoding="utf-8"))
            for entry in held if isinstance(held, list) else [held]:
                yield Path(entry["run_dir"])
