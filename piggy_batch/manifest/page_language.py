"""The language of the pages that a shop's owner reads: the check of a list, and the sign-off of a migration.

Everything else is said in English, journals included; a page is translated when it is written, text by text. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("en", "nl")
_BLANK = re.compile(r"\{(\w+)\}")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")
_CLAUSES = re.compile(r'; (?=(?:[^"]*"[^"]*")*[^"]*$)')  # semicolons that stand outside of quotes


@dataclass(frozen=True)
class PageLanguage:
    """``texts``: English to this language. ``{name}`` stands for what a sentence fills in, and is taken over as it is:
    data of the list is not translated. A name that begins with ``t_`` stands for a text that is.
    """

    code: str  # ISO 639
    thousands: str
    texts: Mapping[str, str]
    remarks: Mapping[str, str] = field(default_factory=dict)  # what may follow a name, anywhere in a text

    def translate(self, text: str) -> str:
        """A text in this language: as a whole, by its pattern, or clause by clause; as it is where none is known.

        >>> dutch = PageLanguage("nl", ".", {"missing": "ontbreekt", "held by {who}": "van {who}"})
        >>> dutch.translate('missing; held by "a; b"')
        'ontbreekt; van "a; b"'
        >>> dutch.translate("email: missing")
        'email: ontbreekt'
        """
        clauses = _CLAUSES.split(text)
        found = self._known(text, clauses=len(clauses)) or "; ".join(map(self._clause, clauses))
        for remark, meant in self.remarks.items():
            found = found.replace(remark, meant)
        return found

    def _clause(self, text: str) -> str:
        """A clause, before which the name of a column may stand."""
        column, colon, rest = text.partition(": ")
        return self._known(text) or (f"{column}: {self._known(rest) or rest}" if colon else text)

    def count(self, number: int) -> str:
        """A whole number, in groups of three digits."""
        return f"{number:,}".replace(",", self.thousands)

    def _known(self, text: str, clauses: int = 1) -> str | None:
        """A text that is known as a whole; what is filled in reaches over no clause's end but in quotes."""
        if text in self.texts:
            return self.texts[text]
        for english, pattern, meant in self._patterns:
            match = pattern.fullmatch(text) if clauses == len(_CLAUSES.split(english)) else None
            if match:
                return meant.format(**{name: self._filled(name, part) for name, part in match.groupdict().items()})
        return None

    @cached_property
    def _patterns(self) -> list[tuple[str, re.Pattern[str], str]]:
        """The texts that have something to fill in, each with its pattern; the longest come first."""
        found = []
        for english, meant in self.texts.items():
            if _BLANK.search(english):
                parts = _BLANK.split(english)  # text, name, text, name, ..., text
                spelled = [re.escape(part) if i % 2 == 0 else f"(?P<{part}>.+?)" for i, part in enumerate(parts)]
                found.append((english, re.compile("".join(spelled), re.DOTALL), meant))
        return sorted(found, key=lambda entry: -len(_BLANK.sub("", entry[0])))

    def _filled(self, name: str, part: str) -> str:
        if name.startswith("t_"):
            return self.translate(part)
        return part.replace(",", self.thousands) if _GROUPED.fullmatch(part) else part


ENGLISH = PageLanguage("en", ",", {})
