"""Piles look like the list they came from, so that whoever made it can open and mend them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from piggy_batch.tables import CsvDialect, OutputColumn, open_table, open_writer
from tests.support.world import read_csv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.world import World

VALUE = "contact_identifier_value"


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(";", "cp1252"), ("\t", "utf-8"), ("|", "utf-16"), (",", "utf-8"), (";", "utf-8")]
)
def test_a_pile_keeps_delimiter_and_encoding_and_is_a_manifest_again(
    world: World, delimiter: str, encoding: str
) -> None:
    """Mended and passed as it lies there, it is read; results stay UTF-8 with commas, for programs."""
    path = world.folder / "kaarten.csv"
    rows = [[VALUE, "naam"], ["", "Zoë"], ["A-1", "René"]]
    path.write_text("".join(delimiter.join(row) + "\n" for row in rows), encoding=encoding)
    result = world.run("identifiers create", path, skip_invalid=True)
    errors = result.run_dir / "errors.csv"
    text = errors.read_bytes().decode(encoding)
    assert text.splitlines()[0].startswith(delimiter.join(rows[0]))
    assert "Zoë" in text
    assert [row["naam"] for row in read_csv(result.run_dir / "results.csv")] == ["Zoë", "René"]
    errors.write_text(text.replace(f"{delimiter}Zoë", f"A-2{delimiter}Zoë", 1), encoding=encoding)
    again = world.run("identifiers create", errors)
    assert world.statuses(again) == {"done": 1}
    assert world.identifier("A-2") is not None


def test_rows_of_which_nothing_was_sent_too(world: World) -> None:
    """The pile of a refused list is written as the list is."""
    path = world.folder / "kaarten.csv"
    path.write_text(f"{VALUE};naam\n;Zoë\n", encoding="cp1252")
    result = world.run("identifiers create", path)
    assert (result.exit_code, world.effects) == (2, 0)
    assert (result.run_dir / "errors.csv").read_text(encoding="cp1252").splitlines()[1].startswith(";Zoë;")


def test_a_text_that_the_encoding_does_not_hold_changes_the_file_not_the_text(tmp_path: Path) -> None:
    """From there on, and from the beginning, the file is UTF-8 with its mark; every reader gets every character."""
    path = tmp_path / "errors.csv"
    columns = [OutputColumn("naam"), OutputColumn("_message")]
    rows = [["Zoë", "é"], ["日本", "→"], ["René", "x;y"]]
    with open_writer(path, "csv", columns, dialect=CsvDialect(";", "cp1252")) as writer:
        for row in rows:
            writer.write([row])
    assert path.read_bytes().startswith(b"\xef\xbb\xbfnaam;_message\nZo\xc3\xab;")
    with open_table(path) as table:
        assert [cells for _, cells in table.rows()] == rows
    assert [entry.name for entry in tmp_path.iterdir()] == ["errors.csv"]
    assert path.stat().st_mode & 0o777 == 0o600
