"""Loyalty cards and other contact identifiers."""

from __future__ import annotations

from piggy_batch.endpoints.operation import (
    NOBODY,
    Column,
    DesiredState,
    Lookup,
    Operation,
    OwnerRule,
    ResponseFields,
    StartState,
    UndoCell,
    UndoSource,
    UndoStep,
)
from piggy_batch.models import Kind, Repeat

IDENTIFIER = ResponseFields(
    "identifier",
    (
        ("contact_identifier_name", "name"),
        ("contact_identifier_active", "active"),
        ("contact_uuid", "contact.uuid"),
        ("contact_email", "contact.email"),
    ),
    owner="contact_uuid",
    owner_email="contact_email",
    label="contact_identifier_name",
    active="contact_identifier_active",
    state=("contact_uuid", "contact_identifier_name", "contact_identifier_active"),
)

_VALUE = Column("contact_identifier_value", "the card number or other code, exactly as scanned", required=True)
_NAME = Column(
    "contact_identifier_name", "a name for the card; the service uses the value where none is given", kind=Kind.NAME
)
_EXPECTED = Column(
    "expected_contact_uuid",
    f'who must hold the card now; "{NOBODY}" says nobody. Another holder: the row is rejected, nothing is sent',
    sent=False,
    expects="contact_uuid",
)
_EXPECTED_NAME = Column(
    "expected_contact_identifier_name",
    "what the card must be called now. Another name: the row is rejected, nothing is sent",
    kind=Kind.NAME,
    sent=False,
    expects="contact_identifier_name",
)
_CONTACT = Column("contact_uuid", "the contact's UUID", required=True)

# 60004 hides owner and name of an inactive card (stated); the list of a contact's cards still shows it.
FIND_IDENTIFIER = Lookup(
    path="contact-identifiers/find",
    key="contact_identifier_value",
    key_path="value",
    noun=IDENTIFIER,
    absent_codes=frozenset({60003}),
    hidden_codes=frozenset({60004}),
    inside="contacts/{contact_uuid}/contact-identifiers",
    activate="identifiers update (contact_identifier_active true)",
)
_VALUE_ECHO = (("value", "contact_identifier_value"),)

# The card's holder, and its name where that is known, are expected to be what the run has left: what somebody has
# changed since stays as it is.
_UNDO_VALUE = UndoCell("contact_identifier_value", UndoSource.ROW, "contact_identifier_value")
_UNDO_HOLDER = UndoCell("expected_contact_uuid", UndoSource.AFTER, "contact_uuid")
_UNDO_NAMED = UndoCell("expected_contact_identifier_name", UndoSource.AFTER, "contact_identifier_name")
_FORMER_CONTACT = UndoCell("contact_uuid", UndoSource.BEFORE, "contact_uuid")

IDENTIFIERS = (
    Operation(
        resource="identifiers",
        verb="find",
        help="Look cards up: name, active state and the contact they belong to.",
        method="GET",
        path="contact-identifiers/find",
        repeat=Repeat.SAFE,
        columns=(_VALUE,),
        noun=IDENTIFIER,
        key="contact_identifier_value",
        repeat_note="does nothing",
        echoes=_VALUE_ECHO,
        absent_codes=frozenset({60003}),
        inactive_codes=frozenset({60004}),
    ),
    Operation(
        resource="identifiers",
        verb="create",
        help="Create cards, each with its contact where the row has one.",
        method="POST",
        path="contact-identifiers",
        repeat=Repeat.GUARDED,
        confirm_above=1_000,
        columns=(_VALUE, Column("contact_uuid", "the contact the card belongs to; blank: nobody yet"), _NAME),
        noun=IDENTIFIER,
        key="contact_identifier_value",
        repeat_note="is refused (60006)",
        echoes=_VALUE_ECHO,
        goal=DesiredState(owner=OwnerRule.ROW, active=True, columns=("contact_identifier_name",)),
        look=FIND_IDENTIFIER,
        start=StartState.ABSENT,
        already_codes=frozenset({60006}),
        unique="contact_identifier_value",
        undo=(UndoStep("identifiers delete", (_UNDO_VALUE, _UNDO_HOLDER, _UNDO_NAMED)),),
    ),
    Operation(
        resource="identifiers",
        verb="link",
        help="Give existing, unlinked cards to existing contacts.",
        method="PUT",
        path="contact-identifiers/link",
        repeat=Repeat.GUARDED,
        columns=(_VALUE, _CONTACT),
        noun=IDENTIFIER,
        key="contact_identifier_value",
        repeat_note="is refused (60014)",
        echoes=_VALUE_ECHO,
        goal=DesiredState(owner=OwnerRule.ROW, active=True),
        look=FIND_IDENTIFIER,
        start=StartState.UNOWNED,
        needs_active=True,
        already_codes=frozenset({60014}),
        unique="contact_identifier_value",
        confirm=True,
        undo=(UndoStep("identifiers unlink", (_UNDO_VALUE, _UNDO_HOLDER)),),
    ),
    Operation(
        resource="identifiers",
        verb="unlink",
        help="Take cards from the contacts that hold them.",
        method="PUT",
        path="contact-identifiers/unlink",
        repeat=Repeat.GUARDED,
        columns=(_VALUE, _EXPECTED, _EXPECTED_NAME),
        noun=IDENTIFIER,
        key="contact_identifier_value",
        repeat_note="is refused (60011) or does nothing",
        echoes=_VALUE_ECHO,
        goal=DesiredState(owner=OwnerRule.NOBODY),
        look=FIND_IDENTIFIER,
        lookup_before=True,
        needs_active=True,
        already_codes=frozenset({60011}),
        unique="contact_identifier_value",
        confirm=True,
        undo=(UndoStep("identifiers link", (_UNDO_VALUE, _FORMER_CONTACT, _UNDO_HOLDER)),),
    ),
    Operation(
        resource="identifiers",
        verb="update",
        help="Rename cards, or make them active or inactive.",
        method="PUT",
        path="contact-identifiers",
        repeat=Repeat.GUARDED,
        columns=(
            _VALUE,
            Column("contact_identifier_name", "the new name", kind=Kind.NAME),
            Column("contact_identifier_active", "true or false", kind=Kind.FLAG),
            _EXPECTED,
            _EXPECTED_NAME,
        ),
        noun=IDENTIFIER,
        key="contact_identifier_value",
        repeat_note="does nothing",
        echoes=_VALUE_ECHO,
        goal=DesiredState(columns=("contact_identifier_name", "contact_identifier_active")),
        look=FIND_IDENTIFIER,
        lookup_before=True,
        unique="contact_identifier_value",
        at_least_one=("contact_identifier_name", "contact_identifier_active"),
        undo=(
            UndoStep(
                "identifiers update",
                (
                    _UNDO_VALUE,
                    UndoCell("contact_identifier_name", UndoSource.BEFORE, "contact_identifier_name", where_given=True),
                    UndoCell(
                        "contact_identifier_active", UndoSource.BEFORE, "contact_identifier_active", where_given=True
                    ),
                    _UNDO_HOLDER,
                    _UNDO_NAMED,
                ),
            ),
        ),
    ),
    Operation(
        resource="identifiers",
        verb="delete",
        help="Delete cards.",
        method="DELETE",
        path="contact-identifiers",
        repeat=Repeat.GUARDED,
        columns=(_VALUE, _EXPECTED, _EXPECTED_NAME),
        noun=IDENTIFIER,
        key="contact_identifier_value",
        repeat_note="is refused (60003)",
        goal=DesiredState(exists=False),
        look=FIND_IDENTIFIER,
        lookup_before=True,
        empty_answer_ok=True,  # undocumented; null, [], {} and nothing at all have been seen or inferred, and no more
        unique="contact_identifier_value",
        confirm=True,
        undo=(
            UndoStep(
                "identifiers create",
                (
                    _UNDO_VALUE,
                    _FORMER_CONTACT,
                    UndoCell("contact_identifier_name", UndoSource.BEFORE, "contact_identifier_name"),
                ),
            ),
            UndoStep(
                "identifiers update",
                (
                    _UNDO_VALUE,
                    UndoCell("contact_identifier_active", UndoSource.BEFORE, "contact_identifier_active"),
                    UndoCell("expected_contact_uuid", UndoSource.BEFORE, "contact_uuid"),
                    UndoCell("expected_contact_identifier_name", UndoSource.BEFORE, "contact_identifier_name"),
                ),
                where_inactive=True,
            ),
        ),
    ),
    Operation(
        resource="identifiers",
        verb="verify",
        help="Compare cards with what the manifest says of them, without changing anything.",
        method="GET",
        path="contact-identifiers/find",
        repeat=Repeat.SAFE,
        columns=(
            _VALUE,
            Column("contact_uuid", f'who must hold the card; "{NOBODY}" says nobody', sent=False),
            Column(
                "email", "the address of who must hold it, where contact_uuid is blank", kind=Kind.EMAIL, sent=False
            ),
            Column("contact_identifier_name", "the name that it must have", kind=Kind.NAME, sent=False),
            Column("contact_identifier_active", "true or false", kind=Kind.FLAG, sent=False),
            Column("credits", "what a migration gave the customer; see --migration", kind=Kind.BALANCE, sent=False),
        ),
        noun=IDENTIFIER,
        key="contact_identifier_value",
        repeat_note="does nothing",
        goal=DesiredState(owner=OwnerRule.ROW),
        look=FIND_IDENTIFIER,
        verify=True,
    ),
)
