"""A store of snapshots: ``date=YYYY-MM-DD/<UTC time>.parquet``, a Hive-partitioned dataset and nothing else.

Each snapshot's summary lies beside it under a name with a leading underscore, which readers of datasets skip.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from piggy_batch.errors import SetupError
from piggy_batch.files import atomic_file, sha256_of, write_whole
from piggy_batch.reporting.dates import day_of, moment_name, parse_day
from piggy_batch.reporting.snapshot import (
    SCHEMA,
    Snapshot,
    check_columns,
    conform,
    describe,
    open_snapshot,
    proof_of,
    read_footer,
    stored_summary_name,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from piggy_batch.models import Json

_DAY_FOLDER = re.compile(r"date=(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True, slots=True)
class Store:
    """The snapshots under ``root``; days are those of ``zone``."""

    root: Path
    zone: ZoneInfo

    def place(
        self,
        parquet: Path,
        summary: Mapping[str, Json],
        *,
        now: datetime,
        day: date | None = None,
        accept_partial: bool = False,
    ) -> Snapshot:
        """Copy a finished export into the store and return it as stored; the export itself stays where it is.

        Its date is the local day of its moment, or ``day``; its moment stays what it is. SetupError, and nothing
        changed, where the export did not agree (unless ``accept_partial``), is of another account or of other
        programs than the store's, where that moment is there already for that day (a stored snapshot is never
        overwritten), or where ``day`` has not begun at ``now``.
        """
        self.check_day(day, now)
        self._check_proof(parquet, summary, accept_partial=accept_partial)
        footer = read_footer(parquet)
        schema = footer.schema.to_arrow_schema()
        check_columns(parquet, schema.names)
        kept = dict(summary)
        new = describe(parquet, kept, self.zone, day=day)
        self._check_kin(new)
        target = self.root / f"date={new.day.isoformat()}" / f"{moment_name(new.moment)}.parquet"
        if target.exists():
            raise SetupError(f"{target}: this moment is in the store already, and a snapshot is never overwritten")
        _make_folder(target.parent)
        try:
            with atomic_file(target, replace=False) as draft:
                _copy(parquet, draft, plain=schema.equals(SCHEMA))
                kept |= {"sha256": sha256_of(draft), "moment": new.moment.isoformat()}
                text = json.dumps(kept, indent=2, ensure_ascii=False) + "\n"
                write_whole(target.with_name(stored_summary_name(target.stem)), text.encode())
        except FileExistsError:
            raise SetupError(f"{target}: another process has just stored this moment; it was not touched") from None
        return open_snapshot(target, self.zone, day=new.day)

    def check_day(self, day: date | None, now: datetime) -> None:
        """SetupError where ``day`` lies in the future: no balance of it can be known."""
        today = day_of(now, self.zone)
        if day is not None and day > today:
            raise SetupError(
                f"--date {day}: has not begun, today is {today} in {self.zone.key}; a snapshot counts for the day on "
                "which it is read, or an earlier one"
            )

    def list(self) -> tuple[Snapshot, ...]:
        """Every snapshot of the store, oldest first. SetupError where there is no such store."""
        if not self.root.is_dir():
            begin = f"piggy-batch giftcards snapshot --store {quote(str(self.root))}"
            raise SetupError(f"{self.root}: no such store; begin one with: {begin}")
        found = []
        for folder in sorted(self.root.glob("date=*")):
            match = _DAY_FOLDER.fullmatch(folder.name)
            if not match:
                raise SetupError(f"{folder}: is no date=YYYY-MM-DD folder; a store holds nothing else")
            day = parse_day(match[1], str(folder))
            found += [
                open_snapshot(path, self.zone, day=day)
                for path in folder.glob("*.parquet")
                if not path.name.startswith((".", "_"))
            ]
        return tuple(sorted(found, key=lambda snapshot: (snapshot.day, snapshot.moment, snapshot.path.name)))

    def _check_proof(self, parquet: Path, summary: Mapping[str, Json], *, accept_partial: bool) -> None:
        agreed, verdict = proof_of(summary)
        if agreed or accept_partial:
            return
        raise SetupError(
            f"{parquet}: the export did not agree ({verdict}), so cards may be missing; "
            "export again, or store it as partial with --accept-partial"
        )

    def _check_kin(self, new: Snapshot) -> None:
        for old in self.list() if self.root.is_dir() else ():
            check_kin(old, new)


def check_kin(old: Snapshot, new: Snapshot) -> None:
    """SetupError where two snapshots cannot be compared: other accounts, or limited to other programs."""
    if old.account and new.account and old.account != new.account:
        raise SetupError(
            f"{new.path} is of account {new.account}, but {old.path} of {old.account}; keep a store per account"
        )
    if old.program_uuids != new.program_uuids:
        raise SetupError(
            f"{new.path} holds {_programs(new)}, but {old.path} {_programs(old)}; "
            "export both with the same --program options and keep a store for each choice"
        )


def _programs(snapshot: Snapshot) -> str:
    return f"only programs {', '.join(snapshot.program_uuids)}" if snapshot.program_uuids else "every program"


def _make_folder(folder: Path) -> None:
    try:
        for part in (folder.parent, folder):  # of several levels made at once only the last would be private
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"{folder}: cannot be made ({error.strerror})") from None


def _copy(parquet: Path, draft: Path, *, plain: bool) -> None:
    """The same bytes where the schema is the store's, else the same values in its columns, missing ones null."""
    if plain:
        shutil.copyfile(parquet, draft)
        return
    with pq.ParquetFile(parquet) as source, pq.ParquetWriter(draft, SCHEMA, compression="zstd") as sink:
        for batch in source.iter_batches():
            table = conform(pa.Table.from_batches([batch]), parquet)
            for field in SCHEMA:
                if field.name not in table.column_names:
                    table = table.append_column(field, pa.nulls(len(table), field.type))
            sink.write_table(table.select(SCHEMA.names).cast(SCHEMA))
