"""The sign-off of a migration in Dutch."""

from __future__ import annotations

from piggy_batch.importing.verification.verify import WITH_UUID
from piggy_batch.manifest.dutch_findings import FINDINGS
from piggy_batch.manifest.page_language import PageLanguage

PAGE = {
    "Sign-off: %(manifest)s": "Oplevering: %(manifest)s",
    "Sign-off of a card migration": "Oplevering van een overgang van klantenkaarten",
    "Every card of the manifest was looked up in the account, without changing anything, and compared with what the "
    "manifest says of it.": (
        "Elke kaart van de lijst is in het account opgezocht, zonder iets te veranderen, en vergeleken met "
        "wat de lijst "
        "ervan zegt."
    ),
    "cards in the manifest": "kaarten in de lijst",
    "What was compared": "Wat er vergeleken is",
    "Manifest": "Lijst",
    "Account": "Account",
    "Balances": "Saldi",
    "before and given by the migration in %(run)s": "van daarvoor en gegeven door de overgang in %(run)s",
    "Not compared": "Niet vergeleken",
    "Service": "Systeem",
    "First look-up": "Eerste opgezocht",
    "Last look-up": "Laatste opgezocht",
    "Work": "Werk",
    "%(requests)s requests in %(took)s": "%(requests)s opvragingen in %(took)s",
    "Full list": "Volledige lijst",
    "The account goes on living: what this page says was true of each card when it was looked up, "
    "between the two times "
    "above.": (
        "Het account gaat door: wat deze pagina zegt gold voor elke kaart op het moment dat hij werd opgezocht, tussen "
        "de twee tijden hierboven."
    ),
    "Name": "Naam",
    "Date": "Datum",
    "Signature": "Handtekening",
    "Missing or different": "Ontbreekt of wijkt af",
    "None.": "Geen.",
    "Row": "Rij",
    "Line": "Regel",
    "Card": "Kaart",
    "Expected and found": "Verwacht en gevonden",
    "… and %(more)s more; all of them are in the errors file of the full list.": (
        "… en nog %(more)s; ze staan allemaal in het bestand errors van de volledige lijst."
    ),
    "… and %(more)s more.": "… en nog %(more)s.",
    "In doubt in the migration": "Onzeker in de overgang",
    "Rows that the migration has sent and whose answers were lost: nobody knows whether they were carried out. The "
    "numbers are those of the migration's own list.": (
        "Rijen die de overgang heeft verstuurd en waarvan het antwoord verloren ging: niemand weet of ze "
        "zijn uitgevoerd. "
        "De nummers zijn die van de lijst van de overgang."
    ),
    "What is known": "Wat bekend is",
    "Not fully visible": "Niet helemaal te zien",
    "The service does not show all of these: of an inactive card neither owner nor name, where the manifest names no "
    "contact in whose list it could be seen.": (
        "Het systeem toont hiervan niet alles: van een inactieve kaart eigenaar noch naam, waar de lijst "
        "geen klant noemt "
        "bij wie hij te zien zou zijn."
    ),
    "What could not be compared": "Wat niet te vergelijken was",
    "Made by piggy-batch %(version)s.": "Gemaakt door piggy-batch %(version)s.",
    "none": "geen",
}

VERDICTS = {
    "The manifest has no rows: there is nothing to sign off.": "De lijst heeft geen rijen: er is niets op te leveren.",
    "Not every card could be looked up. Run the same command again before anybody signs.": (
        "Niet elke kaart kon worden opgezocht. Voer dezelfde opdracht nog eens uit voordat iemand tekent."
    ),
    "{number} of {rows} cards is missing or differs from the manifest.": (
        "{number} van {rows} kaarten ontbreekt of wijkt af van de lijst."
    ),
    "{number} of {rows} cards are missing or differ from the manifest.": (
        "{number} van {rows} kaarten ontbreken of wijken af van de lijst."
    ),
    "Nothing differs from the manifest; {number} card could not be compared in full.": (
        "Niets wijkt af van de lijst; {number} kaart kon niet helemaal worden vergeleken."
    ),
    "Nothing differs from the manifest; {number} cards could not be compared in full.": (
        "Niets wijkt af van de lijst; {number} kaarten konden niet helemaal worden vergeleken."
    ),
    "The card is as the manifest says.": "De kaart is zoals de lijst zegt.",
    "All {number} cards are as the manifest says.": "Alle {number} kaarten zijn zoals de lijst zegt.",
    "{number} row of the migration still in doubt.": "{number} rij van de overgang is nog onzeker.",
    "{number} rows of the migration still in doubt.": "{number} rijen van de overgang zijn nog onzeker.",
    "Not compared: {columns}.": "Niet vergeleken: {columns}.",
    "as the manifest says": "zoals de lijst zegt",
    "not compared in full": "niet helemaal vergeleken",
    "different": "wijkt af",
    "missing": "ontbreekt",
    "not looked up": "niet opgezocht",
    "invalid rows, not looked up": "ongeldige rijen, niet opgezocht",
}

DIFFERENCES = {  # what the look at a card has shown
    "expected: held by nobody": "verwacht: van niemand",
    "expected: held by {owner}": "verwacht: van {owner}",
    '{column} expected "{expected}", found nothing': '{column}: verwacht "{expected}", niets gevonden',
    '{column} expected "{expected}", found "{found}"': '{column}: verwacht "{expected}", gevonden "{found}"',
    '{column} expected "{expected}", found: inactive, and not among that contact\'s cards': (
        '{column}: verwacht "{expected}"; gevonden: inactief, en niet tussen de kaarten van die klant'
    ),
    'email expected "{expected}", but there is no such contact': (
        'email: verwacht "{expected}", maar zo\'n klant is er niet'
    ),
    'credits expected "{expected}", but the migration\'s own list has no such customer': (
        'credits: verwacht "{expected}", maar de lijst van de overgang heeft zo\'n klant niet'
    ),
    'credits expected "{expected}", but the migration\'s own list has {asked} for this customer': (
        'credits: verwacht "{expected}", maar de lijst van de overgang heeft {asked} voor deze klant'
    ),
    'credits expected "{expected}" ({before} before, {given} given), found "{found}"': (
        'credits: verwacht "{expected}" ({before} daarvoor, {given} gegeven), gevonden "{found}"'
    ),
    'credits expected "{expected}" ({before} before, {given} given, {doubt} of them in doubt), found "{found}"': (
        'credits: verwacht "{expected}" ({before} daarvoor, {given} gegeven, waarvan {doubt} onzeker), '
        'gevonden "{found}"'
    ),
    "inactive, so the service does not show, and nobody could compare: {columns}": (
        "inactief, zodat het systeem dit niet toont, en niemand het kon vergelijken: {columns}"
    ),
    "could not be compared: {t_what}": "niet te vergelijken: {t_what}",
    "credits (the row names no customer)": "credits (de rij noemt geen klant)",
    "credits (the balance before the migration is not known)": (
        "credits (het saldo van voor de overgang is niet bekend)"
    ),
    "credits (the service does not show the balance)": "credits (het systeem toont het saldo niet)",
    "sent, no usable answer": "verstuurd, zonder bruikbaar antwoord",
    "sent, no usable answer: {what}": "verstuurd, zonder bruikbaar antwoord: {what}",
    "in doubt since {run}: settle them there with migrate reconcile": (
        "onzeker sinds {run}: los het daar op met migrate reconcile"
    ),
    "could not be looked up: {what}": "kon niet worden opgezocht: {what}",
    "as the service keeps it: {t_what}": "zoals het systeem het bewaart: {t_what}",
}

REMARKS = {WITH_UUID: " (waar er een contact_uuid is)", ": the owner": ": de eigenaar"}

DUTCH = PageLanguage("nl", ".", FINDINGS | PAGE | VERDICTS | DIFFERENCES, REMARKS)
