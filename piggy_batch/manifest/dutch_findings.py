"""What is found in a list, said in Dutch: kinds of findings, reasons for which rows are invalid."""

from __future__ import annotations

from piggy_batch.manifest.dutch_notes import NOTES

KINDS = {  # a finding's name; with spaces instead of hyphens it is a heading
    "scientific-notation": "wetenschappelijke notatie",
    "looks-scientific": "lijkt wetenschappelijke notatie",
    "trailing-decimal": "eindigt op .0",
    "digits-cut": "afgekapte cijfers",
    "lost-zeros": "verloren voorloopnullen",
    "spreadsheet-wrapper": "verpakt voor een spreadsheet",
    "spreadsheet-error": "fout uit een spreadsheet",
    "looks-like-date": "is een datum geworden",
    "formula-without-result": "formule zonder uitkomst",
    "merged-cells": "samengevoegde cellen",
    "shown-by-format": "alleen door de celopmaak zo getoond",
    "in-quotes": "tussen aanhalingstekens",
    "word-for-nothing": "woord voor niets",
    "outer-space": "spatie aan begin of einde",
    "inner-space": "spatie erin",
    "invisible-character": "onzichtbaar teken",
    "mixed-case": "hoofd- en kleine letters door elkaar",
    "replacement-character": "verloren gegaan teken",
    "mixed-scripts": "letters uit twee schriften",
    "wrong-encoding": "verkeerd gelezen tekens",
    "duplicate": "dubbel",
    "near-duplicate": "bijna dubbel",
    "check-digit-luhn": "controlecijfer klopt niet (Luhn)",
    "check-digit-ean": "controlecijfer klopt niet (EAN)",
    "not-a-uuid": "geen UUID",
    "email-shape": "geen e-mailadres",
    "odd-one-out": "anders dan de rest",
    "printed-number": "gedrukt nummer",
    "repeated-header": "herhaalde kop",
    "total-or-footer": "totaal of voetregel",
    "words-among-codes": "woorden tussen nummers",
    "row-of-totals": "regel met totalen",
}

VALUES_THAT = {  # completes "waarden die ..."
    "are numbers in scientific notation, as a spreadsheet writes them; their last digits are lost": (
        "getallen in wetenschappelijke notatie zijn, zoals een spreadsheet ze schrijft; de laatste cijfers zijn weg"
    ),
    "look like scientific notation among plain numbers": "tussen gewone nummers op wetenschappelijke notatie lijken",
    "end in .0: numbers that passed through a column of decimals; zeros in front may be lost too": (
        "op .0 eindigen: nummers die door een kolom met decimalen zijn gegaan; ook voorloopnullen kunnen weg zijn"
    ),
    "have only zeros after the fifteenth digit, as spreadsheets leave long numbers": (
        "na het vijftiende cijfer alleen nullen hebben, zoals een spreadsheet lange nummers achterlaat"
    ),
    "are shorter than the others, as numbers are that have lost their zeros in front": (
        "korter zijn dan de andere, zoals nummers die hun voorloopnullen kwijt zijn"
    ),
    'are wrapped for a spreadsheet, as in ="0012" or \'0012': (
        'voor een spreadsheet zijn verpakt, zoals in ="0012" of \'0012'
    ),
    "are a spreadsheet's error, such as #N/A, or #### for a column too narrow": (
        "een fout uit een spreadsheet zijn, zoals #N/B, of #### bij een te smalle kolom"
    ),
    "are formulas whose result is not in the file": "formules zijn waarvan de uitkomst niet in het bestand staat",
    "lie under a merged cell, whose value stands in its first row only": (
        "onder een samengevoegde cel liggen, waarvan de waarde alleen in de eerste rij staat"
    ),
    "are numbers to which the workbook's cell format adds zeros or signs that are not part of them": (
        "getallen zijn waar de celopmaak van de werkmap nullen of tekens aan toevoegt die er niet bij horen"
    ),
    "stand in quotes, which would be sent with them": "tussen aanhalingstekens staan, die mee verstuurd zouden worden",
    "are words for nothing, such as n.v.t., NULL or nan": "woorden voor niets zijn, zoals n.v.t., NULL of nan",
    "are dates or times, as a spreadsheet makes of numbers such as 1-2, 3/5 or 10:30": (
        "datums of tijden zijn, zoals een spreadsheet ze van nummers als 1-2, 3/5 of 10:30 maakt"
    ),
    "begin or end with white space": "met een spatie beginnen of eindigen",
    "hold spaces inside, as numbers printed in groups do": (
        "spaties bevatten, zoals nummers die in groepjes zijn gedrukt"
    ),
    "hold characters that cannot be seen: non-breaking or zero-width spaces, control characters": (
        "tekens bevatten die niet te zien zijn: vaste of lege spaties, stuurtekens"
    ),
    "are written in another case than the rest of the column": (
        "met andere hoofd- of kleine letters zijn geschreven dan de rest van de kolom"
    ),
    "hold \ufffd, the sign for a character that a program could not read": (
        "\ufffd bevatten, het teken voor een letter die een programma niet kon lezen"
    ),
    "hold characters that a program has read in the wrong encoding, as in Zo\u00c3\u00ab for Zo\u00eb": (
        "tekens bevatten die een programma in de verkeerde codering heeft gelezen, zoals in Zo\u00c3\u00ab "
        "voor Zo\u00eb"
    ),
    "have letters of another script that look alike, such as a Cyrillic \u041a among Latin letters": (
        "letters uit een ander schrift hebben die er hetzelfde uitzien, zoals een Cyrillische \u041a tussen "
        "Latijnse letters"
    ),
    "occur before in the file": "al eerder in het bestand staan",
    "differ from another row only by case, space or wrapping": (
        "alleen in hoofdletters, spaties of verpakking van een andere rij verschillen"
    ),
    "fail the check digit (Luhn) that the rest of the column has": (
        "niet kloppen met het controlecijfer (Luhn) dat de rest van de kolom heeft"
    ),
    "fail the check digit (EAN, GS1) that the rest of the column has": (
        "niet kloppen met het controlecijfer (EAN, GS1) dat de rest van de kolom heeft"
    ),
    "are no UUIDs although the rest of the column is": "geen UUID zijn, terwijl de rest van de kolom dat wel is",
    "are no e-mail addresses": "geen e-mailadressen zijn",
    "are unlike the rest of the column: another length, or other kinds of characters": (
        "anders zijn dan de rest van de kolom: een andere lengte, of andere soorten tekens"
    ),
    "are the column's own header: two files were put together": (
        "de kop van de kolom zelf zijn: er zijn twee bestanden achter elkaar gezet"
    ),
    "are a total, a count or a footer under the list, not a card": (
        "een totaal, een aantal of een voetregel onder de lijst zijn, geen kaart"
    ),
    "are words, not codes: a remark or a footer": "woorden zijn, geen nummers: een opmerking of een voetregel",
    "begin a row that looks like a total or a footer, not like a row of the list": (
        "een rij beginnen die op een totaal of een voetregel lijkt, niet op een rij van de lijst"
    ),
    "come from a column beside one that looks like the value in the QR code, and differ from it": (
        "uit een kolom komen naast een die op de waarde in de QR-code lijkt, en daarvan verschillen"
    ),
}

REMEDIES = {  # clause by clause
    "export the list again with this column formatted as text": (
        "exporteer de lijst opnieuw met deze kolom opgemaakt als tekst"
    ),
    "the digits cannot be brought back": "de cijfers zijn niet terug te halen",
    "compare with the cards": "vergelijk met de kaarten",
    "if a spreadsheet did it, export again with this column as text": (
        "als het door een spreadsheet komt, exporteer dan opnieuw met deze kolom als tekst"
    ),
    "export again with this column as text": "exporteer opnieuw met deze kolom als tekst",
    "export again as text, or pass {options}": "exporteer opnieuw als tekst, of geef {options} mee",
    "pass {options}": "geef {options} mee",
    "pass {options}, or export again as text": "geef {options} mee, of exporteer opnieuw als tekst",
    "mend the formula or widen the column, and export again": (
        "herstel de formule of maak de kolom breder, en exporteer opnieuw"
    ),
    "open the list in a spreadsheet program, let it calculate, and save it as values": (
        "open de lijst in een spreadsheetprogramma, laat het rekenen, en bewaar de lijst als waarden"
    ),
    "unmerge the cells and fill each row": "hef de samenvoeging op en vul elke rij in",
    "pass --fix formats to send what the cells show, or store them as text": (
        "geef --fix formats mee om te versturen wat de cellen tonen, of bewaar ze als tekst"
    ),
    "blank these cells, or pass --blank WORD for each such word": (
        "maak deze cellen leeg, of geef --blank WOORD mee voor elk zo'n woord"
    ),
    "compare with what the scanner reads": "vergelijk met wat de scanner leest",
    "pass --fix spaces to remove them": "geef --fix spaces mee om ze weg te halen",
    "pass --fix case:upper or case:lower to make all alike": (
        "geef --fix case:upper of case:lower mee om ze allemaal gelijk te maken"
    ),
    "export the list again as UTF-8": "exporteer de lijst opnieuw als UTF-8",
    "the character cannot be brought back": "het teken is niet terug te halen",
    "type these values anew": "typ deze waarden opnieuw",
    "keep one row for each": "houd van elk één rij",
    "find out which is the card's": "zoek uit welke die van de kaart is",
    "keep one row for each card": "houd van elke kaart één rij",
    "compare with the cards: most likely a digit was mistyped": (
        "vergelijk met de kaarten: waarschijnlijk is er een cijfer verkeerd getypt"
    ),
    "compare with the service": "vergelijk met het systeem",
    "it has some such, but a cut-off UUID is more likely": (
        "daar komen ze voor, maar een afgekapte UUID is waarschijnlijker"
    ),
    "write one address, name@domain.tld, or leave the cell blank": (
        "schrijf één adres, naam@domein.nl, of laat de cel leeg"
    ),
    "a header, total or test row in the middle of a list looks so": (
        "een kop, een totaal of een testrij midden in een lijst ziet er zo uit"
    ),
    "delete these rows": "verwijder deze rijen",
    "delete these rows, or pass --drop-last N": "verwijder deze rijen, of geef --drop-last N mee",
    "scan a card: what the scanner reads is the value to use": (
        "scan een kaart: wat de scanner leest is de waarde die telt"
    ),
    "the printed number often differs": "het gedrukte nummer wijkt vaak af",
}

PROBLEMS = {  # reasons for which a row is invalid, and what is said of one
    "MD{number} {t_kind}": "MD{number} {t_kind}",
    "MD{number} {t_kind}: the same as in an earlier row": "MD{number} {t_kind}: hetzelfde als in een eerdere rij",
    '"{cell}" is {t_kind} (MD{number})': '"{cell}": {t_kind} (MD{number})',
    'probably "{value}"': 'waarschijnlijk "{value}"',
    "is blank": "is leeg",
    "is only white space": "bestaat alleen uit spaties",
    "is neither true nor false": "is waar noch onwaar",
    '"{cell}" is neither true nor false': '"{cell}" is waar noch onwaar',
    "write true or false": "schrijf true of false",
    "is not a whole number of credits": "is geen heel aantal punten",
    '"{cell}" is not a whole number of credits': '"{cell}" is geen heel aantal punten',
    "is not a whole number of cents": "is geen heel aantal centen",
    '"{cell}" is not a whole number of cents': '"{cell}" is geen heel aantal centen',
    "write digits only": "schrijf alleen cijfers",
    "write {value}": "schrijf {value}",
    "credits would move nothing": "geen punten: er zou niets gebeuren",
    '"{cell}" credits would move nothing': '"{cell}" punten: er zou niets gebeuren',
    "cents would move nothing": "geen centen: er zou niets gebeuren",
    '"{cell}" cents would move nothing': '"{cell}" centen: er zou niets gebeuren',
    "write a number from 1 up, or leave the row out": "schrijf een getal vanaf 1, of laat de rij weg",
    "is negative": "is negatief",
    '"{cell}" is negative': '"{cell}" is negatief',
    "this command only adds credits": "deze opdracht geeft alleen punten",
    "this command only adds cents": "deze opdracht zet er alleen geld op",
    "is no way to delete a contact": "is geen manier om een klant te verwijderen",
    '"{cell}" is no way to delete a contact': '"{cell}" is geen manier om een klant te verwijderen',
    "asks for a physical card": "vraagt een fysieke kaart",
    '"{cell}" asks for a physical card': '"{cell}" vraagt een fysieke kaart',
    "the service makes digital ones only (type 1)": "het systeem maakt alleen digitale (type 1)",
    "is no giftcard type": "is geen soort cadeaukaart",
    '"{cell}" is no giftcard type': '"{cell}" is geen soort cadeaukaart',
    "cannot stand in an address": "kan niet in een webadres staan",
    '"{cell}" cannot stand in an address': '"{cell}" kan niet in een webadres staan',
    "holds signs that cannot stand in an address": "bevat tekens die niet in een webadres kunnen staan",
    '"{cell}" holds {signs}, which cannot stand in an address': (
        '"{cell}" bevat {signs}, wat niet in een webadres kan staan'
    ),
    "is not an e-mail address": "is geen e-mailadres",
    '"{cell}" is not an e-mail address': '"{cell}" is geen e-mailadres',
    "is a phone number, not an e-mail address": "is een telefoonnummer, geen e-mailadres",
    '"{cell}" is a phone number, not an e-mail address': '"{cell}" is een telefoonnummer, geen e-mailadres',
    "leave the cell blank": "laat de cel leeg",
    "holds an invisible character": "bevat een onzichtbaar teken",
    '"{cell}" holds an invisible character': '"{cell}" bevat een onzichtbaar teken',
    "type the address anew": "typ het adres opnieuw",
    "gives neither {first} nor {second}": "geeft {first} noch {second}",
    "gives no {name}": "geeft geen {name}",
    "has more or fewer cells than the header, which has {width}": (
        "heeft meer of minder cellen dan de kop, die er {width} heeft"
    ),
    "has {cells} cells where the header has {width}: {shown}": (
        "heeft {cells} cellen waar de kop er {width} heeft: {shown}"
    ),
    "quote cells that hold the delimiter": "zet cellen waar het scheidingsteken in staat tussen aanhalingstekens",
    "the same as in row {row} (line {line})": "hetzelfde als in rij {row} (regel {line})",
    'the same as in row {row} (line {line}), with another {field} there ("{owner}")': (
        'hetzelfde als in rij {row} (regel {line}), daar met een ander {field} ("{owner}")'
    ),
    "a card has one owner: keep one row": "een kaart heeft één eigenaar: houd één rij",
    "the card would be loaded twice (--allow-repeats permits it)": (
        "de kaart zou twee keer worden opgeladen (--allow-repeats staat het toe)"
    ),
    "the contact would be given money twice (--allow-repeats permits it)": (
        "de klant zou twee keer geld krijgen (--allow-repeats staat het toe)"
    ),
    "two people could spend one card (--allow-shared permits other contacts)": (
        "twee mensen zouden één kaart kunnen uitgeven (--allow-shared staat andere klanten toe)"
    ),
    "need an e-mail: credits belong to a customer": "vragen een e-mailadres: punten zijn van een klant",
    "blank them, or make such cards without their credits with --hold-credits": (
        "maak ze leeg, of maak zulke kaarten zonder hun punten met --hold-credits"
    ),
    "gives credits to a customer to whom an earlier row gives some": (
        "geeft punten aan een klant die er in een eerdere rij al krijgt"
    ),
    'row {row} (line {line}) gives credits to "{email}" already': (
        'rij {row} (regel {line}) geeft "{email}" al punten'
    ),
    "a balance that stands on each of a customer's cards would be given twice: blank it here, or pass "
    "--credits-per-card": (
        "een saldo dat bij elke kaart van een klant staat zou twee keer worden gegeven: maak het hier leeg, of geef "
        "--credits-per-card mee"
    ),
    "held back (--hold MD{number})": "achtergehouden (--hold MD{number})",
    "other reasons": "andere redenen",
}

FINDINGS = (
    KINDS | {kind.replace("-", " "): meant for kind, meant in KINDS.items()} | VALUES_THAT | REMEDIES | PROBLEMS | NOTES
)
