"""Pages in Dutch: no text of theirs is left in English, and nothing of the list is translated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from jinja2 import Environment, PackageLoader

from piggy_batch.endpoints import FIND_IDENTIFIER
from piggy_batch.endpoints.cells import check_cell
from piggy_batch.importing.manifest_check import check_manifest
from piggy_batch.importing.migration.stages import migrate_operation
from piggy_batch.importing.observed_state import ObservedState
from piggy_batch.importing.verification import dutch_sign_off
from piggy_batch.importing.verification.balances import CreditComparison, Customer, compare_balance
from piggy_batch.importing.verification.verify import ExpectedOwner, compare
from piggy_batch.manifest import dutch_page
from piggy_batch.manifest.describe import column_lines, read_as
from piggy_batch.manifest.doctor import CATALOGUE
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.models import Kind
from tests.readme_blocks import README

if TYPE_CHECKING:
    from piggy_batch.endpoints.responses import Verdict
    from piggy_batch.manifest.doctor.finding_kinds import Rule
    from piggy_batch.manifest.page_language import PageLanguage

PAGES = [
    ("piggy_batch.manifest", "check.html", dutch_page.DUTCH),
    ("piggy_batch.importing.verification", "signoff.html", dutch_sign_off.DUTCH),
]
ENGLISH = re.compile(
    r"(?<!-)\b(the|are|and|with|were|not|rows?|cards?|expected|found|missing|blank|holds|this|write|pass|neither)\b"
)


@pytest.mark.parametrize(("package", "name", "dutch"), PAGES)
def test_every_text_of_a_page_is_there(package: str, name: str, dutch: PageLanguage) -> None:
    """What stands in the template is translated, with the same things filled in."""
    environment = Environment(extensions=["jinja2.ext.i18n"], loader=PackageLoader(package), autoescape=True)
    environment.policies["ext.i18n.trimmed"] = True
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, name)
    found = [m for _, _, words in environment.extract_translations(source) for m in _each(words) if m]
    assert len(found) > 25
    for english in found:
        filled = re.findall(r"%\(\w+\)s", english)
        assert sorted(re.findall(r"%\(\w+\)s", dutch.texts[english])) == sorted(filled), english


def _each(words: object) -> list[str]:
    return [words] if isinstance(words, str) else [word for word in words if isinstance(word, str)]


@pytest.mark.parametrize("rule", CATALOGUE, ids=lambda rule: rule.code)
def test_every_finding_is_there(rule: Rule) -> None:
    """Its name, what it says of values, and every clause of its remedy."""
    texts = dutch_page.DUTCH.texts
    assert {rule.slug, rule.slug.replace("-", " "), rule.what} <= texts.keys()
    assert not ENGLISH.search(dutch_page.DUTCH.translate(rule.remedy))


WRONG = ["X", "-1", "0", "12,50", "0612345678", "a\x00b", "a/b", "..", " "]


@pytest.mark.parametrize("kind", Kind)
def test_what_is_wrong_with_a_cell_is_there(kind: Kind) -> None:
    """Reason and message alike."""
    for text in WRONG:
        problem = check_cell(kind, text)
        if problem is not None:
            assert not ENGLISH.search(dutch_page.DUTCH.translate(problem.reason)), problem
            assert not ENGLISH.search(dutch_page.DUTCH.translate(str(problem))), problem


def test_a_till_s_list_leaves_no_english_words() -> None:
    """Notes, reasons, rows and what was not judged of the sample."""
    maps = {"contact_identifier_value": "Kaartnr.", "email": "E-mailadres", "credits": "Spaarpunten"}
    reading = ManifestOptions(maps=maps, header_row=2)
    path = README.parent / "samples" / "kassa-export.csv"
    with check_manifest(migrate_operation(credits=False), path, reading) as checked:
        loaded = checked.loaded
        said = [read_as(loaded), *column_lines(loaded.binding), *loaded.facts.notes, *loaded.warnings]
        said += [*loaded.not_judged, *(reason.text for reason in loaded.reasons)]
        said += [problem.message for problem in loaded.problems]
    assert len(said) > 20
    for text in said:
        assert not ENGLISH.search(dutch_page.DUTCH.translate(text)), dutch_page.DUTCH.translate(text)


def seen(**shown: bool) -> ObservedState:
    """What a look at a card has shown."""
    return ObservedState(FIND_IDENTIFIER.noun, **shown)


CARD = {"contact_identifier_value": "A"}
MAIL = ExpectedOwner(email="a@x.nl")
CASES = [
    compare(CARD, seen(exists=False), MAIL),
    compare(CARD, seen(exists=False), ExpectedOwner(nobody=True)),
    compare(CARD, seen(exists=True), MAIL),
    compare(CARD, seen(exists=True), ExpectedOwner(email="a@x.nl", unknown=True)),
    compare(CARD, seen(exists=True, hidden=True), MAIL),
    compare({**CARD, "contact_identifier_name": "B"}, seen(exists=True), ExpectedOwner()),
    compare({**CARD, "contact_identifier_active": "false"}, seen(exists=True), ExpectedOwner()),
    *(
        compare(CARD, seen(exists=True), ExpectedOwner(), CreditComparison(differs=b.differs, unseen=b.unseen))
        for b in (
            compare_balance({"credits": "5"}, {}, 7),
            compare_balance({"credits": "5", "email": "a@x.nl"}, {}, 7),
            compare_balance(
                {"credits": "5", "email": "a@x.nl"}, {"a@x.nl": Customer("u", "a@x.nl", 1, asked=5, given=5)}, None
            ),
        )
    ),
]


@pytest.mark.parametrize("verdict", CASES, ids=lambda verdict: verdict.message)
def test_what_a_look_has_shown_is_there(verdict: Verdict) -> None:
    """Expected and found, in words."""
    said = dutch_sign_off.DUTCH.translate(verdict.message)
    assert not ENGLISH.search(said), said


def test_what_is_in_doubt_in_a_migration_is_there() -> None:
    """The stage, and what became of its request."""
    said = dutch_sign_off.DUTCH.translate("credits create: sent, no usable answer: ReadTimeout; after 30 s")
    assert said == "credits create: verstuurd, zonder bruikbaar antwoord: ReadTimeout; after 30 s"


def test_data_is_not_translated() -> None:
    """Cells and columns stay what they are, whatever they are called; numbers are written as the language does."""
    dutch = dutch_sign_off.DUTCH
    said = dutch.translate('missing; contact_identifier_name expected "missing; Date", found "is blank"')
    assert said == 'ontbreekt; contact_identifier_name: verwacht "missing; Date", gevonden "is blank"'
    assert dutch.translate("1,234 of 3,000 cards are missing or differ from the manifest.").startswith(
        "1.234 van 3.000"
    )
    assert dutch.translate("Not compared: Name, Line.") == "Niet vergeleken: Name, Line."
    assert dutch.translate("something that nobody knows: 1,234") == "something that nobody knows: 1,234"
