"""Runs that version 0.1 began and that were killed half-way go on with this one.

``fixtures/version_0_1.zip`` holds what it left on disk: cards.csv with its run directory, the log of the last writes
beside each journal, and the record in the state directory. Each row command had six rows: three were done, and the
fourth was under way.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from piggy_batch.errors import JournalError, SetupError
from piggy_batch.importing.status import describe_run
from piggy_batch.runs.directory import home_of
from piggy_batch.runs.journal_file import NAME
from tests.exporting.conftest import Account, held, page
from tests.importing.migration.support import Shop
from tests.support.world import World, audit

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURE = Path(__file__).parent / "fixtures" / "version_0_1.zip"


def left_by(name: str, folder: Path) -> None:
    """Put what version 0.1 has left of a run into a folder, as if it had run there."""
    with zipfile.ZipFile(FIXTURE) as archive:
        archive.extractall(folder / "unpacked")
    for path in (folder / "unpacked" / name).iterdir():
        path.rename(folder / path.name)
    shutil.rmtree(folder / "unpacked")
    for record in (folder / "state").rglob("*.json"):
        entries = json.loads(record.read_text())
        moved = [entry | {"run_dir": str(folder / Path(entry["run_dir"]).name)} for entry in entries]
        record.write_text(json.dumps(moved))


def set_fact(store: Path, key: str, value: object) -> None:
    """Change a fact in a store that was killed; its log stays beside it."""
    log = store.with_name(f"{store.name}-wal")
    made = store.parent / "made"
    made.mkdir()
    for path in (store, log):
        path.rename(made / path.name)
    db = sqlite3.connect(made / store.name, isolation_level=None)
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute("UPDATE meta SET value = ? WHERE key = ?", (json.dumps(value), key))
    for path in (store, log):  # before it is closed: that folds the log in
        shutil.copy(made / path.name, path)
    db.close()
    shutil.rmtree(made)


def binding_of(store: Path) -> dict[str, object]:
    """What an unfinished export is bound to, read without touching its log."""
    with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as db:
        found: dict[str, object] = json.loads(db.execute("SELECT value FROM meta WHERE key = 'binding'").fetchone()[0])
    return found


def at_home(directory: Path) -> None:
    """Let a journal say that it was made in the directory where it lies."""
    set_fact(directory / NAME, "home", home_of(directory))


def test_guarded_rows_go_on(world: World) -> None:
    """What is done stays done, what was under way is looked up, and the rest is sent."""
    left_by("identifiers", world.folder)
    assert describe_run(world.folder / "cards.identifiers-create")["counts"] == {
        "pending": 2, "done": 3, "already": 0, "absent": 0, "rejected": 0, "failed": 0, "unknown": 1, "invalid": 0,
    }  # fmt: skip
    result = world.run("identifiers create", world.folder / "cards.csv")
    assert (audit(result.run_dir, 6), world.effects) == ({"done": 6}, 3)


def test_once_rows_go_on_and_are_not_sent_twice(world: World) -> None:
    """The row that was under way stays in doubt."""
    left_by("giftcards", world.folder)
    run_dir = world.folder / "cards.giftcards-create"
    at_home(run_dir)
    for _ in range(4):  # those that version 0.1 has made
        world.sandbox.world.cards.add(1, world.wall())
    result = world.run("giftcards create", world.folder / "cards.csv", context={"registry_dir": world.folder / "state"})
    assert (audit(result.run_dir, 6), world.effects) == ({"done": 5, "unknown": 1}, 2)


@pytest.mark.parametrize("gone", [True, False])
def test_a_once_run_elsewhere_is_known(make_world: Callable[..., World], gone: bool) -> None:
    """The record of version 0.1 refuses a second run of its manifest, wherever its directory is."""
    world = make_world(account_uuid="account-1")
    left_by("giftcards", world.folder)
    if gone:
        shutil.rmtree(world.folder / "cards.giftcards-create")
    else:
        (world.folder / "far").mkdir()
        (world.folder / "cards.giftcards-create").rename(world.folder / "far" / "run")
    with pytest.raises(SetupError, match=r"giftcards create for this very manifest began in .*giftcards-create"):
        world.run("giftcards create", world.folder / "cards.csv", context={"registry_dir": world.folder / "state"})
    assert world.effects == 0


def test_a_copied_once_run_is_refused(world: World) -> None:
    """A run directory of version 0.1 that was copied elsewhere is still told from the one that went on."""
    left_by("giftcards", world.folder)
    with pytest.raises(JournalError, match=r"was moved or copied from /srv/shop/giftcards/cards\.giftcards-create"):
        world.run("giftcards create", world.folder / "cards.csv")
    assert world.effects == 0


def test_an_export_goes_on(folder: Path) -> None:
    """The first reading of the list was there already; it is not read again, and the proof holds."""
    account = Account(folder, giftcards=40)
    left_by("export", folder)
    binding = binding_of(folder / "cards.csv.export" / "pages.sqlite")
    assert binding["file"] == "/srv/shop/export/cards.csv"
    set_fact(folder / "cards.csv.export" / "pages.sqlite", "binding", binding | {"file": str(folder / "cards.csv")})
    done = account.export(concurrency=1)
    assert (done.agreed, len(held(done))) == (True, 40)
    assert [page(query) for query in account.lists] == [0, 1, 2, 3, 4]  # the count, and the second reading


def test_a_migration_goes_on_and_gives_no_credits_twice(folder: Path) -> None:
    """Killed while credits were given: the two that were given stay so, one is in doubt, the last is given."""
    shop = Shop(folder)
    emails = [[f"guest{n}@example.test"] for n in range(1, 5)]
    shop.world.run("contacts find-or-create", shop.world.manifest("email", emails, "people.csv"))
    seeded = shop.world.manifest("contact_uuid,credits", [[shop.world.contact(n), "1"] for n in (1, 2, 3)], "given.csv")
    shop.world.run("credits create", seeded, constants={"shop_uuid": shop.shop})  # those that version 0.1 has given
    left_by("migration", folder)
    at_home(folder / "cards.migrate")
    at_home(folder / "cards.migrate" / "5-credits-create" / "part-1")
    result = shop.migrate(folder / "cards.csv")
    assert shop.statuses(result) == ["done", "done", "unknown", "done"]
    assert [shop.credits(email) for (email,) in emails] == [0, 0, 0, 40]
