"""Error codes with their messages, word for word as the vendor's error page and endpoint pages publish them (stated).

Bilingual messages are one text, Dutch first. The documentation tells to match on the code alone. A code without
an entry is answered with ``UNPUBLISHED``, a text of our own: what the service says there is not known.
"""

from __future__ import annotations

UNPUBLISHED = "Unknown error."
MESSAGES: dict[int, str] = {
    1000: "Interne fout. | Internal error.",
    1003: "Invalid input.",
    1008: "Shop not found.",
    1015: "Maximum amount of credits reached.",
    1027: "POS Transaction not found.",
    1028: "Credit reception not found.",
    1100: "Giftcard Program not found.",
    1114: "Only non re-incrementable giftcards can be used in the OAuth Clients API.",
    5001: "Giftcard not found.",
    5002: "Het bedrag op de kaart is verlopen. | This giftcard has expired.",
    5003: "Het bedrag op de kaart is niet toereikend. | Insufficient amount on giftcard.",
    5006: "Deze giftcard kan niet opgewaardeerd worden. | This giftcard cannot be incremented.",
    5007: "Deze giftcard is niet gekoppeld aan een programma. | Giftcard not linked to Giftcard Program.",
    5008: "Maximale limiet op kaart bereikt. | Max amount will be exceeded.",
    5010: "Giftcard transaction not found.",
    6001: "The POS transaction is already linked to a credit reception.",
    7002: "Account inactive.",
    7010: "That giftcard is not valid.",
    7011: "User has no access to this account.",
    7015: "Shop does not have access to Giftcard Program.",
    55021: "Only Digital giftcards can by created using the public API.",
    55025: "This is not the giftcards last transaction.",
    55031: "Contact not found.",
    55046: "No default unit found.",
    60000: "Usage limit reached.",
    60001: "Credit reception creating in progress.",
    60003: "Contact identifier not found.",
    60004: "Contact identifier inactive.",
    60005: "Contact already exists.",
    60006: "Contact identifier already exists.",
    60007: "Unit not found.",
    60011: "Contact identifier is not linked to a contact.",
    60014: "Contact identifier is already linked.",
}
