"""What the words of a report mean, in Dutch."""

from __future__ import annotations

MEANINGS = {
    (
        "A transaction marked as a reversal, or a STANDARD one above zero that exactly undoes the one before it on "
        "the same card in the same shop within 24 hours; later it is money put on. A load undone cannot be told "
        "from a card spent at once, and counts as redeemed."
    ): (
        "Een transactie die als terugboeking is gemerkt, of een STANDARD boven nul die de vorige op dezelfde kaart "
        "in dezelfde winkel binnen 24 uur precies ongedaan maakt; daarna is het een oplading. Een teruggedraaide "
        "oplading is niet te onderscheiden van een kaart die meteen is ingewisseld, en telt als ingewisseld."
    ),
    "Balance at closing of cards that were not in the opening snapshot.": (
        "Saldo bij afsluiting van kaarten die niet in de beginopname stonden."
    ),
    "Balance left on cards whose expiration date has passed, whether switched on or not.": (
        "Saldo op kaarten waarvan de vervaldatum voorbij is, aan- of uitgezet."
    ),
    (
        "Balance of cards that are switched off and not expired. Outstanding, expired and switched off add up to "
        "all balances."
    ): (
        "Saldo van kaarten die zijn uitgezet en niet vervallen. Uitstaand, vervallen en uitgezet zijn samen alle saldi."
    ),
    (
        "Balance of cards that are switched on and not expired: what is owed to their holders. Under IFRS 15 a "
        "contract liability; under RJ 270 revenue that is not earned yet, shown as received in advance."
    ): (
        "Saldo van kaarten die aan staan en niet vervallen zijn: wat aan hun houders verschuldigd is. Onder IFRS 15 "
        "een contractverplichting; onder RJ 270 nog niet gerealiseerde omzet, verantwoord als vooruitontvangen."
    ),
    (
        "Balance of cards that expired between the snapshots. Where the balance is gone as well, all of it counts "
        "as expired, for the service takes what is left off an expired card; what was spent before cannot be told "
        "from it. So it is with a card that is empty and had expired when it was read, minutes after the day's end."
    ): (
        "Saldo van kaarten die tussen de opnamen zijn vervallen. Is ook het saldo weg, dan telt alles als "
        "vervallen, want de dienst boekt het restant van een vervallen kaart af; wat eerder is ingewisseld is "
        "daarvan niet te onderscheiden. Zo ook een lege kaart die vervallen was toen zij werd gelezen, minuten na het "
        "einde van de dag."
    ),
    "Balance of cards that the service no longer shows. It was never redeemed: find out why.": (
        "Saldo van kaarten die de dienst niet meer toont. Het is nooit ingewisseld: zoek uit waarom."
    ),
    (
        "Balance of cards that were switched off; or that came back to outstanding because they were switched on "
        "again or their expiration date was put off."
    ): (
        "Saldo van kaarten die zijn uitgezet; of die weer uitstaan omdat ze weer zijn aangezet of hun vervaldatum "
        "is verschoven."
    ),
    "Cards behind an amount: those whose balance is not zero. Cards that hold nothing are counted apart.": (
        "Kaarten achter een bedrag: die met een saldo dat niet nul is. Lege kaarten zijn apart geteld."
    ),
    "Change of cards' balances that their transactions do not account for. Every such card is listed.": (
        "Verandering van saldi die de transacties niet verklaren. Elke kaart daarvan is vermeld."
    ),
    (
        "Each movement of each program against its liability: issued raises it (credit) against the account of "
        "issued, redeemed lowers it (debit) against that of redeemed, and so on. Debit and credit are equal; the "
        "lines of the liability add up to closing less opening."
    ): (
        "Elke mutatie van elk programma tegenover de verplichting: uitgegeven verhoogt die (credit) tegen de "
        "rekening van uitgegeven, ingewisseld verlaagt die (debet) tegen die van ingewisseld, enzovoort. Debet en "
        "credit zijn gelijk; de regels van de verplichting zijn samen eindstand min beginstand."
    ),
    "Money put on cards that were not in the opening snapshot, and on those that were.": (
        "Geld op kaarten die niet in de beginopname stonden, en op kaarten die er wel in stonden."
    ),
    "Money spent: STANDARD transactions below zero, also where they are undone later.": (
        "Ingewisseld geld: STANDARD-transacties onder nul, ook als ze later zijn teruggedraaid."
    ),
    (
        "Opening balance of cards that changed their program: it leaves one and enters another. A program is its "
        "UUID, whatever its name is."
    ): (
        "Beginsaldo van kaarten die van programma wisselden: het gaat van het ene naar het andere. Een programma is "
        "zijn UUID, hoe het ook heet."
    ),
    (
        "Opening, plus what was issued, topped up, undone and switched on again, less what was redeemed, expired, "
        "switched off and is no longer listed, is closing; opening and closing are outstanding. What the movements "
        "do not explain stands on a line of its own."
    ): (
        "Beginstand, plus uitgegeven, opgeladen, teruggedraaid en weer aangezet, min ingewisseld, vervallen, "
        "uitgezet en niet meer vermeld, is eindstand; begin- en eindstand zijn uitstaand. Wat de mutaties niet "
        "verklaren staat op een eigen regel."
    ),
    (
        "Outstanding balances by calendar days, in the report's time zone, from the day of the figures to the "
        "expiration day. With what has expired they add up to outstanding plus expired."
    ): (
        "Uitstaande saldi naar kalenderdagen, in de tijdzone van het rapport, van de dag van de cijfers tot de "
        "vervaldag. Met wat vervallen is zijn ze samen uitstaand plus vervallen."
    ),
    "Outstanding divided by the outstanding cards with a balance, rounded to the cent.": (
        "Uitstaand gedeeld door de uitstaande kaarten met saldo, afgerond op de cent."
    ),
    (
        "Redeemed is earned when goods are handed over (IFRS 15.106; RJ 270). Expired may be recognised as breakage "
        "when holders can no longer claim it (IFRS 15.B46). Issued and topped up are none: they raise the liability."
    ): (
        "Ingewisseld is omzet bij levering (IFRS 15.106; RJ 270). Vervallen kan als breakage worden verantwoord als "
        "houders er geen recht meer op hebben (IFRS 15.B46). Uitgegeven en opgeladen zijn geen omzet: ze verhogen "
        "de verplichting."
    ),
    (
        "Rise or fall of the balance of a card seen in both snapshots: the net change between two readings. Money "
        "put on and spent in between does not show; transactions show it."
    ): (
        "Stijging of daling van het saldo van een kaart die in beide opnamen staat: het nettoverschil tussen twee "
        "lezingen. Geld dat daartussen is opgeladen en ingewisseld is niet te zien; transacties tonen het."
    ),
    (
        "The moment of the closing snapshot; where it counts for another day than the one on which it was read, the "
        "last instant of that day. A card is expired from its expiration date on: one that expires at local "
        "midnight still counts on the day before, and no longer on the day that begins."
    ): (
        "Het moment van de eindopname; telt zij voor een andere dag dan waarop zij is gelezen, dan het laatste "
        "ogenblik van die dag. Een kaart is vervallen vanaf haar vervaldatum: een die om middernacht vervalt telt "
        "nog mee op de dag ervoor, en niet meer op de dag die begint."
    ),
    (
        "The month in which a card was first seen in a snapshot, or first loaded where transactions are given. "
        "Cards of the first snapshot may be older than it. Never used: without a single redemption since."
    ): (
        "De maand waarin een kaart voor het eerst in een opname stond, of met transacties voor het eerst is "
        "opgeladen. Kaarten van de eerste opname kunnen ouder zijn. Nooit gebruikt: sindsdien niet één keer "
        "ingewisseld."
    ),
    (
        "The service was asked for its total at one moment, and exactly so many cards were each seen before and "
        "after it. PARTIAL: this was not proven, and cards or transactions may be missing."
    ): (
        "De dienst is op één moment naar het totaal gevraagd, en precies zoveel kaarten zijn elk ervoor en erna "
        "gezien. ONVOLLEDIG: dat is niet bewezen, en er kunnen kaarten of transacties ontbreken."
    ),
    (
        "Transactions of type EXPIRED, by which the service takes the balance off an expired card, and what was "
        "still on cards that expired."
    ): (
        "Transacties van soort EXPIRED, waarmee de dienst het saldo van een vervallen kaart afboekt, en wat nog op "
        "vervallen kaarten stond."
    ),
}
