"""Contacts by their e-mail address: find, find-or-create, create, and the cards they hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from piggy_batch.endpoints.cells import check_email, identity_of, is_made_up
from piggy_batch.sandbox import Fault
from tests.importing.migration.support import Shop


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
