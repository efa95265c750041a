"""Contact identifiers: find, create, link, unlink, update, delete (SEED, stated; check order inferred)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.sandbox.http.messages import Refused, SandboxReply, encode, ok

if TYPE_CHECKING:
    from piggy_batch.sandbox.handlers.call import Call
    from piggy_batch.sandbox.world.contacts import Contact, Identifier

Json = Any
VALUE = "contact_identifier_value"


def _shown(call: Call, identifier: Identifier) -> Json:
    """``contact`` is null while unlinked (SEED, stated), else uuid and e-mail (SEED) or uuid alone (POST)."""
    holder: Json = None
    if identifier.contact is not None:
        holder = {"uuid": identifier.contact}
        contact = call.world.people.contact(identifier.contact)
        if contact is not None and call.settings.link_email:
            holder["email"] = contact.email
    return {
        "name": identifier.name,
        "value": identifier.value,
        "active": identifier.active,
        "contact": holder,
    }


def _value(call: Call) -> str:
    """The value that a request names; its greatest length is a switch."""
    return call.form.need(VALUE, longest=call.settings.longest_value)


def usable(call: Call, value: str) -> Identifier:
    """The identifier, or 60003 where there is none, 60004 where it is inactive."""
    identifier = call.world.people.identifier(value)
    if identifier is None:
        raise Refused(60003)
    if not identifier.active:
        raise Refused(60004)
    return identifier


def card_used(call: Call, value: str | None) -> Json:
    """A card by its value, as the transaction that it was used for shows it; null where there is none."""
    identifier = None if value is None else call.world.people.identifier(value)
    if identifier is None:
        return None
    return {"name": identifier.name, "value": identifier.value, "active": identifier.active}


def _contact(call: Call, uuid: str) -> Contact:
    contact = call.world.people.contact(uuid)
    if contact is None:
        raise Refused(55031)
    return contact


def find(call: Call) -> SandboxReply:
    """GET find: 1003, 60003, 60004."""
    value = _value(call)
    call.form.checked()
    return ok(_shown(call, usable(call, value)))


def create(call: Call) -> SandboxReply:
    """POST: 1003, 55031, 60006.

    The name defaults to the value; with an unknown contact nothing is made (inferred).
    """
    form, people = call.form, call.world.people
    value = _value(call)
    contact, name = form.text("contact_uuid"), form.text("contact_identifier_name")
    form.checked()
    if contact is not None:
        _contact(call, contact)
    if people.identifier(value) is not None:
        raise Refused(60006)
    made = people.add_identifier(value, name or value, contact)
    call.world.effect("identifiers.create", made.value)
    return ok(_shown(call, made))


def link(call: Call) -> SandboxReply:
    """PUT link: 1003, 60003, 60004, 55031, 60014; 60014 also for the contact that holds it (inferred)."""
    value, uuid = _value(call), call.form.need("contact_uuid")
    call.form.checked()
    identifier = usable(call, value)
    contact = _contact(call, uuid)
    if identifier.contact is not None:
        raise Refused(60014)
    call.world.people.hold(identifier, contact.uuid)
    call.world.effect("identifiers.link", identifier.value)
    return ok(_shown(call, identifier))


def unlink(call: Call) -> SandboxReply:
    """PUT unlink: 1003, 60003, 60004; an unlinked one is 60011 or a success without effect (switch)."""
    value = _value(call)
    call.form.checked()
    identifier = usable(call, value)
    if identifier.contact is not None:
        call.world.people.hold(identifier, None)
        call.world.effect("identifiers.unlink", identifier.value)
    elif call.settings.unlink_unlinked == "60011":
        raise Refused(60011)
    return ok(_shown(call, identifier))


def update(call: Call) -> SandboxReply:
    """PUT: name and active, also of an inactive one (inferred: else none could be switched on again)."""
    form, people = call.form, call.world.people
    value, name = _value(call), form.text("contact_identifier_name")
    active = form.flag("contact_identifier_active")
    form.checked()
    identifier = people.identifier(value)
    if identifier is None:
        if call.settings.update_missing == "60003":
            raise Refused(60003)
        raise Refused(1003, {VALUE: ["The selected contact identifier value is invalid."]})
    before = identifier.name, identifier.active
    if name is not None:
        identifier.name = name
    if active is not None:
        people.activate(identifier, active=active)
    if before != (identifier.name, identifier.active):
        call.world.effect("identifiers.update", identifier.value)
    return ok(_shown(call, identifier))


def delete(call: Call) -> SandboxReply:
    """DELETE: 1003, 60003; also of an inactive or (switch) a linked one.

    The answer's data is undocumented (switch).
    """
    value = _value(call)
    call.form.checked()
    identifier = call.world.people.identifier(value)
    if identifier is None:
        raise Refused(60003)
    if identifier.contact is not None and call.settings.delete_linked == "refused":
        raise Refused(60014)
    call.world.people.remove_identifier(identifier)
    call.world.effect("identifiers.delete", identifier.value)
    match call.settings.delete_shape:
        case "empty":
            return SandboxReply(200, b"")
        case "none":
            return SandboxReply(200, encode({"meta": {}}))
        case "[]":
            return ok([], {})
        case "{}":
            return ok({}, {})
        case _:
            return ok(None, {})


def of_contact(call: Call) -> SandboxReply:
    """GET contacts/{uuid}/contact-identifiers: an array with ``default``; of the contact the uuid (LDOC)."""
    contact = _contact(call, call.args[0])
    held = call.world.people.held_by(contact.uuid)
    return ok(
        [
            {
                "name": each.name,
                "value": each.value,
                "active": each.active,
                "default": place == 0,
                "contact": {"uuid": contact.uuid},
            }
            for place, each in enumerate(held)
        ]
    )
