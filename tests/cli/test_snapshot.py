"""The month's end: snapshots into a store, transactions of a period."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.dataset as ds
import pytest

from piggy_batch.cli.commands.transactions import period_filter
from piggy_batch.errors import SetupError
from tests.cli.test_export import run
from tests.prove.exports import sandbox

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.fixture(scope="module")
def service() -> Iterator[dict[str, str]]:
    """A sandbox with 300 giftcards, 5 ms an answer."""
    with sandbox(300, 5) as environment:
        yield environment


@pytest.mark.process
def test_a_snapshot_goes_into_a_plain_dataset(service: dict[str, str], tmp_path: Path) -> None:
    """date=YYYY-MM-DD/….parquet, readable by anything; the working file is gone, the store lists it."""
    store = tmp_path / "store"
    done = run(service, "giftcards", "snapshot", "--store", store, "--rate", 0, "--date", "2026-01-31")
    assert done.stdout.startswith("snapshot of 2026-01-31: agreed, 300 cards in ")
    table = ds.dataset(store, format="parquet", partitioning="hive").to_table()
    assert (table.num_rows, set(table["date"].to_pylist())) == (300, {"2026-01-31"})
    assert not list((store / "_taking").glob("*.parquet"))
    assert "agreed" in run(service, "giftcards", "snapshots", "--store", store).stdout


@pytest.mark.process
def test_an_export_taken_earlier_is_stored_only_if_it_agreed(service: dict[str, str], tmp_path: Path) -> None:
    """--from takes its summary's word; --accept-partial says partial in the store."""
    store, to = tmp_path / "store", tmp_path / "cards.parquet"
    run(service, "giftcards", "export", "--to", to, "--rate", 0, "-q", "--quick")
    refused = run(service, "giftcards", "snapshot", "--store", store, "--from", to, code=2)
    assert "did not agree (counts agree)" in refused.stderr
    done = run(service, "giftcards", "snapshot", "--store", store, "--from", to, "--accept-partial", "--json")
    assert json.loads(done.stdout)["stored"].endswith(".parquet")
    assert "PARTIAL" in run(service, "giftcards", "snapshots", "--store", store).stdout
    quick = run(service, "giftcards", "snapshot", "--store", store, "--quick", code=2)
    assert "proves nothing" in quick.stderr


@pytest.mark.process
def test_transactions_of_a_period_are_exported(service: dict[str, str], tmp_path: Path) -> None:
    """No transactions is an answer too, with the proof of an empty list."""
    to = tmp_path / "moves.parquet"
    done = run(service, "giftcards", "transactions", "export", "--to", to, "--since", "2026-01-01", "--rate", 0)
    assert done.stdout.startswith("giftcards transactions export: agreed, 0 transactions in ")
    wrong = run(service, "giftcards", "transactions", "export", "--to", to, "--since", "January", code=2)
    assert '--since: "January" is neither a day nor a moment' in wrong.stderr


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, {}),
        ("2026-01-01", None, {"created_at[gte]": "2025-12-31T23:00:00+00:00"}),
        (None, "2026-06-30", {"created_at[lt]": "2026-06-30T22:00:00+00:00"}),
        ("2026-01-01T12:00:00", None, {"created_at[gte]": "2026-01-01T11:00:00+00:00"}),
        ("2026-01-01T12:00:00Z", None, {"created_at[gte]": "2026-01-01T12:00:00+00:00"}),
    ],
)
def test_days_are_those_of_the_time_zone(since: str | None, until: str | None, expected: dict[str, str]) -> None:
    """The last day is whole: up to the next midnight in Amsterdam, summer or winter."""
    assert period_filter(since, until, AMSTERDAM) == expected


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    """Both are quoted."""
    with pytest.raises(SetupError, match="--since 2026-02-01 is not before --until 2026-01-01"):
        period_filter("2026-02-01", "2026-01-01", AMSTERDAM)
