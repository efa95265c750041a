"""The store: what it accepts, where it puts it, and who can read it."""

from __future__ import annotations

import json
import stat
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from piggy_batch.errors import SetupError
from piggy_batch.reporting import snapshot as snapshots_module
from piggy_batch.reporting.snapshot_store import Store
from tests.reporting.support import CLOSING, OPENING, SCHEMA, Account, Run, place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.reporting.conftest import Run

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store", AMSTERDAM)


def account() -> Account:
    """Three cards in two programs."""
    made = Account()
    made.add("c-1", 1000)
    made.add("c-2", 2500, program="p-2")
    made.add("c-3")
    return made


def test_schema_is_that_of_an_export() -> None:
    """The store's columns are those of an export, in its order and types."""
    assert snapshots_module.SCHEMA.equals(SCHEMA)


def test_snapshot_lands_under_the_local_day_of_its_moment(store: Store, tmp_path: Path) -> None:
    """An export of 23:30 UTC belongs to the next day in Amsterdam; its name is the moment in UTC."""
    moment = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    made = account()
    placed = place(store, made.export(tmp_path / "x.parquet", moment), made.summary(moment))
    assert placed.path == store.root / "date=2026-12-01" / "20261130T233000Z.parquet"
    assert placed.day == date(2026, 12, 1)
    assert placed.moment == moment


def test_oldest_reading_is_the_moment_where_the_summary_names_no_other(store: Store, tmp_path: Path) -> None:
    """Without T a snapshot is as old as its oldest reading."""
    made = account()
    summary = made.summary(OPENING, oldest_reading="2026-10-30T12:00:00+00:00")
    del summary["moment"]
    assert place(store, made.export(tmp_path / "x.parquet", OPENING), summary).day == date(2026, 10, 30)


def test_date_overrides_the_day_and_not_the_moment(store: Store, tmp_path: Path) -> None:
    """An export of just after midnight can close the day before: it speaks for that day's last instant, and when it was
    read stays known."""
    moment = datetime(2026, 11, 30, 23, 5, tzinfo=UTC)
    made = account()
    placed = place(store, made.export(tmp_path / "x.parquet", moment), made.summary(moment), day=date(2026, 11, 30))
    assert placed.path.parent.name == "date=2026-11-30"
    assert placed.moment == moment
    assert placed.speaks_for(AMSTERDAM) == datetime(2026, 11, 30, 22, 59, 59, 999999, tzinfo=UTC)
    assert placed.readings == (moment, moment + timedelta(seconds=5))
    assert not placed.is_far(AMSTERDAM)


def test_future_day_is_refused(store: Store, tmp_path: Path) -> None:
    """A day that has not begun has no balance; nothing is stored."""
    made = account()
    path = made.export(tmp_path / "x.parquet", OPENING)
    with pytest.raises(SetupError, match=r"--date 2027-01-06: has not begun, today is 2027-01-05"):
        place(store, path, made.summary(OPENING), day=date(2027, 1, 6))
    assert not store.root.exists()


def test_moment_that_nothing_tells_is_not_made_up(store: Store, tmp_path: Path) -> None:
    """--date says which day an export counts for, never when it was read: without a moment it is refused."""
    made = account()
    path = made.export(tmp_path / "x.parquet", OPENING)
    pq.write_table(pq.read_table(path).drop_columns(["read_at"]), path)
    with pytest.raises(SetupError, match="neither its summary nor a read_at column says when it was taken"):
        place(store, path, {"agreed": True, "verdict": "agreed"}, day=date(2026, 10, 31))


def test_export_that_did_not_agree_is_refused(store: Store, tmp_path: Path) -> None:
    """Without the word agreed nothing is stored; as partial it is, and the listing says so."""
    made = account()
    path, summary = (
        made.export(tmp_path / "x.parquet", OPENING),
        made.summary(OPENING, agreed=False, verdict="1 missing"),
    )
    with pytest.raises(SetupError, match=r"did not agree \(1 missing\).*--accept-partial"):
        place(store, path, summary)
    assert not store.root.exists()
    assert place(store, path, summary, accept_partial=True).agreed is False


def test_snapshot_is_never_overwritten(store: Store, tmp_path: Path) -> None:
    """The same moment twice is refused and the first file stays as it is; other times of the day stand beside it."""
    made = account()
    first = place(store, made.export(tmp_path / "x.parquet", OPENING), made.summary(OPENING))
    before = first.path.read_bytes()
    made.add("c-9", 1)
    with pytest.raises(SetupError, match="never overwritten"):
        place(store, made.export(tmp_path / "y.parquet", OPENING), made.summary(OPENING))
    assert first.path.read_bytes() == before
    later = OPENING.replace(hour=21)
    second = place(store, made.export(tmp_path / "z.parquet", later), made.summary(later))
    assert [s.path for s in store.list()] == [first.path, second.path]


def test_other_account_or_programs_are_refused(store: Store, tmp_path: Path) -> None:
    """A store holds one account and one choice of programs; the message names both files."""
    made = account()
    path = made.export(tmp_path / "x.parquet", OPENING)
    place(store, path, made.summary(OPENING))
    with pytest.raises(SetupError, match=r"of account a-2, but .* of a-1"):
        place(store, path, made.summary(CLOSING, account={"uuid": "a-2", "company": "Other"}))
    with pytest.raises(SetupError, match=r"only programs p-1, but .* every program"):
        place(store, path, made.summary(CLOSING, program_uuids=["p-1"]))


def test_account_that_does_not_name_itself_is_not_compared(store: Store, tmp_path: Path) -> None:
    """A fingerprint of the token is salted anew for each export, so two of them differ for one account."""
    made = account()
    for moment, mark in ((OPENING, "token 00aa"), (CLOSING, "token 11bb")):
        named = {"id": mark, "company": None}
        assert (
            place(store, made.export(tmp_path / "x.parquet", moment), made.summary(moment, account=named)).account
            is None
        )


def test_one_odd_card_blocks_no_snapshot(
    store: Store, tmp_path: Path, figures: Callable[..., dict[str, Any]], report: Run
) -> None:
    """The export agrees; the report names the card with its raw text, what it was taken for, and is not plain green."""
    made = account()
    odd = [{"giftcard_uuid": "c-2", "column": "expiration_date", "raw": "0000-00-00"}]
    summary = made.summary(OPENING, unreadable={"expiration_date": 1}, unreadable_list=odd, understood=True)
    placed = place(store, made.export(tmp_path / "x.parquet", OPENING), summary)
    assert (placed.agreed, placed.odd_count) == (True, 1)
    found = figures("--store", store.root)
    words = (
        'the closing snapshot: card c-2 has expiration_date "0000-00-00", which cannot be read; taken as never expiring'
    )
    assert words in found["notices"]
    assert (found["partial"], found["liability"]["outstanding_cents"]) == (False, 3500)
    page = tmp_path / "r.html"
    cron = report("--store", store.root, "--quiet", "--to", page)
    assert cron.stderr.splitlines() == [words], "what a person should look at is mailed by cron, and nothing else"
    assert 'class="verdict warn"' in page.read_text()


def test_column_that_was_not_understood_is_no_proof(store: Store, tmp_path: Path) -> None:
    """Many values that could not be read are no odd cards: such an export needs --accept-partial."""
    made = account()
    summary = made.summary(OPENING, unreadable={"amount_in_cents": 200}, understood=False)
    with pytest.raises(SetupError, match="too many values that could not be read: amount_in_cents"):
        place(store, made.export(tmp_path / "x.parquet", OPENING), summary)


def test_any_reader_of_datasets_reads_the_store_as_it_is(store: Store, tmp_path: Path) -> None:
    """pandas, Arrow and DuckDB see every card with its date, and no summary is in their way."""
    made = account()
    for moment in (OPENING, CLOSING):
        place(store, made.export(tmp_path / "x.parquet", moment), made.summary(moment))
    frame = pd.read_parquet(store.root)
    assert list(frame.columns) == [*SCHEMA.names, "date"]
    assert frame.groupby("date", observed=True)["amount_in_cents"].sum().tolist() == [3500, 3500]
    assert pads.dataset(store.root, partitioning="hive").count_rows() == 6
    dataset = f"read_parquet('{store.root}/*/*.parquet', hive_partitioning = true)"
    sql = f"SELECT date, SUM(amount_in_cents) FROM {dataset} GROUP BY ALL"
    assert sorted(duckdb.sql(sql).fetchall()) == [(date(2026, 10, 31), 3500), (date(2026, 11, 30), 3500)]


def test_export_with_other_columns_is_fitted_to_the_store(store: Store, tmp_path: Path) -> None:
    """Columns beyond the schema are left out, missing optional ones are null, other types are cast: all files match."""
    table = pa.table(
        {
            "giftcard_uuid": ["c-1"],
            "amount_in_cents": pa.array([700], pa.int32()),
            "active": [True],
            "expiration_date": ["2030-01-31T10:00:00+00:00"],
            "giftcard_program_uuid": pa.array(["p-1"]).dictionary_encode(),
            "extra": ["{}"],
        }
    )
    pq.write_table(table, tmp_path / "old.parquet")
    placed = place(store, tmp_path / "old.parquet", account().summary(OPENING))
    stored = pq.read_table(placed.path, partitioning=None)
    assert stored.schema.equals(SCHEMA)
    assert stored["amount_in_cents"].to_pylist() == [700]
    assert stored["expiration_date"].to_pylist() == [datetime(2030, 1, 31, 10, tzinfo=UTC)]


def test_files_and_folders_are_private(store: Store, tmp_path: Path) -> None:
    """Card hashes open to their owner only."""
    made = account()
    placed = place(store, made.export(tmp_path / "x.parquet", OPENING), made.summary(OPENING))
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (store.root, *store.root.rglob("*"))}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert len(modes) == 4, "no draft stays behind"
    assert placed.recorded_sha256


def test_changed_snapshot_is_noticed(store: Store, tmp_path: Path, report: Run) -> None:
    """A report refuses a file whose bytes are not those that were stored."""
    made = account()
    placed = place(store, made.export(tmp_path / "x.parquet", OPENING), made.summary(OPENING))
    made.add("c-9", 1)
    made.export(tmp_path / "y.parquet", OPENING)
    placed.path.write_bytes((tmp_path / "y.parquet").read_bytes())
    result = report("--store", store.root)
    assert result.exit_code == 2
    assert "was changed after it was stored" in result.stderr


def test_replaced_file_of_the_trend_is_left_out_and_named(
    store: Store, tmp_path: Path, figures: Callable[..., dict[str, Any]]
) -> None:
    """Every file is hashed when it is read: a January that is another one does not change the trend without a word."""
    made = account()
    placed = [
        place(store, made.export(tmp_path / "x.parquet", moment), made.summary(moment))
        for moment in (OPENING - timedelta(days=60), OPENING, CLOSING)
    ]
    found = figures("--store", store.root)
    assert all(len(source["sha256"]) == 64 for source in found["sources"])
    assert [point["total_cents"] for point in found["trend"]] == [3500, 3500, 3500]
    made.cards["c-1"].cents = 999_999
    made.export(tmp_path / "y.parquet", OPENING)
    placed[0].path.write_bytes((tmp_path / "y.parquet").read_bytes())
    found = figures("--store", store.root)
    assert len(found["trend"]) == 2
    words = "PARTIAL, in the trend only: the snapshot of 2026-09-01 (20260901T200000Z.parquet) is left out: "
    assert found["notices"][0].startswith(words)
    assert "its SHA-256 differs" in found["notices"][0]
    assert found["partial"] is False, "opening and closing are what they were"


def test_listing(store: Store, tmp_path: Path, snapshots: Run) -> None:
    """One line per snapshot, oldest first; partial ones are marked; --json says the same."""
    made = account()
    place(
        store,
        made.export(tmp_path / "x.parquet", CLOSING),
        made.summary(CLOSING, agreed=False, verdict="torn"),
        accept_partial=True,
    )
    place(store, made.export(tmp_path / "x.parquet", OPENING), made.summary(OPENING))
    lines = snapshots("--store", store.root).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["2026-10-31", "2026-11-30"]
    assert "PARTIAL: torn" in lines[1]
    listed = json.loads(snapshots("--store", store.root, "--json").stdout)
    assert [(one["date"], one["cards"], one["agreed"]) for one in listed] == [
        ("2026-10-31", 3, True),
        ("2026-11-30", 3, False),
    ]


def test_listing_without_a_store(tmp_path: Path, snapshots: Run) -> None:
    """A folder that is not there is said so, with the command that begins one."""
    result = snapshots("--store", tmp_path / "nowhere")
    assert result.exit_code == 2
    assert (
        f"no such store; begin one with: piggy-batch giftcards snapshot --store {tmp_path / 'nowhere'}" in result.stderr
    )
