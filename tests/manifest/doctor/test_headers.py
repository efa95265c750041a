"""Headers as people write them: matched forgivingly, synonyms proposed and never applied."""

from __future__ import annotations

import pytest

from piggy_batch.manifest.doctor import match_columns, suggest

FIELDS = ["contact_identifier_value", "contact_uuid", "contact_identifier_name"]


@pytest.mark.parametrize(
    "header",
    [
        "contact_identifier_value",
        "Contact_Identifier_Value",
        " contact identifier value ",
        "\ufeffcontact_identifier_value",
        "contact\u00a0identifier\u00a0value",
        "contact-identifier-value",
        "ContactIdentifierValue",
    ],
)
def test_header_matches_in_any_dress(header: str) -> None:
    """Case, space of any kind, underscores, hyphens and a byte order mark make no difference."""
    assert match_columns([header, "x"], FIELDS) == {"contact_identifier_value": header}


def test_very_name_wins_over_a_likeness() -> None:
    """Of two columns that look alike the exact one is taken; of two likenesses neither."""
    assert match_columns(["Contact UUID", "contact_uuid"], FIELDS)["contact_uuid"] == "contact_uuid"
    assert match_columns(["Contact UUID", "CONTACT_UUID"], FIELDS) == {}


@pytest.mark.parametrize(
    ("field", "header"),
    [
        ("contact_identifier_value", "Kaartnummer"),
        ("contact_identifier_value", "card number"),
        ("contact_identifier_value", "Card No."),
        ("contact_identifier_value", "BARCODE"),
        ("contact_identifier_value", "Spaarpas-nummer"),
        ("contact_identifier_value", "QR code"),
        ("email", "Mail"),
        ("email", "Mailadres"),
        ("email", "e-mail address"),
        ("contact_uuid", "Klant ID"),
        ("contact_identifier_name", "Kaartnaam"),
        ("amount_in_cents", "Saldo (centen)"),
        ("giftcard_uuid", "Cadeaukaart-UUID"),
        ("giftcard_program_uuid", "Programma"),
        ("hash", "Cadeaukaartcode"),
        ("shop_uuid", "Winkel"),
        ("credits", "Spaarpunten"),
    ],
)
def test_words_of_the_trade_are_proposed(field: str, header: str) -> None:
    """A synonym is proposed with the option that would take it, and not matched by itself."""
    assert match_columns([header, "Opmerking"], [field]) == {}
    (suggestion,) = suggest([header, "Opmerking"], [field])
    assert (suggestion.field, suggestion.column) == (field, header)
    assert f"{field}={header}" in suggestion.message
    assert "--map" in suggestion.message


def test_best_proposal_comes_first_and_taken_columns_are_left_alone() -> None:
    """A column that feeds a field is not proposed for another; plainer names come before vaguer ones."""
    columns = ["number", "Card number", "contact_uuid", "Barcode"]
    proposed = [s.column for s in suggest(columns, FIELDS) if s.field == "contact_identifier_value"]
    assert proposed == ["Card number", "Barcode", "number"]


def test_nothing_is_proposed_for_strange_columns() -> None:
    """Columns that no one in the trade calls so are left in peace."""
    assert suggest(["Opmerking", "x", ""], FIELDS) == []


@pytest.mark.parametrize("header", ["Name", "Naam", "Nom"])
def test_the_name_of_a_customer_is_not_proposed_as_that_of_a_card(header: str) -> None:
    """A plain name in a list of customers is theirs; whoever pasted the proposal would name every card after one."""
    assert suggest([header, "Kartennummer"], ["contact_identifier_name"]) == []
