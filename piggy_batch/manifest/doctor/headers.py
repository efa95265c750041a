"""Headers as people write them, matched to the fields of a command."""

from __future__ import annotations

import re
import shlex
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_GLUE = re.compile(r"[\W_]+")
LONGEST_HEADER = 400  # characters

# Lower case, words joined by nothing, as ``normalize_header`` leaves them: English, Dutch, German, French, with the
# usual misspellings.
_SYNONYMS: Mapping[str, str] = {
    "contact_identifier_value": (
        "card cards cardno cardnr cardnum cardnumber cardid cardcode cardvalue loyaltycard loyaltycardnumber "
        "loyaltycardno loyaltynumber membercard membercardnumber membernumber memberno customercard "
        "customercardnumber barcode barcodevalue ean ean13 qr qrcode qrvalue code scancode identifier "
        "identifiervalue contactidentifier value number kaart kaarten kaartnummer kaartnr kaartno kaartcode "
        "kaartid klantkaart klantkaartnummer klantkaartnr klantenkaart klantenkaartnummer klantenkaartnr pasnummer "
        "pasnr pas klantenpas klantpas spaarkaart spaarkaartnummer spaarkaartnr spaarpas spaarpasnummer "
        "lidnummer lidmaatschapsnummer streepjescode "
        "karte kartennummer kartennr kartenno kartencode kundenkarte kundenkartennummer kundenkartennr "
        "bonuskarte mitgliedskarte mitgliedsnummer strichcode "
        "carte cartes numerocarte numerodecarte nocarte ncarte nodecarte cartefidelite cartedefidelite "
        "numerocartefidelite numerodecartedefidelite codebarre codebarres codeabarres"
    ),
    "contact_identifier_name": (
        # not name, naam, nom: in a list of customers that is the customer's
        "cardname label identifiername description kaartnaam omschrijving etiket benaming "
        "bezeichnung kartenname beschreibung libelle nomcarte nomdelacarte"
    ),
    "contact_identifier_active": (
        "active enabled isactive status actief geactiveerd ingeschakeld aktiv aktiviert actif activee statut etat"
    ),
    "contact_uuid": (
        "contact contactid uuid customeruuid customerid memberuuid memberid personuuid piggyuuid piggyid "
        "leatuuid klantuuid klantid klant lid contactpersoon kunde kundenuuid kundenid kontakt kontaktid "
        "client clientid clientuuid"
    ),
    "expected_contact_uuid": (
        "expectedcontact currentcontact currentowner owner eigenaar huidigeeigenaar besitzer inhaber proprietaire"
    ),
    "email": (
        "mail emailaddress mailaddress emailadres mailadres emailadress contactemail customeremail "
        "emailklant klantemail epost emailadresse mailadresse kundenemail courriel adressemail adresseemail "
        "adressecourriel emailclient"
    ),
    "hash": (
        "giftcardhash giftcardcode giftcode vouchercode voucher qr qrcode qrvalue code barcode "
        "cadeaukaartcode cadeaubon cadeauboncode cadeaukaart boncode waardebon "
        "gutschein gutscheincode gutscheinnummer geschenkkarte cartecadeau chequecadeau codecadeau boncadeau"
    ),
    "giftcard_uuid": (
        "giftcard giftcardid uuid carduuid cadeaukaartuuid cadeaukaartid cadeaubonuuid gutscheinid gutscheinuuid "
        "cartecadeauid"
    ),
    "giftcard_program_uuid": (
        "program programuuid programid programme programmeuuid giftcardprogram giftcardprogramid "
        "programma programmauuid cadeaukaartprogramma programm gutscheinprogramm programmeid"
    ),
    "amount_in_cents": (
        "amount amountcents amountincent cents cent centen value balance saldo saldocenten saldoincenten bedrag "
        "bedragcenten bedragincenten waarde waardeincenten tegoed tegoedincenten betrag betragincent wert guthaben "
        "montant montantencentimes valeur solde"
    ),
    "shop_uuid": (
        "shop shopid store storeuuid storeid location winkel winkeluuid winkelid filiaal vestiging filiale "
        "geschaft laden magasin boutique"
    ),
    "email_uuid": "emailtemplate emailtemplateuuid template templateuuid mailtemplate sjabloon vorlage modele",
    "type": "giftcardtype cardtype kind soort kaarttype kartentyp typecarte",
    "credits": (
        "points punten spaarpunten saldopunten puntensaldo loyaltypoints balance saldo punkte punktestand "
        "bonuspunkte pointsfidelite solde soldepoints"
    ),
}  # fmt: skip


_TELLING = 6  # letters; a shorter word of the trade may be somebody's code


def header_words(column: str, field: str) -> frozenset[str]:
    """The plain forms of what a cell holds that is a header: the column's own, or another list's for the field."""
    words = {normalize_header(column), normalize_header(field)}
    words |= {word for word in _SYNONYMS.get(field, "").split() if len(word) >= _TELLING}
    return frozenset(words - {""})


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A column that may feed a field: proposed, never applied by itself."""

    field: str
    column: str

    @property
    def option(self) -> str:
        """The option that takes the proposal up."""
        return f"--map {shlex.quote(f'{self.field}={self.column}')}"

    @property
    def message(self) -> str:
        """What to tell the person."""
        return f"did you mean {self.option}?"


@lru_cache(maxsize=1 << 15)  # a table may have thousands of columns, and each is compared with every field
def normalize_header(name: str) -> str:
    """A header without what people do not see in it: case, accents, space of any kind, underscores, hyphens, marks.
    What follows the first hundreds of characters is left out: no known header is so long.

    >>> plain("\ufeff Kaart\u00a0Nummer "), plain("E-mail"), plain("contact_UUID")
    ('kaartnummer', 'email', 'contactuuid')
    """
    decomposed = unicodedata.normalize("NFKD", name[:LONGEST_HEADER].casefold())
    letters = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _GLUE.sub("", letters)


def match_columns(columns: Sequence[str], fields: Iterable[str]) -> dict[str, str]:
    """The column of each field that is there, by its very name or else by its plain form.

    A field whose plain form two columns share is left out, unless one of them bears the very name.
    """
    found: dict[str, str] = {}
    for name in fields:
        alike = [column for column in columns if normalize_header(column) == normalize_header(name)]
        if name in alike:
            found[name] = name
        elif len(alike) == 1:
            found[name] = alike[0]
    return found


def suggest(columns: Sequence[str], fields: Iterable[str]) -> list[Suggestion]:
    """For each field without a column, the columns that the trade calls so, best first, at most three a field.

    ``fields`` are all fields of the command; columns that feed one already are not proposed for another.
    """
    wanted = list(fields)
    taken = match_columns(columns, wanted)
    free = [column for column in columns if column not in taken.values()]
    return [Suggestion(name, column) for name in wanted if name not in taken for column in _ranked(name, free)[:3]]


def _ranked(name: str, columns: Sequence[str]) -> list[str]:
    synonyms = _SYNONYMS.get(name, "").split()
    known = {word: rank for rank, word in enumerate(synonyms)}
    rated = [(known[normalize_header(column)], column) for column in columns if normalize_header(column) in known]
    return [column for _, column in sorted(rated)]
