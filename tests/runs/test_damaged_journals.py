"""A run directory that is damaged ends in one line and exit code 4, whichever command meets it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from piggy_batch.endpoints import find_operation
from piggy_batch.errors import JournalError, SetupError
from piggy_batch.importing.migration.customers import open_migration, read_customers
from piggy_batch.importing.status import describe_run
from piggy_batch.importing.undo import undo
from piggy_batch.runs.directory import default_run_dir
from piggy_batch.runs.filenames import SUMMARY
from piggy_batch.runs.journal_file import NAME
from piggy_batch.runs.registry import RunRegistry, entry_of
from tests.importing.migration.support import Shop
from tests.support.world import World, working_rows

CREATE = find_operation("identifiers create")
DAMAGES = {
    "no tables of rows": "DROP TABLE fates",
    "no table of invocations": "DROP TABLE runs",
    "facts that are no JSON": "UPDATE meta SET value = '{' WHERE key <> 'schema'",
    "a manifest that is none": "UPDATE meta SET value = '5' WHERE key = 'manifest'",
    "facts that are null": "UPDATE meta SET value = 'null' WHERE key IN ('manifest', 'options', 'header')",
    "a manifest without its parts": "UPDATE meta SET value = '{}' WHERE key = 'manifest'",
    "an account that is none": "UPDATE meta SET value = '5' WHERE key = 'account'",
    "a status that there is not": "UPDATE fates SET state = 'bogus'",
    "an answer that is no JSON": "UPDATE fates SET kept = '{'",
    "an answer that is none": "UPDATE fates SET kept = '5'",
    "cells that are no JSON": "UPDATE rows SET cells = char(30) || '{'",
}


@pytest.fixture
def run_dir(world: World) -> Path:
    """A run that has ended well."""
    path = world.manifest(*working_rows(world, CREATE, 3))
    assert world.run(CREATE, path).exit_code == 0
    return default_run_dir(path, CREATE)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_inside_the_journal(world: World, run_dir: Path, damage: str) -> None:
    """Each of the commands either does not come across it, or says that the journal cannot be used."""
    with closing(sqlite3.connect(run_dir / NAME)) as db, db:
        db.execute(damage)
    met = 0
    for command in (describe_run, undo, lambda _: world.run(CREATE, run_dir.parent / "cards.csv")):
        try:
            command(run_dir)
        except JournalError:
            met += 1
    assert met


@pytest.mark.parametrize("command", [describe_run, undo])
def test_a_pipe_in_the_place_of_the_journal_is_not_waited_for(run_dir: Path, command: object) -> None:
    """Whatever put it there."""
    (run_dir / NAME).unlink()
    os.mkfifo(run_dir / NAME)
    assert callable(command)
    with pytest.raises(JournalError, match="no regular file"):
        command(run_dir)


@pytest.mark.parametrize("text", ["[]", "5", "null", '{"next": "x", "counts": 5}', "{", ""])
def test_a_summary_that_is_none_is_passed_over(run_dir: Path, text: str) -> None:
    """The journal knows."""
    (run_dir / SUMMARY).write_text(text)
    assert describe_run(run_dir)["counts"]["done"] == 3


@pytest.mark.parametrize("text", ["5", "{}x", "[5]", '[{"run": "x"}]', '{"a": 1}'])
def test_a_record_of_runs_that_is_none_is_not_believed(tmp_path: Path, text: str) -> None:
    """Whether a run has begun elsewhere is then not known, so nothing begins."""
    path = tmp_path / "once.json"
    path.write_text(text)
    registry = RunRegistry(path, what="runs", harm="nothing was sent")
    with pytest.raises(SetupError, match="is damaged"):
        registry.read()
    registry.write([entry_of("r", tmp_path)])
    assert len(registry.read()) == 1


@pytest.mark.parametrize("damage", [DAMAGES["facts that are no JSON"], DAMAGES["cells that are no JSON"]])
def test_a_damaged_migration_is_no_migration_to_compare_with(shop: Shop, damage: str) -> None:
    """As ``identifiers verify --migration`` opens it."""
    path = shop.manifest(["A-1", "ann@example.test"])
    assert shop.migrate(path).exit_code == 0
    run_dir = path.with_suffix(".migrate")
    with closing(sqlite3.connect(run_dir / NAME)) as db, db:
        db.execute(damage)
    with pytest.raises(JournalError, match="cannot be used"):
        read_customers(open_migration(run_dir))
