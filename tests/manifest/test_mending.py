"""Lists mended on the way: repairs, words of their own, decimals, titles and footers; and the mended list as a file."""

from __future__ import annotations

import json
from typing import Any

import openpyxl
import pytest

from piggy_batch.endpoints import find_operation
from piggy_batch.errors import JournalError, SetupError
from piggy_batch.importing.manifest_check import check_manifest
from piggy_batch.importing.migration.stages import migrate_operation
from piggy_batch.manifest.doctor import ColumnRole, parse_fixes
from piggy_batch.manifest.mending import Repairs, parse_rounding, parse_values, repairs_from, rounded
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.tables import open_table
from tests.importing.migration.support import Shop
from tests.support.world import World, read_csv

CARD = "contact_identifier_value"
TILL = """Kassa Pro - klanten
,,,
Pas;E-mail;Punten;Actief;Opmerking
="0012";ann@example.test;12,50;J;vip
"A-13";n.v.t.;n.v.t.;N;
A-14;bob@example.test;1.234,00;J;=x
Totaal;;1.246,50;;
"""
MAPS = {CARD: "Pas", "email": "E-mail", "credits": "Punten", "contact_identifier_active": "Actief"}
MEND: dict[str, Any] = {
    "maps": MAPS,
    "fixes": parse_fixes("wrappers"),
    "blanks": ("n.v.t.",),
    "values": {"contact_identifier_active": {"J": "true", "N": "false"}},
    "rounding": {"credits": "down"},
    "header_row": 3,
    "drop_last": 1,
}


@pytest.mark.parametrize(
    ("text", "how", "whole"),
    [
        ("12,50", "down", "12"),
        ("12,50", "half-up", "13"),
        ("12,49", "half-up", "12"),
        ("12.01", "up", "13"),
        ("1.234,50", "down", "1234"),
        ("1,234.50", "down", "1234"),
        ("1 234,5", "up", "1235"),
        ("0,125", "down", "0"),
        ("1.234", "down", "1.234"),
        ("1.234.567", "down", "1.234.567"),
        ("12", "down", "12"),
        ("-1,5", "down", "-1,5"),
        ("12,5x", "down", "12,5x"),
    ],
)
def test_decimals_are_rounded_as_asked(text: str, how: str, whole: str) -> None:
    """Decimal commas and points, with thousands between; three digits after a lone sign may be thousands and stay."""
    assert rounded(text, how) == whole


def test_options_are_refused_that_cannot_be_meant() -> None:
    """A word without meaning, a word with two, a way to round that is none."""
    assert parse_values([("active", "J:true,N:false"), ("active", "X:")]) == {
        "active": {"J": "true", "N": "false", "X": ""}
    }
    for text in ("J", "J:true,J:false", ":true"):
        with pytest.raises(SetupError, match="--values active"):
            parse_values([("active", text)])
    with pytest.raises(SetupError, match="down, half-up, up"):
        parse_rounding([("credits", "off")])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"values": {"credits": {"a": "1"}}}, "--values credits: no column"),
        ({"rounding": {CARD: "down"}}, "only credits are rounded"),
        ({"header_row": 9}, "no line 9"),
        ({"drop_last": 2}, "leaves no row"),
        ({"sheet": "Blad1"}, "--sheet does not apply"),
    ],
)
def test_an_option_that_does_nothing_is_refused(world: World, options: dict[str, Any], said: str) -> None:
    """An option without effect hides a mistake."""
    with pytest.raises(SetupError, match=said):
        world.run("identifiers create", world.manifest(CARD, ["A-1", "A-2"]), **options)


def test_names_are_not_treated_as_codes() -> None:
    """Of the repairs a name gets those that leave it a name; a number gets more."""
    repairs = Repairs(parse_fixes("trim,wrappers,spaces,zero-pad:9,case:upper,decimals"))
    name = repairs.of("contact_identifier_name", ColumnRole.TEXT)
    value = repairs.of("credits", ColumnRole.VALUE)
    assert name is not None
    assert value is not None
    assert name.apply(' "Jan de Vries" ') == "Jan de Vries"
    assert name.apply("'s-Gravenhage") == "'s-Gravenhage"
    assert value.apply(" 1 200.0 ") == "1200"


def test_a_till_s_export_migrates_with_its_own_words(shop: Shop) -> None:
    """Title, footer, wrappers, J and N, decimal commas, n.v.t.: nothing of it needs a spreadsheet program."""
    path = shop.folder / "klanten.csv"
    path.write_text(TILL, encoding="utf-8")
    result = shop.migrate(path, **MEND)
    assert result.exit_code == 0, result.notes
    assert shop.holder("0012") == "ann@example.test"
    assert not shop.card("A-13").active
    assert shop.statuses(result) == ["done", "done", "done"]
    assert [row["_line"] for row in shop.rows(result)] == ["4", "5", "6"]


def test_the_mended_list_imports_without_any_option(shop: Shop) -> None:
    """check --write makes a list that is right as it stands, and says of each row what was changed."""
    path = shop.folder / "klanten.csv"
    path.write_text(TILL, encoding="utf-8")
    options = ManifestOptions(**MEND, constants={"contact_identifier_name": "pas", "bron": "till"})
    mended = shop.folder / "mended.csv"
    with check_manifest(migrate_operation(credits=False), path, options) as checked:
        assert checked.write_mended(mended) == (3, 0)
    rows = read_csv(mended)
    assert list(rows[0]) == [
        *(CARD, "email", "credits", "contact_identifier_active", "Opmerking"),
        *("contact_identifier_name", "bron", "_changed", "_problem"),
    ]
    assert rows[0][CARD] == "0012"
    assert rows[0]["_changed"] == f'{CARD}: ="0012"; credits: 12,50; contact_identifier_active: J'
    assert rows[1]["email"] == rows[1]["credits"] == ""
    assert shop.migrate(mended).exit_code == 0
    assert shop.card("0012").name == "pas"


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "jsonl"])
def test_the_mended_list_in_every_format(world: World, kind: str) -> None:
    """Whatever the format, the same rows come back, and a mistake that is left is named beside its row."""
    manifest = world.manifest(f"{CARD},contact_uuid,E-mail", [["'0012", "", "x"], ["", "", "y"], ["A-3", "", "z"]])
    mended = world.folder / f"mended.{kind}"
    with check_manifest(
        find_operation("identifiers create"), manifest, ManifestOptions(fixes=parse_fixes("wrappers"))
    ) as checked:
        assert checked.write_mended(mended) == (1, 1)
        with pytest.raises(SetupError, match="lies there already"):
            checked.write_mended(mended)
        with pytest.raises(SetupError, match=r"ends in \.csv"):
            checked.write_mended(world.folder / "mended.txt")
    with open_table(mended) as table:
        assert [cells[table.columns.index(CARD)] for _, cells in table.rows()] == ["0012", "", "A-3"]
        problems = [cells[table.columns.index("_problem")] for _, cells in table.rows()]
    assert problems == ["", f"{CARD}: is blank", ""]
    assert world.run("identifiers create", mended, skip_invalid=True).exit_code == 1
    assert world.effects == 2


def test_rows_held_back_are_not_in_the_mended_list(world: World) -> None:
    """check --hold CODE --write: what is left imports without any option."""
    path = world.manifest(CARD, ["A-1", "NULL", "A-3"])
    target = world.folder / "mended.csv"
    with check_manifest(
        find_operation("identifiers create"), path, ManifestOptions(hold=frozenset({"MD113"}))
    ) as found:
        assert found.loaded.held == {2}
        assert found.write_mended(target) == (0, 0)
    result = world.run("identifiers create", target)
    assert (result.exit_code, [row[CARD] for row in world.rows(result)]) == (0, ["A-1", "A-3"])


def test_a_mended_list_in_json_lines_has_types(world: World) -> None:
    """Truth values and amounts are what JSON has for them; what is none stays as it stands."""
    header = f"{CARD},contact_identifier_active,email,credits"
    manifest = world.manifest(header, [["007", "true", "a@b.nl", "12"], ["008", "J", "", "x"]])
    mended = world.folder / "mended.jsonl"
    with check_manifest(migrate_operation(credits=False), manifest, ManifestOptions()) as checked:
        checked.write_mended(mended)
    first, second = map(json.loads, mended.read_text(encoding="utf-8").splitlines())
    assert (first[CARD], first["contact_identifier_active"], first["credits"]) == ("007", True, 12)
    assert (second["contact_identifier_active"], second["credits"]) == ("J", "x")


def test_a_mended_list_does_not_feed_what_was_not_fed(world: World) -> None:
    """A column that bears a field's name and was passed over for another steps aside."""
    manifest = world.manifest(f"{CARD},Pas", [["printed", "scanned"]])
    mended = world.folder / "mended.csv"
    with check_manifest(find_operation("identifiers create"), manifest, ManifestOptions(maps={CARD: "Pas"})) as checked:
        checked.write_mended(mended)
    (row,) = read_csv(mended)
    assert (row[CARD], row[f"_{CARD}"]) == ("scanned", "printed")


def test_a_run_is_bound_to_how_its_list_is_read(world: World) -> None:
    """Other words for blank, another header row: another run."""
    manifest = world.manifest(CARD, ["A-1", "x", "A-2"])
    first = world.run("identifiers create", manifest, blanks=("x",), skip_invalid=True)
    assert world.statuses(first) == {"done": 2, "invalid": 1}
    for options in ({}, {"blanks": ("y",)}, {"blanks": ("x",), "header_row": 2}, {"blanks": ("x",), "drop_last": 1}):
        with pytest.raises(JournalError, match="was started"):
            world.run("identifiers create", manifest, skip_invalid=True, **options)
    assert world.run("identifiers create", manifest, blanks=("x",), skip_invalid=True).exit_code == 1


def test_a_run_of_before_repairs_what_it_repaired() -> None:
    """A journal that knows no --blank was made when only codes and addresses were repaired, and goes on so."""
    before = repairs_from({"--fix": "wrappers", "--map": {}, "--set": {}})
    now = repairs_from({"--fix": "wrappers", "--blank": None, "--values": None, "--round": None})
    for role in ColumnRole:
        assert (before.of("x", role) is not None) == (role not in {ColumnRole.TEXT, ColumnRole.VALUE})
        assert now.of("x", role) is not None


def test_a_repair_of_something_else_hides_no_cell_format(world: World) -> None:
    """What --fix leaves as it is, is still known as a number that the workbook shows with zeros, or has rounded."""
    book = openpyxl.Workbook()
    for value in (CARD, 12, 6006500000001234560):
        book.active.append([value])
    book.active["A2"].number_format = "00000"
    book.save(world.folder / "cards.xlsx")
    with pytest.raises(SetupError, match="--accept MD104,MD111"):
        world.run("identifiers create", world.folder / "cards.xlsx", fixes=parse_fixes("trim,wrappers"))


def test_bound_options_read_back() -> None:
    """What a journal keeps of the repairs makes the same repairs."""
    repairs = Repairs(parse_fixes("trim"), ("b", "a"), {"x": {"J": "true", "N": ""}}, {"credits": "up"})
    assert repairs_from(repairs.bound()).bound() == repairs.bound()
    assert Repairs().bound() == dict.fromkeys(("--fix", "--blank", "--values", "--round"))


def test_a_workbook_s_numbers_are_sent_as_they_show(world: World) -> None:
    """--fix formats sends the zeros and signs that a cell format adds."""
    book = openpyxl.Workbook()
    book.active.append([CARD])
    for value, shown in ((12, "00000"), (7, '"KA-"000'), (345, "0000-0000")):
        book.active.append([value])
        book.active.cell(book.active.max_row, 1).number_format = shown
    manifest = world.folder / "cards.xlsx"
    book.save(manifest)
    result = world.run("identifiers create", manifest, fixes=parse_fixes("formats"))
    assert result.exit_code == 0
    assert [row[CARD] for row in world.rows(result)] == ["00012", "KA-007", "0000-0345"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_titles_and_footers_are_left_out(world: World, kind: str) -> None:
    """--header-row and --drop-last, told in the plan, whatever the format; lines are the file's."""
    lines = [["Kaartenlijst", ""], ["", ""], [CARD, "x"], ["A-1", "1"], ["A-2", "2"], ["Totaal", "3"], ["einde", ""]]
    manifest = world.folder / f"list.{kind}"
    if kind == "csv":
        manifest.write_text("\n".join(";".join(line) for line in lines), encoding="utf-8")
    else:
        book = openpyxl.Workbook()
        for line in lines:
            book.active.append(line)
        book.save(manifest)
    result = world.run("identifiers create", manifest, header_row=3, drop_last=2)
    assert [(row[CARD], row["_line"]) for row in world.rows(result)] == [("A-1", "4"), ("A-2", "5")]
    assert any(
        "the last 2 rows left out (--drop-last): line 6: Totaal, 3; line 7: einde" in s for s in world.said.lines
    )
