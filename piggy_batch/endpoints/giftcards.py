"""Giftcards: cards, their money, and the mails that bring them."""

from __future__ import annotations

from piggy_batch.endpoints.operation import (
    CardTrouble,
    Column,
    OpenColumns,
    Operation,
    ResponseFields,
    UndoCell,
    UndoSource,
    UndoStep,
    Waiver,
)
from piggy_batch.models import Kind, Repeat

_CARD_FIELDS = (
    ("giftcard_uuid", "uuid"),
    ("hash", "hash"),
    ("type", "type"),
    ("amount_in_cents", "amount_in_cents"),
    ("active", "active"),
    ("upgradeable", "upgradeable"),
    ("expiration_date", "expiration_date"),
    ("giftcard_program_uuid", "giftcard_program.uuid"),
    ("giftcard_program_name", "giftcard_program.name"),
    ("url", "url"),
)
GIFTCARD = ResponseFields("giftcard", _CARD_FIELDS)
# A new card always holds 0 cents; leaving the field out lets an own amount_in_cents column reach `load`.
NEW_GIFTCARD = ResponseFields("new giftcard", tuple(f for f in _CARD_FIELDS if f[0] != "amount_in_cents"))
TRANSACTION = ResponseFields(
    "giftcard transaction",
    (("giftcard_transaction_uuid", "uuid"), ("transaction_created_at", "created_at")),
)
REVERSAL = ResponseFields(
    "reversal of a giftcard transaction",
    (
        ("reversal_transaction_uuid", "uuid"),
        ("reversal_amount_in_cents", "amount_in_cents"),
        ("reversal_created_at", "created_at"),
    ),
)
MAIL = ResponseFields("mail", ())


# "Only physical giftcards can be incremented after their initial incrementation. Digital giftcards can only be
# incremented once" (the vendor's page on giftcard transactions, stated).
_LOADED_ONCE = "a digital giftcard can be loaded once only, a physical one again and again"

SEE_SHOPS = "piggy-batch shops list prints the account's shops"

_GIFTCARD = Column("giftcard_uuid", "the giftcard's UUID", kind=Kind.PATH, required=True)

GIFTCARDS = (
    Operation(
        resource="giftcards",
        verb="get",
        help="Look giftcards up by their UUID.",
        method="GET",
        path="giftcards/{giftcard_uuid}",
        repeat=Repeat.SAFE,
        columns=(_GIFTCARD,),
        noun=GIFTCARD,
        key="giftcard_uuid",
        repeat_note="does nothing",
        echoes=(("uuid", "giftcard_uuid"),),
        absent_codes=frozenset({5001}),
    ),
    Operation(
        resource="giftcards",
        verb="find",
        help="Look giftcards up by their hash, the code on the card.",
        method="GET",
        path="giftcards/find-one-by",
        repeat=Repeat.SAFE,
        columns=(Column("hash", "the giftcard's hash or QR code", required=True),),
        noun=GIFTCARD,
        key="hash",
        repeat_note="does nothing",
        echoes=(("hash", "hash"),),
        absent_codes=frozenset({5001}),
    ),
    Operation(
        resource="giftcards",
        verb="create",
        help="Make digital giftcards of 0 cents; `giftcards load` then puts money on them.",
        method="POST",
        path="giftcards",
        repeat=Repeat.ONCE,
        columns=(
            Column("giftcard_program_uuid", "the program the card is made in", required=True),
            Column("type", "1: the service makes digital cards only", kind=Kind.DIGITAL, default="1"),
        ),
        noun=NEW_GIFTCARD,
        key="giftcard_program_uuid",
        repeat_note="makes another card",
        effect="giftcards made",
        echoes=(("giftcard_program.uuid", "giftcard_program_uuid"),),
        fixed={"type": 1},
        makes="giftcard_uuid",
        confirm=True,
        baseline=True,
    ),
    Operation(
        resource="giftcards",
        verb="load",
        help="Put money on giftcards.",
        method="POST",
        path="giftcard-transactions",
        repeat=Repeat.ONCE,
        columns=(
            Column("giftcard_uuid", "the giftcard's UUID", required=True),
            Column("amount_in_cents", "whole cents, more than 0", kind=Kind.CENTS, required=True),
            Column("shop_uuid", "the shop in whose name the money is put on", required=True),
        ),
        noun=TRANSACTION,
        key="giftcard_uuid",
        repeat_note="moves the money again",
        undo=(
            UndoStep(
                "giftcards reverse",
                (
                    UndoCell("giftcard_transaction_uuid", UndoSource.AFTER, "giftcard_transaction_uuid"),
                    UndoCell("giftcard_uuid", UndoSource.ROW, "giftcard_uuid"),
                ),
            ),
        ),
        echoes=(("amount_in_cents", "amount_in_cents"), ("card.uuid", "giftcard_uuid"), ("shop.uuid", "shop_uuid")),
        makes="giftcard_transaction_uuid",
        unique="giftcard_uuid",
        waiver=Waiver(
            "allow_repeats",
            "A giftcard may be loaded in several rows.",
            refusal="the card would be loaded twice (--allow-repeats permits it)",
            warning=f"--allow-repeats: {_LOADED_ONCE}; of a card's rows all but the first are then refused (5006)",
        ),
        preview=(CardTrouble.LOADED, CardTrouble.EXPIRED, CardTrouble.INACTIVE),
        notes=(_LOADED_ONCE,),
        advice={5006: _LOADED_ONCE, 1008: SEE_SHOPS},
        confirm=True,
    ),
    Operation(
        resource="giftcards",
        verb="reverse",
        help="Take giftcard transactions back: a new one of each for the same amount the other way.",
        method="POST",
        path="giftcard-transactions/{giftcard_transaction_uuid}/reverse",
        repeat=Repeat.ONCE,
        columns=(
            Column("giftcard_transaction_uuid", "the transaction's UUID", kind=Kind.PATH, required=True),
            Column("giftcard_uuid", "the giftcard that it was made on; another one is told", sent=False),
        ),
        noun=REVERSAL,
        key="giftcard_transaction_uuid",
        repeat_note="is refused (55025) while the reversal is the card's last transaction",
        effect="giftcard transactions reversed",
        echoes=(("card.uuid", "giftcard_uuid"),),
        makes="reversal_transaction_uuid",
        made_from="giftcard_transaction_uuid",
        unique="giftcard_transaction_uuid",
        confirm=True,
        notes=("only the last transaction of a giftcard can be reversed",),
        advice={55025: "piggy-batch giftcards transactions export shows which came after it"},
    ),
    Operation(
        resource="giftcards",
        verb="send",
        help="Mail giftcards to contacts.",
        method="POST",
        path="giftcards/{giftcard_uuid}/send-by-email",
        repeat=Repeat.ONCE,
        columns=(
            _GIFTCARD,
            Column("contact_uuid", "the contact the mail goes to", required=True),
            Column("email_uuid", "the e-mail template; blank: the account's own choice"),
        ),
        noun=MAIL,
        key="giftcard_uuid",
        repeat_note="sends a second e-mail",
        effect="giftcards mailed",
        unique="giftcard_uuid",
        waiver=Waiver(
            "allow_shared",
            "A giftcard may go to several contacts.",
            refusal="two people could spend one card (--allow-shared permits other contacts)",
            once_with="contact_uuid",
        ),
        confirm=True,
        preview=(CardTrouble.EMPTY, CardTrouble.EXPIRED, CardTrouble.INACTIVE),
        open_columns=OpenColumns("custom.", "a merge tag for the e-mail", body="merge_tags", keeps_prefix=True),
        # The text names no card and no contact; what that leaves open is told in `help reliability`.
        success_texts=frozenset({"Email successfully sent"}),
        mails=True,
    ),
)
