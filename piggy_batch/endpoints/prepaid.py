"""Prepaid money of contacts: given, taken back, and the balance."""

from __future__ import annotations

from piggy_batch.endpoints.giftcards import SEE_SHOPS
from piggy_batch.endpoints.operation import Column, Operation, ResponseFields, UndoCell, UndoSource, UndoStep, Waiver
from piggy_batch.models import Kind, Repeat

_MOVED = (("prepaid_balance_in_cents", "prepaid_balance.balance_in_cents"), ("transaction_created_at", "created_at"))
PREPAID_TRANSACTION = ResponseFields("prepaid transaction", (("prepaid_transaction_uuid", "uuid"), *_MOVED))
PREPAID_REVERSAL = ResponseFields(
    "reversal of a prepaid transaction",
    (("reversal_transaction_uuid", "uuid"), ("reversal_amount_in_cents", "amount_in_cents"), *_MOVED),
)
PREPAID_BALANCE = ResponseFields("prepaid balance", (("prepaid_balance_in_cents", "balance_in_cents"),))

PREPAID = (
    Operation(
        resource="prepaid",
        verb="balance",
        help="Read what contacts hold as prepaid money.",
        method="GET",
        path="contacts/{contact_uuid}/prepaid-balance",
        repeat=Repeat.SAFE,
        columns=(Column("contact_uuid", "the contact's UUID", kind=Kind.PATH, required=True),),
        noun=PREPAID_BALANCE,
        key="contact_uuid",
        repeat_note="does nothing",
        absent_codes=frozenset({55031}),
    ),
    Operation(
        resource="prepaid",
        verb="load",
        help="Give contacts prepaid money, by their UUID or by a card that they hold.",
        method="POST",
        path="prepaid-transactions",
        repeat=Repeat.ONCE,
        columns=(
            Column("contact_uuid", "the contact's UUID; or:"),
            Column("contact_identifier_value", "a card of the contact; not read where there is a contact_uuid"),
            Column("amount_in_cents", "whole cents, more than 0", kind=Kind.CENTS, required=True),
            Column("shop_uuid", "the shop in whose name the money is given", required=True),
        ),
        one_of=("contact_uuid", "contact_identifier_value"),
        noun=PREPAID_TRANSACTION,
        key="contact_uuid",
        repeat_note="gives the money again",
        undo=(
            UndoStep(
                "prepaid reverse",
                (UndoCell("prepaid_transaction_uuid", UndoSource.AFTER, "prepaid_transaction_uuid"),),
            ),
        ),
        echoes=(
            ("amount_in_cents", "amount_in_cents"),
            ("shop.uuid", "shop_uuid"),
            ("contact_identifier.value", "contact_identifier_value"),
            ("contact.uuid", "contact_uuid"),  # not documented; where it is shown it must be the one asked for
        ),
        makes="prepaid_transaction_uuid",
        unique="contact_uuid",
        waiver=Waiver(
            "allow_repeats",
            "A contact may be given money in several rows.",
            refusal="the contact would be given money twice (--allow-repeats permits it)",
        ),
        confirm=True,
        advice={1008: SEE_SHOPS},
    ),
    Operation(
        resource="prepaid",
        verb="reverse",
        help="Take prepaid transactions back: a new one of each for the same amount the other way.",
        method="POST",
        path="prepaid-transactions/{prepaid_transaction_uuid}/reverse",
        repeat=Repeat.ONCE,
        columns=(Column("prepaid_transaction_uuid", "the transaction's UUID", kind=Kind.PATH, required=True),),
        noun=PREPAID_REVERSAL,
        key="prepaid_transaction_uuid",
        repeat_note="may take the money back again",
        effect="prepaid transactions reversed",
        makes="reversal_transaction_uuid",
        made_from="prepaid_transaction_uuid",
        unique="prepaid_transaction_uuid",
        confirm=True,
    ),
)
