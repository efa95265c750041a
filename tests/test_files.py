"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from piggy_batch.errors import JournalError, SetupError
from piggy_batch.files import UNFINISHED, atomic_file, unwritable_in_run, write_json, write_whole

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_appears_whole_and_private(tmp_path: Path) -> None:
    """Until the block ends there is nothing under the name; then the whole file, for its owner only, and no draft."""
    target = tmp_path / "list.csv"
    with atomic_file(target) as draft:
        draft.write_text("a\n")
        assert not target.exists()
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("a\n", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


def test_what_was_there_stays_after_an_error(tmp_path: Path) -> None:
    """An exception in the block leaves the file as it was, and no draft."""
    target = tmp_path / "list.csv"
    target.write_text("old")
    with suppress(ZeroDivisionError), atomic_file(target) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("list.csv", "old")]


def test_a_taken_name_is_kept_on_demand(tmp_path: Path) -> None:
    """With ``replace`` false the file that is there stays."""
    target = tmp_path / "list.csv"
    target.write_text("old")
    with pytest.raises(FileExistsError), atomic_file(target, replace=False) as draft:
        draft.write_text("new")
    assert target.read_text() == "old"


def test_drafts_lie_in_their_folder_only_as_long_as_there_are_any(tmp_path: Path) -> None:
    """Two drafts share the folder; it goes with the last of them."""
    drafts = tmp_path / UNFINISHED
    with atomic_file(tmp_path / "a", drafts=drafts) as a:
        with atomic_file(tmp_path / "b", drafts=drafts) as b:
            assert a.parent == b.parent == drafts
        assert drafts.is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_callers_name_the_error(tmp_path: Path) -> None:
    """A place that cannot be written is a SetupError unless the caller says otherwise; None leaves it as it is."""
    target = tmp_path / "missing" / "list.csv"
    with pytest.raises(SetupError, match=r"list\.csv: cannot be written \(No such file or directory\)"):
        write_whole(target, b"")
    with pytest.raises(
        JournalError, match=r"list\.csv cannot be written: .*; mend that and run the same command again"
    ):
        write_whole(target, b"", failing=unwritable_in_run)
    with pytest.raises(FileNotFoundError) as told:
        write_whole(target, b"", failing=None)
    assert told.value.errno == errno.ENOENT


def test_a_summary_holds_names_that_are_no_text(tmp_path: Path) -> None:
    """A file's name may hold bytes that are no text; JSON writes the escape for one."""
    write_json(tmp_path / "summary.json", {"path": "caf\udce9.csv"})
    assert "caf\\udce9.csv" in (tmp_path / "summary.json").read_text()
