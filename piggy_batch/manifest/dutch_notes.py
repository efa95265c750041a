"""What a check or a plan notes of a list, and what it could not judge, in Dutch."""

from __future__ import annotations

NOTES = {
    "{format}, {encoding}, delimiter {sign}": "{format}, {encoding}, scheidingsteken {sign}",
    "{format}, sheet {sheet}": "{format}, blad {sheet}",
    "columns used: {columns}": "gebruikte kolommen: {columns}",
    "columns not used: {columns}": "niet gebruikte kolommen: {columns}",
    "not UTF-8; read as cp1252 (Windows): check the accents, or pass --encoding": (
        "geen UTF-8; gelezen als cp1252 (Windows): controleer de accenten, of geef --encoding mee"
    ),
    "neither UTF-8 nor cp1252; read as latin-1: check the accents, an old till may have written cp850": (
        "UTF-8 noch cp1252; gelezen als latin-1: controleer de accenten, een oude kassa schrijft misschien cp850"
    ),
    "the last {number} row left out (--drop-last): {shown}": (
        "de laatste {number} rij weggelaten (--drop-last): {shown}"
    ),
    "the last {number} rows left out (--drop-last): {shown}": (
        "de laatste {number} rijen weggelaten (--drop-last): {shown}"
    ),
    "column {number} has no name and is called {name}": "kolom {number} heeft geen naam en heet hier {name}",
    "{number} row without e-mail: a card is created, linked to nobody": (
        "{number} rij zonder e-mailadres: er wordt een kaart gemaakt, van niemand"
    ),
    "{number} rows without e-mail: a card is created, linked to nobody": (
        "{number} rijen zonder e-mailadres: er worden kaarten gemaakt, van niemand"
    ),
    '{number} e-mail address spelled in several ways, as "{address}"; space and case make no other customer, and the '
    "first spelling is sent": (
        '{number} e-mailadres op meer manieren geschreven, zoals "{address}"; spaties en hoofdletters maken '
        "geen andere "
        "klant, en de eerste schrijfwijze wordt verstuurd"
    ),
    '{number} e-mail addresses spelled in several ways, as "{address}"; space and case make no other customer, and the '
    "first spelling is sent": (
        '{number} e-mailadressen op meer manieren geschreven, zoals "{address}"; spaties en hoofdletters maken geen '
        "andere klant, en de eerste schrijfwijze wordt verstuurd"
    ),
    '{number} e-mail address with more than {most} cards; the most, {cards}, has "{address}"': (
        '{number} e-mailadres met meer dan {most} kaarten; de meeste, {cards}, heeft "{address}"'
    ),
    '{number} e-mail addresses with more than {most} cards; the most, {cards}, has "{address}"': (
        '{number} e-mailadressen met meer dan {most} kaarten; de meeste, {cards}, heeft "{address}"'
    ),
    "{number} row lacks its last cells; they are read as blank, as spreadsheets leave them out; the first is row {row} "
    "(line {line})": (
        "{number} rij mist de laatste cellen; ze gelden als leeg, zoals spreadsheets ze weglaten: rij {row} "
        "(regel {line})"
    ),
    "{number} rows lack their last cells; these are read as blank, as spreadsheets leave them out; the first is row "
    "{row} (line {line})": (
        "{number} rijen missen de laatste cellen; ze gelden als leeg, zoals spreadsheets ze weglaten; de eerste is rij "
        "{row} (regel {line})"
    ),
    "{column}: check digits of {number} numbers of {length} digits: {t_reason}": (
        "{column}: controlecijfers van {number} nummers van {length} cijfers: {t_reason}"
    ),
    "{column}: check digits of {number} number of {length} digits: {t_reason}": (
        "{column}: controlecijfers van {number} nummer van {length} cijfers: {t_reason}"
    ),
    "{column}: check digits of {number} codes with letters or signs: only numbers have them": (
        "{column}: controlecijfers van {number} codes met letters of tekens: alleen nummers hebben die"
    ),
    "{column}: check digits of {number} code with letters or signs: only numbers have them": (
        "{column}: controlecijfers van {number} code met letters of tekens: alleen nummers hebben die"
    ),
    "{column}: lost zeros, odd ones and check digits: {number} values tell too little ({enough} are needed)": (
        "{column}: verloren nullen, uitschieters en controlecijfers: {number} waarden zeggen te weinig (er zijn er "
        "{enough} nodig)"
    ),
    "{column}: lost zeros, odd ones and check digits: {number} value tell too little ({enough} are needed)": (
        "{column}: verloren nullen, uitschieters en controlecijfers: {number} waarde zegt te weinig (er zijn "
        "er {enough} "
        "nodig)"
    ),
    "none is known of that length": "voor die lengte is er geen bekend",
    "so few tell too little ({enough} are needed)": "zo weinig zegt te weinig (er zijn er {enough} nodig)",
    "only {share} % pass {scheme} ({dominant} would tell that they have one)": (
        "maar {share} % voldoet aan {scheme} ({dominant} zou laten zien dat ze er een hebben)"
    ),
    "only {share} % pass {scheme} and {other} % pass {second} ({dominant} would tell that they have one)": (
        "maar {share} % voldoet aan {scheme} en {other} % aan {second} ({dominant} zou laten zien dat ze er een hebben)"
    ),
}
