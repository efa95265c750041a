"""Lists as people have them, of kinds that were once read or sent wrongly: what must become of each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from piggy_batch.errors import SetupError
from piggy_batch.importing.manifest_check import check_manifest
from piggy_batch.importing.migration.stages import migrate_operation
from piggy_batch.importing.verification.sign_off import write_sign_off
from piggy_batch.manifest.doctor import parse_fixes
from piggy_batch.manifest.options import ManifestOptions
from tests.support.world import World, read_csv

if TYPE_CHECKING:
    from tests.importing.migration.support import Shop

CASES = Path(__file__).parent / "cases"
CARD = "contact_identifier_value"


def case(world: World, name: str) -> Path:
    """The case's file in the world's folder."""
    return Path(shutil.copy(CASES / name, world.folder))


def refusal(world: World, name: str, command: str = "identifiers create", **given: Any) -> str:
    """What is said of a case of which nothing may be sent."""
    try:
        result = world.run(command, case(world, name), **given)
    except SetupError as error:
        said = str(error)
    else:
        assert result.exit_code == 2
        said = "\n".join(result.notes)
    assert world.effects == 0
    return said


def plan(world: World) -> str:
    """What the run has said."""
    return "\n".join(world.said.lines)


def test_every_case_is_shown() -> None:
    """Each file of the folder is used by a test of this module."""
    used = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in CASES.iterdir() if path.name not in used] == []


@pytest.mark.parametrize(
    ("name", "invalid", "said"),
    [
        ("02a-vlookup-na.xlsx", 2, "2 rows  contact_uuid: MD107"),
        ("02d-formula-without-value.xlsx", 3, "3 rows  contact_uuid: MD109"),
        ("02b-row-vanishes.xlsx", 1, "spreadsheet-error (MD107)"),
        ("09-merged-cells.xlsx", 2, "2 rows  contact_uuid: MD110"),
        ("05a-header-repeated.csv", 1, "repeated-header (MD603)"),
        ("11a-replacement-character.csv", 1, "replacement-character (MD205)"),
        ("20-footer2.csv", 2, "2 rows  contact_identifier_value: MD604"),
    ],
)
def test_rows_that_cannot_be_right_are_invalid(world: World, name: str, invalid: int, said: str) -> None:
    """An error, a formula without its result, a covered cell, a header, a footer: no row is dropped, none is sent."""
    words = refusal(world, name)
    assert said in words
    assert f"{invalid} of " in words
    (errors,) = world.folder.rglob("errors.csv")
    assert len(read_csv(errors)) == invalid


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("06a-space-then-quote.csv", "MD112"),
        ("10a-zeros-by-format.xlsx", "MD111"),
        ("11c-two-digit-year.csv", "MD108"),
    ],
)
def test_values_that_are_probably_not_meant_wait_for_a_word(world: World, name: str, code: str) -> None:
    """Quotes, zeros by cell format, dates among numbers: nothing is sent unless somebody accepts it."""
    assert f"--accept {code}" in refusal(world, name)
    manifest = world.folder / name
    assert world.run("identifiers create", manifest, accept=frozenset({code})).exit_code == 0


def test_a_copied_sheet_is_not_joined(world: World) -> None:
    """One sheet is one list: the other is named, and joined only when it is asked for."""
    manifest = case(world, "01-excel-copied-sheet.xlsx")
    assert world.run("giftcards create", manifest).exit_code == 0
    assert world.times("giftcards.create") != {}
    assert world.effects == 3
    assert 'not read: "Cards (2)" (3 rows under the same header: --sheet "Cards/Cards (2)" joins them)' in plan(world)
    both = world.run("giftcards create", manifest, sheet="Cards/Cards (2)", run_dir=world.folder / "both", again=True)
    assert both.exit_code == 0
    assert world.effects == 9


def test_words_for_nothing_are_not_mailed(world: World) -> None:
    """nan, NULL, an error and a formula are no first names."""
    words = refusal(world, "03a-mail-nan.csv", "giftcards send")
    assert "custom.firstname: MD107" in words
    assert "custom.firstname: MD109" in words
    assert "MD113 word-for-nothing, custom.firstname, 2 rows: values that are words for nothing" in words


def test_words_for_nothing_are_no_cards(world: World) -> None:
    """NULL, nan, None, \\N, <NA> in code, contact and name block the list; the error among them is invalid."""
    words = refusal(world, "03b-null-words.csv")
    assert "spreadsheet-error (MD107)" in words
    for column in (CARD, "contact_uuid", "contact_identifier_name"):
        assert f"blocking: MD113 word-for-nothing, {column}" in words


def test_words_for_nothing_are_blank_when_somebody_says_so(world: World) -> None:
    """--blank makes a word a blank cell, in every field."""
    manifest = world.manifest(
        f"{CARD},contact_uuid,contact_identifier_name", [["A-1", "NULL", "null"], ["A-2", "", "x"]]
    )
    assert world.run("identifiers create", manifest, blanks=("null",)).exit_code == 0
    assert world.identifier("A-1").contact is None
    assert world.identifier("A-1").name == "A-1"


def test_what_a_repair_leaves_blank_is_blank(world: World) -> None:
    """=\"\" becomes a blank cell, which is left out; the row is done, not in doubt."""
    result = world.run("identifiers create", case(world, "04a-fix-leaves-blank.csv"), fixes=parse_fixes("wrappers"))
    assert (result.exit_code, world.statuses(result)) == (0, {"done": 1})
    assert world.identifier("FRESH-77").contact is None


def test_quotes_are_mended(world: World) -> None:
    """--fix wrappers takes the quotes off, and the space before them."""
    manifest = case(world, "06a-space-then-quote.csv")
    assert world.run("identifiers create", manifest, fixes=parse_fixes("wrappers")).exit_code == 0
    assert world.identifier("4006381333931") is not None
    assert world.identifier("4006381333948") is not None


def test_a_key_whose_name_begins_with_an_underscore_stays(world: World) -> None:
    """A mapped column stands in results and errors, whatever its name: both can be passed on."""
    manifest = case(world, "07-underscore-key.csv")
    result = world.run("identifiers create", manifest, maps={CARD: "_id"})
    assert [row["_id"] for row in world.rows(result)] == ["5f0001", "5f0002"]
    (rejected,) = world.rows(result, "errors")
    assert (rejected["_id"], rejected["_status"]) == ("5f0002", "rejected")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("08a-year-9999-with-zone.parquet", 'column "valid_until", line 2: holds a timestamp'),
        ("08c-duration-ns.parquet", 'column "age": holds durations in nanoseconds'),
    ],
)
def test_parquet_values_without_text_are_told_in_one_line(world: World, name: str, said: str) -> None:
    """A moment that no calendar has, a duration too fine: one line, nothing sent."""
    words = refusal(world, name)
    assert said in words
    assert "\n" not in words


def test_cells_that_excel_leaves_out_are_blank(world: World) -> None:
    """A row that lacks its last, optional cells is read so, and the plan says it."""
    result = world.run("identifiers create", case(world, "15-excel-drops-trailing-delimiters.csv"))
    assert (result.exit_code, world.statuses(result)) == (0, {"done": 2})
    assert "1 row lacks its last cells; they are read as blank" in plan(world)


def test_tabs_and_line_breaks_of_an_ods_cell_are_kept(world: World) -> None:
    """What stands between digits stays there and is reported; digits are never joined."""
    result = world.run("identifiers create", case(world, "16-ods-tab.ods"))
    sent = [row[CARD] for row in world.rows(result)]
    assert "9206\t3815" in sent
    assert "92063816\n92063817" in sent
    assert "92063815" not in sent
    assert "MD202 inner-space" in plan(world)


def check(world: World, name: str, operation: Any = "identifiers create", **reading: Any) -> dict[str, Any]:
    """What a check says, as its JSON."""
    from piggy_batch.endpoints import find_operation

    found = find_operation(operation) if isinstance(operation, str) else operation
    with check_manifest(found, case(world, name), ManifestOptions(**reading)) as checked:
        return json.loads(json.dumps(checked.to_json()))


def test_every_reason_is_counted(world: World) -> None:
    """Sixty rows, three things wrong: each with its count and examples, none hidden by another."""
    maps = {
        CARD: "Kaartnummer",
        "email": "Klant e-mail",
        "credits": "Saldo",
        "contact_identifier_active": "Actief (J/N)",
    }
    found = check(world, "20-crowd.csv", migrate_operation(credits=False), maps=maps)
    assert found["invalid"] == 60
    assert [(r["column"], r["reason"], r["rows"]) for r in found["reasons"]] == [
        ("Actief (J/N)", "is neither true nor false", 60),
        ("Saldo", "is not a whole number of credits", 60),
        ("Klant e-mail", "is not an e-mail address", 30),
    ]
    assert all(len(reason["examples"]) == 3 for reason in found["reasons"])
    assert {p["column"] for p in found["problems"]} == {"Actief (J/N)", "Saldo", "Klant e-mail"}


def test_the_crowd_can_be_mended(world: World) -> None:
    """The same list with its own words explained, its decimals rounded and its word for nothing named is right."""
    maps = {
        CARD: "Kaartnummer",
        "email": "Klant e-mail",
        "credits": "Saldo",
        "contact_identifier_active": "Actief (J/N)",
    }
    found = check(
        world,
        "20-crowd.csv",
        migrate_operation(credits=False),
        maps=maps,
        blanks=("n.v.t.",),
        values={"contact_identifier_active": {"J": "true", "N": "false"}},
        rounding={"credits": "down"},
    )
    assert {r["reason"] for r in found["reasons"]} <= {"need an e-mail: credits belong to a customer"}


def test_another_kind_of_codes_hides_no_mistyped_number(world: World) -> None:
    """Check digits are judged for each kind of codes; what could not be judged is named, with the reason."""
    found = check(world, "20-mixed5.csv")
    assert {f["code"]: f["count"] for f in found["findings"]}["MD402"] == 3
    assert any("check digits of 5 codes with letters" in what for what in found["not_judged"])


def test_the_page_shows_the_rows_of_a_near_duplicate(world: World) -> None:
    """The page lists both spellings of one card."""
    from piggy_batch.endpoints import find_operation

    manifest = case(world, "20-neardup.csv")
    with check_manifest(find_operation("identifiers create"), manifest, ManifestOptions(), detailed=True) as checked:
        (rows,), overflow = checked.rows_of_findings(world.folder / "rows.csv")
    assert [(row.value, row.proposal) for row in rows.rows] == [("KLA000035", "KLa000035")]
    assert overflow is None


def test_a_column_that_is_not_compared_is_named(world: World) -> None:
    """A verification does not look at balances, and says so."""
    result = world.run("identifiers verify", case(world, "20-signoff-credits.csv"))
    assert "credits are not compared; --migration RUN_DIR names the migration" in plan(world)
    write_sign_off(result.run_dir, world.folder / "page.html")
    assert "Not compared: credits." in (world.folder / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "20-title.xlsx",
            "line 3 looks like the header: pass --header-row 3 --map contact_identifier_value=Kaartnummer",
        ),
        ("20-second-sheet.xlsx", 'sheet "Kaarten" looks like the list: pass --sheet Kaarten'),
    ],
)
def test_a_list_elsewhere_in_the_workbook_is_found(world: World, name: str, said: str) -> None:
    """A title above the header, a cover sheet before the list: the refusal says how to read it."""
    assert said in refusal(world, name)


def test_a_title_above_the_header_is_passed_over(world: World) -> None:
    """--header-row names the line of the columns."""
    manifest = case(world, "20-title.xlsx")
    result = world.run("identifiers create", manifest, header_row=3, maps={CARD: "Kaartnummer"})
    assert world.last(result)["Kaartnummer"] == "2279492236695"
    assert world.last(result)["_line"] == "4"


def test_a_lost_safeguard_deletes_nothing(world: World) -> None:
    """An expected owner that is an error is no permission."""
    world.run("identifiers create", case(world, "30-delete-guard-setup.csv"))
    made = world.effects
    result = world.run("identifiers delete", case(world, "30-delete-guard-error-cell.xlsx"))
    assert (result.exit_code, world.effects) == (2, made)
    assert "3 rows  expected_contact_uuid: MD107" in "\n".join(result.notes)
    assert all(world.identifier(f"DEL{n}") is not None for n in range(3))


def test_credits_that_nobody_calculated_are_not_left_out(shop: Shop) -> None:
    """A formula without its result is no balance of zero."""
    name = "30-migrate-credits-formula-without-value.xlsx"
    manifest = Path(shutil.copy(CASES / name, shop.world.folder))
    result = shop.migrate(manifest)
    assert result.exit_code == 2
    assert "3 rows  credits: MD109" in "\n".join(result.notes)
    assert shop.world.effects == 0
