"""What a contact is described by: attributes that every account has, and the account's own (DUMP, captured)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Json = Any


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. ``kind`` is its type and field type, lower case; ``options`` are a select's values."""

    number: int
    name: str
    label: str
    kind: str
    options: tuple[tuple[str, str], ...] = ()  # value, label
    built_in: bool = True
    read_only: bool = False  # the service sets it; an update of it is refused (inferred)

    def shown(self) -> Json:
        """The object that stands beside a value in a contact's ``attributes``."""
        return {
            "id": self.number,
            "type": self.kind,
            "field_type": self.kind,
            "name": self.name,
            "label": self.label,
            "options": [
                {"value": value, "label": label, "description": None, "media": None} for value, label in self.options
            ],
            "is_piggy_defined": self.built_in,
            "is_soft_read_only": self.read_only,
            "is_hard_read_only": self.read_only,
        }

    def complaint(self, value: Json) -> str | None:
        """Why a value cannot be stored, in the framework's words (inferred); None where it can."""
        if self.read_only:
            return f"The {self.name} attribute is read only."
        if value is None or value == "":
            return None
        if isinstance(value, bool | list | dict):
            return f"The {self.name} attribute is invalid."
        text = str(value)
        match self.kind:
            case "number" if not text.removeprefix("-").isdecimal():
                return f"The {self.name} attribute must be an integer."
            case "select" if text not in dict(self.options):
                return f"The selected {self.name} is invalid."
            case "birth_date" if not _is_date(text):
                return f"The {self.name} attribute is not a valid date."
            case _:
                return None

    def current(self, text: str) -> Json:
        """The value in the flat map ``current_values``: numbers as numbers, blank texts as texts, else null."""
        if text == "":
            return "" if self.built_in and self.kind in ("text", "phone") else None
        return int(text) if self.kind == "number" else text


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


_LOCALES = (("en", "English"), ("nl", "Nederlands"), ("de", "Deutsch"))
_BUILT_IN = (
    ("firstname", "First name", "text"),
    ("lastname", "Last name", "text"),
    ("address", "Address", "text"),
    ("phonenumber", "Telephone number", "phone"),
    ("birthdate", "Birth date", "birth_date"),
    ("age", "Age", "number"),
)


def attributes_of(own: Iterable[str]) -> Mapping[str, Attribute]:
    """Every attribute of an account by its name; ``own``: names of those that it has made itself."""
    found = [Attribute(1, "email", "Email", "email", read_only=True)]
    found += [Attribute(len(found) + n, name, label, kind) for n, (name, label, kind) in enumerate(_BUILT_IN, 1)]
    found.append(Attribute(len(found) + 1, "locale", "Preferred language", "select", _LOCALES))
    for name in own:
        found.append(Attribute(len(found) + 1, name, name.replace("_", " ").capitalize(), "text", built_in=False))
    return {each.name: each for each in found}
