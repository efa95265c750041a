"""Exports that are killed, interrupted, bound to something else, or begun anew."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from piggy_batch.client.target import Target
from piggy_batch.errors import JournalError, SetupError
from piggy_batch.importing.status import describe_run, status_lines
from piggy_batch.runs.lock import RunLock
from piggy_batch.sandbox import Churn
from tests.exporting.conftest import Account, Crash, held, page, read, without_times
from tests.support.world import TOKEN

Make = Callable[..., Account]


def crash_at(account: Account, requests: int) -> Callable[[httpx.Request], httpx.Response | None]:
    """End the program at its so many-th request."""

    def answer(_: httpx.Request) -> httpx.Response | None:
        if len(account.requests) == requests:
            raise Crash
        return None

    return answer


@pytest.mark.parametrize("at", range(1, 12))
def test_killed_at_any_request_it_goes_on_there(account: Account, at: int) -> None:
    """Whatever request the program dies at, the next run asks only for what is missing; the file is the same."""
    whole = account.export(to="whole.csv", concurrency=1)
    account.requests.clear()
    account.answer = crash_at(account, at)
    with pytest.raises(Crash):
        account.export(concurrency=1)
    assert not (account.folder / "cards.csv").exists()
    account.answer = lambda _: None
    first = account.lists[: at - 1] if at > 1 else []
    account.requests.clear()
    done = account.export(concurrency=1)
    assert done.agreed
    assert without_times(read(done)) == without_times(read(whole))
    assert [page(query) for query in account.lists] == [1, 2, 3, 4, 0, 1, 2, 3, 4][len(first[: max(0, at - 2)]) :]


def test_killed_after_a_count_the_proof_still_knows_before_and_after(account: Account) -> None:
    """A card that is deleted between the two runs was seen before the count and is not shown after it."""
    account.answer = crash_at(account, 7)
    with pytest.raises(Crash):
        account.export(concurrency=1)
    account.answer = lambda _: None
    gone = account.uuids()[0]
    account.cards.remove(account.cards.by_uuid(gone))
    account.cards.add(1, 0)
    done = account.export(concurrency=1)
    assert done.agreed
    assert sorted(held(done)) == sorted(account.uuids())
    assert done.summary["vanished_list"] == [gone]


def test_requests_of_all_runs_are_counted(account: Account) -> None:
    """The summary speaks of the export, not of its last run."""
    account.answer = crash_at(account, 5)
    with pytest.raises(Crash):
        account.export(concurrency=1)
    account.answer = lambda _: None
    done = account.export(concurrency=1)
    assert done.summary["requests"] == len(account.requests) - 1


def test_after_it_has_ended_the_same_command_walks_anew(account: Account) -> None:
    """The store is gone with the finished export; the file is replaced."""
    account.export()
    account.cards.add(1, 0)
    account.requests.clear()
    done = account.export()
    assert len(held(done)) == 41
    assert len(account.lists) >= 9
    assert sorted(path.name for path in account.folder.iterdir()) == ["cards.csv", "cards.csv.summary.json"]


def test_an_unfinished_export_does_not_touch_the_file_there(account: Account) -> None:
    """Whole or not at all: the earlier file stays until the new one is there."""
    before = account.export().path.read_bytes()
    account.answer = crash_at(account, len(account.requests) + 8)
    with pytest.raises(Crash):
        account.export()
    assert (account.folder / "cards.csv").read_bytes() == before


def test_what_was_read_longer_ago_than_max_age_is_read_again(account: Account) -> None:
    """Seven hours later nothing of the first run counts."""
    account.answer = crash_at(account, 4)
    with pytest.raises(Crash):
        account.export(concurrency=1)
    account.answer = lambda _: None
    account.world.shift = 7 * 3600.0
    account.requests.clear()
    done = account.export(concurrency=1)
    assert [page(query) for query in account.lists] == [1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert account.said("longer ago than --max-age")
    assert done.agreed


def test_a_count_older_than_max_age_begins_everything_anew(account: Account) -> None:
    """The moment of an export is never older than that."""
    account.answer = crash_at(account, 8)
    with pytest.raises(Crash):
        account.export(concurrency=1)
    account.answer = lambda _: None
    account.world.shift = 7 * 3600.0
    account.requests.clear()
    done = account.export(concurrency=1, max_age_s=6 * 3600.0)
    assert [page(query) for query in account.lists] == [1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert done.summary["oldest_reading"] > "2027-01-15T14"


def test_a_clock_set_back_changes_nothing(account: Account) -> None:
    """Before and after are passes, not times."""
    account.answer = crash_at(account, 7)
    with pytest.raises(Crash):
        account.export(concurrency=1)
    account.answer = lambda _: None
    account.world.shift = -3600.0
    assert account.export(concurrency=1).agreed


def interrupted(account: Account) -> None:
    account.answer = crash_at(account, 4)
    with pytest.raises(Crash):
        account.export(concurrency=1)
    account.answer = lambda _: None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"page_size": 20}, r"--page-size 10, this command has --page-size 20"),
        ({"extra": True}, r"--extra off, this command has --extra on"),
        ({"filters": ({"giftcard_program_uuid": "p"},)}, r"filters none, this command has filters .*=p"),
        ({"target": Target("http://other.test", TOKEN)}, r"--base-url http://sandbox.test, .* http://other.test"),
        (
            {"to": "other.csv", "run_dir": Path("cards.csv.export")},
            r"file .*cards.csv, this command has file .*other.csv",
        ),
    ],
)
def test_an_unfinished_export_is_bound_to_what_was_asked(account: Account, given: dict[str, Any], words: str) -> None:
    """Another page size, filter, service or file is refused, naming both; the export is still there."""
    interrupted(account)
    if "run_dir" in given:
        given = {**given, "run_dir": account.folder / "cards.csv.export"}
    with pytest.raises(JournalError, match=words):
        account.export(**given)
    assert account.export(concurrency=1).agreed


def test_another_account_is_refused_naming_both(make: Make) -> None:
    """A token of another shop must not finish this shop's export."""
    account = make(giftcards=40, other_tokens={"other": ("Other Shop", "o-1")})
    interrupted(account)
    with pytest.raises(JournalError, match=r"Sandbox Shop .* Other Shop \(o-1\)"):
        account.export(token="other")


def test_pace_and_passes_may_change(account: Account) -> None:
    """What changes nothing of what is asked is free: rate, concurrency, passes, quick."""
    interrupted(account)
    assert account.export(rate=50.0, concurrency=3, max_passes=6).agreed


def test_a_quick_walk_may_become_a_proven_one(account: Account) -> None:
    """Its pages are the first reading of the proof."""
    account.answer = crash_at(account, 4)
    with pytest.raises(Crash):
        account.export(concurrency=1, quick=True)
    account.answer = lambda _: None
    account.requests.clear()
    assert account.export(concurrency=1).agreed
    assert [page(query) for query in account.lists][:3] == [3, 4, 0]


def test_two_exports_never_share_a_directory(account: Account) -> None:
    """The second is refused while the first holds the lock."""
    directory = account.folder / "cards.csv.export"
    directory.mkdir()
    lock = RunLock(directory)
    lock.take()
    try:
        with pytest.raises(JournalError, match="in use by another run"):
            account.export()
    finally:
        lock.release()


def test_files_and_directory_are_private(account: Account) -> None:
    """They hold card codes: 0600 and 0700."""
    interrupted(account)
    directory = account.folder / "cards.csv.export"
    assert directory.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in directory.iterdir())
    done = account.export()
    for path in (done.path, done.path.with_name("cards.csv.summary.json")):
        assert path.stat().st_mode & 0o777 == 0o600


def test_leftovers_of_a_killed_write_are_removed(account: Account) -> None:
    """A half-written file beside the target goes with the next run, and what was put aside for it; what is named
    otherwise is somebody's."""
    left = account.folder / ".cards.csv.0abc1234.part"
    left.write_text("half")
    aside = account.folder / f"{left.name}.tmp_1234"
    aside.mkdir()
    (aside / "sheet").write_text("half")
    theirs = account.folder / ".cards.csv.notes.part"
    theirs.write_text("mine")
    account.export()
    assert not left.exists()
    assert not aside.exists()
    assert theirs.read_text() == "mine"


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("cards.ods", r"\.csv, \.parquet"),
        ("cards", r"\.csv"),
        ("nowhere/cards.csv", "there is no directory"),
        ("folder.csv", "is a directory"),
    ],
)
def test_an_impossible_file_is_refused_before_anything_is_asked(account: Account, to: str, words: str) -> None:
    """Exit 2 before the first request, not after the last."""
    (account.folder / "folder.csv").mkdir()
    with pytest.raises(SetupError, match=words):
        account.export(to=to)
    assert account.requests == []


def test_a_store_of_another_version_is_refused(account: Account) -> None:
    """Its schema is unknown, so it is left alone."""
    interrupted(account)
    import sqlite3

    db = sqlite3.connect(account.folder / "cards.csv.export" / "pages.sqlite")
    db.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    db.commit()
    db.close()
    with pytest.raises(JournalError, match="another version"):
        account.export()


def test_a_damaged_store_is_one_clear_line(account: Account) -> None:
    """Exit 4, naming the directory."""
    interrupted(account)
    for path in (account.folder / "cards.csv.export").glob("pages.sqlite*"):
        path.write_bytes(os.urandom(8192))
    with pytest.raises(JournalError, match=r"cards\.csv\.export cannot be used"):
        account.export()


def test_changes_between_two_runs_are_seen(account: Account) -> None:
    """Cards made while nothing ran are in the file when it agrees."""
    interrupted(account)
    account.world.sandbox.churn(Churn(after_page_request=1, add=5))
    account.cards.add(2, 0)
    done = account.export()
    assert done.agreed
    assert len(held(done)) >= 41


def test_status_tells_how_far_an_export_is(account: Account) -> None:
    """Pages of each pass, also while it runs; the store is not disturbed."""
    account.answer = crash_at(account, 8)
    with pytest.raises(Crash):
        account.export(concurrency=1)
    found = describe_run(account.folder / "cards.csv.export")
    assert found["passes"] == [
        {"pass": 1, "pages": 4, "last_page": 4},
        {"pass": 2, "pages": 1, "last_page": 4},
    ]
    lines = status_lines(found)
    assert lines[0] == "giftcards export: not running; the same command goes on"
    assert "  pass 2: 1 of 4 pages" in lines
    assert lines[-1].startswith("40 read in the first pass")


@pytest.mark.parametrize(
    ("stored", "programs", "requests"),
    [("one_list", (), 4), ("two_programs", (1, 2), 6)],
)
def test_an_export_begun_by_an_earlier_version_goes_on(
    make: Make, tmp_path: Path, stored: str, programs: tuple[int, ...], requests: int
) -> None:
    """A staging store as the version before wrote it, killed in its second pass: what it holds is not read again.

    That version proved one list after the other; the lists are now brought to the same pass and counted together.
    """
    account = make(giftcards=24)
    filters = tuple(account.program(number) for number in programs) or ({},)
    directory = tmp_path / "cards.csv.export"
    directory.mkdir()
    text = (Path(__file__).parent / "stores" / f"{stored}.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(directory / "pages.sqlite")) as db:
        db.executescript(text.replace("{FOLDER}", str(tmp_path.resolve())))
    done = account.export(concurrency=1, page_size=5, filters=filters)
    assert done.agreed
    reading = [query for query in account.lists if page(query)]
    assert len(reading) == requests
    assert held(done) == held(account.export(to="whole.csv", filters=filters))
