"""Contacts: list, create, find, find-or-create, get, delete, credit balance (LDOC, POST)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.sandbox.handlers.call import paging, viewing_meta
from piggy_batch.sandbox.http.messages import Refused, Reply, ok, within
from piggy_batch.sandbox.world.ids import iso

if TYPE_CHECKING:
    from piggy_batch.sandbox.handlers.call import Call
    from piggy_batch.sandbox.world.contacts import Contact

Json = Any


def _attribute(number: int, name: str, value: Json) -> Json:
    attribute = {
        "id": number,
        "type": "TEXT",
        "field_type": "text",
        "name": name,
        "label": name.capitalize(),
        "options": [],
        "is_piggy_defined": True,
        "is_soft_read_only": False,
        "is_hard_read_only": False,
    }
    return {"value": value, "attribute": attribute}


def _full(call: Call, contact: Contact) -> Json:
    """A contact with all its parts (POST, captured; the values of a real one run to hundreds of lines)."""
    held = call.world.people.held_by(contact.uuid)
    current = {
        "email": contact.email,
        "default_contact_identifier": held[0].value if held else None,
        "loyalty_balance": contact.credits,
        "created_at": iso(contact.created),
    }
    return {
        "id": contact.number,
        "uuid": contact.uuid,
        "email": contact.email,
        "attributes": [_attribute(1, "email", contact.email), _attribute(2, "firstname", None)],
        "tier": None,
        "subscriptions": [
            {
                "is_subscribed": contact.email not in call.settings.unsubscribed,
                "status": "SUBSCRIBED",
                "subscription_type": {
                    "name": "Functional",
                    "description": None,
                    "active": True,
                    "strategy": "OPT_OUT",
                    "uuid": None,
                    "id": 1,
                },
            }
        ],
        "credit_balance": {"balance": contact.credits, "id": contact.number},
        "prepaid_balance": {"balance_in_cents": 0},
        "current_values": current,
        "current_display_values": {name: "" if value is None else str(value) for name, value in current.items()},
    }


def _email(call: Call) -> str:
    form = call.form
    email = form.need("email").strip()
    name, at, host = email.partition("@")
    if email and (not name or not at or "." not in host or " " in email):
        form.errors["email"] = ["The email field must be a valid email address."]
    form.checked()
    return email


def _known(call: Call) -> Contact:
    contact = call.world.people.contact(call.args[0])
    if contact is None:
        raise Refused(55031)
    return contact


def _make(call: Call, email: str, *, anonymous: bool = False) -> Contact:
    """A new contact, or 60000 beyond the account's quota (switch; stated for async and find-or-create)."""
    people, quota = call.world.people, call.settings.contact_quota
    if quota is not None and len(people.contacts) >= quota:
        raise Refused(60000)
    made = people.add_contact(email, call.now, anonymous=anonymous)
    call.world.effect("contacts.create", made.email)
    return made


def listed(call: Call) -> Reply:
    """GET contacts: 30 a page, 100 at most; ``limit`` comes back as text (POST); sort and created_at."""
    page, limit = paging(call)
    people = call.world.people
    sort = call.form.values.get("sort")
    if sort not in (None, "", "created_at", "-created_at"):
        raise Refused(1003, {"sort": ["The selected sort is invalid."]})
    numbers = people.order
    fits = within(call.form.values)
    if fits is not None:
        numbers = [number for number in numbers if fits(people.contacts[number].created)]
    total, start = len(numbers), (page - 1) * limit
    if sort == "-created_at":
        chosen = numbers[max(0, total - start - limit) : max(0, total - start)][::-1]
    else:
        chosen = numbers[start : start + limit]
    rows = [_full(call, people.contacts[number]) for number in chosen]
    return ok(rows, viewing_meta(page, limit, total, len(rows)) | {"limit": str(limit)})


def create(call: Call) -> Reply:
    """POST contacts and contacts/async: 1003, 60005, 60000."""
    email = _email(call)
    if call.world.people.contact_by_email(email) is not None:
        raise Refused(60005)
    return ok({"uuid": _make(call, email).uuid})


def create_anonymous(call: Call) -> Reply:
    """POST contacts/anonymous: an active, unlinked identifier may come along (60003, 60004, 60014)."""
    people = call.world.people
    value = call.form.text("contact_identifier_value")
    call.form.checked()
    identifier = None
    if value is not None:
        identifier = people.identifier(value)
        if identifier is None:
            raise Refused(60003)
        if not identifier.active:
            raise Refused(60004)
        if identifier.contact is not None:
            raise Refused(60014)
    made = _make(call, f"anonymous-{call.serial}@anonymous.example.test", anonymous=True)
    if identifier is not None:
        people.hold(identifier, made.uuid)
        call.world.effect("identifiers.link", identifier.value)
    return ok({"uuid": made.uuid})


def find(call: Call) -> Reply:
    """GET contacts/find-one-by: 1003, 55031."""
    contact = call.world.people.contact_by_email(_email(call))
    if contact is None:
        raise Refused(55031)
    return ok(_full(call, contact))


def _found_or_made(call: Call) -> Contact:
    email = _email(call)
    return call.world.people.contact_by_email(email) or _make(call, email)


def find_or_create(call: Call) -> Reply:
    """GET contacts/find-or-create: a GET that writes; 1003, 60000."""
    return ok(_full(call, _found_or_made(call)))


def find_or_create_async(call: Call) -> Reply:
    """GET contacts/find-or-create/async: the uuid alone; 1003, 60000."""
    return ok({"uuid": _found_or_made(call).uuid})


def get(call: Call) -> Reply:
    """GET contacts/{uuid}: 55031."""
    return ok(_full(call, _known(call)))


def delete(call: Call) -> Reply:
    """POST contacts/{uuid}/delete: queued (DUMP, stated), so it shows after a delay (switch); 1003, 55031."""
    contact = _known(call)
    if call.form.need("type") not in ("DEFAULT", "GDPR"):
        call.form.errors.setdefault("type", ["The selected type is invalid."])
    call.form.checked()
    call.world.effect("contacts.delete", contact.email)
    delay_s = call.settings.contact_delete_delay_s
    if delay_s > 0:
        call.world.queued.append((call.now + delay_s, contact))
    else:
        call.world.people.remove_contact(contact)
    return ok(None)


def credit_balance(call: Call) -> Reply:
    """GET contacts/{uuid}/credit-balance: 55031."""
    return ok({"balance": _known(call).credits})
