"""Every file in samples/ is a manifest that works against the sandbox as it starts."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from piggy_batch.tables import open_table
from tests.support.make_samples import TILL_ROWS, till
from tests.support.world import World, audit

SAMPLES = Path(__file__).parents[2] / "samples"
MANIFESTS = sorted(p for p in SAMPLES.iterdir() if p.name.startswith(("identifiers-", "giftcards-")))
NEEDS = {"find", "link", "unlink", "update", "delete"}  # identifiers that have to be there first


@pytest.fixture
def shop(make_world: Callable[..., World]) -> World:
    """The world that the samples were made for."""
    return make_world(contacts=1000, giftcards=1000, identifiers=0, top_up_once=True)


def test_every_sample_is_named_by_a_test() -> None:
    """A new file in samples/ needs a test."""
    others = {"legacy_cards.csv", "kassa-export.csv", "demo.sh", "close-month.sh"}
    assert {p.name for p in SAMPLES.iterdir()} == {p.name for p in MANIFESTS} | others


@pytest.mark.parametrize("sample", MANIFESTS, ids=lambda p: p.name)
def test_a_sample_is_carried_out_by_its_command(shop: World, sample: Path) -> None:
    """Each row of a sample ends done, or already where half of the cards were so before."""
    resource, verb = sample.stem.split("-")
    if resource == "identifiers" and verb in NEEDS:
        made = shutil.copy(SAMPLES / "identifiers-create.csv", shop.folder / "made.csv")
        assert shop.run("identifiers create", Path(made)).exit_code == 0
    manifest = Path(shutil.copy(sample, shop.folder / sample.name))
    result = shop.run(f"{resource} {verb}", manifest, format="csv")
    rows = len(shop.rows(result))
    assert set(audit(result.run_dir, rows)) <= {"done", "already"}
    assert result.exit_code == 0


@pytest.mark.parametrize("sample", [p for p in MANIFESTS if p.suffix == ".csv"], ids=lambda p: p.stem)
def test_csv_and_parquet_samples_hold_the_same_rows(sample: Path) -> None:
    """The format of a manifest changes nothing but the file."""
    with open_table(sample) as text, open_table(sample.with_suffix(".parquet")) as columns:
        assert text.columns == columns.columns
        assert [cells for _, cells in text.rows()] == [cells for _, cells in columns.rows()]


def test_the_legacy_list_ends_with_a_handful_refused(shop: World) -> None:
    """2,000 rows, semicolons, leading zeros: 1,994 done, 6 rejected for contacts that nobody knows."""
    manifest = Path(shutil.copy(SAMPLES / "legacy_cards.csv", shop.folder))
    result = shop.run("identifiers create", manifest)
    assert audit(result.run_dir, 2000) == {"done": 1994, "rejected": 6}
    assert {row["_code"] for row in shop.rows(result, "errors")} == {"55031"}
    assert shop.state["effects"] == {"identifiers.create": 1994}
    first = shop.rows(result)[0]["contact_identifier_value"]
    assert first.startswith("0")
    assert shop.identifier(first) is not None


def test_the_list_of_a_till_is_as_ugly_as_it_says(tmp_path: Path) -> None:
    """Made anew it is the same; `test_walkthrough` brings it from the raw file to the signature."""
    till(tmp_path)
    made = (tmp_path / "kassa-export.csv").read_bytes()
    assert made == (SAMPLES / "kassa-export.csv").read_bytes()
    title, header, *rows, total = made.decode("cp1252").splitlines()
    assert len(rows) == TILL_ROWS == 3000
    assert title.startswith("Klantenkaarten")
    assert header.split(";")[:3] == ["Kaartnr.", "Naam klant", "E-mailadres"]
    assert total.startswith("Totaal;")
    assert sum(",50;" in row for row in rows) > 900
    cards = [row.partition(";")[0] for row in rows]
    assert len(cards) - len(set(cards)) == 3
    with pytest.raises(UnicodeDecodeError):
        made.decode("utf-8")


@pytest.mark.process
def test_the_demo_runs_and_kills_nothing_it_did_not_start() -> None:
    """`make demo`: a sandbox of its own, a real import, summary and the head of each pile."""
    repository = SAMPLES.parent
    done = subprocess.run(
        ["bash", "samples/demo.sh"], cwd=repository, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "  done      1,994" in done.stdout
    assert "head of demo/legacy_cards.identifiers-create/errors.csv" in done.stdout
    assert done.stdout.rstrip().splitlines()[-4].startswith('  export PATH="$PWD/.venv/bin:$PATH"')  # what to type next
    assert "kill" not in done.stderr.lower()


def test_the_demo_installs_no_linters() -> None:
    """Only the program and its stand-in; whoever wants to see it does not wait for the development tools."""
    makefile = (SAMPLES.parent / "Makefile").read_text(encoding="utf-8")
    assert "\ndemo: .venv/program " in makefile
    recipe = makefile.partition("\n.venv/program:")[2].partition("\n\n")[0]
    assert "'.[sandbox]'" in recipe
    assert "--quiet" not in recipe
