"""Contacts: found and made by their e-mail address, the cards they hold, their attributes, their deletion."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from piggy_batch.endpoints.cells import check_email, identity_of, is_made_up, stands_for
from piggy_batch.errors import SetupError
from piggy_batch.sandbox import Fault
from tests.importing.migration.support import Shop
from tests.support.world import World, audit


def test_find(shop: Shop) -> None:
    """The contact's UUID, whatever the spelling; who is not there is `absent`, which is no error."""
    path = shop.world.manifest("email", ["Customer1@Example.test", "ghost@example.test"])
    result = shop.world.run("contacts find", path)
    rows = shop.rows(result)
    assert [row["_status"] for row in rows] == ["done", "absent"]
    assert rows[0]["contact_uuid"] == shop.world.contact(1)
    assert result.exit_code == 0


def test_find_or_create(shop: Shop) -> None:
    """Found or made, the answer has the UUID; the service does not say which."""
    result = shop.world.run(
        "contacts find-or-create", shop.world.manifest("email", ["customer1@example.test", "a@b.test"])
    )
    assert shop.world.statuses(result) == {"done": 2}
    assert all(row["contact_uuid"] for row in shop.rows(result))
    assert shop.world.times("contacts.create") == {"a@b.test": 1}


@pytest.mark.parametrize("verb", ["find-or-create", "create"])
@pytest.mark.parametrize("kind", ["reset-after", "reset-before", "502-html", "truncated"])
def test_a_lost_answer_makes_no_second_contact(make_shop: Callable[..., Shop], verb: str, kind: str) -> None:
    """Guarded by the e-mail: the repeat finds it, or a look does."""
    shop = make_shop(faults=(Fault(kind, value="a@b.test", path="contacts", times=1),))
    result = shop.world.run(f"contacts {verb}", shop.world.manifest("email", ["a@b.test"]))
    assert shop.world.statuses(result) == {"done": 1}
    assert shop.world.times("contacts.create") == {"a@b.test": 1}
    assert shop.rows(result)[0]["contact_uuid"]


def test_create(shop: Shop) -> None:
    """60005 is looked up: a contact that exists, however it is spelled there, is `already`."""
    result = shop.world.run("contacts create", shop.world.manifest("email", ["CUSTOMER1@example.test", "a@b.test"]))
    rows = shop.rows(result)
    assert [row["_status"] for row in rows] == ["already", "done"]
    assert rows[0]["contact_uuid"] == shop.world.contact(1)
    assert rows[0]["_code"] == "60005"


def test_create_twice_in_one_list(shop: Shop) -> None:
    """Addresses that differ in case or outer space are one contact: the second row is invalid."""
    result = shop.world.run("contacts create", shop.world.manifest("email", ["a@b.test", "A@B.test "]))
    assert result.exit_code == 2
    assert "the same as in row 1 (line 2)" in "\n".join(result.notes)


def test_identifiers_of_contacts(shop: Shop) -> None:
    """Several result rows for a contact with several cards, one blank row for a contact without."""
    for value in ("C-1", "C-2"):
        shop.world.till("create", value, email="customer1@example.test")
    shop.world.till("deactivate", "C-2")
    contacts = [shop.world.contact(1), shop.world.contact(2), "no-such-contact"]
    result = shop.world.run("contacts identifiers", shop.world.manifest("contact_uuid", contacts))
    found = [
        (r["_row"], r["contact_identifier_value"], r["contact_identifier_active"], r["_status"])
        for r in shop.rows(result)
    ]
    assert found == [
        ("1", "C-1", "true", "done"),
        ("1", "C-2", "false", "done"),
        ("2", "", "", "done"),
        ("3", "", "", "absent"),
    ]
    assert result.exit_code == 0


def test_a_usage_limit_halts(make_shop: Callable[..., Shop]) -> None:
    """60000 is no row's fault: no contact can be made until somebody acts."""
    shop = make_shop(contact_quota=3)
    result = shop.world.run("contacts find-or-create", shop.world.manifest("email", ["a@b.test", "c@d.test"]))
    assert result.exit_code == 3
    assert shop.world.statuses(result) == {"pending": 2}


@pytest.mark.parametrize(
    "email", ["0612345678@piggy.nl", "info@Piggy.NL", "+31 6 1234 5678@shop.test", "0612345678@x.nl"]
)
def test_made_up(email: str) -> None:
    """A phone number, or the vendor's own domain."""
    assert is_made_up(email)


@pytest.mark.parametrize("email", ["anna1980@example.test", "info@mypiggy.nl", "12@example.test"])
def test_not_made_up(email: str) -> None:
    """Digits in a name are common."""
    assert not is_made_up(email)


def test_one_customer() -> None:
    """Outer space and case make no other customer."""
    assert identity_of(" Ann@Example.TEST ") == identity_of("ann@example.test")


@pytest.mark.parametrize("email", ["ann@example.test", " Ann@example.test ", "a.b+c@x.co.uk", "jürgen@müller.de"])
def test_addresses(email: str) -> None:
    """What can be an address passes."""
    assert check_email(email) is None


@pytest.mark.parametrize(
    "email", ["ann", "ann@", "@x.test", "a b@x.test", "a@b", "a@x.test,b@x.test", "<a@x.test>", "a@x.test."]
)
def test_no_addresses(email: str) -> None:
    """What cannot be one does not."""
    assert check_email(email) is not None


# --- attributes --------------------------------------------------------------------------------------


def attributes(world: World, number: int) -> dict[str, str]:
    """What a contact is described by, as the service keeps it."""
    return dict(world.sandbox.world.people.contacts[number].attributes)


def test_update_gives_the_attributes_that_columns_name(world: World) -> None:
    """Each column attributes.NAME is sent as NAME; a blank cell leaves what is there, other columns are carried."""
    rows = [
        (world.contact(1), "Ann", "41", "1985-02-28", "x"),
        (world.contact(2), "Bob", "", "", "y"),
    ]
    header = "contact_uuid,attributes.firstname,attributes.age,attributes.birthdate,note"
    result = world.run("contacts update", world.manifest(header, rows))
    assert audit(result.run_dir, 2) == {"done": 2}
    assert attributes(world, 1) == {"firstname": "Ann", "age": "41", "birthdate": "1985-02-28"}
    assert attributes(world, 2) == {"firstname": "Bob"}
    assert [row["note"] for row in world.rows(result)] == ["x", "y"]
    assert world.rows(result)[0]["contact_email"] == "customer1@example.test"


def test_attributes_come_from_a_list_with_headers_of_its_own(world: World) -> None:
    """--map and --set name attributes as they name any field."""
    manifest = world.manifest("contact_uuid,Voornaam", [(world.contact(1), "Ann")])
    given = {"maps": {"attributes.firstname": "Voornaam"}, "constants": {"attributes.locale": "nl"}}
    assert world.run("contacts update", manifest, **given).exit_code == 0
    assert attributes(world, 1) == {"firstname": "Ann", "locale": "nl"}


def test_an_update_needs_an_attribute(world: World) -> None:
    """A list without such a column is refused before anything is sent, and a row without such a cell is invalid."""
    with pytest.raises(SetupError, match=r"contacts update needs a column attributes\.NAME, or --map"):
        world.run("contacts update", world.manifest("contact_uuid,firstname", [(world.contact(1), "Ann")]))
    rows = [(world.contact(1), "Ann"), (world.contact(2), "")]
    result = world.run("contacts update", world.manifest("contact_uuid,attributes.firstname", rows))
    assert result.exit_code == 2
    assert "row 2 (line 3): gives no attributes.NAME" in result.notes[0]
    assert world.effects == 0


@pytest.mark.parametrize("shown", [True, False])
def test_an_attribute_that_the_account_has_not_is_no_success(make_world: Callable[..., World], shown: bool) -> None:
    """Where the service ignores it the answer lacks it, in whatever form contacts show their attributes: unknown."""
    world = make_world(unknown_attribute="ignore", attributes_shown=shown)
    manifest = world.manifest("contact_uuid,attributes.shoe_size", [(world.contact(1), "44")])
    row = world.last(world.run("contacts update", manifest))
    assert row["_status"] == "unknown"
    assert "attributes.shoe_size asked, and the answer shows nothing of that name" in row["_message"]


def test_an_attribute_that_the_service_refuses_is_rejected(world: World) -> None:
    """1003 with the field's own message."""
    manifest = world.manifest("contact_uuid,attributes.shoe_size", [(world.contact(1), "44")])
    row = world.last(world.run("contacts update", manifest))
    assert (row["_status"], row["_code"]) == ("rejected", "1003")
    assert "attributes.shoe_size" in row["_message"]


@pytest.mark.parametrize("kind", ["reset-after", "reset-before", "504-after", "truncated", "503"])
def test_an_update_in_doubt_is_looked_at(world: World, kind: str) -> None:
    """As asked: done by the look. Otherwise it is sent again, as the same values once more do no harm."""
    world.sandbox.plan(Fault(kind, method="PUT", times=1))
    manifest = world.manifest("contact_uuid,attributes.firstname,attributes.age", [(world.contact(1), "Ann", "41")])
    row = world.last(world.run("contacts update", manifest))
    applied = kind in ("reset-after", "504-after", "truncated")
    assert (row["_status"], row["_proof"]) == ("done", "look" if applied else "answer")
    assert world.state["requests"]["PUT /contacts/{uuid}"] == (1 if applied else 2)
    assert world.times("contacts.update") == {world.contact(1): 1}


def test_an_update_that_somebody_refuses_in_doubt_is_not_called_refused(world: World) -> None:
    """The first answer is lost, the contact is then deleted: nobody knows what the row has done."""
    gone = world.sandbox.world.people.contacts[1]

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method == "GET" and request.url.path.endswith(gone.uuid):
            world.sandbox.world.people.remove_contact(gone)
        return None

    world.sandbox.plan(Fault("reset-after", method="PUT", times=1))
    world.hook = hook
    manifest = world.manifest("contact_uuid,attributes.firstname", [(gone.uuid, "Ann")])
    row = world.last(world.run("contacts update", manifest))
    assert row["_status"] == "unknown"
    assert "does not exist; this row may have had its part in it" in row["_message"]


# --- delete ------------------------------------------------------------------------------------------


def test_delete_asks_looks_and_deletes(make_world: Callable[..., World]) -> None:
    """Without a yes nothing is sent; each contact is looked at first, and one that does not exist is a typo."""
    world = make_world(contacts=3)
    uuids = [world.contact(1), world.contact(2), "no-such-contact"]
    manifest = world.manifest("contact_uuid", uuids)
    with pytest.raises(SetupError, match="contacts delete asks before it starts"):
        world.run("contacts delete", manifest, yes=False)
    result = world.run("contacts delete", manifest)
    assert [row["_status"] for row in world.rows(result)] == ["done", "done", "rejected"]
    assert world.rows(result)[2]["_code"] == "55031"
    assert world.state["contacts"] == 1
    assert world.times("contacts.delete") == {"customer1@example.test": 1, "customer2@example.test": 1}


def test_delete_of_another_than_is_expected_is_rejected(world: World) -> None:
    """expected_email is compared with what a look shows, whatever its case; nothing is sent."""
    rows = [(world.contact(1), "Customer1@Example.test"), (world.contact(2), "someone@example.test")]
    result = world.run("contacts delete", world.manifest("contact_uuid,expected_email", rows))
    first, second = world.rows(result)
    assert (first["_status"], second["_status"]) == ("done", "rejected")
    assert 'expected_email someone@example.test, but it exists, named "customer2@example.test"' in second["_message"]
    assert world.state["contacts"] == 39


@pytest.mark.parametrize("text", ["GDPR", " gdpr ", "DEFAULT", ""])
def test_the_way_of_deleting_is_the_rows_own(world: World, text: str) -> None:
    """As the service names it, whatever its case; DEFAULT where the row says nothing."""
    sent: list[dict[str, str]] = []

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            sent.append(json.loads(request.content))
        return None

    world.hook = hook
    world.run("contacts delete", world.manifest("contact_uuid,type", [(world.contact(1), text)]))
    assert sent == [{"type": text.strip().upper() or "DEFAULT"}]


def test_another_way_of_deleting_is_invalid(world: World) -> None:
    """The two that there are, in words."""
    result = world.run("contacts delete", world.manifest("contact_uuid,type", [(world.contact(1), "HARD")]))
    assert '"HARD" is no way to delete a contact; write DEFAULT or GDPR' in result.notes[0]


@pytest.mark.parametrize("delay_s", [0, 60])
@pytest.mark.parametrize("kind", ["reset-after", "reset-before", "truncated", "504-after"])
def test_a_deletion_in_doubt_is_looked_at_and_happens_once(
    make_world: Callable[..., World], kind: str, delay_s: int
) -> None:
    """Gone: done. Still there, as where deletions wait in a queue: asked again, which changes nothing."""
    world = make_world(contact_delete_delay_s=delay_s)
    world.sandbox.plan(Fault(kind, method="POST", times=1))
    result = world.run("contacts delete", world.manifest("contact_uuid", [world.contact(1)]))
    assert world.statuses(result) == {"done": 1}
    assert world.times("contacts.delete") == {"customer1@example.test": 1}


@pytest.mark.parametrize(
    ("asked", "shown", "same"),
    [
        ("Ann", "Ann", True),
        ("Ann ", "Ann", True),
        ("Ann", "ann", False),
        ("41", 41, True),
        ("41", 41.0, True),
        ("1.50", 1.5, True),
        ("41", 42, False),
        ("x", 42, False),
        ("yes", True, True),
        ("0", False, True),
        ("no", True, False),
        ("1985-02-28", "1985-02-28T00:00:00+00:00", True),
        ("1985-02-28", "1985-02-28 00:00:00", True),
        ("1985-02-28", "1985-02-28T12:00:00+00:00", False),
        ("1985", "1985-02-28T00:00:00+00:00", False),
        ("Ann", None, False),
        ("Ann", ["Ann"], False),
    ],
)
def test_an_answer_may_keep_a_value_in_a_form_of_its_own(asked: str, shown: object, same: bool) -> None:
    """Numbers, flags and days of attributes come back as such; anything else is another value."""
    assert stands_for(asked, shown) is same
