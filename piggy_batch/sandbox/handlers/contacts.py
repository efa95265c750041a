"""Contacts: list, create, find, find-or-create, get, update, delete, credit balance (LDOC, POST)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.sandbox.handlers.call import chosen_page, paging, viewing_meta
from piggy_batch.sandbox.http.messages import Refused, SandboxReply, ok, within
from piggy_batch.sandbox.world.ids import iso

if TYPE_CHECKING:
    from piggy_batch.sandbox.handlers.call import Call
    from piggy_batch.sandbox.world.contacts import Contact

Json = Any


def _full(call: Call, contact: Contact) -> Json:
    """A contact with all its parts (POST, captured; those of a real one run to hundreds of lines).

    Values of attributes and descriptions of subscriptions are texts, ``""`` when blank, never null (stated: 477 of
    477 captured ones; the SDK fails on null).
    """
    held = call.world.people.held_by(contact.uuid)
    attributes = call.world.attributes
    texts = contact.attributes | {"email": contact.email}
    current = {name: each.current(texts.get(name, "")) for name, each in attributes.items()} | {
        "uuid": contact.uuid,
        "default_contact_identifier": held[0].value if held else None,
        "loyalty_balance": contact.credits,
        "prepaid_balance": contact.prepaid_cents / 100,
        "is_anonymous": contact.anonymous,
        "created_at": iso(contact.created),
    }
    shown = attributes.items() if call.settings.attributes_shown else ()
    subscribed = contact.email not in call.settings.unsubscribed
    return {
        "id": contact.number,
        "uuid": contact.uuid,
        "email": contact.email,
        "attributes": [{"value": texts.get(name, ""), "attribute": each.shown()} for name, each in shown],
        "tier": None,
        "subscriptions": [
            {
                "is_subscribed": subscribed,
                "status": "SUBSCRIBED" if subscribed else "UNSUBSCRIBED",
                "subscription_type": {
                    "name": "Functional",
                    "description": "",
                    "active": True,
                    "strategy": "OPT_OUT",
                    "uuid": None,
                    "id": 1,
                },
            }
        ],
        "credit_balance": {"balance": contact.credits, "id": contact.number},
        "prepaid_balance": {"balance_in_cents": contact.prepaid_cents},
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


def known_contact(call: Call) -> Contact:
    """The contact that the path names, or 55031."""
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


def listed(call: Call) -> SandboxReply:
    """GET contacts: 30 a page, 100 at most; ``limit`` comes back as text (POST); sort and created_at."""
    page, limit = paging(call)
    people = call.world.people
    numbers = people.order
    fits = within(call.form.values)
    if fits is not None:
        numbers = [number for number in numbers if fits(people.contacts[number].created)]
    chosen = chosen_page(call, numbers, page, limit)
    rows = [_full(call, people.contacts[number]) for number in chosen]
    return ok(rows, viewing_meta(page, limit, len(numbers), len(rows)) | {"limit": str(limit)})


def create(call: Call) -> SandboxReply:
    """POST contacts and contacts/async: 1003, 60005, 60000."""
    email = _email(call)
    if call.world.people.contact_by_email(email) is not None:
        raise Refused(60005)
    return ok({"uuid": _make(call, email).uuid}, {})


def create_anonymous(call: Call) -> SandboxReply:
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
    return ok({"uuid": made.uuid}, {})


def find(call: Call) -> SandboxReply:
    """GET contacts/find-one-by: 1003, 55031."""
    contact = call.world.people.contact_by_email(_email(call))
    if contact is None:
        raise Refused(55031)
    return ok(_full(call, contact))


def _found_or_made(call: Call) -> Contact:
    email = _email(call)
    return call.world.people.contact_by_email(email) or _make(call, email)


def find_or_create(call: Call) -> SandboxReply:
    """GET contacts/find-or-create: a GET that writes; 1003, 60000."""
    return ok(_full(call, _found_or_made(call)))


def find_or_create_async(call: Call) -> SandboxReply:
    """GET contacts/find-or-create/async: the uuid alone; 1003, 60000."""
    return ok({"uuid": _found_or_made(call).uuid})


def get(call: Call) -> SandboxReply:
    """GET contacts/{uuid}: 55031."""
    return ok(_full(call, known_contact(call)))


def update(call: Call) -> SandboxReply:
    """PUT contacts/{uuid}: ``attributes`` by name, those not named stay; 1003, 55031.

    That an unknown attribute (switch), one that the service sets itself or a value of another type is 1003 is
    inferred.
    """
    form, known = call.form, call.world.attributes
    contact = known_contact(call)
    given = form.values.get("attributes")
    if not isinstance(given, dict) or not given:
        form.complain("attributes", "field is required.")
        given = {}
    texts: dict[str, str] = {}
    for name, value in given.items():
        attribute = known.get(name)
        if attribute is None:
            if call.settings.unknown_attribute == "1003":
                form.errors[f"attributes.{name}"] = [f"The selected attribute {name} is invalid."]
            continue
        complaint = attribute.complaint(value)
        if complaint is not None:
            form.errors[f"attributes.{name}"] = [complaint]
        texts[name] = "" if value is None else str(value)
    form.checked()
    before = dict(contact.attributes)
    contact.attributes = {name: text for name, text in (before | texts).items() if text != ""}
    if contact.attributes != before:
        call.world.effect("contacts.update", contact.uuid)
    return ok(_full(call, contact))


def delete(call: Call) -> SandboxReply:
    """POST contacts/{uuid}/delete: queued (DUMP, stated), so it shows after a delay (switch); 1003, 55031."""
    contact = known_contact(call)
    if call.form.need("type") not in ("DEFAULT", "GDPR"):
        call.form.errors.setdefault("type", ["The selected type is invalid."])
    call.form.checked()
    if any(queued is contact for _, queued in call.world.queued):
        return ok(None, {})
    call.world.effect("contacts.delete", contact.email)
    delay_s = call.settings.contact_delete_delay_s
    if delay_s > 0:
        call.world.queued.append((call.now + delay_s, contact))
    else:
        call.world.people.remove_contact(contact)
    return ok(None, {})


def credit_balance(call: Call) -> SandboxReply:
    """GET contacts/{uuid}/credit-balance: 55031."""
    return ok({"balance": known_contact(call).credits}, {})
