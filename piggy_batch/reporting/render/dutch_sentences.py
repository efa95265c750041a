"""Notices and notes of a page in Dutch."""

from __future__ import annotations

SENTENCES = {
    "Transactions do not account for the change of every card; what they leave open stands on a line of its own.": (
        "Transacties verklaren niet het verschil van elke kaart; wat zij openlaten staat op een eigen regel."
    ),
    "{cards} in {currency} changed by another amount than transactions say: see the differences by card": (
        "{cards} in {currency} met een ander verschil dan transacties zeggen: zie de verschillen per kaart"
    ),
    "transactions between the two readings without a card that is known: {count}, {amount} in all": (
        "transacties tussen de twee lezingen zonder bekende kaart: {count}, samen {amount}"
    ),
    "A sample of {size} of {count} cards, seed {seed}: those whose SHA-256 of seed:giftcard_uuid is smallest.": (
        "Een steekproef van {size} van de {count} kaarten, seed {seed}: die met de kleinste SHA-256 van "
        "seed:giftcard_uuid."
    ),
    (
        "An estimate, not a booking. Method: of all cards issued at least {months} months before the closing, the "
        "share of money put on cards without a single redemption since; applied to what is outstanding on younger "
        "cards."
    ): (
        "Een schatting, geen boeking. Methode: van alle kaarten die ten minste {months} maanden voor de afsluiting "
        "zijn uitgegeven, het deel van het opgeladen geld op kaarten die sindsdien niet één keer zijn gebruikt; "
        "toegepast op wat op jongere kaarten uitstaat."
    ),
    (
        "Cards by the month in which they were first seen, or, where transactions are given, first loaded; amounts "
        "to date. Other is what was switched on, less what was switched off or is no longer listed. Left is "
        "outstanding in percent of issued; the columns +0, +1 … say what was left so many months after the month of "
        "issue."
    ): (
        "Kaarten naar de maand waarin ze voor het eerst zijn gezien of, met transacties, voor het eerst opgeladen; "
        "bedragen tot nu toe. Overig is wat is aangezet, min wat is uitgezet of niet meer vermeld. Over is "
        "uitstaand in procenten van uitgegeven; de kolommen +0, +1 … zeggen wat zoveel maanden na de maand van "
        "uitgifte over was."
    ),
    "Cards with a balance that are outstanding or have expired; cards switched off are left out.": (
        "Kaarten met een saldo die uitstaan of vervallen zijn; zonder kaarten die zijn uitgezet."
    ),
    "Complete, proven, but the movements do not explain the change": (
        "Volledig, bewezen, maar de mutaties verklaren het verschil niet"
    ),
    "Complete, proven; check what is listed below before relying on it": (
        "Volledig, bewezen; controleer eerst wat hieronder staat"
    ),
    "Complete, proven; the movements explain the change to the cent": (
        "Volledig, bewezen; de mutaties verklaren het verschil tot op de cent"
    ),
    (
        "Each snapshot as of its own moment, or, where it counts for another day, of that day's last moment. Cards "
        "are outstanding ones."
    ): (
        "Elke opname per haar eigen moment of, als zij voor een andere dag telt, per het laatste moment van die "
        "dag. Kaarten zijn uitstaande kaarten."
    ),
    "Every movement of every program against its liability. Debit and credit are equal.": (
        "Elke mutatie van elk programma tegenover de verplichting. Debet en credit zijn gelijk."
    ),
    "Movements are gross, from transactions: what was put on, spent and taken off, each by itself.": (
        "Mutaties zijn bruto, uit transacties: wat is opgeladen, ingewisseld en afgeboekt, elk apart."
    ),
    (
        "Movements are net, from two balances of each card: what was spent between the opening and a card's expiry "
        "cannot be told from what expired on it; transactions show it."
    ): (
        "Mutaties zijn netto, uit twee saldi van elke kaart: wat tussen de beginstand en het vervallen van een "
        "kaart is ingewisseld, is niet te onderscheiden van wat erop verviel; transacties tonen het."
    ),
    "Movements carry their sign: what lowers outstanding is negative.": (
        "Mutaties hebben hun teken: wat uitstaand verlaagt is negatief."
    ),
    "Opening and closing are cut: they are drawn from {floor}, not from zero.": (
        "Begin- en eindstand zijn afgebroken: getekend vanaf {floor}, niet vanaf nul."
    ),
    (
        "Outstanding from {begin} to {end}. {closes} {basis} Issued and no longer listed count every card, the "
        "others those whose balance moved."
    ): (
        "Uitstaand van {begin} tot {end}. {closes} {basis} Uitgegeven en niet meer vermeld tellen elke kaart, de "
        "andere die met een veranderd saldo."
    ),
    "PARTIAL, in the trend only: {snapshot} did not agree ({verdict})": (
        "ONVOLLEDIG, alleen in het verloop: {snapshot} klopte niet ({verdict})"
    ),
    "PARTIAL: cards or transactions may be missing from these figures": (
        "ONVOLLEDIG: in deze cijfers kunnen kaarten of transacties ontbreken"
    ),
    "PARTIAL: {file} did not agree ({verdict}); transactions may be missing from these figures": (
        "ONVOLLEDIG: {file} klopte niet ({verdict}); in deze cijfers kunnen transacties ontbreken"
    ),
    "PARTIAL: {file}: {count} transactions without a time or an amount are left out (id {ids})": (
        "ONVOLLEDIG: {file}: {count} transacties zonder tijd of bedrag zijn weggelaten (id {ids})"
    ),
    "PARTIAL: {snapshot} did not agree ({verdict}); cards may be missing from these figures": (
        "ONVOLLEDIG: {snapshot} klopte niet ({verdict}); in deze cijfers kunnen kaarten ontbreken"
    ),
    "The movements do not explain the change: see the line that is not explained.": (
        "De mutaties verklaren het verschil niet: zie de regel niet verklaard."
    ),
    "The others together are longer than the scale of the single programs.": (
        "De overige samen zijn langer dan de schaal van de afzonderlijke programma's."
    ),
    (
        "To book as the liability on {day}: {outstanding}, the outstanding balance. Expired balances ({expired}) "
        "and those of cards that are switched off ({inactive}) are not part of it."
    ): (
        "Te boeken als verplichting op {day}: {outstanding}, het uitstaande saldo. Vervallen saldi ({expired}) en "
        "die van uitgezette kaarten ({inactive}) horen er niet bij."
    ),
    (
        "Not to be booked: these figures are not proven. As far as was read, {outstanding} is outstanding on {day}, "
        "{expired} has expired and {inactive} is on cards that are switched off."
    ): (
        "Niet te boeken: deze cijfers zijn niet bewezen. Voor zover gelezen staat op {day} {outstanding} uit, is "
        "{expired} vervallen en staat {inactive} op uitgezette kaarten."
    ),
    "more rows are in the workbook and the JSON of this report.": (
        "rijen meer staan in de werkmap en de JSON van dit rapport."
    ),
    "no journal entry in {currency}: the accounts name none for {figures}": (
        "geen journaalpost in {currency}: er is geen rekening voor {figures}"
    ),
    (
        "opening is the snapshot before, of {opening}, which is no end of a month: the movements are those of "
        "{days} days. For a whole month use --period {month}"
    ): (
        "de beginstand is de vorige opname, van {opening}, en dat is geen maandeinde: de mutaties zijn die van "
        "{days} dagen. Voor een hele maand: --period {month}"
    ),
    'program {uuid} is now called "{name}"; at opening it was "{before}"': (
        'programma {uuid} heet nu "{name}"; bij de beginstand was het "{before}"'
    ),
    "program {uuid}, whose currency is {currency}, has no cards in these snapshots": (
        "programma {uuid}, met valuta {currency}, heeft geen kaarten in deze opnamen"
    ),
    (
        "programs have {count} currencies, whose amounts are never added up; a card that changed to a program of "
        "another currency is no longer listed in the one and issued in the other"
    ): (
        "programma's hebben {count} valuta's, waarvan bedragen nooit worden opgeteld; een kaart die naar een "
        "programma met een andere valuta ging, is in de ene niet meer vermeld en in de andere uitgegeven"
    ),
    "the closing snapshot holds no cards: an empty account, or a program without cards": (
        "de eindopname heeft geen kaarten: een lege account, of een programma zonder kaarten"
    ),
    "the {role} balances of {day} were read on {read}; expiry is reckoned as of {day}": (
        "de saldi ({role}) van {day} zijn gelezen op {read}; vervallen is gerekend per {day}"
    ),
    (
        "the {role} balances were read on {read}, {days} days from {day}, the day they stand for: what happened in "
        "between is in the wrong period; only expiry is reckoned as of {day}"
    ): (
        "de saldi ({role}) zijn gelezen op {read}, {days} dagen van {day}, de dag waarvoor ze staan: wat daartussen "
        "gebeurde staat in de verkeerde periode; alleen vervallen is gerekend per {day}"
    ),
    'the {role} snapshot: card {card} has {column} "{raw}", which cannot be read; taken as {meaning}': (
        'de opname ({role}): kaart {card} heeft {column} "{raw}", wat niet te lezen is; opgevat als {meaning}'
    ),
    "the {role} snapshot: {count} more values could not be read; {file} lists them": (
        "de opname ({role}): nog {count} waarden waren niet te lezen; ze staan in {file}"
    ),
    (
        "{cards} cards in all, {zero} of them hold nothing. Cards and average are of outstanding balances; expired "
        "and switched-off balances stand apart."
    ): (
        "{cards} kaarten in totaal, waarvan {zero} leeg. Kaarten en gemiddelde zijn van uitstaande saldi; vervallen "
        "en uitgezette saldi staan apart."
    ),
    (
        "{cards} expired between the snapshots, with nothing left now; what was on them at opening, {amount}, counts "
        "as expired. What was spent between the opening and the expiry cannot be told apart from it: "
        "--transactions shows it"
    ): (
        "{cards}, vervallen tussen de opnamen en nu leeg: het beginsaldo, {amount}, telt als vervallen. "
        " Wat tussen de beginstand en het vervallen is ingewisseld, is daarvan niet te onderscheiden: "
        "--transactions toont het"
    ),
    "{cards} moved to another program: see between programs": (
        "{cards} naar een ander programma: zie tussen programma's"
    ),
    "{count} cards whose balance changed by another amount than their transactions say.": (
        "{count} kaarten waarvan het saldo met een ander bedrag veranderde dan hun transacties zeggen."
    ),
    (
        "{count} flows of cards that snapshots and transactions show differently. Snapshots show a card's net "
        "change, transactions each booking."
    ): (
        "{count} stromen van kaarten die opnamen en transacties verschillend tonen. Opnamen tonen het nettoverschil "
        "van een kaart, transacties elke boeking."
    ),
    (
        "rows of the {role} snapshot that repeat a giftcard_uuid: {count}; the roll-forward takes each card's last "
        "row, the balances count every row"
    ): (
        "rijen van de opname ({role}) die een giftcard_uuid herhalen: {count}; het verloop neemt van elke kaart de "
        "laatste rij, de saldi tellen elke rij"
    ),
    "{file} counts for {day}, a day in the future, and is left out": (
        "{file} telt voor {day}, een dag in de toekomst, en is weggelaten"
    ),
    "{file}: an older schema, without {columns}; shown as unknown": (
        "{file}: een ouder schema, zonder {columns}; getoond als onbekend"
    ),
    "{file}: {count} cards do not say whether they are active; taken as active": (
        "{file}: {count} kaarten zeggen niet of ze actief zijn; opgevat als actief"
    ),
    "{file}: {count} cards expire before the year 2000; counted as expired": (
        "{file}: {count} kaarten vervallen voor het jaar 2000; geteld als vervallen"
    ),
    '{file}: {count} cards expire in the year 9999; counted as "later", not as "never"': (
        '{file}: {count} kaarten vervallen in het jaar 9999; geteld als "later", niet als "nooit"'
    ),
    "{file}: {cards} with a negative balance, {amount} in all; counted as is": (
        "{file}: {cards} met een negatief saldo, samen {amount}; zo meegeteld"
    ),
    "{file}: {count} old rows without a card uuid; {found} found by their card id, {left} stay without a card": (
        "{file}: {count} oude rijen zonder kaart-uuid; {found} gevonden via hun kaart-id, {left} blijven zonder kaart"
    ),
    "{file}: {count} transactions stood in the file more than once; each counts once": (
        "{file}: {count} transacties stonden meer dan eens in het bestand; elk telt één keer"
    ),
    "{file}: {count} transactions without id and uuid; duplicates among them do not show": (
        "{file}: {count} transacties zonder id en uuid; dubbele daaronder zijn niet te zien"
    ),
    (
        "{inside} transactions lie between the two readings of their cards, {outside} of the file outside. "
        "{nameless} of those inside have no card that is known. The first of the file is of {first}, the last of "
        "{last}. More and less are the differences of single cards, never set off against each other."
    ): (
        "{inside} transacties liggen tussen de twee lezingen van hun kaarten, {outside} van het bestand erbuiten. "
        "{nameless} daarbinnen hebben geen bekende kaart. De eerste van het bestand is van {first}, de laatste van "
        "{last}. Meer en minder zijn de verschillen van afzonderlijke kaarten, nooit met elkaar verrekend."
    ),
    "{snapshot} is of another account or other programs; the trend leaves it out": (
        "{snapshot} is van een andere account of andere programma's; het verloop laat die weg"
    ),
}
