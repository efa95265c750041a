"""What a list lacks is told as the options that give it, in the list's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from piggy_batch.errors import SetupError
from piggy_batch.importing.manifest_check import check_manifest
from piggy_batch.importing.migration.stages import migrate_operation
from piggy_batch.manifest.advice import mended_reading, option_advice
from piggy_batch.manifest.options import ManifestOptions

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.world import World

MIGRATE = migrate_operation(credits=False)
MAPS = {"contact_identifier_value": "Kaart", "contact_identifier_active": "Staat", "credits": "Punten"}


def advice(path: Path) -> list[str]:
    """What a check of a migration's list advises."""
    with check_manifest(MIGRATE, path, ManifestOptions(maps=MAPS)) as checked:
        return option_advice(checked.loaded)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["J", "N"], "J:true,N:false"),
        (["actief", "geblokkeerd"], "actief:true,geblokkeerd:false"),
        (["Y"], "Y:true"),
        (["J"] * 400 + ["N"], "J:true,N:false"),
    ],
)
def test_words_of_the_list_are_translated(world: World, words: list[str], meant: str) -> None:
    """The option is spelled out with what was guessed of each word."""
    path = world.manifest("Kaart,Staat,Punten", [[f"A-{n}", word, ""] for n, word in enumerate(words)])
    assert advice(path) == [f"Staat: if that is what its words mean, pass --values contact_identifier_active={meant}"]


def test_decimals_are_rounded_by_an_option(world: World) -> None:
    """Which of the three is for the person to say."""
    path = world.manifest("Kaart,Staat,Punten", [["A-1", "", "12,50"]])
    assert advice(path) == ["Punten: to make whole credits of decimals, pass --round credits=down, half-up or up"]


def test_nothing_is_advised_where_words_are_no_truth_values(world: World) -> None:
    """A column of dates is not what was meant."""
    path = world.manifest("Kaart,Staat,Punten", [[f"A-{n}", f"{n}-1-2020", "many"] for n in range(9)])
    assert advice(path) == []


def test_a_list_without_a_known_column_gets_all_options_in_one_line(world: World) -> None:
    """Those that it must have, and those that it may have, each column once."""
    path = world.manifest("Kaartnummer,Klant e-mail,Saldo,Actief,kassa", [["A", "", "", "", ""]])
    with pytest.raises(SetupError) as caught, check_manifest(MIGRATE, path, ManifestOptions()):
        pass
    assert str(caught.value).endswith(
        "did you mean: --map contact_identifier_value=Kaartnummer --map 'email=Klant e-mail' "
        "--map contact_identifier_active=Actief --map credits=Saldo"
    )


UGLY = [
    *[[f"{n:010d}", "J", "1"] for n in range(5, 100)],
    ["12345678", "N", "12,50"],
    [" 0000000101", "J", ""],
    ["Totaal", "", "96"],
]


def test_all_that_options_can_mend_is_one_reading(world: World) -> None:
    """Zeros, space, words, decimals and the total; read so the list has nothing left that an option mends."""
    path = world.manifest("Kaart,Staat,Punten", UGLY)
    with check_manifest(MIGRATE, path, ManifestOptions(maps=MAPS)) as checked:
        wanted = mended_reading(checked.loaded, checked.reading)
    assert wanted is not None
    assert wanted.words()[6:] == [
        *("--drop-last", "1", "--fix", "trim,zero-pad:10"),
        *("--values", "contact_identifier_active=J:true,N:false", "--round", "credits=down"),
    ]
    with check_manifest(MIGRATE, path, wanted) as checked:
        assert checked.loaded.findings == ()
        assert mended_reading(checked.loaded, wanted) is None


def test_a_total_in_the_middle_is_not_dropped_from_the_end(world: World) -> None:
    """What stands there would be a card."""
    path = world.manifest("Kaart,Staat,Punten", [UGLY[-1], *([card, "", ""] for card, _, _ in UGLY[:-1])])
    with check_manifest(MIGRATE, path, ManifestOptions(maps=MAPS)) as checked:
        wanted = mended_reading(checked.loaded, checked.reading)
    assert wanted is not None
    assert wanted.drop_last == 0
