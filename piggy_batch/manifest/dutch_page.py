"""The page of a check in Dutch."""

from __future__ import annotations

from piggy_batch.manifest.dutch_findings import FINDINGS
from piggy_batch.manifest.page_language import PageLanguage

PAGE = {
    "1 kind of problem found": "1 soort probleem gevonden",
    "%(kinds)s kinds of problem found": "%(kinds)s soorten problemen gevonden",
    "1 kind of problem found.": "1 soort probleem gevonden.",
    "%(kinds)s kinds of problem found.": "%(kinds)s soorten problemen gevonden.",
    "1 row for %(operation)s, read as %(read_as)s; checked %(moment)s. Nothing was sent.": (
        "1 rij voor %(operation)s, gelezen als %(read_as)s; gecontroleerd op %(moment)s. Er is niets verstuurd."
    ),
    "%(rows)s rows for %(operation)s, read as %(read_as)s; checked %(moment)s. Nothing was sent.": (
        "%(rows)s rijen voor %(operation)s, gelezen als %(read_as)s; gecontroleerd op %(moment)s. Er is "
        "niets verstuurd."
    ),
    "Note: %(note)s.": "Let op: %(note)s.",
    "Please look at the rows below, mend the list where it comes from, and send it again.": (
        "Bekijk de rijen hieronder, herstel de lijst waar hij vandaan komt, en stuur hem opnieuw."
    ),
    "Nothing wrong was found.": "Er is niets verkeerds gevonden.",
    "The list can be used as it is.": "De lijst kan zo gebruikt worden.",
    "Line": "Regel",
    "In the list": "In de lijst",
    "Probably meant": "Waarschijnlijk bedoeld",
    "cannot be told": "niet te zeggen",
    "What is wrong": "Wat er mis is",
    "All %(number)s rows": "Alle %(number)s rijen",
    "The first %(listed)s of %(count)s": "De eerste %(listed)s van %(count)s",
    "; all of them are in %(file)s": "; ze staan allemaal in %(file)s",
    "Why rows cannot be used": "Waarom rijen niet gebruikt kunnen worden",
    "Rows": "Rijen",
    "Column": "Kolom",
    "Why": "Waarom",
    "For example": "Bijvoorbeeld",
    "line %(line)s: %(message)s": "regel %(line)s: %(message)s",
    "What was found": "Wat er gevonden is",
    "Column %(column)s: %(what)s": "Kolom %(column)s: %(what)s",
    "1 row: values that %(what)s.": "1 rij: waarden die %(what)s.",
    "%(rows)s rows: values that %(what)s.": "%(rows)s rijen: waarden die %(what)s.",
    "What to do:": "Wat te doen:",
    "if what is probably meant is right, nothing: whoever imports the list can mend this (%(remedy)s).": (
        "als klopt wat waarschijnlijk bedoeld is, niets: wie de lijst inleest kan dit herstellen (%(remedy)s)."
    ),
    "cannot be right": "kan niet kloppen",
    "must be answered": "vraagt een antwoord",
    "look at it": "kijk ernaar",
    "cannot be used": "niet te gebruiken",
    "1 row.": "1 rij.",
    "%(rows)s rows.": "%(rows)s rijen.",
    "What could not be judged": "Wat niet te beoordelen was",
    "The columns, and how long their values are": "De kolommen, en hoe lang hun waarden zijn",
    "%(filled)s filled, %(blank)s blank": "%(filled)s gevuld, %(blank)s leeg",
    "Length": "Lengte",
    "Values": "Waarden",
    "Share": "Aandeel",
    "other": "andere",
    "How to export a list from Excel without damage": "Een lijst zonder schade uit Excel exporteren",
    "Excel takes card numbers for amounts. It drops zeros in front, keeps fifteen digits of longer "
    "numbers and shows the "
    "rest as 6.00650E+18. What is lost so cannot be brought back: start again from the till or the "
    "system it came from.": (
        "Excel ziet kaartnummers aan voor bedragen. Het laat voorloopnullen weg, bewaart van lange nummers vijftien "
        "cijfers en toont de rest als 6,00650E+18. Wat zo verloren gaat is niet terug te halen: begin opnieuw bij de "
        "kassa of het systeem waar de lijst vandaan komt."
    ),
    "Do not open the original file by double-clicking it. Begin with an empty workbook and choose "
    "<strong>Data &gt; From "
    "Text/CSV</strong>.": (
        "Open het oorspronkelijke bestand niet door erop te dubbelklikken. Begin met een lege werkmap en kies "
        "<strong>Gegevens &gt; Van tekst/CSV</strong>."
    ),
    "Choose <strong>Transform Data</strong>, click the heading of the card number column and set its type to "
    "<strong>Text</strong>. If asked, choose <strong>Replace current</strong>. Then <strong>Close &amp; "
    "Load</strong>.": (
        "Kies <strong>Gegevens transformeren</strong>, klik op de kop van de kolom met kaartnummers en maak het type "
        "<strong>Tekst</strong>. Kies zo nodig <strong>Huidige vervangen</strong>. Daarna <strong>Sluiten en "
        "laden</strong>."
    ),
    "Check a few numbers against real cards: the same number of digits, the same zeros in front.": (
        "Vergelijk een paar nummers met echte kaarten: evenveel cijfers, dezelfde nullen vooraan."
    ),
    "Save with <strong>File &gt; Save As</strong> as <strong>Excel Workbook (.xlsx)</strong> or <strong>CSV "
    "UTF-8</strong>, and send that file without opening it again.": (
        "Bewaar met <strong>Bestand &gt; Opslaan als</strong> als <strong>Excel-werkmap (.xlsx)</strong> of "
        "<strong>CSV "
        "UTF-8</strong>, en verstuur dat bestand zonder het nog eens te openen."
    ),
    "Better still: send the file exactly as the till exported it. Use the number that the scanner reads from the card; "
    "the printed number often differs.": (
        "Nog beter: verstuur het bestand precies zoals de kassa het heeft geëxporteerd. Gebruik het nummer "
        "dat de scanner "
        "van de kaart leest; het gedrukte nummer wijkt vaak af."
    ),
    "Signs in the examples: ␣ space, ° non-breaking space, ⇥ tab, ↵ new line, ∅ a character that cannot be seen.": (
        "Tekens in de voorbeelden: ␣ spatie, ° vaste spatie, ⇥ tab, ↵ nieuwe regel, ∅ een teken dat niet te zien is."
    ),
}

REMARKS = {' (from "': ' (uit "', " (looks like ": " (lijkt op "}

DUTCH = PageLanguage("nl", ".", FINDINGS | PAGE, REMARKS)
