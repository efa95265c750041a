"""The judge of answers: answers and lost answers in; verdicts out. Pure: no clock, no disk, no network. What looks
show is judged in :mod:`piggy_batch.importing.lookup_rules`.

Every default is the careful one: what is not known to be harmless counts as maybe applied, and what an
answer does not show is not believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from piggy_batch.endpoints import NOBODY, Goal, Look, Noun, Operation, Owner
from piggy_batch.endpoints.emails import identity_of
from piggy_batch.manifest.binding import parse_cell, printable
from piggy_batch.models import Answer, Json, Kind, Lost, Proof, Repeat, Reply, Status

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
    if status >= 500 or status == 408 or status < 200 or code in DOUBT_CODES or is_damaged(reply):
        return Verdict(Call.DOUBT, said, http_status=status, code=code)
    if status >= 400 and code is None:
        return Verdict(Call.FOREIGN, said, http_status=status)
    return None


def is_damaged(reply: Reply) -> bool:
    """Whether JSON did not arrive whole: what is missing of a refusal may be a code that is none, see DOUBT_CODES."""
    return not reply.is_json and reply.text.lstrip("\ufeff \t\r\n").startswith(("{", "["))


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
    shown = dig(reply.body, f"data.{key_path(operation.look)}") if operation.look else None
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
        if not is_same(operation, name, shown, wanted_cell(operation, name, values)):
            found.append(f'{name} asked "{printable(asked)}", answered "{printable(str(shown))}"')
    goal = operation.goal
    if goal is None:
        return found
    fields = keep(operation.noun, data)
    found += [
        f'{name} asked "{printable(values[name])}", answered "{printable(str(fields[name]))}"'
        for name in goal.columns
        if name in fields and name in values and fields[name] != wanted_cell(operation, name, values)
    ]
    if isinstance(data, Mapping) and "contact" in data:
        asked_owner = wanted_owner(goal, values)
        owner = owner_of(fields)
        if goal.owner is not Owner.ANY and owner != asked_owner:
            found.append(f'contact asked "{printable(asked_owner or NOBODY)}", answered "{printable(owner or NOBODY)}"')
    return found


def key_path(look: Look) -> str:
    """Where an answer's data has the key that was looked up."""
    return "email" if look.key == "email" else "value"


def owner_of(fields: Mapping[str, Json]) -> str | None:
    """The contact's UUID among result columns; None: nobody, or not shown."""
    uuid = fields.get("contact_uuid")
    return None if uuid is None else str(uuid)


def wanted_owner(goal: Goal, values: Mapping[str, str]) -> str | None:
    """The contact that must hold the card; None: nobody."""
    return values.get("contact_uuid") if goal.owner is Owner.ROW else None


def wanted_cell(operation: Operation, name: str, values: Mapping[str, str]) -> Json:
    """What the row asks a column to be."""
    return parse_cell(_kind(operation, name), values[name])


def is_same(operation: Operation, name: str, shown: Json, wanted: Json) -> bool:
    """Whether two values of a column stand for the same."""
    if _kind(operation, name) is Kind.EMAIL:
        return identity_of(str(shown)) == identity_of(str(wanted))
    return str(shown) == str(wanted)


def _kind(operation: Operation, name: str) -> Kind:
    column = operation.column(name)
    return column.kind if column else Kind.TEXT
