"""Contacts by their e-mail address, the cards that they hold, and the credits that they start with."""

from __future__ import annotations

from piggy_batch.endpoints.operation import (
    Column,
    DesiredState,
    Lookup,
    OpenColumns,
    Operation,
    ResponseFields,
    StartState,
)
from piggy_batch.models import Kind, Repeat

CONTACT = ResponseFields(
    "contact",
    (("contact_uuid", "uuid"), ("contact_email", "email"), ("credit_balance", "credit_balance.balance")),
    label="contact_email",
)
HELD_IDENTIFIER = ResponseFields(
    "identifier of a contact",
    (
        ("contact_identifier_value", "value"),
        ("contact_identifier_name", "name"),
        ("contact_identifier_active", "active"),
        ("contact_identifier_default", "default"),
    ),
)
CREDIT_RECEPTION = ResponseFields("credit reception", (("credit_reception_uuid", "uuid"), ("credits", "credits")))

_EMAIL = Column(
    "email", "the customer's address; spaces around it and case do not matter", kind=Kind.EMAIL, required=True
)
_CONTACT = Column("contact_uuid", "the contact's UUID", kind=Kind.PATH, required=True)
_EMAIL_ECHO = (("email", "email"),)

FIND_CONTACT = Lookup(
    path="contacts/find-one-by", key="email", key_path="email", noun=CONTACT, absent_codes=frozenset({55031})
)

ATTRIBUTES = OpenColumns(
    "attributes.",
    "the value of the attribute of that name",
    body="attributes",
    required=True,
    shown_in="current_values",
)
GET_CONTACT = Lookup(
    path="contacts/{contact_uuid}",
    key="contact_uuid",
    key_path="uuid",
    noun=CONTACT,
    absent_codes=frozenset({55031}),
    open_columns=ATTRIBUTES,
)

CONTACTS = (
    Operation(
        resource="contacts",
        verb="find",
        help="Look contacts up by e-mail address.",
        method="GET",
        path="contacts/find-one-by",
        repeat=Repeat.SAFE,
        columns=(_EMAIL,),
        noun=CONTACT,
        key="email",
        repeat_note="does nothing",
        echoes=_EMAIL_ECHO,
        absent_codes=frozenset({55031}),
    ),
    Operation(
        resource="contacts",
        verb="find-or-create",
        help="Look contacts up by e-mail address, and make those that are missing.",
        # A GET that writes (stated). The service does not say whether it found or made the contact, and a
        # repeat finds it.
        method="GET",
        path="contacts/find-or-create",
        repeat=Repeat.GUARDED,
        columns=(_EMAIL,),
        noun=CONTACT,
        key="email",
        repeat_note="finds the same contact",
        effect="contacts found or made, which the service does not tell apart",
        echoes=_EMAIL_ECHO,
        goal=DesiredState(),
        look=FIND_CONTACT,
        start=StartState.ABSENT,
        confirm=True,
    ),
    Operation(
        resource="contacts",
        verb="create",
        help="Make contacts; those that exist are looked up.",
        method="POST",
        path="contacts",
        repeat=Repeat.GUARDED,
        columns=(_EMAIL, Column("referral_code", "the code of the contact who brought the new one")),
        noun=CONTACT,
        key="email",
        repeat_note="is refused (60005)",
        effect="contacts made",
        goal=DesiredState(),
        look=FIND_CONTACT,
        start=StartState.ABSENT,
        already_codes=frozenset({60005}),
        makes="contact_uuid",
        unique="email",
        confirm=True,
    ),
    Operation(
        resource="contacts",
        verb="update",
        help="Give contacts attributes: a column attributes.NAME for each; a blank cell leaves what is there.",
        method="PUT",
        path="contacts/{contact_uuid}",
        repeat=Repeat.GUARDED,
        columns=(_CONTACT,),
        open_columns=ATTRIBUTES,
        noun=CONTACT,
        key="contact_uuid",
        repeat_note="stores the same values",
        effect="contacts given attributes",
        echoes=(("uuid", "contact_uuid"),),
        goal=DesiredState(),
        look=GET_CONTACT,
        start=StartState.OTHERWISE,
        unique="contact_uuid",
    ),
    Operation(
        resource="contacts",
        verb="delete",
        help="Delete contacts. There is no way back.",
        method="POST",
        path="contacts/{contact_uuid}/delete",
        repeat=Repeat.GUARDED,
        columns=(
            _CONTACT,
            Column(
                "type",
                "DEFAULT; GDPR where the customer asks to be forgotten",
                kind=Kind.DELETION,
                default="DEFAULT",
            ),
            Column(
                "expected_email",
                "the address that the contact must have now. Another one: the row is rejected, nothing is sent",
                kind=Kind.EMAIL,
                sent=False,
                expects="contact_email",
            ),
        ),
        noun=CONTACT,
        key="contact_uuid",
        repeat_note="does nothing, or is refused (55031)",
        effect="contacts deleted",
        goal=DesiredState(exists=False),
        look=GET_CONTACT,
        lookup_before=True,
        already_codes=frozenset({55031}),
        empty_answer_ok=True,  # null, as captured by the SDK's tests; the documentation shows no answer
        unique="contact_uuid",
        confirm=True,
        notes=("the service deletes contacts in the background; one may be shown for some minutes",),
    ),
    Operation(
        resource="contacts",
        verb="identifiers",
        help="List the cards of contacts: several result rows for a contact with several cards.",
        method="GET",
        path="contacts/{contact_uuid}/contact-identifiers",
        repeat=Repeat.SAFE,
        columns=(_CONTACT,),
        noun=HELD_IDENTIFIER,
        key="contact_uuid",
        repeat_note="does nothing",
        absent_codes=frozenset({55031}),
        returns_list=True,
    ),
)

# "Credit Receptions have been largely replaced by top level entities such as Orders, Visits and Bookings. Please use
# those instead" (the vendor's page on credit receptions, stated). No other way to carry a balance over is documented.
RECEPTIONS_DISCOURAGED = (
    "credits are given as credit receptions, which the vendor's page calls largely replaced by orders, visits and "
    "bookings (as of 2026-11-27); for a balance that is carried over no other way is documented"
)

# Points for migrated members: a stage of `migrate`.
GIVE_CREDITS = Operation(
    resource="credits",
    verb="create",
    help="Give contacts loyalty credits.",
    method="POST",
    path="credit-receptions",
    repeat=Repeat.ONCE,
    columns=(
        Column("contact_uuid", "the contact's UUID", required=True),
        Column("credits", "whole credits, more than 0", kind=Kind.CREDITS, required=True),
        Column("shop_uuid", "the shop in whose name they are given", required=True),
    ),
    noun=CREDIT_RECEPTION,
    key="contact_uuid",
    repeat_note="gives them again",
    effect="balances of credits given",
    echoes=(("credits", "credits"), ("contact.uuid", "contact_uuid"), ("shop.uuid", "shop_uuid")),
    makes="credit_reception_uuid",
    confirm=True,
    mails=True,
    notes=(RECEPTIONS_DISCOURAGED,),
    hidden=True,
)
