"""What a lookup shows of a row's thing: read from the answer. A holder that is not shown is not nobody. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.endpoints.cells import kept_form
from piggy_batch.endpoints.responses import (
    ResponseAction,
    Verdict,
    api_code,
    api_message,
    classify_status,
    extract_fields,
    get_path,
    is_off,
    shows_data,
)
from piggy_batch.importing.response_rules import opened_map, owner_of
from piggy_batch.models import Answer, Json, Lost, Status
from piggy_batch.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.endpoints import Lookup, ResponseFields


@dataclass(frozen=True, slots=True)
class ObservedState:
    """What a look showed of a row's thing; ``noun``: what kind of thing it is."""

    noun: ResponseFields
    exists: bool
    hidden: bool = False  # it exists, but inactive: owner and name are not shown
    value: str | None = None
    fields: Mapping[str, Json] = field(default_factory=dict)  # result columns, as the answer has them
    opened: Mapping[str, Json] | None = None  # the map that shows open columns, by the names under which they are sent
    not_with: str | None = None  # the contact in whose list the hidden thing was looked for in vain

    def to_json(self) -> dict[str, Json]:
        """For the journal; :meth:`from_json` reads it back."""
        return {"exists": self.exists, "hidden": self.hidden, "value": self.value, "fields": dict(self.fields)}

    @classmethod
    def from_json(cls, noun: ResponseFields, data: Mapping[str, Json]) -> ObservedState:
        """What :meth:`to_json` wrote."""
        return cls(noun, data["exists"], data["hidden"], data["value"], data["fields"])

    @property
    def owner(self) -> str | None:
        """The UUID of who holds it; None: nobody, or not shown."""
        return owner_of(self.noun, self.fields)

    @property
    def inactive(self) -> bool:
        """Whether it is known to be inactive."""
        return self.hidden or is_off(self._told(self.noun.active))

    def _told(self, column: str | None) -> Json:
        return self.fields.get(column) if column else None

    def state(self) -> tuple[Json, ...]:
        """What must be equal for nothing to have changed between two looks."""
        return (self.exists, self.hidden, *(self.fields.get(name) for name in self.noun.state))

    def words(self) -> str:
        """The state in words, for messages."""
        if not self.exists:
            return "does not exist"
        if self.hidden:
            with_whom = f", not held by contact {printable(self.not_with)}" if self.not_with else ""
            return f"exists, inactive, owner not visible{with_whom}"
        said = ["exists"]
        if self.noun.owner is not None:
            mail = self._told(self.noun.owner_email)
            mailed = f" ({printable(str(mail))})" if self.owner and mail else ""
            said.append(f"held by contact {printable(self.owner)}{mailed}" if self.owner else "held by nobody")
        name = self._told(self.noun.label)
        if name is not None:
            said.append(f'named "{printable(str(name))}"')
        if self.inactive:
            said.append("inactive")
        return ", ".join(said)


def read_lookup(look: Lookup, values: Mapping[str, str], answer: Answer) -> ObservedState | Verdict:
    """What a look shows, or the verdict that says why it shows nothing (SETTLE: the look itself is refused)."""
    if isinstance(answer, Lost):
        return Verdict(ResponseAction.DOUBT, f"look: {answer.reason}")
    common = classify_status(answer)
    if common is not None:
        return common
    code = api_code(answer)
    if answer.status >= 400 and shows_data(answer):
        message = f"look: {api_message(answer)}; and yet the answer shows data"
        return Verdict(ResponseAction.DOUBT, message, http_status=answer.status, code=code)
    if answer.status >= 400:
        if code in look.absent_codes:
            return ObservedState(look.noun, exists=False)
        if code in look.hidden_codes:
            return ObservedState(look.noun, exists=True, hidden=True, value=values[look.key])
        return Verdict(
            ResponseAction.SETTLE, f"look: {api_message(answer)}", Status.REJECTED, http_status=answer.status, code=code
        )
    data = get_path(answer.body, "data")
    value = get_path(data, look.key_path)
    if value is None:
        return Verdict(ResponseAction.DOUBT, "look: the answer holds no usable data", http_status=answer.status)
    if not _shows_owner(look.noun, data):
        return Verdict(ResponseAction.DOUBT, "look: the answer does not show who holds it", http_status=answer.status)
    fields = extract_fields(look.noun, data)
    return ObservedState(look.noun, exists=True, value=str(value), fields=fields, opened=opened_map(look, data))


def _shows_owner(noun: ResponseFields, data: Json) -> bool:
    """Whether an answer tells the holder, or that there is none: a holder left out is not nobody."""
    if noun.owner is None:
        return True
    path = noun.path(noun.owner)
    head = path.partition(".")[0]
    return head in data and (not data[head] or get_path(data, path) is not None)


def read_contact_list(
    look: Lookup, values: Mapping[str, str], contact_uuid: str, answer: Answer
) -> ObservedState | Verdict:
    """What the list of a contact's things shows of a hidden one."""
    if isinstance(answer, Lost):
        return Verdict(ResponseAction.DOUBT, f"look: {answer.reason}")
    common = classify_status(answer)
    if common is not None:
        return common
    hidden = ObservedState(look.noun, exists=True, hidden=True, value=values[look.key], not_with=contact_uuid)
    if answer.status >= 400:
        return hidden  # 55031, no such contact: it cannot hold the card
    data = get_path(answer.body, "data")
    if not isinstance(data, list):
        return Verdict(ResponseAction.DOUBT, "look: the answer holds no list", http_status=answer.status)
    item = _item_of(data, look.key_path, values[look.key])
    if item is None:
        return hidden
    fields = extract_fields(look.noun, item) | ({look.noun.owner: contact_uuid} if look.noun.owner else {})
    return ObservedState(look.noun, exists=True, value=str(get_path(item, look.key_path)), fields=fields)


def _item_of(items: list[Json], key_path: str, key: str) -> Json:
    """The item of that key; else the one whose key differs only as a service may keep it; else None."""
    shown = [(item, get_path(item, key_path)) for item in items]
    for item, value in shown:
        if value == key:
            return item
    return next((item for item, value in shown if isinstance(value, str) and kept_form(value) == kept_form(key)), None)
