"""The judge: answers, lost answers and looks in; verdicts out. Pure: no clock, no disk, no network.

Every default is the careful one: what is not known to be harmless counts as maybe applied, and what an
answer does not show is not believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from piggy_batch.emails import identity_of
from piggy_batch.manifest import parse_cell, printable
from piggy_batch.model import Answer, Json, Kind, Lost, Proof, Repeat, Reply, Status
from piggy_batch.operations import NOBODY, Goal, Look, Noun, Operation, Owner

# 7002 account inactive, 7011 no access to this account, 60000 usage limit reached (stated)
HALT_CODES = frozenset({7002, 7011, 60000})
# 1000 internal error, 60001 "creating in progress" (stated): either may still be carried out
DOUBT_CODES = frozenset({1000, 60001})
LARGEST_CODE = 2**53  # a larger number is no error code, and not every reader of JSON keeps it


class Call(StrEnum):
    """What the caller does next with the row."""

    SETTLE = "settle"  # the outcome is final for this run
    RETRY = "retry"  # surely not applied: back off and send again
    DOUBT = "doubt"  # may have been applied: look, repeat if that is harmless, or stop in doubt
    LOOK = "look"  # "is so already": believe it only after a look
    THROTTLED = "throttled"  # not applied; everybody pauses; costs no attempt
    MAINTENANCE = "maintenance"  # may have been applied; everybody pauses; costs no attempt
    FORBIDDEN = "forbidden"  # 403: the token, or only this row? A ping tells
    FOREIGN = "foreign"  # a refusal that is not the API's own
    HALT = "halt"  # no row can succeed until a person acts


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means for its row."""

    call: Call
    message: str = ""
    status: Status | None = None  # with SETTLE
    proof: Proof = Proof.ANSWER
    http_status: int | None = None
    code: int | None = None
    kept: Mapping[str, Json] = field(default_factory=dict)  # result columns
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look showed of a row's thing."""

    exists: bool
    hidden: bool = False  # it exists, but inactive: owner and name are not shown
    value: str | None = None
    fields: Mapping[str, Json] = field(default_factory=dict)  # result columns, as the answer has them
    not_with: str | None = None  # the contact in whose list the hidden thing was looked for in vain

    def to_json(self) -> dict[str, Json]:
        """For the journal; :meth:`from_json` reads it back."""
        return {"exists": self.exists, "hidden": self.hidden, "value": self.value, "fields": dict(self.fields)}

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Seen:
        """What :meth:`to_json` wrote."""
        return cls(data["exists"], data["hidden"], data["value"], data["fields"])

    @property
    def owner(self) -> str | None:
        """The contact's UUID; None: nobody, or not shown."""
        return _text(self.fields.get("contact_uuid"))

    def state(self) -> tuple[Json, ...]:
        """What must be equal for nothing to have changed between two looks."""
        names = ("contact_uuid", "contact_identifier_name", "contact_identifier_active")
        return (self.exists, self.hidden, *(self.fields.get(n) for n in names))

    def words(self) -> str:
        """The state in words, for messages."""
        if not self.exists:
            return "does not exist"
        if self.hidden:
            with_whom = f", not held by contact {printable(self.not_with)}" if self.not_with else ""
            return f"exists, inactive, owner not visible{with_whom}"
        mail = self.fields.get("contact_email")
        whose = f"held by contact {printable(self.owner)}" if self.owner else "held by nobody"
        mailed = f" ({printable(str(mail))})" if self.owner and mail else ""
        name = self.fields.get("contact_identifier_name")
        called = f', named "{printable(str(name))}"' if name is not None else ""
        inactive = ", inactive" if self.fields.get("contact_identifier_active") is False else ""
        return f"exists, {whose}{mailed}{called}{inactive}"


class Fit(StrEnum):
    """How a state compares with what a row asks for."""

    YES = "yes"
    NO = "no"
    HIDDEN = "hidden"  # what is shown agrees, but not all is shown


def dig(data: Json, path: str) -> Json:
    """The value at a dotted path; None where any part is missing."""
    for part in path.split("."):
        if not isinstance(data, Mapping):
            return None
        data = data.get(part)
    return data


def keep(noun: Noun, data: Json) -> dict[str, Json]:
    """The result columns that an answer's object has."""
    kept = {}
    for name, path in noun.fields:
        value = dig(data, path)
        if value is not None:
            kept[name] = value
    return kept


def api_code(reply: Reply) -> int | None:
    """The API's own error code; None where the body is not the API's error JSON."""
    code = reply.body.get("code") if isinstance(reply.body, Mapping) else None
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code[:20])
    if isinstance(code, bool) or not isinstance(code, int) or abs(code) > LARGEST_CODE:
        return None
    return code


def api_message(reply: Reply) -> str:
    """The service's words, field errors included, safe to print."""
    if isinstance(reply.body, Mapping):
        words = reply.body.get("message")
        bag = reply.body.get("errors")
        parts = [str(words)] if words else []
        if isinstance(bag, Mapping):
            for name, texts in bag.items():
                listed = texts if isinstance(texts, list) else [texts]
                parts.append(f"{name}: {' '.join(str(t) for t in listed)}")
        if parts:
            return printable(" | ".join(parts))
    shown = " ".join(reply.text.split())
    return f"HTTP {reply.status}" + (f": {printable(shown[:80])}" if shown else "")


def judge(operation: Operation, values: Mapping[str, str], answer: Answer) -> Verdict:
    """What the answer to a row's own request means."""
    if isinstance(answer, Lost):
        call = Call.DOUBT if answer.sent else Call.RETRY
        return Verdict(call, answer.reason)
    common = judge_status(answer)
    if common is not None:
        return common
    if answer.status >= 400:
        return _judge_refusal(operation, answer)
    return _judge_success(operation, values, answer)


def judge_status(reply: Reply) -> Verdict | None:
    """What holds for every request, looks and pages included; None: an answer to be read."""
    status, code, said = reply.status, api_code(reply), api_message(reply)
    if status == 429:
        return Verdict(Call.THROTTLED, said, http_status=status, code=code, wait_s=reply.wait_s)
    if status == 503:
        return Verdict(Call.MAINTENANCE, said, http_status=status, code=code, wait_s=reply.wait_s)
    if status == 401 or code in HALT_CODES:
        return Verdict(Call.HALT, f"{said} ({code or status})", http_status=status, code=code)
    if 300 <= status < 400:
        where = printable(reply.location or "nowhere")
        return Verdict(
            Call.HALT, f"the service redirects to {where}; set --base-url to the right address", http_status=status
        )
    if status == 403:
        return Verdict(Call.FORBIDDEN, said, http_status=status, code=code)
    if status >= 500 or status == 408 or status < 200 or code in DOUBT_CODES:
        return Verdict(Call.DOUBT, said, http_status=status, code=code)
    if status >= 400 and code is None:
        return Verdict(Call.FOREIGN, said, http_status=status)
    return None


def _judge_refusal(operation: Operation, reply: Reply) -> Verdict:
    code, said = api_code(reply), api_message(reply)
    if code in operation.already_codes:
        return Verdict(Call.LOOK, said, http_status=reply.status, code=code)
    if code in operation.absent_codes:
        return Verdict(Call.SETTLE, said, Status.ABSENT, http_status=reply.status, code=code)
    if code in operation.inactive_codes:
        return Verdict(
            Call.SETTLE,
            said,
            Status.DONE,
            http_status=reply.status,
            code=code,
            kept={"contact_identifier_active": False},
        )
    return Verdict(Call.SETTLE, said, Status.REJECTED, http_status=reply.status, code=code)


def _judge_success(operation: Operation, values: Mapping[str, str], reply: Reply) -> Verdict:
    doubt = Verdict(Call.DOUBT, "the answer holds no usable data", http_status=reply.status)
    done = Verdict(Call.SETTLE, "", Status.DONE, http_status=reply.status)
    if operation.bare:
        return done if _is_bare_success(operation, values, reply) else doubt
    if not isinstance(reply.body, Mapping) or "data" not in reply.body:
        return doubt
    data = reply.body["data"]
    if operation.texts:
        text = data.get("data") if isinstance(data, Mapping) else data
        return done if isinstance(text, str) and text in operation.texts else doubt
    if operation.many:
        return _judge_list(operation, reply, data)
    if not isinstance(data, Mapping):
        return doubt
    if operation.echoes and dig(data, operation.echoes[0][0]) is None:
        return doubt
    first = operation.noun.fields[0][1] if operation.noun.fields else None
    must_show = operation.repeat is Repeat.ONCE or not operation.echoes
    if must_show and first and not _names(dig(data, first)):
        return doubt
    kept = keep(operation.noun, data)
    differs = differences(operation, values, data)
    if differs:
        return Verdict(
            Call.SETTLE,
            f"answered, but not for what was asked: {'; '.join(differs)}",
            Status.UNKNOWN,
            http_status=reply.status,
            kept=kept,
        )
    return Verdict(Call.SETTLE, "", Status.DONE, http_status=reply.status, kept=kept)


def _is_bare_success(operation: Operation, values: Mapping[str, str], reply: Reply) -> bool:
    """Whether a 2xx that need not show anything shows at least nothing else: no error, no other thing."""
    if not isinstance(reply.body, Mapping):
        return reply.is_json or reply.text == ""
    if api_code(reply) is not None or reply.body.get("errors") or reply.body.get("error"):
        return False
    shown = dig(reply.body, f"data.{_key_path(operation.look)}") if operation.look else None
    return shown is None or str(shown) == values.get(operation.key)


def _names(value: Json) -> bool:
    """Whether a value can be the name of the thing that was made: no blank, no object, no list."""
    return value is not None and value != "" and not isinstance(value, bool | Mapping | list)


def _judge_list(operation: Operation, reply: Reply, data: Json) -> Verdict:
    if not isinstance(data, list) or not all(isinstance(item, Mapping) for item in data):
        return Verdict(Call.DOUBT, "the answer holds no list", http_status=reply.status)
    kept = {"_many": [keep(operation.noun, item) for item in data]}
    return Verdict(Call.SETTLE, "", Status.DONE, http_status=reply.status, kept=kept)


def differences(operation: Operation, values: Mapping[str, str], data: Json) -> list[str]:
    """Where the answer shows something else than was asked, both quoted; fields it lacks are not judged."""
    found = []
    for path, name in operation.echoes:
        shown, asked = dig(data, path), values.get(name)
        if shown is None or asked is None:
            continue
        column = operation.column(name)
        wanted = parse_cell(column.kind if column else Kind.TEXT, asked)
        if not _same(shown, wanted, column.kind if column else Kind.TEXT):
            found.append(f'{name} asked "{printable(asked)}", answered "{printable(str(shown))}"')
    goal = operation.goal
    if goal is None:
        return found
    fields = keep(operation.noun, data)
    found += [
        f'{name} asked "{printable(values[name])}", answered "{printable(str(fields[name]))}"'
        for name in goal.columns
        if name in fields and name in values and fields[name] != _wanted(operation, name, values)
    ]
    if isinstance(data, Mapping) and "contact" in data:
        asked_owner = wanted_owner(goal, values)
        owner = _text(fields.get("contact_uuid"))
        if goal.owner is not Owner.ANY and owner != asked_owner:
            found.append(f'contact asked "{printable(asked_owner or NOBODY)}", answered "{printable(owner or NOBODY)}"')
    return found


def see(look: Look, values: Mapping[str, str], answer: Answer) -> Seen | Verdict:
    """What a look shows, or the verdict that says why it shows nothing (SETTLE: the look itself is refused)."""
    if isinstance(answer, Lost):
        return Verdict(Call.DOUBT, f"look: {answer.reason}")
    common = judge_status(answer)
    if common is not None:
        return common
    code = api_code(answer)
    if answer.status >= 400:
        if code in look.absent_codes:
            return Seen(exists=False)
        if code in look.hidden_codes:
            return Seen(exists=True, hidden=True, value=values[look.key])
        return Verdict(
            Call.SETTLE, f"look: {api_message(answer)}", Status.REJECTED, http_status=answer.status, code=code
        )
    data = answer.body.get("data") if isinstance(answer.body, Mapping) else None
    value = dig(data, _key_path(look))
    if value is None:
        return Verdict(Call.DOUBT, "look: the answer holds no usable data", http_status=answer.status)
    if not _shows_owner(look.noun, data):
        return Verdict(Call.DOUBT, "look: the answer does not show who holds it", http_status=answer.status)
    return Seen(exists=True, value=str(value), fields=keep(look.noun, data))


def _shows_owner(noun: Noun, data: Json) -> bool:
    """Whether an answer tells the holder, or that there is none: a holder left out is not nobody."""
    path = dict(noun.fields).get("contact_uuid", "")
    head, _, tail = path.partition(".")
    if not tail:
        return True
    return head in data and (not data[head] or dig(data, path) is not None)


def see_inside(look: Look, values: Mapping[str, str], contact_uuid: str, answer: Answer) -> Seen | Verdict:
    """What the list of a contact's things shows of a hidden one."""
    if isinstance(answer, Lost):
        return Verdict(Call.DOUBT, f"look: {answer.reason}")
    common = judge_status(answer)
    if common is not None:
        return common
    hidden = Seen(exists=True, hidden=True, value=values[look.key], not_with=contact_uuid)
    if answer.status >= 400:
        return hidden  # 55031, no such contact: it cannot hold the card
    data = answer.body.get("data") if isinstance(answer.body, Mapping) else None
    if not isinstance(data, list):
        return Verdict(Call.DOUBT, "look: the answer holds no list", http_status=answer.status)
    for item in data:
        if dig(item, _key_path(look)) == values[look.key]:
            fields = {**keep(look.noun, item), "contact_uuid": contact_uuid}
            return Seen(exists=True, value=values[look.key], fields=fields)
    return hidden


def _key_path(look: Look) -> str:
    return "email" if look.key == "email" else "value"


def fits(operation: Operation, values: Mapping[str, str], seen: Seen) -> Fit:
    """Whether a state is what the row asks for."""
    goal = operation.goal or Goal()
    if seen.exists != goal.exists:
        return Fit.NO
    if not seen.exists:
        return Fit.YES
    if seen.hidden:
        return _fits_hidden(operation, goal, values, seen)
    if goal.owner is not Owner.ANY and seen.owner != wanted_owner(goal, values):
        return Fit.NO
    for name in goal.columns:
        if name in values and seen.fields.get(name) != _wanted(operation, name, values):
            return Fit.NO
    return Fit.YES


def _fits_hidden(operation: Operation, goal: Goal, values: Mapping[str, str], seen: Seen) -> Fit:
    """Of a hidden thing one knows that it is inactive, and perhaps who does not hold it."""
    asked = [name for name in goal.columns if name in values]
    if "contact_identifier_active" in asked and _wanted(operation, "contact_identifier_active", values) is True:
        return Fit.NO
    if goal.owner is Owner.ANY and asked == ["contact_identifier_active"]:
        return Fit.YES
    if goal.owner is Owner.ROW and seen.not_with is not None and seen.not_with == wanted_owner(goal, values):
        return Fit.NO
    return Fit.HIDDEN


def wanted_owner(goal: Goal, values: Mapping[str, str]) -> str | None:
    """The contact that must hold the card; None: nobody."""
    return values.get("contact_uuid") if goal.owner is Owner.ROW else None


def before_send(operation: Operation, values: Mapping[str, str], seen: Seen) -> Verdict | None:
    """What a before-look settles without sending anything; None: go on and send."""
    if not seen.exists:
        return _looked(Status.REJECTED, "does not exist", code=60003)
    if _is_other(operation, values, seen):
        return _looked(Status.REJECTED, f'the service shows it as "{printable(seen.value or "")}"; write it so')
    stranger = _unexpected(values, seen)
    if stranger:
        return _looked(Status.REJECTED, stranger, kept=seen.fields)
    if fits(operation, values, seen) is Fit.YES:
        return _looked(Status.ALREADY, "nothing sent: it is so already", kept=seen.fields)
    inactive = seen.hidden or seen.fields.get("contact_identifier_active") is False
    if inactive and operation.goal is not None and operation.goal.owner is Owner.NOBODY:
        return _looked(
            Status.REJECTED, f"{seen.words()}; the service refuses to unlink it: make it active first", code=60004
        )
    return None


def _is_other(operation: Operation, values: Mapping[str, str], seen: Seen) -> bool:
    """Whether the look shows a thing of another key than was asked for, as where a service folds case."""
    if seen.value is None or operation.look is None:
        return False
    key = operation.look.key
    column = operation.column(key)
    return not _same(seen.value, values[key], column.kind if column else Kind.TEXT)


def _unexpected(values: Mapping[str, str], seen: Seen) -> str | None:
    expected = values.get("expected_contact_uuid")
    if expected is None:
        return None
    if seen.hidden:
        return f"expected_contact_uuid {printable(expected)} cannot be confirmed: {seen.words()}; nothing sent"
    if (seen.owner or NOBODY) != expected:
        return f"expected_contact_uuid {printable(expected)}, but it {seen.words()}; nothing sent"
    return None


def after_look(
    operation: Operation, values: Mapping[str, str], seen: Seen, *, doubt: bool, before: Seen | None
) -> Verdict:
    """What a look settles. ``doubt``: the row was sent and its answer lost; else an "is so already"
    code is being confirmed. RETRY: the request has left no trace, so sending it (again) is right."""
    if _is_other(operation, values, seen):
        return _looked(
            Status.UNKNOWN if doubt else Status.REJECTED,
            f'asked for "{printable(values[operation.key])}", the service shows "{printable(seen.value or "")}"',
        )
    fit = fits(operation, values, seen)
    if fit is Fit.YES:
        return _looked(Status.DONE if doubt else Status.ALREADY, "", kept=seen.fields)
    if before is not None and before.state() == seen.state():
        return Verdict(Call.RETRY, "the look shows the state before")
    if before is not None and fit is Fit.HIDDEN and not before.hidden and before.owner is None:
        # Only this row's own change can be seen, its name cannot: an update may be repeated harmlessly.
        return Verdict(Call.RETRY, seen.words())
    if operation.before:
        if doubt:
            return _looked(Status.UNKNOWN, f"changed since by others: it {seen.words()}", kept=seen.fields)
        return _looked(Status.REJECTED, f"refused, and it {seen.words()}", kept=seen.fields)
    if _untouched(operation, seen):
        return Verdict(Call.RETRY, f"the look says it {seen.words()}")
    nobody_asked = operation.goal is not None and operation.goal.owner is Owner.ROW and "contact_uuid" not in values
    if doubt and nobody_asked and seen.owner is not None:
        return _looked(Status.UNKNOWN, f"it {seen.words()}; it may be this row's card, linked since", kept=seen.fields)
    return _looked(Status.REJECTED, f"it {seen.words()}", kept=seen.fields)


def _untouched(operation: Operation, seen: Seen) -> bool:
    """Whether the state is one that the request would have changed."""
    if operation.method == "POST":
        return not seen.exists
    return seen.exists and not seen.hidden and seen.owner is None  # link


def _looked(
    status: Status, message: str, *, code: int | None = None, kept: Mapping[str, Json] | None = None
) -> Verdict:
    return Verdict(Call.SETTLE, message, status, Proof.LOOK, code=code, kept=kept or {})


def _wanted(operation: Operation, name: str, values: Mapping[str, str]) -> Json:
    column = operation.column(name)
    return parse_cell(column.kind if column else Kind.TEXT, values[name])


def _same(shown: Json, wanted: Json, kind: Kind) -> bool:
    if kind is Kind.EMAIL:
        return identity_of(str(shown)) == identity_of(str(wanted))
    return str(shown) == str(wanted)


def _text(value: Json) -> str | None:
    return None if value is None else str(value)
