"""One snapshot: a Parquet file of all giftcards and the proof that came with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from piggy_batch.errors import SetupError
from piggy_batch.reporting.dates import as_of, day_of, distance, from_micros
from piggy_batch.text import parse_moment

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from piggy_batch.models import Json

INSTANT = pa.timestamp("us", tz="UTC")  # microseconds reach the year 9999, nanoseconds end in 2262

SCHEMA = pa.schema(
    [
        ("giftcard_uuid", pa.string()),
        ("type", pa.string()),
        ("hash", pa.string()),
        ("amount_in_cents", pa.int64()),
        ("active", pa.bool_()),
        ("upgradeable", pa.bool_()),
        ("expiration_date", INSTANT),
        ("giftcard_program_uuid", pa.string()),
        ("giftcard_program_name", pa.string()),
        ("read_at", INSTANT),
    ]
)

REQUIRED = ("giftcard_uuid", "amount_in_cents", "active", "expiration_date", "giftcard_program_uuid")

_NAMELESS = ("token ", "not named")  # how exports write an account that does not name itself
_RETAKE = "take a new one with: piggy-batch giftcards snapshot"


@dataclass(frozen=True, slots=True)
class UnreadableValue:
    """A value that the export could not read: blank in the file."""

    giftcard_uuid: str
    column: str
    raw: str  # what the service sent


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where a snapshot lies and what is known of it; its cards stay on disk."""

    path: Path
    day: date  # the day it counts for: its date in the store, or the local day of its moment
    moment: datetime  # UTC; when the service was asked: what the snapshot proves, it proves for this instant
    readings: tuple[datetime, datetime] | None  # when its first and its last card were read; None where not told
    cards: int
    verdict: str
    agreed: bool  # the export proved that it is complete
    account: str | None  # what identifies the account; None where the summary does not say
    account_name: str | None
    program_uuids: tuple[str, ...]  # what the export was limited to, sorted; empty = everything
    recorded_sha256: str | None  # as noted when it was stored
    odd: tuple[UnreadableValue, ...]  # the first of the values that could not be read
    odd_count: int  # of all of them

    def speaks_for(self, zone: ZoneInfo) -> datetime:
        """Its moment, or, where that lies on another day than the one it counts for, the last instant of that."""
        return as_of(self.moment, self.day, zone)

    def lag(self, zone: ZoneInfo) -> timedelta:
        """How long after the day that it counts for its balances were read; below zero: before that day."""
        return distance(self.moment, self.day, zone)

    def is_far(self, zone: ZoneInfo) -> bool:
        """Whether its balances were read more than a day away from the day that it counts for."""
        return abs(self.lag(zone)) > timedelta(days=1)


def find_summary(parquet: Path) -> Path | None:
    """The summary that belongs to ``parquet``, beside it: of an export, or of a stored snapshot."""
    if parquet.is_dir():
        raise SetupError(f"{parquet}: is a directory; name a snapshot in it, or give the folder as --store")
    for name in (f"{parquet.name}.summary.json", stored_summary_name(parquet.stem)):
        if (path := parquet.with_name(name)).is_file():
            return path
    return None


def stored_summary_name(stem: str) -> str:
    """A summary's name inside the store; pandas, DuckDB and Spark take no notice of a leading underscore."""
    return f"_{stem}.summary.json"


def read_summary(path: Path) -> dict[str, Json]:
    """A summary's JSON object; SetupError where there is none."""
    try:
        summary = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        summary = None
    if not isinstance(summary, dict):
        raise SetupError(f"{path}: is no summary of an export; {_RETAKE}")
    return summary


def open_snapshot(parquet: Path, zone: ZoneInfo, *, day: date | None = None) -> Snapshot:
    """What the file, its summary and its footer say. ``day`` overrides the local day of its moment.

    SetupError where the file is no Parquet, lacks a column that reports need, or has no moment.
    """
    path = find_summary(parquet)
    return describe(parquet, read_summary(path) if path else {}, zone, day=day)


def describe(parquet: Path, summary: Mapping[str, Json], zone: ZoneInfo, *, day: date | None = None) -> Snapshot:
    """As ``open_snapshot``, with the summary at hand; an empty one proves nothing."""
    footer = read_footer(parquet)
    check_columns(parquet, footer.schema.to_arrow_schema().names)
    moment = moment_of(summary) or _earliest_reading(parquet, footer)
    if moment is None:
        raise SetupError(f"{parquet}: neither its summary nor a read_at column says when it was taken; {_RETAKE}")
    own_day = day or day_of(moment, zone)
    account, name = account_of(summary.get("account"))
    agreed, verdict = proof_of(summary)
    programs = summary.get("program_uuids")
    return Snapshot(
        path=parquet,
        day=own_day,
        moment=moment,
        readings=_readings(summary),
        cards=footer.num_rows,
        verdict=verdict,
        agreed=agreed,
        account=account,
        account_name=name,
        program_uuids=tuple(sorted(map(str, programs))) if isinstance(programs, list) else (),
        recorded_sha256=str(summary["sha256"]) if summary.get("sha256") else None,
        odd=_odd(summary),
        odd_count=_odd_count(summary),
    )


def proof_of(summary: Mapping[str, Json]) -> tuple[bool, str]:
    """Whether an export proved that it holds everything, and its verdict in words. An empty summary proves nothing."""
    if not summary:
        return False, "no summary"
    words = str(summary.get("verdict") or "no verdict")
    if summary.get("understood") is False:
        unreadable = summary.get("unreadable")
        names = ", ".join(unreadable) if isinstance(unreadable, Mapping) else str(unreadable)
        return False, f"{words}, but with too many values that could not be read: {names}"
    return summary.get("agreed") is True, words


def _odd(summary: Mapping[str, Json]) -> tuple[UnreadableValue, ...]:
    listed = summary.get("unreadable_list")
    if not isinstance(listed, list):
        return ()
    return tuple(
        UnreadableValue(str(one.get("giftcard_uuid")), str(one.get("column")), str(one.get("raw")))
        for one in listed
        if isinstance(one, Mapping)
    )


def _odd_count(summary: Mapping[str, Json]) -> int:
    counts = summary.get("unreadable")
    return sum(n for n in counts.values() if isinstance(n, int)) if isinstance(counts, Mapping) else 0


def read_footer(parquet: Path) -> pq.FileMetaData:
    """A Parquet file's metadata; SetupError where it is missing or is none."""
    if not parquet.is_file():
        raise SetupError(f"{parquet}: no such file")
    try:
        return pq.read_metadata(parquet)
    except (OSError, pa.ArrowInvalid):
        raise SetupError(
            f"{parquet}: is no Parquet file; reports are made from: piggy-batch giftcards export --to FILE.parquet"
        ) from None


def check_columns(parquet: Path, columns: Sequence[str]) -> None:
    """SetupError naming the columns that a report needs and ``columns`` lacks."""
    if missing := [name for name in REQUIRED if name not in columns]:
        raise SetupError(f"{parquet}: an older schema, without {', '.join(missing)}; {_RETAKE}")


def moment_of(summary: Mapping[str, Json]) -> datetime | None:
    """The instant that the summary speaks for: T where it says so, else its oldest reading."""
    for key in ("moment", "oldest_reading"):
        if isinstance(text := summary.get(key), str) and (moment := parse_moment(text)):
            return moment
    return None


def _readings(summary: Mapping[str, Json]) -> tuple[datetime, datetime] | None:
    """When the first and the last card were read."""
    texts = (summary.get("oldest_reading"), summary.get("newest_reading"))
    first, last = (parse_moment(text) if isinstance(text, str) else None for text in texts)
    return None if first is None or last is None else (first, last)


def _earliest_reading(parquet: Path, footer: pq.FileMetaData) -> datetime | None:
    if "read_at" not in footer.schema.to_arrow_schema().names or not footer.num_rows:
        return None
    column = conform(pq.read_table(parquet, columns=["read_at"]), parquet)["read_at"]
    earliest = pc.min(column.cast(pa.int64())).as_py()
    return None if earliest is None else from_micros(earliest)


def conform(table: pa.Table, parquet: Path) -> pa.Table:
    """The known columns in the types of SCHEMA, others left out; SetupError where a value does not fit."""
    columns = {}
    for field in SCHEMA:
        if field.name not in table.column_names:
            continue
        try:
            columns[field.name] = table[field.name].cast(field.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise SetupError(
                f"{parquet}, {field.name}: {table[field.name].type} does not turn into {field.type}; {_RETAKE}"
            ) from None
    return pa.table(columns)


def account_of(value: Json) -> tuple[str | None, str | None]:
    """What identifies an account and what to call it, from the form in which ``ping`` or a summary gives it.

    An account that does not name itself stands in a summary as a fingerprint salted anew for each export, or as words:
    neither can be compared.
    """
    if not isinstance(value, Mapping):
        value = {"id": value}
    identity, name = value.get("uuid") or value.get("id"), value.get("company") or value.get("name")
    nameless = identity in (None, "") or str(identity).startswith(_NAMELESS)
    return (None if nameless else str(identity)), (None if name in (None, "") else str(name))
