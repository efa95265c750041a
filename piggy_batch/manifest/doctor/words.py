"""Words that stand in lists and are no values: for nothing, for a total, for a footer, for an error. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 120  # characters of what is looked at: longer text is none of these

# What programs and people write for nothing, in whatever case. English, Dutch, German, French.
_NOTHING_WORDS = (
    "null", "(null)", "[null]", "<null>", "nil", "none", "(none)", "<none>", "NaN", "<NaN>", "NaT", "<NaT>", "<na>",
    "n/a", "n.a.", "n.a", "\\n", "\\\\n", "undefined", "undef", "[object object]", "inf", "-inf", "infinity",
    "-infinity", "0000-00-00", "nvt", "n.v.t.", "n.v.t", "nvt.", "n.b.", "n.n.b.", "k.A.", "k. A.", "n.z.", "n.d.",
    "s.o.", "s/o", "empty", "(empty)", "blank", "(blank)", "missing", "unknown", "not available", "not applicable",
    "leeg", "(leeg)", "onbekend", "geen", "niet van toepassing", "niet beschikbaar", "leer", "(leer)", "unbekannt",
    "keine", "keiner", "entfällt", "nicht zutreffend", "nicht vorhanden", "vide", "(vide)", "inconnu", "inconnue",
    "loading...", "laden...", "wird geladen...", "chargement...", "aucun", "aucune", "sans objet", "non applicable",
    "null null", "nan nan", "none none", "undefined undefined", "nullnull", "-nan", "+nan", "nan()", "1.#qnan",
    "1.#ind", "1.#inf", "-1.#ind", "-1.#inf", "pd.NA", "pd.NaT", "np.nan", "NoneType", "DBNull", "DBNull.Value",
    "System.DBNull", "System.Object", "System.String[]", "optional.empty", "[object null]", "[object undefined]",
    "{}", "[]", "\u2205", "\u2400", "n/d", "n\\a", "na.", "0000-00-00 00:00:00", "00-00-0000", "00/00/0000",
    "00.00.0000", "void", "tbd", "t.b.d.", "tbc", "t.b.c.", "n.t.b.", "ntb", "no data", "no name", "no email",
    "no e-mail", "not set", "not provided", "not given", "not specified", "niet bekend", "nog onbekend",
    "niet ingevuld", "niet opgegeven", "geen naam", "geen email", "geen e-mail", "geen mail", "geen gegevens",
    "niets", "nichts", "kein", "ohne Angabe", "keine Angabe", "keine Angaben", "kein Name", "keine Email",
    "keine E-Mail", "nicht angegeben", "nicht bekannt", "néant", "neant", "pas de mail", "pas d'email",
    "non renseigné", "non renseignée", "non renseigne", "non communiqué", "non précisé", "sans nom",
)  # fmt: skip
_NOTHING = frozenset(map(str.casefold, _NOTHING_WORDS))
_NOTHING_AS_IT_STANDS = frozenset({"NA", "ND"})  # in lower case they may be somebody's name
_SIGNS = frozenset("-\u2013\u2014_./?*~=+#\\ ")  # a cell of nothing else is a person's blank

_SUM = (
    r"(?:(?:grand|sub|over-?all|general|sum)[ -]?)?totals?|total g[ée]n[ée]ral|sous[ -]?total|totaux|totalit[ée]|"
    r"(?:(?:sub|eind|algemeen|algeheel)[ -]?)?(?:totaal|totalen)|totale|subtotale|totali|"
    r"(?:gesamt|zwischen|end)?summe|gesamt(?:zahl|anzahl|betrag)?|insgesamt|saldo totaal"
)
_PLACEHOLDER = re.compile(  # of a template that nobody has filled in: {{name}}, ${name}, *|NAME|*, %NAME%, <<name>>
    r"\{\{.*\}\}|\{[^\W\d][\w. -]*\}|\$\{.*\}|\$[^\W\d]\w*\$|\*\|.*\|\*|%[^\W\d]\w*%|<<[^<>]+>>|<%.*%>|\[\[.*\]\]",
    re.DOTALL,
)
_BRACKETS = {"(": ")", "[": "]", "<": ">", "{": "}"}

_TOTAL = re.compile(
    rf"(?:{_SUM}|sum|som|somme|suma|aantal|anzahl|count|nombre(?: total)?|ensemble|end|einde|ende|fin|fine|eof)"
    r"(?:[\s:=(].*)?|completed|confidential|vertrouwelijk|vertraulich|confidentiel",
    re.IGNORECASE | re.DOTALL,
)
_COUNTABLE = (
    r"(?:rows?|records?|entries|items|cards?|lines|contacts?|customers|rijen|rij|regels?|"
    r"kaarten|kaart|stuks|klanten|leden|zeilen?|eintr[äa]ge|datens[äa]tze?|karten?|kunden|lignes?|"
    r"enregistrements?|cartes?|clients|results?|resultaten|ergebnisse|r[ée]sultats)"
)
_COUNTED = re.compile(rf"[(\[]?\s*\d[\d.,' ]*\s*{_COUNTABLE}\b.*", re.IGNORECASE | re.DOTALL)
_TOTAL_BESIDE = re.compile(  # in a column of names, where Total Energies may be a customer
    rf"(?:{_SUM}|sum|som|somme|suma|aantal|anzahl|count|nombre(?: total)?|eof)"
    rf"(?:\s*[:=(].*|\s+(?:\S+\s+){{0,2}}(?:{_COUNTABLE})\b.*|[\s\d.,'€$£+-]*)",
    re.IGNORECASE | re.DOTALL,
)
_COUNT_AND_WORD = re.compile(r"\d[\d.,' ]*\s*[^\W\d_]")
_DONE = (
    r"(?:generated|created|exported|printed|updated|modified|gegenereerd|aangemaakt|opgemaakt|opgesteld|gemaakt|"
    r"ge[eë]xporteerd|afgedrukt|uitgedraaid|bijgewerkt|erstellt|erzeugt|generiert|exportiert|gedruckt|ausgedruckt|"
    r"aktualisiert|g[ée]n[ée]r[ée]e?|cr[ée]{1,2}e?|export[ée]e?|imprim[ée]e?|[ée]dit[ée]e?|arr[êe]t[ée]e?)"
)
_MADE = re.compile(
    rf"(?:report|rapport|bericht|lijst|list|liste)\s+{_DONE}\b.*|{_DONE}"
    r"(?:\s*:.*|\s+(?:by|on|at|from|with|door|op|met|uit|van|von|am|mit|aus|par|le|au|avec|de|date|datum|[\d:]).*)"
    r"|(?:last|laatst|zuletzt|derni[èe]re)\s+(?:updated|modified|bijgewerkt|gewijzigd|aktualisiert|mise)\b.*"
    r"|stand\s+(?:vom|am|per|op|van)?\s*\d{1,4}[-./]\d.*|(?:report|export|rapport|bericht|uitdraai|mis [àa] jour)"
    r"\s+(?:(?:by|on|at|door|op|uit|vom|am|per|aus|date|datum|[\d:]).*|(?:of|van|von|du|le|au|from)\s.*\d.*)"
    r"|(?:export|afdruk|druck|print|report)[ -]?(?:datum|date)\b.*"
    r"|(?:page|pagina|blz\.?|seite|bladzijde)\s*:?\s*\d+\b.*"
    r"|(?:end|einde|ende|fin)\s+(?:of|van|der|des|de|du|the|het)\s.*(?:list|lijst|rapport|report|bericht|bestand|file|"
    r"fichier|data|datei|export|import|pagin|page|seite).*"
    r"|(?:end|einde|ende|fin)\s+(?:list|lijst|liste|rapport|report|bericht|bestand|export)\b.*"
    r"|(?:date d['\u2019](?:export|impression|[ée]dition))\b.*"
    r"|(?:date|datum|source|bron|quelle|stand|rows?|records?|regels|zeilen|lignes)\s*:\s*\S.*"
    r"|(?:row|record|number|nombre|aantal|anzahl)\s*(?:of|de|der|van)?\s*(?:count|cards|rows|records|kaarten|karten|"
    r"cartes|lignes|zeilen|rijen)\s*:?\s*\d.*"
    r"|copyright\b.*|powered by\b.*|query took\b.*|completion time\b.*|[©Σ∑].*",
    re.IGNORECASE | re.DOTALL,
)
_LABELLED = re.compile(r"[^\W\d_][\w .'/-]{1,40}\s?:\s+\S.*", re.DOTALL)  # Datum: 1-2-2026
_SUMS = frozenset({  # of all; no name of anybody
    "total", "totals", "totaal", "totalen", "totaux", "totale", "totali", "subtotal", "sub-total", "sub total",
    "subtotaal", "subtotale", "eindtotaal", "grand total", "sous-total", "sous total", "sub totaal", "sub-totaal",
    "eind totaal", "algemeen totaal", "total général", "total general", "summe", "gesamt", "gesamtsumme",
    "gesamtbetrag", "zwischensumme", "endsumme", "insgesamt", "somme totale",
})  # fmt: skip
_ALSO_NAMES = frozenset({"som", "sum", "suma", "count", "totale"})
_DECORATION = " \t*-=#_~."
_RULE_OF_SIGNS = re.compile(r"[-=_*~.+#|]{3,}")
_WORD = re.compile(r"[^\W\d_]{3,}")

_ERROR = re.compile(  # in any language: #N/A, #REF!, #NAAM?, #BEZUG!, #VALEUR!, #\u00a1VALOR!; Err:502
    r"#(?:N/A(?: N/A)?|REF|VALUE|NAME|DIV/0|ERROR|ERREUR|FEHLER|FOUT"
    r"|NA|NV|N/B|N/D|ND|I/T|YOK|\u041d/\u0414|HI\u00c1NYZIK|NEN\u00cd_K_DISPOZICI|GETTING_DATA"
    r"|[\u00a1\u00bf]?[^\W\d_][\w/. ]{1,20}[!?])|#{3,}|(?:Err|Fout|Fehler|Erreur|Error)\s?:\s?5\d\d",
    re.IGNORECASE,
)
_QUOTED_TEXT = re.compile(r'=\s*"[^"]*"')
_FORMULA = re.compile(  # with a reference to a cell, or with a function of something or of nothing
    r"=(?:.*\$?\b[A-Za-z]{1,3}\$?[1-9]\d{0,6}\b.*|\s*[-+@(]*[^\W\d_][\w.]*\([^)].*"
    r"|(?:NA|NB|NV|NOW|TODAY|RAND|TRUE|FALSE|NU|VANDAAG|JETZT|HEUTE|MAINTENANT|AUJOURDHUI)\(\))",
    re.DOTALL | re.IGNORECASE,
)


def means_nothing(value: str) -> bool:
    """Whether a text is a word for nothing: a program's, such as NULL or NaN, or a person's, such as n.v.t. or a dash.

    >>> [means_nothing(text) for text in ("NULL", "nan nan", "n.v.t.", "-", "Nannie", "Na")]
    [True, True, True, True, False, False]
    """
    text = value.strip()
    if not text or len(text) > _LONGEST:
        return False
    folded = text.casefold()
    if folded in _NOTHING or text in _NOTHING_AS_IT_STANDS or _SIGNS.issuperset(text):
        return True
    if not text[0].isalnum() and _PLACEHOLDER.fullmatch(text):
        return True
    bare = folded.rstrip(",;:")
    if _BRACKETS.get(bare[:1]) == bare[-1:]:
        bare = bare[1:-1].strip()
    if bare in _NOTHING:
        return True
    words = folded.split()
    return len(words) > 1 and _NOTHING.issuperset(words)


def is_footer(value: str) -> bool:
    """Whether a text is what stands under a list: a total, a count, who made it and when, a line of signs.

    >>> [is_footer(text) for text in ("Totaal: 30", "(2 rows affected)", "Erstellt am 1.2.2026", "TOTAL-123")]
    [True, True, True, False]
    """
    return _stands_under_a_list(value, _TOTAL)


def is_footer_beside(value: str) -> bool:
    """The same for a column of names, where a word alone may be somebody's: Total Energies, Fin de Vries.

    >>> [is_footer_beside(text) for text in ("Totaal", "Totaal kaarten 30", "Total Energies", "Fin de Vries")]
    [True, True, False, False]
    """
    return _stands_under_a_list(value, _TOTAL_BESIDE)


def _stands_under_a_list(value: str, total: re.Pattern[str]) -> bool:
    text = value.strip()
    if not text or len(text) > _LONGEST:
        return False
    bare = text.strip(_DECORATION)
    if text[0] != bare[:1]:
        total = _TOTAL  # *** Fin *** is nobody
    return any(pattern.fullmatch(bare) for pattern in (total, _COUNTED, _MADE)) or bool(_RULE_OF_SIGNS.fullmatch(text))


def is_total(value: str) -> bool:
    """Whether a text is nothing but the word for a sum of all, as no name is."""
    return len(value) < _LONGEST and value.casefold().strip(" \t:=") in _SUMS


def may_be_a_name(value: str) -> bool:
    """Whether a word for a sum of all is somebody's name as well: Som, Sum, Count."""
    return value.casefold().strip(" \t:=") in _ALSO_NAMES


def is_sum(value: str) -> bool:
    """Whether a text is the word for a sum of all, with or without its amount: Totaal, Total cards: 12."""
    return len(value) < _LONGEST and _TOTAL_BESIDE.fullmatch(value.strip()) is not None


def is_sentence(value: str) -> bool:
    """Whether a text is words, not a code: two of at least three letters, or something with its label before it."""
    if len(value) < 6 or " " not in value.strip():
        return False
    return len(_WORD.findall(value)) > 1 or _LABELLED.fullmatch(value.strip()) is not None


def is_error(value: str) -> bool:
    """Whether a text is a spreadsheet's error, in whatever language, or #### for a column too narrow.

    >>> [is_error(text) for text in ("#N/A", "#BEZUG!", "Err:502", "#1234", "#AB12")]
    [True, True, True, False, False]
    """
    return _ERROR.fullmatch(value) is not None


def is_formula(value: str) -> bool:
    """Whether a text is a formula rather than its result; ``="0012"`` is none."""
    return value.startswith("=") and _FORMULA.fullmatch(value) is not None and not _QUOTED_TEXT.fullmatch(value)


def may_be_counted(value: str) -> bool:
    """Whether a text that begins with digits goes on with a word, as ``30 rows`` does and no number or day."""
    return _COUNT_AND_WORD.match(value) is not None


def spellings(words: Iterable[str]) -> frozenset[str]:
    """The words in the usual cases, for a quick look at thousands of values at once."""
    return frozenset(
        form for word in words for form in (word, word.lower(), word.upper(), word.capitalize(), word.title())
    )


_FOOTERS = (  # of one word, in all languages
    "total", "totals", "totaal", "totalen", "totaux", "subtotal", "subtotaal", "eindtotaal", "sum", "som", "somme",
    "suma", "summe", "gesamt", "gesamtsumme", "zwischensumme", "insgesamt", "aantal", "anzahl", "count", "nombre",
    "totale", "totali", "subtotale", "end", "einde", "ende", "fin", "fine", "eof", "grand-total", "sub-total",
    "sous-total", "sub-totaal", "ensemble", "completed", "confidential", "vertrouwelijk", "vertraulich", "confidentiel",
)  # fmt: skip
_BEGINNINGS = (  # of longer ones
    "grand", "generated", "created", "exported", "printed", "report", "gegenereerd", "aangemaakt", "gemaakt",
    "geexporteerd", "geëxporteerd", "afgedrukt", "uitgedraaid", "rapport", "erstellt", "erzeugt", "exportiert",
    "gedruckt", "ausgedruckt", "bericht", "généré", "créé", "crée", "exporté", "imprimé", "édité", "export", "afdruk",
    "druck", "print", "page", "pagina", "blz", "seite", "bladzijde", "date", "saldo", "algemeen", "opgemaakt", "laatst",
    "last", "zuletzt", "dernière", "derniere", "mis", "copyright", "powered", "query", "number", "row", "record",
    "source", "bron", "completion", "lijst", "list", "liste", "quelle", "stand", "edité",
    "arrêté", "arrete", "regels", "zeilen", "lignes", "generiert", "opgesteld",
    "uitdraai", "aktualisiert", "bijgewerkt", "updated", "over",
)  # fmt: skip
_LINES = {sign * length for sign in "-_" for length in range(1, 81)}
QUICK = spellings(_NOTHING_WORDS) | _NOTHING_AS_IT_STANDS | _LINES
QUICK_FOOTERS = spellings(_FOOTERS)
QUICK_SUMS = spellings(f"{word}{end}" for word in _SUMS for end in ("", ":", " :", ": "))
FOOTER_BEGINNINGS = frozenset(word[:3] for word in spellings((*_FOOTERS, *_BEGINNINGS)))
