"""A snapshot's cards in memory: one array per column, programs and types as codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from piggy_batch.errors import SetupError
from piggy_batch.reporting.dates import micros
from piggy_batch.reporting.definitions import State
from piggy_batch.reporting.notice import check, note, partial
from piggy_batch.reporting.phrases import Amount, number_of_cards
from piggy_batch.reporting.snapshot import SCHEMA, Snapshot, check_columns, conform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from piggy_batch.reporting.notice import Notice

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max  # expiration of a card that never expires
NO_PROGRAM = ""  # stands for a card without a program
UNKNOWN_TYPE = "UNKNOWN"
STATES = tuple(State)  # the order of state codes
ABSENT = len(STATES)  # the state code of a card that a snapshot does not hold

_DICTIONARIES = ("type", "giftcard_program_uuid", "giftcard_program_name")
_SANE = (946_684_800_000_000, 253_370_764_800_000_000)  # 2000-01-01 and 9999-01-01, microseconds since 1970


@dataclass(frozen=True, slots=True)
class SnapshotCards:
    """Columns of equal length, one entry per card."""

    uuids: Any  # pyarrow ChunkedArray of strings; None unless asked for
    amount_cents: Ints
    active: Flags
    expires_us: Ints  # microseconds since 1970, NEVER for never
    program: Codes  # index into program_uuids
    program_uuids: tuple[str, ...]  # NO_PROGRAM included where it occurs
    program_names: dict[str, str]  # uuid → the name most of its cards show
    type: Codes  # index into types
    types: tuple[str, ...]
    read_us: Ints | None  # microseconds since 1970; None unless asked for and there
    file_rows: Ints | None  # each card's row in its file; None: all of them, in order
    notices: tuple[Notice, ...]  # what is odd about the data

    def __len__(self) -> int:
        return len(self.amount_cents)

    def only(self, belongs: Callable[[str], bool]) -> SnapshotCards:
        """Those of the programs whose uuid belongs."""
        codes = [code for code, uuid in enumerate(self.program_uuids) if belongs(uuid)]
        mask = np.isin(self.program, codes)
        rows = np.flatnonzero(mask)
        return replace(
            self,
            uuids=None if self.uuids is None else self.uuids.filter(pa.array(mask)),
            amount_cents=self.amount_cents[mask],
            active=self.active[mask],
            expires_us=self.expires_us[mask],
            program=self.program[mask],
            type=self.type[mask],
            read_us=None if self.read_us is None else self.read_us[mask],
            file_rows=rows if self.file_rows is None else self.file_rows[rows],
        )

    def programs_there(self) -> frozenset[str]:
        """The uuids of programs that have a card."""
        return frozenset(self.program_uuids[code] for code in np.unique(self.program).tolist())

    def in_file(self, rows: Ints) -> Ints:
        """The rows of the file in which the cards at ``rows`` stand."""
        return rows if self.file_rows is None else self.file_rows[rows]

    def state(self, moment: datetime) -> npt.NDArray[np.int8]:
        """Per card, the index into STATES of where its balance stands at ``moment``."""
        outstanding, expired, inactive = (
            np.int8(STATES.index(s)) for s in (State.OUTSTANDING, State.EXPIRED, State.INACTIVE)
        )
        return np.where(self.expires_us <= micros(moment), expired, np.where(self.active, outstanding, inactive))


def read_cards(
    snapshot: Snapshot, *, uuids: bool = False, readings: bool = False, groups: bool = True
) -> SnapshotCards:
    """Read the columns a report needs; ``uuids`` and ``readings`` add identities and reading times, without
    ``groups`` programs and types are left out.

    SetupError where a column does not fit its type or a card has no uuid.
    """
    wanted = ["amount_in_cents", "active", "expiration_date", *(_DICTIONARIES if groups else ())]
    wanted += (["giftcard_uuid"] if uuids else []) + (["read_at"] if readings else [])
    try:
        columns = pq.read_schema(snapshot.path).names
        check_columns(snapshot.path, columns)
        there = [name for name in wanted if name in columns]
        coded = [name for name in _DICTIONARIES if name in there]
        with pq.ParquetFile(snapshot.path, read_dictionary=coded) as file:
            table = file.read(columns=there)
    except (OSError, pa.ArrowInvalid) as error:
        raise SetupError(f"{snapshot.path}: cannot be read ({str(error).splitlines()[0]})") from None
    codes = {name: _encode(table, name) for name in _DICTIONARIES}
    rest = conform(table.drop_columns([name for name in _DICTIONARIES if name in table.column_names]), snapshot.path)
    del table
    notices: list[Notice] = []
    if uuids and rest["giftcard_uuid"].null_count:
        raise SetupError(f"{snapshot.path}: {rest['giftcard_uuid'].null_count:,} rows without giftcard_uuid")
    file = snapshot.path.name
    amounts = _amounts(rest["amount_in_cents"], file, notices)
    expires = _filled(rest["expiration_date"].cast(pa.int64()), NEVER)
    notices += _odd_dates(expires, file)
    if missing := rest["active"].null_count:
        words = "{file}: {count} cards do not say whether they are active; taken as active"
        notices.append(check(words, file=file, count=missing))
    if absent := [name for name in SCHEMA.names if name in wanted and name not in there]:
        words = "{file}: an older schema, without {columns}; shown as unknown"
        notices.append(note(words, file=file, columns=", ".join(absent)))
    program, program_uuids = codes["giftcard_program_uuid"]
    type_codes, types = codes["type"]
    return SnapshotCards(
        uuids=rest["giftcard_uuid"] if uuids else None,
        amount_cents=amounts,
        active=np.asarray(pc.fill_null(rest["active"], fill_value=True).to_numpy()),
        expires_us=expires,
        program=program,
        program_uuids=program_uuids,
        program_names=_names(codes["giftcard_program_uuid"], codes["giftcard_program_name"]),
        type=type_codes,
        types=tuple(name or UNKNOWN_TYPE for name in types),
        read_us=_filled(rest["read_at"].cast(pa.int64()), micros(snapshot.moment)) if "read_at" in there else None,
        file_rows=None,
        notices=tuple(notices),
    )


def _encode(table: pa.Table, name: str) -> tuple[Codes, tuple[str, ...]]:
    """A text column as codes and their values; a missing column or value is the empty text."""
    if name not in table.column_names or not len(table):
        return np.zeros(len(table), dtype=np.int32), ("",)
    column = table[name]
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    column = column.unify_dictionaries()
    values = [str(value) for value in column.chunk(0).dictionary.to_pylist()]
    if column.null_count:
        values.append("")
    codes = np.concatenate([_filled(chunk.indices.cast(pa.int64()), len(values) - 1) for chunk in column.chunks])
    return codes.astype(np.int32), tuple(values)


def _filled(column: Any, value: int) -> Ints:
    return np.asarray(
        pc.fill_null(column, value).to_numpy(zero_copy_only=False)
        if isinstance(column, pa.Array)
        else pc.fill_null(column, value).to_numpy(),
        dtype=np.int64,
    )


def _amounts(column: Any, file: str, notices: list[Notice]) -> Ints:
    if count := column.null_count:
        notices.append(
            partial("PARTIAL: {file}: {cards} without an amount; counted as 0", file=file, cards=number_of_cards(count))
        )
    amounts = _filled(column, 0)
    negative = amounts < 0
    if count := int(negative.sum()):
        words = "{file}: {cards} with a negative balance, {amount} in all; counted as is"
        notices.append(
            check(words, file=file, cards=number_of_cards(count), amount=Amount(int(amounts[negative].sum()), None))
        )
    return amounts


def _odd_dates(expires: Ints, file: str) -> Iterator[Notice]:
    if count := int((expires < _SANE[0]).sum()):
        words = "{file}: {count} cards expire before the year 2000; counted as expired"
        yield check(words, file=file, count=count)
    if count := int(((expires >= _SANE[1]) & (expires != NEVER)).sum()):
        words = '{file}: {count} cards expire in the year 9999; counted as "later", not as "never"'
        yield note(words, file=file, count=count)


def _names(programs: tuple[Codes, tuple[str, ...]], names: tuple[Codes, tuple[str, ...]]) -> dict[str, str]:
    """For each program the name that most of its cards show; of equally frequent ones the last by alphabet."""
    pairs, counts = np.unique(programs[0].astype(np.int64) * len(names[1]) + names[0], return_counts=True)
    best: dict[str, tuple[int, str]] = {}
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        uuid, name = programs[1][pair // len(names[1])], names[1][pair % len(names[1])]
        best[uuid] = max(best.get(uuid, (0, "")), (count, name))
    return {uuid: name for uuid, (_, name) in best.items()}
