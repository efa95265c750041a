"""Giftcard transactions from a file: read, freed of duplicates, and classed by what they did to a balance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from piggy_batch.errors import SetupError
from piggy_batch.reporting.notice import check, note, partial
from piggy_batch.reporting.snapshot import INSTANT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from piggy_batch.reporting.notice import Notice

    WorkbookReader = Callable[[Path], Mapping[str, Sequence[str]]]  # the columns of an .xlsx, every cell as text

FORMATS = (".parquet", ".csv", ".jsonl", ".ndjson", ".xlsx")
TRANSACTION_SCHEMA = pa.schema(
    [
        ("transaction_id", pa.int64()),
        ("transaction_uuid", pa.string()),  # null in old rows
        ("type", pa.string()),  # STANDARD or EXPIRED
        ("amount_in_cents", pa.int64()),
        ("settled", pa.bool_()),
        ("giftcard_id", pa.int64()),
        ("giftcard_uuid", pa.string()),  # null in old rows
        ("shop_id", pa.int64()),
        ("shop_uuid", pa.string()),
        ("shop_name", pa.string()),
        ("created_at", INSTANT),
        ("read_at", INSTANT),
    ]
)

_REVERSED_WITHIN_US = 24 * 3600 * 1_000_000  # a till undoes a purchase on the spot; later it is money put on again
_REQUIRED = ("amount_in_cents", "created_at")
_ALIASES = {  # the API's own names, flat or nested, of today and of older answers
    "transaction_id": ("id",),
    "transaction_uuid": ("uuid",),
    "giftcard_id": ("card_id", "card.id"),
    "giftcard_uuid": ("card_uuid", "card.uuid"),
    "shop_id": ("shop.id",),
    "shop_uuid": ("shop.uuid",),
    "shop_name": ("shop.name",),
}
_USED = (
    "transaction_id",
    "transaction_uuid",
    "type",
    "amount_in_cents",
    "giftcard_id",
    "giftcard_uuid",
    "shop_id",
    "shop_uuid",
    "shop_name",
    "created_at",
)


class Effect(StrEnum):
    """What a transaction did to a card's balance."""

    ISSUED = "issued"  # money put on
    REDEEMED = "redeemed"  # money spent
    EXPIRED = "expired"  # taken off an expired card by the service
    REVERSED = "reversed"  # an earlier transaction undone


EFFECTS = tuple(Effect)


@dataclass(frozen=True, slots=True)
class Transactions:
    """One row per transaction, oldest first.

    Columns: ``cents`` int64 (signed, as the balance changed) · ``effect`` int8 (index into EFFECTS) ·
    ``giftcard_uuid`` text or null · ``shop_uuid``, ``shop_name`` text, empty where unknown · ``created_us``
    int64, microseconds since 1970.
    """

    path: Path
    frame: pd.DataFrame
    notices: tuple[Notice, ...]


def read_transactions(path: Path, read_workbook: WorkbookReader) -> Transactions:
    """Read any format that ``giftcards transactions export`` writes.

    A transaction that stands in it twice counts once, with its last row. An old row without its card's uuid gets it
    from a newer row with the same card id. One without a time or an amount is left out, and said to be missing.
    SetupError where the file cannot be used.
    """
    table = _conform(_read(path, read_workbook), path)
    notices: list[Notice] = []
    frame = pd.DataFrame(
        {name: table[name].to_pandas(types_mapper=_nullable) for name in _USED if name in table.column_names}
    )
    for name in _USED:
        if name not in frame:
            frame[name] = pd.Series([None] * len(frame), dtype="Int64" if name.endswith("_id") else "object")
    frame = _usable(frame, path, notices)
    frame = _once(frame, path, notices)
    _fill_card_uuids(frame, path, notices)
    frame = frame.sort_values(["created_at", "transaction_id"], ignore_index=True)
    shop = frame["shop_uuid"].fillna(frame["shop_id"].astype("object").map(_text)).fillna("").astype("object")
    result = pd.DataFrame(
        {
            "cents": frame["amount_in_cents"].astype("int64"),
            "effect": _effects(frame, shop),
            "giftcard_uuid": frame["giftcard_uuid"].astype("object"),
            "shop_uuid": shop,
            "shop_name": frame["shop_name"].fillna("").astype("object"),
            "created_us": frame["created_at"].astype("int64"),
        }
    )
    return Transactions(path, result, tuple(notices))


def _read(path: Path, read_workbook: WorkbookReader) -> pa.Table:
    if not path.is_file():
        raise SetupError(f"{path}: no such file")
    try:
        match path.suffix.lower():
            case ".parquet":
                return pq.read_table(path)
            case ".csv":
                return _read_csv(path)
            case ".jsonl" | ".ndjson":
                return pa_json.read_json(path)
            case ".xlsx":
                return pa.table({name: pa.array(cells, pa.string()) for name, cells in read_workbook(path).items()})
            case _:
                raise SetupError(f"{path}: transactions are read from {', '.join(FORMATS)}")
    except (OSError, pa.ArrowInvalid) as error:
        raise SetupError(f"{path}: cannot be read ({str(error).splitlines()[0]})") from None


def _read_csv(path: Path) -> pa.Table:
    """Every cell as text: no column type is guessed."""
    with path.open("rb") as file:
        header = file.readline().decode("utf-8-sig").strip().split(",")
    types = {name.strip('"'): pa.string() for name in header}
    options = pa_csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    parsing = pa_csv.ParseOptions(newlines_in_values=True)
    return pa_csv.read_csv(path, parse_options=parsing, convert_options=options)


def _conform(table: pa.Table, path: Path) -> pa.Table:
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    columns = {}
    for field in TRANSACTION_SCHEMA:
        name = next((n for n in (field.name, *_ALIASES.get(field.name, ())) if n in table.column_names), None)
        if name is None or field.name not in _USED:
            continue
        column = _tidied(table[name], field.type)
        try:
            columns[field.name] = column.cast(field.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise SetupError(f"{path}, {name}: {table[name].type} does not turn into {field.type}") from None
    if missing := [name for name in _REQUIRED if name not in columns]:
        raise SetupError(f"{path}: no transactions, {' and '.join(missing)} missing")
    columns["created_at"] = columns["created_at"].cast(pa.int64())
    return pa.table(columns)


def _tidied(column: Any, wanted: Any) -> Any:
    """A column of text with blanks as null, and, where instants are wanted, those without a zone as UTC."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    column = pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
    if wanted == INSTANT:
        zoned = pc.match_substring_regex(column, r"(Z|[+-]\d\d:?\d\d)$")
        column = pc.if_else(zoned, column, pc.binary_join_element_wise(column, "Z", ""))
    return column


def _nullable(kind: Any) -> Any:
    """Whole numbers stay whole beside nulls; text is text."""
    return pd.Int64Dtype() if pa.types.is_int64(kind) else None


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _usable(frame: pd.DataFrame, path: Path, notices: list[Notice]) -> pd.DataFrame:
    """Without the rows that have no time or no amount: a value that could not be read is blank in an export."""
    odd = frame["created_at"].isna() | frame["amount_in_cents"].isna()
    if not odd.any():
        return frame
    names = [_text(value) or "?" for value in frame.loc[odd, "transaction_id"].tolist()]
    shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    words = "PARTIAL: {file}: {count} transactions without a time or an amount are left out (id {ids})"
    notices.append(partial(words, file=path.name, count=len(names), ids=shown))
    return frame[~odd].reset_index(drop=True)


def _once(frame: pd.DataFrame, path: Path, notices: list[Notice]) -> pd.DataFrame:
    key = frame["transaction_id"].astype("object").map(_text).fillna(frame["transaction_uuid"])
    nameless = key.isna()
    if count := int(nameless.sum()):
        words = "{file}: {count} transactions without id and uuid; duplicates among them do not show"
        notices.append(check(words, file=path.name, count=count))
    repeated = key.duplicated(keep="last") & ~nameless
    if count := int(repeated.sum()):
        words = "{file}: {count} transactions stood in the file more than once; each counts once"
        notices.append(note(words, file=path.name, count=count))
    return frame[~repeated].reset_index(drop=True)


def _fill_card_uuids(frame: pd.DataFrame, path: Path, notices: list[Notice]) -> None:
    unknown = frame["giftcard_uuid"].isna()
    if not unknown.any():
        return
    known = frame[~unknown].dropna(subset=["giftcard_id"]).drop_duplicates("giftcard_id", keep="last")
    uuids = known.set_index("giftcard_id")["giftcard_uuid"].to_dict()
    frame["giftcard_uuid"] = frame["giftcard_uuid"].astype("object")
    frame.loc[unknown, "giftcard_uuid"] = frame.loc[unknown, "giftcard_id"].map(uuids).astype("object")
    left = int(frame["giftcard_uuid"].isna().sum())
    words = "{file}: {count} old rows without a card uuid; {found} found by their card id, {left} stay without a card"
    count = int(unknown.sum())
    notices.append(note(words, file=path.name, count=count, found=count - left, left=left))


def _effects(frame: pd.DataFrame, shop: pd.Series[Any]) -> Any:
    """Per row the index into EFFECTS; rows stand in order of time."""
    kind = frame["type"].fillna("STANDARD").astype("object").astype(str).str.upper()
    cents = frame["amount_in_cents"].astype("int64")
    created = frame["created_at"].astype("int64")
    card = frame["giftcard_uuid"].astype("object").fillna(frame["giftcard_id"].astype("object").map(_text))
    standard = ~kind.isin(["EXPIRED"]) & ~kind.str.contains("REVERS|CORRECT")
    rows = pd.DataFrame({"cents": cents, "shop": shop, "standard": standard, "created": created})
    before = rows.groupby(card, sort=False).shift(1)
    undoes = (
        (cents > 0)
        & (before["cents"] == -cents)
        & (before["shop"] == shop)
        & before["standard"].eq(other=True)
        & (created - before["created"] <= _REVERSED_WITHIN_US)
    )
    conditions = [kind.eq("EXPIRED"), ~standard | undoes, cents < 0]
    choices = [EFFECTS.index(effect) for effect in (Effect.EXPIRED, Effect.REVERSED, Effect.REDEEMED)]
    return np.select([np.asarray(c, dtype=bool) for c in conditions], choices, EFFECTS.index(Effect.ISSUED)).astype(
        np.int8
    )
