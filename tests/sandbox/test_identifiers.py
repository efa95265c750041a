"""Identifiers against the documentation's examples and error lists."""

from __future__ import annotations

import json
from typing import Any

import pytest

V = "contact_identifier_value"
PATH = "/contact-identifiers"
ROUTES = [
    ("GET", f"{PATH}/find", "params"),
    ("POST", PATH, "json"),
    ("PUT", f"{PATH}/link", "json"),
    ("PUT", f"{PATH}/unlink", "json"),
    ("PUT", PATH, "json"),
    ("DELETE", PATH, "params"),
]


def test_a_linked_identifier_has_the_documented_shape(ask: Any, contact: Any) -> None:
    """Create with a contact and a name answers as the documentation's example does."""
    row = {V: "ABCDE12356-90", "contact_uuid": contact["uuid"], "contact_identifier_name": "Loyalty Card"}
    assert ask("POST", PATH, json=row).json() == {
        "data": {
            "name": "Loyalty Card",
            "value": "ABCDE12356-90",
            "active": True,
            "contact": {"uuid": contact["uuid"], "email": "customer1@example.test"},
        },
        "meta": [],
    }


def test_find_answers_what_create_made(ask: Any) -> None:
    """Find repeats the created identifier, and contact is null while it is unlinked."""
    made = ask.data("POST", PATH, json={V: "007"})
    assert made == {"name": "007", "value": "007", "active": True, "contact": None}
    assert ask.data("GET", f"{PATH}/find", params={V: "007"}) == made


def test_the_captured_link_shape_is_a_switch(make: Any) -> None:
    """With the switch the contact of an identifier shows its uuid alone."""
    ask = make(contacts=1, identifiers=2, link_email=False)
    assert list(ask.data("GET", f"{PATH}/find", params={V: "CARD-000002"})["contact"]) == ["uuid"]


@pytest.mark.parametrize(("method", "path", "where"), ROUTES)
def test_a_missing_value_is_invalid_input(ask: Any, method: str, path: str, where: str) -> None:
    """Without the value, or with a blank one, every route answers 1003 and names the field."""
    for values in ({}, {V: ""}):
        reply = ask(method, path, **{where: values})
        assert reply.json()["code"] == 1003
        assert V in reply.json()["errors"]


@pytest.mark.parametrize(
    ("method", "path", "where"), [route for route in ROUTES if route[0] != "POST"], ids=lambda part: str(part)
)
def test_an_unknown_value_is_not_found(ask: Any, contact: Any, method: str, path: str, where: str) -> None:
    """Every route but create answers 60003 for a value that is not there."""
    values = {V: "nobody", "contact_uuid": contact["uuid"]}
    assert ask.code(method, path, **{where: values}) == 60003


def test_the_value_is_unique(ask: Any) -> None:
    """A second create is 60006, also when the first is linked or inactive, and has no effect."""
    assert ask.code("POST", PATH, json={V: "CARD-000001"}) == 60006
    assert ask.code("POST", PATH, json={V: "CARD-000002"}) == 60006
    ask.data("PUT", PATH, json={V: "CARD-000001", "contact_identifier_active": False})
    assert ask.code("POST", PATH, json={V: "CARD-000001"}) == 60006
    assert "identifiers.create" not in ask.state()["effects"]


def test_create_for_an_unknown_contact_makes_nothing(ask: Any) -> None:
    """55031, and the value is still free."""
    assert ask.code("POST", PATH, json={V: "new", "contact_uuid": "nobody"}) == 55031
    assert ask.code("GET", f"{PATH}/find", params={V: "new"}) == 60003


def test_link_rules_in_the_listed_order(ask: Any, contact: Any) -> None:
    """60004 before 55031 before 60014; the same contact again is 60014 too."""
    uuid = contact["uuid"]
    assert ask.data("PUT", f"{PATH}/link", json={V: "CARD-000001", "contact_uuid": uuid})["contact"]["uuid"] == uuid
    assert ask.code("PUT", f"{PATH}/link", json={V: "CARD-000001", "contact_uuid": uuid}) == 60014
    assert ask.code("PUT", f"{PATH}/link", json={V: "CARD-000001", "contact_uuid": "nobody"}) == 55031
    ask.data("PUT", PATH, json={V: "CARD-000001", "contact_identifier_active": False})
    assert ask.code("PUT", f"{PATH}/link", json={V: "CARD-000001", "contact_uuid": "nobody"}) == 60004
    assert ask.state()["effects"]["identifiers.link"] == 1


def test_inactive_refuses_find_link_and_unlink_but_not_update_and_delete(ask: Any) -> None:
    """60004 where the documentation lists it; an inactive card can be switched on again, and deleted."""
    ask.data("PUT", PATH, json={V: "CARD-000002", "contact_identifier_active": False})
    assert ask.code("GET", f"{PATH}/find", params={V: "CARD-000002"}) == 60004
    assert ask.code("PUT", f"{PATH}/unlink", json={V: "CARD-000002"}) == 60004
    assert ask.state()["identifiers_inactive"] == 1
    assert ask.data("PUT", PATH, json={V: "CARD-000002", "contact_identifier_active": True})["active"] is True
    ask.data("PUT", PATH, json={V: "CARD-000002", "contact_identifier_active": False})
    ask.data("DELETE", PATH, params={V: "CARD-000002"})
    assert ask.state()["identifiers_inactive"] == 0


def test_unlink_empties_the_contact(ask: Any) -> None:
    """The documented answer: contact null."""
    assert ask.data("PUT", f"{PATH}/unlink", json={V: "CARD-000002"})["contact"] is None
    assert ask.state()["identifiers_linked"] == 1


def test_unlink_of_an_unlinked_one_is_a_switch(ask: Any, make: Any) -> None:
    """60011 by default; a success without effect otherwise."""
    assert ask.code("PUT", f"{PATH}/unlink", json={V: "CARD-000001"}) == 60011
    lenient = make(identifiers=1, unlink_unlinked="ok")
    assert lenient.data("PUT", f"{PATH}/unlink", json={V: "CARD-000001"})["contact"] is None
    assert lenient.state()["effects"] == {}


def test_update_changes_name_and_active_and_counts_only_changes(ask: Any) -> None:
    """A second identical update is a success and no effect."""
    row = {V: "CARD-000001", "contact_identifier_name": "Gold", "contact_identifier_active": "0"}
    for _ in range(2):
        assert ask.data("PUT", PATH, data=row)["active"] is False
    assert ask.state()["effects"] == {"identifiers.update": 1}


@pytest.mark.parametrize("flag", [True, 1, "1", "true"])
def test_the_ways_to_say_true(ask: Any, flag: Any) -> None:
    """Booleans come as JSON, as numbers and as text."""
    assert ask.data("PUT", PATH, json={V: "CARD-000001", "contact_identifier_active": flag})["active"] is True


@pytest.mark.parametrize("flag", ["yes", 2, [], {}])
def test_a_bad_boolean_is_invalid_input(ask: Any, flag: Any) -> None:
    """Anything else is 1003 and names the field."""
    reply = ask("PUT", PATH, json={V: "CARD-000001", "contact_identifier_active": flag})
    assert "contact_identifier_active" in reply.json()["errors"]


def test_a_deleted_value_is_gone_and_free(ask: Any) -> None:
    """Delete answers null data; then find is 60003 and the value can be created again."""
    assert ask("DELETE", PATH, params={V: "CARD-000002"}).json() == {"data": None, "meta": {}}
    assert ask.code("GET", f"{PATH}/find", params={V: "CARD-000002"}) == 60003
    assert ask.data("POST", PATH, json={V: "CARD-000002"})["contact"] is None


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("null", '{"data":null,"meta":{}}'),
        ("[]", '{"data":[],"meta":{}}'),
        ("{}", '{"data":{},"meta":{}}'),
        ("none", '{"meta":{}}'),
        ("empty", ""),
    ],
)
def test_the_answer_of_a_delete_is_a_switch(make: Any, shape: str, body: str) -> None:
    """Every shape that is thinkable can be had."""
    assert make(identifiers=1, delete_shape=shape)("DELETE", PATH, params={V: "CARD-000001"}).text == body


def test_delete_of_a_linked_one_can_be_refused(make: Any) -> None:
    """With the switch it is 60014 and has no effect."""
    ask = make(contacts=1, identifiers=2, delete_linked="refused")
    assert ask.code("DELETE", PATH, params={V: "CARD-000002"}) == 60014
    assert ask.state()["identifiers"] == 2


@pytest.mark.parametrize("where", ["json", "data", "params", "files"])
def test_writes_take_parameters_from_everywhere(ask: Any, where: str) -> None:
    """JSON, form, query and multipart are all read; odd values come through unchanged."""
    value = "Ä/b?#%+ 007"
    sent: Any = {V: (None, value)} if where == "files" else {V: value}
    assert ask.data("POST", PATH, **{where: sent})["value"] == value
    assert ask.data("GET", f"{PATH}/find", params={V: value})["name"] == value


def test_delete_takes_its_value_from_query_or_body(ask: Any) -> None:
    """The SDK sends the query, the documentation says the body."""
    ask.data("DELETE", PATH, params={V: "CARD-000001"})
    body = json.dumps({V: "CARD-000003"})
    ask.data("DELETE", PATH, content=body, headers={"Content-Type": "application/json"})
    assert ask.state()["identifiers"] == 2


def test_a_number_or_a_text_too_long_is_no_value(ask: Any) -> None:
    """A JSON number is refused, and so is a value of more than 255 characters."""
    assert ask.code("POST", PATH, json={V: 123}) == 1003
    assert ask.code("POST", PATH, json={V: "x" * 256}) == 1003
    assert ask.data("POST", PATH, json={V: "x" * 255})["active"] is True


def test_case_and_spaces_of_values_are_switches(make: Any) -> None:
    """By default they make another value; with the switches they do not, and the stored value is trimmed."""
    exact = make()
    for value in ("abc", "ABC", " abc"):
        exact.data("POST", PATH, json={V: value})
    folding = make(fold_case=True, trim_values=True)
    assert folding.data("POST", PATH, json={V: " abc "})["value"] == "abc"
    assert folding.code("POST", PATH, json={V: "ABC"}) == 60006


def test_names_are_trimmed_as_values_are(make: Any) -> None:
    """The switch concerns every text that arrives, in a body, a form or a query."""
    ask = make(contacts=1, trim_values=True)
    row = {V: " abc\t", "contact_identifier_name": "Gold card "}
    assert ask.data("POST", PATH, json=row)["name"] == "Gold card"
    assert ask.data("GET", f"{PATH}/find", params={V: " abc"})["value"] == "abc"
    uuid = ask.data("GET", "/contacts")[0]["uuid"]
    found = ask.data("PUT", f"/contacts/{uuid}", data={"attributes[firstname]": " Ann "})
    assert found["current_values"]["firstname"] == "Ann"


def test_the_greatest_length_of_a_value_is_a_switch(make: Any) -> None:
    """A shorter one can be had; every other text keeps its own."""
    ask = make(longest_value=20)
    assert ask.code("POST", PATH, json={V: "x" * 21}) == 1003
    assert ask.data("POST", PATH, json={V: "x" * 20, "contact_identifier_name": "n" * 21})["value"] == "x" * 20


def test_an_update_of_an_unknown_identifier_can_be_invalid_input(make: Any) -> None:
    """60003 by default; the documentation of the update does not list it, so that 1003 is thinkable."""
    assert make(update_missing="1003").code("PUT", PATH, json={V: "nobody"}) == 1003


def test_a_contacts_identifiers_are_listed_with_their_default(ask: Any, contact: Any) -> None:
    """An array with the extra field; the contact shows its uuid only; unknown contacts are 55031."""
    ask.data("POST", PATH, json={V: "second", "contact_uuid": contact["uuid"]})
    rows = ask.data("GET", f"/contacts/{contact['uuid']}/contact-identifiers")
    assert [(row["value"], row["default"]) for row in rows] == [("CARD-000002", True), ("second", False)]
    assert rows[0]["contact"] == {"uuid": contact["uuid"]}
    assert ask.code("GET", "/contacts/nobody/contact-identifiers") == 55031


def test_effects_count_per_key(ask: Any) -> None:
    """A value created, deleted and created again counts twice for its key."""
    for _ in range(2):
        ask.data("POST", PATH, json={V: "again"})
        ask.data("DELETE", PATH, params={V: "again"})
    state = ask.state()
    assert state["effects"] == {"identifiers.create": 2, "identifiers.delete": 2}
    assert state["max_per_key"] == {"identifiers.create": 2, "identifiers.delete": 2}


def test_a_till_acts_behind_the_clients_back(ask: Any, contact: Any) -> None:
    """Link, rename, switch off: seen by the client, counted apart."""
    event = {"action": "link", "value": "CARD-000001", "email": "customer2@example.test"}
    assert ask.admin("POST", "identifiers", json=event).json() == {"done": "link"}
    ask.sandbox.outside_event("identifier", action="rename", value="CARD-000001", name="Till")
    found = ask.data("GET", f"{PATH}/find", params={V: "CARD-000001"})
    assert (found["name"], found["contact"]["email"]) == ("Till", "customer2@example.test")
    state = ask.state()
    assert state["effects"] == {}
    assert state["outside"] == {"identifiers.link": 1, "identifiers.rename": 1}
    assert ask.admin("POST", "identifiers", json={"action": "link", "value": "nope"}).status_code == 400
